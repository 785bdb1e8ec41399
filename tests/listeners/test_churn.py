"""What comes and goes leaves nothing behind, although no collector of cycles runs."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicCancelOk,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicNack,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ChannelOpenOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
    TxCommit,
    TxCommitOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.schema import Method
from tests.listeners.harness import AsyncClient, Listening, listening, loop_factories, run, until

Factory = Callable[[], asyncio.AbstractEventLoop]
Churn = Callable[[AsyncClient], Awaitable[None]]


def publish(client: AsyncClient, count: int = 1, *, exchange: str = "", channel: int = 1) -> None:
    for number in range(count):
        client.write(client.session.encode_publish(channel, exchange, "q", str(number).encode()))


async def topology(client: AsyncClient) -> None:
    await client.call(1, ExchangeDeclare(exchange="x", type="topic"), ExchangeDeclareOk)
    await client.call(1, QueueDeclare(queue="q", auto_delete=True), QueueDeclareOk)
    await client.call(1, QueueBind(queue="q", exchange="x", routing_key="#"), QueueBindOk)


async def delivered(client: AsyncClient, count: int) -> int:
    """Receive deliveries; returns the last tag."""
    tag = 0
    while count:
        command = await client.receive()
        assert command is not None
        if isinstance(command.method, BasicDeliver):
            tag = command.method.delivery_tag
            count -= 1
    return tag


async def a_consumer_that_acks_and_goes(client: AsyncClient) -> None:
    await topology(client)
    await client.call(1, ConfirmSelect(), ConfirmSelectOk)
    await client.call(1, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
    publish(client, 10, exchange="x")
    tag = await delivered(client, 10)
    client.send(1, BasicAck(tag - 5, multiple=True), BasicNack(tag, multiple=False, requeue=False))
    client.send(1, BasicCancel("c"))
    await skip_to(client, BasicCancelOk)
    await client.leave()


async def skip_to(client: AsyncClient, kind: type[Method]) -> Any:
    while True:
        command = await client.receive()
        assert command is not None
        if isinstance(command.method, kind):
            return command.method


async def a_consumer_lost_with_unacked_messages(client: AsyncClient) -> None:
    await topology(client)
    await client.call(1, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
    publish(client, 10)
    await delivered(client, 10)
    await client.drop()


async def a_queue_deleted_under_its_consumer(client: AsyncClient) -> None:
    await topology(client)
    await client.call(1, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
    publish(client, 3)
    await delivered(client, 3)
    client.send(1, QueueDelete(queue="q"))
    await skip_to(client, QueueDeleteOk)
    await client.leave()


async def a_queue_deleted_with_messages(client: AsyncClient) -> None:
    await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
    publish(client, 100)
    client.send(1, BasicGet(queue="q"))
    await client.receive()
    await client.call(1, QueueDelete(queue="q"), QueueDeleteOk)
    await client.leave()


async def an_exchange_deleted_with_its_bindings(client: AsyncClient) -> None:
    await topology(client)
    publish(client, 3, exchange="x")
    await client.call(1, ExchangeDelete(exchange="x"), ExchangeDeleteOk)
    await client.call(1, QueueDelete(queue="q"), QueueDeleteOk)
    await client.leave()


async def a_channel_closed_for_an_error(client: AsyncClient) -> None:
    await client.call(2, ChannelOpen(), ChannelOpenOk)
    await client.call(2, QueueDeclare(queue="q", exclusive=True), QueueDeclareOk)
    await client.call(2, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
    publish(client, 3, channel=2)
    await delivered(client, 3)
    client.send(2, BasicAck(99))
    await skip_to(client, ChannelClose)
    client.send(2, ChannelCloseOk())
    await client.leave()


async def a_transaction(client: AsyncClient) -> None:
    await client.call(1, TxSelect(), TxSelectOk)
    await client.call(1, QueueDeclare(queue="q", exclusive=True), QueueDeclareOk)
    publish(client, 3)
    await client.call(1, TxCommit(), TxCommitOk)
    publish(client, 3)
    await client.drop()


async def nonsense(client: AsyncClient) -> None:
    client.write(b"\x01\x00\x01\x00\x00\x00\x04\xff\xff\xff\xff\xce")
    await skip_to(client, ConnectionClose)
    await client.drop()


CHURNS = [
    a_consumer_that_acks_and_goes,
    a_consumer_lost_with_unacked_messages,
    a_queue_deleted_under_its_consumer,
    a_queue_deleted_with_messages,
    an_exchange_deleted_with_its_bindings,
    a_channel_closed_for_an_error,
    a_transaction,
    nonsense,
]


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Cycles stay where they are, and are found at the end."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def of_the_broker(objects: Iterable[Any]) -> Counter[str]:
    types = [type(each) for each in objects]
    ours = [
        kind for kind in types if str(kind.__module__).startswith("amqpd.") and "testing" not in str(kind.__module__)
    ]
    return Counter(kind.__qualname__ for kind in ours)


def left_behind() -> Counter[str]:
    """Objects of the broker in unreachable cycles, by type."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return of_the_broker(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


@pytest.mark.parametrize("factory", loop_factories())
@pytest.mark.parametrize("churn", CHURNS, ids=lambda churn: churn.__name__)
def test_nothing_is_left_in_cycles(factory: Factory, churn: Churn, no_collector: None) -> None:
    found: list[Counter[str]] = []

    async def rounds(made: Listening, count: int) -> None:
        for _ in range(count):
            await churn(await made.connect())
            made.clock.advance(60.0)
            await until(lambda: not made.protocols)

    async def main() -> None:
        broker = Broker(MemoryStore(), VirtualClock())
        async with listening(broker) as made:
            await rounds(made, 2)
            before = of_the_broker(gc.get_objects())
            await rounds(made, 5)
            after = of_the_broker(gc.get_objects())
            found.append(left_behind())
            assert after - before == Counter(), "grown"
            assert broker.memory.used == 0

    run(factory, main)
    assert found == [Counter()]
