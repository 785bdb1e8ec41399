"""Publisher confirms: which publishes may be acked, and how (RabbitMQ's extension to class basic).

Each publish after confirm.select has a number, counted from 1. A number may be acked when everything the publish
stored is committed; or when it was consumed before that, as RabbitMQ has it, too. Acks leave in order: one
cumulative ack covers all numbers below the first that still waits, or that a queue refused and that is nacked.

A *mark* is the highest number given out when a batch was registered: the commit of that batch ends the wait of all up
to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ..broker.fifo import Fifo


class Confirms:
    """The publish numbers of one channel in confirm mode.

    `notify` is called when numbers that waited are due although nothing was committed: once until they are taken.
    """

    __slots__ = (
        "_acked",
        "_closed",
        "_consumed",
        "_marks",
        "_notified",
        "_notify",
        "_refused",
        "_unmarked",
        "_waiting",
        "published",
    )

    def __init__(self, notify: Callable[[], None] | None = None) -> None:
        self.published = 0  # numbers given out
        self._acked = 0  # all up to here have been, or nacked
        self._refused: deque[int] = deque()  # numbers to be nacked, in order
        self._waiting = Fifo()  # numbers whose publish stored something, in order
        self._unmarked = False  # some of them came after the last mark
        self._marks: deque[int] = deque()
        self._consumed: set[int] = set()  # numbers that need not wait any more, behind one that does
        self._notify = notify
        self._notified = False
        self._closed = False

    @property
    def unconfirmed(self) -> int:
        """How many publishes are neither acked nor nacked yet."""
        return self.published - self._acked

    def count(self, stored: bool) -> None:
        """Number one publish; `stored`: it put something in the store's open batch."""
        number = self.published + 1
        self.published = number
        if stored:
            if self._consumed and number in self._consumed:  # it found its consumer on the way
                self._consumed.remove(number)
            else:
                self._waiting.append(number)
                self._unmarked = True

    def consumed(self, number: int) -> None:
        """What a publish stored was consumed: it need not wait any more, if it still does."""
        waiting = self._waiting
        if self._closed or (number <= self.published and (waiting.length == 0 or number < waiting.at(0))):
            return
        if waiting.length == 0 or waiting.at(0) != number:
            self._consumed.add(number)
            return
        waiting.popleft()
        self._pass_over_consumed()
        if not self._notified and self._notify is not None:
            self._notified = True
            self._notify()

    def mark(self) -> bool:
        """Close the row of publishes that share the open batch. True when `committed` is owed after its commit."""
        if not self._unmarked:
            return False
        self._unmarked = False
        self._marks.append(self.published)
        return True

    def committed(self) -> None:
        """The batch of the oldest mark is committed."""
        mark = self._marks.popleft()
        waiting = self._waiting
        while waiting.length and waiting.at(0) <= mark:
            self._consumed.discard(waiting.popleft())
        self._pass_over_consumed()

    def refuse(self) -> None:
        """A queue did not take the publish that was counted last: it will be nacked."""
        self._refused.append(self.published)

    def take(self) -> list[tuple[int, bool, bool]]:
        """What is due, in order: (number, whether it stands for several, whether it is an ack and not a nack)."""
        self._notified = False
        released = self._waiting.at(0) - 1 if self._waiting.length else self.published
        if released == self._acked:
            return []
        due: list[tuple[int, bool, bool]] = []
        refused = self._refused
        while refused and refused[0] <= released:
            number = refused.popleft()
            if number - 1 > self._acked:
                due.append((number - 1, number - 1 - self._acked > 1, True))
            due.append((number, False, False))
            self._acked = number
        if released > self._acked:
            due.append((released, released - self._acked > 1, True))
            self._acked = released
        return due

    def close(self) -> None:
        """Wait for nothing, and notify nobody, any more."""
        self._closed = True
        self._notify = None

    def _pass_over_consumed(self) -> None:
        waiting = self._waiting
        while self._consumed and waiting.length and waiting.at(0) in self._consumed:
            self._consumed.remove(waiting.popleft())
