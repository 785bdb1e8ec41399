"""The stream, as a specification.

A `Bench` is a stream on a bench: a store, a clock moved by hand, and one sink that records what consumers get.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amqpd.broker.consumer import Consumer, Outlet, Window
from amqpd.broker.entry import Entry
from amqpd.broker.memory import Memory
from amqpd.broker.queue import STORED
from amqpd.broker.stream import PAGE_LENGTH, Stream, check_stream
from amqpd.clock import VirtualClock
from amqpd.errors import NotImplementedByBroker, PreconditionFailed
from amqpd.message import Message, make_message
from amqpd.store.base import Place, Store
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore
from amqpd.wire.fields import Timestamp
from amqpd.wire.properties import Properties
from tests.fakes import ManualStore, RecordingSink

STREAM_ID, SEGMENTS_ID = 8, 7
DESCRIBED = "queue 's' in vhost '/'"


class Bench:
    """A stream with all it needs around it."""

    def __init__(self, store: Store | None = None, **arguments: Any) -> None:
        self.store = store or MemoryStore()
        self.arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.clock = VirtualClock()
        self.memory = Memory(1 << 30)
        self.sink = RecordingSink()
        self.stream = self.open()

    def open(self) -> Stream:
        recovered = self.store.recover().counters.get(STREAM_ID)
        return Stream(
            "s",
            DESCRIBED,
            STREAM_ID,
            SEGMENTS_ID,
            self.store,
            self.memory,
            self.clock,
            arguments={"x-queue-type": "stream", **self.arguments},
            recovered=recovered,
        )

    def push(self, *bodies: bytes, value: str | None = None) -> None:
        headers = {} if value is None else {"x-stream-filter-value": value}
        for body in bodies:
            self.stream.push(message(body, headers))

    def consumer(
        self, where: Any = None, tag: str = "c", prefetch: int = 1000, outlet: Outlet | None = None, **arguments: Any
    ) -> Consumer:
        """Subscribe, and let deliveries begin."""
        given = {name.replace("_", "-"): value for name, value in arguments.items()}
        if where is not None:
            given["x-stream-offset"] = where
        queue = self.stream.open_cursor(given)
        consumer = Consumer(tag, queue, self.sink, outlet or Outlet(), Window(), prefetch=prefetch)
        queue.add_consumer(consumer)
        queue.dispatch()
        return consumer

    def settle(self, *entries: Entry) -> None:
        """What a channel does with an ack."""
        for entry in entries:
            queue, consumer = entry.queue, entry.consumer
            assert queue is not None
            assert consumer is not None
            queue.settle(entry)
            if consumer.parked:
                queue.unpark(consumer)

    @property
    def offsets(self) -> list[int]:
        """Of all deliveries."""
        return [entry.message.headers["x-stream-offset"] for entry in self.sink.entries]

    def offsets_of(self, tag: str) -> list[int]:
        return [entry.seq for to, entry in self.sink.deliveries if to == tag]

    def readable(self) -> list[int]:
        """The offsets a new reader finds."""
        return [offset for offset, _, _ in self.store.read(STREAM_ID, 0, 1 << 30)]


def message(body: bytes, headers: dict[str, Any] | None = None) -> Message:
    return make_message("x", "k", body, Properties(headers=headers) if headers else None)


# --- a log


def test_offsets_count_from_0() -> None:
    bench = Bench()
    assert bench.stream.push(message(b"a")) == STORED
    bench.push(b"b", b"c")
    bench.consumer("first")
    assert bench.offsets == [0, 1, 2]
    assert bench.sink.bodies == [b"a", b"b", b"c"]
    assert (bench.stream.message_count, bench.stream.message_bytes) == (3, 3)


def test_reading_uses_nothing_up() -> None:
    bench = Bench()
    bench.push(b"a", b"b")
    for tag in ("one", "two"):
        bench.consumer("first", tag)
        bench.settle(*[entry for to, entry in bench.sink.deliveries if to == tag])
    assert bench.sink.bodies_of("one") == bench.sink.bodies_of("two") == [b"a", b"b"]
    assert bench.stream.message_count == 2


def test_offsets_go_on_after_a_restart() -> None:
    bench = Bench()
    bench.push(b"a", b"b")
    bench.stream = bench.open()
    bench.push(b"c")
    bench.consumer("first")
    assert bench.offsets == [0, 1, 2]
    assert (bench.stream.message_count, bench.stream.message_bytes) == (3, 3)


def test_the_clock_may_step_back_but_the_times_do_not() -> None:
    bench = Bench()
    bench.push(b"a")
    bench.clock._now -= 100  # as an operator would
    bench.push(b"b")
    first, second = [moment for _, _, moment in bench.store.read(STREAM_ID, 0, 2)]
    assert first == second


def test_the_offset_is_in_the_headers_among_those_that_were_there() -> None:
    bench = Bench()
    bench.stream.push(message(b"a", {"z": 1, "a": [2], "x-stream-offset": "old"}))
    bench.consumer("first")
    (entry,) = bench.sink.entries
    assert list(entry.message.headers.items()) == [("a", [2]), ("x-stream-offset", 0), ("z", 1)]
    assert (entry.message.exchange, entry.message.routing_key, entry.redelivered) == ("x", "k", False)


# --- where to begin


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, []),
        ("next", []),
        ("first", [0, 1, 2, 3, 4]),
        ("last", [4]),
        (0, [0, 1, 2, 3, 4]),
        (3, [3, 4]),
        (5, []),
        (Timestamp(1_000_000_000), [0, 1, 2, 3, 4]),
        (Timestamp(1_000_000_010), [1, 2, 3, 4]),
        (Timestamp(1_000_000_011), [2, 3, 4]),
        (Timestamp(1_000_000_041), []),
        (Timestamp(1 << 40), []),
        ("1h", [0, 1, 2, 3, 4]),
        ("30s", [2, 3, 4]),
        ("1s", []),
    ],
)
def test_a_consumer_says_where_it_begins(where: Any, expected: list[int]) -> None:
    bench = Bench()
    for number in range(5):  # at 0, 10, 20, 30 and 40 seconds
        bench.push(b"%d" % number)
        bench.clock.advance(10)
    bench.consumer(where)
    assert bench.offsets == expected
    bench.push(b"next")
    assert bench.offsets == [*expected, 5]


@pytest.mark.parametrize("where", [None, "first", "last", "next", Timestamp(5), "1h", 0])
def test_all_of_that_works_on_an_empty_stream(where: Any) -> None:
    bench = Bench()
    bench.consumer(where)
    bench.push(b"a", b"b")
    assert bench.offsets == [0, 1]


def test_an_offset_that_is_not_there_yet_is_waited_for() -> None:
    bench = Bench()
    bench.consumer(3)
    bench.push(b"0", b"1", b"2", b"3", b"4")
    assert bench.offsets == [3, 4]


# --- credit


def test_prefetch_limits_what_is_out() -> None:
    bench = Bench()
    bench.push(*[b"%d" % number for number in range(10)])
    bench.consumer("first", prefetch=3)
    assert bench.offsets == [0, 1, 2]
    bench.settle(bench.sink.entries[1])
    assert bench.offsets == [0, 1, 2, 3]
    bench.settle(bench.sink.entries[0], bench.sink.entries[2], bench.sink.entries[3])
    assert bench.offsets == [0, 1, 2, 3, 4, 5, 6]


def test_a_consumer_at_its_limit_gets_what_was_appended_meanwhile() -> None:
    bench = Bench()
    bench.consumer("first", prefetch=1)
    bench.push(b"0", b"1", b"2")
    for expected in ([0], [0, 1], [0, 1, 2]):
        assert bench.offsets == expected
        bench.settle(bench.sink.entries[-1])
    bench.push(b"3")
    assert bench.offsets == [0, 1, 2, 3]


def test_a_requeued_message_makes_room_and_does_not_come_back() -> None:
    bench = Bench()
    bench.push(*[b"%d" % number for number in range(6)])
    consumer = bench.consumer("first", prefetch=2)
    consumer.queue.requeue(bench.sink.entries)
    assert bench.offsets == [0, 1, 2, 3]
    assert [entry.redelivered for entry in bench.sink.entries] == [False] * 4


def test_a_consumer_whose_peer_does_not_read_waits() -> None:
    bench = Bench()
    outlet = Outlet()
    outlet.open = False
    consumer = bench.consumer("first", outlet=outlet)
    bench.push(b"a", b"b")
    assert bench.offsets == []
    outlet.open = True
    consumer.queue.unpark(consumer)
    assert bench.offsets == [0, 1]


def test_consumers_have_places_of_their_own() -> None:
    bench = Bench()
    bench.push(b"0", b"1", b"2")
    bench.consumer("first", "slow", prefetch=1)
    bench.consumer("last", "quick")
    bench.push(b"3")
    assert bench.offsets_of("slow") == [0]
    assert bench.offsets_of("quick") == [2, 3]


# --- what is not committed yet


def test_consumers_see_what_is_committed() -> None:
    store = ManualStore()
    bench = Bench(store)
    bench.consumer("first")
    bench.push(b"a", b"b")
    assert bench.offsets == []
    store.commit()
    assert bench.offsets[0] == 0
    bench.push(b"c")
    assert 2 not in bench.offsets
    store.commit()
    store.commit()
    assert bench.offsets == [0, 1, 2]


def test_a_consumer_that_comes_before_the_commit_waits_for_it() -> None:
    store = ManualStore()
    bench = Bench(store)
    bench.push(b"a", b"b")
    bench.consumer("first")
    assert bench.offsets == []
    store.commit()
    assert bench.offsets == [0, 1]


def test_nobody_waits_for_commits_without_consumers() -> None:
    store = ManualStore()
    bench = Bench(store)
    bench.push(b"a")
    assert store._callbacks == []


# --- large streams


class CountingStore(MemoryStore):
    """Remembers how much was read at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.read_sizes: list[int] = []

    def read(self, queue_id: int, first: int, limit: int) -> list[Place]:
        places = super().read(queue_id, first, limit)
        self.read_sizes.append(sum(message.size for _, message, _ in places))
        return places


