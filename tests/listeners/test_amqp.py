"""Listening for AMQP clients: addresses, refusals to start, and taking leave."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

import pytest

from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.errors import StartupError
from amqpd.listeners.admission import Admission
from amqpd.listeners.amqp import DOORS, _is_loopback, peer_of
from amqpd.store.memory import MemoryStore
from amqpd.wire.methods import ConnectionClose, ConnectionCloseOk
from tests.listeners.harness import AsyncClient, Listening, listening, loop_factories, run, until

Factory = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=loop_factories())
def factory(request: pytest.FixtureRequest) -> Factory:
    made: Factory = request.param
    return made


def new_broker() -> Broker:
    return Broker(MemoryStore(), VirtualClock())


def test_port_0_takes_a_free_one_and_says_which(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            ((host, port),) = made.addresses
            assert host == "127.0.0.1"
            assert port > 0
            await (await made.connect()).leave()

    run(factory, main)


def refusal(factory: Factory, host: str, port: int) -> StartupError:
    async def main() -> None:
        await Listening(new_broker()).listener.start(host, port)

    with pytest.raises(StartupError) as caught:
        run(factory, main)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_port_in_use_is_refused(factory: Factory) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = refusal(factory, "127.0.0.1", port)
    assert error.exit_code == os.EX_UNAVAILABLE
    assert f"cannot listen on 127.0.0.1:{port}" in str(error)
    assert "choose another port with -p" in str(error)


@pytest.mark.parametrize("host", ["256.1.1.1", "no host", "a..b", "x" * 64, ".a"])
def test_a_host_that_cannot_be_is_refused(factory: Factory, host: str) -> None:
    error = refusal(factory, host, 0)
    assert error.exit_code == os.EX_NOHOST
    assert f"cannot listen on '{host}'" in str(error)
    assert "-b" in str(error)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every port")
def test_a_port_that_is_not_ours_is_refused(factory: Factory) -> None:
    assert refusal(factory, "127.0.0.1", 1).exit_code == os.EX_NOPERM


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::1%lo", True),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),
    ],
)
def test_who_is_on_this_machine(host: str, loopback: bool) -> None:
    assert _is_loopback(host) is loopback


class Gone(asyncio.Transport):
    """A transport whose socket is gone."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default


def test_a_peer_that_is_gone_already_is_nobody() -> None:
    peer = peer_of(Gone())
    assert peer.loopback is False
    assert str(peer) == "0.0.0.0:0 -> 0.0.0.0:0"


def test_a_connection_that_is_reset_at_once_does_no_harm(factory: Factory) -> None:
    async def main() -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        async with listening(new_broker()) as made:
            for _ in range(20):
                with socket.create_connection(made.address) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            await (await made.connect()).leave()
            await until(lambda: not made.protocols)
        assert reported == []
        assert made.log.texts("exception") == []

    run(factory, main)


def test_after_the_end_of_accepting_connections_stay(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            client = await made.connect()
            made.listener.stop_accepting()
            await asyncio.sleep(0)
            with pytest.raises(ConnectionError):
                await AsyncClient.connect(made.address)
            await client.leave()

    run(factory, main)


def test_clients_are_told_of_the_end_and_waited_for(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            clients = [await made.connect() for _ in range(3)]
            closing = asyncio.create_task(made.listener.close_connections("shutdown", 15.0))
            for client in clients:
                close = await client.expect(ConnectionClose)
                assert (close.reply_code, close.reply_text) == (320, "CONNECTION_FORCED - shutdown")
                assert not closing.done()
                client.send(0, ConnectionCloseOk())
                assert await client.receive() is None
            await closing
            assert made.protocols == []
            for client in clients:
                await client.drop()

    run(factory, main)


def test_clients_that_do_not_answer_are_not_waited_for_long(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            silent = await made.connect()
            stranger = await AsyncClient.connect(made.address, log_in=False)
            await until(lambda: len(made.protocols) == 2)
            await made.listener.close_connections("shutdown", 0.01)
            await until(lambda: not made.protocols)
            assert await stranger.receive() is None
            await silent.expect(ConnectionClose)
            assert await silent.receive() is None
            for client in (silent, stranger):
                await client.drop()

    run(factory, main)


def test_without_clients_there_is_nobody_to_wait_for(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            await made.listener.close_connections("shutdown", 15.0)

    run(factory, main)


def test_those_who_come_together_do_not_wait_a_turn_for_each(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            clients = [socket.create_connection(made.address) for _ in range(DOORS)]
            turns = 0
            while len(made.protocols) < DOORS:
                await asyncio.sleep(0)
                turns += 1
            assert turns < DOORS // 2
            for client in clients:
                client.close()

    run(factory, main)


def test_those_who_do_not_log_in_have_to_go_when_there_are_too_many(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            made.listener._admission = Admission(made.clock, made.log, handshakes=3)
            good = await made.connect()
            strangers = [await made.connect(log_in=False) for _ in range(4)]
            assert await strangers[0].receive() is None
            another = await made.connect()
            assert await strangers[1].receive() is None
            await until(lambda: len(made.protocols) == 4)
            for client in (good, another):
                await client.leave()
            for client in strangers:
                await client.drop()

    run(factory, main)
