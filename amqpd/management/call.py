"""One request to the HTTP API: who asks, for what, and with what."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request

from ..amqp.inquiry import Inquiry, Undecided
from ..auth.base import Action, Credentials, Peer, Resource, User, addition
from ..broker.exchanges import Exchange
from ..broker.stream import AnyQueue
from ..broker.vhost import VHost
from ..errors import AccessRefused
from .errors import (
    HttpError,
    bad_request,
    body_too_large,
    login_failed,
    login_required,
    not_authorised,
    not_found,
    vhost_not_found,
)

if TYPE_CHECKING:
    from .server import Management

LEVELS: Final = frozenset({"management", "policymaker", "monitoring", "administrator"})
"""Tags with which a user may call the API at all."""

SEES_ALL: Final = frozenset({"monitoring", "administrator"})
"""Tags with which a user sees all vhosts and connections."""

LONGEST: Final = 255
"""Bytes of a name in AMQP."""

_MISSING: Final = object()


class Call:
    """A request, its user, and what the path names."""

    def __init__(self, request: Request, management: Management) -> None:
        self.request = request
        self.management = management
        self.broker = management.broker
        self.user = User("")  # until `authenticate`
        self.raw_body = b""  # once it is loaded
        self._inquiry = Inquiry()

    # --- who

    async def authenticate(self, credentials: Credentials | None = None) -> None:
        """Raises HttpError 401 unless the credentials, or those in the headers, are right and may use the API."""
        peer = self.peer
        if self.request.scope.get("amqpd.local"):
            self.user = User("local", frozenset({"administrator"}))  # whoever may open the socket owns the broker
            return
        if credentials is None:
            header = self.request.headers.get("authorization")
            if header is None:
                raise login_required()
            credentials = basic_credentials(header)
        authenticate = partial(self.management.authenticator.authenticate, credentials, peer)
        user = await self.settle(lambda: self._inquiry.ask("login", authenticate))
        if not isinstance(user, User):
            self.management.log.warning("HTTP access denied", reason=user.reason, peer=f"{peer.host}:{peer.port}")
            await asyncio.sleep(user.delay)
            raise login_failed()
        if not LEVELS & user.tags:
            raise not_authorised("Not management user")
        self.user = user

    async def settle(self, step: Callable[[], Any]) -> Any:
        """What a step comes to, or what it awaits; it is taken again when a backend has answered what it asked."""
        while True:
            try:
                result = step()
                return await result if isawaitable(result) else result
            except Undecided as undecided:
                await self._answer_to(undecided)

    def _answer_to(self, undecided: Undecided) -> Awaitable[None]:
        answered = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not answered.done():  # as it is when the client has left
                answered.set_result(None)

        self._inquiry.wait(undecided, wake)
        return answered

    @property
    def reading(self) -> bool:
        """Whether it asks for something to be shown, and not for anything to be done."""
        return self.request.method in ("GET", "HEAD")

    @property
    def local(self) -> bool:
        """Whether it came through the socket in the data folder."""
        return bool(self.request.scope.get("amqpd.local"))

    @property
    def peer(self) -> Peer:
        host, port = self.request.scope.get("client") or ("127.0.0.1", 0)
        local = self.request.scope.get("server") or ("127.0.0.1", 0)
        return Peer(host, port, local[0], local[1] or 0, self.management.is_loopback(host))

    @property
    def sees_all(self) -> bool:
        return bool(SEES_ALL & self.user.tags)

    def has_tag(self, *tags: str) -> bool:
        """Whether the user has one of these tags; administrators have all."""
        return "administrator" in self.user.tags or not self.user.tags.isdisjoint(tags)

    def may_enter(self, vhost: str) -> bool:
        """Raises Undecided, see `settle`; so do those that follow."""
        if self.local:
            return True
        ask = partial(self.management.authorizer.may_enter, self.user, vhost, self.peer)
        return bool(self._inquiry.ask(("vhost", vhost), ask))

    def may_see(self, vhost: str) -> bool:
        return self.sees_all or self.may_enter(vhost)

    def check(self, action: Action, vhost: VHost, kind: Resource, name: str) -> None:
        """Raises AccessRefused unless the user may do this to the exchange or queue."""
        asked = name or "amq.default"
        if self.local:
            return
        ask = partial(self.management.authorizer.may, self.user, action, vhost.name, kind, asked)
        verdict = self._inquiry.ask((action, vhost.name, kind, asked), ask)
        if not verdict:
            where = f"{kind} '{asked}' in vhost '{vhost.name}'"
            text = f"{action.value} access to {where} refused for user '{self.user.name}'"
            raise AccessRefused(f"{text}{addition(verdict)}")

    def check_topic(self, action: Action, vhost: VHost, exchange: Exchange, routing_key: str) -> None:
        """Raises AccessRefused unless the user may use the routing key there, or the exchange is of another type."""
        authorizer, place = self.management.authorizer, (vhost.name, exchange.name)
        if self.local or exchange.type != "topic" or not authorizer.checks_topics(self.user, *place):
            return
        ask = partial(authorizer.may_use_topic, self.user, action, *place, routing_key)
        verdict = self._inquiry.ask(("topic", action, *place, routing_key), ask)
        if not verdict:
            where = f"exchange '{exchange.name}' in vhost '{vhost.name}'"
            text = f"{action.value} access to topic '{routing_key}' in {where} refused for user '{self.user.name}'"
            raise AccessRefused(f"{text}{addition(verdict)}")

    # --- what the path names

    def has(self, name: str) -> bool:
        """Whether the path has this part."""
        return name in self.request.path_params

    def path(self, name: str) -> str:
        """A part of the path, decoded. Raises HttpError 400 for what is no UTF-8."""
        try:
            return unquote(self.request.path_params[name], errors="strict")
        except UnicodeDecodeError:
            raise bad_request(f"'{name}' in the path is not valid UTF-8") from None

    @property
    def vhost(self) -> VHost:
        """The vhost in the path. Raises HttpError 404."""
        vhost = self.broker.vhosts.get(self.path("vhost"))
        if vhost is None:
            raise vhost_not_found() if self.request.method in ("PUT", "POST") else not_found()
        return vhost

    def vhosts(self) -> list[VHost]:
        """The one in the path, or all that the user may see."""
        if self.has("vhost"):
            return [self.vhost]
        return [vhost for vhost in self.broker.vhosts.values() if self.may_see(vhost.name)]

    @property
    def queue(self) -> AnyQueue:
        """The queue in the path. Raises HttpError 404."""
        queue = self.vhost.queues.get(self.path("name"))
        if queue is None:
            raise not_found()
        return queue

    @property
    def exchange_name(self) -> str:
        """The exchange in the path, where the default one goes by a name."""
        name = self.path("name")
        return "" if name == "amq.default" else name

    # --- what the query says

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value. Raises HttpError 400 for what is none."""
        value = self.request.query_params.get(name)
        return default if value is None else as_flag(value)

    @property
    def without_stats(self) -> bool:
        """Whether statistics are not wanted, here or at all. Raises HttpError 400.

        Commands of the broker's owner have them regardless, as rabbitmqctl has.
        """
        return (self.management.options.disable_stats and not self.local) or self.flag("disable_stats")

    @property
    def with_totals(self) -> bool:
        """Whether how many messages there are in queues is wanted nevertheless. Raises HttpError 400."""
        return self.management.options.enable_queue_totals or self.flag("enable_queue_totals")

    # --- what the body says

    async def load(self) -> None:
        """Receive the body. Raises HttpError 400 when it is over the limit, 408 when it does not come."""
        pieces: list[bytes] = []
        size, limit = 0, self.management.body_limit
        announced = self.request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            raise body_too_large()
        try:
            async for piece in self.request.stream():
                size += len(piece)
                if size > limit:
                    raise body_too_large()
                pieces.append(piece)
        except ClientDisconnect:
            raise HttpError(408) from None  # nobody will read it
        self.raw_body = b"".join(pieces)

    @property
    def body(self) -> dict[str, Any]:
        """The object in the body; empty when there is none. Raises HttpError 400 for anything else."""
        return parsed(self.raw_body)


