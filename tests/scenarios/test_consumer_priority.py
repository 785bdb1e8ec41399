"""Consumers with x-priority: one of a lower priority gets a message only when none of a higher one can take it."""

from __future__ import annotations

import pytest
from steps import Connect, Name, consume, declare, delivered, deliveries, expect_ready, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicCancel, BasicCancelOk, BasicNack, BasicQos, BasicQosOk


def subscribe(client: Client, queue: str, tag: str, priority: int, prefetch: int = 0) -> None:
    client.call(1, BasicQos(prefetch_count=prefetch), BasicQosOk)
    consume(client, queue, tag, arguments={"x-priority": priority})


def publish(client: Client, queue: str, count: int) -> list[str]:
    """Publish messages; returns who got them, in order."""
    for _ in range(count):
        client.publish(1, "", queue)
    return [delivered(client).method.consumer_tag for _ in range(count)]


@pytest.mark.parametrize("order", [("low", "plain", "high"), ("high", "plain", "low")])
def test_the_highest_gets_all(client: Client, order: tuple[str, ...]) -> None:
    queue = own_queue(client)
    for tag in order:
        if tag == "plain":
            consume(client, queue, tag)
        else:
            subscribe(client, queue, tag, {"high": 5, "low": -5}[tag])
    assert publish(client, queue, 6) == ["high"] * 6
    client.call(1, BasicCancel("high"), BasicCancelOk)
    assert publish(client, queue, 3) == ["plain"] * 3
    client.call(1, BasicCancel("plain"), BasicCancelOk)
    assert publish(client, queue, 3) == ["low"] * 3


def test_one_that_has_its_fill_is_passed_over(client: Client) -> None:
    queue = own_queue(client)
    subscribe(client, queue, "high", 10, prefetch=2)
    subscribe(client, queue, "low", 1)
    assert publish(client, queue, 4) == ["high", "high", "low", "low"]
    client.send(1, BasicAck(1))
    assert publish(client, queue, 2) == ["high", "low"]


def test_when_several_have_room_again_at_once_the_highest_comes_first(client: Client) -> None:
    queue = own_queue(client)
    client.channel(2)
    for tag, priority in (("low", 0), ("high", 1)):
        subscribe(client, queue, tag, priority, prefetch=1)
        client.publish(2, "", queue)
        assert delivered(client).method.consumer_tag == tag
    client.publish(2, "", queue)
    expect_ready(client, queue, 1, channel=2)
    client.send(1, BasicAck(2, multiple=True))
    assert delivered(client).method.consumer_tag == "high"


def test_equals_take_turns(client: Client) -> None:
    queue = own_queue(client)
    subscribe(client, queue, "other", 1)
    for tag in ("a", "b", "c"):
        subscribe(client, queue, tag, 7)
    got = publish(client, queue, 9)
    assert got[:3] * 3 == got
    assert sorted(got[:3]) == ["a", "b", "c"]


def test_a_higher_one_that_comes_later_gets_what_comes_next(client: Client) -> None:
    queue = own_queue(client)
    subscribe(client, queue, "first", 0)
    assert publish(client, queue, 2) == ["first"] * 2
    subscribe(client, queue, "later", 1)
    assert publish(client, queue, 2) == ["later"] * 2


def test_a_requeued_message_goes_to_the_highest(client: Client) -> None:
    queue = own_queue(client)
    subscribe(client, queue, "low", 0)
    assert publish(client, queue, 1) == ["low"]
    subscribe(client, queue, "high", 1)
    client.send(1, BasicNack(1))
    again = delivered(client).method
    assert (again.consumer_tag, again.redelivered) == ("high", True)


def test_it_holds_between_connections(client: Client, connect: Connect, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    low, high = connect(), connect()
    for other, priority in ((low, 1), (high, 2)):
        other.channel(1)
        consume(other, queue, no_ack=True, arguments={"x-priority": priority})
    for number in range(3):
        client.publish(1, "", queue, b"%d" % number)
    assert deliveries(high, 3) == [b"0", b"1", b"2"]
    assert low.silence()
    high.close()
    client.publish(1, "", queue, b"3")
    assert deliveries(low, 1) == [b"3"]
