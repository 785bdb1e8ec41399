"""The levels of priority in a quorum queue: a line for each priority that some message had.

RabbitMQ's versions differ. From 4.0 to 4.2 there are two levels, and what is above the normal one gets two turns in
three while both wait (rabbit_fifo_q); from 4.3 on there are 32, one strictly before the other (rabbit_fifo_pq). A
message without a priority has the normal one.

Each line has a queue's place in the store to itself, its *lane*, so that what is only stored can be read line by line,
and is where it was after a restart, whatever the version followed then. Seqs are the queue's, over all lines.

A queue has a plain Fifo in place of all this until the first message of another level comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from ..message import Message
from ..wire.properties import FLAGS_OFFSET, HAS_PRIORITY
from .entry import Entry
from .fifo import Fifo

NORMAL: Final = 4
"""The priority of messages that have none."""

HIGHEST: Final = 31

NORMAL_LANE: Final = 0
"""Where a queue has its messages as long as none has a priority."""

WEIGHT: Final = 2
"""How many turns in a row the higher of two levels gets."""

_NORMAL: Final = NORMAL
_WEIGHT: Final = WEIGHT
_PRIORITY_FLAG: Final = HAS_PRIORITY >> 8  # of the first octet of the flags
_SHIFT: Final = 56
_ID_MASK: Final = 0x00FF_FFFF_FFFF_FFFF

_seq = attrgetter("seq")


def lane_of(message: Message, levels: int) -> int:
    """The lane of a new message, where there are so many levels: 1, 2 or 32."""
    if levels == 1 or not message.header[FLAGS_OFFSET] & _PRIORITY_FLAG:
        return NORMAL_LANE
    priority = min(message.priority, HIGHEST)
    if levels == 2:
        priority = NORMAL if priority <= NORMAL else NORMAL + 1
    return NORMAL_LANE if priority == NORMAL else priority + 1


def home(queue_id: int, lane: int) -> int:
    """What the store knows a queue's lane by."""
    return queue_id | (lane << _SHIFT)


def lane_at(store_id: int) -> tuple[int, int]:
    """(queue id, lane) of what `home` made of them."""
    return store_id & _ID_MASK, store_id >> _SHIFT


class Level(Fifo):
    """The ready entries of one priority that are in memory, and how many more are only stored."""

    __slots__ = ("delivered_before", "lane", "next_paged", "paged", "paged_bytes", "priority")

    def __init__(self, lane: int) -> None:
        super().__init__()
        self.lane = lane
        self.priority = lane - 1 if lane else _NORMAL
        self.paged = 0  # behind all that are in memory
        self.paged_bytes = 0
        self.next_paged = 0  # no paged message has a lower seq
        self.delivered_before = -1  # entries of an earlier run up to this seq may have been out


class Levels(Fifo):
    """The lines of a quorum queue. While anything stands here, no line is empty that has paged messages."""

    __slots__ = ("_shared", "_turn", "lines")

    def __init__(self, shared: bool) -> None:
        super().__init__()
        self.lines: list[Level] = [Level(NORMAL_LANE)]  # the highest priority first
        self._shared = shared  # the normal line gets a turn now and then
        self._turn = 0

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.lines)

    def line(self, lane: int) -> Level:
        """The line of a lane; a new one when there was none."""
        place = 0
        for found in self.lines:
            if found.lane == lane:
                return found
        new = Level(lane)
        for found in self.lines:
            if found.priority > new.priority:
                place += 1
        self.lines.insert(place, new)
        return new

    def append(self, item: Any) -> None:
        """Stand behind all of the same lane."""
        entry: Entry = item
        self.line(entry.lane).append(item)
        self.length += 1

    def popleft(self) -> Any:
        """Remove and return whose turn it is."""
        line = self._next()
        self._turn = 0 if self._turn == _WEIGHT else self._turn + 1
        self.length -= 1
        return line.popleft()

    def at(self, place: int) -> Any:
        """Whose turn it is, at place 0; elsewhere, in order of priority."""
        if place == 0:
            return self._next().at(0)
        for line in self.lines:
            if place < line.length:
                return line.at(place)
            place -= line.length
        raise IndexError(place)

    def prepend(self, items: list[Entry]) -> None:
        """Let entries stand where their seqs say, each in its line; they come in order of seq."""
        returned: dict[int, list[Entry]] = {}
        for entry in items:
            returned.setdefault(entry.lane, []).append(entry)
        for lane, entries in returned.items():
            line = self.line(lane)
            if line.length and entries[-1].seq > line.at(0).seq:
                line.replace(sorted([*entries, *line], key=_seq))
            else:
                line.prepend(entries)
        self.length += len(items)

    def replace(self, items: Iterable[Any]) -> None:
        """See `Fifo.replace`: in their order as far as they are of the same lane."""
        items = list(items)
        self.clear()
        for item in items:
            self.append(item)

    def clear(self) -> None:
        """See `Fifo.clear`. The lines stay."""
        for line in self.lines:
            line.clear()
        self.length = 0

    def _next(self) -> Level:
        first: Level | None = None
        for line in self.lines:
            if line.length == 0:
                continue
            if first is None:
                if not self._shared or self._turn != _WEIGHT or line.priority <= _NORMAL:
                    return line
                first = line
            elif line.priority <= _NORMAL:
                # the other's turn, unless it came later anyway
                return line if line.at(0).seq < first.at(0).seq else first
        if first is None:
            raise IndexError(0)
        return first
