"""Dead letters: which messages become one, where they go, and what is written on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from amqpd.broker.dead_letter import WARN_INTERVAL
from amqpd.broker.queue import REFUSED, Queue
from amqpd.message import Message, make_message
from amqpd.store.base import Store
from amqpd.store.lmdb_store import LmdbStore
from amqpd.wire.fields import Timestamp
from amqpd.wire.properties import Properties
from tests.broker.steps import Stage, consume, drain, messages, reject, take

NOW = 1_000_000_000
"""What the virtual clock says at first."""


@pytest.fixture
def stage() -> Stage:
    return Stage()


def dying(stage: Stage, name: str = "q", /, exchange: str = "", key: str | None = "dead", **arguments: Any) -> Queue:
    """A queue whose dead letters go to the queue `dead`."""
    if "dead" not in stage.vhost.queues:
        stage.queue("dead", durable=True)
    if key is not None:
        arguments["dead_letter_routing_key"] = key
    return stage.queue(name, dead_letter_exchange=exchange, **arguments)


def dead(stage: Stage) -> list[Message]:
    return messages(stage.vhost.queues["dead"])


def deaths(message: Message) -> list[tuple[str, str, int]]:
    """Queue, reason and count of each entry of x-death."""
    return [(death["queue"], death["reason"], death["count"]) for death in message.headers["x-death"]]


# --- who dies


def test_a_rejected_message_is_a_dead_letter(stage: Stage) -> None:
    queue = dying(stage)
    stage.publish(b"a")
    reject(take(queue))
    (letter,) = dead(stage)
    assert (letter.body, deaths(letter)) == (b"a", [("q", "rejected", 1)])
    assert (queue.message_count, queue.unacked) == (0, 0)


def test_an_expired_message_is_a_dead_letter(stage: Stage) -> None:
    dying(stage, message_ttl=1000)
    stage.publish(b"a")
    stage.clock.advance(1)
    assert [deaths(letter) for letter in dead(stage)] == [[("q", "expired", 1)]]


def test_a_message_that_had_to_make_room_is_a_dead_letter(stage: Stage) -> None:
    dying(stage, max_length=1)
    stage.publish(b"a", b"b")
    assert [(letter.body, deaths(letter)) for letter in dead(stage)] == [(b"a", [("q", "maxlen", 1)])]


def test_a_refused_message_is_a_dead_letter_where_that_is_asked_for(stage: Stage) -> None:
    dying(stage, "one", max_length=0, overflow="reject-publish")
    dying(stage, "other", max_length=0, overflow="reject-publish-dlx")
    assert stage.publish(b"a", to="one") == [REFUSED]
    assert stage.publish(b"b", to="other") == [REFUSED]
    assert [(letter.body, deaths(letter)) for letter in dead(stage)] == [(b"b", [("other", "maxlen", 1)])]


def test_a_message_that_came_back_too_often_is_a_dead_letter(stage: Stage) -> None:
    queue = dying(stage, durable=True, queue_type="quorum", delivery_limit=1)
    stage.publish(b"a", headers={"mine": 1})
    queue.requeue([take(queue)])
    queue.requeue([take(queue)])
    (letter,) = dead(stage)
    assert deaths(letter) == [("q", "delivery_limit", 1)]
    assert (letter.headers["mine"], "x-delivery-count" in letter.headers) == (1, False)


@pytest.mark.parametrize("end", ["purge", "close"])
def test_purged_and_deleted_queues_leave_no_dead_letters(stage: Stage, end: str) -> None:
    queue = dying(stage)
    stage.publish(b"a")
    if end == "purge":
        queue.purge()
    else:
        stage.vhost.delete_queue(queue)
    assert dead(stage) == []


def test_an_expired_queue_leaves_no_dead_letters(stage: Stage) -> None:
    dying(stage, expires=1000)
    stage.publish(b"a")
    stage.clock.advance(1)
    assert dead(stage) == []


def test_what_is_rejected_after_its_queue_was_deleted_is_gone(stage: Stage) -> None:
    queue = dying(stage)
    stage.publish(b"a")
    entry = take(queue)
    stage.vhost.delete_queue(queue)
    reject(entry)
    assert dead(stage) == []


# --- where they go


def test_the_routing_key_stays_when_none_is_given(stage: Stage) -> None:
    stage.vhost.declare_exchange("dlx", "direct")
    queue = dying(stage, exchange="dlx", key=None)
    stage.vhost.bind("dlx", "dead", "q", {}, to_queue=True)
    stage.publish(b"a")
    reject(take(queue))
    (letter,) = dead(stage)
    assert (letter.exchange, letter.routing_key) == ("dlx", "q")


def test_the_routing_key_is_replaced_when_one_is_given(stage: Stage) -> None:
    stage.vhost.declare_exchange("dlx", "direct", internal=True)
    queue = dying(stage, exchange="dlx", key="buried")
    stage.vhost.bind("dlx", "dead", "buried", {}, to_queue=True)
    stage.publish(b"a")
    reject(take(queue))
    (letter,) = dead(stage)
    assert (letter.exchange, letter.routing_key) == ("dlx", "buried")


def test_a_routing_key_that_is_given_replaces_those_in_cc_for_good(stage: Stage) -> None:
    one = dying(stage, "one", key="two")
    two = dying(stage, "two", key=None)
    other = stage.queue("other")
    stage.publish(b"a", to="one", headers={"CC": ["other"]})
    reject(take(one))
    reject(take(two))
    (letter,) = messages(two)
    assert letter.headers["CC"] == ["other"]
    assert [death["routing-keys"] for death in letter.headers["x-death"]] == [["two"], ["one", "other"]]
    assert messages(other) == []


def test_without_the_exchange_they_are_gone(stage: Stage) -> None:
    queue = dying(stage, exchange="later")
    stage.publish(b"a", b"b")
    reject(take(queue))
    stage.vhost.declare_exchange("later", "fanout")
    stage.vhost.bind("later", "dead", "", {}, to_queue=True)
    reject(take(queue))
    assert [letter.body for letter in dead(stage)] == [b"b"]


def test_where_no_queue_takes_them_they_are_gone(stage: Stage) -> None:
    queue = dying(stage, key="nowhere")
    stage.publish(b"a")
    reject(take(queue))
    assert queue.message_count == 0


def test_they_keep_their_order(stage: Stage) -> None:
    dying(stage, message_ttl=1000)
    bodies = [bytes((number,)) for number in range(20)]
    stage.publish(*bodies)
    stage.clock.advance(1)
    assert [letter.body for letter in dead(stage)] == bodies


def test_a_waiting_consumer_gets_them(stage: Stage) -> None:
    dying(stage, message_ttl=1000)
    _, sink = consume(stage.vhost.queues["dead"])
    stage.publish(b"a")
    stage.clock.advance(1)
    assert sink.bodies == [b"a"]


def test_a_chain_of_queues_may_be_long(stage: Stage) -> None:
    for number in range(300):
        stage.queue(str(number), max_length=0, dead_letter_exchange="", dead_letter_routing_key=str(number + 1))
    last = stage.queue("300")
    stage.publish(b"a", to="0")
    (letter,) = messages(last)
    assert len(letter.headers["x-death"]) == 300


# --- what is written on them


def test_all_of_it(stage: Stage) -> None:
    stage.vhost.declare_exchange("dlx", "fanout")
    queue = dying(stage, exchange="dlx")
    stage.vhost.bind("dlx", "dead", "", {}, to_queue=True)
    stage.vhost.bind("amq.direct", "q", "key", {}, to_queue=True)
    properties = {"message_id": "m", "delivery_mode": 2, "headers": {"mine": 1, "CC": ["copy"]}}
    stage.publish(b"a", to="key", exchange="amq.direct", ttl=60_000, **properties)
    stage.clock.advance(1.5)
    reject(take(queue))
    (letter,) = dead(stage)
    assert (letter.exchange, letter.routing_key, letter.body, letter.persistent) == ("dlx", "dead", b"a", True)
    assert letter.properties == Properties(
        headers={
            "mine": 1,
            "CC": ["copy"],
            "x-death": [
                {
                    "count": 1,
                    "reason": "rejected",
                    "queue": "q",
                    "time": NOW + 1,
                    "exchange": "amq.direct",
                    "routing-keys": ["key", "copy"],
                    "original-expiration": "60000",
                }
            ],
            "x-first-death-reason": "rejected",
            "x-first-death-queue": "q",
            "x-first-death-exchange": "amq.direct",
            "x-last-death-reason": "rejected",
            "x-last-death-queue": "q",
            "x-last-death-exchange": "amq.direct",
        },
        delivery_mode=2,
        message_id="m",
    )
    assert isinstance(letter.headers["x-death"][0]["time"], Timestamp)


def test_they_do_not_expire_again_by_themselves(stage: Stage) -> None:
    queue = dying(stage)
    stage.publish(b"a", ttl=1000)
    reject(take(queue))
    stage.clock.advance(5)
    assert len(dead(stage)) == 1


def test_every_further_death_is_put_in_front(stage: Stage) -> None:
    dying(stage, "one", key="two", message_ttl=1000)
    dying(stage, "two", key="dead", max_length=0)
    stage.publish(b"a", to="one")
    stage.clock.advance(1)
    (letter,) = dead(stage)
    assert deaths(letter) == [("two", "maxlen", 1), ("one", "expired", 1)]
    assert letter.headers["x-death"][0]["routing-keys"] == ["two"]
    headers = letter.headers
    assert (headers["x-first-death-queue"], headers["x-first-death-reason"]) == ("one", "expired")
    assert (headers["x-last-death-queue"], headers["x-last-death-reason"]) == ("two", "maxlen")


def test_the_same_death_again_is_counted(stage: Stage) -> None:
    queue = dying(stage, key="wait")
    dying(stage, "wait", key="q", message_ttl=1000)
    stage.publish(b"a")
    for _ in range(3):
        reject(take(queue))
        stage.clock.advance(1)
    (letter,) = messages(queue)
    assert deaths(letter) == [("wait", "expired", 3), ("q", "rejected", 3)]
    assert [death["time"] for death in letter.headers["x-death"]] == [NOW + 1, NOW]


def test_deaths_are_counted_when_the_letters_are_delayed_in_between(stage: Stage) -> None:
    stage.vhost.declare_exchange("later", "x-delayed-message", arguments={"x-delayed-type": "fanout"})
    queue = dying(stage, exchange="later", key="retry")
    stage.vhost.bind("later", "q", "", {}, to_queue=True)
    stage.publish(b"a", headers={"x-delay": 1000, "CC": ["other"]})
    reject(take(queue))
    assert queue.message_count == 0
    stage.clock.advance(1)
    reject(take(queue))
    (letter,) = messages(queue)
    assert deaths(letter) == [("q", "rejected", 2)]


def test_what_a_client_says_of_deaths_counts_for_nothing(stage: Stage) -> None:
    dying(stage, message_ttl=1000)
    claimed = {"x-death": [{"queue": "dead", "reason": "expired", "count": 7}], "x-first-death-queue": "dead"}
    stage.publish(b"a", headers=claimed)
    stage.clock.advance(1)
    (letter,) = dead(stage)
    assert deaths(letter) == [("q", "expired", 1)]
    assert letter.headers["x-first-death-queue"] == "q"


def test_headers_nobody_can_read_make_no_letter(stage: Stage) -> None:
    queue = dying(stage)
    message = make_message("", "q", b"a", Properties(content_type="xy"))
    message.header = message.header.replace(b"xy", b"\xff\xfe")
    stage.send(message)
    reject(take(queue))
    assert dead(stage) == []


# --- round and round


def test_what_comes_back_to_where_it_expired_stays_away(stage: Stage) -> None:
    one = dying(stage, "one", key="two", message_ttl=1000)
    two = dying(stage, "two", key="one", message_ttl=1000)
    stage.publish(b"a", to="one")
    stage.clock.advance(1)
    assert two.message_count == 1
    stage.clock.advance(1)
    assert (one.message_count, two.message_count) == (0, 0)


def test_the_other_queues_get_it_still(stage: Stage) -> None:
    queue = dying(stage, exchange="amq.fanout", message_ttl=1000)
    for name in ("q", "dead"):
        stage.vhost.bind("amq.fanout", name, "", {}, to_queue=True)
    stage.publish(b"a")
    stage.clock.advance(1)
    assert queue.message_count == 0
    assert len(dead(stage)) == 1


def test_what_was_rejected_on_the_way_may_come_back(stage: Stage) -> None:
    queue = dying(stage, key="q")
    stage.publish(b"a")
    for count in (1, 2, 3):
        reject(take(queue))
        assert deaths(queue.first().message) == [("q", "rejected", count)]  # type: ignore[union-attr]


def test_a_rejection_before_the_last_visit_does_not_count(stage: Stage) -> None:
    queue = dying(stage, key="q", message_ttl=1000)
    stage.publish(b"a")
    reject(take(queue))
    assert queue.message_count == 1
    stage.clock.advance(1)
    assert queue.message_count == 0


def test_a_cycle_is_warned_of_once_in_a_while_for_each_queue(stage: Stage) -> None:
    heard: list[tuple[str, Mapping[str, Any]]] = []
    stage.broker.events.on_warning = lambda text, fields: heard.append((text, fields))
    dying(stage, "one", key="two", message_ttl=1000)
    dying(stage, "two", key="one", message_ttl=1000)
    for _ in range(3):
        stage.publish(b"a", b"b", to="one")
        stage.clock.advance(2)
    text = "message dropped: dead letters go round in a cycle"
    assert heard == [(text, {"vhost": "/", "queue": "two", "cycle": ["two", "one"]})]
    stage.publish(b"a", to="two")
    stage.clock.advance(2)
    assert [fields["queue"] for _, fields in heard] == ["two", "one"]
    stage.clock.advance(WARN_INTERVAL)
    stage.publish(b"a", to="two")
    stage.clock.advance(2)
    assert [fields["queue"] for _, fields in heard] == ["two", "one", "one"]


# --- as durable as their queues


def open_store(tmp_path: Path) -> Store:
    return LmdbStore(tmp_path / "store", sync=False, map_size=64 << 20)


def test_removal_and_letter_are_one_change(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert isinstance(store, LmdbStore)
    stage = Stage(store)
    queue = dying(stage, durable=True, message_ttl=1000)
    stage.publish(b"a", delivery_mode=2)
    store.commit()
    stage.clock.advance(1)
    batch = store.open_batch
    assert batch.queues[queue.id].deletes == [0]
    assert [message.body for message in batch.queues[stage.vhost.queues["dead"].id].puts.values()] == [b"a"]
    store.close()


def test_a_letter_remembers_its_deaths_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    stage = Stage(store)
    dying(stage, "one", key="two", durable=True, message_ttl=1000)
    dying(stage, "two", key="one", durable=True, message_ttl=1000)
    stage.publish(b"a", to="one", delivery_mode=2)
    stage.clock.advance(1)
    store.close()
    stage.store = store = open_store(tmp_path)
    stage.restart()
    stage.clock.advance(1)
    assert [queue.message_count for queue in stage.vhost.queues.values()] == [0, 0, 0]
    store.close()


def test_letters_that_several_queues_share_are_stored(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    stage = Stage(store)
    dying(stage, exchange="amq.fanout", durable=True, message_ttl=1000)
    stage.queue("dead, too", durable=True)
    for name in ("dead", "dead, too"):
        stage.vhost.bind("amq.fanout", name, "", {}, to_queue=True)
    stage.publish(b"a", delivery_mode=2)
    stage.clock.advance(1)
    store.close()
    stage.store = store = open_store(tmp_path)
    stage.restart()
    assert [drain(stage.vhost.queues[name]) for name in ("dead", "dead, too")] == [[b"a"], [b"a"]]
    store.close()
