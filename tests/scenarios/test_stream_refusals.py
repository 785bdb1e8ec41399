"""What a stream does not do, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest
from steps import (
    Connect,
    Name,
    consume,
    declare,
    delete,
    expect_channel_error,
    expect_connection_error,
    expect_ready,
    fill,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicCancel,
    BasicConsume,
    BasicGet,
    BasicQos,
    BasicQosOk,
    ChannelClose,
    ConnectionClose,
    QueuePurge,
)


@pytest.fixture
def stream(client: Client, name: Name) -> str:
    """A stream, whose name this is."""
    stream = name("stream")
    declare(client, stream, durable=True, arguments={"x-queue-type": "stream"})
    return stream


def qos(client: Client, count: int, global_: bool = False) -> None:
    client.call(1, BasicQos(0, count, global_), BasicQosOk)


@pytest.mark.parametrize("no_ack", [False, True])
def test_basic_get(client: Client, stream: str, no_ack: bool) -> None:
    client.send(1, BasicGet(queue=stream, no_ack=no_ack))
    text = f"basic.get not supported by stream queues queue '{stream}' in vhost '/'"
    expect_connection_error(client, 540, text, BasicGet)


def test_purging(client: Client, stream: str) -> None:
    client.send(1, QueuePurge(queue=stream))
    text = f"queue.purge not supported by stream queues queue '{stream}' in vhost '/'"
    expect_connection_error(client, 540, text, QueuePurge)


def no_prefetch(stream: str) -> str:
    return f"consumer prefetch count is not set for stream queue '{stream}' in vhost '/'"


@pytest.mark.parametrize("no_ack", [False, True])
def test_consuming_without_a_prefetch(client: Client, stream: str, no_ack: bool) -> None:
    client.send(1, BasicConsume(queue=stream, no_ack=no_ack))
    close = client.expect(1, ChannelClose)
    assert close.reply_code == 406
    assert close.reply_text.startswith("PRECONDITION_FAILED - consumer prefetch count is not set for ")
    assert (close.failing_class_id, close.failing_method_id) == (BasicConsume.class_id, BasicConsume.method_id)


@pytest.mark.ours("3.10 says: for 'queue 's' in vhost '/''")
def test_what_is_said_then(client: Client, stream: str) -> None:
    client.send(1, BasicConsume(queue=stream))
    expect_channel_error(client, 406, no_prefetch(stream), BasicConsume)


def test_consuming_without_acks(client: Client, stream: str) -> None:
    qos(client, 5)
    client.send(1, BasicConsume(queue=stream, no_ack=True))
    close = client.expect(0, ConnectionClose)
    assert close.reply_code == 540
    assert close.reply_text.startswith("NOT_IMPLEMENTED - automatic acknowledgement not supported by stream queue")
    assert close.reply_text.endswith(f"queue '{stream}' in vhost '/'")


@pytest.mark.ours("3.10 says: stream queues queue 's' in vhost '/'")
def test_what_is_said_of_acks(client: Client, stream: str) -> None:
    qos(client, 5)
    client.send(1, BasicConsume(queue=stream, no_ack=True))
    text = f"automatic acknowledgement not supported by stream queue '{stream}' in vhost '/'"
    expect_connection_error(client, 540, text, BasicConsume)


def test_a_prefetch_for_the_whole_channel(client: Client, stream: str) -> None:
    qos(client, 5)
    qos(client, 5, True)
    client.send(1, BasicConsume(queue=stream))
    expect_connection_error(client, 540, f"queue '{stream}' in vhost '/' does not support global qos", BasicConsume)


def test_only_a_prefetch_for_the_whole_channel(client: Client, stream: str) -> None:
    qos(client, 5, True)
    client.send(1, BasicConsume(queue=stream))
    assert client.expect(1, ChannelClose).reply_code == 406


@pytest.mark.parametrize("argument", ["x-priority", "x-cancel-on-ha-failover"])
def test_consumer_arguments_of_other_types(client: Client, stream: str, argument: str) -> None:
    qos(client, 5)
    value: Any = 5 if argument == "x-priority" else True
    client.send(1, BasicConsume(queue=stream, arguments={argument: value}))
    text = f"invalid arg '{argument}' for queue '{stream}' in vhost '/' of queue type rabbit_stream_queue"
    expect_channel_error(client, 406, text, BasicConsume)


@pytest.mark.parametrize("offset", ["5w", "0h"])
def test_offsets_that_are_none(client: Client, stream: str, offset: str) -> None:
    qos(client, 5)
    client.send(1, BasicConsume(queue=stream, arguments={"x-stream-offset": offset}))
    expect_channel_error(client, 406, invalid_offset(stream, f'{{longstr,<<"{offset}">>}}'), BasicConsume)


@pytest.mark.ours("3.10 closes the connection with 541")
@pytest.mark.parametrize(
    ("offset", "printed"), [("soon", '{longstr,<<"soon">>}'), (True, "{bool,true}"), (1.5, "{double,1.5}")]
)
def test_offsets_that_make_no_sense(client: Client, stream: str, offset: Any, printed: str) -> None:
    qos(client, 5)
    client.send(1, BasicConsume(queue=stream, arguments={"x-stream-offset": offset}))
    expect_channel_error(client, 406, invalid_offset(stream, printed), BasicConsume)


def invalid_offset(stream: str, printed: str) -> str:
    return f"invalid arg 'x-stream-offset' for queue '{stream}' in vhost '/': {{invalid_stream_offset_arg,{printed}}}"


def test_exclusive_consumers(client: Client, stream: str) -> None:
    qos(client, 5)
    consume(client, stream, "one", exclusive=True)
    consume(client, stream, "two", exclusive=True)
    consume(client, stream, "three")


@pytest.mark.parametrize("condition", ["if_unused", "if_empty"])
def test_conditions_on_its_deletion(client: Client, connect: Connect, stream: str, condition: str) -> None:
    other = connect()
    other.channel(1)
    fill(client, stream, b"message")
    qos(client, 5)
    consume(client, stream)
    assert delete(other, stream, **{condition: True}) == 0
    client.expect(1, BasicCancel)


def test_counting_what_is_deleted(client: Client, stream: str) -> None:
    fill(client, stream, b"message")
    expect_ready(client, stream, 1)
    assert delete(client, stream) == 0


def test_counting_its_consumers(client: Client, stream: str) -> None:
    qos(client, 5)
    consume(client, stream)
    assert declare(client, stream, passive=True).consumer_count == 0
