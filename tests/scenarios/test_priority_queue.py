"""Queues with x-max-priority hand out messages of a higher priority first."""

from __future__ import annotations

import pytest
from steps import (
    Name,
    consume,
    declare,
    delivered,
    drain,
    expect_channel_error,
    expect_ready,
    fill,
    get,
    own_queue,
    reopen_channel,
)

from amqpd.testing.client import Client
from amqpd.wire.fields import Int32
from amqpd.wire.methods import (
    BasicAck,
    BasicGet,
    BasicGetOk,
    BasicNack,
    BasicQos,
    BasicQosOk,
    QueueDeclare,
    QueuePurge,
    QueuePurgeOk,
)
from amqpd.wire.properties import Properties


def priority_queue(client: Client, highest: int = 5, **options: object) -> str:
    return own_queue(client, arguments={"x-max-priority": highest}, **options)


def fill_by_priority(client: Client, queue: str, *priorities: int | None) -> None:
    """Messages whose bodies are their places and priorities, such as 0:5 for the first."""
    for place, priority in enumerate(priorities):
        fill(client, queue, f"{place}:{priority}".encode(), properties=Properties(priority=priority))


def test_the_highest_comes_first_and_equals_in_order(client: Client) -> None:
    queue = priority_queue(client)
    fill_by_priority(client, queue, 1, 5, None, 3, 5, 0, 1)
    assert drain(client, queue) == [b"1:5", b"4:5", b"3:3", b"0:1", b"6:1", b"2:None", b"5:0"]


def test_above_the_highest_is_the_highest(client: Client) -> None:
    queue = priority_queue(client, 3)
    fill_by_priority(client, queue, 3, 255, 2, 4, 3)
    assert drain(client, queue) == [b"0:3", b"1:255", b"3:4", b"4:3", b"2:2"]


@pytest.mark.parametrize(("highest", "first"), [(0, b"0:0"), (1, b"1:1"), (255, b"2:255")])
def test_as_many_as_there_are(client: Client, highest: int, first: bytes) -> None:
    queue = priority_queue(client, highest)
    fill_by_priority(client, queue, 0, 1, 255)
    got = get(client, queue)
    assert got is not None
    assert got.body == first


def test_without_the_argument_priorities_are_overlooked(client: Client) -> None:
    queue = own_queue(client)
    fill_by_priority(client, queue, 0, 5)
    assert drain(client, queue) == [b"0:0", b"1:5"]


def test_a_consumer_gets_the_highest_that_is_ready(client: Client) -> None:
    queue = priority_queue(client)
    client.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    consume(client, queue)
    client.channel(2)
    for place, priority in enumerate((0, 1, 5, 1)):
        client.publish(2, "", queue, f"{place}:{priority}".encode(), Properties(priority=priority))
    assert delivered(client).body == b"0:0"
    expect_ready(client, queue, 3, channel=2)
    for tag, body in enumerate((b"2:5", b"1:1", b"3:1"), 1):
        client.send(1, BasicAck(tag))
        assert delivered(client).body == body


def test_a_message_goes_back_to_its_place_among_its_equals(client: Client) -> None:
    queue = priority_queue(client)
    fill_by_priority(client, queue, 1, 1, 5, 1)
    tags = [client.call(1, BasicGet(queue=queue), BasicGetOk).delivery_tag for _ in range(3)]
    for tag in (tags[2], tags[0]):
        client.send(1, BasicNack(tag))
    got = get(client, queue)
    assert got is not None
    assert (got.body, got.method.redelivered) == (b"2:5", True)
    client.send(1, BasicNack(tags[1]))
    assert drain(client, queue) == [b"0:1", b"1:1", b"3:1"]


def test_what_a_channel_held_goes_back_as_well(client: Client) -> None:
    queue = priority_queue(client)
    fill_by_priority(client, queue, 0, 1, 0, 1)
    for _ in range(3):
        client.call(1, BasicGet(queue=queue), BasicGetOk)
    reopen_channel(client)
    assert drain(client, queue) == [b"1:1", b"3:1", b"0:0", b"2:0"]


def test_counts_are_of_all_priorities(client: Client) -> None:
    queue = priority_queue(client)
    fill_by_priority(client, queue, 0, 1, 5)
    assert declare(client, queue, passive=True).message_count == 3
    assert client.call(1, BasicGet(queue=queue, no_ack=True), BasicGetOk).message_count == 2
    assert client.call(1, QueuePurge(queue=queue), QueuePurgeOk).message_count == 2
    assert drain(client, queue) == []


def test_the_number_of_priorities_cannot_be_changed(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments={"x-max-priority": Int32(5)})
    declare(client, queue, arguments={"x-max-priority": 5})
    client.send(1, QueueDeclare(queue=queue, arguments={"x-max-priority": Int32(6)}))
    text = f"inequivalent arg 'x-max-priority' for queue '{queue}' in vhost '/': received '6' but current is '5'"
    expect_channel_error(client, 406, text, QueueDeclare)
    client.send(1, QueueDeclare(queue=queue))
    text = (
        f"inequivalent arg 'x-max-priority' for queue '{queue}' in vhost '/': received none but current is"
        " the value '5' of type 'signedint'"
    )
    expect_channel_error(client, 406, text, QueueDeclare)


def test_persistent_messages_are_sorted_too(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True, arguments={"x-max-priority": 2})
    for priority in (0, 2, 1, 2):
        fill(client, queue, b"%d" % priority, properties=Properties(priority=priority, delivery_mode=2))
    assert drain(client, queue) == [b"2", b"2", b"1", b"0"]
