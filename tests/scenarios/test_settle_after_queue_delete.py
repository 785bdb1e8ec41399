"""What is unacked when its queue is deleted can be settled, to no effect."""

from __future__ import annotations

import pytest
from steps import Name, declare, delete, drain, fill, own_queue, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicNack, BasicRecover, BasicRecoverOk, BasicReject
from amqpd.wire.schema import Method


@pytest.mark.parametrize(
    "method",
    [
        BasicAck(1),
        BasicAck(2, multiple=True),
        BasicAck(0, multiple=True),
        BasicNack(1, requeue=True),
        BasicNack(2, multiple=True, requeue=True),
        BasicNack(1, requeue=False),
        BasicReject(2, requeue=True),
        BasicReject(2, requeue=False),
    ],
    ids=str,
)
def test_settling_is_fine(client: Client, name: Name, method: Method) -> None:
    queue = name("queue")
    declare(client, queue)
    fill(client, queue, b"1", b"2", b"3")
    take(client, queue)
    take(client, queue)
    delete(client, queue)
    declare(client, queue)
    client.send(1, method)
    assert drain(client, queue) == []


def test_multiple_covers_a_deleted_queue_and_others(client: Client) -> None:
    gone, kept = own_queue(client), own_queue(client)
    fill(client, gone, b"gone")
    fill(client, kept, b"kept")
    take(client, gone)
    take(client, kept)
    delete(client, gone)
    client.send(1, BasicNack(2, multiple=True))
    assert drain(client, kept) == [b"kept"]


def test_recovering_is_fine(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1")
    take(client, queue)
    delete(client, queue)
    client.call(1, BasicRecover(requeue=True), BasicRecoverOk)
