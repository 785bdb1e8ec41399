"""Quorum queues with priorities: two levels from 4.0 on, of which the higher has two turns in three."""

from __future__ import annotations

import pytest
from steps import Name, consume, declare, delivered, drain, fill, get, reopen_channel

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicQos, BasicQosOk, BasicReject
from amqpd.wire.properties import Properties

pytestmark = pytest.mark.ours("RabbitMQ has this from 4.0 on")


@pytest.fixture
def queue(client: Client, name: Name) -> str:
    return declare(client, name("queue"), durable=True, arguments={"x-queue-type": "quorum"}).queue


def fill_with(client: Client, queue: str, **priorities: int | None) -> None:
    for body, priority in priorities.items():
        fill(client, queue, body.encode(), properties=Properties(priority=priority, delivery_mode=2))


def test_the_higher_ones_have_two_turns_in_three(client: Client, queue: str) -> None:
    fill_with(client, queue, a=0, b=None, c=4, D=5, E=9, F=255, G=5)
    assert b"".join(drain(client, queue)) == b"DEaFGbc"


def test_consumers_get_them_in_this_order(client: Client, queue: str) -> None:
    fill_with(client, queue, a=1, b=1, C=9, D=9, E=9)
    client.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    consume(client, queue)
    found = b""
    for _ in range(5):
        command = delivered(client)
        found += command.body
        client.send(1, BasicAck(command.method.delivery_tag))  # type: ignore[union-attr]
    assert found == b"CDaEb"


def test_what_comes_back_keeps_its_priority_and_its_place(client: Client, queue: str) -> None:
    fill_with(client, queue, a=1, B=9, C=9)
    command = get(client, queue, no_ack=False)
    assert command is not None
    assert command.body == b"B"
    client.send(1, BasicReject(command.method.delivery_tag, requeue=True))  # type: ignore[union-attr]
    assert b"".join(drain(client, queue)) == b"BaC"


def test_what_a_closed_channel_had_does_too(client: Client, queue: str) -> None:
    fill_with(client, queue, a=1, B=9, C=9)
    for _ in range(3):
        get(client, queue, no_ack=False)
    reopen_channel(client)
    assert b"".join(drain(client, queue)) == b"BCa"
