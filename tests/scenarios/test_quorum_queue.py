"""Quorum queues: what they are asked for, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from steps import (
    Name,
    consume,
    declare,
    delete,
    deliveries,
    drain,
    expect_channel_error,
    expect_connection_error,
    expect_ready,
    fill,
    version,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicConsume, BasicQos, BasicQosOk, QueueDeclare, QueueDelete
from amqpd.wire.properties import Properties

QUORUM = {"x-queue-type": "quorum"}


def test_messages_go_in_and_out(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True, arguments=QUORUM)
    fill(client, queue, b"a", b"b", properties=Properties(delivery_mode=1))
    assert drain(client, queue) == [b"a", b"b"]
    fill(client, queue, b"c", b"d")
    consume(client, queue)
    assert deliveries(client, 2) == [b"c", b"d"]


def test_it_is_equal_to_itself_alone(client: Client, name: Name) -> None:
    queue = name("queue")
    arguments = {**QUORUM, "x-delivery-limit": 3}
    declare(client, queue, durable=True, arguments=arguments)
    declare(client, queue, durable=True, arguments=arguments)
    client.send(1, QueueDeclare(queue=queue, durable=True, arguments={"x-delivery-limit": 3}))
    text = "received none but current is the value 'quorum' of type 'longstr'"
    if version(client) >= (4, 0):  # where who gives no type means the classic one
        text = "received 'classic' but current is 'quorum'"
    expect_channel_error(
        client, 406, f"inequivalent arg 'x-queue-type' for queue '{queue}' in vhost '/': {text}", QueueDeclare
    )
    client.send(1, QueueDeclare(queue=queue, durable=True, arguments={**QUORUM, "x-delivery-limit": 4}))
    text = "received '4' but current is '3'"
    expect_channel_error(
        client, 406, f"inequivalent arg 'x-delivery-limit' for queue '{queue}' in vhost '/': {text}", QueueDeclare
    )


@pytest.mark.parametrize(
    ("options", "forbidden"),
    [
        ({}, "non-durable"),
        ({"durable": True, "exclusive": True}, "exclusive-owner"),
        ({"durable": True, "auto_delete": True}, "auto-delete"),
        ({"auto_delete": True}, "auto-delete"),
        ({"exclusive": True, "auto_delete": True}, "auto-delete"),
    ],
)
def test_it_has_to_be_there_to_stay(client: Client, name: Name, options: dict[str, Any], forbidden: str) -> None:
    queue = name("queue")
    client.send(1, QueueDeclare(queue=queue, arguments=QUORUM, **options))
    text = f"invalid property '{forbidden}' for queue '{queue}' in vhost '/'"
    expect_channel_error(client, 406, text, QueueDeclare)


@pytest.mark.ours("RabbitMQ 3.10 calls the type rabbit_quorum_queue")
def test_it_has_to_have_a_name(client: Client) -> None:
    client.send(1, QueueDeclare(durable=True, arguments=QUORUM))
    expect_channel_error(client, 406, "Cannot declare a server-named queue for type quorum", QueueDeclare)


@pytest.mark.parametrize(("argument", "value"), [("x-max-priority", 5), ("x-queue-mode", "lazy"), ("x-max-age", "1D")])
def test_arguments_of_other_queue_types_are_refused(client: Client, name: Name, argument: str, value: Any) -> None:
    queue = name("queue")
    client.send(1, QueueDeclare(queue=queue, durable=True, arguments={**QUORUM, argument: value}))
    text = f"invalid arg '{argument}' for queue '{queue}' in vhost '/' of queue type rabbit_quorum_queue"
    expect_channel_error(client, 406, text, QueueDeclare)


@pytest.mark.parametrize(
    ("argument", "value", "reason"),
    [
        pytest.param(
            "x-delivery-limit",
            "3",
            '"expected integer, got longstr"',
            marks=pytest.mark.ours("RabbitMQ 3.10 does not look at it"),
        ),
        ("x-dead-letter-strategy", "sometimes", "invalid_dlx_strategy"),
        ("x-quorum-initial-group-size", 0, "{value_zero,0}"),
        ("x-max-in-memory-length", -1, "{value_negative,-1}"),
    ],
)
def test_values_are_checked(client: Client, name: Name, argument: str, value: Any, reason: str) -> None:
    queue = name("queue")
    client.send(1, QueueDeclare(queue=queue, durable=True, arguments={**QUORUM, argument: value}))
    text = f"invalid arg '{argument}' for queue '{queue}' in vhost '/': {reason}"
    expect_channel_error(client, 406, text, QueueDeclare)


@pytest.mark.parametrize(
    "arguments",
    [
        {"x-message-ttl": 60000, "x-expires": 60000, "x-max-length": 10, "x-max-length-bytes": 10},
        {"x-overflow": "reject-publish", "x-dead-letter-exchange": "", "x-dead-letter-strategy": "at-least-once"},
        {"x-max-in-memory-length": 5, "x-max-in-memory-bytes": 5, "x-quorum-initial-group-size": 1},
        {"x-queue-leader-locator": "client-local", "x-single-active-consumer": True},
    ],
)
def test_these_arguments_are_taken(client: Client, name: Name, arguments: dict[str, Any]) -> None:
    declare(client, name("queue"), durable=True, arguments={**QUORUM, **arguments})


@pytest.mark.parametrize("flag", ["if_unused", "if_empty"])
def test_it_is_deleted_without_conditions(client: Client, name: Name, flag: str) -> None:
    queue = name("queue")
    declare(client, queue, durable=True, arguments=QUORUM)
    client.send(1, QueueDelete(queue=queue, **{flag: True}))
    text = (
        f"cannot delete queue '{queue}' in vhost '/'. queue.delete operations with {flag.replace('_', '-')} flag set"
        " are not supported by quorum queues"
    )
    expect_connection_error(client, 540, text, QueueDelete)


def test_a_limit_of_the_whole_channel_does_not_go_with_it(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True, arguments=QUORUM)
    client.call(1, BasicQos(prefetch_count=5, global_=True), BasicQosOk)
    client.send(1, BasicConsume(queue=queue))
    expect_connection_error(client, 540, f"queue '{queue}' in vhost '/' does not support global qos", BasicConsume)


def test_length_and_lifetime_are_limited_as_elsewhere(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True, arguments={**QUORUM, "x-max-length": 2, "x-message-ttl": 300})
    fill(client, queue, b"a", b"b", b"c")
    expect_ready(client, queue, 2)
    expect_ready(client, queue, 0)
    assert delete(client, queue) == 0
