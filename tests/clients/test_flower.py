"""Flower, Celery's monitor: what it asks the management API for."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from flower.utils.broker import Broker

from amqpd.testing.client import Client
from amqpd.wire.methods import QueueDeclare, QueueDeclareOk, QueueDelete, QueueDeleteOk

from .conftest import Served

SHOWN = ("name", "messages", "messages_unacknowledged", "messages_ready", "consumers", "idle_since")
"""The columns of its page on the broker."""


@pytest.mark.parametrize("login", ["guest:guest@", ""])
def test_the_queues_of_the_workers(served: Served, login: str) -> None:
    """With the user in the address of the API, or that of the broker's."""
    name = f"t.{secrets.token_hex(4)}"
    with Client(served.amqp) as client:
        client.channel(1)
        client.call(1, QueueDeclare(queue=name, durable=True), QueueDeclareOk)
        client.publish(1, "", name, b"x")
        client.call(1, QueueDeclare(queue=name, durable=True, passive=True), QueueDeclareOk)  # after the message
        flower = Broker(served.amqp, http_api=f"http://{login}127.0.0.1:{served.http_port}/api/")
        (queue,) = asyncio.run(flower.queues([name, "another"]))
        client.call(1, QueueDelete(queue=name), QueueDeleteOk)
    assert set(SHOWN) <= queue.keys()
    assert [queue[column] for column in SHOWN[:-1]] == [name, 1, 0, 1, 0]