def check_present(body: Mapping[str, Any], *names: str) -> None:
    """Raises HttpError 400, which names all that are missing in an object."""
    missing = [f"{{key_missing,{name}}}" for name in names if name not in body]
    if missing:
        raise bad_request(f"[{','.join(missing)}]")


def field_of(body: Mapping[str, Any], name: str, kind: type | tuple[type, ...], default: Any = _MISSING) -> Any:
    """A field of an object from JSON; `bool` may also be written as a string, `object` is anything.

    Raises HttpError 400.
    """
    value = body.get(name, _MISSING)
    if value is _MISSING or (value is None and default is not _MISSING and kind is not bool):
        if default is _MISSING:
            raise bad_request(f"[{{key_missing,{name}}}]")
        return default
    if kind is object:
        return value
    if kind is bool:
        return as_flag(value)
    wanted = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        names = " or ".join(
            {"str": "string", "int": "number", "dict": "object"}.get(k.__name__, k.__name__) for k in wanted
        )
        raise bad_request(f"field '{name}' has to be a {names}")
    return value


def table_field_of(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object that may be left out; some clients write an empty one as an empty list. Raises HttpError 400."""
    if body.get(name) == []:
        return {}
    found: dict[str, Any] = field_of(body, name, dict, {})
    return found


def check_length(kind: str, name: str) -> None:
    """Raises HttpError 400 for a name that AMQP cannot carry."""
    size = len(name.encode(errors="replace"))
    if size > LONGEST:
        raise bad_request(f"{kind} should be less than {LONGEST} bytes, actually was {size}\n")


def number_of(value: Any) -> int:
    """A whole number, which may be written as a string. Raises HttpError 400."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch("-?[0-9]{1,18}", value):
        return int(value)
    raise bad_request(["not_integer", value])


def as_flag(value: Any) -> bool:
    """Raises HttpError 400 unless it is true or false, or those words."""
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    raise bad_request(["not_boolean", value])


def parsed(body: bytes) -> dict[str, Any]:
    """An object from JSON; RabbitMQ takes nothing, null and undefined for an empty one. Raises HttpError 400."""
    if body.strip() in (b"", b"null", b"undefined"):
        return {}
    try:
        found = json.loads(body, parse_float=_finite, parse_constant=_finite)
        if b"\\u" in body:
            json.dumps(found, ensure_ascii=False).encode()  # halves of surrogates are no text
    except (ValueError, RecursionError):
        raise bad_request("not_json") from None
    if isinstance(found, str):
        raise bad_request(
            "invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?"
        )
    if not isinstance(found, dict):
        raise bad_request("not_json")
    return found


def _finite(text: str) -> float:
    """Raises ValueError for what is no number in JSON."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def basic_credentials(header: str) -> Credentials:
    """From `Basic …` (RFC 7617). Raises HttpError 401 for anything else."""
    scheme, _, encoded = header.partition(" ")
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        text = name.decode()
    except (binascii.Error, ValueError):
        raise login_failed() from None
    if scheme.lower() != "basic" or not colon:
        raise login_failed()
    return Credentials(text, password)
