"""Looking at the messages of a queue without disturbing them: nothing is taken out, marked, moved or read in for good.

Those that are out with consumers are not the queue's to show; whoever holds them knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .entry import Entry
from .fifo import Fifo
from .levels import Level
from .queue import PAGE_LENGTH, PAGE_SIZE, Queue
from .stream import AnyQueue, Stream


class Place(NamedTuple):
    """Where the looking goes on."""

    position: int = 0  # how many ready messages lie before it
    line: int = 0  # of the lines of a queue with priorities; else there is one
    passed: int = 0  # how many messages of that line lie before it, of those in memory
    seq: int = 0  # of the next, if that is not in memory


class Look(NamedTuple):
    """Ready entries in the order they stand, each with its position, and where the next are."""

    found: list[tuple[int, Entry]]
    next: Place | None  # None: there are no more


def look(queue: AnyQueue, place: Place, offset: int, limit: int) -> Look:
    """Look at some ready messages from a place on, but only at those from position `offset`, and at `limit` at most.

    So much is read at a time as does not hold others up: it may find less, or nothing yet, and say where to go on.
    Where lines take turns, they are shown one after the other, the highest priority first.
    """
    if isinstance(queue, Stream):
        return _look_at_stream(queue, place, offset, limit)
    if queue.prioritized and queue.paged:
        queue.first()  # an earlier run left them in another order: any use of the queue reads all
    lines: Sequence[Fifo] = (queue.ready,) if queue.levels is None else queue.levels.lines
    if place.line >= len(lines):
        return Look([], None)
    line = lines[place.line]
    if place.passed < line.length:
        return _look_at_memory(line, place, offset, limit)
    if isinstance(line, Level):
        entries = queue.read_paged(place.seq, _step(line.paged, line.paged_bytes), line)
    else:
        entries = queue.read_paged(place.seq, _step(queue.paged, queue.paged_bytes))
    if not entries:
        return Look([], Place(place.position, place.line + 1))
    numbered = enumerate(entries, place.position)
    found = [(position, entry) for position, entry in numbered if offset <= position][:limit]
    last, entry = found[-1] if found else (place.position + len(entries) - 1, entries[-1])
    return Look(found, Place(last + 1, place.line, place.passed, entry.seq + 1))


def _look_at_memory(line: Fifo, place: Place, offset: int, limit: int) -> Look:
    skipped = min(max(0, offset - place.position), line.length - place.passed)
    first = place.passed + skipped
    position = place.position + skipped
    count = min(line.length - first, limit, PAGE_LENGTH)
    found = [(position + number, line.at(first + number)) for number in range(count)]
    return Look(found, Place(position + count, place.line, first + count))


def _step(messages: int, size: int) -> int:
    """How many of them to read at a time."""
    return max(1, min(PAGE_LENGTH, PAGE_SIZE * messages // (size + 1)))


def _look_at_stream(stream: Stream, place: Place, offset: int, limit: int) -> Look:
    """Positions count from the first message that is left."""
    first = stream.first_offset + max(place.position, offset)
    count = min(limit, _step(stream.message_count, stream.message_bytes), stream.committed - first)
    if count <= 0:
        return Look([], None)
    found = [
        (seq - stream.first_offset, Entry(seq, message, True))
        for seq, message, _ in stream.store.read(stream.id, first, count)
    ]
    reached = first + len(found)
    more = bool(found) and reached < stream.committed
    return Look(found, Place(reached - stream.first_offset) if more else None)


def ready_count(queue: AnyQueue) -> int:
    """How many there are to look at."""
    return queue.committed - queue.first_offset if isinstance(queue, Stream) else queue.message_count


def is_of(entry: Entry, queue: AnyQueue) -> bool:
    """Whether an entry that is out came from this queue; those of a stream come from its cursors."""
    source: Queue | None = entry.queue
    return source is not None and (source is queue or (isinstance(queue, Stream) and source.id == queue.id))
