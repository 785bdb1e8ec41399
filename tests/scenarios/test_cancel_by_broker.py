"""Consumer cancel notification: clients that can take it are told when a queue goes (RabbitMQ's extension)."""

from __future__ import annotations

import pytest
from steps import Connect, Name, consume, declare, delete, delivered, deliveries, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicCancel, BasicCancelOk, QueueDelete, QueueDeleteOk


@pytest.fixture
def queue(client: Client, name: Name) -> str:
    queue = name("queue")
    declare(client, queue)
    return queue


def test_consumers_are_told_when_their_queue_is_deleted(client: Client, connect: Connect, queue: str) -> None:
    other = connect()
    for channel in (1, 2):
        other.channel(channel)
        consume(other, queue, f"tag {channel}", channel)
    delete(client, queue)
    told = [other.receive(), other.receive()]
    assert sorted((each.channel, each.method.consumer_tag, each.method.nowait) for each in told) == [
        (1, "tag 1", True),
        (2, "tag 2", True),
    ]


@pytest.mark.parametrize("capabilities", [{}, {"consumer_cancel_notify": False}, {"basic.nack": True}])
def test_clients_that_did_not_ask_for_it_are_not_told(
    client: Client, connect: Connect, queue: str, capabilities: dict[str, bool]
) -> None:
    other = connect(capabilities=capabilities)
    other.channel(1)
    consume(other, queue)
    delete(client, queue)
    assert other.silence()


def test_the_tag_is_free_again(client: Client, connect: Connect, queue: str) -> None:
    other = connect()
    other.channel(1)
    consume(other, queue, "tag")
    delete(client, queue)
    assert other.expect(1, BasicCancel) == BasicCancel("tag", nowait=True)
    next_queue = own_queue(other)
    consume(other, next_queue, "tag")
    other.publish(1, "", next_queue, b"message")
    assert deliveries(other, 1) == [b"message"]


@pytest.mark.ours("3.10 closes the connection with 503, although clients are free to answer")
def test_the_client_may_answer_nevertheless(client: Client, connect: Connect, queue: str) -> None:
    other = connect()
    other.channel(1)
    consume(other, queue, "tag")
    delete(client, queue)
    other.expect(1, BasicCancel)
    other.send(1, BasicCancelOk("tag"))
    own_queue(other)


def test_cancelling_what_the_broker_cancelled_is_fine(client: Client, connect: Connect, queue: str) -> None:
    other = connect()
    other.channel(1)
    consume(other, queue, "tag")
    delete(client, queue)
    other.expect(1, BasicCancel)
    other.call(1, BasicCancel("tag"), BasicCancelOk)


def test_other_consumers_of_the_channel_go_on(client: Client, connect: Connect, queue: str) -> None:
    other = connect()
    other.channel(1)
    kept = own_queue(other)
    consume(other, queue, "gone")
    consume(other, kept, "kept")
    delete(client, queue)
    assert other.expect(1, BasicCancel).consumer_tag == "gone"
    other.publish(1, "", kept, b"message")
    assert delivered(other).method.consumer_tag == "kept"


def test_the_channel_that_deletes_the_queue_hears_that_first(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue, "tag")
    client.call(1, QueueDelete(queue=queue), QueueDeleteOk)
    assert client.expect(1, BasicCancel) == BasicCancel("tag", nowait=True)
