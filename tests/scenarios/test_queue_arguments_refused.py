"""Arguments of queue.declare that hold what they must not."""

from __future__ import annotations

from typing import Any

import pytest
from steps import declare, expect_channel_error

from amqpd.testing.client import Client
from amqpd.wire.fields import Int32
from amqpd.wire.methods import QueueDeclare

QUEUE = "t.refused"


@pytest.mark.parametrize(
    ("argument", "value", "reason"),
    [
        ("x-message-ttl", -1, "{value_negative,-1}"),
        ("x-message-ttl", Int32(-1), "{value_negative,-1}"),
        ("x-message-ttl", "a", '"expected integer, got longstr"'),
        ("x-message-ttl", 1.5, '"expected integer, got double"'),
        ("x-message-ttl", True, '"expected integer, got bool"'),
        ("x-message-ttl", 315360000001, "{value_too_large,315360000001}"),
        ("x-expires", 0, "{value_zero,0}"),
        ("x-expires", -1, "{value_negative,-1}"),
        ("x-expires", "60000", '"expected integer, got longstr"'),
        ("x-expires", 315360000001, "{value_too_large,315360000001}"),
        ("x-max-length", -1, "{value_negative,-1}"),
        ("x-max-length", "5", '"expected integer, got longstr"'),
        ("x-max-length-bytes", -1, "{value_negative,-1}"),
        ("x-max-length-bytes", [], '"expected integer, got array"'),
        ("x-max-priority", 256, "{max_value_exceeded,256}"),
        ("x-max-priority", -1, "{value_negative,-1}"),
        ("x-max-priority", "9", '"expected integer, got longstr"'),
        ("x-dead-letter-routing-key", "key", "routing_key_but_no_dlx_defined"),
        ("x-overflow", "drop-tail", "invalid_overflow"),
        ("x-single-active-consumer", "true", "{unacceptable_type,longstr}"),
        ("x-queue-mode", "eager", "\"unsupported queue mode 'eager'\""),
        ("x-queue-mode", 5, "{unacceptable_type,long}"),
        ("x-queue-version", -1, "{value_negative,-1}"),
        ("x-queue-type", "ring", "\"unsupported queue type 'ring'\""),
    ],
)
def test_the_reason_is_given(client: Client, argument: str, value: Any, reason: str) -> None:
    client.send(1, QueueDeclare(queue=QUEUE, arguments={argument: value}))
    text = f"invalid arg '{argument}' for queue '{QUEUE}' in vhost '/': {reason}"
    expect_channel_error(client, 406, text, QueueDeclare)
    client.send(1, QueueDeclare(queue=QUEUE, passive=True))
    expect_channel_error(client, 404, f"no queue '{QUEUE}' in vhost '/'", QueueDeclare)


def test_of_several_faults_one_is_named_whatever_their_order(client: Client) -> None:
    faults = [("x-overflow", "drop-tail"), ("x-max-age", 5), ("x-expires", 0)]
    text = f"invalid arg 'x-expires' for queue '{QUEUE}' in vhost '/': {{value_zero,0}}"
    for arguments in (dict(faults), dict(reversed(faults))):
        client.send(1, QueueDeclare(queue=QUEUE, arguments=arguments))
        expect_channel_error(client, 406, text, QueueDeclare)


@pytest.mark.parametrize("argument", ["x-delivery-limit", "x-quorum-initial-group-size", "x-max-age"])
def test_arguments_of_other_queue_types_are_refused(client: Client, argument: str) -> None:
    client.send(1, QueueDeclare(queue=QUEUE, arguments={argument: 4}))
    text = f"invalid arg '{argument}' for queue '{QUEUE}' in vhost '/' of queue type rabbit_classic_queue"
    expect_channel_error(client, 406, text, QueueDeclare)


def test_a_dead_letter_exchange_is_given_by_name(client: Client) -> None:
    client.send(1, QueueDeclare(queue=QUEUE, arguments={"x-dead-letter-exchange": 5}))
    text = f"invalid type 'long' for arg 'x-dead-letter-exchange' in queue '{QUEUE}' in vhost '/'"
    expect_channel_error(client, 406, text, QueueDeclare)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("x-message-ttl", 0),
        ("x-message-ttl", 315360000000),
        ("x-expires", 315360000000),
        ("x-max-length", 0),
        ("x-max-priority", 0),
    ],
)
def test_the_outermost_values_are_taken(client: Client, argument: str, value: Any) -> None:
    declare(client, QUEUE, exclusive=True, arguments={argument: value})
