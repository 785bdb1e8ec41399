"""A listener in this process on a free port of this machine, and clients that talk to it in the same event loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from amqpd.amqp.connection import ConnectionSettings
from amqpd.auth.base import Authenticator, Authorizer
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.listeners.amqp import AmqpListener
from amqpd.listeners.stream import StreamProtocol, Turn
from amqpd.listeners.tls import TlsFiles, TlsOptions
from amqpd.testing.client import CAPABILITIES, ClientSession, Command
from amqpd.wire.methods import (
    ChannelOpen,
    ChannelOpenOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionStartOk,
    ConnectionTune,
    ConnectionTuneOk,
)
from amqpd.wire.schema import Method
from amqpd.wire.spec import PROTOCOL_HEADER
from tests.fakes import Guests, RecordingLog

PATIENCE = 10.0

_M = TypeVar("_M", bound=Method)


def loop_factories() -> list[Any]:
    """asyncio's own loop, and uvloop's where it is installed."""
    factories = [pytest.param(asyncio.new_event_loop, id="asyncio")]
    try:
        import uvloop
    except ImportError:
        return factories
    return [*factories, pytest.param(uvloop.new_event_loop, id="uvloop")]


def run(factory: Callable[[], asyncio.AbstractEventLoop], main: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine in a loop of this kind, and not forever."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE):
            await main()

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so; the test's time limit bounds the waiting."""
    while not condition():  # noqa: ASYNC110 - nobody could set an event
        await asyncio.sleep(0.001)


class AsyncClient:
    """A client's session on a socket, in the event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.session = ClientSession()

    @classmethod
    async def connect(
        cls,
        address: tuple[str, int],
        *,
        log_in: bool = True,
        heartbeat: int = 0,
        receive_buffer: int = 0,
        tls: ssl.SSLContext | None = None,
        mechanism: str = "PLAIN",
    ) -> AsyncClient:
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, address)
        except OSError:
            sock.close()
            raise
        options: dict[str, Any] = {} if tls is None else {"ssl": tls, "server_hostname": "localhost"}
        client = cls(*await asyncio.open_connection(sock=sock, limit=1 << 16, **options))
        if log_in:
            await client.log_in(heartbeat, mechanism)
        return client

    async def log_in(self, heartbeat: int = 0, mechanism: str = "PLAIN") -> None:
        self.write(PROTOCOL_HEADER)
        await self.expect(ConnectionStart)
        response = b"\x00guest\x00guest" if mechanism == "PLAIN" else b""
        self.send(0, ConnectionStartOk({"capabilities": CAPABILITIES}, mechanism, response))
        tune = await self.expect(ConnectionTune)
        self.send(0, ConnectionTuneOk(tune.channel_max, tune.frame_max, heartbeat), ConnectionOpen())
        await self.expect(ConnectionOpenOk)
        await self.call(1, ChannelOpen(), ChannelOpenOk)

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def send(self, channel: int, *methods: Method) -> None:
        self.write(self.session.encode(channel, *methods))

    async def receive(self) -> Command | None:
        """The next command; None when the socket was closed."""
        while (command := self.session.next()) is None:
            try:
                data = await self.reader.read(1 << 16)
            except (ConnectionError, ssl.SSLError):
                return None
            if not data:
                return None
            self.session.feed(data)
        return command

    async def expect(self, kind: type[_M]) -> _M:
        command = await self.receive()
        assert command is not None, f"expected {kind.__name__}, but the socket was closed"
        assert isinstance(command.method, kind), f"expected {kind.__name__}, got {command}"
        return command.method

    async def call(self, channel: int, method: Method, answer: type[_M]) -> _M:
        self.send(channel, method)
        return await self.expect(answer)

    async def leave(self) -> None:
        """connection.close, close-ok, and the end of the socket."""
        self.send(0, ConnectionClose(200, "bye"))
        while (command := await self.receive()) is not None:
            if isinstance(command.method, ConnectionCloseOk):
                break
        await self.drop()

    async def drop(self) -> None:
        """Close the socket without a word."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            return


class Listening:
    """A listener, its broker, and what it logs; time stands still unless the test moves it."""

    def __init__(
        self,
        broker: Broker,
        settings: ConnectionSettings | None = None,
        authenticator: Authenticator | None = None,
        authorizer: Authorizer | None = None,
        **options: Any,
    ) -> None:
        assert isinstance(broker.clock, VirtualClock)
        self.broker = broker
        self.clock: VirtualClock = broker.clock
        self.log = RecordingLog()
        guests = Guests()
        self.turn = Turn(asyncio.get_running_loop())
        tls: TlsOptions | None = options.pop("tls", None)
        self.tls = TlsFiles(tls, self.log) if tls is not None else None
        self.listener = AmqpListener(
            broker,
            authenticator or guests,
            authorizer or guests,
            settings or ConnectionSettings(),
            self.turn,
            self.log,
            tls=self.tls,
            **options,
        )
        self.addresses: list[tuple[str, int]] = []

    @property
    def address(self) -> tuple[str, int]:
        return self.addresses[0]

    @property
    def protocols(self) -> list[StreamProtocol]:
        """The broker's ends of the connections there are."""
        return list(self.listener._connected)

    async def connect(self, **options: Any) -> AsyncClient:
        return await AsyncClient.connect(self.address, **options)


@asynccontextmanager
async def listening(
    broker: Broker,
    settings: ConnectionSettings | None = None,
    authenticator: Authenticator | None = None,
    authorizer: Authorizer | None = None,
    **options: Any,
) -> AsyncIterator[Listening]:
    """`options` are those of the listener, and `tls`."""
    made = Listening(broker, settings, authenticator, authorizer, **options)
    made.addresses = await made.listener.start("127.0.0.1", 0)
    try:
        yield made
    finally:
        made.listener.stop_accepting()
        await made.listener.close_connections("the test is over", 0.0)
        await until(lambda: not made.protocols)
