"""A delivery tag that is not outstanding on the channel closes it."""

from __future__ import annotations

import pytest
from steps import consume, delivered, drain, expect_channel_error, fill, get, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicNack, BasicReject
from amqpd.wire.schema import Method


@pytest.mark.parametrize(
    "method",
    [
        BasicAck(1),
        BasicAck(0),
        BasicAck(5),
        BasicAck((1 << 64) - 1),
        BasicAck(5, multiple=True),
        BasicNack(1),
        BasicNack(0),
        BasicNack(5, multiple=True),
        BasicNack(5, requeue=False),
        BasicReject(1),
        BasicReject(0),
        BasicReject(5, requeue=False),
    ],
    ids=str,
)
def test_a_tag_that_was_never_given_out(client: Client, method: Method) -> None:
    client.send(1, method)
    expect_channel_error(client, 406, f"unknown delivery tag {method.delivery_tag}", type(method))


@pytest.mark.parametrize("method", [BasicAck(1), BasicAck(1, multiple=True), BasicNack(1), BasicReject(1)], ids=str)
def test_a_tag_that_is_settled(client: Client, method: Method) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two")
    take(client, queue)
    take(client, queue)
    client.send(1, BasicAck(1), method)
    expect_channel_error(client, 406, "unknown delivery tag 1", type(method))
    assert drain(client, queue) == [b"two"]


def test_a_tag_between_others_that_is_settled(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two", b"three")
    for _ in range(3):
        take(client, queue)
    client.send(1, BasicAck(2), BasicAck(2, multiple=True))
    expect_channel_error(client, 406, "unknown delivery tag 2", BasicAck)
    assert drain(client, queue) == [b"one", b"three"]


def test_a_tag_of_a_delivery_without_ack(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one")
    tag = get(client, queue, no_ack=True).method.delivery_tag
    client.send(1, BasicAck(tag))
    expect_channel_error(client, 406, f"unknown delivery tag {tag}", BasicAck)


def test_a_tag_of_a_consumer_without_acks(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one")
    consume(client, queue, no_ack=True)
    tag = delivered(client).method.delivery_tag
    client.send(1, BasicReject(tag, requeue=True))
    expect_channel_error(client, 406, f"unknown delivery tag {tag}", BasicReject)


def test_a_tag_of_another_channel(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    fill(client, queue, b"one")
    tag = take(client, queue, channel=1)
    client.send(2, BasicAck(tag))
    expect_channel_error(client, 406, f"unknown delivery tag {tag}", BasicAck, channel=2)


def test_a_tag_above_all_that_are_outstanding(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two")
    take(client, queue)
    take(client, queue)
    client.send(1, BasicAck(3, multiple=True))
    expect_channel_error(client, 406, "unknown delivery tag 3", BasicAck)
    assert drain(client, queue) == [b"one", b"two"]


def test_a_tag_of_the_channel_before(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one")
    tag = take(client, queue)
    reopen_channel(client)
    client.send(1, BasicAck(tag))
    expect_channel_error(client, 406, f"unknown delivery tag {tag}", BasicAck)
