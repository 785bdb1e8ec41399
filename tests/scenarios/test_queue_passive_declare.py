from __future__ import annotations

import pytest
from steps import Name, declare, expect_channel_error

from amqpd.testing.client import Client
from amqpd.wire.methods import QueueDeclare


def test_only_the_name_has_to_be_right(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True, arguments={"x-max-length": 5})
    for options in ({}, {"exclusive": True}, {"auto_delete": True}, {"arguments": {"x-message-ttl": "never"}}):
        assert declare(client, queue, passive=True, **options).queue == queue


@pytest.mark.parametrize("queue", ["nope", "amq.nope", ""])
def test_a_missing_queue_is_not_found(client: Client, queue: str) -> None:
    client.send(1, QueueDeclare(queue=queue, passive=True))
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", QueueDeclare)


def test_nowait_does_not_hide_errors(client: Client) -> None:
    client.send(1, QueueDeclare(queue="nope", passive=True, nowait=True))
    expect_channel_error(client, 404, "no queue 'nope' in vhost '/'", QueueDeclare)
