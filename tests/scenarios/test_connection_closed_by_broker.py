"""After a connection exception: connection.close, and nothing counts until close-ok."""

from __future__ import annotations

import pytest
from steps import Connect, Name, declare, drain, expect_connection_error

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicPublish,
    BasicQos,
    ChannelOpen,
    ConnectionClose,
    ConnectionCloseOk,
    QueueDeclare,
    QueueDelete,
)


@pytest.fixture
def failing(client: Client) -> Client:
    """A connection whose broker has sent connection.close."""
    client.send(1, BasicQos(prefetch_size=1))
    expect_connection_error(client, 540, "prefetch_size!=0 (1)", BasicQos)
    return client


def test_the_socket_is_closed_after_close_ok(failing: Client) -> None:
    failing.send(0, ConnectionCloseOk())
    failing.expect_closed()


def test_a_close_of_the_client_that_crosses_it_gets_its_close_ok(failing: Client) -> None:
    failing.call(0, ConnectionClose(), ConnectionCloseOk)
    failing.send(0, ConnectionCloseOk())
    failing.expect_closed()


def test_methods_and_content_are_dropped_meanwhile(connect: Connect, name: Name, failing: Client) -> None:
    other = connect()
    other.channel(1)
    queue = name("queue")
    declare(other, queue)
    failing.publish(1, "", queue, b"too late")
    failing.send(1, QueueDelete(queue=queue))
    failing.send(2, ChannelOpen(), QueueDeclare(queue=queue))
    failing.publish(7, "", queue, b"too late")
    failing.call(0, ConnectionClose(), ConnectionCloseOk)
    assert drain(other, queue) == []


def test_all_channels_end_with_the_connection(connect: Connect, name: Name, client: Client) -> None:
    other = connect()
    other.channel(1)
    queue = name("queue")
    declare(other, queue)
    client.channel(2)
    client.publish(1, "", queue, immediate=True)
    expect_connection_error(client, 540, "immediate=true", BasicPublish)
    client.publish(2, "", queue, b"too late")
    client.call(0, ConnectionClose(), ConnectionCloseOk)
    assert drain(other, queue) == []
