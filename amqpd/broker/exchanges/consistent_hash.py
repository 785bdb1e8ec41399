"""The consistent-hash exchange: every message goes to one destination, the same for all that hash alike.

The binding key is the destination's weight, its share of the messages. What is hashed is the routing key, or the header
or property that the exchange's arguments name. For each message every destination draws a number that follows from its
name and what is hashed, and the highest wins, weighted (rendezvous hashing): so a destination that comes takes messages
from all the others, one that goes leaves its own to them, and nothing else moves. The same bindings give the same
answer after a restart, in whatever order they were made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from ...errors import PreconditionFailed
from ...message import Message
from ...wire.fields import encode_value, term, type_name
from ..arguments import Arguments
from ..binding import Binding
from .base import Exchange

if TYPE_CHECKING:
    from ..stream import AnyQueue

MAX_WEIGHT: Final = 10_000

PROPERTIES: Final = ("correlation_id", "message_id", "timestamp")


class ConsistentHashExchange(Exchange):
    """A message matches the binding that draws the highest number for it. Each destination takes part once."""

    type = "x-consistent-hash"
    one_key = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self._header: str | None = self.arguments.get("hash-header")
        self._property: str | None = self.arguments.get("hash-property")
        self.by_routing_key = self._header is None and self._property is None
        self._by_destination: dict[AnyQueue | Exchange, list[Binding]] = {}  # the first of each counts

    @classmethod
    def check_arguments(cls, arguments: Arguments, described: str) -> None:
        for name in ("hash-header", "hash-property"):
            value = arguments.get(name, "")
            if not isinstance(value, str):
                raise PreconditionFailed(f"invalid type '{type_name(value)}' for arg '{name}' in {described}")
        if "hash-header" in arguments and "hash-property" in arguments:
            raise PreconditionFailed("hash-header and hash-property are mutually exclusive")
        if arguments.get("hash-property", PROPERTIES[0]) not in PROPERTIES:
            raise PreconditionFailed(f"Unsupported property: {arguments['hash-property']}")

    def check_binding(self, destination: AnyQueue | Exchange, routing_key: str, arguments: Arguments) -> None:
        if not re.fullmatch(r"[+-]?[0-9]+", routing_key):
            raise PreconditionFailed(f"The binding key must be an integer: {term(routing_key)}")
        if int(routing_key) < 1:
            raise PreconditionFailed("The binding key must be greater than 0")
        if int(routing_key) > MAX_WEIGHT:
            raise PreconditionFailed(f"The binding key must not exceed {MAX_WEIGHT}")

    def bind(self, binding: Binding) -> None:
        self._by_destination.setdefault(binding.destination, []).append(binding)

    def unbind(self, binding: Binding) -> None:
        bindings = self._by_destination[binding.destination]
        bindings.remove(binding)
        if not bindings:
            del self._by_destination[binding.destination]

    def match(self, message: Message) -> Iterable[Binding]:
        hashed = self._hashed(message)
        bindings = [bindings[0] for bindings in self._by_destination.values()]
        return (max(bindings, key=lambda binding: _draw(binding, hashed)),) if bindings else ()

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        if binding is not self._by_destination[binding.destination][0]:
            return "its destination is bound already, and takes part once"
        drawn = f"weight {int(binding.routing_key)} draws {_draw(binding, self._hashed(message)):.6g}"
        return f"{drawn}, the highest number" if matched else f"{drawn}, and another a higher number"

    def _hashed(self, message: Message) -> bytes:
        value: Any = message.routing_key
        if self._header is not None:
            value = message.headers.get(self._header)
        elif self._property is not None:
            value = getattr(message.properties, self._property)
        return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else encode_value(value)


def _draw(binding: Binding, hashed: bytes) -> float:
    """A number that follows from destination and what is hashed; the odds of the highest are those of the weights."""
    destination = binding.destination
    name = blake2b(destination.name.encode("utf-8", "surrogateescape"), digest_size=16, person=b"q" * binding.to_queue)
    drawn = int.from_bytes(blake2b(hashed, digest_size=8, key=name.digest()).digest(), "big")
    return -int(binding.routing_key) / math.log(((drawn >> 12) + 0.5) / (1 << 52))
