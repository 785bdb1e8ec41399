"""The memory budget: how many bytes of messages the queues may hold before they page out."""

from __future__ import annotations

from typing import Final

ENTRY_COST: Final = 400
"""Estimated bytes an entry and its message take besides the body."""


SAMPLE: Final = 0.01
"""Seconds over which the rate of consumption is taken, at least."""


class Memory:
    """Bytes held by messages, against a limit; and a sign of publishers being ahead. One for the whole broker."""

    __slots__ = ("_rate", "_sampled", "_sampled_at", "delivered", "limit", "overtaken", "paged_out", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.paged_out = 0  # messages, ever, that went to a pager
        self.overtaken = 0  # messages, ever, that had to queue although their queue has consumers
        self.delivered = 0  # messages, ever, that were handed to consumers
        self._rate = 0.0
        self._sampled = 0  # `delivered` when the rate was looked at last
        self._sampled_at = 0.0

    def consumption(self, now: float) -> float:
        """Messages a second that consumers take, lately."""
        span = now - self._sampled_at
        if span >= SAMPLE:
            self._rate = (self.delivered - self._sampled) / span
            self._sampled = self.delivered
            self._sampled_at = now
        return self._rate
