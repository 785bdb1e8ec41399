"""An empty queue name stands for the queue that was declared last on the channel."""

from __future__ import annotations

import pytest
from steps import Name, bind, consume, declare, declare_exchange, delete, drain, expect_channel_error, fill, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicConsume,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    QueueBind,
    QueueDeclare,
    QueueDelete,
    QueuePurge,
    QueuePurgeOk,
    QueueUnbind,
    QueueUnbindOk,
)
from amqpd.wire.schema import Method


@pytest.mark.parametrize(
    "method",
    [
        BasicGet(),
        BasicConsume(),
        QueueDelete(),
        QueuePurge(),
        QueueBind(exchange="amq.direct"),
        QueueBind(exchange="amq.direct", routing_key="key"),
        QueueUnbind(exchange="amq.direct"),
        QueueUnbind(exchange="amq.direct", routing_key="key"),
    ],
    ids=str,
)
def test_there_has_to_be_one(client: Client, method: Method) -> None:
    client.channel(2)
    own_queue(client, channel=2)
    client.send(1, method)
    expect_channel_error(client, 404, "no previously declared queue", type(method))


def test_it_can_be_used_without_its_name(client: Client) -> None:
    own_queue(client)
    queue = own_queue(client)
    for body in (b"one", b"two", b"three"):
        client.publish(1, "", queue, body)
    assert client.call(1, QueuePurge(), QueuePurgeOk).message_count == 3
    client.publish(1, "", queue, b"four")
    assert drain(client, "") == [b"four"]
    consume(client, "")
    client.publish(1, "", queue, b"five")
    assert client.expect_command(1, BasicDeliver).body == b"five"


def test_it_can_be_deleted_without_its_name(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"message")
    assert delete(client, "") == 1


def test_a_passive_declare_counts(client: Client) -> None:
    first, second = own_queue(client), own_queue(client)
    declare(client, first, passive=True)
    client.publish(1, "", first, b"first")
    client.publish(1, "", second, b"second")
    assert drain(client, "") == [b"first"]


def test_a_declare_without_answer_counts(client: Client, name: Name) -> None:
    queue = name("queue")
    own_queue(client)
    client.send(1, QueueDeclare(queue=queue, nowait=True))
    client.publish(1, "", queue, b"message")
    assert drain(client, "") == [b"message"]


def test_it_stays_the_last_when_it_is_deleted(client: Client) -> None:
    own_queue(client)
    queue = own_queue(client)
    delete(client, "")
    client.send(1, BasicGet())
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", BasicGet)


def test_each_channel_has_its_own(client: Client) -> None:
    client.channel(2)
    first, second = own_queue(client, channel=1), own_queue(client, channel=2)
    client.publish(1, "", first, b"first")
    client.publish(1, "", second, b"second")
    assert drain(client, "", channel=1) == [b"first"]
    client.publish(2, "", second, b"third")
    assert drain(client, "", channel=2) == [b"second", b"third"]


def test_a_binding_without_queue_and_key_takes_the_queues_name_as_key(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, "", exchange)
    client.publish(1, exchange, queue, b"bound by name")
    client.publish(1, exchange, "", b"not by the empty key")
    assert drain(client, queue) == [b"bound by name"]
    client.call(1, QueueUnbind(exchange=exchange), QueueUnbindOk)
    client.publish(1, exchange, queue, b"lost")
    client.call(1, BasicGet(), BasicGetEmpty)


def test_a_binding_without_queue_but_with_a_key_keeps_the_key(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, "", exchange, "key")
    for key in ("key", queue):
        client.publish(1, exchange, key, key.encode())
    assert drain(client, queue) == [b"key"]


def test_a_binding_with_a_queue_and_no_key_has_the_empty_key(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange)
    for key in ("", queue):
        client.publish(1, exchange, key, key.encode())
    assert drain(client, queue) == [b""]
