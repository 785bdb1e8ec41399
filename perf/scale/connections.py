"""Many connections that do nothing, each with a channel."""

from __future__ import annotations

import select
import socket
import time
from urllib.parse import urlsplit

from brokers import Broker
from loader.cpu import resident_bytes
from loader.frames import CHANNEL, LoadError

from amqpd.testing.client import CAPABILITIES, ClientSession
from amqpd.wire.methods import ChannelOpen, ChannelOpenOk, ConnectionOpen, ConnectionStartOk, ConnectionTuneOk
from amqpd.wire.spec import PROTOCOL_HEADER

from .answers import Answers
from .fresh import KB, allow_descriptors, start_afresh

WINDOW = 256
"""Connections in the making: enough to keep a broker busy, and less than its backlog."""

HEARTBEAT = 60
"""Seconds, as most clients have it; none is due within a measurement."""

ADDRESSES = 4
"""Source addresses to take ports from, 127.0.0.2 and on."""

SETTLE = 1.0
"""Seconds until a broker has written its log and put away its working memory."""

IP_BIND_ADDRESS_NO_PORT = 24  # of linux/in.h: the port is chosen with the destination known, so that there are more


def connections(broker: Broker, *, count: int, limit: float) -> dict[str, float]:
    """Open them: `rate`, a second; `memory`, kilobytes by which each made the broker's resident memory grow."""
    allow_descriptors(count)
    start_afresh(broker)
    before = resident_bytes(broker.pids)
    crowd = _Crowd(broker.url, count)
    try:
        cpu = time.process_time()
        seconds = crowd.open(limit)
        cpu = time.process_time() - cpu
        time.sleep(SETTLE)
        grown = resident_bytes(broker.pids) - before
    finally:
        crowd.close()
        broker.stop()
    return {"rate": count / seconds, "memory": grown / count / KB, "loader_share": cpu / seconds}


def _hello() -> bytes:
    """All that a client says up to its open channel. The broker answers in order, so there is no need to wait."""
    session = ClientSession()
    login = ConnectionStartOk({"capabilities": dict(CAPABILITIES)}, "PLAIN", b"\0guest\0guest")
    opening = session.encode(0, login, ConnectionTuneOk(2047, 131072, HEARTBEAT), ConnectionOpen("/"))
    return PROTOCOL_HEADER + opening + session.encode(CHANNEL, ChannelOpen())


class _Crowd:
    def __init__(self, url: str, count: int) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 5672)
        self._count = count
        self._hello = _hello()
        self._sockets: list[socket.socket] = []

    def open(self, limit: float) -> float:
        """Open all; returns the seconds it took. Raises LoadError when it takes longer than `limit` of them."""
        begun = time.monotonic()
        opened = 0
        opening: dict[int, tuple[socket.socket, Answers]] = {}
        with select.epoll() as epoll:
            while opened < self._count:
                while len(self._sockets) < self._count and len(opening) < WINDOW:
                    new = self._connect()
                    opening[new.fileno()] = (new, Answers())
                    epoll.register(new.fileno(), select.EPOLLIN)
                for descriptor, _ in epoll.poll(0.1):
                    ready, answers = opening[descriptor]
                    data = ready.recv(1 << 16)
                    if not data:
                        raise LoadError(f"the broker closed a new connection when {opened} were open")
                    if ChannelOpenOk.id in answers.feed(data):
                        epoll.unregister(descriptor)
                        del opening[descriptor]
                        opened += 1
                if time.monotonic() - begun > limit:
                    raise LoadError(f"{opened} of {self._count} connections were open after {limit} seconds")
        return time.monotonic() - begun

    def close(self) -> None:
        for each in self._sockets:
            each.close()

    def _connect(self) -> socket.socket:
        new = socket.socket()
        self._sockets.append(new)
        if self._address[0] == "127.0.0.1":
            new.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            new.bind((f"127.0.0.{2 + len(self._sockets) % ADDRESSES}", 0))
        new.settimeout(10.0)
        new.connect(self._address)
        new.sendall(self._hello)
        return new
