"""The headers exchange: matches a message's headers against the arguments of each binding.

The arguments are compiled when the binding is made, and bindings that look at the same headers share a table, so that
routing is a few look-ups however many bindings there are. As in RabbitMQ, values compare as
Erlang terms do: numbers of all widths with each other, strings with byte arrays, everything else by type and value.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from ...errors import PreconditionFailed
from ...message import Message
from ...wire.fields import encode_value, term, type_name
from ..arguments import Arguments
from ..binding import Binding
from ..stream import AnyQueue
from .base import Exchange

MODES: Final = ("all", "any", "all-with-x", "any-with-x")

_PRESENT: Final = object()
"""Compiled form of a void argument: any value will do."""


class Matcher:
    """One binding's arguments, compiled."""

    __slots__ = ("all_of", "wanted")

    def __init__(self, arguments: Arguments) -> None:
        mode = arguments.get("x-match", "all")
        self.all_of: bool = mode.startswith("all")
        self.wanted: tuple[tuple[str, Hashable], ...] = tuple(
            (name, _PRESENT if value is None else comparable(value))
            for name, value in sorted(arguments.items(), key=itemgetter(0))
            if name != "x-match" and (mode.endswith("-with-x") or not name.startswith("x-"))
        )

    @property
    def shape(self) -> Shape:
        """What it looks at, values apart."""
        return tuple([(name, value is _PRESENT) for name, value in self.wanted])

    @property
    def values(self) -> tuple[Hashable, ...]:
        """What it wants to find there."""
        return tuple([value for _, value in self.wanted])


Shape = tuple[tuple[str, bool], ...]
"""Names of headers in order, each with whether any value will do."""


class HeadersExchange(Exchange):
    """A message matches by its headers (specification 3.1.3.4, with RabbitMQ's -with-x modes)."""

    type = "headers"
    one_key = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self._matchers: dict[Binding, Matcher] = {}
        # of `all` bindings those of one shape share a table by their values; `any` bindings are in one by each pair
        self._all: dict[Shape, dict[tuple[Hashable, ...], dict[Binding, None]]] = {}
        self._any: dict[tuple[str, Hashable], dict[Binding, None]] = {}

    def check_binding(self, destination: AnyQueue | Exchange, routing_key: str, arguments: Arguments) -> None:
        mode = arguments.get("x-match", "all")
        if not isinstance(mode, str):
            raise PreconditionFailed(
                f"Invalid x-match field type {type_name(mode)} (value {term(mode)}); expected longstr"
            )
        if mode not in MODES:
            raise PreconditionFailed(
                f'Invalid x-match field value "{mode}"; expected all, any, all-with-x, or any-with-x'
            )

    def bind(self, binding: Binding) -> None:
        matcher = self._matchers[binding] = Matcher(binding.arguments)
        if matcher.all_of:
            self._all.setdefault(matcher.shape, {}).setdefault(matcher.values, {})[binding] = None
        else:
            for pair in matcher.wanted:
                self._any.setdefault(pair, {})[binding] = None

    def unbind(self, binding: Binding) -> None:
        matcher = self._matchers.pop(binding)
        if matcher.all_of:
            table = self._all[matcher.shape]
            del table[matcher.values][binding]
            if not table[matcher.values]:
                del table[matcher.values]
            if not table:
                del self._all[matcher.shape]
        else:
            for pair in matcher.wanted:
                del self._any[pair][binding]
                if not self._any[pair]:
                    del self._any[pair]

    def match(self, message: Message) -> Iterable[Binding]:
        headers = {name: comparable(value) for name, value in message.headers.items()}
        matched: dict[Binding, None] = {}
        for shape, table in self._all.items():
            try:
                values = tuple(
                    [_PRESENT if any_value and name in headers else headers[name] for name, any_value in shape]
                )
            except KeyError:
                continue
            matched.update(table.get(values, ()))
        if self._any:
            for name, value in headers.items():
                matched.update(self._any.get((name, value), ()))
                matched.update(self._any.get((name, _PRESENT), ()))
        return matched

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        matcher = self._matchers[binding]
        headers = {name: comparable(value) for name, value in message.headers.items()}
        found: dict[bool, list[str]] = {True: [], False: []}
        for name, wanted in matcher.wanted:
            hit = name in headers and (wanted is _PRESENT or headers[name] == wanted)
            if hit:
                found[hit].append(f"{name} matches")
            elif name in headers:
                found[hit].append(f"{name} is {message.headers[name]!r}, not {binding.arguments[name]!r}")
            else:
                found[hit].append(f"{name} is missing")
        asked = "all" if matcher.all_of else "any"
        details = ", ".join(found[True] + found[False]) or "the binding names no header"
        return f"{asked} of {len(matcher.wanted)} must match: {details}"


def comparable(value: Any) -> Hashable:
    """A form of a field value that equals another's when RabbitMQ takes the two values for equal."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (int, float)):
        return float(value) if isinstance(value, float) else int(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, Decimal):
        return ("decimal", value.as_tuple())
    return ("term", encode_value(value))
