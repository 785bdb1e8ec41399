"""Consumers of a queue take turns."""

from __future__ import annotations

from steps import Connect, Name, consume, declare, delivered, deliveries, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicCancel, BasicCancelOk, BasicQos, BasicQosOk


def test_messages_are_dealt_out_in_turn(client: Client) -> None:
    queue = own_queue(client)
    for tag in ("a", "b", "c"):
        consume(client, queue, tag)
    for _ in range(9):
        client.publish(1, "", queue)
    assert [delivered(client).method.consumer_tag for _ in range(9)] == ["a", "b", "c"] * 3


def test_a_consumer_joins_the_round_and_leaves_it(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue, "a", no_ack=True)
    consume(client, queue, "b", no_ack=True)
    for _ in range(2):
        client.publish(1, "", queue)
    assert sorted(delivered(client).method.consumer_tag for _ in range(2)) == ["a", "b"]
    consume(client, queue, "c", no_ack=True)
    for _ in range(3):
        client.publish(1, "", queue)
    assert sorted(delivered(client).method.consumer_tag for _ in range(3)) == ["a", "b", "c"]
    client.call(1, BasicCancel("b"), BasicCancelOk)
    for _ in range(4):
        client.publish(1, "", queue)
    assert sorted(delivered(client).method.consumer_tag for _ in range(4)) == ["a", "a", "c", "c"]


def test_a_consumer_that_has_its_fill_is_passed_over(client: Client) -> None:
    queue = own_queue(client)
    client.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    consume(client, queue, "limited")
    client.call(1, BasicQos(prefetch_count=0), BasicQosOk)
    consume(client, queue, "unlimited")
    for _ in range(5):
        client.publish(1, "", queue)
    delivery_tags = {}
    for _ in range(5):
        method = delivered(client).method
        delivery_tags.setdefault(method.consumer_tag, []).append(method.delivery_tag)
    assert {tag: len(each) for tag, each in delivery_tags.items()} == {"limited": 1, "unlimited": 4}
    client.send(1, BasicAck(delivery_tags["limited"][0]))
    for _ in range(2):
        client.publish(1, "", queue)
    assert sorted(delivered(client).method.consumer_tag for _ in range(2)) == ["limited", "unlimited"]


def test_connections_take_turns_as_well(client: Client, connect: Connect, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    others = [connect() for _ in range(3)]
    for other in others:
        other.channel(1)
        consume(other, queue)
    for number in range(6):
        client.publish(1, "", queue, b"%d" % number)
    received = [deliveries(other, 2) for other in others]
    assert received == [[b"0", b"3"], [b"1", b"4"], [b"2", b"5"]]
