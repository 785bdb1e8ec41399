"""A channel's unacked deliveries, by delivery tag."""

from __future__ import annotations

from collections import deque

from ..broker.queue import Entry
from ..errors import PreconditionFailed


class Unacked:
    """Deliveries that were sent and not settled.

    Tags are given out in order, so the deliveries stand in a ring where a tag is an index. Tags settled out of turn
    leave holes, as do those of deliveries that need no ack.
    """

    __slots__ = ("_first_tag", "_ring", "count")

    def __init__(self) -> None:
        self.count = 0
        self._first_tag = 1  # of the ring's first place
        self._ring: deque[Entry | None] = deque()

    def add(self, tag: int, entry: Entry) -> None:
        """Keep a delivery. Its tag is above all earlier ones."""
        ring = self._ring
        if not ring:
            self._first_tag = tag
        else:
            for _ in range(tag - self._first_tag - len(ring)):
                ring.append(None)
        ring.append(entry)
        entry.tag = tag
        self.count += 1

    def take(self, tag: int, multiple: bool) -> list[Entry]:
        """Remove and return the delivery with this tag; with `multiple`, all up to it, or all when the tag is 0.

        Raises PreconditionFailed when the tag is not outstanding.
        """
        if multiple and tag == 0:
            return self.take_all()
        ring = self._ring
        index = tag - self._first_tag
        if index < 0 or index >= len(ring) or ring[index] is None:
            raise PreconditionFailed(f"unknown delivery tag {tag}")
        if multiple:
            taken = [entry for entry in (ring.popleft() for _ in range(index + 1)) if entry is not None]
            self._first_tag += index + 1
        elif index == 0:
            entry = ring.popleft()
            self._first_tag += 1
            taken = [entry] if entry is not None else []
        else:
            entry = ring[index]
            ring[index] = None
            taken = [entry] if entry is not None else []
        while ring and ring[0] is None:
            ring.popleft()
            self._first_tag += 1
        self.count -= len(taken)
        return taken

    def take_all(self) -> list[Entry]:
        """Remove and return all deliveries, in order."""
        taken = [entry for entry in self._ring if entry is not None]
        self._ring.clear()
        self.count = 0
        return taken

    def restore(self, entries: list[Entry]) -> None:
        """Put back what was taken, under the old tags."""
        if not entries:
            return
        present = [*self.take_all(), *entries]
        present.sort(key=lambda entry: entry.tag)
        for entry in present:
            self.add(entry.tag, entry)
