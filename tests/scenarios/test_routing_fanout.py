from __future__ import annotations

from steps import Name, bind, declare_exchange, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import QueueUnbind, QueueUnbindOk


def test_every_queue_gets_every_message_once_whatever_the_keys(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queues = [own_queue(client) for _ in range(3)]
    for queue in queues:
        bind(client, queue, exchange)
        bind(client, queue, exchange, "another key")
    for key in ("", "key", "another key"):
        client.publish(1, exchange, key, key.encode())
    for queue in queues:
        assert drain(client, queue) == [b"", b"key", b"another key"]


def test_a_queue_stays_bound_until_its_last_binding_is_gone(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queue = own_queue(client)
    bind(client, queue, exchange, "one")
    bind(client, queue, exchange, "two")
    for key, reached in [("one", [b"message"]), ("two", [])]:
        client.call(1, QueueUnbind(queue=queue, exchange=exchange, routing_key=key), QueueUnbindOk)
        client.publish(1, exchange, "", b"message")
        assert drain(client, queue) == reached
