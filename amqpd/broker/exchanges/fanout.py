"""The fanout exchange."""

from __future__ import annotations

from collections.abc import Iterable

from ...message import Message
from ..binding import Binding
from .base import Exchange


class FanoutExchange(Exchange):
    """A message matches every binding, whatever its routing key (specification 3.1.3.2)."""

    type = "fanout"
    by_routing_key = True
    one_key = True

    def bind(self, binding: Binding) -> None:
        """Nothing to prepare: the exchange's own table of bindings is all it needs."""

    def unbind(self, binding: Binding) -> None:
        """Nothing to undo."""

    def match(self, message: Message) -> Iterable[Binding]:
        return self.outgoing.values()

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        return "a fanout exchange matches every binding"
