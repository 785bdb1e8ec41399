"""Listening sockets: what a host stands for, and what connections are given on the way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.errors import StartupError
from amqpd.listeners.sockets import SocketOptions, bind
from amqpd.store.memory import MemoryStore
from tests.listeners.harness import AsyncClient, Listening, listening, loop_factories, run, until

Factory = Callable[[], asyncio.AbstractEventLoop]

NO_IPV6 = not socket.has_ipv6


@pytest.fixture(params=loop_factories())
def factory(request: pytest.FixtureRequest) -> Factory:
    made: Factory = request.param
    return made


def new_broker() -> Broker:
    return Broker(MemoryStore(), VirtualClock())


async def accepted(made: Listening) -> socket.socket:
    """The broker's end of the one connection there is, as a socket of our own."""
    await until(lambda: len(made.protocols) == 1)
    transport = made.protocols[0]._transport
    return socket.socket(fileno=socket.dup(transport.get_extra_info("socket").fileno()))


@pytest.mark.parametrize(
    ("options", "level", "name", "expected"),
    [
        (SocketOptions(), socket.IPPROTO_TCP, socket.TCP_NODELAY, True),
        (SocketOptions(nodelay=False), socket.IPPROTO_TCP, socket.TCP_NODELAY, False),
        (SocketOptions(), socket.SOL_SOCKET, socket.SO_KEEPALIVE, False),
        (SocketOptions(keepalive=True), socket.SOL_SOCKET, socket.SO_KEEPALIVE, True),
    ],
)
def test_connections_have_the_options(
    factory: Factory, options: SocketOptions, level: int, name: int, expected: bool
) -> None:
    async def main() -> None:
        async with listening(new_broker(), options=options) as made:
            client = await made.connect()
            with await accepted(made) as ours:
                assert bool(ours.getsockopt(level, name)) is expected
            await client.leave()

    run(factory, main)


def test_buffers_are_as_large_as_one_says(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker(), options=SocketOptions(sndbuf=40_000, recbuf=50_000)) as made:
            client = await made.connect()
            with await accepted(made) as ours:  # Linux doubles them, for its own use
                assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (40_000, 80_000)
                assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) in (50_000, 100_000)
            await client.leave()

    run(factory, main)


def test_one_listener_may_have_several_addresses(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            others = await made.listener.start("127.0.0.2", 0)
            clients = [await AsyncClient.connect(address) for address in (*made.addresses, *others)]
            assert [client.writer.get_extra_info("peername")[0] for client in clients] == ["127.0.0.1", "127.0.0.2"]
            made.listener.stop_accepting()
            await asyncio.sleep(0)
            for address in (*made.addresses, *others):
                with pytest.raises(ConnectionError):
                    await AsyncClient.connect(address)
            for client in clients:
                await client.leave()

    run(factory, main)


@pytest.mark.skipif(NO_IPV6, reason="there is no IPv6 here")
@pytest.mark.parametrize("host", ["", "::"])
def test_all_addresses_are_one_socket_for_both_families(factory: Factory, host: str) -> None:
    async def main() -> None:
        made = Listening(new_broker())
        ((shown, port),) = await made.listener.start(host, 0)
        assert shown == "::"
        clients = []
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as client:
                client.connect((address, port))
                await until(lambda: len(made.protocols) == 1)
                clients.append(str(made.protocols[0].session.peer))  # type: ignore[attr-defined]
                assert made.protocols[0].session.peer.loopback  # type: ignore[attr-defined]
            await until(lambda: not made.protocols)
        assert clients[0].startswith("127.0.0.1:")
        assert clients[0].endswith(f" -> 127.0.0.1:{port}")
        assert clients[1].startswith("[::1]:")
        assert clients[1].endswith(f" -> [::1]:{port}")
        made.listener.stop_accepting()

    run(factory, main)


def test_where_there_is_no_ipv6_all_addresses_are_those_of_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amqpd.listeners.sockets._speaks_ipv6", lambda: False)

    async def main() -> None:
        (made,) = await bind("", 0, SocketOptions())
        assert made.getsockname()[0] == "0.0.0.0"
        made.close()

    run(asyncio.new_event_loop, main)


def test_when_one_address_is_taken_none_is_kept() -> None:
    async def main() -> None:
        addresses = {info[4][0] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
        (first,) = await bind("127.0.0.1", 0, SocketOptions())
        port = first.getsockname()[1]
        first.listen()
        with pytest.raises(StartupError, match=f"cannot listen on localhost:{port}: Address already in use"):
            await bind("localhost", port, SocketOptions())
        first.close()
        for address in addresses:
            for made in await bind(address, port, SocketOptions()):
                made.close()

    run(asyncio.new_event_loop, main)
