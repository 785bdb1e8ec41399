"""The random exchange: every message goes to one of the bound destinations."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...message import Message
from ..binding import Binding
from .base import Exchange


class RandomExchange(Exchange):
    """A message matches one binding, each as likely as the others, whatever its routing key."""

    type = "x-random"
    one_key = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self.choose: Callable[[Sequence[Binding]], Binding] = random.choice
        self._bindings: list[Binding] = []

    def bind(self, binding: Binding) -> None:
        self._bindings.append(binding)

    def unbind(self, binding: Binding) -> None:
        self._bindings.remove(binding)

    def match(self, message: Message) -> Iterable[Binding]:
        return (self.choose(self._bindings),) if self._bindings else ()

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        odds = f"1 in {len(self._bindings)}"
        return f"chosen at random, {odds}" if matched else f"not chosen this time, {odds}"
