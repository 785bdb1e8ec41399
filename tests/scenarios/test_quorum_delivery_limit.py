"""Quorum queues count how often a message comes back, tell consumers, and put an end to it."""

from __future__ import annotations

from typing import Any

import pytest
from steps import Name, consume, declare, delivered, drain, expect_ready, get, own_queue, reopen_channel

from amqpd.testing.client import Client, Command
from amqpd.wire.methods import BasicNack, BasicReject


def quorum(client: Client, queue: str, **arguments: Any) -> str:
    declare(client, queue, durable=True, arguments={"x-queue-type": "quorum", **arguments})
    return queue


def count(command: Command) -> int | None:
    """The header x-delivery-count."""
    assert command.properties is not None
    found: int | None = (command.properties.headers or {}).get("x-delivery-count")
    return found


def reject(client: Client, command: Command) -> None:
    client.send(1, BasicReject(command.method.delivery_tag, requeue=True))  # type: ignore[union-attr]


def test_redeliveries_are_counted(client: Client, name: Name) -> None:
    consume(client, queue := quorum(client, name("queue")))
    client.publish(1, "", queue, b"a")
    counts = []
    for _ in range(4):
        command = delivered(client)
        counts.append((count(command), command.method.redelivered))  # type: ignore[union-attr]
        reject(client, command)
    assert counts == [(None, False), (1, True), (2, True), (3, True)]


def test_a_closed_channel_counts(client: Client, name: Name) -> None:
    queue = quorum(client, name("queue"))
    consume(client, queue)
    client.publish(1, "", queue, b"a")
    assert count(delivered(client)) is None
    reopen_channel(client)
    consume(client, queue)
    assert count(delivered(client)) == 1


def test_a_get_is_a_delivery(client: Client, name: Name) -> None:
    queue = quorum(client, name("queue"))
    client.publish(1, "", queue, b"a")
    expect_ready(client, queue, 1)
    for expected in (0, 1, 2):
        command = get(client, queue, no_ack=False)
        assert command is not None
        assert (count(command) or 0) == expected  # RabbitMQ says 0 where consumers are told nothing
        reject(client, command)
        expect_ready(client, queue, 1)


def test_what_came_back_too_often_is_gone(client: Client, name: Name) -> None:
    consume(client, queue := quorum(client, name("queue"), **{"x-delivery-limit": 2}))
    client.publish(1, "", queue, b"a")
    for _ in range(3):
        reject(client, delivered(client))
    assert client.silence()
    assert drain(client, queue) == []


def test_it_is_a_dead_letter(client: Client, name: Name) -> None:
    dead = own_queue(client)
    arguments = {"x-delivery-limit": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
    consume(client, queue := quorum(client, name("queue"), **arguments))
    client.publish(1, "", queue, b"a")
    for _ in range(2):
        reject(client, delivered(client))
    expect_ready(client, dead, 1)
    command = get(client, dead)
    assert command is not None
    headers = command.properties.headers  # type: ignore[union-attr]
    assert headers is not None
    assert [(death["reason"], death["queue"]) for death in headers["x-death"]] == [("delivery_limit", queue)]
    assert headers["x-first-death-reason"] == "delivery_limit"
    assert "x-delivery-count" not in headers


@pytest.mark.ours("the limit of 20 came with 4.0")
def test_there_is_a_limit_even_if_none_is_given(client: Client, name: Name) -> None:
    consume(client, queue := quorum(client, name("queue")))
    client.publish(1, "", queue, b"a")
    for _ in range(21):
        reject(client, delivered(client))
    assert client.silence()


@pytest.mark.ours("basic.nack counts before 4.3; `compat` chooses")
def test_a_nack_does_not_count(client: Client, name: Name) -> None:
    consume(client, queue := quorum(client, name("queue"), **{"x-delivery-limit": 1}))
    client.publish(1, "", queue, b"a")
    for _ in range(5):
        command = delivered(client)
        assert count(command) is None
        client.send(1, BasicNack(command.method.delivery_tag, requeue=True))  # type: ignore[union-attr]
