"""FastStream: services that subscribe, publish and answer, on aio-pika's robust connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import pytest
from faststream import AckPolicy, Path
from faststream.exceptions import RejectMessage
from faststream.rabbit import (
    Channel,
    ExchangeType,
    QueueType,
    RabbitBroker,
    RabbitExchange,
    RabbitMessage,
    RabbitQueue,
    RabbitResponse,
)

PATIENCE = 20.0

Name = Callable[..., str]
Service = Callable[[RabbitBroker, asyncio.Queue[Any]], Awaitable[None]]


def serve(url: str, service: Service) -> None:
    """Run a service, which subscribes, starts the broker object, and looks into what its subscribers put aside."""

    async def main() -> None:
        async with asyncio.timeout(PATIENCE), RabbitBroker(url, default_channel=Channel(prefetch_count=10)) as broker:
            await service(broker, asyncio.Queue())

    asyncio.run(main())


def test_what_one_subscriber_returns_another_gets(broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        numbers, squares = name("numbers"), name("squares")

        @broker.subscriber(numbers)
        @broker.publisher(squares)
        async def square(number: int) -> int:
            return number * number

        @broker.subscriber(squares)
        async def collect(number: int) -> None:
            await seen.put(number)

        await broker.start()
        for number in range(20):
            await broker.publish(number, numbers)
        assert sorted([await seen.get() for _ in range(20)]) == [number * number for number in range(20)]

    serve(broker_url, service)


def test_requests_are_answered(broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        queue = name("rpc")

        @broker.subscriber(queue)
        async def greet(who: str) -> RabbitResponse:
            return RabbitResponse(f"Hello, {who}", headers={"polite": True})

        await broker.start()
        replies = await asyncio.gather(*(broker.request(f"n{n}", queue, timeout=PATIENCE) for n in range(20)))
        assert [await reply.decode() for reply in replies] == [f"Hello, n{n}" for n in range(20)]
        assert replies[0].headers["polite"] is True

    serve(broker_url, service)


def test_topic_keys_are_parameters(broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        logs = RabbitExchange(name("logs"), type=ExchangeType.TOPIC)

        @broker.subscriber(RabbitQueue(name("queue"), routing_key="logs.{level}.{source}"), logs)
        async def log(body: str, level: Annotated[str, Path()], source: Annotated[str, Path()]) -> None:
            await seen.put((body, level, source))

        await broker.start()
        await broker.publish("nobody hears", exchange=logs, routing_key="logs.info")
        await broker.publish("heard", exchange=logs, routing_key="logs.info.kernel")
        assert await seen.get() == ("heard", "info", "kernel")
        assert seen.empty()

    serve(broker_url, service)


@pytest.mark.parametrize("kind", [ExchangeType.DIRECT, ExchangeType.FANOUT, ExchangeType.HEADERS])
def test_exchanges_of_every_type_route(kind: ExchangeType, broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        exchange = RabbitExchange(name("exchange"), type=kind, auto_delete=True)
        arguments = {"shape": "round", "x-match": "all"}
        for key in ("red", "blue"):
            mine = RabbitQueue(name(key), routing_key=key, bind_arguments={**arguments, "colour": key})

            @broker.subscriber(mine, exchange)
            async def hear(body: str) -> None:
                await seen.put(body)

        await broker.start()
        await broker.publish("x", exchange=exchange, routing_key="red", headers={"colour": "red", "shape": "round"})
        await seen.get()
        if kind is ExchangeType.FANOUT:
            await seen.get()
        assert seen.empty()

    serve(broker_url, service)


def test_acknowledging_can_be_left_to_a_policy_or_done_by_hand(broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        dead = name("dead")
        arguments: Any = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
        rejecting, retrying, manual = (
            RabbitQueue(name(stem), arguments=arguments) for stem in ("rejecting", "retrying", "manual")
        )

        @broker.subscriber(rejecting, ack_policy=AckPolicy.REJECT_ON_ERROR)
        async def reject(body: str) -> None:
            raise ValueError(body)

        @broker.subscriber(retrying, ack_policy=AckPolicy.NACK_ON_ERROR)
        async def retry(body: str, message: RabbitMessage) -> None:
            if not message.raw_message.redelivered:
                raise ValueError(body)
            await seen.put(("retried", body))

        @broker.subscriber(manual, ack_policy=AckPolicy.MANUAL)
        async def by_hand(body: str, message: RabbitMessage) -> None:
            if body == "reject":
                await message.reject(requeue=False)
            elif message.raw_message.redelivered:
                await message.ack()
                await seen.put(("acked", body))
            else:
                await message.nack(requeue=True)

        @broker.subscriber(dead)
        async def bury(body: str, message: RabbitMessage) -> None:
            await seen.put((message.headers["x-first-death-queue"], body))

        await broker.start()
        await broker.publish("bad", rejecting)
        assert await seen.get() == (rejecting.name, "bad")
        await broker.publish("again", retrying)
        assert await seen.get() == ("retried", "again")
        await broker.publish("reject", manual)
        assert await seen.get() == (manual.name, "reject")
        await broker.publish("nack", manual)
        assert await seen.get() == ("acked", "nack")

    serve(broker_url, service)


def test_an_exception_says_what_is_to_become_of_a_message(broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        queue = RabbitQueue(name("queue"), QueueType.QUORUM, durable=True)

        @broker.subscriber(queue)
        async def work(body: str, message: RabbitMessage) -> None:
            if body == "bad":
                raise RejectMessage
            if not message.raw_message.redelivered:
                raise RejectMessage(requeue=True)
            await seen.put((body, message.headers["x-delivery-count"]))

        await broker.start()
        await broker.publish("bad", queue, persist=True)
        await broker.publish("good", queue, persist=True)
        assert await seen.get() == ("good", 1)
        assert seen.empty()

    serve(broker_url, service)


def test_a_stream_is_read_from_its_beginning(broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        stream = RabbitQueue(name("stream"), QueueType.STREAM, durable=True)
        await broker.connect()
        await broker.declare_queue(stream)
        for number in range(5):
            await broker.publish(number, stream)

        @broker.subscriber(stream, consume_args={"x-stream-offset": "first"})
        async def read(number: int, message: RabbitMessage) -> None:
            await seen.put((number, message.headers["x-stream-offset"]))

        await broker.start()
        assert sorted([await seen.get() for _ in range(5)]) == [(number, number) for number in range(5)]

    serve(broker_url, service)


def test_messages_are_taken_one_by_one_from_an_iterator(broker_url: str, name: Name) -> None:
    async def service(broker: RabbitBroker, seen: asyncio.Queue[Any]) -> None:
        queue = name("queue")
        subscriber = broker.subscriber(queue)
        await broker.start()
        await broker.publish("first", queue)
        await broker.publish("second", queue)
        bodies = []
        async for message in subscriber:
            bodies.append(await message.decode())
            await message.ack()
            if len(bodies) == 2:
                break
        assert bodies == ["first", "second"]

    serve(broker_url, service)
