"""Listens for AMQP clients."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import ipaddress
from collections.abc import Callable
from typing import Any, Final

from ..amqp.connection import Connection, ConnectionSettings
from ..auth.base import Authenticator, Authorizer, Peer
from ..auth.certificate import Encryption
from ..broker.broker import Broker
from ..wire.spec import ReplyCode
from .admission import Admission
from .base import Session
from .encrypted import EncryptedSession
from .sockets import SocketOptions, bind
from .stream import BULK_SIZE, StreamProtocol, Turn
from .tls import TlsFiles

DEFAULT_OPTIONS: Final = SocketOptions()

DOORS: Final = 32
"""Connections accepted in one turn. uvloop takes one from a listening socket, so it gets that many copies of it: else
those who come by the thousand would have everybody else wait for as many turns."""


class AmqpListener:
    """Listening sockets of one kind, with TLS or without, and the connections they accepted."""

    def __init__(
        self,
        broker: Broker,
        authenticator: Authenticator,
        authorizer: Authorizer,
        settings: ConnectionSettings,
        turn: Turn,
        log: Any,
        admission: Admission | None = None,
        *,
        options: SocketOptions = DEFAULT_OPTIONS,
        tls: TlsFiles | None = None,
        tls_timeout: float = 5.0,
    ) -> None:
        self._broker = broker
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._settings = settings
        self._turn = turn
        self._log = log
        self._options = options
        self._tls = tls
        self._tls_timeout = tls_timeout  # seconds for its handshake
        self._decrypted = memoryview(bytearray(BULK_SIZE if tls else 0))  # shared by all connections
        self._admission = admission or Admission(broker.clock, log)
        self._servers: list[asyncio.Server] = []
        self._connected: set[StreamProtocol] = set()
        self._leaving = False  # connections are being closed
        self._empty = asyncio.Event()  # the last connection is gone

    async def start(self, host: str, port: int) -> list[tuple[str, int]]:
        """Accept connections on every address `host` stands for; port 0 takes a free one. Returns (address, port)s.

        May be called for several. Raises StartupError when one cannot be had, see `sockets.bind`.
        """
        loop = asyncio.get_running_loop()
        addresses: list[tuple[str, int]] = []
        remedies = ("-b", "-p") if self._tls is None else ("listeners.ssl", "listeners.ssl")
        doors = DOORS if type(loop).__module__.startswith("uvloop") else 1
        for made in await bind(host, port, self._options, remedies):
            addresses.append(made.getsockname()[:2])
            for door in (made, *(made.dup() for _ in range(doors - 1))):
                server = await loop.create_server(self._protocol, sock=door, backlog=self._options.backlog)
                self._servers.append(server)
        return addresses

    @property
    def accepting(self) -> bool:
        """Whether its sockets are open."""
        return bool(self._servers)

    @property
    def encrypted(self) -> bool:
        """Whether it speaks TLS."""
        return self._tls is not None

    def stop_accepting(self) -> None:
        """Close the listening sockets; connections stay."""
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def close_connections(self, explanation: str, patience: float) -> None:
        """Send every client connection.close 320, and wait for their farewells for `patience` seconds at most."""
        self._leaving = True
        for protocol in list(self._connected):
            protocol.session.close(ReplyCode.CONNECTION_FORCED, explanation)
            self._turn.add(protocol)
        if self._connected:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), patience)
        for protocol in list(self._connected):
            protocol.abort()

    def _protocol(self) -> StreamProtocol:
        return StreamProtocol(
            self._session, self._broker.clock, self._turn, self._lost, self._log, self._options.send_timeout
        )

    def _lost(self, protocol: StreamProtocol) -> None:
        self._connected.discard(protocol)
        self._admission.left(protocol)
        if not self._connected:
            self._empty.set()

    def _session(self, protocol: StreamProtocol, transport: asyncio.Transport, wake: Callable[[], None]) -> Session:
        self._connected.add(protocol)
        self._admission.arrived(protocol)
        if self._leaving:
            transport.abort()  # it was accepted just before the end
        if not transport.is_closing():
            self._options.apply(transport)
        peer = peer_of(transport)
        admitted = functools.partial(self._admission.admitted, protocol)
        if self._tls is None:
            return self._connection(peer, wake, admitted)

        def connection(encryption: Encryption) -> Connection:
            return self._connection(dataclasses.replace(peer, encryption=encryption), wake, admitted)

        return EncryptedSession(
            self._tls,
            connection,
            self._broker.clock,
            self._tls_timeout,
            self._decrypted,
            self._log.bind(peer=str(peer)),
            wake,
        )

    def _connection(self, peer: Peer, wake: Callable[[], None], admitted: Callable[[], None]) -> Connection:
        return Connection(
            self._broker, self._authenticator, self._authorizer, self._settings, peer, self._log, wake, admitted
        )


def peer_of(transport: asyncio.Transport) -> Peer:
    """Both ends of a TCP connection; unknown ones when it is gone already."""
    unknown = ("0.0.0.0", 0)  # noqa: S104 - not bound to
    host, port = (transport.get_extra_info("peername") or unknown)[:2]
    local_host, local_port = (transport.get_extra_info("sockname") or unknown)[:2]
    return Peer(_plain(host), port, _plain(local_host), local_port, _is_loopback(host))


def _plain(host: str) -> str:
    """An IPv4 address that was met on an IPv6 socket, as IPv4 writes it."""
    return host.removeprefix("::ffff:") if "." in host else host


@functools.lru_cache(1024)
def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
