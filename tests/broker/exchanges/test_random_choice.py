"""The random exchanges: one destination for each message, whatever its key, and each its share."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.exchanges import Exchange
from amqpd.broker.exchanges.local_random import LocalRandomExchange
from amqpd.broker.exchanges.random_choice import RandomExchange
from amqpd.clock import VirtualClock
from amqpd.errors import PreconditionFailed
from amqpd.store.memory import MemoryStore
from tests.broker.exchange_contract import ChoiceContract, message, queue


class TestRandomExchange(ChoiceContract):
    exchange_type: type[Exchange] = RandomExchange
    keys = ("", "a", "b")
    messages = tuple(message(key) for key in ("", "a", "c"))

    def make(self, **properties: Any) -> Exchange:
        exchange = super().make(**properties)
        assert isinstance(exchange, RandomExchange)
        exchange.choose = lambda bindings: bindings[-1]
        return exchange


class TestLocalRandomExchange(TestRandomExchange):
    exchange_type = LocalRandomExchange
    keys = ("",)


@pytest.mark.parametrize("kind", ["x-random", "x-local-random"])
def test_every_destination_gets_its_share_and_no_route_is_remembered(kind: str) -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    exchange = vhost.declare_exchange("x", kind)
    for name in "abc":
        vhost.declare_queue(name)
        vhost.bind("x", name, "", {}, to_queue=True)
    counts: Counter[str] = Counter()
    for _ in range(3000):
        route = vhost.route(exchange, message("key"), ("another key",))
        assert not route.lasting
        (reached,) = route.queues
        counts[reached.name] += 1
    assert all(850 < counts[name] < 1150 for name in "abc")


def test_an_explanation_tells_the_odds() -> None:
    exchange = TestRandomExchange().make()
    for name in "ab":
        TestRandomExchange().bound(exchange, [("", {}, name)])
    assert [verdict.reason for verdict in exchange.explain(message(""))] == [
        "not chosen this time, 1 in 2",
        "chosen at random, 1 in 2",
    ]


def test_a_local_random_exchange_takes_no_binding_key() -> None:
    with pytest.raises(PreconditionFailed, match="Non empty binding 'key' key not permitted"):
        LocalRandomExchange("x").check_binding(queue("q"), "key", {})


def test_a_local_random_exchange_binds_no_exchange() -> None:
    with pytest.raises(PreconditionFailed, match="Destination not found"):
        LocalRandomExchange("x").check_binding(RandomExchange("y"), "", {})


@pytest.mark.parametrize("kind", ["quorum", "stream"])
def test_a_local_random_exchange_binds_no_queue_of_another_type(kind: str) -> None:
    target = queue("q")
    target.arguments["x-queue-type"] = kind
    with pytest.raises(PreconditionFailed, match=f"Queue type rabbit_{kind}_queue not valid for this exchange type"):
        LocalRandomExchange("x").check_binding(target, "", {})
