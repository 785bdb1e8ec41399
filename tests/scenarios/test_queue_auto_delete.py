"""An auto-delete queue goes with its last consumer."""

from __future__ import annotations

from steps import Connect, Name, close_channel, consume, declare, delivered, drain, expect_channel_error

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicCancel, BasicCancelOk, BasicGet, BasicNack, BasicQos, BasicQosOk, QueueDeclare


def expect_gone(client: Client, queue: str, channel: int = 1) -> None:
    client.send(channel, QueueDeclare(queue=queue, passive=True))
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", QueueDeclare, channel)


def test_it_is_there_before_its_first_consumer(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, auto_delete=True)
    client.publish(1, "", queue, b"message")
    assert drain(client, queue) == [b"message"]
    assert declare(client, queue, passive=True).queue == queue


def test_it_goes_when_its_last_consumer_is_cancelled(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, auto_delete=True)
    one, other = consume(client, queue), consume(client, queue)
    client.call(1, BasicCancel(one), BasicCancelOk)
    assert declare(client, queue, passive=True).consumer_count == 1
    client.call(1, BasicCancel(other), BasicCancelOk)
    expect_gone(client, queue)


def test_it_is_gone_before_the_channel_of_its_last_consumer_is_closed(client: Client, name: Name) -> None:
    queue = name("queue")
    client.channel(2)
    for _ in range(20):
        declare(client, queue, auto_delete=True)
        consume(client, queue, channel=2)
        close_channel(client, 2)
        expect_gone(client, queue)
        client.channel(2)


def test_it_is_gone_before_the_connection_of_its_last_consumer_is_closed(
    client: Client, connect: Connect, name: Name
) -> None:
    queue = name("queue")
    declare(client, queue, auto_delete=True)
    other = connect()
    other.channel(1)
    consume(other, queue)
    other.close()
    expect_gone(client, queue)


def test_its_messages_go_with_it(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, auto_delete=True)
    client.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    tag = consume(client, queue)
    for body in (b"unacked", b"ready"):
        client.publish(1, "", queue, body)
    delivery = delivered(client)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    assert declare(client, queue, auto_delete=True).message_count == 0
    client.send(1, BasicNack(delivery.method.delivery_tag))
    assert drain(client, queue) == []


def test_gets_do_not_make_it_go(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, auto_delete=True)
    client.channel(2)
    client.send(2, BasicGet(queue=queue))
    client.receive()
    close_channel(client, 2)
    assert declare(client, queue, passive=True).queue == queue
