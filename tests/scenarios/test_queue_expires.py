"""x-expires: how long a queue stays that nobody uses."""

from __future__ import annotations

import time

from steps import Name, consume, declare, expect_channel_error, fill, get

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicCancel, BasicCancelOk, QueueDeclare

LEASE = {"x-expires": 400}


def expect_gone(client: Client, queue: str) -> None:
    client.send(1, QueueDeclare(queue=queue, passive=True))
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", QueueDeclare)


def test_a_queue_nobody_uses_is_deleted(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments=LEASE)
    time.sleep(0.7)
    expect_gone(client, queue)


def test_publishing_is_no_use(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments=LEASE)
    time.sleep(0.25)
    fill(client, queue, b"a")
    time.sleep(0.3)
    expect_gone(client, queue)


def test_declaring_and_getting_is(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments=LEASE)
    time.sleep(0.25)
    declare(client, queue, passive=True)
    time.sleep(0.25)
    declare(client, queue, arguments=LEASE)
    time.sleep(0.25)
    assert get(client, queue) is None
    time.sleep(0.25)
    declare(client, queue, passive=True)
    time.sleep(0.7)
    expect_gone(client, queue)


def test_a_queue_with_a_consumer_stays(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments=LEASE)
    tag = consume(client, queue)
    time.sleep(0.7)
    declare(client, queue, passive=True)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    time.sleep(0.7)
    expect_gone(client, queue)
