"""Retries that wait (4.3): what comes back to a quorum queue is held for a while, on a clock that is moved by hand."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.compat import PROFILES
from amqpd.broker.queue import REFUSED, Queue
from amqpd.store.memory import MemoryStore
from tests.broker.steps import Stage, consume, drain, messages, take

SECOND = {"delayed_retry_type": "all", "delayed_retry_min": 1000}


@pytest.fixture
def stage() -> Stage:
    return Stage(compat=PROFILES["4.3"])


def retrying(stage: Stage, **arguments: Any) -> Queue:
    return stage.queue(durable=True, queue_type="quorum", **{**SECOND, **arguments})


def waits(stage: Stage, queue: Queue, counted: bool) -> float:
    """How long the first message is held when it comes back, in tenths of a second."""
    queue.requeue([take(queue)], counted=counted)
    start = stage.clock.now()
    while not queue.message_count:
        stage.clock.advance(0.1)
    return round(stage.clock.now() - start, 1)


def test_what_comes_back_is_held_and_then_ready(stage: Stage) -> None:
    queue = retrying(stage)
    stage.publish(b"a")
    queue.requeue([take(queue)])
    assert (queue.message_count, queue.held, queue.unacked) == (0, 1, 0)
    stage.clock.advance(0.999)
    assert queue.get(True) is None
    stage.clock.advance(0.001)
    assert (queue.message_count, queue.held) == (1, 0)
    assert take(queue).redelivered


def test_others_go_first_meanwhile_and_it_has_its_old_place_again(stage: Stage) -> None:
    queue = retrying(stage)
    stage.publish(b"a", b"b", b"c")
    queue.requeue([take(queue)])
    assert take(queue).message.body == b"b"
    stage.clock.advance(1)
    assert drain(queue) == [b"a", b"c"]


def test_a_consumer_that_waits_gets_it_in_time(stage: Stage) -> None:
    queue = retrying(stage)
    _, sink = consume(queue, prefetch=1)
    stage.publish(b"a", b"b")
    queue.requeue([sink.entries[0]])
    assert sink.bodies == [b"a", b"b"]
    queue.settle(sink.entries[1])
    queue.unpark(queue.consumers[0])
    stage.clock.advance(1)
    assert sink.bodies == [b"a", b"b", b"a"]


def test_the_delay_grows_with_the_failures_up_to_a_limit(stage: Stage) -> None:
    queue = retrying(stage, delayed_retry_max=2500)
    stage.publish(b"a")
    assert [waits(stage, queue, True) for _ in range(4)] == [1, 2, 2.5, 2.5]
    assert waits(stage, queue, False) == 2.5


@pytest.mark.parametrize(
    ("kind", "failed", "returned"), [("all", 1, 1), ("failed", 1, 0), ("returned", 0, 1), ("disabled", 0, 0)]
)
def test_which_returns_are_delayed(stage: Stage, kind: str, failed: float, returned: float) -> None:
    queue = retrying(stage, delayed_retry_type=kind)
    stage.publish(b"a")
    assert waits(stage, queue, False) == returned
    assert waits(stage, queue, True) == failed


@pytest.mark.parametrize(
    "arguments",
    [
        {"delayed_retry_type": "some"},
        {"delayed_retry_type": 5},
        {"delayed_retry_type": ["all"]},
        {"delayed_retry_min": 0},
        {"delayed_retry_min": -5},
        {"delayed_retry_min": "1000"},
        {"delayed_retry_min": True},
    ],
    ids=str,
)
def test_arguments_without_sense_delay_nothing(stage: Stage, arguments: dict[str, Any]) -> None:
    queue = retrying(stage, **arguments)
    stage.publish(b"a")
    assert waits(stage, queue, True) == 0


@pytest.mark.parametrize("most", [0, -1, "x"])
def test_a_limit_without_sense_is_the_least_delay(stage: Stage, most: Any) -> None:
    queue = retrying(stage, delayed_retry_max=most)
    stage.publish(b"a")
    assert [waits(stage, queue, True) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize("version", ["default", "4.2"])
def test_before_4_3_nobody_knows_the_arguments(version: str) -> None:
    stage = Stage(compat=PROFILES[version])
    queue = retrying(stage)
    stage.publish(b"a")
    assert waits(stage, queue, True) == 0


def test_the_delivery_limit_holds(stage: Stage) -> None:
    queue = retrying(stage, delivery_limit=1, dead_letter_exchange="", dead_letter_routing_key="dead")
    dead = stage.queue("dead", durable=True)
    stage.publish(b"a")
    assert waits(stage, queue, True) == 1
    queue.requeue([take(queue)])
    assert (queue.message_count, queue.held) == (0, 0)
    assert len(messages(dead)) == 1


def test_it_expires_when_it_is_handed_back(stage: Stage) -> None:
    queue = retrying(stage, message_ttl=500)
    stage.publish(b"a")
    queue.requeue([take(queue)])
    stage.clock.advance(0.9)
    assert queue.held == 1
    stage.clock.advance(0.1)
    assert (queue.message_count, queue.held) == (0, 0)


def test_what_is_held_counts_towards_the_length(stage: Stage) -> None:
    queue = retrying(stage, max_length=1, overflow="reject-publish")
    stage.publish(b"a")
    queue.requeue([take(queue)])
    assert stage.publish(b"b") == [REFUSED]


def test_where_the_head_is_dropped_what_is_held_stays(stage: Stage) -> None:
    queue = retrying(stage, max_length=1)
    stage.publish(b"a")
    queue.requeue([take(queue)])
    stage.publish(b"b")
    assert (queue.message_count, queue.held) == (0, 1)


def test_purging_drops_what_is_held(stage: Stage) -> None:
    queue = retrying(stage)
    stage.publish(b"a", b"b")
    queue.requeue([take(queue)])
    assert queue.purge() == 2
    assert (queue.message_count, queue.held, queue.held_bytes) == (0, 0, 0)
    assert stage.broker.memory.used == 0
    assert stage.store.read(queue.id, 0, 9) == []
    stage.clock.advance(2)
    assert queue.message_count == 0


def test_deleting_forgets_what_is_held(stage: Stage) -> None:
    queue = retrying(stage)
    stage.publish(b"a")
    queue.requeue([take(queue)])
    stage.vhost.delete_queue(queue)
    assert stage.broker.memory.used == 0
    assert stage.clock.deadline() is None


@pytest.mark.parametrize("priority", [None, 9])
def test_it_is_held_after_a_restart_until_the_same_moment(stage: Stage, priority: int | None) -> None:
    queue = retrying(stage)
    stage.publish(b"a", b"b", priority=priority)
    queue.requeue([take(queue)])
    stage.clock.advance(0.4)
    stage.restart()
    queue = stage.vhost.queues["q"]  # type: ignore[assignment]
    consumer, sink = consume(queue)
    assert sink.bodies == [b"b"]
    assert (queue.message_count, queue.held) == (0, 1)
    stage.clock.advance(0.5)
    assert sink.bodies == [b"b"]
    stage.clock.advance(0.1)
    assert sink.bodies == [b"b", b"a"]
    assert (consumer.unacked, queue.held) == (2, 0)


def test_what_is_due_when_it_is_read_back_is_ready(stage: Stage) -> None:
    queue = retrying(stage)
    stage.publish(b"a")
    queue.requeue([take(queue)])
    stage.clock.advance(0.5)
    stage.restart()
    stage.clock.advance(0.5)
    assert drain(stage.vhost.queues["q"]) == [b"a"]  # type: ignore[arg-type]


def test_a_queue_with_nothing_but_what_is_held_has_nothing_to_get(stage: Stage) -> None:
    queue = retrying(stage)
    stage.publish(b"a", b"b")
    queue.requeue([take(queue), take(queue)])
    stage.restart()
    queue = stage.vhost.queues["q"]  # type: ignore[assignment]
    assert queue.get(True) is None
    assert (queue.message_count, queue.held) == (0, 2)
    stage.clock.advance(1)
    assert drain(queue) == [b"a", b"b"]


def test_what_is_held_counts_as_memory(stage: Stage) -> None:
    stage = Stage(compat=PROFILES["4.3"], pager=MemoryStore())
    queue = retrying(stage)
    stage.publish(bytes(1000))
    before = stage.broker.memory.used
    queue.requeue([take(queue)])
    assert stage.broker.memory.used == before
    stage.clock.advance(1)
    assert stage.broker.memory.used == before
    drain(queue)
    assert stage.broker.memory.used == 0
