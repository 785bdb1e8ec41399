"""A client and its broker's `Connection` in one process, without sockets."""

from __future__ import annotations

from typing import Any

from amqpd.amqp.connection import Connection, ConnectionSettings
from amqpd.auth.base import Peer
from amqpd.auth.internal import InternalUsers
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore
from amqpd.testing.client import ClientSession
from amqpd.wire.methods import (
    ChannelOpen,
    ConnectionOpen,
    ConnectionStartOk,
    ConnectionTuneOk,
)
from amqpd.wire.schema import Method
from amqpd.wire.spec import PROTOCOL_HEADER

CHANNEL = 1
FRAME_MAX = 131072
READ_SIZE = 64 << 10
"""Bytes of a piece of input, as a socket gives them."""


class Log:
    """Keeps nothing."""

    def bind(self, **fields: Any) -> Log:
        return self

    def debug(self, text: str, /, **fields: Any) -> None: ...

    info = warning = error = critical = exception = debug


def new_broker() -> Broker:
    """One that stores nothing."""
    return Broker(MemoryStore(), VirtualClock())


class Client:
    """An open connection with one channel. Raises RuntimeError when the broker closed it."""

    def __init__(self, broker: Broker) -> None:
        users = InternalUsers(broker)
        users.add("guest", "guest")
        users.permissions.set("guest", "/", ".*", ".*", ".*")
        peer = Peer("127.0.0.1", 50000, "127.0.0.1", 5672, loopback=True)
        self.session = ClientSession(FRAME_MAX)
        self.connection = Connection(broker, users, users, ConnectionSettings(), peer, Log(), lambda: None)
        login = ConnectionStartOk({"capabilities": {}}, "PLAIN", b"\0guest\0guest")
        self.connection.receive_data(PROTOCOL_HEADER)
        self.connection.receive_data(
            self.session.encode(0, login, ConnectionTuneOk(2047, FRAME_MAX, 0), ConnectionOpen("/"))
        )
        self.send(ChannelOpen())

    def send(self, *methods: Method) -> None:
        """Say something on the channel; what is answered is dropped."""
        self.connection.receive_data(self.session.encode(CHANNEL, *methods))
        answer = b"".join(self.connection.data_to_send())
        if self.connection.closed or not self.connection.channels or not answer:
            raise RuntimeError(f"the broker answered {methods[-1]} with {answer!r}")