def test_a_stream_is_read_in_pages() -> None:
    store = CountingStore()
    bench = Bench(store)
    count = 2 * PAGE_LENGTH + 10
    bench.push(*[b"%d" % number for number in range(count)])
    bench.consumer("first", prefetch=0)
    assert bench.offsets == list(range(count))
    assert len(store.read_sizes) <= 5


def test_a_page_is_read_once_for_all_who_are_there() -> None:
    store = CountingStore()
    bench = Bench(store)
    for number in range(10):
        bench.consumer("first", f"c{number}")
    bench.push(b"a", b"b")
    assert len(store.read_sizes) == 2
    assert [bench.offsets_of(f"c{number}") for number in range(10)] == [[0, 1]] * 10


def test_pages_of_large_messages_are_short() -> None:
    store = CountingStore()
    bench = Bench(store)
    bench.push(*[bytes(1 << 18)] * 20)
    bench.consumer("first", prefetch=0)
    assert bench.offsets == list(range(20))
    assert max(store.read_sizes) <= 1 << 20


def test_nothing_is_held_in_memory_but_what_is_out() -> None:
    bench = Bench()
    bench.push(*[b"body"] * 100)
    assert bench.memory.used == 0
    consumer = bench.consumer("first", prefetch=10)
    bench.settle(*bench.sink.entries)
    consumer.queue.remove_consumer(consumer)
    bench.settle(*bench.sink.entries[10:])
    assert bench.memory.used == 0


