from __future__ import annotations

from steps import Name, bind, bind_exchange, declare_exchange, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicPublish,
    ExchangeDelete,
    ExchangeDeleteOk,
    QueueUnbind,
    QueueUnbindOk,
)


def test_a_deleted_exchange_is_gone(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    client.call(1, ExchangeDelete(exchange=exchange), ExchangeDeleteOk)
    client.publish(1, exchange, "key")
    expect_channel_error(client, 404, f"no exchange '{exchange}' in vhost '/'", BasicPublish)


def test_its_bindings_go_with_it(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queue = own_queue(client)
    bind(client, queue, exchange)
    client.call(1, ExchangeDelete(exchange=exchange), ExchangeDeleteOk)
    declare_exchange(client, exchange, "fanout")
    client.publish(1, exchange, "", b"lost")
    assert drain(client, queue) == []


def test_bindings_that_lead_to_it_go_with_it(client: Client, name: Name) -> None:
    source, exchange = name("source"), name("exchange")
    queue = own_queue(client)
    declare_exchange(client, source, "fanout")
    declare_exchange(client, exchange, "fanout")
    bind_exchange(client, exchange, source)
    client.call(1, ExchangeDelete(exchange=exchange), ExchangeDeleteOk)
    declare_exchange(client, exchange, "fanout")
    bind(client, queue, exchange)
    client.publish(1, source, "", b"lost")
    assert drain(client, queue) == []


def test_a_missing_exchange_can_be_deleted(client: Client) -> None:
    client.call(1, ExchangeDelete(exchange="nope"), ExchangeDeleteOk)
    client.call(1, ExchangeDelete(exchange="nope", if_unused=True), ExchangeDeleteOk)


def test_if_unused_keeps_an_exchange_with_a_binding(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, "key")
    client.send(1, ExchangeDelete(exchange=exchange, if_unused=True))
    expect_channel_error(client, 406, f"exchange '{exchange}' in vhost '/' in use", ExchangeDelete)
    client.call(1, QueueUnbind(queue=queue, exchange=exchange, routing_key="key"), QueueUnbindOk)
    client.call(1, ExchangeDelete(exchange=exchange, if_unused=True), ExchangeDeleteOk)


def test_if_unused_keeps_an_exchange_bound_to_an_exchange(client: Client, name: Name) -> None:
    exchange, other = name("exchange"), name("other")
    declare_exchange(client, exchange)
    declare_exchange(client, other)
    bind_exchange(client, other, exchange)
    client.send(1, ExchangeDelete(exchange=exchange, if_unused=True))
    expect_channel_error(client, 406, f"exchange '{exchange}' in vhost '/' in use", ExchangeDelete)


def test_an_exchange_is_not_used_by_bindings_that_lead_to_it(client: Client, name: Name) -> None:
    exchange, other = name("exchange"), name("other")
    declare_exchange(client, exchange)
    declare_exchange(client, other)
    bind_exchange(client, exchange, other)
    client.call(1, ExchangeDelete(exchange=exchange, if_unused=True), ExchangeDeleteOk)


def test_nowait_is_not_answered(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    client.send(1, ExchangeDelete(exchange=exchange, nowait=True))
    client.publish(1, exchange, "key")
    expect_channel_error(client, 404, f"no exchange '{exchange}' in vhost '/'", BasicPublish)


def test_line_ends_in_names_do_not_count(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    client.call(1, ExchangeDelete(exchange=f"\n{exchange}\r"), ExchangeDeleteOk)
    client.publish(1, exchange, "key")
    expect_channel_error(client, 404, f"no exchange '{exchange}' in vhost '/'", BasicPublish)
