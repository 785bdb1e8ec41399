"""Dead letters that would go round for ever do not; those that somebody rejected may."""

from __future__ import annotations

from typing import Any

from steps import Name, bind, declare, declare_exchange, drain, expect_ready, fill, get, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicReject


def dying(client: Client, queue: str, key: str, exchange: str = "", **arguments: Any) -> str:
    declare(
        client,
        queue,
        arguments={"x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": key, **arguments},
    )
    return queue


def test_what_expired_does_not_come_back(client: Client, name: Name) -> None:
    one, two = name("one"), name("two")
    dying(client, one, two, **{"x-message-ttl": 50})
    dying(client, two, one, **{"x-message-ttl": 300})
    fill(client, one, b"a")
    expect_ready(client, two, 1)
    expect_ready(client, two, 0)
    assert client.silence()
    assert drain(client, one) == []


def test_not_even_to_where_it_was(client: Client, name: Name) -> None:
    queue = name("queue")
    dying(client, queue, queue, **{"x-message-ttl": 50})
    fill(client, queue, b"a")
    expect_ready(client, queue, 0)
    assert client.silence()
    expect_ready(client, queue, 0)


def test_other_queues_get_it_still(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("dlx"), "fanout")
    queue = dying(client, name("queue"), "", exchange, **{"x-message-ttl": 50})
    other = name("other")
    declare(client, other)
    for bound in (queue, other):
        bind(client, bound, exchange)
    fill(client, queue, b"a")
    expect_ready(client, other, 1)
    expect_ready(client, queue, 0)


def test_what_was_rejected_comes_back(client: Client, name: Name) -> None:
    queue = name("queue")
    dying(client, queue, queue)
    fill(client, queue, b"a")
    for _ in range(3):
        client.send(1, BasicReject(take(client, queue), requeue=False))
        expect_ready(client, queue, 1)
    command = get(client, queue)
    assert command is not None
    assert [death["count"] for death in command.properties.headers["x-death"]] == [3]  # type: ignore[union-attr, index]
