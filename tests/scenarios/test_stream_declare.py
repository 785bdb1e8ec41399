"""Declaring a stream: what it has to be, and what it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from steps import Name, declare, expect_channel_error, version

from amqpd.testing.client import Client
from amqpd.wire.methods import QueueDeclare

STREAM = {"x-queue-type": "stream"}
QUEUE = "t.stream.refused"


def refused(client: Client, text: str, queue: str = QUEUE, code: int = 406, **options: Any) -> None:
    """Declaring a stream with these is refused in these words."""
    options = {"durable": True, **options}
    arguments = {**STREAM, **options.pop("arguments", {})}
    client.send(1, QueueDeclare(queue=queue, arguments=arguments, **options))
    expect_channel_error(client, code, text.replace("{q}", f"queue '{queue}' in vhost '/'"), QueueDeclare)


def test_a_new_stream_is_empty(client: Client, name: Name) -> None:
    stream = name("stream")
    declared = declare(client, stream, durable=True, arguments=STREAM)
    assert (declared.queue, declared.message_count, declared.consumer_count) == (stream, 0, 0)


def test_it_can_be_declared_again(client: Client, name: Name) -> None:
    stream = name("stream")
    arguments = {**STREAM, "x-max-age": "7D", "x-max-length-bytes": 10**9}
    for _ in range(2):
        declare(client, stream, durable=True, arguments=arguments)
    declare(client, stream, passive=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"x-max-age": "1Y"},
        {"x-max-age": "1M"},
        {"x-max-age": "12h"},
        {"x-max-age": "90m"},
        {"x-max-age": "5s"},
        {"x-max-length-bytes": 0},
        {"x-stream-max-segment-size-bytes": 1000},
        {"x-stream-max-segment-size-bytes": 3_000_000_000},
        {"x-initial-cluster-size": 1},
        {"x-queue-leader-locator": "client-local"},
        {"x-queue-leader-locator": "least-leaders"},
        {"x-unheard-of": "anything"},
    ],
)
def test_its_own_arguments_are_taken(client: Client, name: Name, arguments: dict[str, Any]) -> None:
    declare(client, name("stream"), durable=True, arguments={**STREAM, **arguments})


@pytest.mark.parametrize(
    ("options", "prop"),
    [
        ({"durable": False}, "non-durable"),
        ({"exclusive": True}, "exclusive-owner"),
        ({"auto_delete": True}, "auto-delete"),
        ({"auto_delete": True, "exclusive": True, "durable": False}, "auto-delete"),
        ({"exclusive": True, "durable": False}, "exclusive-owner"),
    ],
)
def test_it_is_durable_and_everybodys(client: Client, options: dict[str, bool], prop: str) -> None:
    refused(client, f"invalid property '{prop}' for {{q}}", **options)


@pytest.mark.ours("3.10 says: for type rabbit_stream_queue")
def test_it_has_a_name_of_its_own(client: Client) -> None:
    refused(client, "Cannot declare a server-named queue for type stream", queue="")


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("x-message-ttl", 1000),
        ("x-expires", 1000),
        ("x-max-length", 5),
        ("x-max-priority", 5),
        ("x-dead-letter-exchange", ""),
        ("x-overflow", "drop-head"),
        ("x-single-active-consumer", True),
        ("x-queue-mode", "lazy"),
        ("x-queue-version", 2),
        ("x-queue-master-locator", "min-masters"),
        ("x-delivery-limit", 5),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-max-in-memory-length", 5),
        ("x-max-in-memory-bytes", 5),
        ("x-quorum-initial-group-size", 1),
    ],
)
def test_arguments_of_other_queue_types_are_refused(client: Client, argument: str, value: Any) -> None:
    text = f"invalid arg '{argument}' for {{q}} of queue type rabbit_stream_queue"
    refused(client, text, arguments={argument: value})


@pytest.mark.parametrize(
    ("argument", "value", "reason"),
    [
        ("x-max-age", 5, "{unacceptable_type,long}"),
        ("x-max-age", "5", "invalid_max_age"),
        ("x-max-age", "0s", "invalid_max_age"),
        ("x-max-age", "5w", "invalid_max_age"),
        ("x-max-age", "5d", "invalid_max_age"),
        ("x-max-length-bytes", -1, "{value_negative,-1}"),
        ("x-max-length-bytes", "5", '"expected integer, got longstr"'),
        ("x-stream-max-segment-size-bytes", -1, "{value_negative,-1}"),
        ("x-stream-max-segment-size-bytes", "5", '"expected integer, got longstr"'),
        ("x-initial-cluster-size", 0, "{value_zero,0}"),
        ("x-initial-cluster-size", -1, "{value_negative,-1}"),
        ("x-queue-leader-locator", "here", "invalid_queue_locator_arg"),
    ],
)
def test_the_reason_is_given(client: Client, argument: str, value: Any, reason: str) -> None:
    refused(client, f"invalid arg '{argument}' for {{q}}: {reason}", arguments={argument: value})


def test_segments_may_not_be_larger_than_3_gb(client: Client) -> None:
    text = "Exceeded max value for x-stream-max-segment-size-bytes"
    refused(client, text, arguments={"x-stream-max-segment-size-bytes": 3_000_000_001})


def test_who_gives_no_type_does_not_mean_a_stream(client: Client, name: Name) -> None:
    stream = declare(client, name("stream"), durable=True, arguments=STREAM).queue
    client.send(1, QueueDeclare(queue=stream, durable=True))
    values = "received none but current is the value 'stream' of type 'longstr'"
    if version(client) >= (4, 0):  # but the classic one
        values = "received 'classic' but current is 'stream'"
    text = f"inequivalent arg 'x-queue-type' for queue '{stream}' in vhost '/': {values}"
    expect_channel_error(client, 406, text, QueueDeclare)


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        ({"x-queue-type": "classic"}, "'x-queue-type' for {q}: received 'classic' but current is 'stream'"),
        ({**STREAM, "x-max-age": "8D"}, "'x-max-age' for {q}: received '8D' but current is '7D'"),
        (STREAM, "'x-max-age' for {q}: received none but current is the value '7D' of type 'longstr'"),
        (
            {**STREAM, "x-max-age": "7D", "x-max-length-bytes": 5},
            "'x-max-length-bytes' for {q}: received the value '5' of type 'long' but current is none",
        ),
    ],
)
def test_a_difference_is_named(client: Client, name: Name, arguments: dict[str, Any], difference: str) -> None:
    stream = name("stream")
    declare(client, stream, durable=True, arguments={**STREAM, "x-max-age": "7D"})
    client.send(1, QueueDeclare(queue=stream, durable=True, arguments=arguments))
    difference = difference.replace("{q}", f"queue '{stream}' in vhost '/'")
    expect_channel_error(client, 406, f"inequivalent arg {difference}", QueueDeclare)
