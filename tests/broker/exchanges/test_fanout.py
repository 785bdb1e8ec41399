"""The fanout exchange."""

from __future__ import annotations

from amqpd.broker.binding import Binding
from amqpd.broker.exchanges.fanout import FanoutExchange
from amqpd.message import Message
from tests.broker.exchange_contract import ExchangeContract, bind, message


class TestFanoutExchange(ExchangeContract):
    exchange_type = FanoutExchange
    keys = ("", "a", "b")
    arguments = ({}, {"a": 1})
    messages = (message(""), message("a"), message("other", {"a": 2}))

    def expected(self, binding: Binding, message: Message) -> bool:
        return True


def test_it_says_why() -> None:
    exchange = FanoutExchange("x")
    bind(exchange, "whatever")
    (verdict,) = exchange.explain(message("a"))
    assert verdict.reason == "a fanout exchange matches every binding"
