"""The redelivered flag says whether a message was handed out before."""

from __future__ import annotations

from steps import Connect, Name, consume, declare, delivered, fill, get, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicCancel, BasicCancelOk, BasicNack, BasicQos, BasicQosOk


def test_a_message_is_redelivered_from_the_second_time_on(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"message")
    for redelivered in (False, True, True):
        got = get(client, queue, no_ack=False).method
        assert got.redelivered is redelivered
        client.send(1, BasicNack(got.delivery_tag))


def test_messages_that_were_never_out_are_not(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"was out", b"was not")
    take(client, queue)
    reopen_channel(client)
    first, second = get(client, queue), get(client, queue)
    assert (first.body, first.method.redelivered) == (b"was out", True)
    assert (second.body, second.method.redelivered) == (b"was not", False)


def test_what_a_consumer_held_is_redelivered_when_its_channel_closes(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1", b"2", b"3")
    client.call(1, BasicQos(prefetch_count=2), BasicQosOk)
    consume(client, queue)
    delivered(client)
    delivered(client)
    reopen_channel(client)
    assert [get(client, queue).method.redelivered for _ in range(3)] == [True, True, False]


def test_what_a_cancelled_consumer_held_is_redelivered(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"message")
    tag = consume(client, queue)
    delivery = delivered(client).method
    client.call(1, BasicCancel(tag), BasicCancelOk)
    client.send(1, BasicNack(delivery.delivery_tag))
    assert get(client, queue).method.redelivered


def test_what_a_lost_connection_held_is_redelivered(client: Client, connect: Connect, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    fill(client, queue, b"message")
    other = connect()
    other.channel(1)
    consume(other, queue)
    assert not delivered(other).method.redelivered
    consume(client, queue)
    other.drop()
    assert delivered(client).method.redelivered
