"""A broker that runs, as far as attendants know it."""

from __future__ import annotations

from amqpd.clock import VirtualClock
from amqpd.process import Announcement


class Running:
    """Remembers why it was to stop."""

    def __init__(self, port: int = 1234) -> None:
        self.clock = VirtualClock()
        self.announcement = Announcement(7, {"amqp": port}, {"amqp": f"amqp://127.0.0.1:{port}/%2F"}, None, "1.2.3")
        self.reasons: list[str] = []

    def request_stop(self, reason: str) -> None:
        self.reasons.append(reason)
