"""The queue, as a specification.

A `Bench` is a queue on a bench: stores, a memory budget, and one sink that records what consumers get. Bodies tell
messages apart; the large ones make a queue page after a few of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amqpd.broker.consumer import Consumer, Outlet, Window
from amqpd.broker.entry import Entry
from amqpd.broker.memory import ENTRY_COST, Memory
from amqpd.broker.queue import PAGE_FLOOR, PAGE_LENGTH, PURGED_AT_ONCE, Queue
from amqpd.message import Message, make_message
from amqpd.store.base import Counters, Store
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties
from tests.fakes import RecordingSink

QUEUE_ID = 7
LARGE = PAGE_FLOOR // 4
"""Bytes of a body of which a few fill what a queue may keep in any case."""


class Bench:
    """A queue with all it needs around it."""

    def __init__(
        self,
        *,
        durable: bool = False,
        memory: int = 1 << 40,
        store: Store | None = None,
        pager: Store | None = None,
        recovered: Counters | None = None,
        **arguments: Any,
    ) -> None:
        self.store = store or MemoryStore()
        self.pager = pager
        self.memory = Memory(memory)
        self.sink = RecordingSink()
        self.queue = Queue(
            "q",
            QUEUE_ID,
            self.store,
            pager,
            self.memory,
            durable=durable,
            recovered=recovered,
            arguments={f"x-{name.replace('_', '-')}": value for name, value in arguments.items()},
        )

    def push(self, *bodies: bytes, persistent: bool = False) -> list[bool]:
        """Publish; returns for each whether it was stored."""
        return [self.queue.push(message(body, persistent)) for body in bodies]

    def consumer(
        self, tag: str = "c", *, outlet: Outlet | None = None, window: Window | None = None, **options: Any
    ) -> Consumer:
        """Subscribe, and let deliveries begin."""
        consumer = Consumer(tag, self.queue, self.sink, outlet or Outlet(), window or Window(), **options)
        self.queue.add_consumer(consumer)
        self.queue.dispatch()
        return consumer

    def get(self, count: int = 1) -> list[Entry]:
        """Take entries without settling them."""
        taken = [self.queue.get(no_ack=False) for _ in range(count)]
        return [entry for entry in taken if entry is not None]

    def drain(self) -> list[bytes]:
        """The bodies of all that is ready, in order."""
        found: list[bytes] = []
        while (entry := self.queue.get(no_ack=True)) is not None:
            found.append(entry.message.body)
        return found

    def stored(self) -> list[bytes]:
        """The bodies the durable store has for the queue."""
        return [message.body for _, message, _ in self.store.read(QUEUE_ID, 0, 1 << 30)]


def message(body: bytes, persistent: bool = False) -> Message:
    return make_message("", "q", body, Properties(delivery_mode=2) if persistent else None)


def numbered(count: int, size: int = LARGE) -> list[bytes]:
    """Bodies of a size, each of them different."""
    return [number.to_bytes(4, "big") + bytes(size - 4) for number in range(count)]


# --- first in, first out


def test_messages_come_out_in_the_order_they_went_in() -> None:
    bench = Bench()
    bench.push(b"a", b"b", b"c")
    assert bench.drain() == [b"a", b"b", b"c"]


def test_an_empty_queue_has_nothing_to_get() -> None:
    assert Bench().queue.get(no_ack=False) is None


def test_ready_messages_and_their_bytes_are_counted() -> None:
    bench = Bench()
    bench.push(b"one", b"three")
    assert (bench.queue.message_count, bench.queue.message_bytes) == (2, 8)
    bench.get()
    assert (bench.queue.message_count, bench.queue.message_bytes) == (1, 5)
    assert (bench.queue.unacked, bench.queue.unacked_bytes) == (1, 3)


def test_a_message_that_was_never_out_is_not_redelivered() -> None:
    bench = Bench()
    bench.push(b"a")
    (entry,) = bench.get()
    assert entry.redelivered is False


# --- to consumers


def test_a_message_goes_straight_to_a_consumer_that_waits() -> None:
    bench = Bench()
    bench.consumer()
    bench.push(b"a")
    assert bench.sink.bodies == [b"a"]
    assert bench.queue.message_count == 0


def test_a_new_consumer_gets_what_is_ready() -> None:
    bench = Bench()
    bench.push(b"a", b"b")
    bench.consumer()
    assert bench.sink.bodies == [b"a", b"b"]


def test_consumers_take_turns() -> None:
    bench = Bench()
    for tag in ("one", "two", "three"):
        bench.consumer(tag)
    bench.push(*(bytes((octet,)) for octet in range(6)))
    assert [tag for tag, _ in bench.sink.deliveries] == ["one", "two", "three", "one", "two", "three"]


def test_turns_go_on_where_they_were_when_messages_come_one_by_one() -> None:
    bench = Bench()
    bench.consumer("one", no_ack=True)
    bench.consumer("two", no_ack=True)
    for body in (b"a", b"b", b"c"):
        bench.push(body)
    assert [tag for tag, _ in bench.sink.deliveries] == ["one", "two", "one"]


def test_without_acks_a_delivered_message_is_gone() -> None:
    bench = Bench()
    consumer = bench.consumer(no_ack=True)
    bench.push(b"a")
    assert (bench.queue.unacked, consumer.unacked, bench.memory.used) == (0, 0, 0)


def test_with_acks_a_delivered_message_is_the_consumers_until_it_is_settled() -> None:
    bench = Bench()
    consumer = bench.consumer()
    bench.push(b"a")
    (entry,) = bench.sink.entries
    assert (entry.queue, entry.consumer) == (bench.queue, consumer)
    assert (bench.queue.unacked, consumer.unacked) == (1, 1)
    bench.queue.settle(entry)
    assert (entry.queue, entry.consumer) == (None, None)
    assert (bench.queue.unacked, consumer.unacked, bench.memory.used) == (0, 0, 0)


def test_an_entry_that_was_got_has_no_consumer() -> None:
    bench = Bench()
    bench.push(b"a")
    (entry,) = bench.get()
    assert (entry.queue, entry.consumer) == (bench.queue, None)


def test_a_queue_remembers_that_it_had_a_consumer() -> None:
    bench = Bench()
    assert bench.queue.had_consumer is False
    consumer = bench.consumer()
    bench.queue.remove_consumer(consumer)
    assert bench.queue.had_consumer is True
    assert bench.queue.consumers == []


def test_an_exclusive_consumer_is_visible() -> None:
    bench = Bench()
    consumer = bench.consumer(exclusive=True)
    assert bench.queue.exclusive_consumer is True
    bench.queue.remove_consumer(consumer)
    assert bench.queue.exclusive_consumer is False


def test_a_consumer_that_left_gets_nothing_more() -> None:
    bench = Bench()
    gone = bench.consumer("gone")
    bench.consumer("there")
    bench.queue.remove_consumer(gone)
    bench.push(b"a", b"b")
    assert bench.sink.bodies_of("gone") == []
    assert bench.sink.bodies_of("there") == [b"a", b"b"]


def test_removing_a_consumer_twice_does_nothing() -> None:
    bench = Bench()
    consumer = bench.consumer()
    bench.queue.remove_consumer(consumer)
    bench.queue.remove_consumer(consumer)
    bench.push(b"a")
    assert bench.sink.bodies == []


def test_what_a_consumer_holds_stays_out_when_it_leaves() -> None:
    bench = Bench()
    consumer = bench.consumer()
    bench.push(b"a")
    bench.queue.remove_consumer(consumer)
    assert bench.queue.unacked == 1
    bench.queue.settle(bench.sink.entries[0])
    assert bench.queue.unacked == 0


# --- as far as limits allow


def test_a_consumer_holds_no_more_than_its_prefetch() -> None:
    bench = Bench()
    consumer = bench.consumer(prefetch=2)
    bench.push(b"a", b"b", b"c")
    assert bench.sink.bodies == [b"a", b"b"]
    assert bench.queue.message_count == 1
    bench.queue.settle(bench.sink.entries[0])
    bench.queue.unpark(consumer)
    assert bench.sink.bodies == [b"a", b"b", b"c"]


def test_a_consumer_without_a_prefetch_takes_all() -> None:
    bench = Bench()
    bench.consumer(prefetch=0)
    bench.push(*[b"x"] * 1000)
    assert len(bench.sink.deliveries) == 1000


def test_prefetch_does_not_count_without_acks() -> None:
    bench = Bench()
    bench.consumer(prefetch=1, no_ack=True)
    bench.push(b"a", b"b")
    assert bench.sink.bodies == [b"a", b"b"]


def test_a_full_consumer_is_passed_over() -> None:
    bench = Bench()
    bench.consumer("full", prefetch=1)
    bench.consumer("free")
    bench.push(b"a", b"b", b"c")
    assert bench.sink.bodies_of("full") == [b"a"]
    assert bench.sink.bodies_of("free") == [b"b", b"c"]


def test_a_window_limits_its_consumers_together() -> None:
    bench = Bench()
    window = Window()
    window.limit = 2
    consumers = [bench.consumer(tag, window=window) for tag in ("one", "two", "three")]
    bench.push(b"a", b"b", b"c")
    assert bench.sink.bodies == [b"a", b"b"]
    assert window.full
    bench.queue.settle(bench.sink.entries[0])
    for consumer in consumers:
        bench.queue.unpark(consumer)
    assert bench.sink.bodies == [b"a", b"b", b"c"]


def test_a_window_without_a_limit_is_never_full() -> None:
    window = Window()
    window.used = 1000
    assert not window.full


def test_nothing_goes_to_a_peer_whose_outlet_is_closed() -> None:
    bench = Bench()
    outlet = Outlet()
    consumer = bench.consumer(outlet=outlet, no_ack=True)
    outlet.open = False
    bench.push(b"a", b"b")
    assert bench.sink.bodies == []
    outlet.open = True
    bench.queue.unpark(consumer)
    assert bench.sink.bodies == [b"a", b"b"]


def test_a_consumer_gets_its_turn_back_only_when_it_may_take_something() -> None:
    bench = Bench()
    consumer = bench.consumer(prefetch=1)
    bench.push(b"a", b"b")
    bench.queue.unpark(consumer)
    assert bench.sink.bodies == [b"a"]
    assert consumer.parked


def test_a_consumer_that_waits_for_turns_behind_others_after_a_limit() -> None:
    bench = Bench()
    limited = bench.consumer("limited", prefetch=1)
    bench.consumer("free")
    bench.push(b"a", b"b", b"c")
    bench.queue.settle(bench.sink.entries[0])
    bench.queue.unpark(limited)
    bench.push(b"d", b"e")
    assert [tag for tag, _ in bench.sink.deliveries] == ["limited", "free", "free", "free", "limited"]


def test_unparking_a_consumer_that_left_does_nothing() -> None:
    bench = Bench()
    consumer = bench.consumer(prefetch=1)
    bench.push(b"a", b"b")
    bench.queue.remove_consumer(consumer)
    bench.queue.settle(bench.sink.entries[0])
    bench.queue.unpark(consumer)
    assert bench.sink.bodies == [b"a"]


# --- consumers with priorities


def ranked(bench: Bench, tag: str, priority: int, **options: Any) -> Consumer:
    return bench.consumer(tag, arguments={"x-priority": priority}, **options)


def test_the_highest_priority_gets_all_while_it_can_take_it() -> None:
    bench = Bench()
    bench.consumer("plain")
    high = ranked(bench, "high", 10, prefetch=2)
    ranked(bench, "low", -1)
    bench.push(b"a", b"b", b"c", b"d")
    assert [tag for tag, _ in bench.sink.deliveries] == ["high", "high", "plain", "plain"]
    bench.queue.settle(bench.sink.entries[0])
    bench.queue.unpark(high)
    bench.push(b"e", b"f")
    assert [tag for tag, _ in bench.sink.deliveries[4:]] == ["high", "plain"]


def test_a_lower_priority_has_its_turn_when_no_higher_one_takes_any() -> None:
    bench = Bench()
    outlet = Outlet()
    ranked(bench, "high", 1, outlet=outlet)
    ranked(bench, "low", 0)
    outlet.open = False
    bench.push(b"a")
    assert bench.sink.bodies_of("low") == [b"a"]


def test_consumers_of_one_priority_take_turns() -> None:
    bench = Bench()
    for tag, priority in (("zero", 0), ("one", 5), ("two", 5), ("three", 5)):
        ranked(bench, tag, priority)
    bench.push(*[b"x"] * 6)
    assert [tag for tag, _ in bench.sink.deliveries] == ["one", "two", "three"] * 2


def test_a_priority_is_a_priority_whoever_came_first() -> None:
    bench = Bench()
    ranked(bench, "high", 5, prefetch=1)
    bench.consumer("plain")
    high = ranked(bench, "highest", 6, prefetch=1)
    bench.push(b"a", b"b", b"c")
    assert [tag for tag, _ in bench.sink.deliveries] == ["highest", "high", "plain"]
    bench.queue.remove_consumer(high)
    bench.push(b"d")
    assert bench.sink.deliveries[-1][0] == "plain"


def test_a_requeued_message_goes_to_the_highest_priority() -> None:
    bench = Bench()
    bench.consumer("plain")
    bench.push(b"a")
    ranked(bench, "high", 1)
    bench.queue.requeue(bench.sink.entries[:1])
    assert bench.sink.bodies_of("high") == [b"a"]


# --- one consumer at a time


def single_active(**options: Any) -> Bench:
    return Bench(single_active_consumer=True, **options)


def test_the_first_consumer_is_active_and_the_others_wait() -> None:
    bench = single_active()
    consumers = [bench.consumer(tag) for tag in ("one", "two", "three")]
    bench.push(b"a", b"b", b"c")
    assert [tag for tag, _ in bench.sink.deliveries] == ["one", "one", "one"]
    assert bench.queue.active is consumers[0]
    assert bench.queue.consumers == consumers


def test_nobody_stands_in_for_the_active_consumer() -> None:
    bench = single_active()
    one = bench.consumer("one", prefetch=1)
    bench.consumer("two")
    bench.push(b"a", b"b")
    assert bench.sink.bodies == [b"a"]
    bench.queue.settle(bench.sink.entries[0])
    bench.queue.unpark(one)
    assert bench.sink.bodies_of("one") == [b"a", b"b"]


def test_the_next_in_order_takes_over() -> None:
    bench = single_active()
    one, two, three = [bench.consumer(tag, prefetch=1) for tag in ("one", "two", "three")]
    bench.push(b"a", b"b", b"c")
    bench.queue.remove_consumer(one)
    assert bench.queue.active is two
    bench.queue.requeue(bench.sink.entries)
    bench.queue.remove_consumer(two)
    bench.queue.dispatch()
    assert bench.queue.active is three
    assert [(tag, entry.message.body) for tag, entry in bench.sink.deliveries] == [
        ("one", b"a"),
        ("two", b"a"),
        ("three", b"b"),
    ]


def test_one_that_waits_may_leave() -> None:
    bench = single_active()
    bench.consumer("one")
    two = bench.consumer("two")
    bench.queue.remove_consumer(two)
    bench.push(b"a")
    assert bench.sink.bodies_of("one") == [b"a"]


def test_a_consumer_that_comes_after_the_last_left_is_active() -> None:
    bench = single_active()
    bench.queue.remove_consumer(bench.consumer("one"))
    assert bench.queue.active is None
    bench.push(b"a")
    bench.consumer("two")
    assert bench.sink.bodies_of("two") == [b"a"]


def test_unparking_one_that_waits_does_not_make_it_active() -> None:
    bench = single_active()
    bench.consumer("one", prefetch=1)
    two = bench.consumer("two")
    bench.push(b"a", b"b")
    bench.queue.unpark(two)
    assert bench.sink.bodies_of("two") == []


def test_a_priority_does_not_make_active_but_chooses_the_next() -> None:
    bench = single_active()
    one = bench.consumer("one")
    bench.consumer("two")
    ranked(bench, "high", 5)
    bench.push(b"a")
    assert bench.sink.bodies_of("one") == [b"a"]
    bench.queue.remove_consumer(one)
    bench.push(b"b")
    assert bench.sink.bodies_of("high") == [b"b"]


def test_nobody_is_active_in_a_closed_queue() -> None:
    bench = single_active()
    bench.consumer("one")
    bench.queue.close()
    assert bench.queue.active is None


# --- messages with priorities


def prioritized(**options: Any) -> Bench:
    return Bench(max_priority=5, **options)


def with_priority(body: bytes, priority: int | None, persistent: bool = False) -> Message:
    return make_message("", "q", body, Properties(priority=priority, delivery_mode=2 if persistent else None))


def push_priorities(bench: Bench, persistent: bool = False, **priorities: int | None) -> None:
    """Publish messages, named by their bodies."""
    for body, priority in priorities.items():
        bench.queue.push(with_priority(body.encode(), priority, persistent))


def test_a_higher_priority_comes_out_first() -> None:
    bench = prioritized()
    push_priorities(bench, a=1, b=5, c=None, d=5, e=1, f=0)
    assert (bench.queue.message_count, bench.queue.message_bytes) == (6, 6)
    assert bench.drain() == [b"b", b"d", b"a", b"e", b"c", b"f"]


def test_a_priority_above_the_highest_is_the_highest() -> None:
    bench = prioritized()
    push_priorities(bench, a=5, b=255, c=5)
    assert bench.drain() == [b"a", b"b", b"c"]


def test_a_queue_without_priorities_overlooks_those_of_messages() -> None:
    bench = Bench()
    push_priorities(bench, a=1, b=9)
    assert bench.drain() == [b"a", b"b"]


def test_consumers_get_the_highest_priority_as_they_go() -> None:
    bench = prioritized()
    consumer = bench.consumer(prefetch=1)
    push_priorities(bench, a=0, b=0, c=3)
    for number in range(2):
        bench.queue.settle(bench.sink.entries[number])
        bench.queue.unpark(consumer)
    assert bench.sink.bodies == [b"a", b"c", b"b"]


def test_a_message_returns_to_its_place_among_those_with_its_priority() -> None:
    bench = prioritized()
    push_priorities(bench, a=1, b=1, c=1, d=2, e=0)
    entries = bench.get(3)
    assert [entry.message.body for entry in entries] == [b"d", b"a", b"b"]
    bench.queue.requeue([entries[2], entries[0]])
    (entry,) = bench.get()
    assert (entry.message.body, entry.redelivered) == (b"d", True)
    bench.queue.requeue([entry, entries[1]])
    assert bench.drain() == [b"d", b"a", b"b", b"c", b"e"]


def test_the_first_entry_is_the_one_to_drop() -> None:
    bench = prioritized(durable=True)
    push_priorities(bench, True, a=1, b=2)
    assert bench.queue.first() is not None
    assert bench.queue.drop_first().message.body == b"b"
    assert bench.stored() == [b"a"]


def test_a_purge_drops_all_priorities() -> None:
    bench = prioritized(durable=True)
    push_priorities(bench, True, a=1, b=2, c=0)
    assert bench.queue.purge() == 3
    assert (bench.drain(), bench.stored(), bench.memory.used) == ([], [], 0)
    push_priorities(bench, d=0, e=1)
    assert bench.drain() == [b"e", b"d"]


# --- back into the queue


def test_a_requeued_message_returns_to_its_old_place() -> None:
    bench = Bench()
    bench.push(b"a", b"b", b"c")
    first, second = bench.get(2)
    bench.queue.requeue([second])
    assert [entry.message.body for entry in bench.queue.ready] == [b"b", b"c"]
    bench.queue.requeue([first])
    assert bench.drain() == [b"a", b"b", b"c"]


def test_messages_requeued_out_of_order_stand_in_order() -> None:
    bench = Bench()
    bench.push(*(bytes((octet,)) for octet in range(6)))
    entries = bench.get(4)
    bench.queue.requeue([entries[3], entries[0]])
    bench.queue.requeue([entries[2], entries[1]])
    assert bench.drain() == [bytes((octet,)) for octet in range(6)]


def test_messages_return_between_ready_ones() -> None:
    bench = Bench()
    bench.push(*(bytes((octet,)) for octet in range(5)))
    entries = bench.get(5)
    bench.queue.requeue([entries[0], entries[2], entries[4]])
    bench.queue.requeue([entries[3], entries[1]])
    assert bench.drain() == [bytes((octet,)) for octet in range(5)]


def test_a_requeued_message_is_redelivered() -> None:
    bench = Bench()
    bench.push(b"a", b"b")
    bench.queue.requeue(bench.get())
    first, second = bench.get(2)
    assert (first.redelivered, second.redelivered) == (True, False)


def test_a_requeued_message_goes_to_a_consumer_that_waits() -> None:
    bench = Bench()
    bench.push(b"a")
    entries = bench.get()
    bench.consumer()
    bench.queue.requeue(entries)
    assert [(entry.message.body, entry.redelivered) for entry in bench.sink.entries] == [(b"a", True)]


def test_requeueing_makes_room_in_the_consumers_limit() -> None:
    bench = Bench()
    consumer = bench.consumer(prefetch=1)
    bench.push(b"a", b"b")
    bench.queue.requeue([bench.sink.entries[0]])
    assert bench.sink.bodies == [b"a", b"a"]
    assert (consumer.unacked, bench.queue.unacked, bench.queue.message_count) == (1, 1, 1)


def test_the_order_of_turns_sends_a_requeued_message_to_another_consumer() -> None:
    bench = Bench()
    bench.consumer("refusing")
    bench.consumer("other")
    bench.push(b"a")
    bench.queue.requeue([bench.sink.entries[0]])
    assert [tag for tag, _ in bench.sink.deliveries] == ["refusing", "other"]


def test_what_a_consumer_that_left_held_can_be_requeued() -> None:
    bench = Bench()
    consumer = bench.consumer()
    bench.push(b"a")
    bench.queue.remove_consumer(consumer)
    bench.queue.requeue(bench.sink.entries)
    assert bench.sink.bodies == [b"a"]
    assert bench.drain() == [b"a"]


def test_requeueing_nothing_does_nothing() -> None:
    bench = Bench()
    bench.push(b"a")
    bench.queue.requeue([])
    assert bench.drain() == [b"a"]


# --- purge and deletion


def test_a_purge_drops_what_is_ready_and_says_how_many() -> None:
    bench = Bench()
    bench.push(b"a", b"b", b"c")
    bench.get()
    assert bench.queue.purge() == 2
    assert (bench.queue.message_count, bench.queue.message_bytes, bench.queue.unacked) == (0, 0, 1)


def test_what_is_unacked_survives_a_purge() -> None:
    bench = Bench()
    bench.push(b"a", b"b")
    entries = bench.get()
    bench.queue.purge()
    bench.queue.requeue(entries)
    assert bench.drain() == [b"a"]


def test_a_purge_in_steps_empties_the_queue_with_the_first() -> None:
    bench = Bench(durable=True)
    bench.push(*numbered(PURGED_AT_ONCE * 2 + 1, 8), persistent=True)
    steps = bench.queue.purging()
    assert next(steps) == PURGED_AT_ONCE * 2 + 1
    assert (bench.queue.message_count, bench.memory.used, len(bench.stored())) == (0, 0, PURGED_AT_ONCE * 2 + 1)
    bench.push(b"later", persistent=True)
    assert next(steps) == 0
    assert len(bench.stored()) == PURGED_AT_ONCE + 2
    assert list(steps) == [0, 0]
    assert (bench.drain(), bench.stored()) == ([b"later"], [])


def test_a_queue_may_be_deleted_between_the_steps_of_a_purge() -> None:
    bench = Bench(durable=True)
    bench.push(b"a", b"b", persistent=True)
    steps = bench.queue.purging()
    next(steps)
    bench.queue.close()
    assert list(steps) == [0]
    assert (bench.stored(), bench.memory.used) == ([], 0)


def test_what_is_taken_back_waits_and_is_in_its_old_place_when_resumed() -> None:
    bench = Bench()
    bench.push(b"a", b"b", b"c", b"d")
    entries = bench.get(3)
    bench.consumer(prefetch=1)
    assert bench.sink.bodies == [b"d"]
    back = bench.queue.take_back(entries[:1]) + bench.queue.take_back(entries[1:])
    assert (bench.queue.message_count, bench.queue.held, bench.queue.unacked) == (0, 3, 1)
    before = bench.memory.used
    bench.queue.resume(back)
    assert (bench.queue.message_count, bench.queue.held, bench.memory.used) == (3, 0, before)
    assert bench.drain() == [b"a", b"b", b"c"]
    assert all(entry.redelivered for entry in entries)


def test_what_was_taken_back_is_gone_when_the_queue_is() -> None:
    bench = Bench()
    bench.push(b"a", b"b")
    back = bench.queue.take_back(bench.get(1))
    bench.queue.close()
    bench.queue.resume(back)
    assert (bench.memory.used, bench.queue.held) == (0, 0)


def test_a_closed_queue_tells_its_consumers() -> None:
    bench = Bench()
    bench.consumer("one")
    bench.consumer("two")
    bench.queue.close()
    assert bench.sink.cancellations == ["one", "two"]
    assert bench.queue.consumers == []


def test_a_closed_queue_is_empty() -> None:
    bench = Bench(durable=True)
    bench.push(b"a", b"b", persistent=True)
    bench.queue.close()
    assert (bench.queue.message_count, bench.queue.message_bytes, bench.memory.used) == (0, 0, 0)
    assert bench.stored() == []


@pytest.mark.parametrize("persistent", [True, False])
def test_what_is_out_when_a_queue_is_closed_may_be_settled_or_requeued(persistent: bool) -> None:
    bench = Bench(durable=True)
    consumer = bench.consumer()
    bench.push(b"a", b"b", persistent=persistent)
    bench.queue.close()
    first, second = bench.sink.entries
    bench.queue.settle(first)
    bench.queue.requeue([second])
    assert (bench.queue.unacked, bench.queue.message_count, consumer.unacked, bench.memory.used) == (0, 0, 0, 0)


# --- memory


def test_memory_is_counted_while_a_message_is_ready_or_unacked() -> None:
    bench = Bench()
    bench.push(b"four")
    assert bench.memory.used == 4 + ENTRY_COST
    entries = bench.get()
    assert bench.memory.used == 4 + ENTRY_COST
    bench.queue.requeue(entries)
    assert bench.memory.used == 4 + ENTRY_COST
    bench.drain()
    assert bench.memory.used == 0


def test_memory_is_freed_by_a_purge() -> None:
    bench = Bench()
    bench.push(b"a", b"b", b"c")
    bench.queue.purge()
    assert bench.memory.used == 0


def test_a_message_that_has_to_queue_although_there_are_consumers_is_a_sign_of_haste() -> None:
    bench = Bench()
    bench.push(b"nobody is there")
    assert bench.memory.overtaken == 0
    bench.consumer(prefetch=2)
    bench.push(b"taken")
    assert bench.memory.overtaken == 0
    bench.push(b"left", b"left")
    assert bench.memory.overtaken == 2


# --- what must survive


def test_a_persistent_message_in_a_durable_queue_is_stored() -> None:
    bench = Bench(durable=True)
    assert bench.push(b"kept", persistent=True) == [True]
    assert bench.push(b"lost", persistent=False) == [False]
    assert bench.stored() == [b"kept"]


def test_nothing_in_a_transient_queue_is_stored() -> None:
    bench = Bench(durable=False)
    assert bench.push(b"a", persistent=True) == [False]
    assert bench.stored() == []


def test_a_stored_message_is_deleted_when_it_is_settled() -> None:
    bench = Bench(durable=True)
    bench.push(b"a", b"b", persistent=True)
    (entry,) = bench.get()
    assert bench.stored() == [b"a", b"b"]
    bench.queue.settle(entry)
    assert bench.stored() == [b"b"]


def test_a_stored_message_stays_stored_when_it_is_requeued() -> None:
    bench = Bench(durable=True)
    bench.push(b"a", persistent=True)
    bench.queue.requeue(bench.get())
    assert bench.stored() == [b"a"]


def test_a_stored_message_is_deleted_when_it_is_got_without_ack() -> None:
    bench = Bench(durable=True)
    bench.push(b"a", persistent=True)
    bench.drain()
    assert bench.stored() == []


def test_a_stored_message_is_deleted_when_it_is_delivered_without_ack() -> None:
    bench = Bench(durable=True)
    bench.consumer(no_ack=True)
    assert bench.push(b"a", persistent=True) == [True]
    assert bench.stored() == []


def test_a_purge_deletes_what_is_stored_but_not_what_is_unacked() -> None:
    bench = Bench(durable=True)
    bench.push(b"a", b"b", b"c", persistent=True)
    bench.get()
    bench.queue.purge()
    assert bench.stored() == [b"a"]


# --- beyond memory: paging

Stores = Callable[[], tuple[Store, Store]]


@pytest.fixture(params=["memory", "lmdb"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """A durable store and a pager."""
    if request.param == "memory":
        yield MemoryStore(), MemoryStore()
        return
    made = [LmdbStore(tmp_path / name, sync=False, map_size=1 << 30) for name in ("store", "pager")]
    for store in made:
        store.recover()
    yield made[0], made[1]
    for store in made:
        store.close()


def paging(stores: tuple[Store, Store], *, durable: bool = True) -> Bench:
    """A bench without any memory beyond what each queue may keep."""
    return Bench(durable=durable, memory=0, store=stores[0], pager=stores[1])


def commit(bench: Bench) -> None:
    """Write what is open, where the store keeps that apart."""
    for store in (bench.store, bench.pager):
        if isinstance(store, LmdbStore):
            store.commit()


def test_a_queue_keeps_its_floor_in_memory_and_pages_what_comes_after(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(*numbered(10), persistent=True)
    assert 0 < len(bench.queue.ready) < 10
    assert bench.queue.paged == 10 - len(bench.queue.ready)
    assert bench.memory.used < PAGE_FLOOR + 2 * LARGE
    assert (bench.queue.message_count, bench.queue.message_bytes) == (10, 10 * LARGE)


def test_paged_messages_come_back_in_order(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bodies = numbered(20)
    bench.push(*bodies, persistent=True)
    assert bench.drain() == bodies
    assert bench.memory.used == 0


@pytest.mark.parametrize("committed", [True, False])
def test_durable_and_transient_messages_keep_their_order_together(stores: tuple[Store, Store], committed: bool) -> None:
    bench = paging(stores)
    bodies = numbered(30)
    for number, body in enumerate(bodies):
        bench.push(body, persistent=number % 3 == 0)
        if committed:
            commit(bench)
    assert bench.queue.paged > 20
    assert bench.drain() == bodies


def test_a_transient_queue_pages_to_the_pager_alone(stores: tuple[Store, Store]) -> None:
    bench = paging(stores, durable=False)
    bodies = numbered(10)
    bench.push(*bodies, persistent=True)
    assert bench.queue.paged
    assert bench.stored() == []
    assert bench.drain() == bodies


def test_without_a_pager_nothing_is_paged() -> None:
    bench = Bench(durable=True, memory=0)
    bodies = numbered(10)
    bench.push(*bodies, persistent=True)
    assert bench.queue.paged == 0
    assert bench.drain() == bodies


def test_a_queue_with_memory_to_spare_does_not_page(stores: tuple[Store, Store]) -> None:
    bench = Bench(durable=True, memory=1 << 30, store=stores[0], pager=stores[1])
    bench.push(*numbered(10), persistent=True)
    assert bench.queue.paged == 0


def test_a_consumer_gets_paged_messages_in_order_as_it_goes(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bodies = numbered(12)
    bench.push(*bodies[:9], persistent=True)
    consumer = bench.consumer(prefetch=2)
    bench.push(*bodies[9:], persistent=True)
    for number in range(12):
        bench.queue.settle(bench.sink.entries[number])
        bench.queue.unpark(consumer)
    assert bench.sink.bodies == bodies
    assert bench.stored() == []
    assert bench.memory.used == 0


def test_publishing_and_getting_in_turns_keeps_the_order(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bodies = numbered(60, PAGE_FLOOR // 3)
    got: list[bytes] = []
    for number, body in enumerate(bodies):
        bench.push(body, persistent=bool(number % 2))
        if number % 3 == 2:
            entry = bench.queue.get(no_ack=True)
            assert entry is not None
            got.append(entry.message.body)
        if number % 10 == 9:
            commit(bench)
    assert got + bench.drain() == bodies


def test_a_message_returns_in_front_of_paged_ones(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bodies = numbered(10)
    bench.push(*bodies, persistent=True)
    entries = bench.get(6)
    bench.queue.requeue([entries[5], entries[1]])
    assert bench.drain() == [bodies[1], bodies[5], *bodies[6:]]


def test_pages_are_bounded_in_size_and_in_length(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    small = [number.to_bytes(4, "big") for number in range(3 * PAGE_LENGTH + PAGE_FLOOR // ENTRY_COST)]
    bench.push(*small, persistent=True)
    paged = bench.queue.paged
    while bench.queue.paged == paged:
        assert bench.queue.get(no_ack=True) is not None
    assert paged - bench.queue.paged == PAGE_LENGTH
    bench.queue.purge()
    bench.push(*numbered(20), persistent=True)
    paged = bench.queue.paged
    while bench.queue.paged == paged:
        assert bench.queue.get(no_ack=True) is not None
    assert bench.memory.used <= PAGE_FLOOR + LARGE


def test_the_pager_forgets_what_was_read_back(stores: tuple[Store, Store]) -> None:
    bench = paging(stores, durable=False)
    bench.push(*numbered(12))
    bench.drain()
    commit(bench)
    assert stores[1].read(QUEUE_ID, 0, 100) == []


def test_a_purge_drops_paged_messages_everywhere(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    for number, body in enumerate(numbered(12)):
        bench.push(body, persistent=bool(number % 2))
    commit(bench)
    assert bench.queue.purge() == 12
    commit(bench)
    assert (bench.queue.message_count, bench.queue.message_bytes, bench.memory.used) == (0, 0, 0)
    assert bench.stored() == []
    assert stores[1].read(QUEUE_ID, 0, 100) == []


@pytest.mark.parametrize("committed", [True, False])
def test_what_is_published_after_a_purge_of_paged_messages_is_kept(
    stores: tuple[Store, Store], committed: bool
) -> None:
    bench = paging(stores)
    bench.push(*numbered(12), persistent=True)
    commit(bench)
    bench.queue.purge()
    if committed:
        commit(bench)
    bench.push(b"new", persistent=True)
    commit(bench)
    assert bench.stored() == [b"new"]
    assert bench.drain() == [b"new"]
    commit(bench)
    assert bench.stored() == []


def test_a_queue_pages_again_after_a_purge(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(*numbered(12), persistent=True)
    bench.queue.purge()
    bodies = numbered(12)
    bench.push(*bodies, persistent=True)
    assert bench.queue.paged
    assert bench.drain() == bodies


def test_a_closed_queue_leaves_nothing_in_either_store(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    for number, body in enumerate(numbered(12)):
        bench.push(body, persistent=bool(number % 2))
    commit(bench)
    bench.queue.close()
    commit(bench)
    assert bench.stored() == []
    assert stores[1].read(QUEUE_ID, 0, 100) == []
    assert bench.memory.used == 0


def test_a_count_that_its_store_denies_is_an_error_of_ours() -> None:
    bench = Bench(durable=True, pager=MemoryStore(), recovered=Counters(messages=1, bytes=1, next_seq=1))
    with pytest.raises(RuntimeError, match="queue 'q' counts 1 paged messages, but its store has none"):
        bench.queue.get(no_ack=True)


def test_a_priority_queue_does_not_page(stores: tuple[Store, Store]) -> None:
    bench = Bench(durable=True, memory=0, store=stores[0], pager=stores[1], max_priority=1)
    for number, body in enumerate(numbered(10)):
        bench.queue.push(with_priority(body, int(number == 9), number % 2 == 0))
    assert bench.queue.paged == 0
    assert bench.drain() == [numbered(10)[9], *numbered(9)]
    assert bench.stored() == []


# --- after a restart


def restarted(bench: Bench, **arguments: Any) -> Bench:
    """The same queue on the same stores, as the broker finds it when it starts again."""
    if isinstance(bench.store, LmdbStore):
        bench.store.commit()
    recovered = bench.store.recover().counters.get(QUEUE_ID)
    return Bench(durable=True, store=bench.store, pager=bench.pager, recovered=recovered, **arguments)


def test_stored_messages_are_counted_after_a_restart_and_read_when_wanted(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(b"a", b"bb", b"ccc", persistent=True)
    bench.push(b"gone")
    again = restarted(bench)
    assert (again.queue.message_count, again.queue.message_bytes, again.memory.used) == (3, 6, 0)
    assert again.drain() == [b"a", b"bb", b"ccc"]


def test_what_was_unacked_is_ready_after_a_restart_in_its_old_place(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(b"a", b"b", b"c", persistent=True)
    bench.get(2)
    assert restarted(bench).drain() == [b"a", b"b", b"c"]


def test_what_may_have_been_out_is_redelivered_after_a_restart(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(b"a", b"b", persistent=True)
    bench.get(2)
    bench.push(b"c", persistent=True)
    entries = restarted(bench).get(3)
    assert [entry.redelivered for entry in entries] == [True, True, False]


def test_a_message_settled_before_is_not_there_after_a_restart(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(b"a", b"b", b"c", persistent=True)
    entries = bench.get(2)
    bench.queue.settle(entries[1])
    assert restarted(bench).drain() == [b"a", b"c"]


def test_new_messages_stand_behind_recovered_ones(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(b"a", b"b", persistent=True)
    again = restarted(bench)
    again.push(b"c", persistent=True)
    again.push(b"d")
    assert again.drain() == [b"a", b"b", b"c", b"d"]


def test_new_messages_stand_behind_recovered_ones_without_a_pager_too() -> None:
    bench = Bench(durable=True)
    bench.push(b"a", b"b", persistent=True)
    again = restarted(bench)
    again.push(b"c", persistent=True)
    again.push(b"d")
    assert again.drain() == [b"a", b"b", b"c", b"d"]


def test_a_place_is_never_given_twice(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(b"a", b"b", persistent=True)
    commit(bench)
    first, second = bench.get(2)
    bench.queue.settle(second)
    bench.queue.settle(first)
    again = restarted(bench)
    again.push(b"c", persistent=True)
    (entry,) = restarted(again).get(2)
    assert entry.seq > second.seq
    assert (entry.message.body, entry.redelivered) == (b"c", False)


def test_recovered_messages_can_be_purged(stores: tuple[Store, Store]) -> None:
    bench = paging(stores)
    bench.push(b"a", b"b", persistent=True)
    again = restarted(bench)
    assert again.queue.purge() == 2
    again.push(b"c", persistent=True)
    if isinstance(again.store, LmdbStore):
        again.store.commit()
    assert again.stored() == [b"c"]
    assert again.drain() == [b"c"]


@pytest.mark.parametrize("memory", [0, 1 << 40])
def test_priorities_hold_after_a_restart(stores: tuple[Store, Store], memory: int) -> None:
    bench = Bench(durable=True, store=stores[0], pager=stores[1], max_priority=5)
    push_priorities(bench, True, a=0, b=5, c=1)
    again = restarted(bench, memory=memory, max_priority=5)
    assert (again.queue.message_count, again.memory.used) == (3, 0)
    push_priorities(again, True, d=5)
    push_priorities(again, e=1)
    assert again.drain() == [b"b", b"d", b"c", b"e", b"a"]


def test_priorities_hold_over_more_messages_than_a_page(stores: tuple[Store, Store]) -> None:
    bench = Bench(durable=True, store=stores[0], pager=stores[1], max_priority=1)
    count = PAGE_LENGTH + 10
    for number in range(count):
        bench.queue.push(with_priority(b"last" if number == count - 1 else b"x", int(number == count - 1), True))
    again = restarted(bench, max_priority=1)
    consumer = again.consumer(prefetch=1)
    assert again.sink.bodies == [b"last"]
    again.queue.settle(again.sink.entries[0])
    again.queue.unpark(consumer)
    assert again.sink.bodies[1:] == [b"x"]
    assert again.queue.message_count == count - 2
