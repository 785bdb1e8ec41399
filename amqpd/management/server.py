"""Serves the HTTP API and the page with uvicorn, in the loop the broker runs in."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import ipaddress
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..auth.base import Authenticator, Authorizer
from ..auth.internal import InternalUsers
from ..broker.broker import Broker
from ..errors import StartupError
from ..watermarks import Watermarks
from . import page
from .api import RESOURCES
from .process import memory_total
from .rates import Rates
from .resources import application
from .views import Views

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_PATH: Final = 107
"""Bytes in the path of a unix socket (sockaddr_un)."""

PATIENCE: Final = 2
"""Seconds that requests under way have when the broker stops."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Something that clients can connect to, as the API lists it."""

    protocol: str  # amqp, amqp/ssl, http …
    host: str
    port: int


@dataclass(slots=True)
class Management:
    """What the API shows and changes."""

    broker: Broker
    authenticator: Authenticator
    authorizer: Authorizer
    users: InternalUsers
    log: Any
    listeners: list[Listener] = field(default_factory=list)
    server_properties: dict[str, Any] = field(default_factory=dict)
    data_dir: str = ""  # empty: everything is in memory
    mechanisms: Sequence[str] = ()
    plugins: Sequence[str] = ()  # RabbitMQ's names of what is switched on
    per_object_metrics: bool = False  # for /metrics, too
    watermarks: Watermarks | None = None  # None: nobody watches, and nothing is limited
    started_at: float = field(init=False)  # on the broker's clock
    rates: Rates = field(init=False)
    views: Views = field(init=False)

    def __post_init__(self) -> None:
        self.rates = Rates(self.broker)
        self.views = Views(self)
        self.started_at = self.broker.clock.now()

    def memory_limit(self) -> int:
        """Bytes above which publishers are blocked."""
        return memory_total() if self.watermarks is None else self.watermarks.memory_limit

    def disk_limit(self) -> int:
        """Free bytes below which publishers are blocked."""
        return 0 if self.watermarks is None else self.watermarks.disk_limit

    @staticmethod
    @functools.lru_cache(1024)
    def is_loopback(host: str) -> bool:
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


class ManagementServer:
    """The sockets of the API: one for TCP, and one in the data folder for whoever owns that."""

    def __init__(self, management: Management) -> None:
        self.management = management
        self._app = application(management, RESOURCES, [_metrics(management), *page.routes()])
        self._servers: list[tuple[_Server, asyncio.Task[None]]] = []
        self._socket_path: Path | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen there; port 0 takes a free one. Returns the address.

        Raises StartupError 69 when the port is taken, 68 for an unknown host.
        """
        listening = _bound(host, port)
        await self._serve(self._app, [listening])
        name: tuple[str, int] = listening.getsockname()[:2]
        self.management.rates.start()
        return name

    async def start_local(self, path: Path) -> None:
        """Listen on a unix socket that only this user can open; who comes that way needs no password.

        Without it when the path is too long for one. Raises StartupError 73 when it cannot be made there.
        """
        if len(os.fsencode(path)) > LONGEST_PATH:
            self.management.log.warning("no control socket: the path of the data folder is too long", path=str(path))
            return
        listening = _bound_in_folder(path)
        self._socket_path = path
        await self._serve(_local(self._app), [listening])

    async def stop(self) -> None:
        self.management.rates.stop()
        for server, _ in self._servers:
            server.should_exit = True
        for server, task in self._servers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), PATIENCE)
            if not task.done():
                server.force_exit = True
                await task
        self._servers = []
        if self._socket_path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._socket_path.unlink()

    async def _serve(self, app: ASGIApp, sockets: list[socket.socket]) -> None:
        config = uvicorn.Config(
            app,
            loop="none",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=PATIENCE,
        )
        server = _Server(config)
        task = asyncio.get_running_loop().create_task(server.serve(sockets=sockets))
        self._servers.append((server, task))
        while not server.started:
            if task.done():
                task.result()
                raise StartupError("the management listener did not start", os.EX_SOFTWARE)
            await asyncio.sleep(0.001)


class _Server(uvicorn.Server):
    """A server that leaves signals to the broker."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _local(app: ASGIApp) -> ASGIApp:
    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        scope["amqpd.local"] = True
        await app(scope, receive, send)

    return marked


def _metrics(management: Management) -> Route:
    async def respond(request: Request) -> Response:
        from .prometheus import respond as metrics  # noqa: PLC0415 - slow to import, and many never ask

        return await metrics(management, request)

    return Route("/metrics{page:path}", respond)


def _bound_in_folder(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise StartupError(f"cannot make the control socket {path}: {error}", os.EX_CANTCREAT) from error
    finally:
        os.umask(before)
    listening.setblocking(False)
    return listening


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise StartupError(f"cannot listen on '{host}' for HTTP: {error.strerror}", os.EX_NOHOST) from error
    listening = socket.socket(family, kind, number)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(256)
    except OSError as error:
        listening.close()
        code = os.EX_NOPERM if error.errno == errno.EACCES else os.EX_UNAVAILABLE
        raise StartupError(
            f"cannot listen on {host}:{port} for HTTP: {os.strerror(error.errno or 0)};"
            " choose another port with --http-port, or --no-http",
            code,
        ) from error
    listening.setblocking(False)
    return listening
