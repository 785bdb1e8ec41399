"""A first-in, first-out line: a list whose head moves on, cut off when it has become long.

Made for entries that come and go by the thousand; places count from the head, and can be emptied out of turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

_SLACK: Final = 256
"""Places left behind before they are cut off, at the earliest."""


class Fifo:
    """What stands in line, the first at place 0. `priorities` has lines in another order."""

    __slots__ = ("_head", "_items", "length")

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._items: list[Any] = list(items)
        self._head = 0
        self.length = len(self._items)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items[self._head :])

    def append(self, item: Any) -> None:
        """Stand at the end."""
        self._items.append(item)
        self.length += 1

    def popleft(self) -> Any:
        """Remove and return the first; there must be one."""
        head = self._head
        items = self._items
        item = items[head]
        items[head] = None
        head += 1
        self.length -= 1
        if head > _SLACK and head > self.length:
            del items[:head]
            head = 0
        self._head = head
        return item

    def rotate(self) -> None:
        """The first goes to the end."""
        self.append(self.popleft())

    def prepend(self, items: list[Any]) -> None:
        """Let others stand before the first, in their order."""
        count = len(items)
        free = self._head - count
        if free < 0:  # make room for more than these: who comes back seldom comes alone
            self._items[: self._head] = [None] * (count + _SLACK)
            free = _SLACK
        self._items[free : free + count] = items
        self._head = free
        self.length += count

    def at(self, place: int) -> Any:
        """What stands at a place, from 0 to the length less one."""
        return self._items[self._head + place]

    def empty(self, place: int) -> None:
        """Leave None in a place."""
        self._items[self._head + place] = None

    def replace(self, items: Iterable[Any]) -> None:
        """Let others stand here instead, in their order."""
        self._items = list(items)
        self._head = 0
        self.length = len(self._items)

    def clear(self) -> None:
        """Let nobody stand here."""
        self._items = []
        self._head = 0
        self.length = 0
