"""Looking at the messages of a queue without disturbing them: nothing is taken out, marked, moved or read in for good.

Those that are out with consumers are not the queue's to show; whoever holds them knows them.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from .entry import Entry
from .queue import PAGE_LENGTH, PAGE_SIZE, Queue
from .stream import AnyQueue, Stream


class Place(NamedTuple):
    """Where the looking goes on: how many ready messages lie before it, and from which seq on to read paged ones."""

    position: int = 0
    seq: int = 0


class Look(NamedTuple):
    """Ready entries in the order they would be handed out, each with its position, and where the next begin."""

    found: list[tuple[int, Entry]]
    next: Place | None  # None: there are no more


def look(queue: AnyQueue, place: Place, offset: int, limit: int) -> Look:
    """Look at some ready messages from a place on, but only at those from position `offset`, and at `limit` at most.

    So much is read at a time as does not hold others up: it may find less, or nothing yet, and say where to go on.
    """
    if isinstance(queue, Stream):
        return _look_at_stream(queue, place, offset, limit)
    if queue.prioritized and queue.paged:
        queue.first()  # an earlier run left them in another order: any use of the queue reads all
    ready = queue.ready.length
    if place.position < ready:
        first = max(place.position, offset)
        found = [
            (position, queue.ready.at(position))
            for position in range(first, min(ready, first + limit, first + PAGE_LENGTH))
        ]
        reached = found[-1][0] + 1 if found else min(first, ready)
        more = reached < ready or queue.paged
        return Look(found, Place(reached) if more else None)
    entries = queue.read_paged(place.seq, _step(queue.paged, queue.paged_bytes))
    numbered = [(place.position + number, entry) for number, entry in enumerate(entries)]
    found = list(islice([each for each in numbered if each[0] >= offset], limit))
    last = found[-1] if found else numbered[-1] if numbered else None
    if last is None:
        return Look([], None)
    more = last[0] + 1 < ready + queue.paged
    return Look(found, Place(last[0] + 1, last[1].seq + 1) if more else None)


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
