"""What went through a queue, an exchange, a channel: numbers that only grow.

They are counted where it happens, by plain additions; rates are for whoever looks at them from time to time.
"""

from __future__ import annotations

COUNTED = (
    "acked",
    "confirmable",
    "confirmed",
    "delivered",
    "delivered_no_ack",
    "dropped",
    "got",
    "got_empty",
    "got_no_ack",
    "published",
    "redelivered",
    "returned",
    "routed",
)


class Traffic:
    """Messages, ever. Each owner counts what concerns it; the rest stays 0."""

    __slots__ = COUNTED

    def __init__(self) -> None:
        self.published = 0  # to an exchange, by a channel, into a queue
        self.routed = 0  # from an exchange into queues: once for each
        self.returned = 0  # mandatory ones that reached no queue
        self.dropped = 0  # others that reached no queue
        self.confirmable = 0  # of those, by a channel in confirm mode
        self.confirmed = 0  # to the publisher, by ack or nack
        self.delivered = 0  # to consumers that ack
        self.delivered_no_ack = 0  # to consumers that do not
        self.redelivered = 0  # of those two and the next two, not for the first time
        self.got = 0  # by basic.get, to be acked
        self.got_no_ack = 0
        self.got_empty = 0  # attempts that found nothing
        self.acked = 0

    def add(self, other: Traffic) -> None:
        """Count what another counted, too: it is about to go."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
