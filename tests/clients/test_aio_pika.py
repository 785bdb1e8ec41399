"""aio-pika: the client of asyncio programs, with and without its reconnecting connection."""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ParamSpec

import aio_pika
import aiormq
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelClosed, ChannelNotFoundEntity, DeliveryError, QueueEmpty

from .proxy import Proxy

Name = Callable[..., str]
P = ParamSpec("P")


def on_a_loop(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Run a coroutine as a test."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(test(*arguments, **named))

    return run


@asynccontextmanager
async def open_channel(url: str, **options: bool) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel(**options)


async def publish(channel: AbstractChannel, queue: str, *bodies: bytes) -> None:
    for body in bodies:
        await channel.default_exchange.publish(aio_pika.Message(body), queue)


async def count(channel: AbstractChannel, queue: str) -> int:
    return (await channel.declare_queue(queue, passive=True)).declaration_result.message_count or 0


async def consume(queue: AbstractQueue) -> asyncio.Queue[AbstractIncomingMessage]:
    """Start a consumer that puts what it gets into a queue of asyncio's."""
    inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
    await queue.consume(inbox.put)
    return inbox


@on_a_loop
async def test_a_published_message_can_be_got_with_its_properties(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        sent = aio_pika.Message(
            b"hello",
            headers={"text": "grüße", "number": -7, "half": 0.5, "list": [1, "two", None], "table": {"flag": True}},
            content_type="text/plain",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            priority=3,
            correlation_id="c-1",
            reply_to="answers",
            message_id="m-1",
            timestamp=datetime(2024, 2, 29, 12, tzinfo=UTC),
            type="greeting",
            user_id="guest",
            app_id="test",
        )
        await channel.default_exchange.publish(sent, queue.name)
        got = await queue.get(no_ack=True)
        assert (got.exchange, got.routing_key, got.redelivered, got.message_count) == ("", queue.name, False, 0)
        assert got.properties == sent.properties
        assert got.body == b"hello"


@on_a_loop
async def test_an_empty_queue_has_nothing_to_get(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        assert await queue.get(fail=False) is None
        with pytest.raises(QueueEmpty):
            await queue.get()


@on_a_loop
async def test_many_publishes_wait_for_their_confirms_together(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"), durable=True)
        message = aio_pika.Message(b"x", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        confirms = await asyncio.gather(*(channel.default_exchange.publish(message, queue.name) for _ in range(100)))
        assert all(isinstance(confirm, aiormq.spec.Basic.Ack) for confirm in confirms)
        assert await count(channel, queue.name) == 100


@on_a_loop
async def test_an_iterator_gets_messages_in_order_and_acks_them(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        await publish(channel, queue.name, *(b"%d" % number for number in range(10)))
        bodies: list[bytes] = []
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    bodies.append(message.body)
                if len(bodies) == 10:
                    break
        assert bodies == [b"%d" % number for number in range(10)]
        assert (await channel.queue_delete(queue.name)).message_count == 0


@on_a_loop
async def test_a_nacked_message_comes_again(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        await publish(channel, queue.name, b"again")
        inbox = await consume(queue)
        first = await inbox.get()
        await first.nack(requeue=True)
        second = await inbox.get()
        assert (first.redelivered, second.redelivered, second.body) == (False, True, b"again")
        await second.ack()


@on_a_loop
async def test_a_message_whose_processing_fails_is_rejected(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        await channel.set_qos(prefetch_count=1)
        await publish(channel, queue.name, b"bad", b"good")
        inbox = await consume(queue)
        with pytest.raises(ZeroDivisionError):
            async with (await inbox.get()).process(requeue=False):
                _ = 1 / 0
        message = await inbox.get()
        assert (message.redelivered, message.body) == (False, b"good")
        await message.reject(requeue=False)
        assert (await channel.queue_delete(queue.name)).message_count == 0


@on_a_loop
async def test_a_transaction_publishes_at_commit_and_not_after_rollback(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url, publisher_confirms=False) as channel:
        queue = await channel.declare_queue(name("queue"))
        async with channel.transaction():
            await publish(channel, queue.name, b"one", b"two")
            assert await count(channel, queue.name) == 0
        assert await count(channel, queue.name) == 2
        transaction = channel.transaction()
        await transaction.select()
        await publish(channel, queue.name, b"three")
        await transaction.rollback()
        await transaction.commit()
        assert await count(channel, queue.name) == 2


@on_a_loop
async def test_a_mandatory_message_without_a_queue_is_returned(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        returned: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        channel.return_callbacks.add(lambda _, message: returned.put_nowait(message))
        nowhere = name("nowhere")
        exchange = await channel.get_exchange("amq.direct")
        await exchange.publish(aio_pika.Message(b"lost"), nowhere, mandatory=True)
        message = await returned.get()
        assert (message.exchange, message.routing_key, message.body) == ("amq.direct", nowhere, b"lost")


@on_a_loop
async def test_a_returned_message_can_be_an_error(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url, on_return_raises=True) as channel:
        with pytest.raises(DeliveryError) as error:
            await channel.default_exchange.publish(aio_pika.Message(b"lost"), name("nowhere"), mandatory=True)
        assert error.value.frame.reply_code == 312
        await channel.default_exchange.publish(aio_pika.Message(b"dropped"), name("nowhere"), mandatory=False)


@on_a_loop
async def test_a_missing_queue_closes_the_channel_and_not_the_connection(broker_url: str, name: Name) -> None:
    async with await aio_pika.connect(broker_url) as connection:
        missing = name("missing")
        channel = await connection.channel()
        with pytest.raises(ChannelNotFoundEntity, match=f"no queue '{missing}' in vhost '/'"):
            await channel.get_queue(missing)
        await channel.closed()
        assert not connection.is_closed
        channel = await connection.channel()
        await channel.declare_queue(missing)
        assert await count(channel, missing) == 0


@on_a_loop
async def test_an_exclusive_queue_is_refused_to_another_connection(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as owner, open_channel(broker_url) as stranger:
        queue = await owner.declare_queue(name("queue"), exclusive=True)
        with pytest.raises(ChannelClosed, match="RESOURCE_LOCKED"):
            await stranger.get_queue(queue.name)
        await publish(owner, queue.name, b"mine")
        assert (await queue.get(no_ack=True)).body == b"mine"


@on_a_loop
async def test_a_headers_exchange_looks_at_headers_alone(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        exchange = await channel.declare_exchange(name("exchange"), aio_pika.ExchangeType.HEADERS)
        both, either = await channel.declare_queue(name("both")), await channel.declare_queue(name("either"))
        await both.bind(exchange, arguments={"x-match": "all", "shape": "round", "sides": 2})
        await either.bind(exchange, arguments={"x-match": "any", "shape": "round", "sides": 2})
        for shape, sides in (("round", 2), ("round", 1), ("square", 1)):
            message = aio_pika.Message(shape.encode(), headers={"shape": shape, "sides": sides})
            await exchange.publish(message, routing_key="ignored", mandatory=False)
        assert await count(channel, both.name) == 1
        assert await count(channel, either.name) == 2


@on_a_loop
async def test_prefetch_holds_messages_back_until_an_ack(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        await publish(channel, queue.name, b"1", b"2", b"3", b"4")
        await channel.set_qos(prefetch_count=2)
        inbox = await consume(queue)
        first, second = await inbox.get(), await inbox.get()
        assert await count(channel, queue.name) == 2
        await second.ack(multiple=True)
        third, fourth = await inbox.get(), await inbox.get()
        assert [message.body for message in (first, second, third, fourth)] == [b"1", b"2", b"3", b"4"]


@on_a_loop
async def test_a_large_body_comes_back_whole(broker_url: str, name: Name) -> None:
    large = secrets.token_bytes(1 << 20)
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        inbox = await consume(queue)
        await publish(channel, queue.name, large)
        message = await inbox.get()
        await message.ack()
        assert message.body == large


@on_a_loop
async def test_a_consumer_is_told_when_its_queue_is_deleted(broker_url: str, name: Name) -> None:
    async with open_channel(broker_url) as channel:
        queue = await channel.declare_queue(name("queue"))
        cancelled: asyncio.Queue[str | None] = asyncio.Queue()
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda frame: cancelled.put(frame.consumer_tag))
        tag = await queue.consume(asyncio.Queue[AbstractIncomingMessage]().put)
        await channel.queue_delete(queue.name)
        assert await cancelled.get() == tag
        assert not channel.is_closed


@on_a_loop
async def test_a_robust_connection_restores_queues_bindings_and_consumers(
    proxy: Proxy, broker_url: str, name: Name
) -> None:
    async with await aio_pika.connect_robust(proxy.url, reconnect_interval=0.05) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(name("exchange"), aio_pika.ExchangeType.FANOUT)
        queue = await channel.declare_queue(name("queue"), exclusive=True)  # gone with the old connection
        await queue.bind(exchange)
        inbox = await consume(queue)
        await exchange.publish(aio_pika.Message(b"before"), "")
        assert (await inbox.get()).body == b"before"
        restored = asyncio.Event()
        connection.reconnect_callbacks.add(lambda _: restored.set())
        proxy.cut()
        await restored.wait()
        async with open_channel(broker_url) as other:
            await (await other.get_exchange(exchange.name)).publish(aio_pika.Message(b"after"), "")
        message = await inbox.get()
        await message.ack()
        assert (message.body, message.redelivered) == (b"after", False)


@on_a_loop
async def test_a_robust_iterator_goes_on_after_a_drop(proxy: Proxy, name: Name) -> None:
    async with await aio_pika.connect_robust(proxy.url, reconnect_interval=0.05) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        queue = await channel.declare_queue(name("queue"), durable=True)
        await publish(channel, queue.name, b"one", b"two")
        seen: list[tuple[bytes, bool]] = []
        async with queue.iterator() as messages:
            async for message in messages:
                seen.append((message.body, bool(message.redelivered)))
                if len(seen) == 1:
                    proxy.cut()  # before the ack
                    continue
                await message.ack()
                if message.body == b"two":
                    break
        assert seen == [(b"one", False), (b"one", True), (b"two", False)]
