"""Lines in which a higher priority comes first: the ready entries of a priority queue, and consumers with priorities.

A queue has a plain Fifo in their place until one of these is asked for. As in RabbitMQ, priorities are strict: while
anything of a higher priority stands in line, nothing of a lower one is looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any

from .entry import Entry
from .fifo import Fifo

_seq = attrgetter("seq")


class Ranked(Fifo):
    """One Fifo for each priority that somebody has, none of them empty."""

    __slots__ = ("_keys", "_lines")

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__()
        self._keys: list[int] = []  # of the lines: their priorities, negated, so that they ascend
        self._lines: list[Fifo] = []
        for item in items:
            self.append(item)

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._lines)

    def priority(self, item: Any) -> int:
        """Of something that is to stand here; always the same while it does."""
        raise NotImplementedError

    def append(self, item: Any) -> None:
        """Stand behind all of the same priority."""
        self._line(-self.priority(item)).append(item)
        self.length += 1

    def popleft(self) -> Any:
        """Remove and return the first of the highest priority."""
        line = self._lines[0]
        item = line.popleft()
        self.length -= 1
        if line.length == 0:
            del self._lines[0]
            del self._keys[0]
        return item

    def rotate(self) -> None:
        """The first goes to the end of those with its priority."""
        self._lines[0].rotate()

    def at(self, place: int) -> Any:
        """See `Fifo.at`."""
        for line in self._lines:
            if place < line.length:
                return line.at(place)
            place -= line.length
        raise IndexError(place)

    def replace(self, items: Iterable[Any]) -> None:
        """See `Fifo.replace`: in their order as far as their priorities are the same."""
        items = list(items)
        self.clear()
        for item in items:
            self.append(item)

    def clear(self) -> None:
        """See `Fifo.clear`."""
        self._keys = []
        self._lines = []
        self.length = 0

    def _line(self, key: int) -> Fifo:
        place = bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            self._keys.insert(place, key)
            self._lines.insert(place, Fifo())
        return self._lines[place]


class RankedEntries(Ranked):
    """The ready entries of a priority queue. A message without a priority has 0, one above the highest the highest."""

    __slots__ = ("_highest",)

    def __init__(self, highest: int) -> None:
        super().__init__()
        self._highest = highest

    def priority(self, item: Any) -> int:
        """See `Ranked.priority`."""
        entry: Entry = item
        return min(entry.message.priority, self._highest)

    def prepend(self, items: list[Entry]) -> None:
        """Let entries stand where their seqs say, among those with their priority; they come in order of seq."""
        returned: dict[int, list[Entry]] = {}
        for entry in items:
            returned.setdefault(-self.priority(entry), []).append(entry)
        for key, entries in returned.items():
            line = self._line(key)
            if line.length and entries[-1].seq > line.at(0).seq:
                line.replace(sorted([*entries, *line], key=_seq))
            else:
                line.prepend(entries)
        self.length += len(items)


class RankedConsumers(Ranked):
    """The rotation of a queue where a consumer has a priority other than 0."""

    __slots__ = ()

    def priority(self, item: Any) -> int:
        """See `Ranked.priority`."""
        priority: int = item.priority
        return priority
