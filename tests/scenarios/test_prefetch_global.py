"""basic.qos with `global`: a limit that all consumers of the channel share (RabbitMQ's meaning of it)."""

from __future__ import annotations

import pytest
from steps import consume, delivered, deliveries, expect_ready, fill, get, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicCancel, BasicCancelOk, BasicQos, BasicQosOk

BODIES = [b"%d" % number for number in range(10)]


def qos(client: Client, count: int, *, global_: bool) -> None:
    client.call(1, BasicQos(prefetch_count=count, global_=global_), BasicQosOk)


def test_all_consumers_together_hold_no_more_than_that(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    fill(client, one, *BODIES)
    fill(client, other, *BODIES)
    qos(client, 3, global_=True)
    consume(client, one)
    assert deliveries(client, 3) == BODIES[:3]
    consume(client, other)
    expect_ready(client, one, 7)
    expect_ready(client, other, 10)
    assert client.silence()


def test_each_message_settled_makes_room_for_another_of_any_queue(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    fill(client, one, b"one")
    fill(client, other, b"other")
    qos(client, 1, global_=True)
    consume(client, one)
    assert deliveries(client, 1) == [b"one"]
    consume(client, other)
    client.send(1, BasicAck(1))
    assert deliveries(client, 1) == [b"other"]


def test_it_holds_for_consumers_that_are_there(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue)
    qos(client, 2, global_=True)
    for body in BODIES:
        client.publish(1, "", queue, body)
    assert deliveries(client, 2) == BODIES[:2]
    expect_ready(client, queue, 8)


def test_what_is_unacked_already_counts(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue)
    for body in BODIES[:3]:
        client.publish(1, "", queue, body)
    deliveries(client, 3)
    qos(client, 2, global_=True)
    client.publish(1, "", queue, BODIES[3])
    expect_ready(client, queue, 1)
    client.send(1, BasicAck(2, multiple=True))
    assert deliveries(client, 1) == [b"3"]


def test_a_wider_limit_lets_more_through(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1, global_=True)
    consume(client, queue)
    assert deliveries(client, 1) == [b"0"]
    client.send(1, BasicQos(prefetch_count=3, global_=True))
    client.expect(1, BasicQosOk)
    assert deliveries(client, 2) == [b"1", b"2"]
    client.send(1, BasicQos(prefetch_count=0, global_=True))
    client.expect(1, BasicQosOk)
    assert deliveries(client, 7) == BODIES[3:]


def test_both_limits_hold_at_once(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 2, global_=False)
    qos(client, 3, global_=True)
    consume(client, queue, "a")
    assert [delivered(client).method.consumer_tag for _ in range(2)] == ["a", "a"]
    consume(client, queue, "b")
    assert delivered(client).method.consumer_tag == "b"
    expect_ready(client, queue, 7)
    client.send(1, BasicAck(1))
    delivered(client)
    expect_ready(client, queue, 6)


def test_consumers_without_acks_know_no_limit(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1, global_=True)
    consume(client, queue, no_ack=True)
    assert deliveries(client, 10) == BODIES


def test_consumers_without_acks_wait_too_when_the_others_have_their_fill(client: Client) -> None:
    held, free = own_queue(client), own_queue(client)
    fill(client, held, b"held")
    fill(client, free, b"free", b"too")
    qos(client, 1, global_=True)
    consume(client, held)
    deliveries(client, 1)
    consume(client, free, no_ack=True)
    expect_ready(client, free, 2)
    assert client.silence()
    client.send(1, BasicAck(1))
    assert deliveries(client, 2) == [b"free", b"too"]


@pytest.mark.parametrize("several", [False, True])
def test_consumers_of_a_queue_take_turns(client: Client, several: bool) -> None:
    queue = own_queue(client)
    qos(client, 1, global_=True)
    consume(client, queue, "a")
    consume(client, queue, "b")
    for body in BODIES:
        client.publish(1, "", queue, body)
    served = set()
    for tag in range(1, 9):
        served.add(delivered(client).method.consumer_tag)
        client.send(1, BasicAck(tag, multiple=several))
    assert served == {"a", "b"}


def test_queues_take_turns(client: Client) -> None:
    queues = [own_queue(client) for _ in range(3)]
    qos(client, 1, global_=True)
    for queue in queues:
        consume(client, queue, queue)
    for body in BODIES:
        for queue in queues:
            client.publish(1, "", queue, body)
    served = set()
    for tag in range(1, 28):
        served.add(delivered(client).method.consumer_tag)
        client.send(1, BasicAck(tag))
    assert served == set(queues)


def test_gets_know_no_limit(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1, global_=True)
    consume(client, queue)
    deliveries(client, 1)
    assert get(client, queue, no_ack=False).body == b"1"
    client.send(1, BasicAck(1))
    assert deliveries(client, 1) == [b"2"]


def test_unacked_messages_of_cancelled_consumers_count(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    qos(client, 1, global_=True)
    tag = consume(client, queue)
    deliveries(client, 1)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    consume(client, queue)
    expect_ready(client, queue, 9)
    client.send(1, BasicAck(1))
    assert deliveries(client, 1) == [b"1"]
