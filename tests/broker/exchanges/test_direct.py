"""The direct exchange and the default exchange."""

from __future__ import annotations

import pytest

from amqpd.broker.binding import Binding
from amqpd.broker.exchanges import DefaultExchange
from amqpd.broker.exchanges.direct import DirectExchange
from amqpd.message import Message
from tests.broker.exchange_contract import ExchangeContract, bind, message, queue


class TestDirectExchange(ExchangeContract):
    exchange_type = DirectExchange
    keys = ("", "a", "b", "a.b", "*", "#")
    arguments = ({}, {"a": 1})
    messages = tuple(message(key) for key in ("", "a", "b", "c", "a.b", "A", "*", "#"))

    def expected(self, binding: Binding, message: Message) -> bool:
        return binding.routing_key == message.routing_key


def test_it_says_why() -> None:
    exchange = DirectExchange("x")
    bind(exchange, "a", to="p")
    bind(exchange, "b", to="q")
    assert [verdict.reason for verdict in exchange.explain(message("a"))] == [
        "binding key 'a' equals routing key 'a'",
        "binding key 'b' is not routing key 'a'",
    ]


def nowhere(name: str) -> None:
    """Finds no queue."""


def test_the_default_exchange_leads_to_the_queue_of_that_name() -> None:
    queues = {"q": queue("q")}
    exchange = DefaultExchange(queues.get)
    assert [binding.destination for binding in exchange.match(message("q"))] == [queues["q"]]
    assert list(exchange.match(message("other"))) == []


def test_the_default_exchange_is_durable_direct_and_nameless() -> None:
    exchange = DefaultExchange(nowhere)
    assert (exchange.name, exchange.type, exchange.durable, exchange.alternate) == ("", "direct", True, None)


def test_the_default_exchange_cannot_be_bound_or_unbound() -> None:
    exchange = DefaultExchange(nowhere)
    binding = Binding(exchange, queue("q"), "q")
    with pytest.raises(NotImplementedError):
        exchange.bind(binding)
    with pytest.raises(NotImplementedError):
        exchange.unbind(binding)


def test_the_default_exchange_explains_itself() -> None:
    exchange = DefaultExchange({"q": queue("q")}.get)
    (verdict,) = exchange.explain(message("q"))
    assert verdict.reason == "queue 'q' has the routing key as its name"
    assert exchange.explain(message("other")) == []
