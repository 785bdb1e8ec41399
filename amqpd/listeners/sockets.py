"""Listening sockets: which addresses a setting stands for, and why one of them cannot be had."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ..errors import StartupError

UNAVAILABLE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What is said of an address whose family this machine knows and does not use."""


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What connections are given on the way (RabbitMQ's tcp_listen_options)."""

    backlog: int = 4096  # connections that may wait to be accepted
    nodelay: bool = True  # send small packets at once
    keepalive: bool = False  # have the kernel look for peers that are gone
    sndbuf: int = 0  # bytes the kernel buffers on the way out; 0 = as it likes
    recbuf: int = 0  # and on the way in
    send_timeout: float = 30.0  # seconds until a peer that takes nothing is given up; 0 = never

    def prepare(self, listening: socket.socket) -> None:
        """Before it listens: what is accepted takes after it."""
        if self.keepalive:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self.sndbuf:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.sndbuf)
        if self.recbuf:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.recbuf)

    def apply(self, transport: asyncio.Transport) -> None:
        """To one connection: event loops set TCP_NODELAY by themselves."""
        if not self.nodelay:
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)


async def bind(
    host: str, port: int, options: SocketOptions, remedies: tuple[str, str] = ("-b", "-p")
) -> list[socket.socket]:
    """A socket for every address `host` stands for; "" is all of this machine. Port 0 takes a free one.

    `remedies` are the options to choose another host or port by. Raises StartupError 69 when the port is taken, 68 when
    the host is unknown, 77 when it may not be used.
    """
    other_host, other_port = remedies
    shown = f"{f'[{host}]' if ':' in host else host or '*'}:{port}"
    try:
        return _bound(await _addresses(host, port), options)
    except (socket.gaierror, UnicodeError) as error:  # the latter is for what cannot be a host name
        reason = getattr(error, "strerror", "not a host name")
        raise StartupError(
            f"cannot listen on '{host}': {reason}; give another address with {other_host}", os.EX_NOHOST
        ) from error
    except PermissionError as error:
        raise StartupError(
            f"may not listen on {shown}: {os.strerror(error.errno or 0)}; choose a port above 1023 with {other_port}",
            os.EX_NOPERM,
        ) from error
    except OSError as error:
        remedy = f"is another broker running there? choose another port with {other_port}"
        if error.errno == errno.EADDRNOTAVAIL:
            remedy = f"give an address of this machine with {other_host}"
        raise StartupError(
            f"cannot listen on {shown}: {os.strerror(error.errno or 0)}; {remedy}", os.EX_UNAVAILABLE
        ) from error


async def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """Family and address of each place to bind; where one will do for all, alternatives are left for `_bound`."""
    if not host:
        return [(socket.AF_INET6, ("::", port))] if _speaks_ipv6() else [(socket.AF_INET, ("0.0.0.0", port))]  # noqa: S104
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys([(family, address) for family, _, _, _, address in found]))


def _bound(addresses: Iterable[tuple[int, Any]], options: SocketOptions) -> list[socket.socket]:
    """Sockets for all of them, or for none. A name may stand for addresses of a family that is not in use here."""
    made: list[socket.socket] = []
    refused: list[OSError] = []
    for family, address in addresses:
        try:
            made.append(_bound_to(family, address, options))
            made[-1].listen(options.backlog)
        except OSError as error:
            refused.append(error)
    serious = [error for error in refused if not made or error.errno not in UNAVAILABLE]
    if serious:
        for each in made:
            each.close()
        raise serious[0]
    return made


def _bound_to(family: int, address: Any, options: SocketOptions) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio asks, before it sets TCP_NODELAY
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # as RabbitMQ on Linux: [::] takes those who come by IPv4, too
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        options.prepare(made)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


def _speaks_ipv6() -> bool:
    try:
        _bound_to(socket.AF_INET6, ("::", 0), SocketOptions()).close()
    except OSError:
        return False
    return True
