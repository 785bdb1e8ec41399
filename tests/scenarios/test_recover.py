"""basic.recover: all that is unacked on the channel goes back to the queues."""

from __future__ import annotations

import pytest
from steps import consume, delivered, drain, expect_channel_error, expect_connection_error, fill, own_queue, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicRecover, BasicRecoverAsync, BasicRecoverOk
from amqpd.wire.schema import Method


def test_messages_come_again_after_recover_ok(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1", b"2")
    consume(client, queue)
    for redelivered in (False, True):
        deliveries = [delivered(client) for _ in range(2)]
        assert [delivery.body for delivery in deliveries] == [b"1", b"2"]
        assert all(delivery.method.redelivered is redelivered for delivery in deliveries)
        client.call(1, BasicRecover(requeue=True), BasicRecoverOk)


def test_recover_async_does_the_same_without_an_answer(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1")
    consume(client, queue)
    assert delivered(client).method.delivery_tag == 1
    client.send(1, BasicRecoverAsync(requeue=True))
    delivery = delivered(client).method
    assert (delivery.delivery_tag, delivery.redelivered) == (2, True)


def test_gets_are_recovered_too(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    fill(client, one, b"1", b"2")
    fill(client, other, b"3")
    take(client, one)
    take(client, other)
    client.call(1, BasicRecover(requeue=True), BasicRecoverOk)
    assert drain(client, one) == [b"1", b"2"]
    assert drain(client, other) == [b"3"]


def test_old_tags_are_unknown_afterwards(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1")
    take(client, queue)
    client.call(1, BasicRecover(requeue=True), BasicRecoverOk)
    client.send(1, BasicAck(1))
    expect_channel_error(client, 406, "unknown delivery tag 1", BasicAck)


def test_other_channels_keep_what_they_have(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    fill(client, queue, b"1")
    take(client, queue, channel=2)
    client.call(1, BasicRecover(requeue=True), BasicRecoverOk)
    assert drain(client, queue) == []
    client.call(2, BasicRecover(requeue=True), BasicRecoverOk)
    assert drain(client, queue) == [b"1"]


def test_a_message_may_go_to_another_consumer(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    fill(client, queue, b"1")
    take(client, queue)
    consume(client, queue, channel=2)
    client.send(1, BasicRecoverAsync(requeue=True))
    assert delivered(client, channel=2).body == b"1"


@pytest.mark.parametrize("method", [BasicRecover(requeue=False), BasicRecoverAsync(requeue=False)], ids=str)
def test_recovery_to_the_same_consumer_is_not_implemented(client: Client, method: Method) -> None:
    client.send(1, method)
    expect_connection_error(client, 540, "requeue=false", type(method))
