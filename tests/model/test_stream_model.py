"""A stream against a list: whatever happens, each consumer gets every committed message from its place on, in order.

The disk commits when it is told to. Nobody gets what is not committed, nobody holds more than its prefetch, and nobody
who has room waits while there is something to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from amqpd.broker.consumer import Consumer, Outlet, Sink, Window
from amqpd.broker.entry import Entry
from amqpd.broker.memory import Memory
from amqpd.broker.stream import Stream
from amqpd.clock import VirtualClock
from amqpd.message import make_message
from tests.fakes import ManualStore

STREAM_ID, SEGMENTS_ID = 8, 7


@dataclass(eq=False)
class Reader:
    """What a consumer should have got, and what it did."""

    consumer: Consumer
    next_offset: int
    prefetch: int
    out: list[Entry] = field(default_factory=list)


class Delivering(Sink):
    """Compares each delivery with what has to come next."""

    def __init__(self, machine: StreamAgainstList) -> None:
        self.machine = machine

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        machine = self.machine
        reader = machine.readers[consumer.tag]
        offset = entry.message.headers["x-stream-offset"]
        assert offset == entry.seq
        if machine.limited:  # what was dropped is passed over
            assert offset >= reader.next_offset
        else:
            assert offset == reader.next_offset
        assert offset < machine.committed
        assert entry.message.body == machine.bodies[offset]
        assert not entry.redelivered
        reader.next_offset = offset + 1
        reader.out.append(entry)

    def cancelled(self, consumer: Consumer) -> None:
        raise AssertionError("nothing was deleted")


class StreamAgainstList(RuleBasedStateMachine):
    limited = False

    def __init__(self) -> None:
        super().__init__()
        self.store = ManualStore()
        self.clock = VirtualClock()
        self.memory = Memory(1 << 40)
        self.sink = Delivering(self)
        self.bodies: list[bytes] = []
        self.committed = 0
        self.readers: dict[str, Reader] = {}
        self.left: list[Entry] = []  # out with consumers that have left
        self.numbers = 0
        self.stream = self.open()

    def open(self) -> Stream:
        arguments = {"x-max-length-bytes": 3000, "x-stream-max-segment-size-bytes": 1000} if self.limited else {}
        recovered = self.store.recover().counters.get(STREAM_ID)
        return Stream(
            "s",
            "queue 's'",
            STREAM_ID,
            SEGMENTS_ID,
            self.store,
            self.memory,
            self.clock,
            arguments=arguments,
            recovered=recovered,
        )

    @rule(sizes=st.lists(st.sampled_from([0, 1, 300, 1200]), min_size=1, max_size=5))
    def push(self, sizes: list[int]) -> None:
        for size in sizes:
            body = b"%d:" % len(self.bodies) + bytes(size)
            self.bodies.append(body)
            self.stream.push(make_message("", "s", body))
        self.clock.advance(1)

    @rule()
    def commit(self) -> None:
        self.committed = len(self.bodies)
        self.store.commit()
        assert self.stream.committed == self.committed or not self.readers

    @rule(
        where=st.sampled_from(["first", "last", "next", "offset", "ahead"]), prefetch=st.integers(1, 4), data=st.data()
    )
    def subscribe(self, where: str, prefetch: int, data: st.DataObject) -> None:
        end = len(self.bodies)
        first = self.stream.first_offset
        offset = {"first": first, "last": max(first, end - 1), "next": end, "ahead": end + 2}.get(where, 0)
        if where == "offset":
            offset = data.draw(st.integers(0, end))
        argument = offset if where in ("offset", "ahead") else where
        self.numbers += 1
        queue = self.stream.open_cursor({"x-stream-offset": argument})
        consumer = Consumer(f"c{self.numbers}", queue, self.sink, Outlet(), Window(), prefetch=prefetch)
        self.readers[consumer.tag] = Reader(consumer, offset, prefetch)
        queue.add_consumer(consumer)
        queue.dispatch()

    @precondition(lambda self: any(reader.out for reader in self.readers.values()))
    @rule(data=st.data(), requeue=st.booleans())
    def settle(self, data: st.DataObject, requeue: bool) -> None:
        reader = data.draw(st.sampled_from([reader for reader in self.readers.values() if reader.out]))
        count = data.draw(st.integers(1, len(reader.out)))
        entries, reader.out = reader.out[:count], reader.out[count:]
        queue = reader.consumer.queue
        if requeue:
            queue.requeue(entries)
            return
        for entry in entries:
            queue.settle(entry)
        if reader.consumer.parked:
            queue.unpark(reader.consumer)

    @precondition(lambda self: bool(self.readers))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        reader = self.readers.pop(data.draw(st.sampled_from(list(self.readers))))
        reader.consumer.queue.remove_consumer(reader.consumer)
        self.left += reader.out

    @precondition(lambda self: bool(self.left))
    @rule(requeue=st.booleans())
    def settle_what_was_left(self, requeue: bool) -> None:
        entries, self.left = self.left, []
        for entry in entries:
            assert entry.queue is not None
            if requeue:
                entry.queue.requeue([entry])
            else:
                entry.queue.settle(entry)

    @rule()
    def restart(self) -> None:
        self.commit()
        self.readers.clear()
        self.left.clear()
        self.memory.used = 0
        self.stream = self.open()
        assert self.stream.next_offset == len(self.bodies)

    @invariant()
    def nobody_holds_more_than_its_prefetch(self) -> None:
        for reader in self.readers.values():
            assert len(reader.out) == reader.consumer.unacked <= reader.prefetch

    @invariant()
    def nobody_with_room_waits_for_what_is_there(self) -> None:
        for reader in self.readers.values():
            next_offset = max(reader.next_offset, self.stream.first_offset)
            assert len(reader.out) == reader.prefetch or next_offset >= self.stream.committed

    @invariant()
    def nothing_is_kept_in_memory_for_long(self) -> None:
        if not self.readers and not self.left:
            assert self.memory.used == 0

    @invariant()
    def counts_agree(self) -> None:
        kept = self.bodies[self.stream.first_offset :]
        assert self.stream.message_count == len(kept)
        assert self.stream.message_bytes == sum(len(body) for body in kept)
        assert [seq for seq, _, _ in self.store.read(STREAM_ID, 0, 1 << 30)] == list(
            range(self.stream.first_offset, len(self.bodies))
        )
        assert len(self.stream.consumers) == len(self.readers)


class LimitedStreamAgainstList(StreamAgainstList):
    limited = True


@pytest.mark.parametrize("machine", [StreamAgainstList, LimitedStreamAgainstList], ids=["everything", "limited"])
def test_a_stream_is_a_list(machine: type[StreamAgainstList]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40))
