"""Policies: settings for queues and exchanges whose names match, set and cleared while clients work."""

from __future__ import annotations

import time

import pytest
from operators import Operator, Place, Refused
from steps import (
    bind,
    confirm_select,
    consume,
    declare,
    declare_exchange,
    delivered,
    drain,
    expect_ready,
    fill,
    get,
    take,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicNack, BasicReject, ChannelClose, QueueDeclare
from amqpd.wire.properties import Properties


@pytest.fixture
def client(place: Place) -> Client:
    return place.connect()


def test_a_policy_applies_to_queues_there_are_and_to_those_declared_later(place: Place, client: Client) -> None:
    declare(client, "jobs.a")
    place.put_policy("p", "^jobs", {"max-length": 2})
    declare(client, "jobs.b")
    declare(client, "other")
    for queue in ("jobs.a", "jobs.b"):
        assert place.expect_policies(queue, "p") == {"max-length": 2}
        fill(client, queue, b"1", b"2", b"3")
        assert drain(client, queue) == [b"2", b"3"]
    assert place.expect_policies("other", None) == {}
    fill(client, "other", b"1", b"2", b"3")
    assert drain(client, "other") == [b"1", b"2", b"3"]


def test_a_pattern_is_looked_for_anywhere_in_the_name(place: Place, client: Client) -> None:
    place.put_policy("p", "o.s", {"max-length": 2})
    for queue in ("jobs", "jots.x", "JOBS"):
        declare(client, queue)
    place.expect_policies("jots.x", "p")
    place.expect_policies("jobs", "p")
    place.expect_policies("JOBS", None)


def test_the_highest_priority_wins_and_policies_do_not_mix(place: Place, client: Client) -> None:
    declare(client, "q")
    place.put_policy("low", ".*", {"max-length": 1, "message-ttl": 60000}, priority=1)
    place.put_policy("high", ".*", {"expires": 600000}, priority=2)
    assert place.expect_policies("q", "high") == {"expires": 600000}
    place.delete_policy("high")
    assert place.expect_policies("q", "low") == {"max-length": 1, "message-ttl": 60000}
    place.put_policy("low", ".*", {"max-length": 5}, priority=1)
    place.expect_policies("q", "low")
    fill(client, "q", b"1", b"2")
    assert drain(client, "q") == [b"1", b"2"]


def test_a_policy_for_exchanges_is_not_for_queues(place: Place, client: Client) -> None:
    place.put_policy("p", ".*", {"max-length": 1}, apply_to="exchanges")
    declare(client, "q")
    place.expect_policies("q", None)


def test_a_policy_that_sets_what_a_queue_cannot_have_passes_it_by(place: Place, client: Client) -> None:
    place.put_policy("streams", ".*", {"max-age": "1h", "max-length-bytes": 100}, priority=9)
    place.put_policy("all", ".*", {"max-length-bytes": 200}, priority=1)
    declare(client, "classic")
    declare(client, "stream", durable=True, arguments={"x-queue-type": "stream"})
    place.expect_policies("classic", "all")
    place.expect_policies("stream", "streams")


def test_what_a_new_limit_leaves_no_room_for_is_dropped_at_once(place: Place, client: Client) -> None:
    declare(client, "dead")
    declare(client, "q", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    fill(client, "q", b"1", b"2", b"3", b"4")
    place.put_policy("p", "^q$", {"max-length": 1})
    expect_ready(client, "q", 1)
    expect_ready(client, "dead", 3)
    assert drain(client, "q") == [b"4"]


def test_a_limit_that_is_lifted_limits_no_more(place: Place, client: Client) -> None:
    place.put_policy("p", ".*", {"max-length": 1, "overflow": "reject-publish"})
    declare(client, "q")
    place.expect_policies("q", "p")
    confirm_select(client)
    client.publish(1, "", "q", b"1")
    client.expect(1, BasicAck)
    client.publish(1, "", "q", b"2")
    client.expect(1, BasicNack)
    place.delete_policy("p")
    place.expect_policies("q", None)
    client.publish(1, "", "q", b"3")
    client.expect(1, BasicAck)
    assert drain(client, "q") == [b"1", b"3"]


def test_a_time_to_live_is_for_messages_published_later(place: Place, client: Client) -> None:
    declare(client, "q")
    fill(client, "q", b"before")
    place.put_policy("p", ".*", {"message-ttl": 100})
    place.expect_policies("q", "p")
    time.sleep(0.4)
    expect_ready(client, "q", 1)
    fill(client, "q", b"after")
    assert get(client, "q").body == b"before"  # type: ignore[union-attr]
    time.sleep(0.4)
    expect_ready(client, "q", 0)
    fill(client, "q", b"mortal")
    place.delete_policy("p")
    place.expect_policies("q", None)
    fill(client, "q", b"immortal")
    time.sleep(0.4)
    assert drain(client, "q") == [b"immortal"]


def test_the_shorter_time_counts_and_the_smaller_length(place: Place, client: Client) -> None:
    place.put_policy("p", ".*", {"message-ttl": 200, "max-length": 3})
    declare(client, "shorter", arguments={"x-message-ttl": 60000, "x-max-length": 2})
    declare(client, "longer", arguments={"x-message-ttl": 100, "x-max-length": 100})
    for queue, kept in (("shorter", 2), ("longer", 3)):
        place.expect_policies(queue, "p")
        fill(client, queue, b"1", b"2", b"3", b"4")
        expect_ready(client, queue, kept)
    time.sleep(0.4)
    assert drain(client, "shorter") == drain(client, "longer") == []


def test_arguments_override_what_is_no_number(place: Place, client: Client) -> None:
    for queue in ("mine", "theirs"):
        declare(client, queue)
    place.put_policy("p", "^q", {"dead-letter-exchange": "", "dead-letter-routing-key": "theirs"})
    declare(client, "q1")
    declare(client, "q2", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "mine"})
    for queue, place_of_the_dead in (("q1", "theirs"), ("q2", "mine")):
        place.expect_policies(queue, "p")
        fill(client, queue, queue.encode())
        client.send(1, BasicReject(take(client, queue), requeue=False))
        expect_ready(client, place_of_the_dead, 1)
        assert drain(client, place_of_the_dead) == [queue.encode()]


def test_where_dead_letters_go_can_be_changed_and_taken_away(place: Place, client: Client) -> None:
    for queue in ("q", "one", "other"):
        declare(client, queue)
    fill(client, "q", b"1", b"2", b"3")
    for key in ("one", "other"):
        place.put_policy("p", "^q$", {"dead-letter-exchange": "", "dead-letter-routing-key": key})
        assert place.expect_policies("q", "p")
        time.sleep(0.1)
        client.send(1, BasicReject(take(client, "q"), requeue=False))
        expect_ready(client, key, 1)
    place.delete_policy("p")
    place.expect_policies("q", None)
    client.send(1, BasicReject(take(client, "q"), requeue=False))
    expect_ready(client, "q", 0)
    assert (drain(client, "one"), drain(client, "other")) == ([b"1"], [b"2"])


def test_a_queue_that_is_not_used_expires(place: Place, client: Client) -> None:
    declare(client, "q")
    place.put_policy("p", ".*", {"expires": 200})
    deadline = time.monotonic() + 10
    while True:
        client.send(1, QueueDeclare(queue="q", passive=True))
        answer = client.receive()
        if isinstance(answer.method, ChannelClose):
            assert answer.method.reply_code == 404
            return
        assert time.monotonic() < deadline
        time.sleep(0.5)  # asking counts as use


def test_an_alternate_exchange_by_policy(place: Place, client: Client) -> None:
    declare_exchange(client, "x")
    declare_exchange(client, "fallback", "fanout")
    declare_exchange(client, "own", arguments={"alternate-exchange": "amq.fanout"})
    declare(client, "q")
    declare(client, "mine")
    bind(client, "q", "fallback")
    bind(client, "mine", "amq.fanout")
    client.publish(1, "x", "nowhere", b"lost")
    place.put_policy("p", "^(x|own)$", {"alternate-exchange": "fallback"}, apply_to="exchanges")
    _until_routed(client, "x", "q", b"caught")
    client.publish(1, "own", "nowhere", b"by its argument")
    expect_ready(client, "mine", 1)
    place.delete_policy("p")
    time.sleep(0.3)
    client.publish(1, "x", "nowhere", b"lost again")
    client.publish(1, "fallback", "", b"end")
    expect_ready(client, "q", 1)
    assert drain(client, "q") == [b"end"]


def _until_routed(client: Client, exchange: str, queue: str, body: bytes) -> None:
    deadline = time.monotonic() + 10
    while True:
        client.publish(1, exchange, "nowhere", body)
        time.sleep(0.1)
        if drain(client, queue):
            time.sleep(0.1)
            drain(client, queue)
            return
        assert time.monotonic() < deadline


def test_a_quorum_queue_heeds_the_smaller_delivery_limit(place: Place, client: Client) -> None:
    place.put_policy("p", ".*", {"delivery-limit": 1})
    declare(client, "q", durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 5})
    place.expect_policies("q", "p")
    fill(client, "q", b"a", properties=Properties(delivery_mode=2))
    consume(client, "q")
    for _ in range(2):
        client.send(1, BasicReject(delivered(client).method.delivery_tag, requeue=True))  # type: ignore[union-attr]
    assert client.silence(0.3)
    expect_ready(client, "q", 0)


