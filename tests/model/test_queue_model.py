"""The queue against a list.

The model is a list of messages by their place; each is ready, or out with somebody. Whatever is done, in any order:
what is ready comes out in order of place, to consumers in turn as far as their limits allow, and nothing is lost,
doubled, or left lying while somebody waits. Large bodies make the queue page after a few of them. Consumers have
priorities; in variants so have messages, or one consumer at a time is active.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from amqpd.broker.consumer import Consumer, Outlet, Sink, Window, by_priority
from amqpd.broker.entry import Entry
from amqpd.broker.memory import ENTRY_COST, Memory
from amqpd.broker.queue import PAGE_FLOOR, STORED, Queue
from amqpd.message import make_message
from amqpd.store.base import Store
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties

QUEUE_ID = 3


@dataclass
class Place:
    """A message in the model."""

    number: int
    size: int
    stored: bool
    priority: int = 0
    redelivered: bool = False
    out: bool = False


@dataclass
class Member:
    """A consumer in the model."""

    consumer: Consumer
    outlet: Outlet
    holds: list[int] = field(default_factory=list)  # numbers, unacked

    def may_take(self) -> bool:
        consumer = self.consumer
        window = consumer.window
        if not self.outlet.open or (window.limit and window.used >= window.limit):
            return False
        return consumer.no_ack or not consumer.prefetch or len(self.holds) < consumer.prefetch


class MachineSink(Sink):
    """Hands on what the queue says."""

    def __init__(self, machine: QueueAgainstList) -> None:
        self.machine = machine

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        self.machine.deliver(consumer, entry)

    def cancelled(self, consumer: Consumer) -> None:
        self.machine.cancelled(consumer)


class QueueAgainstList(RuleBasedStateMachine):
    """The durable queue with two stores in memory, and no memory to keep messages in beyond the floor."""

    arguments: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.store, self.pager = self.open_stores()
        self.memory = Memory(0)
        self.queue = Queue("q", QUEUE_ID, self.store, self.pager, self.memory, durable=True, arguments=self.arguments)
        self.places: dict[int, Place] = {}
        self.members: dict[str, Member] = {}
        self.former: list[Member] = []  # gone, with something unacked
        self.got: dict[int, Entry] = {}  # by basic.get, unacked
        self.entries: dict[int, Entry] = {}  # delivered, unacked
        self.count = 0
        self.window = Window()
        self.active = ""  # tag of the consumer that is, where one at a time is

    def open_stores(self) -> tuple[Store, Store]:
        return MemoryStore(), MemoryStore()

    # --- what the queue tells its consumers

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        """The queue's sink: what it delivers has to be the first that is ready, to somebody who may take it."""
        number = int(entry.message.routing_key)
        member = self.members[consumer.tag]
        place = self.places[number]
        assert number == self.ready()[0], "out of order"
        assert consumer.tag in self.takers()
        for tag in self.takers():
            other = self.members[tag]
            in_turn = other.may_take() and not other.consumer.parked
            assert not in_turn or other.consumer.priority <= consumer.priority, "a higher priority was passed over"
        assert entry.redelivered is place.redelivered
        assert entry.stored is place.stored
        if consumer.no_ack:
            assert member.outlet.open
            del self.places[number]
        else:
            assert len(member.holds) < (consumer.prefetch or 1 << 30)
            assert not self.window.limit or self.window.used <= self.window.limit
            place.out = True
            member.holds.append(number)
            self.entries[number] = entry

    def cancelled(self, consumer: Consumer) -> None:
        raise AssertionError("nobody deleted the queue")

    # --- the model

    def ready(self) -> list[int]:
        places = [place for place in self.places.values() if not place.out]
        return [place.number for place in sorted(places, key=lambda place: (-place.priority, place.number))]

    def takers(self) -> list[str]:
        """Tags of those that get deliveries, as far as their limits allow."""
        return list(self.members)

    def holder(self, number: int) -> Member | None:
        for member in (*self.members.values(), *self.former):
            if number in member.holds:
                return member
        return None

    def release(self, number: int) -> Entry:
        """Take a message from whoever has it out."""
        holder = self.holder(number)
        if holder is None:
            return self.got.pop(number)
        holder.holds.remove(number)
        return self.entries.pop(number)

    def unpark_all(self) -> None:
        for consumer in by_priority([member.consumer for member in self.members.values()]):
            self.queue.unpark(consumer)

    # --- what happens

    @initialize(limit=st.sampled_from([0, 0, 1, 3]))
    def limit_the_window(self, limit: int) -> None:
        self.window.limit = limit

    @rule(
        size=st.sampled_from([0, 1, PAGE_FLOOR // 3, PAGE_FLOOR // 2]),
        persistent=st.booleans(),
        times=st.sampled_from([1, 1, 2, 6]),
        priority=st.sampled_from([None, 0, 1, 2, 3, 200]),
    )
    def push(self, size: int, persistent: bool, times: int, priority: int | None) -> None:
        for _ in range(times):
            number = self.count
            self.count += 1
            properties = Properties(delivery_mode=2 if persistent else 1, priority=priority)
            message = make_message("", str(number), bytes(size), properties)
            level = min(priority or 0, self.arguments.get("x-max-priority", 0))
            self.places[number] = Place(number, size, persistent, level)
            assert self.queue.push(message) == (STORED if persistent else 0)

    @rule(no_ack=st.booleans())
    def get(self, no_ack: bool) -> None:
        ready = self.ready()
        entry = self.queue.get(no_ack)
        if entry is None:
            assert not ready
            return
        number = int(entry.message.routing_key)
        assert number == ready[0]
        place = self.places[number]
        assert (entry.redelivered, entry.message.size) == (place.redelivered, place.size)
        if no_ack:
            del self.places[number]
        else:
            place.out = True
            self.got[number] = entry

    def is_out(self) -> bool:
        return bool(self.got or self.entries)

    @precondition(is_out)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted([*self.got, *self.entries])))
        del self.places[number]
        self.queue.settle(self.release(number))
        self.unpark_all()

    @precondition(is_out)
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        outstanding = sorted([*self.got, *self.entries])
        numbers = data.draw(st.lists(st.sampled_from(outstanding), unique=True, min_size=1))
        entries = []
        for number in numbers:
            entries.append(self.release(number))
            self.places[number].out = False
            self.places[number].redelivered = True
        self.queue.requeue(entries)
        self.unpark_all()

    @rule()
    def purge(self) -> None:
        ready = self.ready()
        assert self.queue.purge() == len(ready)
        for number in ready:
            del self.places[number]

    @rule(
        no_ack=st.booleans(),
        prefetch=st.sampled_from([0, 1, 2, 5]),
        open_=st.booleans(),
        priority=st.sampled_from([0, 0, 0, 5, -5]),
    )
    def subscribe(self, no_ack: bool, prefetch: int, open_: bool, priority: int) -> None:
        if len(self.members) >= 4:
            return
        tag = f"c{self.count}-{len(self.members)}-{len(self.former)}"
        if tag in self.members:
            return
        outlet = Outlet()
        outlet.open = open_
        options: dict[str, Any] = {"no_ack": no_ack, "prefetch": prefetch, "arguments": {"x-priority": priority}}
        consumer = Consumer(tag, self.queue, MachineSink(self), outlet, self.window, **options)
        self.members[tag] = Member(consumer, outlet)
        self.joined(tag)
        self.queue.add_consumer(consumer)
        self.queue.dispatch()

    def has_consumers(self) -> bool:
        return bool(self.members)

    @precondition(has_consumers)
    @rule(data=st.data())
    def unsubscribe(self, data: st.DataObject) -> None:
        member = self.members.pop(data.draw(st.sampled_from(sorted(self.members))))
        self.former.append(member)
        self.left(member.consumer.tag)
        self.queue.remove_consumer(member.consumer)
        self.queue.dispatch()

    def joined(self, tag: str) -> None:
        """A consumer is about to subscribe."""

    def left(self, tag: str) -> None:
        """A consumer is about to unsubscribe."""

    @precondition(has_consumers)
    @rule(data=st.data(), open_=st.booleans())
    def open_or_close_an_outlet(self, data: st.DataObject, open_: bool) -> None:
        member = self.members[data.draw(st.sampled_from(sorted(self.members)))]
        member.outlet.open = open_
        if open_:
            self.queue.unpark(member.consumer)

    @rule()
    def commit(self) -> None:
        """Does nothing for stores in memory."""

    # --- what is always so

    @invariant()
    def counts_agree(self) -> None:
        ready = [self.places[number] for number in self.ready()]
        out = [place for place in self.places.values() if place.out]
        assert self.queue.message_count == len(ready)
        assert self.queue.message_bytes == sum(place.size for place in ready)
        assert self.queue.unacked == len(out)
        assert self.queue.unacked_bytes == sum(place.size for place in out)
        for member in (*self.members.values(), *self.former):
            assert member.consumer.unacked == len(member.holds)
        assert self.window.used == len(self.entries)

    @invariant()
    def memory_is_accounted_for(self) -> None:
        held = [entry.message.size for entry in (*self.queue.ready, *self.got.values(), *self.entries.values())]
        assert self.memory.used == sum(held) + len(held) * ENTRY_COST

    @invariant()
    def nobody_waits_while_something_is_ready(self) -> None:
        if self.ready():
            assert not any(self.members[tag].may_take() for tag in self.takers())

    @invariant()
    def entries_in_memory_stand_in_order(self) -> None:
        numbers = [int(entry.message.routing_key) for entry in self.queue.ready]
        assert numbers == self.ready()[: len(numbers)]

    @invariant()
    def a_consumer_is_in_the_rotation_or_parked(self) -> None:
        rotation = list(self.queue.rotation)
        assert len(set(rotation)) == len(rotation)
        takers = [self.members[tag].consumer for tag in self.takers()]
        for consumer in takers:
            assert (consumer in rotation) is not consumer.parked
        assert set(rotation) <= set(takers)

    def teardown(self) -> None:
        """In the end everything comes out in order, and nothing stays behind in any store."""
        for member in list(self.members.values()):
            self.queue.remove_consumer(member.consumer)
        self.former += self.members.values()
        self.members.clear()
        for number in sorted([*self.got, *self.entries]):
            self.places[number].out = False
            self.places[number].redelivered = True
            self.queue.requeue([self.release(number)])
        expected = self.ready()
        drained: list[int] = []
        while (entry := self.queue.get(no_ack=True)) is not None:
            drained.append(int(entry.message.routing_key))
        assert drained == expected
        assert (self.memory.used, self.queue.unacked, self.queue.message_count) == (0, 0, 0)
        self.commit()
        for store in (self.store, self.pager):
            assert store.read(QUEUE_ID, 0, 1000) == []
            store.close()


