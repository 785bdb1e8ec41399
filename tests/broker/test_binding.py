"""What makes two bindings one, and how long one lasts."""

from __future__ import annotations

import pytest

from amqpd.broker.binding import Binding
from amqpd.broker.exchanges.fanout import FanoutExchange
from amqpd.broker.memory import Memory
from amqpd.broker.queue import Queue
from amqpd.store.memory import MemoryStore
from amqpd.wire.fields import Int8


def queue(name: str = "q", *, durable: bool = False) -> Queue:
    return Queue(name, 1, MemoryStore(), None, Memory(1 << 20), durable=durable)


def exchange(name: str = "x", *, durable: bool = False) -> FanoutExchange:
    return FanoutExchange(name, durable=durable)


def test_the_order_of_arguments_does_not_tell_bindings_apart() -> None:
    one = Binding(exchange(), queue(), "k", {"a": 1, "b": 2})
    other = Binding(exchange(), queue(), "k", {"b": 2, "a": 1})
    assert one.key == other.key


def test_everything_else_does() -> None:
    keys = {
        Binding(exchange(), queue(), "k").key,
        Binding(exchange("y"), queue(), "k").key,
        Binding(exchange(), queue("p"), "k").key,
        Binding(exchange(), exchange("q"), "k").key,
        Binding(exchange(), queue(), "l").key,
        Binding(exchange(), queue(), "k", {"a": 1}).key,
        Binding(exchange(), queue(), "k", {"a": Int8(1)}).key,
        Binding(exchange(), queue(), "k", {"a": "1"}).key,
    }
    assert len(keys) == 8


@pytest.mark.parametrize("source", [True, False])
@pytest.mark.parametrize("destination", [True, False])
def test_a_binding_is_durable_when_both_its_ends_are(source: bool, destination: bool) -> None:
    expected = source and destination
    assert Binding(exchange(durable=source), queue(durable=destination), "k").durable is expected
    assert Binding(exchange(durable=source), exchange(durable=destination), "k").durable is expected


def test_a_binding_knows_what_it_leads_to() -> None:
    assert Binding(exchange(), queue(), "k").to_queue is True
    assert Binding(exchange(), exchange("y"), "k").to_queue is False
