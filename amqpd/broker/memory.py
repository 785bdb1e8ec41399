"""The memory budget: how many bytes of messages the queues may hold before they page out."""

from __future__ import annotations

from typing import Final

ENTRY_COST: Final = 400
"""Estimated bytes an entry and its message take besides the body."""


class Memory:
    """Bytes held by messages, against a limit; and a sign of publishers being ahead. One for the whole broker."""

    __slots__ = ("limit", "overtaken", "paged_out", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.paged_out = 0  # messages, ever, that went to a pager
        self.overtaken = 0  # messages, ever, that had to queue although their queue has consumers
