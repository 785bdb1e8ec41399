"""A channel's unacked deliveries, by delivery tag."""

from __future__ import annotations

from collections.abc import Iterator

from ..broker.entry import Entry
from ..broker.fifo import Fifo
from ..errors import PreconditionFailed


class Unacked:
    """Deliveries that were sent and not settled.

    Tags are given out in order, so the deliveries stand in a line where a tag is a place. Tags settled out of turn
    leave holes, as do those of deliveries that need no ack.
    """

    __slots__ = ("_first_tag", "_line", "count")

    def __init__(self) -> None:
        self.count = 0
        self._first_tag = 1  # of the line's first place
        self._line = Fifo()

    def add(self, tag: int, entry: Entry) -> None:
        """Keep a delivery. Its tag is above all earlier ones."""
        line = self._line
        if line.length == 0:
            self._first_tag = tag
        else:
            while self._first_tag + line.length < tag:
                line.append(None)
        line.append(entry)
        entry.tag = tag
        self.count += 1

    def __iter__(self) -> Iterator[Entry]:
        return iter([entry for entry in self._line if entry is not None])

    def first(self) -> Entry | None:
        """The delivery that is outstanding for the longest time."""
        line = self._line
        if line.length == 0:
            return None
        entry: Entry = line.at(0)  # never a hole
        return entry

    def take_one(self, tag: int) -> Entry:
        """Remove and return the delivery with this tag. Raises PreconditionFailed when the tag is not outstanding."""
        line = self._line
        first = self._first_tag
        entry: Entry | None = None
        if line.length and tag == first:
            entry = line.popleft()  # never a hole
            self._first_tag = first + 1
            self._skip_holes()
        elif first <= tag < first + line.length:
            entry = line.at(tag - first)
            line.empty(tag - first)
        if entry is None:
            raise PreconditionFailed(f"unknown delivery tag {tag}")
        self.count -= 1
        return entry

    def take(self, tag: int, multiple: bool) -> list[Entry]:
        """Remove and return the delivery with this tag; with `multiple`, all up to it, or all when the tag is 0.

        Raises PreconditionFailed when the tag is not outstanding.
        """
        if not multiple:
            return [self.take_one(tag)]
        if tag == 0:
            return self.take_all()
        last = self.take_one(tag)
        taken: list[Entry] = []
        line = self._line
        while line.length and self._first_tag < tag:
            entry = line.popleft()
            self._first_tag += 1
            if entry is not None:
                taken.append(entry)
        self.count -= len(taken)
        self._skip_holes()
        taken.append(last)
        return taken

    def first_of_each(self) -> list[Entry]:
        """Of each consumer, and of basic.get, what is outstanding for the longest time; in order."""
        found: dict[object, Entry] = {}
        for entry in self._line:
            if entry is not None:
                found.setdefault(entry.consumer, entry)
        return list(found.values())

    def take_all(self) -> list[Entry]:
        """Remove and return all deliveries, in order."""
        taken = [entry for entry in self._line if entry is not None]
        self._line.clear()
        self.count = 0
        return taken

    def take_of(self, consumer: object) -> list[Entry]:
        """Remove and return all deliveries of a consumer, in order."""
        taken = [entry for entry in self._line if entry is not None and entry.consumer is consumer]
        for entry in taken:
            self.take_one(entry.tag)
        return taken

    def restore(self, entries: list[Entry]) -> None:
        """Put back what was taken, under the old tags."""
        if not entries:
            return
        present = [*self.take_all(), *entries]
        present.sort(key=lambda entry: entry.tag)
        for entry in present:
            self.add(entry.tag, entry)

    def _skip_holes(self) -> None:
        line = self._line
        while line.length and line.at(0) is None:
            line.popleft()
            self._first_tag += 1
