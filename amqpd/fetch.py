"""HTTP requests of the broker's own, to whoever says what users may do: the I/O behind the backends of `auth`.

One request is one task. Connections are kept open between requests, and there are only so many at a time; who waits for
one does so within the time a request may take. Redirections are not followed: they would take passwords elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import h11

from .auth.http import Request, Response, Unanswered
from .auth.pending import Pending

MOST_CONNECTIONS: Final = 32
"""To one server at a time."""

MOST_WAITING: Final = 10_000
"""Requests under way; more are refused at once."""

MOST_BYTES: Final = 1 << 20
"""Of a response's body."""

RETRIES: Final = 3
"""With connections that had been kept open, and which the server had closed by then."""

_READ_SIZE: Final = 64 << 10


class _Stale(Exception):
    """A connection that had been kept open was closed before it was used again."""


class _Failed(Exception):
    """There is no response: the reason in a word, and more for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection
    used: bool = False


@dataclass(frozen=True, slots=True)
class _Origin:
    host: str
    port: int
    encrypted: bool


class _Server:
    """What is kept for one origin."""

    def __init__(self) -> None:
        self.idle: deque[_Connection] = deque()
        self.room = asyncio.Semaphore(MOST_CONNECTIONS)


class Fetcher:
    """Sends requests; see `auth.http.Fetch`. To be called in the event loop."""

    def __init__(
        self, log: Any, *, timeout: float, connection_timeout: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._log = log
        self._timeout = timeout  # seconds a request may take, from when it is made
        self._connection_timeout = connection_timeout  # of these, until connected
        self._tls = tls  # None: the system's authorities
        self._servers: dict[_Origin, _Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, request: Request) -> Pending[Response | Unanswered]:
        pending: Pending[Response | Unanswered] = Pending()
        if len(self._tasks) >= MOST_WAITING:
            pending.resolve(Unanswered("too many requests wait"))
            return pending
        task = asyncio.get_running_loop().create_task(self._answer(request, pending))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return pending

    def close(self) -> None:
        """Give up what is under way, and close all connections."""
        for task in list(self._tasks):
            task.cancel()
        for server in self._servers.values():
            while server.idle:
                _drop(server.idle.pop())

    async def _answer(self, request: Request, pending: Pending[Response | Unanswered]) -> None:
        """Whatever happens, there is an answer in the end."""
        answer: Response | Unanswered = Unanswered("cancelled")
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._fetch(request)
        except TimeoutError:
            answer = Unanswered("timeout")
        except _Failed as failure:
            answer = Unanswered(failure.reason)
            self._log.error("HTTP request failed", reason=failure.reason, detail=failure.detail)
        except Exception:  # noqa: BLE001 - a bug of ours: nobody is let in by it
            answer = Unanswered("internal error")
            self._log.exception("internal error in an HTTP request")
        finally:
            pending.resolve(answer)

    async def _fetch(self, request: Request) -> Response:
        try:
            parts = urlsplit(request.url)
            encrypted = parts.scheme == "https"
            origin = _Origin(parts.hostname or "", parts.port or (443 if encrypted else 80), encrypted)
        except ValueError:
            raise _Failed("bad URL") from None
        server = self._servers.setdefault(origin, _Server())
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        async with server.room:
            for _ in range(RETRIES):
                connection = server.idle.pop() if server.idle else await self._connect(origin)
                with contextlib.suppress(_Stale):
                    return await self._exchange(server, origin, connection, request, target)
            return await self._exchange(server, origin, await self._connect(origin), request, target)

    async def _connect(self, origin: _Origin) -> _Connection:
        tls = (self._tls or ssl.create_default_context()) if origin.encrypted else None
        try:
            async with asyncio.timeout(self._connection_timeout):
                reader, writer = await asyncio.open_connection(origin.host, origin.port, ssl=tls)
        except TimeoutError:
            raise _Failed("timeout", f"no connection to {origin.host}:{origin.port}") from None
        except (OSError, UnicodeError) as error:  # TLS, too, and host names that cannot be
            raise _Failed("failed_connect", f"{origin.host}:{origin.port}: {error}") from None
        return _Connection(reader, writer, h11.Connection(h11.CLIENT))

    async def _exchange(
        self, server: _Server, origin: _Origin, connection: _Connection, request: Request, target: str
    ) -> Response:
        """One request and its response. Raises _Stale when the server had closed a connection it did not use."""
        whole = False
        try:
            response = await self._converse(origin, connection, request, target)
            http = connection.http
            whole = http.our_state is h11.DONE and http.their_state is h11.DONE
            if whole:
                http.start_next_cycle()
                connection.used = True
                server.idle.append(connection)
            return response
        except h11.ProtocolError as error:
            raise _Failed("bad_response", str(error)) from None
        except OSError as error:
            raise _Failed("socket_closed_remotely", str(error)) from None
        finally:
            if not whole:
                _drop(connection)

    async def _converse(self, origin: _Origin, connection: _Connection, request: Request, target: str) -> Response:
        http = connection.http
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        headers = [("Host", f"{host}:{origin.port}"), ("Accept", "*/*"), ("User-Agent", "amqpd")]
        if request.form is not None:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            headers.append(("Content-Length", str(len(request.form))))
        sent = http.send(h11.Request(method=request.method, target=target, headers=headers)) or b""
        if request.form:
            sent += http.send(h11.Data(data=request.form)) or b""
        sent += http.send(h11.EndOfMessage()) or b""
        begun = False
        status = 0
        body = bytearray()
        try:
            connection.writer.write(sent)
            await connection.writer.drain()
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    data = await connection.reader.read(_READ_SIZE)
                    if connection.used and not begun and not data:
                        raise _Stale
                    begun = True
                    http.receive_data(data)
                elif isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    body += event.data
                    if len(body) > MOST_BYTES:
                        raise _Failed("bad_response", "the body is too large")
                elif isinstance(event, h11.EndOfMessage):
                    return Response(status, bytes(body))
                elif not isinstance(event, h11.InformationalResponse):
                    raise _Failed("socket_closed_remotely")
        except ConnectionError:
            if connection.used and not begun:
                raise _Stale from None
            raise


def _drop(connection: _Connection) -> None:
    """Close it at once: nothing on it matters any more, not even a farewell."""
    connection.writer.close()
    connection.writer.transport.abort()
