"""The handshake: from the protocol header to connection.open-ok (specification 2.2.4 and RabbitMQ's rabbit_reader).

    client   header            start-ok              tune-ok   open
    server            start               tune                         open-ok

Before open-ok a client is not trusted: a refused login is answered, if at all, without saying why; and a client that
talks out of turn gets no answer but, after a while, a closed socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..auth.base import MAX_CONNECTIONS, Login, Refusal, addition
from ..auth.sasl import KNOWN, LoginRefused
from ..errors import AccessRefused, ChannelError, CommandInvalid, NotAllowed
from ..wire.methods import (
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionStartOk,
    ConnectionTune,
    ConnectionTuneOk,
)
from ..wire.schema import Method
from ..wire.spec import PROTOCOL_HEADER
from ..wire.writer import method_frame

if TYPE_CHECKING:
    from .connection import Connection

ACCEPTED_HEADERS: Final = (PROTOCOL_HEADER, b"AMQP\x01\x01\x00\x09")
"""Ours, and the one that clients of AMQP 0-9 send."""

INITIAL_FRAME_MAX: Final = 8192
"""The largest payload taken before tune-ok, in bytes."""


class Refused(Exception):
    """The client is not let in, and is not told."""


class LoginDenied(AccessRefused):
    """The user is not let in; the client hears of it after a while, in seconds."""

    def __init__(self, mechanism: str, delay: float) -> None:
        super().__init__(
            f"Login was refused using authentication mechanism {mechanism}. For details see the broker logfile.",
            method_id=0,
        )
        self.delay = delay


def greeting(server_properties: Mapping[str, Any], mechanisms: Iterable[str]) -> bytes:
    """The frame of connection.start: what every client hears first."""
    return method_frame(0, ConnectionStart(0, 9, server_properties, " ".join(mechanisms).encode()))


class Handshake:
    """The steps of one connection that is not open yet: which method comes next, and what it does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._header = b""
        self._next: dict[type[Method], Callable[[Handshake, Any], None]] = {}

    @property
    def opening(self) -> bool:
        """Whether the client got so far that it is told why it is turned away."""
        return ConnectionOpen in self._next or ConnectionTuneOk in self._next

    def receive_header(self, data: bytes) -> bytes | None:
        """Take the protocol header. Returns what follows it; None while it is incomplete, or when it was wrong.

        A wrong one is answered with ours, and the connection is done.
        """
        self._header += data
        if len(self._header) < len(PROTOCOL_HEADER):
            return None
        connection = self._connection
        header, rest = self._header[:8], self._header[8:]
        if header not in ACCEPTED_HEADERS:
            connection.log.warning("bad protocol header", header=_shown(header))
            connection.outbox.write(PROTOCOL_HEADER)
            connection.finish("bad protocol header")
            return None
        connection.outbox.write(connection.settings.greeting)
        self._next = {ConnectionStartOk: Handshake.start_ok}
        return rest

    def handle(self, method: Method) -> None:
        """Do the next step. Raises Refused, a ProtocolError when the client may hear about it, or Undecided."""
        step = self._next.get(type(method))
        if step is None:
            if isinstance(method, ConnectionClose) and self.opening:
                self._connection.outbox.method(0, ConnectionCloseOk())
                self._connection.finish("closed by the client during the handshake")
                return
            raise Refused(f"{method.name} in the handshake")
        step(self, method)

    def start_ok(self, method: ConnectionStartOk) -> None:
        connection = self._connection
        connection.client_properties = dict(method.client_properties)
        mechanism = connection.settings.mechanisms.get(method.mechanism)
        if mechanism is None:
            what = "invalid" if method.mechanism in KNOWN else "unknown"
            raise CommandInvalid(f"{what} authentication mechanism '{method.mechanism}'")
        name = ""
        user: Login
        try:
            credentials = mechanism(method.response, connection.peer)
            name = credentials.name
            ask = partial(connection.authenticator.authenticate, credentials, connection.peer)
            user = connection.inquiry.ask("login", ask)
        except LoginRefused as refused:
            user = Refusal(str(refused))
        error = None
        if isinstance(user, Refusal):
            error = user.reason
        else:
            name = user.name  # which may be another than the client gave
        connection.tell_of_login(method.mechanism, name, error)
        if isinstance(user, Refusal):
            slowed = {"answered_after": user.delay} if user.delay else {}
            connection.log.warning("login refused", mechanism=method.mechanism, reason=user.reason, **slowed)
            raise LoginDenied(method.mechanism, user.delay)
        connection.user = user
        settings = connection.settings
        connection.outbox.method(0, ConnectionTune(settings.channel_max, settings.frame_max, settings.heartbeat))
        self._next = {ConnectionTuneOk: Handshake.tune_ok}

    def tune_ok(self, method: ConnectionTuneOk) -> None:
        settings = self._connection.settings
        _check_negotiated("channel_max", method.channel_max, settings.channel_max, 1)
        _check_negotiated("frame_max", method.frame_max, settings.frame_max, settings.frame_min)
        self._next = {ConnectionOpen: Handshake.open}
        self._connection.tune(method.channel_max, method.frame_max, method.heartbeat)

    def open(self, method: ConnectionOpen) -> None:
        connection = self._connection
        user, authorizer = connection.user, connection.authorizer
        assert user is not None
        connections = connection.broker.connections
        limit: int | None = connection.settings.max_connections
        if limit and len(connections.open) >= limit:
            raise NotAllowed(f"connection refused for user '{user.name}': node connection limit ({limit}) is reached")
        vhost = connection.broker.vhost(method.virtual_host)
        if vhost is None:
            raise NotAllowed(f"vhost {method.virtual_host} not found")
        if vhost.max_connections is not None and connections.in_vhost[vhost.name] >= vhost.max_connections:
            raise NotAllowed(
                f"access to vhost '{vhost.name}' refused for user '{user.name}':"
                f" connection limit ({vhost.max_connections}) is reached"
            )
        limit = authorizer.limit(user, MAX_CONNECTIONS)
        if limit is not None and connections.of_user[user.name] >= limit:
            raise NotAllowed(f"connection refused for user '{user.name}': user connection limit ({limit}) is reached")
        verdict = connection.inquiry.ask(
            ("vhost", vhost.name), partial(authorizer.may_enter, user, vhost.name, connection.peer)
        )
        if not verdict:
            raise NotAllowed(f"access to vhost '{vhost.name}' refused for user '{user.name}'{addition(verdict)}")
        connection.outbox.method(0, ConnectionOpenOk())
        connection.run(vhost)

    def channel_frame(self) -> None:
        """A frame on a channel, before there can be one."""
        if self.opening:
            raise ChannelError("unexpected method in connection state opening")
        raise Refused("a channel's frame in the handshake")


def _shown(header: bytes) -> str:
    """A header that is not ours, and whose it is, where that is known."""
    if header.startswith(b"\x16\x03"):
        return "of TLS, on a port without it"
    if header.startswith((b"GET ", b"POST", b"HEAD")):
        return "of HTTP"
    return repr(header)[2:-1]


def _check_negotiated(name: str, asked: int, ours: int, least: int) -> None:
    """Raises NotAllowed unless the client asked for `least` to `ours`, where 0 means no limit on either side."""
    if asked == 0 and ours != 0:
        raise NotAllowed(f"negotiated {name} = 0 (no limit) is higher than the maximum allowed value ({ours})")
    if asked > ours != 0:
        raise NotAllowed(f"negotiated {name} = {asked} is higher than the maximum allowed value ({ours})")
    if asked != 0 and asked < least:
        raise NotAllowed(f"negotiated {name} = {asked} is lower than the minimum allowed value ({least})")
