"""Streams as applications use them: a log that is written once and read as often, and from where, one likes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import aio_pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from .test_aio_pika import on_a_loop, open_channel

Name = Callable[..., str]


@pytest.mark.ours("3.10 closes the connection when pika nacks what it has fetched and not used")
def test_pika_reads_from_where_it_left_off(channel: BlockingChannel, name: Name) -> None:
    stream = name("stream")
    channel.queue_declare(stream, durable=True, arguments={"x-queue-type": "stream"})
    channel.confirm_delivery()
    for number in range(20):
        channel.basic_publish("", stream, b"%d" % number)
    channel.basic_qos(prefetch_count=5)
    next_offset = 0
    for many in (7, 13):
        messages = channel.consume(stream, arguments={"x-stream-offset": next_offset}, inactivity_timeout=10)
        for _ in range(many):
            method, properties, body = next(messages)
            assert body == b"%d" % next_offset
            assert properties.headers["x-stream-offset"] == next_offset
            next_offset += 1
            channel.basic_ack(method.delivery_tag)
        channel.cancel()


@on_a_loop
async def test_aio_pika_follows_from_a_moment(broker_url: str, name: Name) -> None:
    stream = name("stream")
    async with open_channel(broker_url) as channel, open_channel(broker_url) as other:
        queue = await channel.declare_queue(stream, durable=True, arguments={"x-queue-type": "stream"})
        await channel.default_exchange.publish(aio_pika.Message(b"before"), stream)
        await asyncio.sleep(1.1)
        moment = datetime.fromtimestamp(int(time.time()), UTC)
        await channel.default_exchange.publish(aio_pika.Message(b"after"), stream)
        await channel.set_qos(prefetch_count=10)
        async with queue.iterator(arguments={"x-stream-offset": moment}) as messages:
            assert (await anext(messages)).body == b"after"
            await other.default_exchange.publish(aio_pika.Message(b"later"), stream)
            assert (await anext(messages)).body == b"later"
