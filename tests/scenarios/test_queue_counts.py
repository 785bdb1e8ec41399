"""The counts in queue.declare-ok: ready messages, and consumers of every kind."""

from __future__ import annotations

from steps import Name, consume, declare, deliveries, expect_ready, fill, own_queue, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicCancel, BasicCancelOk, BasicNack, BasicQos, BasicQosOk, QueueDeclareOk


def test_messages_are_counted_while_they_are_ready(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two", b"three")
    assert declare(client, queue, passive=True).message_count == 3
    first, second = take(client, queue), take(client, queue)
    assert declare(client, queue, passive=True).message_count == 1
    client.send(1, BasicNack(first), BasicAck(second))
    expect_ready(client, queue, 2)


def test_what_a_consumer_holds_is_not_counted(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two", b"three")
    client.call(1, BasicQos(prefetch_count=2), BasicQosOk)
    consume(client, queue)
    assert deliveries(client, 2) == [b"one", b"two"]
    assert declare(client, queue, passive=True) == QueueDeclareOk(queue, 1, 1)


def test_consumers_are_counted_until_they_are_cancelled(client: Client) -> None:
    queue = own_queue(client)
    client.channel(2)
    one = consume(client, queue)
    consume(client, queue, channel=2, no_ack=True)
    assert declare(client, queue, passive=True).consumer_count == 2
    client.call(1, BasicCancel(one), BasicCancelOk)
    assert declare(client, queue, passive=True).consumer_count == 1


def test_an_active_declare_counts_too(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    fill(client, queue, b"message")
    assert declare(client, queue) == QueueDeclareOk(queue, 1, 0)
