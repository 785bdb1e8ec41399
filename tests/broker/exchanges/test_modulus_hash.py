"""The modulus-hash exchange: one destination for each message, always the same for a routing key."""

from __future__ import annotations

from collections import Counter

from amqpd.broker.broker import Broker
from amqpd.broker.exchanges.modulus_hash import ModulusHashExchange
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore
from tests.broker.exchange_contract import ChoiceContract, bind, message


class TestModulusHashExchange(ChoiceContract):
    exchange_type = ModulusHashExchange
    keys = ("", "a", "b")
    messages = tuple(message(key) for key in ("", "a", "c", "d.e"))


def test_keys_are_spread_evenly() -> None:
    exchange = ModulusHashExchange("x")
    for name in "abc":
        bind(exchange, to=name)
    counts = Counter(binding.destination.name for n in range(3000) for binding in exchange.match(message(f"key {n}")))
    assert all(850 < counts[name] < 1150 for name in "abc")


def test_a_key_always_goes_to_the_same_place_and_that_is_remembered() -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    exchange = vhost.declare_exchange("x", "x-modulus-hash")
    for name in "abc":
        vhost.declare_queue(name)
        vhost.bind("x", name, "", {}, to_queue=True)
    route = vhost.route(exchange, message("key"))
    assert route.lasting
    assert len(route.queues) == 1
    assert vhost.route(exchange, message("key")) is route
    assert len(vhost.route(exchange, message("key"), ("a", "b", "c", "d")).queues) == 1


def test_the_explanation_does_the_sum() -> None:
    exchange = ModulusHashExchange("x")
    for name in "ab":
        bind(exchange, to=name)
    reasons = {verdict.matched: verdict.reason for verdict in exchange.explain(message("key"))}
    assert reasons[True].startswith("the hash of routing key 'key' modulo 2 is ")
    assert reasons[False].startswith(reasons[True] + ", not ")
