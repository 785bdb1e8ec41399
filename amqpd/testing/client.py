"""A tiny AMQP client for tests and for looking at brokers: one call, one frame, nothing hidden.

`ClientSession` is the protocol without I/O; `Client` puts it on a blocking socket. Neither answers anything by itself,
so a test can say what a well-behaved client would not.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit

from ..wire.methods import (
    BasicPublish,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionStartOk,
    ConnectionTune,
    ConnectionTuneOk,
)
from ..wire.properties import Properties, decode_header, encode_header
from ..wire.reader import HEARTBEAT, Reader
from ..wire.schema import Method
from ..wire.spec import FRAME_END, PROTOCOL_HEADER
from ..wire.writer import content_frames, method_frame

CAPABILITIES = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
    "publisher_confirms": True,
}

_M = TypeVar("_M", bound=Method)


@dataclass(slots=True)
class Command:
    """What a broker sent: a method, with its content if it has any."""

    channel: int
    method: Method | None  # None: a heartbeat
    properties: Properties | None = None
    body: bytes = b""


def raw_frame(kind: int, channel: int, payload: bytes, end: int = FRAME_END) -> bytes:
    """A frame put together by hand, right or wrong."""
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + bytes((end,))


class ClientSession:
    """Frames to send, commands received."""

    def __init__(self, frame_max: int = 131072) -> None:
        self.frame_max = frame_max
        self._reader = Reader(1 << 31, 1 << 31)

    def encode(self, channel: int, *methods: Method) -> bytes:
        """The frames of methods without content."""
        return b"".join([method_frame(channel, method) for method in methods])

    def encode_publish(
        self,
        channel: int,
        exchange: str,
        routing_key: str,
        body: bytes = b"",
        properties: Properties | None = None,
        *,
        mandatory: bool = False,
        immediate: bool = False,
    ) -> bytes:
        """The frames of a basic.publish."""
        method = BasicPublish(0, exchange, routing_key, mandatory, immediate)
        header = encode_header(properties, len(body))
        return b"".join(content_frames(channel, method, header, body, self.frame_max))

    def feed(self, data: bytes) -> None:
        """Take in bytes from the broker."""
        self._reader.feed(data)

    def next(self) -> Command | None:
        """The next whole command; None when more bytes are needed."""
        reader = self._reader
        if not reader.read():
            return None
        if reader.method_id == HEARTBEAT:
            return Command(0, None)
        properties = decode_header(reader.header) if reader.header else None
        return Command(reader.channel, reader.method(), properties, reader.body)


class Client:
    """A blocking connection to a broker.

    Every wait is bounded by `timeout` seconds. Raises TimeoutError when nothing came, ConnectionError when the broker
    has closed the socket, and Unexpected when it said something other than a caller asked for.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 10.0,
        handshake: bool = True,
        heartbeat: int = 0,
        frame_max: int | None = None,
        channel_max: int | None = None,
        capabilities: Mapping[str, Any] | None = None,
    ) -> None:
        parts = urlsplit(url)
        self.timeout = timeout
        self.user = unquote(parts.username or "guest")
        self.password = unquote(parts.password or "guest")
        self.vhost = unquote(parts.path[1:]) if len(parts.path) > 1 else "/"
        self.session = ClientSession()
        tls = parts.scheme == "amqps"
        address = (parts.hostname or "127.0.0.1", parts.port or (5671 if tls else 5672))
        self.socket = socket.create_connection(address, timeout)
        if tls:
            import ssl  # noqa: PLC0415 - slow to load, and few need it

            self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=address[0])
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.start: ConnectionStart | None = None
        self.tune: ConnectionTune | None = None
        if handshake:
            self.log_in(capabilities)
            self.open(heartbeat=heartbeat, frame_max=frame_max, channel_max=channel_max)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    # --- the handshake, in two steps

    def log_in(self, capabilities: Mapping[str, Any] | None = None) -> None:
        """Protocol header, start, start-ok with PLAIN, tune."""
        self.write(PROTOCOL_HEADER)
        self.start = self.expect(0, ConnectionStart)
        response = f"\x00{self.user}\x00{self.password}".encode()
        announced = {"capabilities": dict(CAPABILITIES if capabilities is None else capabilities)}
        self.send(0, ConnectionStartOk(announced, "PLAIN", response))
        self.tune = self.expect(0, ConnectionTune)

    def open(
        self, *, heartbeat: int = 0, frame_max: int | None = None, channel_max: int | None = None
    ) -> ConnectionOpenOk:
        """tune-ok, open."""
        assert self.tune is not None
        frame_max = self.tune.frame_max if frame_max is None else frame_max
        channel_max = self.tune.channel_max if channel_max is None else channel_max
        self.session.frame_max = frame_max
        self.send(0, ConnectionTuneOk(channel_max, frame_max, heartbeat), ConnectionOpen(self.vhost))
        return self.expect(0, ConnectionOpenOk)

    # --- sending

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def send(self, channel: int, *methods: Method) -> None:
        """Send methods without waiting for anything."""
        self.write(self.session.encode(channel, *methods))

    def publish(
        self,
        channel: int,
        exchange: str,
        routing_key: str,
        body: bytes = b"",
        properties: Properties | None = None,
        *,
        mandatory: bool = False,
        immediate: bool = False,
    ) -> None:
        """Send a basic.publish with its content."""
        self.write(
            self.session.encode_publish(
                channel, exchange, routing_key, body, properties, mandatory=mandatory, immediate=immediate
            )
        )

    # --- receiving

    def receive(self, timeout: float | None = None) -> Command:
        """The next command, heartbeats included."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while (command := self.session.next()) is None:
            self.socket.settimeout(max(0.0001, deadline - time.monotonic()))
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the broker closed the socket")
            self.session.feed(data)
        return command

    def expect_command(self, channel: int, kind: type[Method], timeout: float | None = None) -> Command:
        """The next command, which has to be this one; heartbeats are passed over."""
        command = self.receive(timeout)
        while command.method is None:
            command = self.receive(timeout)
        if command.channel != channel or not isinstance(command.method, kind):
            raise Unexpected(f"expected {kind.__name__} on channel {channel}, got {command}")
        return command

    def expect(self, channel: int, kind: type[_M], timeout: float | None = None) -> _M:
        """The method of `expect_command`."""
        method = self.expect_command(channel, kind, timeout).method
        assert isinstance(method, kind)
        return method

    def call(self, channel: int, method: Method, answer: type[_M]) -> _M:
        """Send a method and wait for its answer."""
        self.send(channel, method)
        return self.expect(channel, answer)

    def silence(self, seconds: float = 0.2) -> bool:
        """Whether the broker says nothing for so long. Heartbeats count as nothing."""
        try:
            while self.receive(seconds).method is None:
                pass
        except TimeoutError:
            return True
        return False

    def expect_closed(self, timeout: float | None = None) -> None:
        """Wait until the broker has closed the socket, without another word but heartbeats."""
        try:
            while (command := self.receive(timeout)).method is None:
                pass
        except ConnectionError:
            return
        raise Unexpected(f"expected the end, got {command}")

    # --- shorthands

    def channel(self, number: int = 1) -> int:
        """Open a channel; returns its number."""
        self.call(number, ChannelOpen(), ChannelOpenOk)
        return number

    def close(self) -> None:
        """connection.close, close-ok; what comes in between is dropped."""
        self.send(0, ConnectionClose(200, "bye"))
        while not isinstance(self.receive().method, ConnectionCloseOk):
            pass
        self.drop()

    def drop(self) -> None:
        """Close the socket without a word."""
        self.socket.close()


class Unexpected(AssertionError):
    """The broker said something else."""
