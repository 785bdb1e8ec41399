"""Asks a broker for a sign of life: connects, sends the protocol header, and reads until connection.start.

Health checks do this every second, so only the standard library is used, and of that what starts quickly. No login.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from ..errors import StartupError

PORT: Final = 5672
TLS_PORT: Final = 5671
DATA_DIR: Final = ".amqpd"
"""The default of the setting `data_dir`, here so that no settings have to be loaded."""

TIMEOUT: Final = 5.0
"""Seconds for `amqpd ping`, unless told otherwise."""

RETRY_AFTER: Final = 0.05
"""Seconds between attempts of `await_start`."""

_HEADER: Final = b"AMQP\x00\x00\x09\x01"
_START: Final = b"\x00\x0a\x00\x0a"
_LARGEST: Final = 1 << 20


class Silent(StartupError):
    """No broker answered: 69 when nobody is there, 75 when nobody answered in time, 76 when it was no broker."""


class Target(NamedTuple):
    """Where a broker is expected."""

    host: str
    port: int
    tls: bool = False
    cafile: str | None = None
    insecure: bool = False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def target_of(url: str, cafile: str | None = None, insecure: bool = False) -> Target:
    """The host and port of amqp://…, amqps://…, or just HOST:PORT. Raises ValueError."""
    parts = urlsplit(url if "://" in url else f"amqp://{url}")
    if parts.scheme not in ("amqp", "amqps"):
        raise ValueError(f"'{parts.scheme}' is not a scheme of AMQP: amqp://… or amqps://…")
    tls = parts.scheme == "amqps"
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"the port in '{_without_login(url)}' is none") from None
    return Target(
        parts.hostname or "127.0.0.1", (TLS_PORT if tls else PORT) if port is None else port, tls, cafile, insecure
    )


def locate(url: str | None, data_dir: str | None, environment: Mapping[str, str]) -> str:
    """The URL given; that of the broker of the data folder given; AMQP_URL; RABBITMQ_NODE_PORT on this machine; that of
    the broker of the usual data folder; or port 5672.

    Raises Silent 69 when no broker accepts connections in the data folder that was given.
    """
    if url:
        return url
    if data_dir:
        found = announced(data_dir)
        if found is None:
            raise Silent(f"no broker accepts connections in data folder {data_dir}", os.EX_UNAVAILABLE)
        return announced_url(found)
    if environment.get("AMQP_URL"):
        return environment["AMQP_URL"]
    if environment.get("RABBITMQ_NODE_PORT"):
        return f"127.0.0.1:{environment['RABBITMQ_NODE_PORT']}"
    usual = announced(usual_folder(environment))
    return f"127.0.0.1:{PORT}" if usual is None else announced_url(usual)


def usual_folder(environment: Mapping[str, str]) -> str:
    """Where a broker keeps its data unless a file or an option says otherwise."""
    chosen = environment.get("AMQPD_DATA_DIR") or environment.get("RABBITMQ_MNESIA_DIR")
    base = environment.get("RABBITMQ_MNESIA_BASE")
    if not chosen and base:
        return os.path.join(base, environment.get("RABBITMQ_NODENAME") or "amqpd")  # noqa: PTH118
    return chosen or DATA_DIR


def announced(folder: str) -> dict[str, Any] | None:
    """What the broker of this data folder says of itself while it accepts connections: `process.Announcement`."""
    import json  # noqa: PLC0415 - not needed with a URL

    try:
        with open(os.path.join(folder, "running.json"), "rb") as file:  # noqa: PTH118, PTH123 - pathlib takes its time
            found = json.load(file)
        announced_url(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(found)


def announced_url(announcement: dict[str, Any]) -> str:
    """Where clients connect, without TLS if they may."""
    urls = announcement["urls"]
    return str(urls.get("amqp") or urls["amqps"])


def greet(target: Target, timeout: float) -> bytes:
    """The arguments of the connection.start that the broker sends, undecoded. Raises Silent."""
    deadline = time.monotonic() + timeout
    plain = connect(target, timeout)
    try:
        with plain, _secured(plain, target) as connection:
            connection.sendall(_HEADER)
            head = _read(connection, 7, deadline)
            size = int.from_bytes(head[3:7], "big")
            if head[:3] != b"\x01\x00\x00" or size > _LARGEST:
                raise _stranger(target)
            payload = _read(connection, size + 1, deadline)
    except TimeoutError:
        raise _too_late(target, timeout) from None
    except EOFError:
        raise Silent(f"{target} closed the connection without an answer", os.EX_PROTOCOL) from None
    except OSError as error:
        raise _unreachable(target, error) from None
    if not payload.startswith(_START) or payload[-1] != 0xCE:
        raise _stranger(target)
    return payload[4:-1]


def connect(target: Target, timeout: float) -> socket.socket:
    """A connection to a port, whatever is spoken there. Raises Silent."""
    try:
        return socket.create_connection((target.host, target.port), max(timeout, 0.001))
    except TimeoutError:
        raise _too_late(target, timeout) from None
    except (OSError, UnicodeError) as error:  # the latter is for what cannot be a host name
        raise _unreachable(target, error) from None


def await_start(find: Callable[[], Target], timeout: float) -> Target:
    """Look for a broker and greet it, until one answers. Raises Silent 75 with the last reason when time is up."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            target = find()
            greet(target, max(0.1, min(5.0, deadline - time.monotonic())))
            return target
        except Silent as silent:
            if time.monotonic() + RETRY_AFTER >= deadline:
                raise Silent(f"no broker after {timeout:g} s: {silent}", os.EX_TEMPFAIL) from None
        time.sleep(RETRY_AFTER)


def _secured(plain: socket.socket, target: Target) -> socket.socket:
    if not target.tls:
        return plain
    import ssl  # noqa: PLC0415 - for amqps only

    context = ssl.create_default_context(cafile=target.cafile)
    if target.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=target.host)


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    content = b""
    while len(content) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        more = connection.recv(size - len(content))
        if not more:
            raise EOFError
        content += more
    return content


def _too_late(target: Target, timeout: float) -> Silent:
    return Silent(f"{target} did not answer within {timeout:g} s", os.EX_TEMPFAIL)


def _unreachable(target: Target, error: Exception) -> Silent:
    return Silent(f"cannot connect to {target}: {getattr(error, 'strerror', None) or error}", os.EX_UNAVAILABLE)


def _stranger(target: Target) -> Silent:
    return Silent(f"what answers at {target} does not speak AMQP 0-9-1", os.EX_PROTOCOL)


def _without_login(url: str) -> str:
    return url.rpartition("@")[2]