def test_readers_do_not_count_as_overtaken() -> None:
    bench = Bench()
    bench.push(*[b"body"] * 100)
    bench.consumer("first", prefetch=10)
    assert bench.memory.overtaken == 0


# --- the end of consumers, and of the stream


def test_a_consumer_that_leaves_gets_no_more() -> None:
    bench = Bench()
    bench.push(b"0", b"1", b"2")
    consumer = bench.consumer("first", prefetch=1)
    assert bench.stream.consumers == [consumer]
    consumer.queue.remove_consumer(consumer)
    assert bench.stream.consumers == []
    consumer.queue.requeue(bench.sink.entries)
    bench.push(b"3")
    assert bench.offsets == [0]
    assert bench.memory.used == 0


def test_a_deleted_stream_tells_its_consumers_and_leaves_nothing() -> None:
    bench = Bench(x_max_length_bytes=1000)
    bench.push(b"0", b"1")
    bench.consumer("first", "one", prefetch=1)
    bench.consumer("first", "two")
    bench.stream.close()
    assert bench.sink.cancellations == ["one", "two"]
    assert bench.stream.consumers == []
    assert bench.store.recover().counters == {}
    bench.settle(bench.sink.entries[0])


def test_what_streams_do_not_do_is_refused() -> None:
    stream = Bench().stream
    with pytest.raises(NotImplementedByBroker, match=r"basic\.get not supported by stream queues queue 's'"):
        stream.get(no_ack=True)
    with pytest.raises(NotImplementedByBroker, match=r"queue\.purge not supported by stream queues queue 's'"):
        stream.purge()


