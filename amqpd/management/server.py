"""Serves the HTTP API and the page with uvicorn, in the loop the broker runs in."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..auth.attempts import Attempts
from ..auth.base import Authenticator, Authorizer
from ..auth.internal import InternalUsers
from ..broker.broker import Broker
from ..errors import StartupError
from ..watermarks import Watermarks
from . import page
from .api import RESOURCES
from .api.control import Control
from .cors import Cors
from .headers import with_headers
from .patience import Patience, PatientProtocol
from .process import memory_total
from .rates import Rates
from .resources import application
from .views import Views

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

BODY_LIMIT: Final = 20_000_000
"""Bytes of a request's body, at most, unless it is configured."""

GRACE: Final = 2
"""Seconds that requests under way have when the broker stops."""

FOREVER: Final = 1 << 30
"""Seconds that uvicorn keeps connections open."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Something that clients can connect to, as the API lists it."""

    protocol: str  # amqp, amqp/ssl, http …
    host: str
    port: int
    certfile: str = ""  # with TLS
    cacertfile: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """How much the API shows, and how."""

    disable_stats: bool = False  # as if every query said so
    enable_queue_totals: bool = False  # but not for messages in queues
    rates_mode: str = "basic"  # or none, detailed
    login_session_timeout: int = 0  # minutes until the page forgets who signed in; 0 = not before it is closed
    per_object_metrics: bool = False  # for /metrics, too
    cluster_tags: Mapping[str, str] = field(default_factory=dict)
    node_tags: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)  # of all answers


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
    attempts: Attempts = field(default_factory=Attempts)
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the configuration, by key, without passwords
    announce: Callable[..., None] = lambda **_: None  # have clients told other server properties from now on
    path_prefix: str = ""  # what all paths may begin with
    body_limit: int = BODY_LIMIT
    patience: Patience = field(default_factory=Patience)  # with clients that are slow
    cors: Cors = field(default_factory=Cors)
    log_files: Sequence[str] = ()
    data_dir: str = ""  # empty: everything is in memory
    mechanisms: Sequence[str] = ()
    plugins: Sequence[str] = ()  # RabbitMQ's names of what is switched on
    options: Options = Options()
    watermarks: Watermarks | None = None  # None: nobody watches, and nothing is limited
    control: Control | None = None  # the process; None: it is somebody else's
    started_at: float = field(init=False)  # on the broker's clock
    rates: Rates = field(init=False)
    views: Views = field(init=False)

    def __post_init__(self) -> None:
        self.rates = Rates(self.broker, off=self.options.rates_mode == "none")
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
    """The sockets of the API: one for TCP, one in the data folder for whoever owns that, and one for metrics alone."""

    def __init__(self, management: Management) -> None:
        self.management = management
        routes = [*_metrics(management, "/metrics"), *page.routes()]
        self._app = with_headers(application(management, RESOURCES, routes), management.options.headers)
        self._servers: list[tuple[_Server, asyncio.Task[None]]] = []

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen there, with TLS if so; port 0 takes a free one. Returns the address.

        Raises StartupError 69 when the port is taken, 68 for an unknown host.
        """
        advice = "choose another port with --http-port, or --no-http" if tls is None else "choose management.ssl.port"
        name = await self._listen(self._app, host, port, advice, tls)
        self.management.rates.start()
        return name

    async def start_metrics(self, host: str, port: int, path: str) -> tuple[str, int]:
        """Serve metrics there, and nothing else. Returns the address, and raises StartupError, as `start` does."""
        app = Starlette(routes=_metrics(self.management, path))
        name = await self._listen(app, host, port, "choose another one for prometheus.tcp.port")
        self.management.listeners.append(Listener("http/prometheus", *name))
        return name

    async def _listen(
        self, app: ASGIApp, host: str, port: int, advice: str, tls: ssl.SSLContext | None = None
    ) -> tuple[str, int]:
        listening = _bound(host, port, advice)
        await self._serve(app, [listening], tls)
        name: tuple[str, int] = listening.getsockname()[:2]
        return name

    async def start_local(self, listening: socket.socket) -> None:
        """Serve on the control socket, see `doorbell`; who comes that way needs no password."""
        if not self._servers:
            self.management.rates.start()  # nobody else does
        await self._serve(local(self._app), [listening])

    async def stop(self) -> None:
        self.management.rates.stop()
        for server, _ in self._servers:
            server.should_exit = True
        for server, task in self._servers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), GRACE)
            if not task.done():
                server.force_exit = True
                await task
        self._servers = []

    async def _serve(self, app: ASGIApp, sockets: list[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        config = uvicorn.Config(
            app,
            loop="none",
            http=functools.partial(PatientProtocol, self.management.broker.clock, self.management.patience),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_keep_alive=FOREVER,  # `patience` sees to that
            timeout_graceful_shutdown=GRACE,
        )
        config.load()
        config.ssl = tls
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


def local(app: ASGIApp) -> ASGIApp:
    """The application, as it answers the broker's owner."""

    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        scope["amqpd.local"] = True
        await app(scope, receive, send)

    return marked


def _metrics(management: Management, path: str) -> list[Route]:
    """The pages of metrics, at a path and below it."""

    async def respond(request: Request) -> Response:
        from .prometheus import respond as metrics  # noqa: PLC0415 - slow to import, and many never ask

        return await metrics(management, request)

    path = path.rstrip("/")
    return [Route(path or "/", respond), Route(f"{path}/{{page:path}}", respond)]


def _bound(host: str, port: int, advice: str) -> socket.socket:
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
            f"cannot listen on {host}:{port} for HTTP: {os.strerror(error.errno or 0)}; {advice}", code
        ) from error
    listening.setblocking(False)
    return listening
