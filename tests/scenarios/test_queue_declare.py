from __future__ import annotations

from typing import Any

import pytest
from steps import Name, declare, expect_channel_error, version

from amqpd.testing.client import Client
from amqpd.wire.fields import Int32
from amqpd.wire.methods import QueueDeclare, QueueDeclareOk

TTL = {"x-message-ttl": Int32(1000)}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"durable": True},
        {"auto_delete": True},
        {"durable": True, "auto_delete": True},
        {"exclusive": True},
        {"exclusive": True, "durable": True},
        {"exclusive": True, "auto_delete": True},
        {"durable": True, "arguments": {"x-message-ttl": 1000, "x-expires": 60000, "x-max-length": 5}},
        {"durable": True, "arguments": {"x-dead-letter-exchange": "dlx", "x-dead-letter-routing-key": "key"}},
        {"durable": True, "arguments": {"x-overflow": "reject-publish", "x-max-length-bytes": 1}},
        {"durable": True, "arguments": {"x-queue-mode": "lazy"}},
        {"durable": True, "arguments": {"x-queue-type": "classic"}},
        {"durable": True, "arguments": {"x-single-active-consumer": True}},
        {"durable": True, "arguments": {"x-max-priority": 255}},
    ],
    ids=str,
)
def test_a_queue_may_be_declared_twice_alike(name: Name, client: Client, options: dict[str, Any]) -> None:
    queue = name("queue")
    assert declare(client, queue, **options) == QueueDeclareOk(queue, 0, 0)
    assert declare(client, queue, **options) == QueueDeclareOk(queue, 0, 0)
    client.close()


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ({"durable": True}, {}, "'durable': received 'false' but current is 'true'"),
        ({}, {"durable": True}, "'durable': received 'true' but current is 'false'"),
        ({}, {"auto_delete": True}, "'auto_delete': received 'true' but current is 'false'"),
        ({"auto_delete": True}, {}, "'auto_delete': received 'false' but current is 'true'"),
        ({}, {"durable": True, "auto_delete": True}, "'durable': received 'true' but current is 'false'"),
        (
            {"arguments": TTL},
            {},
            "'x-message-ttl': received none but current is the value '1000' of type 'signedint'",
        ),
        (
            {},
            {"arguments": {"x-expires": 100000}},
            "'x-expires': received the value '100000' of type 'long' but current is none",
        ),
        (
            {"arguments": TTL},
            {"arguments": {"x-message-ttl": 2000}},
            "'x-message-ttl': received '2000' but current is '1000'",
        ),
        (
            {"arguments": {"x-dead-letter-exchange": "one"}},
            {"arguments": {"x-dead-letter-exchange": "other"}},
            "'x-dead-letter-exchange': received 'other' but current is 'one'",
        ),
        (
            {"arguments": {"x-dead-letter-exchange": "one"}},
            {},
            "'x-dead-letter-exchange': received none but current is the value 'one' of type 'longstr'",
        ),
        (
            {"arguments": {"x-max-length": 5}},
            {"arguments": {"x-max-length": 6}},
            "'x-max-length': received '6' but current is '5'",
        ),
        (
            {"arguments": {"x-overflow": "drop-head"}},
            {"arguments": {"x-overflow": "reject-publish"}},
            "'x-overflow': received 'reject-publish' but current is 'drop-head'",
        ),
    ],
    ids=str,
)
def test_another_declaration_has_to_be_equivalent(
    client: Client, name: Name, first: dict[str, Any], second: dict[str, Any], difference: str
) -> None:
    queue = name("queue")
    declare(client, queue, **first)
    client.send(1, QueueDeclare(queue=queue, **second))
    argument, _, values = difference.partition(":")
    text = f"inequivalent arg {argument} for queue '{queue}' in vhost '/':{values}"
    expect_channel_error(client, 406, text, QueueDeclare)


def test_the_width_of_a_number_does_not_count(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments=TTL)
    declare(client, queue, arguments={"x-message-ttl": 1000})


def test_a_number_and_its_digits_differ(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments=TTL)
    client.send(1, QueueDeclare(queue=queue, arguments={"x-message-ttl": "1000"}))
    text = f"inequivalent arg 'x-message-ttl' for queue '{queue}' in vhost '/': received '1000' but current is '1000'"
    expect_channel_error(client, 406, text, QueueDeclare)


def test_the_classic_type_may_be_named_or_not(client: Client, name: Name) -> None:
    named, unnamed = name("named"), name("unnamed")
    declare(client, named, durable=True, arguments={"x-queue-type": "classic"})
    declare(client, named, durable=True)
    declare(client, unnamed, durable=True)
    declare(client, unnamed, durable=True, arguments={"x-queue-type": "classic"})


def test_another_type_is_refused(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True)
    client.send(1, QueueDeclare(queue=queue, durable=True, arguments={"x-queue-type": "quorum"}))
    values = "received the value 'quorum' of type 'longstr' but current is none"
    if version(client) >= (4, 0):  # where each queue has its type among its arguments
        values = "received 'quorum' but current is 'classic'"
    text = f"inequivalent arg 'x-queue-type' for queue '{queue}' in vhost '/': {values}"
    expect_channel_error(client, 406, text, QueueDeclare)


def test_arguments_nobody_knows_are_not_compared(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments={"x-foo": "one", "bar": 1})
    declare(client, queue, arguments={"x-foo": "two"})
    declare(client, queue)


def test_durable_means_nothing_to_an_exclusive_queue(client: Client) -> None:
    queue = "t.exclusive.durable"
    declare(client, queue, exclusive=True)
    declare(client, queue, exclusive=True, durable=True)
    declare(client, queue, exclusive=True)


def test_nowait_is_not_answered(client: Client, name: Name) -> None:
    queue = name("queue")
    client.send(1, QueueDeclare(queue=queue, nowait=True), QueueDeclare(queue=queue, passive=True, nowait=True))
    assert declare(client, queue, passive=True).queue == queue
    assert client.silence()


def test_nowait_does_not_hide_errors(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    client.send(1, QueueDeclare(queue=queue, durable=True, nowait=True))
    text = f"inequivalent arg 'durable' for queue '{queue}' in vhost '/': received 'true' but current is 'false'"
    expect_channel_error(client, 406, text, QueueDeclare)
