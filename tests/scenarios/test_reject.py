"""basic.reject and basic.nack: back to the queue, or away."""

from __future__ import annotations

import pytest
from steps import consume, delivered, drain, fill, get, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicNack, BasicReject
from amqpd.wire.schema import Method

BODIES = [b"1", b"2", b"3", b"4", b"5"]


@pytest.mark.parametrize("method", [BasicReject(1, requeue=True), BasicNack(1, requeue=True)], ids=str)
def test_a_message_refused_with_requeue_comes_again(client: Client, method: Method) -> None:
    queue = own_queue(client)
    fill(client, queue, b"again")
    take(client, queue)
    client.send(1, method)
    got = get(client, queue)
    assert (got.body, got.method.redelivered) == (b"again", True)


@pytest.mark.parametrize("method", [BasicReject(1, requeue=False), BasicNack(1, requeue=False)], ids=str)
def test_a_message_refused_without_requeue_is_gone(client: Client, method: Method) -> None:
    queue = own_queue(client)
    fill(client, queue, b"gone")
    take(client, queue)
    client.send(1, method)
    reopen_channel(client)
    assert drain(client, queue) == []


def test_a_message_requeued_may_come_to_the_same_consumer(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"again")
    consume(client, queue)
    for tag in range(1, 5):
        delivery = delivered(client).method
        assert (delivery.delivery_tag, delivery.redelivered) == (tag, tag > 1)
        client.send(1, BasicReject(tag, requeue=True))


def test_nack_multiple_refuses_all_up_to_a_tag(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in BODIES:
        take(client, queue)
    client.send(1, BasicNack(2, multiple=True, requeue=False), BasicNack(4, multiple=True, requeue=True))
    assert drain(client, queue) == [b"3", b"4"]
    reopen_channel(client)
    assert drain(client, queue) == [b"5"]


@pytest.mark.parametrize("requeue", [True, False])
def test_nack_multiple_with_tag_zero_refuses_all(client: Client, requeue: bool) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in BODIES:
        take(client, queue)
    client.send(1, BasicNack(0, multiple=True, requeue=requeue))
    assert drain(client, queue) == (BODIES if requeue else [])


def test_nack_multiple_with_tag_zero_refuses_nothing_when_there_is_nothing(client: Client) -> None:
    client.send(1, BasicNack(0, multiple=True))
    own_queue(client)