# --- retention


def test_without_limits_everything_stays() -> None:
    bench = Bench(x_stream_max_segment_size_bytes=10)
    bench.push(*[b"12345"] * 100)
    bench.clock.advance(10**9)
    bench.push(b"a")
    assert bench.readable() == list(range(101))


def test_a_limit_that_comes_later_drops_the_segments_that_are_too_much() -> None:
    bench = Bench(x_stream_max_segment_size_bytes=10)
    bench.push(*[b"12345"] * 8)  # four segments of two
    bench.stream.effective = {**bench.stream.effective, "x-max-length-bytes": 20}
    bench.stream.policies_changed()
    assert bench.readable() == [4, 5, 6, 7]


def test_a_stream_stored_without_segments_is_one() -> None:
    bench = Bench(x_stream_max_segment_size_bytes=10)
    bench.push(*[b"12345"] * 3)
    bench.store.drop(SEGMENTS_ID)
    for _ in range(2):
        bench.stream = bench.open()
        assert [(segment.first, segment.bytes) for segment in bench.stream.segments] == [(0, 15)]


def test_whole_segments_are_dropped_once_the_stream_is_too_large() -> None:
    bench = Bench(x_max_length_bytes=30, x_stream_max_segment_size_bytes=10)
    bench.push(*[b"12345"] * 8)  # four segments of two
    assert bench.readable() == list(range(8))
    bench.push(b"12345")  # begins a fifth: 40 bytes are in those before it
    assert bench.readable() == list(range(2, 9))
    assert (bench.stream.first_offset, bench.stream.message_count, bench.stream.message_bytes) == (2, 7, 35)


def test_the_last_segment_is_never_dropped() -> None:
    bench = Bench(x_max_length_bytes=0, x_stream_max_segment_size_bytes=10)
    bench.push(*[b"12345"] * 5)
    assert bench.readable() == [4]


def test_whole_segments_are_dropped_once_their_last_message_is_too_old() -> None:
    bench = Bench(x_max_age="1h", x_stream_max_segment_size_bytes=10)
    bench.push(b"12345")
    bench.clock.advance(1800)
    bench.push(*[b"12345"] * 3)
    bench.clock.advance(1801)
    bench.push(b"12345")  # begins a third segment, when the first message is too old, but not the second
    assert bench.readable() == [0, 1, 2, 3, 4]
    bench.clock.advance(1801)
    bench.push(b"12345")
    assert bench.readable() == [0, 1, 2, 3, 4, 5]  # it looks when a segment begins
    bench.push(b"12345")
    assert bench.readable() == [4, 5, 6]


def test_it_looks_when_the_broker_starts_as_well() -> None:
    bench = Bench(x_max_age="1h", x_stream_max_segment_size_bytes=10)
    bench.push(*[b"12345"] * 5)
    bench.clock.advance(3601)
    bench.stream = bench.open()
    assert bench.readable() == [4]
    assert bench.stream.first_offset == 4


def test_segments_are_the_same_after_a_restart() -> None:
    bench = Bench(x_max_length_bytes=30, x_stream_max_segment_size_bytes=10)
    twin = Bench(x_max_length_bytes=30, x_stream_max_segment_size_bytes=10)
    for size in (1, 9, 3, 30, 0, 12, 5, 5, 5, 7, 11, 2, 9, 1, 0, 0, 10):
        for each in (bench, twin):
            each.push(bytes(size))
            each.clock.advance(1)
        bench.stream = bench.open()
        twin.stream._retain()  # as a start does
        assert bench.readable() == twin.readable()
        for one, other in zip(bench.stream.segments, twin.stream.segments, strict=True):
            assert (one.first, one.bytes, one.last_time) == (other.first, other.bytes, other.last_time)
        assert bench.stream.message_bytes == twin.stream.message_bytes


def test_who_reads_what_was_dropped_goes_on_with_what_is_there() -> None:
    bench = Bench(x_max_length_bytes=30, x_stream_max_segment_size_bytes=10)
    bench.push(*[b"12345"] * 4)
    bench.consumer("first", prefetch=1)
    bench.consumer(0, "again", prefetch=1)
    bench.push(*[b"12345"] * 20)
    first = bench.stream.first_offset
    assert first > 4
    bench.consumer(0, "late", prefetch=1)
    assert bench.offsets_of("late") == [first]
    bench.consumer("1h", "interval", prefetch=1)
    assert bench.offsets_of("interval") == [first]