class PriorityQueueAgainstList(QueueAgainstList):
    """The same, sorted by priorities up to 3."""

    arguments: ClassVar[dict[str, Any]] = {"x-max-priority": 3}


class SingleActiveConsumerAgainstList(QueueAgainstList):
    """The same, with one of the consumers active."""

    arguments: ClassVar[dict[str, Any]] = {"x-single-active-consumer": True}

    def takers(self) -> list[str]:
        return [self.active] if self.active else []

    def joined(self, tag: str) -> None:
        self.active = self.active or tag

    def left(self, tag: str) -> None:
        if tag == self.active:
            waiting = by_priority([member.consumer for member in self.members.values()])
            self.active = waiting[0].tag if waiting else ""


class QueueOnDiskAgainstList(QueueAgainstList):
    """The same with two stores on a disk, whose batches are written now and then."""

    def open_stores(self) -> tuple[Store, Store]:
        self.folder = TemporaryDirectory()
        made = [LmdbStore(Path(self.folder.name) / name, sync=False, map_size=1 << 30) for name in ("store", "pager")]
        for store in made:
            store.recover()
        return made[0], made[1]

    @rule()
    def commit(self) -> None:
        for store in (self.store, self.pager):
            assert isinstance(store, LmdbStore)
            store.commit()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.folder.cleanup()


@pytest.mark.parametrize(
    ("machine", "examples"),
    [
        (QueueAgainstList, 100),
        (PriorityQueueAgainstList, 60),
        (SingleActiveConsumerAgainstList, 60),
        (QueueOnDiskAgainstList, 30),
    ],
    ids=["memory", "priorities", "single active consumer", "disk"],
)
def test_a_queue_is_a_list(machine: type[QueueAgainstList], examples: int) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=40))
