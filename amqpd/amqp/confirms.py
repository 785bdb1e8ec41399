"""Publisher confirms: which publishes may be acked, and how (RabbitMQ's extension to class basic).

Each publish after confirm.select has a number, counted from 1. A number may be acked when everything the publish
stored is committed. Batches commit in order, so numbers are released in order too, and one cumulative ack covers all
that were released since the last.

A *mark* is the highest number given out when a batch was registered: the commit of that batch releases all up to it.
Numbers behind the last mark stored nothing, and are released as soon as no mark is left.
"""

from __future__ import annotations

from collections import deque


class Confirms:
    """The publish numbers of one channel in confirm mode."""

    __slots__ = ("_acked", "_marks", "_released", "_stored", "published")

    def __init__(self) -> None:
        self.published = 0  # numbers given out
        self._released = 0  # all up to here may be acked
        self._acked = 0  # all up to here have been
        self._stored = False  # something was stored since the last mark
        self._marks: deque[int] = deque()

    @property
    def unconfirmed(self) -> int:
        """How many publishes are not acked yet."""
        return self.published - self._acked

    def count(self, stored: bool) -> None:
        """Number one publish; `stored`: it put something in the store's open batch."""
        self.published += 1
        if stored:
            self._stored = True

    def mark(self) -> bool:
        """Close the row of publishes that share the open batch. True when `committed` is owed after its commit."""
        if self._stored:
            self._stored = False
            self._marks.append(self.published)
            return True
        if not self._marks:
            self._released = self.published
        return False

    def committed(self) -> None:
        """The batch of the oldest mark is committed."""
        self._released = self._marks.popleft()
        if not self._marks and not self._stored:
            self._released = self.published

    def take_ack(self) -> tuple[int, bool] | None:
        """The number to ack and whether it stands for several, as basic.ack says it; None when nothing is due."""
        if self._released == self._acked:
            return None
        multiple = self._released - self._acked > 1
        self._acked = self._released
        return self._acked, multiple
