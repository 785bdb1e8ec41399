from __future__ import annotations

from steps import drain, expect_channel_error, own_queue, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicNack, QueuePurge, QueuePurgeOk


def purge(client: Client, queue: str) -> int:
    return client.call(1, QueuePurge(queue=queue), QueuePurgeOk).message_count


def test_all_ready_messages_go_and_are_counted(client: Client) -> None:
    queue = own_queue(client)
    for _ in range(3):
        client.publish(1, "", queue)
    assert purge(client, queue) == 3
    assert purge(client, queue) == 0
    assert drain(client, queue) == []


def test_unacked_messages_stay(client: Client) -> None:
    queue = own_queue(client)
    for body in (b"one", b"two", b"three"):
        client.publish(1, "", queue, body)
    first, second = take(client, queue), take(client, queue)
    assert purge(client, queue) == 1
    client.send(1, BasicNack(second), BasicAck(first))
    assert drain(client, queue) == [b"two"]


def test_a_missing_queue_is_not_found(client: Client) -> None:
    client.send(1, QueuePurge(queue="nope"))
    expect_channel_error(client, 404, "no queue 'nope' in vhost '/'", QueuePurge)


def test_nowait_is_not_answered(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"gone")
    client.send(1, QueuePurge(queue=queue, nowait=True))
    client.publish(1, "", queue, b"kept")
    assert drain(client, queue) == [b"kept"]
