"""The modulus-hash exchange: the routing key's hash, modulo the number of bindings, says which of them it is."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from ...message import Message
from ..binding import Binding
from .base import Exchange


class ModulusHashExchange(Exchange):
    """A message matches one binding: always the same for a routing key, until a binding comes or goes."""

    type = "x-modulus-hash"
    by_routing_key = True
    one_key = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self._bindings: list[Binding] = []

    def bind(self, binding: Binding) -> None:
        self._bindings.append(binding)

    def unbind(self, binding: Binding) -> None:
        self._bindings.remove(binding)

    def match(self, message: Message) -> Iterable[Binding]:
        return (self._bindings[self._number(message)],) if self._bindings else ()

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        count, number = len(self._bindings), self._number(message)
        found = f"the hash of routing key '{message.routing_key}' modulo {count} is {number}"
        return found if matched else f"{found}, not {self._bindings.index(binding)}"

    def _number(self, message: Message) -> int:
        key = message.routing_key.encode("utf-8", "surrogateescape")
        return int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % len(self._bindings)
