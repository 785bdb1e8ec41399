"""x-dead-letter-exchange: which messages go there, and where that leads."""

from __future__ import annotations

from typing import Any

import pytest
from steps import (
    Name,
    bind,
    consume,
    declare,
    declare_exchange,
    delete,
    delivered,
    drain,
    expect_ready,
    fill,
    own_queue,
    take,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicNack, BasicReject, QueuePurge, QueuePurgeOk


def dying(client: Client, dead: str, **arguments: Any) -> str:
    """A queue whose dead letters go to another; arguments without their `x-`, and with underscores."""
    named = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
    letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
    return own_queue(client, arguments={**letters, **named})


@pytest.mark.parametrize("method", [BasicReject, BasicNack])
def test_rejected_messages_do(client: Client, method: Any) -> None:
    dead = own_queue(client)
    queue = dying(client, dead)
    fill(client, queue, b"a", b"b")
    client.send(1, method(take(client, queue), requeue=False))
    expect_ready(client, dead, 1)
    assert (drain(client, dead), drain(client, queue)) == ([b"a"], [b"b"])


def test_expired_messages_do(client: Client) -> None:
    dead = own_queue(client)
    fill(client, dying(client, dead, message_ttl=100), b"a", b"b")
    expect_ready(client, dead, 2)
    assert drain(client, dead) == [b"a", b"b"]


def test_messages_that_had_to_make_room_do(client: Client) -> None:
    dead = own_queue(client)
    fill(client, dying(client, dead, max_length=1), b"a", b"b")
    expect_ready(client, dead, 1)
    assert drain(client, dead) == [b"a"]


def test_acked_and_purged_messages_do_not(client: Client) -> None:
    dead = own_queue(client)
    queue = dying(client, dead)
    fill(client, queue, b"a")
    client.call(1, QueuePurge(queue=queue), QueuePurgeOk)
    fill(client, queue, b"b")
    assert drain(client, queue) == [b"b"]
    assert client.silence()
    expect_ready(client, dead, 0)


def test_messages_of_a_deleted_queue_do_not(client: Client) -> None:
    dead = own_queue(client)
    queue = dying(client, dead)
    fill(client, queue, b"a")
    delete(client, queue)
    assert client.silence()
    expect_ready(client, dead, 0)


def test_the_routing_key_stays_when_none_is_given(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("dlx"))
    queue = own_queue(client, arguments={"x-dead-letter-exchange": exchange})
    dead = own_queue(client)
    bind(client, dead, exchange, queue)
    fill(client, queue, b"a")
    client.send(1, BasicReject(take(client, queue), requeue=False))
    consume(client, dead)
    method = delivered(client).method
    assert (method.exchange, method.routing_key) == (exchange, queue)  # type: ignore[union-attr]


def test_without_the_exchange_they_are_gone_until_it_is_there(client: Client, name: Name) -> None:
    exchange = name("dlx")
    queue = own_queue(client, arguments={"x-dead-letter-exchange": exchange})
    fill(client, queue, b"a", b"b")
    client.send(1, BasicReject(take(client, queue), requeue=False))
    expect_ready(client, queue, 1)
    declare_exchange(client, exchange, "fanout")
    dead = own_queue(client)
    bind(client, dead, exchange)
    client.send(1, BasicReject(take(client, queue), requeue=False))
    expect_ready(client, dead, 1)
    assert drain(client, dead) == [b"b"]


def test_an_internal_exchange_will_do(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("dlx"), "fanout", internal=True)
    queue = own_queue(client, arguments={"x-dead-letter-exchange": exchange, "x-max-length": 0})
    dead = own_queue(client)
    bind(client, dead, exchange)
    fill(client, queue, b"a")
    expect_ready(client, dead, 1)


def test_a_whole_delay_goes_round(client: Client, name: Name) -> None:
    """Retrying later, as applications do: reject, wait in a queue with a TTL, come back."""
    work, wait = name("work"), name("wait")
    declare(client, work, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": wait})
    back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": work, "x-message-ttl": 100}
    declare(client, wait, arguments=back)
    consume(client, work)
    client.publish(1, "", work, b"a")
    for _ in range(3):
        method = delivered(client).method
        client.send(1, BasicReject(method.delivery_tag, requeue=False))  # type: ignore[union-attr]
    assert delivered(client).properties.headers["x-death"][0]["count"] == 3  # type: ignore[union-attr, index]
