from __future__ import annotations

import time

from steps import Connect, Name, declare

from amqpd.testing.client import Client
from amqpd.wire.methods import ChannelClose, ChannelCloseOk, ConnectionClose, ConnectionCloseOk, QueueDeclare


def test_another_connection_may_declare_it_once_close_ok_is_there(name: Name, connect: Connect) -> None:
    queue = name("queue")
    for _ in range(20):
        client = connect()
        client.channel(1)
        declare(client, queue, exclusive=True)
        client.publish(1, "", queue, b"old")
        client.call(0, ConnectionClose(), ConnectionCloseOk)
        assert ready_in_new_queue(connect, queue) == 0


def test_another_connection_may_declare_it_after_the_socket_was_closed(name: Name, connect: Connect) -> None:
    queue = name("queue")
    client = connect()
    client.channel(1)
    declare(client, queue, exclusive=True)
    client.drop()
    other = connect()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        other.channel(1)
        other.send(1, QueueDeclare(queue=queue, exclusive=True))
        answer = other.receive().method
        if not isinstance(answer, ChannelClose):
            break
        assert answer.reply_code == 405
        other.send(1, ChannelCloseOk())
    assert answer.queue == queue


def test_it_outlives_the_channel_it_was_declared_on(name: Name, client: Client) -> None:
    queue = name("queue")
    client.channel(2)
    declare(client, queue, channel=2, exclusive=True)
    client.call(2, ChannelClose(), ChannelCloseOk)
    assert declare(client, queue, passive=True).queue == queue
    client.close()


def ready_in_new_queue(connect: Connect, queue: str) -> int:
    other = connect()
    other.channel(1)
    count = declare(other, queue, exclusive=True).message_count
    other.close()
    return count
