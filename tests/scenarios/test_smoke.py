from __future__ import annotations

from collections.abc import Callable

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicGet, BasicGetOk, QueueDeclare, QueueDeclareOk


def test_a_published_message_can_be_got(client: Client, name: Callable[..., str]) -> None:
    queue = name("queue")
    client.call(1, QueueDeclare(queue=queue), QueueDeclareOk)
    client.publish(1, "", queue, b"hello")
    client.send(1, BasicGet(queue=queue, no_ack=True))
    assert client.expect_command(1, BasicGetOk).body == b"hello"
