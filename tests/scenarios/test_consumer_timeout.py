"""Whoever does not settle a delivery in time loses his channel."""

from __future__ import annotations

import pytest
from steps import Name, consume, declare, delivered, expect_channel_error, get

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicGet, BasicGetOk

TEXT = (
    "delivery acknowledgement on channel 1 timed out. Timeout value used: 500 ms."
    " This timeout value can be configured, see consumers doc guide to learn more"
)

pytestmark = pytest.mark.ours("3.10 has no x-consumer-timeout, and looks once a minute")


@pytest.fixture
def queue(client: Client, name: Name) -> str:
    queue = name("queue")
    declare(client, queue, arguments={"x-consumer-timeout": 500})
    return queue


def test_a_consumer_that_does_not_ack(client: Client, queue: str) -> None:
    consume(client, queue)
    client.publish(1, "", queue, b"message")
    delivered(client)
    expect_channel_error(client, 406, TEXT, None)
    again = get(client, queue)
    assert again is not None
    assert (again.body, again.method.redelivered) == (b"message", True)


def test_a_message_that_was_got(client: Client, queue: str) -> None:
    client.publish(1, "", queue, b"message")
    client.call(1, BasicGet(queue=queue), BasicGetOk)
    expect_channel_error(client, 406, TEXT, None)


def test_a_consumer_that_acks_goes_on(client: Client, queue: str) -> None:
    consume(client, queue)
    for tag in range(1, 4):
        client.publish(1, "", queue)
        delivered(client)
        assert client.silence(0.3)
        client.send(1, BasicAck(tag))
    assert client.silence(0.8)
