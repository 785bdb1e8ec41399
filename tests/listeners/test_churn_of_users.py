"""Users, permissions and logins that come and go leave nothing behind either."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from amqpd.auth.internal import InternalUsers
from amqpd.auth.throttle import Throttled
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore
from amqpd.testing.client import CAPABILITIES
from amqpd.wire.methods import (
    BasicCancel,
    BasicConsume,
    BasicConsumeOk,
    ChannelClose,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionStart,
    ConnectionStartOk,
    ConnectionUpdateSecret,
    ConnectionUpdateSecretOk,
)
from amqpd.wire.spec import PROTOCOL_HEADER
from tests.listeners.harness import Listening, listening, loop_factories, run, until
from tests.listeners.test_churn import (
    Factory,
    delivered,
    left_behind,
    no_collector,
    of_the_broker,
    publish,
    skip_to,
    topology,
)

__all__ = ["no_collector"]

Churn = Callable[[Listening, InternalUsers], Awaitable[None]]


def permit(users: InternalUsers, write: str = ".*", read: str = ".*") -> None:
    users.set_permissions("guest", "/", configure=".*", write=write, read=read)


async def permissions_that_change(made: Listening, users: InternalUsers) -> None:
    client = await made.connect()
    await topology(client)
    await client.call(1, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
    users.set_topic_permissions("guest", "/", "x", write="^q$", read="")
    publish(client, 3, exchange="x")
    await delivered(client, 3)
    permit(users, "", "")
    client.send(0, ConnectionUpdateSecret(b"guest", "new"))
    await client.expect(ConnectionUpdateSecretOk)
    await client.expect(BasicCancel)
    publish(client, 1, exchange="x")
    await skip_to(client, ChannelClose)
    users.clear_topic_permissions("guest", "/")
    permit(users)
    await client.drop()


async def a_user_who_is_deleted(made: Listening, users: InternalUsers) -> None:
    client = await made.connect()
    await topology(client)
    await client.call(1, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
    users.delete("guest")
    await skip_to(client, ConnectionClose)
    client.send(0, ConnectionCloseOk())
    await client.drop()
    users.add("guest", "guest")
    permit(users)


async def logins_that_fail(made: Listening, users: InternalUsers) -> None:
    for number in range(20):
        made.log.lines.clear()
        client = await made.connect(log_in=False)
        client.write(PROTOCOL_HEADER)
        await client.expect(ConnectionStart)
        client.send(0, ConnectionStartOk({"capabilities": CAPABILITIES}, "PLAIN", b"\x00guest\x00wrong"))
        await until(lambda: "login refused" in made.log.texts("warning"))
        if number % 2:
            made.clock.advance(8.0)
            await skip_to(client, ConnectionClose)
        await client.drop()
        await until(lambda: not made.protocols)


CHURNS = [permissions_that_change, a_user_who_is_deleted, logins_that_fail]


@pytest.mark.parametrize("factory", loop_factories())
@pytest.mark.parametrize("churn", CHURNS, ids=lambda churn: churn.__name__)
def test_nothing_is_left_in_cycles(factory: Factory, churn: Churn, no_collector: None) -> None:
    found: list[Counter[str]] = []

    async def main() -> None:
        broker = Broker(MemoryStore(), VirtualClock())
        users = InternalUsers(broker)
        users.add("guest", "guest")
        permit(users)

        async with listening(broker, None, Throttled(users, broker.clock), users) as made:

            async def rounds(count: int) -> None:
                for _ in range(count):
                    await churn(made, users)
                    made.clock.advance(60.0)
                    await until(lambda: not made.protocols)

            await rounds(2)
            before = of_the_broker(gc.get_objects())
            await rounds(5)
            after = of_the_broker(gc.get_objects())
            found.append(left_behind())
            assert after - before == Counter(), "grown"

    run(factory, main)
    assert found == [Counter()]
