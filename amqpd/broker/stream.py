"""The stream: a log of messages that consuming does not use up, under a queue's name (RabbitMQ's queue type).

    append ─► [ segment │ segment │ segment … ] ─► next offset
                 │    ▲        ▲
       retention ▼    │        └── cursor of one consumer
                      └── cursor of another

Everything published to it is stored, persistent or not, at the next *offset*; offsets count from 0 and are never used
again. A message stays until retention drops it, whoever has read it. Consumers see what is committed, so that an
offset they have seen stands for the same message after a crash.

Each consumer reads at a place of its own, its *cursor*: a queue of its own, with no store, filled from the log as the
consumer takes. So prefetch, acks, parking and cancelling work as they do for all queues; an ack, a reject and a
requeue all mean that there is room for one more.

Retention drops whole *segments*, runs of offsets that together hold `x-stream-max-segment-size-bytes` of bodies. It
looks when a segment is begun, when the broker starts and when a policy changes, as RabbitMQ does, and never drops the
last one. Where segments begin is stored beside the log, even where nothing limits the stream yet.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..clock import Clock
from ..errors import NotImplementedByBroker, PreconditionFailed
from ..message import Message, make_message, with_header
from ..store.base import Counters, Store
from ..wire.fields import Timestamp
from .arguments import Arguments, age_in_ms
from .binding import Binding, BindingKey
from .consumer import Consumer
from .entry import Entry
from .memory import Memory
from .policy_settings import MAX_SEGMENT_SIZE
from .queue import PAGE_SIZE, STORED, Queue
from .traffic import Traffic

if TYPE_CHECKING:
    from .policies import Applied

Delivery: TypeAlias = tuple[int, Message]
"""An offset and its message, as it is delivered."""

AnyQueue: TypeAlias = "Queue | Stream"
"""What a vhost holds under a queue's name."""

SEGMENT_SIZE: Final = 500_000_000
"""Bytes of bodies in a segment, unless a declaration says otherwise: RabbitMQ's default."""

PAGE_LENGTH: Final = 256
"""Messages to read at a time, at most."""

PAUSE: Final = 0.001
"""Seconds between pages of which a filter let nothing through."""

OFFSET_HEADER: Final = "x-stream-offset"
FILTER_HEADER: Final = "x-stream-filter-value"

_SEGMENT: Final = struct.Struct(">QQ")  # bytes before it, time of the message before it


def check_stream(arguments: Arguments, described: str, *, durable: bool, exclusive: bool, auto_delete: bool) -> None:
    """Raises PreconditionFailed when a declaration asks for what streams cannot be; its arguments were checked."""
    refusals = ((auto_delete, "auto-delete"), (exclusive, "exclusive-owner"), (not durable, "non-durable"))
    for refused, name in refusals:
        if refused:
            raise PreconditionFailed(f"invalid property '{name}' for {described}")
    if arguments.get("x-stream-max-segment-size-bytes", 0) > MAX_SEGMENT_SIZE:
        raise PreconditionFailed("Exceeded max value for x-stream-max-segment-size-bytes")
    if not 16 <= arguments.get("x-stream-filter-size-bytes", 16) <= 255:
        raise PreconditionFailed("Invalid value for  x-stream-filter-size-bytes")


class Segment:
    """A run of offsets, which are dropped together."""

    __slots__ = ("bytes", "first", "last_time")

    def __init__(self, first: int) -> None:
        self.first = first
        self.bytes = 0  # of bodies
        self.last_time = 0  # when its last message was appended, in milliseconds since 1970


