"""Paths and what may be done there: tables of resources, turned into an ASGI application.

A path names vhosts and objects percent-encoded (`%2F`), so it is matched as it was sent, not decoded.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import OperatorError
from ..wire.spec import ProtocolError
from .call import Call
from .columns import chosen
from .errors import HttpError, bad_request, not_authorised, not_found, refusal

if TYPE_CHECKING:
    from .server import Management

Handler = Callable[[Call], Any]
"""Answers a call, whose body is there already: what it returns, now or when awaited, becomes JSON; None is 204, a
Response is sent as it is.
"""


MAX_SAMPLES: Final = 500

METHODS: Final = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH")
"""Those known at all."""


class Right(Enum):
    """Who may call (RabbitMQ's rabbit_mgmt_util:is_authorized_*)."""

    ANYBODY = auto()  # without logging in
    USER = auto()  # who may use the API at all
    VHOST = auto()  # and enter the vhost in the path, or is an administrator; to read, monitoring is enough
    POLICIES = auto()  # policymakers, of the vhost in the path if there is one, and administrators
    MONITORING = auto()
    ADMINISTRATOR = auto()


@dataclass(frozen=True, slots=True)
class Resource:
    """A path below /api, with a handler for each method there is."""

    path: str
    right: Right
    get: Handler | None = None
    put: Handler | None = None
    post: Handler | None = None
    delete: Handler | None = None
    read: Right | None = None  # for GET, where it differs

    @property
    def handlers(self) -> dict[str, Handler]:
        named = {"GET": self.get, "PUT": self.put, "POST": self.post, "DELETE": self.delete}
        return {method: handler for method, handler in named.items() if handler is not None}

    @property
    def allowed(self) -> str:
        """For the header Allow."""
        return ", ".join([*(["HEAD"] if self.get is not None else []), *self.handlers, "OPTIONS"])


@dataclass(frozen=True, slots=True)
class Created:
    """Answered with 201, and where it is when it has a place of its own."""

    location: str = ""


def application(management: Management, resources: Iterable[Resource], others: Iterable[BaseRoute] = ()) -> ASGIApp:
    """The ASGI application that serves the resources, below /api, and other routes.

    All of them below the prefix that is configured, too.
    """
    routes: list[BaseRoute] = [
        Route(
            f"/api{resource.path}",
            _Endpoint(management, resource),
        )
        for resource in resources
    ]
    routes += [Route("/api/{rest:path}", _nowhere, methods=METHODS), *others]
    return _Undecoded(Starlette(routes=routes), management.path_prefix)


class _Undecoded:
    """Has paths below /api matched as they were sent, and the prefix overlooked where there is one."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None:
            path = raw.partition(b"?")[0].decode("latin-1")
            if self._prefix and f"{path}/".startswith(f"{self._prefix}/"):
                path = path[len(self._prefix) :] or "/"
                scope = {**scope, "path": unquote(path), "raw_path": path.encode("latin-1")}
            if path.startswith("/api/"):
                scope = {**scope, "path": path.rstrip("/")}
        await self._app(scope, receive, send)


class _Endpoint:
    """The ASGI application of one resource."""

    def __init__(self, management: Management, resource: Resource) -> None:
        self._management = management
        self._resource = resource
        self._handlers = resource.handlers
        self._allowed = resource.allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self._respond(request)
        self._management.cors.allow(request, response, self._allowed)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        call, resource = Call(request, self._management), self._resource
        try:
            if request.method == "OPTIONS":
                return Response(headers={"Allow": self._allowed})
            if request.method not in METHODS:
                return Response(status_code=501)
            handler = self._handlers.get("GET" if request.method == "HEAD" else request.method)
            if handler is None:
                return Response(status_code=405, headers={"Allow": self._allowed})
            right = resource.read if call.reading and resource.read else resource.right
            if right is not Right.ANYBODY:
                await call.authenticate()
                await call.settle(lambda: check_right(call, right))
            if call.reading:
                check_ranges(call)
            else:
                await call.load()

            def handle() -> Any:
                with self._management.broker.events.acting(call.user.name):
                    return handler(call)

            return answer(chosen(call, await call.settle(handle)))
        except HttpError as error:
            return refused(error)
        except (ProtocolError, OperatorError) as error:
            return refused(refusal(error))


async def _nowhere(request: Request) -> Response:
    return refused(not_found())


def check_right(call: Call, right: Right) -> None:
    """Raises HttpError 401 unless the user has the right, 404 when the vhost in the path is not there for the user."""
    if right is Right.ADMINISTRATOR and not call.has_tag():
        raise not_authorised("Not administrator user")
    if right is Right.MONITORING and not call.has_tag("monitoring"):
        raise not_authorised("Not monitor user")
    if right is Right.POLICIES and not call.has_tag("policymaker"):
        raise not_authorised("User not authorised to access object")
    if right in (Right.VHOST, Right.POLICIES) and call.has("vhost"):
        name = call.vhost.name
        reading = right is Right.VHOST and call.reading
        if not (call.has_tag() or (call.may_see(name) if reading else call.may_enter(name))):
            raise HttpError(404, "not_found", "Not Found")  # nor is it told that the vhost is there


def check_ranges(call: Call) -> None:
    """Raises HttpError 400 for more samples than RabbitMQ would give. There are none here; clients learn of it yet."""
    query = call.request.query_params
    for kind in ("lengths", "msg_rates", "data_rates", "node_stats"):
        given = (query.get(f"{kind}_age", ""), query.get(f"{kind}_incr", ""))
        if all(text.isdecimal() for text in given):
            age, step = map(int, given)
            if not age or not step or age // step > MAX_SAMPLES:
                raise bad_request(f"Invalid range parameters: age {age}, incr {step}")


def answer(result: Any) -> Response:
    """A handler's result as a response."""
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status_code=204)
    if isinstance(result, Created):
        return Response(status_code=201, headers={"Location": result.location} if result.location else None)
    return Response(encode(result), headers=_HEADERS)


def answer_in_pieces(pieces: AsyncIterator[str]) -> Response:
    """JSON that is sent as it is made."""
    return StreamingResponse(pieces, headers=_HEADERS)


def refused(error: HttpError) -> Response:
    body = encode({"error": error.error, "reason": error.reason}) if error.error else ""
    headers = {**error.headers, "Content-Type": "application/json"} if body else error.headers
    return Response(body, status_code=error.status, headers=headers)


def encode(value: Any) -> str:
    """JSON without blanks; bytes and other values of the wire as text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=plain)


def plain(value: Any) -> Any:
    """A value from an AMQP table that JSON has no word for."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-cache"}
