"""The loop over what a client sends: the few methods that come by the million are handled here, the rest elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..wire.reader import Reader
from .deliveries import Deliveries
from .publishing import Publishing

if TYPE_CHECKING:
    from .channel import Channel, ClosingChannel

_PUBLISH: Final = 60 << 16 | 40
_ACK: Final = 60 << 16 | 80
_ACK_SIZE: Final = 9  # of its arguments: the delivery tag, and an octet of bits

SPREAD_LIMIT: Final = 1024
"""Copies for several queues that a channel makes between two looks at whether it had its share of the turn."""

_SPREAD_LIMIT: Final = SPREAD_LIMIT

Elsewhere = Callable[["Channel | ClosingChannel | None"], bool]
"""Handles the current command for the channel it is meant for; false when what follows is not to be looked at."""


class Commands:
    """Hands a reader's commands to whom they concern."""

    __slots__ = ("_reader", "alarmed", "held", "published", "stored")

    def __init__(self, reader: Reader) -> None:
        self.alarmed = False  # no message is to be published: the first that comes is held
        self.held = False  # it is there, as the reader's current command; to be reset by whoever looks
        self.published = 0  # messages that came to be published; to be reset by whoever looks
        self.stored = False  # some of them have to go to the disk; likewise
        self._reader = reader

    def handle(self, channels: Mapping[int, Any], elsewhere: Elsewhere, enough: Callable[[], bool]) -> None:
        """Handle commands until no whole one is left, one is held, or `elsewhere` or `enough` have the rest wait.

        Raises what the handlers raise.
        """
        reader = self._reader
        channel: Any = None
        publishing: Publishing | None = None
        deliveries: Deliveries | None = None
        number = -1  # of the channel these belong to
        while reader.read():
            if reader.channel != number:
                number = reader.channel
                channel = channels.get(number)
                publishing = deliveries = None
                if channel is not None:
                    publishing = channel.publishing
                    deliveries = channel.deliveries
            if publishing is not None and reader.method_id == _PUBLISH:
                if self.alarmed:
                    self.held = True
                    return
                self.published += 1
                if publishing.publish(reader.arguments, reader.header, reader.body):
                    self.stored = True
                if publishing.spread >= _SPREAD_LIMIT:
                    publishing.spread = 0
                    if enough():
                        return
            elif deliveries is not None and reader.method_id == _ACK and len(reader.arguments) == _ACK_SIZE:
                deliveries.ack(reader.long_long(), reader.arguments[8] & 1 != 0)
            else:
                number = -1  # a handler may open or close channels
                if not elsewhere(channel):
                    return