# --- filters


def test_a_consumer_gets_what_its_filter_lets_through() -> None:
    bench = Bench()
    for number in range(6):
        bench.push(b"%d" % number, value=("north", "south", None)[number % 3])
    bench.consumer("first", "north", x_stream_filter="north")
    bench.consumer("first", "both", x_stream_filter=["south", "north"])
    bench.consumer("first", "south and none", x_stream_filter="south", x_stream_match_unfiltered=True)
    bench.consumer("first", "all")
    bench.push(b"6", value="north")
    assert bench.offsets_of("north") == [0, 3, 6]
    assert bench.offsets_of("both") == [0, 1, 3, 4, 6]
    assert bench.offsets_of("south and none") == [1, 2, 4, 5]
    assert bench.offsets_of("all") == list(range(7))


def test_a_long_search_lets_others_have_their_turn() -> None:
    bench = Bench()
    count = 3 * PAGE_LENGTH
    bench.push(*[b"x"] * count)
    bench.push(b"found", value="rare")
    bench.consumer("first", x_stream_filter="rare")
    assert bench.offsets == []
    bench.clock.advance(1)
    assert bench.offsets == [count]


# --- on disk


def test_all_of_it_is_in_the_store(tmp_path: Path) -> None:
    def reopen(store: LmdbStore | None) -> LmdbStore:
        if store is not None:
            store.close()
        return LmdbStore(tmp_path / "store", sync=False, map_size=1 << 30)

    store = reopen(None)
    bench = Bench(store, x_max_length_bytes=1000, x_stream_max_segment_size_bytes=100)
    for number in range(50):
        bench.push(b"%4d" % number * 10)
        if number % 7 == 0:
            store.commit()
        if number % 20 == 10:
            store = bench.store = reopen(store)
            bench.stream = bench.open()
        bench.clock.advance(1)
    store.commit()
    first = bench.stream.first_offset
    assert first > 0
    moments = {offset: moment for offset, _, moment in store.read(STREAM_ID, 0, 100)}
    store = bench.store = reopen(store)
    bench.stream = bench.open()
    assert bench.stream.first_offset >= first
    first = bench.stream.first_offset
    for offset, _, moment in store.read(STREAM_ID, first, 100):
        assert moment == moments[offset] == (1_000_000_000 + offset) * 1000
    bench.consumer("first")
    assert bench.offsets == list(range(first, 50))
    assert bench.sink.bodies == [b"%4d" % number * 10 for number in range(first, 50)]
    bench.sink.deliveries.clear()
    bench.consumer(Timestamp(1_000_000_045), "late")
    assert bench.offsets == [45, 46, 47, 48, 49]
    store.close()


# --- declaring


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"durable": False}, "invalid property 'non-durable' for {q}"),
        ({"exclusive": True}, "invalid property 'exclusive-owner' for {q}"),
        ({"auto_delete": True, "exclusive": True}, "invalid property 'auto-delete' for {q}"),
        (
            {"arguments": {"x-stream-max-segment-size-bytes": 3_000_000_001}},
            "Exceeded max value for x-stream-max-segment-size-bytes",
        ),
        ({"arguments": {"x-stream-filter-size-bytes": 15}}, "Invalid value for  x-stream-filter-size-bytes"),
        ({"arguments": {"x-stream-filter-size-bytes": 256}}, "Invalid value for  x-stream-filter-size-bytes"),
    ],
)
def test_what_a_stream_cannot_be_is_refused(options: dict[str, Any], text: str) -> None:
    declared: dict[str, Any] = {"arguments": {}, "durable": True, "exclusive": False, "auto_delete": False, **options}
    arguments = declared.pop("arguments")
    with pytest.raises(PreconditionFailed) as caught:
        check_stream(arguments, DESCRIBED, **declared)
    assert caught.value.explanation == text.format(q=DESCRIBED)


@pytest.mark.parametrize("size", [16, 255])
def test_what_it_can_be_is_not(size: int) -> None:
    arguments = {"x-stream-filter-size-bytes": size, "x-stream-max-segment-size-bytes": 3_000_000_000}
    check_stream(arguments, DESCRIBED, durable=True, exclusive=False, auto_delete=False)
