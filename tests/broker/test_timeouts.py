"""Deliveries that are not settled in time, on a clock that is moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.entry import Entry
from amqpd.broker.memory import Memory
from amqpd.broker.queue import Queue
from amqpd.broker.timeouts import LONGEST_INTERVAL, ConsumerTimeouts
from amqpd.clock import VirtualClock
from amqpd.message import make_message
from amqpd.store.memory import MemoryStore

MESSAGE = make_message("", "q", b"")


def a_queue(**arguments: Any) -> Queue:
    named = {name.replace("_", "-"): value for name, value in arguments.items()}
    return Queue("q", 1, MemoryStore(), None, Memory(1 << 30), arguments=named)


class Lender:
    """A holder that says when it hears something."""

    def __init__(self, clock: VirtualClock, timeouts: ConsumerTimeouts, queue: Queue | None = None) -> None:
        self._clock = clock
        self._start = clock.now()
        self._timeouts = timeouts
        self.queue = queue or a_queue()
        self.next_tag = 1
        self.out: list[Entry] = []
        self.heard: list[tuple[float, int, int]] = []  # after how many seconds, delivery tag, timeout
        timeouts.watch(self)

    def deliver(self, queue: Queue | None = None) -> None:
        entry = Entry(0, MESSAGE, False)
        entry.queue = queue or self.queue
        entry.tag = self.next_tag
        self.next_tag += 1
        self.out.append(entry)

    def oldest_unacked(self) -> Entry | None:
        return self.out[0] if self.out else None

    def oldest_unacked_of_each(self) -> list[Entry]:
        raise NotImplementedError

    def timed_out(self, entry: Entry, timeout: int) -> None:
        self.heard.append((round(self._clock.now() - self._start, 3), entry.tag, timeout))
        self._timeouts.unwatch(self)


def watched(timeout: int, **options: Any) -> tuple[VirtualClock, Lender]:
    clock = VirtualClock()
    return clock, Lender(clock, ConsumerTimeouts(clock, timeout, **options))


def test_what_is_not_settled_in_time_is_told_once() -> None:
    clock, lender = watched(10_000)
    lender.deliver()
    clock.advance(100)
    assert lender.heard == [(11.0, 1, 10_000)]  # a tenth late: it was first seen after a second


def test_nothing_is_told_before_the_time_is_up() -> None:
    clock, lender = watched(1_800_000)
    clock.advance(30)
    lender.deliver()
    clock.advance(1_800)
    assert lender.heard == []
    clock.advance(2 * LONGEST_INTERVAL)
    assert [tag for _, tag, _ in lender.heard] == [1]


def test_whoever_settles_in_time_hears_nothing_however_busy() -> None:
    clock, lender = watched(10_000)
    for _ in range(100):
        lender.deliver()
        clock.advance(1)
        del lender.out[:-1]
        lender.deliver()
        clock.advance(8)
        del lender.out[0]
    assert len(lender.out) == 1
    assert lender.heard == []


def test_the_oldest_counts() -> None:
    clock, lender = watched(10_000)
    lender.deliver()
    clock.advance(5)
    lender.deliver()
    del lender.out[0]
    clock.advance(9)
    assert lender.heard == []
    clock.advance(3)
    assert lender.heard == [(16.0, 2, 10_000)]


def test_a_tag_given_out_after_a_pause_is_young() -> None:
    clock, lender = watched(10_000)
    lender.deliver()
    clock.advance(3)
    lender.out.clear()
    clock.advance(1000)
    lender.deliver()
    clock.advance(9)
    assert lender.heard == []


def test_0_means_any_time_and_costs_no_timer() -> None:
    clock, lender = watched(0)
    lender.deliver()
    assert clock.deadline() is None
    clock.advance(1e9)
    assert lender.heard == []


def test_without_holders_there_is_no_timer() -> None:
    clock, lender = watched(1000)
    assert clock.deadline() is not None
    lender._timeouts.unwatch(lender)
    clock.advance(60)
    assert clock.deadline() is None
    lender._timeouts.watch(lender)
    assert clock.deadline() is not None


def test_a_queue_may_have_a_shorter_time() -> None:
    clock = VirtualClock()
    timeouts = ConsumerTimeouts(clock, 1_800_000)
    queue = a_queue(x_consumer_timeout=2000)
    lender = Lender(clock, timeouts, queue)
    timeouts.heed(queue)
    lender.deliver()
    clock.advance(10)
    assert lender.heard == [(2.2, 1, 2000)]


def test_a_queue_may_have_a_longer_time_or_none() -> None:
    for own in (20_000, 0):
        clock = VirtualClock()
        timeouts = ConsumerTimeouts(clock, 1000)
        queue = a_queue(x_consumer_timeout=own)
        timeouts.heed(queue)
        lender = Lender(clock, timeouts, queue)
        lender.deliver()
        clock.advance(19)
        assert lender.heard == []
        clock.advance(10)
        assert bool(lender.heard) is bool(own)


def test_a_queue_of_its_own_time_is_enough() -> None:
    clock = VirtualClock()
    timeouts = ConsumerTimeouts(clock, 0)
    lender = Lender(clock, timeouts)
    queue = a_queue(x_consumer_timeout=1000)
    timeouts.heed(queue)
    lender.deliver(queue)
    clock.advance(2)
    assert lender.heard == [(1.1, 1, 1000)]


@pytest.mark.parametrize("value", ["soon", True, -1, 1.5, None])
def test_a_time_that_is_none_is_overlooked(value: object) -> None:
    timeouts = ConsumerTimeouts(VirtualClock(), 5000)
    queue = a_queue(x_consumer_timeout=value)
    timeouts.heed(queue)
    assert timeouts.timeout_of(queue) == 5000


def test_a_deleted_queue_leaves_nothing() -> None:
    clock = VirtualClock()
    timeouts = ConsumerTimeouts(clock, 0)
    Lender(clock, timeouts)
    queue = a_queue(x_consumer_timeout=1000)
    timeouts.heed(queue)
    queue.close()
    clock.advance(1)
    assert clock.deadline() is None


def test_many_queues_do_not_put_off_the_look() -> None:
    clock, lender = watched(10_000)
    lender.deliver()
    for _ in range(200):
        lender._timeouts.heed(a_queue(x_consumer_timeout=9000))
        clock.advance(0.1)
    assert [tag for _, tag, _ in lender.heard] == [1]


def test_where_only_quorum_queues_have_a_time_others_have_none() -> None:
    timeouts = ConsumerTimeouts(VirtualClock(), 1000, quorum_only=True)
    assert timeouts.timeout_of(a_queue(x_consumer_timeout=5)) == 0
    assert timeouts.timeout_of(a_queue(x_queue_type="quorum")) == 1000


def test_one_that_is_closed_by_the_end_of_another_hears_nothing() -> None:
    clock, lender = watched(1000)
    other = Lender(clock, lender._timeouts)
    for each in (lender, other):
        each.deliver()

    def both(entry: Entry, timeout: int) -> None:
        for each in (lender, other):
            lender._timeouts.unwatch(each)

    lender.timed_out = both  # type: ignore[method-assign]
    clock.advance(10)
    assert other.heard == []