# --- operator policies


def test_an_operator_policy_caps_what_a_policy_sets(place: Place, client: Client) -> None:
    declare(client, "q")
    place.put_policy("p", ".*", {"max-length": 10, "message-ttl": 1000, "overflow": "drop-head"})
    place.put_policy("o", ".*", {"max-length": 2, "message-ttl": 60000, "expires": 60000}, operator=True)
    assert place.expect_policies("q", "p", "o") == {
        "expires": 60000,
        "max-length": 2,
        "message-ttl": 1000,
        "overflow": "drop-head",
    }
    fill(client, "q", b"1", b"2", b"3")
    assert drain(client, "q") == [b"2", b"3"]
    place.delete_policy("p")
    assert place.expect_policies("q", None, "o") == {"expires": 60000, "max-length": 2, "message-ttl": 60000}
    place.delete_policy("o", operator=True)
    assert place.expect_policies("q", None) == {}


# --- what cannot be


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ({}, "no policy provided"),
        ({"foo": 1, "bar": "x"}, '[{<<"bar">>,<<"x">>},{<<"foo">>,1}] are not recognised policy settings'),
        ({"message-ttl": "x", "foo": 1}, '<<"x">> is not a valid message TTL'),
        ({"message-ttl": "x", "max-length": "y"}, '<<"y">> is not a valid maximum length'),
        ({"message-ttl": -1}, "-1 is not a valid message TTL"),
        ({"message-ttl": 1.5}, "1.5 is not a valid message TTL"),
        ({"message-ttl": True}, "true is not a valid message TTL"),
        ({"message-ttl": None}, "null is not a valid message TTL"),
        ({"message-ttl": [1, "a"]}, '[1,<<"a">>] is not a valid message TTL'),
        ({"expires": 0}, "0 is not a valid queue expiry"),
        ({"max-length": -1}, "-1 is not a valid maximum length"),
        ({"max-length-bytes": "x"}, '<<"x">> is not a valid maximum length in bytes'),
        ({"overflow": "x"}, '<<"x">> is not a valid overflow value'),
        ({"dead-letter-exchange": 1}, "1 is not a valid dead letter exchange name"),
        ({"dead-letter-routing-key": 1}, "1 is not a valid dead letter routing key"),
        ({"dead-letter-strategy": "x"}, '<<"x">> is not a valid dead letter strategy'),
        ({"delivery-limit": "x"}, '<<"x">> is not a valid delivery limit'),
        ({"queue-mode": 1}, "1 is not a valid queue-mode value"),
        ({"queue-version": 3}, "3 is not a valid queue-version value"),
        ({"max-age": "0h"}, '<<"0h">> is not a valid max age'),
        ({"stream-max-segment-size-bytes": 10**10}, "10000000000 is not a valid segment size"),
        ({"alternate-exchange": 1}, "1 is not a valid alternate exchange name"),
        ({"queue-leader-locator": "x"}, '<<"x">> is not a valid queue leader locator value'),
        ({"initial-cluster-size": "x"}, '<<"x">> is not a valid cluster size'),
        ({"max-in-memory-length": -1}, "-1 is not a valid maximum memory in bytes"),
    ],
)
def test_a_definition_that_cannot_be(operator: Operator, place: Place, definition: dict, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        place.put_policy("p", "a", definition)
    assert str(refused.value) == reason


@pytest.mark.parametrize("key", ["dead-letter-exchange", "queue-mode", "max-age", "alternate-exchange"])
def test_an_operator_policy_sets_limits_only(place: Place, key: str) -> None:
    with pytest.raises(Refused) as refused:
        place.put_policy("p", "a", {key: "x"}, operator=True)
    assert str(refused.value) == f'[{{<<"{key}">>,<<"x">>}}] are not recognised policy settings'


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", '{"missing )",1}'),
        ("a(b", '{"missing )",3}'),
        ("*a", '{"nothing to repeat",0}'),
        ("a[", '{"missing terminating ] for character class",2}'),
        ("a)", '{"unmatched parentheses",1}'),
    ],
)
def test_a_pattern_that_is_none(place: Place, pattern: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        place.put_policy("p", pattern, {"max-length": 1})
    assert str(refused.value) == f"pattern should be regular expression but is invalid: {reason}"


def test_a_priority_and_a_pattern_of_the_wrong_type(place: Place) -> None:
    for more, reason in (
        ({"priority": "x"}, 'priority should be a number, actually was <<"x">>'),
        ({"pattern": 1}, "pattern should be a binary but was 1"),
    ):
        with pytest.raises(Refused) as refused:
            place.operator.put_policy(place.vhost, "p", {"pattern": "a", "definition": {"max-length": 1}, **more})
        assert str(refused.value) == reason


def test_all_that_is_wrong_is_named(place: Place) -> None:
    policy = {"pattern": "(", "definition": {}, "priority": "x"}
    with pytest.raises(Refused) as refused:
        place.operator.put_policy(place.vhost, "p", policy)
    assert str(refused.value).splitlines() == [
        "no policy provided",
        'pattern should be regular expression but is invalid: {"missing )",1}',
        'priority should be a number, actually was <<"x">>',
    ]


def test_parameters_of_components_there_are_not(place: Place) -> None:
    with pytest.raises(Refused, match="component nope not found"):
        place.operator.put_parameter("nope", place.vhost, "x", 1)
    with pytest.raises(Refused, match="policies may not be set using this method"):
        place.operator.put_parameter("policy", place.vhost, "x", {"pattern": "a", "definition": {"max-length": 1}})
    with pytest.raises(Refused, match='Key "priority" not found in x'):
        place.operator.put_parameter(
            "operator_policy", place.vhost, "x", {"pattern": "a", "definition": {"expires": 9}}
        )
