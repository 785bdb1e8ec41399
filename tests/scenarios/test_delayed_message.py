"""The delayed-message exchange. RabbitMQ has it from a plug-in that it does not bring along."""

from __future__ import annotations

import time

import pytest
from steps import Name, bind, consume, declare_exchange, delivered, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicReturn, ExchangeDeclare
from amqpd.wire.properties import Properties

pytestmark = pytest.mark.ours("the plug-in is not installed there")

KIND = "x-delayed-message"


def later(milliseconds: int) -> Properties:
    return Properties(headers={"x-delay": milliseconds})


def test_messages_come_when_it_is_time(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND, arguments={"x-delayed-type": "direct"})
    queue = own_queue(client)
    bind(client, queue, exchange, "key")
    consume(client, queue, no_ack=True)
    start = time.monotonic()
    for delay in (300, 100):
        client.publish(1, exchange, "key", b"%d" % delay, later(delay))
    client.publish(1, exchange, "key", b"0")
    client.publish(1, exchange, "other", b"nowhere", later(50))
    for delay in (0, 100, 300):
        received = delivered(client)
        assert received.body == b"%d" % delay
        assert time.monotonic() - start >= delay / 1000 - 0.01
        if delay:
            assert received.properties == later(-delay)


def test_a_mandatory_message_is_returned_at_once(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND, arguments={"x-delayed-type": "fanout"})
    queue = own_queue(client)
    bind(client, queue, exchange)
    client.publish(1, exchange, "", b"message", later(60_000), mandatory=True)
    assert client.expect_command(1, BasicReturn).body == b"message"
    assert drain(client, queue) == []


def test_the_type_behind_it_has_to_be_named(client: Client, name: Name) -> None:
    client.send(1, ExchangeDeclare(exchange=name(), type=KIND))
    reason = "Invalid argument, 'x-delayed-type' must be an existing exchange type"
    expect_channel_error(client, 406, reason, ExchangeDeclare)
