"""Lifetimes, lengths and the delivery limit of queues, on a clock that is moved by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.broker.compat import PROFILES
from amqpd.broker.limits import BURIED_AT_ONCE, EXPIRED_AT_ONCE, PATIENCE, PAUSE
from amqpd.broker.queue import REFUSED, STORED, Queue
from amqpd.store.memory import MemoryStore
from tests.broker.steps import Stage, consume, drain, make, messages, reject, take
from tests.fakes import ManualStore


@pytest.fixture
def stage() -> Stage:
    return Stage()


# --- who has limits at all


def test_a_plain_queue_has_none(stage: Stage) -> None:
    queue = stage.queue(queue_mode="lazy", single_active_consumer=True)
    stage.publish(b"a")
    assert queue.limits is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"message_ttl": 1},
        {"expires": 1},
        {"max_length": 1},
        {"max_length_bytes": 1},
        {"dead_letter_exchange": ""},
    ],
)
def test_a_queue_whose_arguments_ask_for_it_has_them_from_the_start(stage: Stage, arguments: dict[str, Any]) -> None:
    assert stage.queue(**arguments).limits is not None


def test_a_plain_queue_gets_them_with_its_first_message_that_expires(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"a", ttl=10)
    assert queue.limits is not None


# --- lifetimes


def test_a_message_is_gone_when_its_queue_lets_it_wait_no_longer(stage: Stage) -> None:
    queue = stage.queue(message_ttl=1000)
    stage.publish(b"a")
    stage.clock.advance(0.999)
    assert queue.message_count == 1
    stage.clock.advance(0.001)
    assert queue.message_count == 0


def test_a_message_is_gone_when_its_own_time_is_over(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"a", ttl=1000)
    stage.clock.advance(0.999)
    assert queue.message_count == 1
    stage.clock.advance(0.001)
    assert queue.message_count == 0


@pytest.mark.parametrize(("ttl", "expiration"), [(1000, 5000), (5000, 1000)])
def test_the_shorter_time_counts(stage: Stage, ttl: int, expiration: int) -> None:
    queue = stage.queue(message_ttl=ttl)
    stage.publish(b"a", ttl=expiration)
    stage.clock.advance(1)
    assert queue.message_count == 0


def test_messages_expire_one_after_another(stage: Stage) -> None:
    queue = stage.queue(message_ttl=1000)
    for body in (b"a", b"b", b"c"):
        stage.publish(body)
        stage.clock.advance(0.3)
    counts = []
    for _ in range(3):
        stage.clock.advance(0.3)
        counts.append(queue.message_count)
    assert counts == [2, 1, 0]


def test_what_expired_behind_what_did_not_still_counts(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"long", ttl=5000)
    stage.publish(b"short", ttl=1000)
    stage.clock.advance(2)
    assert queue.message_count == 2
    stage.clock.advance(3)
    assert queue.message_count == 0


def test_what_expired_is_not_handed_out_by_get(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"stays")
    stage.publish(b"goes", ttl=1000)
    stage.publish(b"stays, too")
    stage.clock.advance(2)
    assert drain(queue) == [b"stays", b"stays, too"]


def test_what_expired_is_not_delivered(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"stays")
    stage.publish(b"goes", ttl=1000)
    stage.publish(b"stays, too")
    stage.clock.advance(2)
    _, sink = consume(queue)
    assert sink.bodies == [b"stays", b"stays, too"]


def test_what_comes_first_once_another_is_taken_expires_in_time(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"first")
    stage.publish(b"second", ttl=1000)
    take(queue)
    stage.clock.advance(1)
    assert queue.message_count == 0


def test_what_comes_first_once_another_is_delivered_expires_in_time(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"first")
    stage.publish(b"second", ttl=1000)
    consume(queue, prefetch=1)
    stage.clock.advance(1)
    assert queue.message_count == 0


def test_a_lifetime_of_nothing_lets_a_message_reach_a_consumer_that_waits(stage: Stage) -> None:
    queue = stage.queue(message_ttl=0)
    _, sink = consume(queue, prefetch=1)
    stage.publish(b"taken", b"late")
    assert sink.bodies == [b"taken"]
    assert queue.message_count == 0


def test_a_lifetime_of_nothing_is_over_at_once_where_nobody_waits(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"a", ttl=0)
    assert queue.message_count == 0


def test_a_message_without_time_still_counts_behind_another(stage: Stage) -> None:
    queue = stage.queue()
    stage.publish(b"a")
    stage.publish(b"b", ttl=0)
    assert queue.message_count == 2
    assert drain(queue) == [b"a"]


def test_a_requeued_message_has_the_time_it_had(stage: Stage) -> None:
    queue = stage.queue(message_ttl=1000)
    stage.publish(b"a")
    entry = take(queue)
    stage.clock.advance(0.9)
    queue.requeue([entry])
    assert queue.message_count == 1
    stage.clock.advance(0.1)
    assert queue.message_count == 0


def test_an_unacked_message_does_not_expire(stage: Stage) -> None:
    queue = stage.queue(message_ttl=1000)
    stage.publish(b"a")
    entry = take(queue)
    stage.clock.advance(5)
    assert queue.unacked == 1
    queue.requeue([entry])
    assert (queue.unacked, queue.message_count) == (0, 0)


def backlog(stage: Stage, expired: int, **arguments: Any) -> Queue:
    """A queue where a message that stays stands before and behind a number of others that have expired."""
    queue = stage.queue(**arguments)
    stage.publish(b"first")
    for number in range(expired):
        stage.publish(b"%d" % number, ttl=1000)
    stage.publish(b"last")
    stage.clock.advance(2)
    assert queue.message_count == expired + 2
    return queue


@pytest.mark.parametrize(
    ("arguments", "at_once"),
    [({}, EXPIRED_AT_ONCE), ({"dead_letter_exchange": "", "dead_letter_routing_key": "dead"}, BURIED_AT_ONCE)],
)
def test_a_consumer_waits_while_a_backlog_of_the_expired_is_dropped_by_turns(
    stage: Stage, arguments: dict[str, Any], at_once: int
) -> None:
    queue = backlog(stage, 2 * at_once + 1, **arguments)
    consumer, sink = consume(queue)
    assert sink.bodies == [b"first"]
    counts = []
    while queue.message_count:
        counts.append(queue.message_count)
        stage.clock.advance(PAUSE)
    assert counts == [at_once + 2, 2]
    assert sink.bodies == [b"first", b"last"]
    assert consumer.unacked == 2


def test_what_is_published_or_comes_back_meanwhile_keeps_its_place(stage: Stage) -> None:
    queue = backlog(stage, 6 * EXPIRED_AT_ONCE)
    first = take(queue)
    _, sink = consume(queue)
    stage.publish(b"new")
    queue.requeue([first])
    assert sink.bodies == [b"first"]
    stage.clock.advance(1)
    assert sink.bodies == [b"first", b"last", b"new"]


def test_a_get_is_more_patient_and_finds_nothing_rather_than_what_has_expired(stage: Stage) -> None:
    queue = backlog(stage, (PATIENCE + 2) * EXPIRED_AT_ONCE + 1)
    take(queue)
    assert queue.message_count == (PATIENCE + 1) * EXPIRED_AT_ONCE + 2  # one turn went by with the first
    assert queue.get(True) is None
    assert queue.message_count == EXPIRED_AT_ONCE + 2
    assert take(queue).message.body == b"last"


def test_many_expire_by_turns(stage: Stage) -> None:
    queue = stage.queue(message_ttl=1000)
    stage.publish(*[b""] * 2500)
    stage.clock.advance(1)
    assert 0 < queue.message_count < 2500
    stage.clock.advance(0.01)
    assert queue.message_count == 0


def test_a_purged_queue_has_nothing_to_expire(stage: Stage) -> None:
    queue = stage.queue(message_ttl=1000)
    stage.publish(b"a")
    assert queue.purge() == 1
    stage.clock.advance(1)
    stage.publish(b"b")
    assert drain(queue) == [b"b"]


def test_a_deleted_queue_leaves_no_timer(stage: Stage) -> None:
    queue = stage.queue(message_ttl=1000, expires=5000)
    stage.publish(b"a")
    stage.vhost.delete_queue(queue)
    assert stage.clock.deadline() is None


def test_deadlines_survive_a_restart(stage: Stage) -> None:
    stage.queue("plain", durable=True)
    stage.queue("limited", durable=True, message_ttl=1000)
    stage.publish(b"a", to="plain", ttl=1000, delivery_mode=2)
    stage.publish(b"b", to="limited", delivery_mode=2)
    stage.clock.advance(0.5)
    stage.restart()
    queues = stage.vhost.queues
    stage.clock.advance(0.499)
    assert [queue.message_count for queue in queues.values()] == [1, 1]
    stage.clock.advance(0.001)
    assert [queue.message_count for queue in queues.values()] == [0, 0]


def test_what_expired_while_the_broker_was_down_is_gone(stage: Stage) -> None:
    stage.queue(durable=True)
    stage.publish(b"a", ttl=1000, delivery_mode=2)
    stage.publish(b"b", delivery_mode=2)
    stage.clock.advance(5)
    stage.restart()
    assert drain(stage.vhost.queues["q"]) == [b"b"]


def test_deadlines_behind_the_first_message_survive_a_restart(stage: Stage) -> None:
    stage.queue(durable=True)
    stage.publish(b"a", delivery_mode=2)
    stage.publish(b"b", ttl=1000, delivery_mode=2)
    stage.clock.advance(5)
    stage.restart()
    assert drain(stage.vhost.queues["q"]) == [b"a"]
    stage.publish(b"c", delivery_mode=2)
    stage.publish(b"d", ttl=1000, delivery_mode=2)
    stage.clock.advance(5)
    stage.restart()
    _, sink = consume(stage.vhost.queues["q"])
    assert sink.bodies == [b"c"]


def test_deadlines_of_paged_messages_are_kept() -> None:
    stage = Stage(pager=MemoryStore(), memory_limit=1)
    queue = stage.queue(message_ttl=1000)
    stage.publish(*[bytes(1 << 19)] * 6)
    assert queue.paged
    stage.clock.advance(1)
    assert queue.message_count == 0


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(0, 6))
def test_nothing_is_handed_out_after_its_time(ttls: list[int], seconds: int) -> None:
    stage = Stage()
    queue = stage.queue()
    for number, ttl in enumerate(ttls):
        stage.publish(bytes((number,)), ttl=1000 * ttl)
    stage.clock.advance(seconds)
    assert drain(queue) == [bytes((number,)) for number, ttl in enumerate(ttls) if ttl > seconds]


# --- the queue's own lease


def is_there(stage: Stage) -> bool:
    return "q" in stage.vhost.queues


def test_a_queue_nobody_uses_is_deleted(stage: Stage) -> None:
    stage.queue(expires=1000)
    stage.clock.advance(0.9)
    assert is_there(stage)
    stage.clock.advance(0.1)
    assert not is_there(stage)


def test_a_get_renews_the_lease(stage: Stage) -> None:
    queue = stage.queue(expires=1000)
    stage.clock.advance(0.9)
    queue.get(no_ack=True)
    stage.clock.advance(0.9)
    assert is_there(stage)
    stage.clock.advance(0.1)
    assert not is_there(stage)


def test_a_publish_does_not_renew_the_lease(stage: Stage) -> None:
    stage.queue(expires=1000)
    stage.clock.advance(0.9)
    stage.publish(b"a")
    stage.clock.advance(0.1)
    assert not is_there(stage)


def test_a_queue_with_a_consumer_is_in_use(stage: Stage) -> None:
    queue = stage.queue(expires=1000)
    consumer, _ = consume(queue)
    stage.clock.advance(10)
    assert is_there(stage)
    queue.remove_consumer(consumer)
    stage.clock.advance(0.9)
    assert is_there(stage)
    stage.clock.advance(0.1)
    assert not is_there(stage)


def test_the_lease_begins_anew_with_a_restart(stage: Stage) -> None:
    stage.queue(durable=True, expires=1000)
    stage.clock.advance(0.9)
    stage.restart()
    stage.clock.advance(0.9)
    assert is_there(stage)
    stage.clock.advance(0.1)
    assert not is_there(stage)


def test_lifetimes_do_not_disturb_the_lease(stage: Stage) -> None:
    stage.queue(expires=1000, message_ttl=300)
    stage.publish(b"a")
    stage.clock.advance(0.9)
    assert is_there(stage)
    stage.clock.advance(0.1)
    assert not is_there(stage)


# --- length


def test_the_oldest_messages_make_room(stage: Stage) -> None:
    queue = stage.queue(max_length=2)
    stage.publish(b"a", b"b", b"c")
    assert drain(queue) == [b"b", b"c"]


def test_bytes_of_bodies_are_limited(stage: Stage) -> None:
    queue = stage.queue(max_length_bytes=5)
    stage.publish(b"aaa", b"bb", b"c")
    assert drain(queue) == [b"bb", b"c"]
    stage.publish(b"too large")
    assert queue.message_count == 0


def test_both_limits_hold(stage: Stage) -> None:
    queue = stage.queue(max_length=2, max_length_bytes=5)
    stage.publish(b"a", b"b", b"c")
    assert drain(queue) == [b"b", b"c"]
    stage.publish(b"aaa", b"bbb")
    assert drain(queue) == [b"bbb"]


def test_unacked_messages_do_not_count(stage: Stage) -> None:
    queue = stage.queue(max_length=1)
    stage.publish(b"a")
    take(queue)
    stage.publish(b"b")
    assert (queue.unacked, queue.message_count) == (1, 1)


def test_what_is_requeued_beyond_the_limit_is_dropped(stage: Stage) -> None:
    queue = stage.queue(max_length=1)
    stage.publish(b"a")
    entry = take(queue)
    stage.publish(b"b")
    queue.requeue([entry])
    assert drain(queue) == [b"b"]


def test_without_room_a_message_still_reaches_a_consumer_that_waits(stage: Stage) -> None:
    queue = stage.queue(max_length=0)
    _, sink = consume(queue, prefetch=1)
    stage.publish(b"taken", b"late")
    assert sink.bodies == [b"taken"]
    assert queue.message_count == 0


def test_a_full_queue_refuses_when_told_so(stage: Stage) -> None:
    queue = stage.queue(max_length=1, overflow="reject-publish")
    assert stage.publish(b"a", b"b") == [0, REFUSED]
    assert drain(queue) == [b"a"]


def test_a_body_that_does_not_fit_is_refused(stage: Stage) -> None:
    queue = stage.queue(max_length_bytes=5, overflow="reject-publish")
    assert stage.publish(b"aaa", b"bbb", b"cc") == [0, REFUSED, 0]
    assert drain(queue) == [b"aaa", b"cc"]


def test_other_queues_take_what_one_refuses(stage: Stage) -> None:
    full = stage.queue("full", durable=True, max_length=0, overflow="reject-publish")
    other = stage.queue("other", durable=True)
    for name in ("full", "other"):
        stage.vhost.bind("amq.fanout", name, "", {}, to_queue=True)
    assert stage.publish(b"a", exchange="amq.fanout", delivery_mode=2) == [REFUSED | STORED]
    assert (full.message_count, drain(other)) == (0, [b"a"])


def test_dropping_leaves_nothing_in_the_store(stage: Stage) -> None:
    queue = stage.queue(durable=True, max_length=1)
    assert stage.publish(b"a", b"b", delivery_mode=2) == [STORED, STORED]
    assert [message.body for _, message, _ in stage.store.read(queue.id, 0, 10)] == [b"b"]


def test_the_limit_holds_beyond_memory() -> None:
    stage = Stage(pager=MemoryStore(), memory_limit=1)
    queue = stage.queue(max_length=4)
    bodies = [bytes((number,)) * (1 << 19) for number in range(9)]
    stage.publish(*bodies)
    assert drain(queue) == bodies[-4:]


def test_what_comes_back_with_a_restart_has_to_fit(stage: Stage) -> None:
    queue = stage.queue(durable=True, max_length=1)
    stage.publish(b"a", delivery_mode=2)
    take(queue)
    stage.publish(b"b", delivery_mode=2)
    stage.restart()
    stage.clock.advance(0)
    assert drain(stage.vhost.queues["q"]) == [b"b"]


def test_what_comes_first_after_a_restart_expires_in_time(stage: Stage) -> None:
    stage.queue(durable=True, dead_letter_exchange="")
    stage.publish(b"a", delivery_mode=2)
    stage.publish(b"b", ttl=1000, delivery_mode=2)
    stage.restart()
    queue = stage.vhost.queues["q"]
    take(queue)
    stage.clock.advance(1)
    assert queue.message_count == 0


# --- quorum queues


def quorum(stage: Stage, **arguments: Any) -> Any:
    return stage.queue(durable=True, queue_type="quorum", **arguments)


def counts(queue: Any) -> list[int | None]:
    return [message.headers.get("x-delivery-count") for message in messages(queue)]


def test_a_message_that_was_never_back_has_no_count(stage: Stage) -> None:
    queue = quorum(stage)
    stage.publish(b"a")
    assert counts(queue) == [None]


def test_how_often_a_message_came_back_is_in_its_headers(stage: Stage) -> None:
    queue = quorum(stage)
    stage.publish(b"a", headers={"mine": 1}, message_id="m")
    for expected in (1, 2, 3):
        entry = take(queue)
        queue.requeue([entry])
        assert entry.message.headers == {"mine": 1, "x-delivery-count": expected}
        assert entry.message.properties.message_id == "m"


def test_what_comes_back_uncounted_is_not_counted(stage: Stage) -> None:
    queue = quorum(stage, delivery_limit=0)
    stage.publish(b"a")
    for _ in range(3):
        queue.requeue([take(queue)], counted=False)
    assert counts(queue) == [None]


def test_from_4_3_on_all_returns_are_told_besides_those_that_count() -> None:
    stage = Stage(compat=PROFILES["4.3"])
    queue = quorum(stage, delivery_limit=1, dead_letter_exchange="", dead_letter_routing_key="dead")
    dead = stage.queue("dead", durable=True)
    stage.publish(b"a", headers={"mine": 1})
    told = []
    for counted in (False, False, True, False):
        entry = take(queue)
        told.append(entry.message.headers)
        queue.requeue([entry], counted=counted)
    assert told == [
        {"mine": 1},
        {"mine": 1, "x-acquired-count": 1},
        {"mine": 1, "x-acquired-count": 2},
        {"mine": 1, "x-acquired-count": 3, "x-delivery-count": 1},
    ]
    stage.restart()
    queue, dead = stage.vhost.queues["q"], stage.vhost.queues["dead"]  # type: ignore[assignment]
    entry = take(queue)
    assert entry.message.headers == {"mine": 1, "x-acquired-count": 4, "x-delivery-count": 1}
    queue.requeue([entry])
    (letter,) = messages(dead)
    assert letter.headers["x-death"][0]["reason"] == "delivery_limit"
    assert not {"x-acquired-count", "x-delivery-count"} & letter.headers.keys()


def test_other_queues_with_the_same_message_do_not_see_the_count(stage: Stage) -> None:
    queue = quorum(stage)
    other = stage.queue("other", durable=True)
    for name in ("q", "other"):
        stage.vhost.bind("amq.fanout", name, "", {}, to_queue=True)
    stage.publish(b"a", exchange="amq.fanout", delivery_mode=2)
    queue.requeue([take(queue)])
    assert (counts(queue), counts(other)) == ([1], [None])


def test_a_message_may_come_back_as_often_as_the_limit_says(stage: Stage) -> None:
    queue = quorum(stage, delivery_limit=2)
    stage.publish(b"a")
    for _ in range(2):
        queue.requeue([take(queue)])
        assert queue.message_count == 1
    queue.requeue([take(queue)])
    assert (queue.message_count, queue.unacked, stage.store.read(queue.id, 0, 1)) == (0, 0, [])


def test_a_consumer_goes_on_when_what_it_returned_is_dropped(stage: Stage) -> None:
    queue = quorum(stage, delivery_limit=0)
    _, sink = consume(queue, prefetch=1)
    stage.publish(b"a", b"b")
    queue.requeue([sink.entries[0]])
    assert sink.bodies == [b"a", b"b"]


@pytest.mark.parametrize(("version", "limit"), [("default", 20), ("3.13", 50), ("4.0", 20)])
def test_the_limit_of_queues_that_do_not_say_is_that_of_the_version(version: str, limit: int) -> None:
    stage = Stage(compat=PROFILES[version])
    queue = quorum(stage)
    stage.publish(b"a")
    returns = 0
    while queue.message_count and returns < 50:
        queue.requeue([take(queue)])
        returns += 1
    assert returns == min(limit + 1, 50)


def test_a_limit_below_zero_is_none(stage: Stage) -> None:
    queue = quorum(stage, delivery_limit=-1)
    stage.publish(b"a")
    for _ in range(30):
        queue.requeue([take(queue)])
    assert counts(queue) == [30]


def test_counts_survive_a_restart(stage: Stage) -> None:
    queue = quorum(stage, delivery_limit=2)
    stage.publish(b"a", b"b", delivery_mode=2)
    first, second = take(queue), take(queue)
    queue.requeue([first, second])
    queue.requeue([take(queue)])
    stage.restart()
    queue = stage.vhost.queues["q"]
    entries = [take(queue), take(queue)]
    assert [entry.message.headers["x-delivery-count"] for entry in entries] == [2, 1]
    queue.requeue(entries)
    assert drain(queue) == [b"b"]


def test_a_quorum_queue_keeps_transient_messages(stage: Stage) -> None:
    quorum(stage)
    assert stage.publish(b"a") == [STORED]
    stage.restart()
    assert drain(stage.vhost.queues["q"]) == [b"a"]


def test_a_publisher_waits_for_the_disk_when_its_message_dies(stage: Stage) -> None:
    """What it was told of is in the dead letter queue then."""

    numbers: list[int] = []

    class Account:
        def consumed(self, number: int) -> None:
            numbers.append(number)

    stage = Stage(ManualStore())
    stage.queue(durable=True, max_length=0, dead_letter_exchange="", dead_letter_routing_key="dead")
    stage.queue("dead", durable=True)
    stage.queue("plain", durable=True, max_length=0)
    for key in ("q", "plain"):
        message = make(b"a", key, delivery_mode=2)
        message.receipt = Account()
        message.number = 1
        assert stage.send(message) == STORED
        assert numbers == ([] if key == "q" else [1])


def test_a_rejected_message_of_a_queue_without_exchange_is_gone(stage: Stage) -> None:
    queue = quorum(stage)
    stage.publish(b"a")
    reject(take(queue))
    assert (queue.message_count, queue.unacked) == (0, 0)
