"""The direct exchange, and the default exchange to which every queue is bound by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...message import Message
from ..binding import Binding
from ..stream import AnyQueue
from .base import Exchange


class DirectExchange(Exchange):
    """A message matches the bindings whose key equals its routing key (specification 3.1.3.1)."""

    type = "direct"
    by_routing_key = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self._by_key: dict[str, list[Binding]] = {}

    def bind(self, binding: Binding) -> None:
        self._by_key.setdefault(binding.routing_key, []).append(binding)

    def unbind(self, binding: Binding) -> None:
        bindings = self._by_key[binding.routing_key]
        bindings.remove(binding)
        if not bindings:
            del self._by_key[binding.routing_key]

    def match(self, message: Message) -> Iterable[Binding]:
        return self._by_key.get(message.routing_key, ())

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        relation = "equals" if matched else "is not"
        return f"binding key '{binding.routing_key}' {relation} routing key '{message.routing_key}'"


class DefaultExchange(Exchange):
    """The nameless exchange: the routing key names the queue. It has no bindings that could be made or removed."""

    type = "direct"
    by_routing_key = True

    def __init__(self, find_queue: Callable[[str], AnyQueue | None]) -> None:
        super().__init__("", durable=True)
        self._find_queue = find_queue

    @property
    def alternate(self) -> None:
        """It has none, whatever a policy says."""

    def bind(self, binding: Binding) -> None:
        raise NotImplementedError("the default exchange cannot be bound")

    def unbind(self, binding: Binding) -> None:
        raise NotImplementedError("the default exchange cannot be unbound")

    def match(self, message: Message) -> Iterable[Binding]:
        queue = self._find_queue(message.routing_key)
        return () if queue is None else (Binding(self, queue, message.routing_key),)

    def candidates(self, message: Message) -> Iterable[Binding]:
        return ()  # but for the one that matches

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        return f"queue '{binding.destination.name}' has the routing key as its name"
