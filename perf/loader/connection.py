"""A connection up to where the load begins, and after it."""

from __future__ import annotations

import socket
from typing import TypeVar

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicReturn,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionBlocked,
    ConnectionUnblocked,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.schema import Method

from .frames import CHANNEL, LoadError

TIMEOUT = 120.0
"""Seconds to wait for an answer: a broker may have much to do before it."""

_M = TypeVar("_M", bound=Method)


class Connection:
    """One connection with one channel, whose socket the load takes over meanwhile."""

    def __init__(self, url: str) -> None:
        self.client = Client(url, timeout=TIMEOUT)
        self.client.channel(CHANNEL)
        self.returned = 0  # messages that came back during calls

    @property
    def frame_max(self) -> int:
        return self.client.session.frame_max

    @property
    def socket(self) -> socket.socket:
        return self.client.socket

    def take_back(self, rest: bytes) -> None:
        """Use the socket for calls again; `rest` is an incomplete frame that was received."""
        self.client.session.feed(rest)

    def call(self, method: Method, answer: type[_M]) -> _M:
        """Send a method and wait for its answer, passing over what a broker may say in between.

        Raises LoadError when the answer is another.
        """
        self.client.send(CHANNEL, method)
        while not isinstance(received := self.client.receive().method, answer):
            if isinstance(received, BasicReturn):
                self.returned += 1
            elif received is not None and not isinstance(received, (ConnectionBlocked, ConnectionUnblocked)):
                raise LoadError(f"the broker answered {type(method).__name__} with {received}")
        return received

    def select_confirms(self) -> None:
        """Ask for publisher confirms."""
        self.call(ConfirmSelect(), ConfirmSelectOk)

    def message_count(self, queue: str) -> int:
        """How many messages are ready there. The answer comes after all that this channel published before."""
        return self.call(QueueDeclare(queue=queue, passive=True), QueueDeclareOk).message_count

    def close(self) -> None:
        """Close it in good order."""
        self.client.close()

    def drop(self) -> None:
        """Close the socket."""
        self.client.drop()
