"""Consuming from a stream: everybody reads all of it, each at a place of his own."""

from __future__ import annotations

import time
from typing import Any

import pytest
from steps import (
    Connect,
    Name,
    bind,
    close_channel,
    consume,
    declare,
    declare_exchange,
    delete,
    delivered,
    expect_ready,
    fill,
    own_queue,
    reopen_channel,
)

from amqpd.testing.client import Client
from amqpd.wire.fields import Int8, Timestamp
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicCancelOk,
    BasicNack,
    BasicQos,
    BasicQosOk,
    BasicRecover,
    BasicRecoverOk,
    BasicReject,
)
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method

STREAM = {"x-queue-type": "stream"}
BODIES = [b"%d" % number for number in range(10)]


@pytest.fixture
def stream(client: Client, name: Name) -> str:
    """A stream, whose name this is."""
    stream = name("stream")
    declare(client, stream, durable=True, arguments=STREAM)
    return stream


def qos(client: Client, count: int, channel: int = 1) -> None:
    client.call(channel, BasicQos(prefetch_count=count), BasicQosOk)


def follow(client: Client, stream: str, where: Any = None, tag: str = "", channel: int = 1) -> str:
    """Start a consumer at an offset; returns its tag."""
    return consume(client, stream, tag, channel, arguments={} if where is None else {"x-stream-offset": where})


def read(client: Client, number: int, channel: int = 1) -> list[tuple[int, bytes]]:
    """The next deliveries, by offset."""
    commands = [delivered(client, channel) for _ in range(number)]
    return [(command.properties.headers["x-stream-offset"], command.body) for command in commands]


def append(client: Client, stream: str, *bodies: bytes) -> None:
    """Publish messages one by one: RabbitMQ delivers what was written together, whatever the prefetch."""
    for body in bodies:
        fill(client, stream, body)


def numbered(first: int, last: int = 9) -> list[tuple[int, bytes]]:
    return [(number, b"%d" % number) for number in range(first, last + 1)]


# --- where to begin


@pytest.mark.parametrize(
    ("where", "first"),
    [("first", 0), (0, 0), (4, 4), (Int8(4), 4), (9, 9), (-1, 0), (Timestamp(0), 0), ("1h", 0), ("1Y", 0)],
)
def test_a_consumer_says_where_it_begins(client: Client, stream: str, where: Any, first: int) -> None:
    fill(client, stream, *BODIES)
    qos(client, 100)
    follow(client, stream, where)
    assert read(client, 10 - first) == numbered(first)


@pytest.mark.parametrize("where", [None, "next", Timestamp(1 << 33)])
def test_or_it_gets_what_comes_after_it(client: Client, stream: str, where: Any) -> None:
    fill(client, stream, *BODIES[:4])
    qos(client, 100)
    follow(client, stream, where)
    assert client.silence()
    for body in BODIES[4:]:
        client.publish(1, "", stream, body)
    assert read(client, 6) == numbered(4)


def test_last_is_where_the_last_messages_are(client: Client, stream: str) -> None:
    append(client, stream, *BODIES)
    qos(client, 100)
    follow(client, stream, "last")
    assert read(client, 1) == numbered(9)


def test_an_offset_that_is_not_there_yet_is_waited_for(client: Client, stream: str) -> None:
    fill(client, stream, *BODIES[:4])
    qos(client, 100)
    follow(client, stream, 7)
    for body in BODIES[4:]:
        client.publish(1, "", stream, body)
    assert read(client, 3) == numbered(7)


def test_a_timestamp_leaves_out_what_is_older(client: Client, stream: str) -> None:
    fill(client, stream, *BODIES[:5])
    time.sleep(1.1)
    moment = int(time.time())
    fill(client, stream, *BODIES[5:])
    qos(client, 100)
    follow(client, stream, Timestamp(moment))
    assert read(client, 5) == numbered(5)


# --- everybody for himself


def test_reading_uses_nothing_up(client: Client, stream: str) -> None:
    fill(client, stream, *BODIES)
    qos(client, 100)
    for _ in range(3):
        tag = follow(client, stream, "first")
        assert read(client, 10) == numbered(0)
        client.call(1, BasicCancel(tag), BasicCancelOk)


def test_consumers_do_not_share(client: Client, connect: Connect, stream: str) -> None:
    other = connect()
    other.channel(1)
    qos(client, 100)
    qos(other, 100)
    follow(client, stream, "first")
    fill(other, stream, *BODIES)
    follow(other, stream, 5)
    assert read(client, 10) == numbered(0)
    assert read(other, 5) == numbered(5)
    other.publish(1, "", stream, b"10")
    assert read(client, 1) == read(other, 1) == [(10, b"10")]


def test_two_consumers_of_a_channel_each_get_all(client: Client, stream: str) -> None:
    fill(client, stream, *BODIES)
    qos(client, 100)
    follow(client, stream, "first", "one")
    assert read(client, 10) == numbered(0)
    follow(client, stream, "first", "two")
    assert read(client, 10) == numbered(0)


# --- credit


def test_prefetch_limits_what_is_out(client: Client, stream: str) -> None:
    append(client, stream, *BODIES)
    qos(client, 3)
    follow(client, stream, "first")
    assert read(client, 3) == numbered(0, 2)
    assert client.silence()
    client.send(1, BasicAck(1))
    assert read(client, 1) == numbered(3, 3)
    client.send(1, BasicAck(4, multiple=True))
    assert read(client, 3) == numbered(4, 6)
    assert client.silence()


