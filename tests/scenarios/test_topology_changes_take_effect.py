"""A publisher that repeats itself meets whatever topology there is by then."""

from __future__ import annotations

from steps import Name, bind, bind_exchange, declare, declare_exchange, delete, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicReturn,
    ExchangeDelete,
    ExchangeDeleteOk,
    ExchangeUnbind,
    ExchangeUnbindOk,
    QueueUnbind,
    QueueUnbindOk,
)


def test_bindings_come_and_go(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    one, other = own_queue(client), own_queue(client)
    bind(client, one, exchange, "a.*")
    for bound in (True, False, True):
        if bound:
            bind(client, other, exchange, "#")
        else:
            client.call(1, QueueUnbind(queue=other, exchange=exchange, routing_key="#"), QueueUnbindOk)
        client.publish(1, exchange, "a.b", b"message")
        assert drain(client, one) == [b"message"]
        assert drain(client, other) == ([b"message"] if bound else [])


def test_bindings_further_along_come_and_go(client: Client, name: Name) -> None:
    first, second = declare_exchange(client, name("first"), "fanout"), declare_exchange(client, name("second"), "topic")
    queue = own_queue(client)
    bind(client, queue, second, "a.*")
    for bound in (True, False, True):
        if bound:
            bind_exchange(client, second, first)
        else:
            client.call(1, ExchangeUnbind(destination=second, source=first), ExchangeUnbindOk)
        client.publish(1, first, "a.b", b"message")
        assert drain(client, queue) == ([b"message"] if bound else [])


def test_a_queue_declared_anew_is_another_queue(client: Client, name: Name) -> None:
    queue = name("queue")
    for _ in range(3):
        client.publish(1, "", queue, b"returned", mandatory=True)
        client.expect(1, BasicReturn)
        declare(client, queue)
        client.publish(1, "", queue, b"message", mandatory=True)
        assert drain(client, queue) == [b"message"]
        delete(client, queue)


def test_an_exchange_declared_anew_may_be_of_another_type(client: Client, name: Name) -> None:
    exchange = name("exchange")
    queue = own_queue(client)
    for kind, reached in [("direct", []), ("fanout", [b"message"]), ("topic", []), ("headers", [b"message"])]:
        declare_exchange(client, exchange, kind)
        bind(client, queue, exchange, "another key")
        client.publish(1, exchange, "key", b"message")
        assert drain(client, queue) == reached
        client.call(1, ExchangeDelete(exchange=exchange), ExchangeDeleteOk)
