"""A binding: the link from an exchange to a queue or another exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..wire.fields import encode_table
from .arguments import Arguments

if TYPE_CHECKING:
    from .exchanges.base import Exchange
    from .stream import AnyQueue

BindingKey = tuple[str, bool, str, str, bytes]
"""What makes two bindings one: source, destination is a queue, destination, routing key, arguments."""


class Binding:
    """Compared by identity; two bindings with equal `key` never stand in the same vhost."""

    __slots__ = ("arguments", "destination", "id", "key", "routing_key", "source")

    def __init__(
        self, source: Exchange, destination: AnyQueue | Exchange, routing_key: str, arguments: Arguments | None = None
    ) -> None:
        self.source = source
        self.destination = destination
        self.routing_key = routing_key  # the binding key: a pattern, for a topic exchange
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.key = binding_key(source, destination, routing_key, self.arguments)
        self.id = 0  # in the store; 0 = not stored

    @property
    def to_queue(self) -> bool:
        return self.destination.is_queue

    @property
    def durable(self) -> bool:
        """A binding survives a restart when both its ends do."""
        return self.source.durable and self.destination.durable


def binding_key(
    source: Exchange, destination: AnyQueue | Exchange, routing_key: str, arguments: Arguments
) -> BindingKey:
    """The order of arguments does not tell bindings apart."""
    in_order = encode_table(dict(sorted(arguments.items()))) if arguments else b""
    return source.name, destination.is_queue, destination.name, routing_key, in_order