@pytest.mark.ours("3.10 closes the connection: 540, or 541 for recover; 4.x takes each as an ack")
@pytest.mark.parametrize(
    "verdict",
    [
        BasicNack(2, multiple=True, requeue=True),
        BasicNack(2, multiple=True, requeue=False),
        BasicReject(2, requeue=True),
        BasicReject(2, requeue=False),
    ],
)
def test_whatever_is_said_of_a_message_makes_room_for_the_next(client: Client, stream: str, verdict: Method) -> None:
    append(client, stream, *BODIES)
    qos(client, 2)
    follow(client, stream, "first")
    assert read(client, 2) == numbered(0, 1)
    if isinstance(verdict, BasicReject):
        client.send(1, BasicReject(1, requeue=verdict.requeue))
    client.send(1, verdict)
    assert read(client, 2) == numbered(2, 3)
    assert client.silence()


@pytest.mark.ours("3.10 closes the connection: 540, or 541 for recover; 4.x takes each as an ack")
def test_recover_makes_room_too(client: Client, stream: str) -> None:
    append(client, stream, *BODIES)
    qos(client, 2)
    follow(client, stream, "first")
    assert read(client, 2) == numbered(0, 1)
    client.send(1, BasicRecover(requeue=True))
    client.expect(1, BasicRecoverOk)
    assert read(client, 2) == numbered(2, 3)


def test_nothing_is_redelivered(client: Client, stream: str) -> None:
    append(client, stream, *BODIES)
    for _ in range(2):
        qos(client, 2)
        follow(client, stream, "first")
        assert [delivered(client).method.redelivered for _ in range(2)] == [False, False]
        reopen_channel(client)


# --- what is delivered


def test_a_message_comes_as_it_was_published(client: Client, stream: str, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    bind(client, stream, exchange, "a.#")
    properties = Properties(
        content_type="text/plain",
        content_encoding="utf-8",
        headers={"zebra": "z", "apple": 5, "x-stream-offset": 99, "flag": True},
        delivery_mode=2,
        priority=3,
        correlation_id="correlation",
        reply_to="reply",
        expiration="100000",
        message_id="message",
        timestamp=1_700_000_000,
        type="type",
        app_id="app",
    )
    client.publish(1, exchange, "a.b", b"body", properties)
    qos(client, 10)
    follow(client, stream, "first")
    command = delivered(client)
    assert (command.method.exchange, command.method.routing_key) == (exchange, "a.b")
    assert command.body == b"body"
    assert command.properties.headers["x-stream-offset"] == 0
    for field in ("content_type", "content_encoding", "delivery_mode", "priority", "correlation_id", "reply_to"):
        assert getattr(command.properties, field) == getattr(properties, field)
    for field in ("message_id", "timestamp", "type", "app_id", "expiration"):
        assert getattr(command.properties, field) == getattr(properties, field)
    expected = {"apple": 5, "flag": True, "x-stream-offset": 0, "zebra": "z"}
    assert command.properties.headers == expected
    assert list(command.properties.headers) == list(expected)


def test_transient_messages_are_kept_as_well(client: Client, stream: str) -> None:
    fill(client, stream, b"transient", properties=Properties(delivery_mode=1))
    qos(client, 10)
    follow(client, stream, "first")
    assert read(client, 1) == [(0, b"transient")]


def test_a_stream_and_a_queue_get_the_same_message(client: Client, stream: str, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queue = own_queue(client)
    for each in (stream, queue):
        bind(client, each, exchange)
    client.publish(1, exchange, "", b"both", Properties(delivery_mode=2))
    qos(client, 10)
    consume(client, queue)
    assert delivered(client).body == b"both"
    follow(client, stream, "first")
    assert read(client, 1) == [(0, b"both")]


def test_many_messages_come_in_order(client: Client, stream: str) -> None:
    bodies = [b"%d" % number for number in range(3000)]
    fill(client, stream, *bodies)
    qos(client, 500)
    follow(client, stream, "first")
    found = []
    while len(found) < len(bodies):
        command = delivered(client)
        found.append((command.properties.headers["x-stream-offset"], command.body))
        if len(found) % 100 == 0:
            client.send(1, BasicAck(command.method.delivery_tag, multiple=True))
    assert found == list(enumerate(bodies))


# --- the end


def test_a_cancelled_consumer_gets_no_more(client: Client, stream: str) -> None:
    qos(client, 10)
    tag = follow(client, stream)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    append(client, stream, *BODIES)
    assert client.silence()


def test_what_is_out_can_be_settled_after_the_cancel(client: Client, stream: str) -> None:
    append(client, stream, *BODIES)
    qos(client, 2)
    tag = follow(client, stream, "first")
    read(client, 2)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    client.send(1, BasicAck(2, multiple=True))
    follow(client, stream, 5)
    assert read(client, 2) == numbered(5, 6)


def test_a_closed_channel_gets_no_more(client: Client, stream: str) -> None:
    append(client, stream, *BODIES)
    qos(client, 2)
    follow(client, stream, "first")
    read(client, 2)
    close_channel(client)
    client.channel(1)
    qos(client, 20)
    follow(client, stream, "first")
    assert read(client, 10) == numbered(0)


def test_consumers_are_told_when_the_stream_is_deleted(client: Client, connect: Connect, stream: str) -> None:
    other = connect()
    other.channel(1)
    qos(other, 10)
    tag = follow(other, stream)
    delete(client, stream)
    assert other.expect(1, BasicCancel).consumer_tag == tag


def test_messages_are_counted(client: Client, stream: str) -> None:
    append(client, stream, *BODIES)
    expect_ready(client, stream, 10)
