"""The consistent-hash exchange: one destination for each message, by weight, and as few changes as can be."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.exchanges.consistent_hash import ConsistentHashExchange
from amqpd.clock import VirtualClock
from amqpd.errors import PreconditionFailed
from amqpd.message import Message, make_message
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties
from tests.broker.exchange_contract import ChoiceContract, bind, message, queue, unbind

KEYS = [f"key {number}" for number in range(3000)]


class TestConsistentHashExchange(ChoiceContract):
    exchange_type = ConsistentHashExchange
    keys = ("1", "2", "10")
    messages = tuple(message(key) for key in ("", "a", "b", "c.d"))


class TestOnAHeader(TestConsistentHashExchange):
    declared_with: ClassVar = {"hash-header": "h"}
    messages = tuple(message("", headers) for headers in (None, {"h": "a"}, {"h": 5}, {"h": {"a": [1]}}, {"h": None}))


class TestOnAProperty(TestConsistentHashExchange):
    declared_with: ClassVar = {"hash-property": "message_id"}
    messages = tuple(make_message("x", "", b"", Properties(message_id=name)) for name in (None, "", "a", "b"))


def chosen(exchange: ConsistentHashExchange, each: Message) -> str:
    (binding,) = exchange.match(each)
    return binding.destination.name


def mapping(exchange: ConsistentHashExchange) -> dict[str, str]:
    """Where each of many keys leads."""
    return {key: chosen(exchange, message(key)) for key in KEYS}


def test_messages_are_spread_by_weight() -> None:
    exchange = ConsistentHashExchange("x")
    bind(exchange, "1", to="one")
    bind(exchange, "2", to="two")
    bind(exchange, "3", to="three")
    counts = Counter(mapping(exchange).values())
    for name, share in (("one", 500), ("two", 1000), ("three", 1500)):
        assert abs(counts[name] - share) < 120


def test_a_destination_that_comes_takes_its_share_and_nothing_else_moves() -> None:
    exchange = ConsistentHashExchange("x")
    for name in "abc":
        bind(exchange, "1", to=name)
    before = mapping(exchange)
    bind(exchange, "1", to="new")
    after = mapping(exchange)
    moved = [key for key in KEYS if before[key] != after[key]]
    assert {after[key] for key in moved} == {"new"}
    assert abs(len(moved) - len(KEYS) / 4) < 120


def test_a_destination_that_goes_leaves_its_own_to_the_others_and_nothing_else_moves() -> None:
    exchange = ConsistentHashExchange("x")
    bindings = [bind(exchange, "1", to=name) for name in "abcd"]
    before = mapping(exchange)
    unbind(exchange, bindings[1])
    after = mapping(exchange)
    assert {before[key] for key in KEYS if before[key] != after[key]} == {"b"}
    assert "b" not in after.values()


def test_the_order_of_binding_does_not_matter() -> None:
    one, other = ConsistentHashExchange("x"), ConsistentHashExchange("x")
    for name in "abc":
        bind(one, "2", to=name)
    for name in "cab":
        bind(other, "2", to=name)
    assert mapping(one) == mapping(other)


def test_a_destination_that_is_bound_twice_counts_once() -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    exchange = vhost.declare_exchange("x", "x-consistent-hash")
    assert isinstance(exchange, ConsistentHashExchange)
    for name in ("once", "twice"):
        vhost.declare_queue(name)
        vhost.bind("x", name, "1", {}, to_queue=True)
    before = mapping(exchange)
    vhost.bind("x", "twice", "50", {}, to_queue=True)
    assert mapping(exchange) == before
    verdict = exchange.explain(message("key"))[2]
    assert (verdict.matched, verdict.reason) == (False, "its destination is bound already, and takes part once")
    vhost.unbind("x", "twice", "1", {}, to_queue=True)
    assert Counter(mapping(exchange).values())["twice"] > 2800


@pytest.mark.parametrize(
    ("arguments", "alike", "other"),
    [
        ({}, message("a", {"h": 1}), message("b", {"h": 1})),
        ({"hash-header": "h"}, message("a", {"h": "x"}), message("a", {"h": "y"})),
        (
            {"hash-property": "correlation_id"},
            make_message("x", "a", b"", Properties(correlation_id="x")),
            make_message("x", "a", b"", Properties(correlation_id="y")),
        ),
        (
            {"hash-property": "timestamp"},
            make_message("x", "a", b"", Properties(timestamp=1)),
            make_message("x", "a", b"", Properties(timestamp=2)),
        ),
    ],
)
def test_what_is_hashed_is_what_the_arguments_say(arguments: dict[str, Any], alike: Message, other: Message) -> None:
    exchange = ConsistentHashExchange("x", arguments=arguments)
    for number in range(200):
        bind(exchange, "1", to=str(number))
    assert chosen(exchange, alike) == chosen(exchange, alike)
    assert chosen(exchange, alike) != chosen(exchange, other)
    assert exchange.by_routing_key is not bool(arguments)


def test_only_a_choice_by_routing_key_is_remembered() -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    for name, arguments in (("by key", {}), ("by header", {"hash-header": "h"})):
        exchange = vhost.declare_exchange(name, "x-consistent-hash", arguments=arguments)
        assert vhost.route(exchange, message("key")).lasting is not bool(arguments)


def test_copies_do_not_make_it_two() -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    exchange = vhost.declare_exchange("x", "x-consistent-hash")
    for number in range(20):
        vhost.declare_queue(str(number))
        vhost.bind("x", str(number), "1", {}, to_queue=True)
    assert len(vhost.route(exchange, message("key"), ("a", "b", "c")).queues) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"hash-header": "a", "hash-property": "b"}, "hash-header and hash-property are mutually exclusive"),
        ({"hash-property": "priority"}, "Unsupported property: priority"),
        ({"hash-header": 1}, "invalid type 'long' for arg 'hash-header' in exchange 'x' in vhost '/'"),
    ],
)
def test_arguments_that_are_refused(arguments: dict[str, Any], reason: str) -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    with pytest.raises(PreconditionFailed) as refused:
        vhost.declare_exchange("x", "x-consistent-hash", arguments=arguments)
    assert refused.value.explanation == reason
    assert "x" not in vhost.exchanges


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "The binding key must be an integer: <<>>"),
        ("1.5", 'The binding key must be an integer: <<"1.5">>'),
        (" 1", 'The binding key must be an integer: <<" 1">>'),
        ("0", "The binding key must be greater than 0"),
        ("-1", "The binding key must be greater than 0"),
        ("10001", "The binding key must not exceed 10000"),
    ],
)
def test_weights_that_are_refused(key: str, reason: str) -> None:
    with pytest.raises(PreconditionFailed) as refused:
        ConsistentHashExchange("x").check_binding(queue("q"), key, {})
    assert refused.value.explanation == reason
