"""basic.qos without `global`: a limit for each consumer started after it."""

from __future__ import annotations

import pytest
from steps import consume, delivered, deliveries, expect_connection_error, expect_ready, fill, get, own_queue, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicCancel, BasicCancelOk, BasicNack, BasicQos, BasicQosOk, BasicReject

BODIES = [b"%d" % number for number in range(10)]


def qos(client: Client, count: int, channel: int = 1) -> None:
    client.call(channel, BasicQos(prefetch_count=count), BasicQosOk)


def test_a_consumer_holds_no_more_than_that(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 3)
    consume(client, queue)
    assert deliveries(client, 3) == BODIES[:3]
    expect_ready(client, queue, 7)
    assert client.silence()


def test_each_message_settled_makes_room_for_another(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 2)
    consume(client, queue)
    deliveries(client, 2)
    client.send(1, BasicAck(1))
    assert deliveries(client, 1) == [b"2"]
    client.send(1, BasicReject(2, requeue=False))
    assert deliveries(client, 1) == [b"3"]
    client.send(1, BasicNack(3, requeue=False))
    assert deliveries(client, 1) == [b"4"]
    client.send(1, BasicAck(5, multiple=True))
    assert deliveries(client, 2) == [b"5", b"6"]


def test_a_message_requeued_makes_room_for_itself(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two")
    qos(client, 1)
    consume(client, queue)
    for tag in range(1, 4):
        assert delivered(client).body == b"one"
        client.send(1, BasicReject(tag, requeue=True))
    assert delivered(client).body == b"one"
    client.send(1, BasicAck(4))
    assert delivered(client).body == b"two"


def test_each_consumer_has_a_limit_of_its_own(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 2)
    consume(client, queue, "a")
    deliveries(client, 2)
    consume(client, queue, "b")
    assert [delivered(client).method.consumer_tag for _ in range(2)] == ["b", "b"]
    qos(client, 1)
    consume(client, queue, "c")
    assert delivered(client).method.consumer_tag == "c"
    expect_ready(client, queue, 5)
    client.send(1, BasicAck(3))
    assert delivered(client).method.consumer_tag == "b"


def test_consumers_that_are_there_keep_theirs(client: Client) -> None:
    queue = own_queue(client)
    qos(client, 2)
    consume(client, queue)
    qos(client, 1)
    for body in BODIES:
        client.publish(1, "", queue, body)
    assert deliveries(client, 2) == BODIES[:2]
    qos(client, 5)
    expect_ready(client, queue, 8)
    qos(client, 0)
    expect_ready(client, queue, 8)
    assert client.silence()


def test_zero_is_no_limit(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1)
    qos(client, 0)
    consume(client, queue)
    assert deliveries(client, 10) == BODIES


def test_consumers_without_acks_know_no_limit(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1)
    consume(client, queue, no_ack=True)
    assert deliveries(client, 10) == BODIES


def test_gets_know_no_limit(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1)
    assert [take(client, queue) for _ in range(3)] == [1, 2, 3]
    consume(client, queue)
    assert deliveries(client, 1) == [b"3"]
    assert get(client, queue).body == b"4"
    client.send(1, BasicAck(1))  # got, not delivered: makes no room
    expect_ready(client, queue, 5)
    client.send(1, BasicAck(4))
    assert deliveries(client, 1) == [b"5"]


def test_each_channel_has_its_own(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    qos(client, 1)
    consume(client, queue, "limited", channel=1)
    consume(client, queue, "unlimited", channel=2)
    for body in BODIES:
        client.publish(1, "", queue, body)
    tags = [client.receive().method.consumer_tag for _ in BODIES]
    assert (tags.count("limited"), tags.count("unlimited")) == (1, 9)


def test_a_cancelled_consumer_leaves_its_limit_behind(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1)
    tag = consume(client, queue)
    deliveries(client, 1)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    consume(client, queue)
    assert deliveries(client, 1) == [b"1"]


@pytest.mark.parametrize("global_", [False, True])
def test_a_limit_in_octets_is_not_implemented(client: Client, global_: bool) -> None:
    client.send(1, BasicQos(10, 1, global_))
    expect_connection_error(client, 540, "prefetch_size!=0 (10)", BasicQos)