class Stream:
    """A log, and the cursors on it. Its vhost holds it among the queues; messages leave it by `open_cursor`."""

    is_queue = True
    durable = True
    auto_delete = False
    owner = None
    had_consumer = False  # it is not deleted with its last consumer
    exclusive_consumer = False

    def __init__(
        self,
        name: str,
        described: str,
        queue_id: int,
        segments_id: int,
        store: Store,
        memory: Memory,
        clock: Clock,
        *,
        arguments: Arguments | None = None,
        effective: dict[str, Any] | None = None,
        recovered: Counters | None = None,
    ) -> None:
        self.name = name
        self.id = queue_id  # of the log, in the store
        self.store = store
        self.memory = memory
        self.clock = clock
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.effective = self.arguments if effective is None else effective  # joined with what policies set
        self.policies: Applied | None = None  # those that apply to it
        self.incoming: dict[BindingKey, Binding] = {}
        self.consumers: list[Consumer] = []  # in order of subscription
        self.deleted = False
        self.traffic = Traffic()
        self._described = described
        self._segments_id = segments_id  # of their beginnings, in the store

        self._read_limits()

        recovered = recovered or Counters()
        self.next_offset = recovered.next_seq
        self.first_offset = recovered.next_seq - recovered.messages
        self.committed = recovered.next_seq  # what lies below is known to be, and consumers see it
        self.message_bytes = recovered.bytes
        self.segments: deque[Segment] = deque()  # the last is being filled
        self._bytes_before = 0  # of the first segment, all that were ever appended
        self._last_time = 0
        self._cursors: dict[Cursor, None] = {}
        self._watching = False  # a commit
        self._page: list[Delivery] = []  # read last
        self._page_key = (-1, -1)  # its first offset, and what was committed
        if recovered.messages:
            self._last_time = self._time_at(self.next_offset - 1)
            self._recover_segments()
            self._retain()

    @property
    def message_count(self) -> int:
        """How many messages can be read."""
        return self.next_offset - self.first_offset

    def policies_changed(self) -> None:
        """What policies set is another now: what is too much, or too old, goes at once."""
        self._read_limits()
        for cursor in self._cursors:
            if cursor.queue is not None:
                cursor.queue.effective = self.effective
        self._retain()

    # --- messages in

    def push(self, message: Message) -> int:
        """Append a message; see `Queue.push`."""
        offset = self.next_offset
        self._last_time = max(self._last_time, int(self.clock.time() * 1000))
        segments = self.segments
        if not segments or segments[-1].bytes >= self.segment_size:
            self._begin_segment(offset)
        segment = segments[-1]
        segment.bytes += message.size
        segment.last_time = self._last_time
        self.store.put(self.id, offset, message, self._last_time)
        self.next_offset = offset + 1
        self.traffic.published += 1
        self.message_bytes += message.size
        if self._cursors and not self._watching:
            self._watch()
        return STORED

    def read(self, first: int) -> list[Delivery]:
        """What to deliver from an offset on, as much as is read at a time; nothing at the end.

        Whoever asks next for the same gets the same: at the end of the log consumers mostly go together.
        """
        first = max(first, self.first_offset)
        count = self.committed - first
        if count <= 0:
            return []
        if self._page_key != (first, self.committed):
            limit = max(1, min(PAGE_LENGTH, PAGE_SIZE * self.message_count // (self.message_bytes + 1), count))
            places = self.store.read(self.id, first, limit)
            self._page = [(offset, with_header(message, OFFSET_HEADER, offset)) for offset, message, _ in places]
            self._page_key = (first, self.committed)
        return self._page

    # --- messages out

    def open_cursor(self, arguments: Arguments) -> Queue:
        """A queue for one consumer, from where its arguments say."""
        if not self._watching:
            self._watch()
        queue = Cursor(self, self._offset_of(arguments.get(OFFSET_HEADER, "next")), arguments).queue
        assert queue is not None
        return queue

    def subscribe(self, cursor: Cursor, consumer: Consumer) -> None:
        """A cursor has its consumer."""
        self.consumers.append(consumer)
        self._cursors[cursor] = None

    def unsubscribe(self, cursor: Cursor, consumer: Consumer) -> None:
        """A cursor's consumer is gone."""
        self.consumers.remove(consumer)
        del self._cursors[cursor]
        if not self._cursors:
            self._page = []
            self._page_key = (-1, -1)

    def get(self, no_ack: bool) -> Entry | None:
        """Raises NotImplementedByBroker."""
        raise NotImplementedByBroker(f"basic.get not supported by stream queues {self._described}")

    def purge(self) -> int:
        """Raises NotImplementedByBroker."""
        raise NotImplementedByBroker(f"queue.purge not supported by stream queues {self._described}")

    def purging(self) -> Iterator[int]:
        """As `purge`."""
        return iter((self.purge(),))

    def close(self) -> None:
        """The stream is deleted: forget everything, and tell the consumers."""
        self.deleted = True
        self.store.drop(self.id)
        self.store.drop(self._segments_id)
        for cursor in list(self._cursors):
            if cursor.queue is not None:
                cursor.queue.close()

    # --- where to begin

    def offset_at(self, moment: int) -> int:
        """The offset of the first message appended at a moment, in milliseconds since 1970, or later."""
        low, high = self.first_offset, self.next_offset
        while low < high:
            middle = (low + high) // 2
            if self._time_at(middle) < moment:
                low = middle + 1
            else:
                high = middle
        return low

    def _offset_of(self, where: Any) -> int:
        if where == "first":
            return self.first_offset
        if where == "last":
            return max(self.first_offset, self.next_offset - 1)
        if where == "next":
            return self.next_offset
        if isinstance(where, Timestamp):
            return self.offset_at(where * 1000)
        if isinstance(where, str):
            return self.offset_at(int(self.clock.time() * 1000) - age_in_ms(where))
        return int(where)

    def _time_at(self, offset: int) -> int:
        ((_, _, moment),) = self.store.read(self.id, offset, 1)
        return moment

    # --- commits

    def _watch(self) -> None:
        self._watching = True
        self.store.when_committed(partial(self._committed, self.next_offset))

    def _committed(self, offset: int) -> None:
        """All below an offset is durable."""
        self._watching = False
        self.committed = max(self.committed, offset)
        for cursor in list(self._cursors):
            cursor.fill()
        if self._cursors and not self._watching and self.next_offset > self.committed:
            self._watch()

    # --- segments

    def _read_limits(self) -> None:
        """Take over what the arguments of the stream and its policies say."""
        effective = self.effective
        self.max_age = age_in_ms(effective["x-max-age"]) if "x-max-age" in effective else 0
        self.max_bytes: int | None = effective.get("x-max-length-bytes")
        self.segment_size: int = effective.get("x-stream-max-segment-size-bytes", SEGMENT_SIZE)

    def _begin_segment(self, offset: int) -> None:
        before = self._bytes_before + self.message_bytes
        last_time = self.segments[-1].last_time if self.segments else 0
        self.store.put(self._segments_id, offset, make_message("", "", _SEGMENT.pack(before, last_time)))
        self.segments.append(Segment(offset))
        self._retain()

    def _recover_segments(self) -> None:
        before = 0
        for first, beginning, _ in self.store.read(self._segments_id, 0, self.message_count):
            bytes_before, last_time = _SEGMENT.unpack(beginning.body)
            if self.segments:
                self.segments[-1].bytes = bytes_before - before
                self.segments[-1].last_time = last_time
            else:
                self._bytes_before = bytes_before
            before = bytes_before
            self.segments.append(Segment(first))
        if not self.segments:  # from a time when only limited streams had some
            self.store.put(self._segments_id, self.first_offset, make_message("", "", _SEGMENT.pack(0, 0)))
            self.segments.append(Segment(self.first_offset))
        last = self.segments[-1]
        last.bytes = self.message_bytes - sum([segment.bytes for segment in self.segments])
        last.last_time = self._last_time

    def _retain(self) -> None:
        """Drop the oldest segments, as far as the limits demand."""
        segments = self.segments
        expired = int(self.clock.time() * 1000) - self.max_age
        while len(segments) > 1:
            too_old = self.max_age and segments[0].last_time < expired
            too_large = self.max_bytes is not None and self.message_bytes > self.max_bytes
            if not too_old and not too_large:
                break
            size = segments.popleft().bytes
            self._bytes_before += size
            self.message_bytes -= size
        if segments and segments[0].first > self.first_offset:
            last = segments[0].first - 1
            self.store.drop(self.id, self.first_offset, last)
            self.store.drop(self._segments_id, self.first_offset, last)
            self.first_offset = last + 1


class Cursor:
    """What fills the queue of one consumer of a stream: its `Limits`.

    The queue holds one message at most, the next to be handed out, and none at the end of the log. So its consumer is
    parked when it may not take more, and `fill` is called when it may again.
    """

    def __init__(self, stream: Stream, offset: int, arguments: Arguments) -> None:
        self._stream = stream
        self._offset = offset  # of the next message to read
        self._page: list[Delivery] = []  # read already, and maybe not by this cursor alone
        self._place = 0  # in it, of the next message
        self._consumer: Consumer | None = None
        wanted = arguments.get("x-stream-filter")
        self._wanted: list[Any] | None = [wanted] if isinstance(wanted, str) else wanted  # None: all
        self._unfiltered = arguments.get("x-stream-match-unfiltered") is True  # what has no filter value, too
        queue = Queue(stream.name, stream.id, stream.store, None, stream.memory, arguments=stream.arguments)
        queue.effective = stream.effective
        queue.limits = self
        queue.traffic = stream.traffic
        self.queue: Queue | None = queue  # until it is left

    # --- what the queue calls

    def push(self, message: Message) -> int:
        raise RuntimeError("publish to the stream, not to a cursor on it")

    def expire(self, patient: bool = False) -> bool:
        self.fill()
        return True

    def fill(self) -> None:
        """Fill the queue as far as the consumer takes."""
        queue, consumer = self.queue, self._consumer
        if queue is None or consumer is None:
            return
        overtaken = queue.memory.overtaken
        if queue.ready.length:  # left over from the last time
            if consumer.parked:
                return
            entry = queue.drop_first()
            self._hand_on(queue, entry.seq, entry.message)
        while queue.ready.length == 0:
            delivery = self._next()
            if delivery is None:
                break
            self._hand_on(queue, *delivery)
        queue.memory.overtaken = overtaken  # no publisher is ahead: what is read here may have been there for years

    def returned(self, entries: list[Entry], counted: bool) -> list[Entry]:
        """Nothing goes back into a log."""
        for entry in entries:
            assert entry.queue is not None
            entry.queue.settle(entry)
        if self.queue is not None and self._consumer is not None:
            self.queue.unpark(self._consumer)
        return []

    def recovered(self, deadline: int) -> None:
        """Nothing of it survives a restart."""

    def read_back(self, entries: list[Entry]) -> list[Entry]:
        """It does not page."""
        return entries

    def release_held(self) -> list[Entry]:
        """It holds nothing."""
        return []

    def rejected(self, entry: Entry) -> None:
        """Streams have no dead letters."""

    def used(self) -> None:
        queue = self.queue
        if queue is None:
            return
        if queue.consumers and self._consumer is None:
            self._consumer = queue.consumers[0]
            self._stream.subscribe(self, self._consumer)
            self.fill()
        elif not queue.consumers and self._consumer is not None:
            queue.purge()
            self.close()

    def close(self) -> None:
        if self._consumer is not None:
            self._stream.unsubscribe(self, self._consumer)
        self.queue = self._consumer = None  # no cycle stays behind
        self._page = []
        self._place = 0

    # --- inside

    def _hand_on(self, queue: Queue, offset: int, message: Message) -> None:
        queue.next_seq = offset
        queue.admit(message, 0)
        queue.traffic.published -= 1  # it was counted when it was appended

    def _next(self) -> Delivery | None:
        """The next message the consumer wants; None when there is none for now."""
        if self._place == len(self._page):
            self._page = self._stream.read(self._offset)
            self._place = 0
            if not self._page:
                return None
        while self._place < len(self._page):
            delivery = self._page[self._place]
            self._place += 1
            self._offset = delivery[0] + 1
            if self._wanted is None or self._wants(delivery[1]):
                return delivery
        # nothing more on this page was of interest: others have their turn before the next
        self._stream.clock.call_later(PAUSE, self.fill)
        return None

    def _wants(self, message: Message) -> bool:
        value = message.headers.get(FILTER_HEADER)
        return self._unfiltered if value is None else value in (self._wanted or ())
