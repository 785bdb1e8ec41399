"""How much comes and goes: connections, channels and queues, ever. Numbers that only grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Churn:
    """One for the whole broker; the names are RabbitMQ's."""

    connection_created: int = 0
    connection_closed: int = 0
    channel_created: int = 0
    channel_closed: int = 0
    queue_declared: int = 0  # created, or found to be there
    queue_created: int = 0
    queue_deleted: int = 0
