"""Listens for AMQP clients."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import ipaddress
import os
import socket
from collections.abc import Callable
from typing import Any, Final

from ..amqp.connection import Connection, ConnectionSettings
from ..auth.base import Authenticator, Authorizer, Peer
from ..broker.broker import Broker
from ..errors import StartupError
from ..wire.spec import ReplyCode
from .admission import Admission
from .stream import StreamProtocol, Turn

BACKLOG: Final = 4096
"""Connections that may wait to be accepted."""

DOORS: Final = 32
"""Connections accepted in one turn. uvloop takes one from a listening socket, so it gets that many copies of it: else
those who come by the thousand would have everybody else wait for as many turns."""


class AmqpListener:
    """A listening socket, and the connections it accepted."""

    def __init__(
        self,
        broker: Broker,
        authenticator: Authenticator,
        authorizer: Authorizer,
        settings: ConnectionSettings,
        turn: Turn,
        log: Any,
        admission: Admission | None = None,
    ) -> None:
        self._broker = broker
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._settings = settings
        self._turn = turn
        self._log = log
        self._admission = admission or Admission(broker.clock, log)
        self._servers: list[asyncio.Server] = []
        self._connected: set[StreamProtocol] = set()
        self._leaving = False  # connections are being closed
        self._empty = asyncio.Event()  # the last connection is gone

    async def start(self, host: str, port: int) -> list[tuple[str, int]]:
        """Accept connections on every address `host` stands for; port 0 takes a free one. Returns (address, port)s.

        Raises StartupError 69 when the port is taken, 68 when the host is unknown, 77 when it may not be used.
        """
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self._protocol, host, port, backlog=BACKLOG)
        except (socket.gaierror, UnicodeError) as error:  # the latter is for what cannot be a host name
            reason = getattr(error, "strerror", "not a host name")
            raise StartupError(
                f"cannot listen on '{host}': {reason}; give another address with -b", os.EX_NOHOST
            ) from error
        except PermissionError as error:
            raise StartupError(
                f"may not listen on {host}:{port}: {os.strerror(error.errno or 0)}; choose a port above 1023 with -p",
                os.EX_NOPERM,
            ) from error
        except OSError as error:
            remedy = "is another broker running there? choose another port with -p"
            if error.errno == errno.EADDRNOTAVAIL:
                remedy = "give an address of this machine with -b"
            raise StartupError(
                f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}; {remedy}", os.EX_UNAVAILABLE
            ) from error
        self._servers.append(server)
        if type(loop).__module__.startswith("uvloop"):
            for door in server.sockets:
                for _ in range(DOORS - 1):
                    copy = socket.socket(fileno=os.dup(door.fileno()))
                    self._servers.append(await loop.create_server(self._protocol, sock=copy, backlog=BACKLOG))
        return [address.getsockname()[:2] for address in server.sockets]

    def stop_accepting(self) -> None:
        """Close the listening socket; connections stay."""
        for server in self._servers:
            server.close()

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
        return StreamProtocol(self._session, self._broker.clock, self._turn, self._lost, self._log)

    def _lost(self, protocol: StreamProtocol) -> None:
        self._connected.discard(protocol)
        self._admission.left(protocol)
        if not self._connected:
            self._empty.set()

    def _session(self, protocol: StreamProtocol, transport: asyncio.Transport, wake: Callable[[], None]) -> Connection:
        self._connected.add(protocol)
        self._admission.arrived(protocol)
        if self._leaving:
            transport.abort()  # it was accepted just before the end
        return Connection(
            self._broker,
            self._authenticator,
            self._authorizer,
            self._settings,
            peer_of(transport),
            self._log,
            wake,
            functools.partial(self._admission.admitted, protocol),
        )


def peer_of(transport: asyncio.Transport) -> Peer:
    """Both ends of a TCP connection; unknown ones when it is gone already."""
    unknown = ("0.0.0.0", 0)  # noqa: S104 - not bound to
    host, port = (transport.get_extra_info("peername") or unknown)[:2]
    local_host, local_port = (transport.get_extra_info("sockname") or unknown)[:2]
    return Peer(host, port, local_host, local_port, _is_loopback(host))


@functools.lru_cache(1024)
def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
