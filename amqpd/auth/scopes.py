"""Scopes of OAuth 2 tokens, as RabbitMQ reads them: `read:vhost/name`, `write:vhost/exchange/routing-key`, `tag:name`.

Each part is a pattern, in which `*` stands for anything and everything else may be percent-encoded. `{vhost}`, or the
name of a claim in braces, stands for its value.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from .base import Action

_ACTIONS: Final = {action.value: action for action in Action}

_VARIABLE: Final = re.compile(r"\{(?:([^{}.*]*)\})?")


class Wildcard:
    """A pattern, looked for from left to right: each part where it is found first, as RabbitMQ does."""

    __slots__ = ("_parts",)

    def __init__(self, pattern: str) -> None:
        """Raises ValueError for one that is not percent-encoded as it should be."""
        if re.search(r"%(?![0-9A-Fa-f]{2})", pattern):
            raise ValueError(pattern)
        self._parts = [unquote_to_bytes(part.replace("+", " ")) for part in pattern.split("*")]

    def matches(self, text: str) -> bool:
        subject = text.encode()
        first, *rest = self._parts
        if not subject.startswith(first):
            return False
        position = len(first)
        if not rest:
            return position == len(subject)
        *middle, last = rest
        for part in middle:
            found = subject.find(part, position)
            if found < 0:
                return False
            position = found + len(part)
        if not last:
            return True
        found = subject.find(last, position)
        return found >= 0 and found + len(last) == len(subject)


@dataclass(frozen=True, slots=True)
class Rule:
    """What one scope permits."""

    action: Action
    vhost: Wildcard
    name: Wildcard
    routing_key: Wildcard | None  # without one, nothing about topics


def rule_of(scope: str) -> Rule | None:
    """What a scope permits; None for a scope of another kind, or with something wrong in it."""
    kind, _, pattern = scope.partition(":")
    action = _ACTIONS.get(kind)
    parts = pattern.split("/")
    if action is None or len(parts) not in (2, 3):
        return None
    try:
        vhost, name, *keys = [Wildcard(part) for part in parts]
    except ValueError:
        return None
    return Rule(action, vhost, name, keys[0] if keys else None)


def expanded(scope: str, values: Mapping[str, str]) -> str:
    """A scope with the values of what is in braces, taken as they are; an unknown name stands for itself.

    Nothing is left of a scope with a brace that is not closed.
    """
    broken = False

    def value(match: re.Match[str]) -> str:
        nonlocal broken
        if match[1] is None:
            broken = True
            return ""
        return quote(values.get(match[1], match[1]), safe="")

    found = _VARIABLE.sub(value, scope)
    return "" if broken else found


@functools.lru_cache(1024)
def rules_in(vhost: str, scopes: tuple[str, ...], claims: tuple[tuple[str, str], ...]) -> tuple[Rule, ...]:
    """What scopes permit in a vhost."""
    values = {**dict(claims), "vhost": vhost}
    rules = [rule_of(expanded(scope, values)) for scope in scopes]
    return tuple([rule for rule in rules if rule is not None and rule.vhost.matches(vhost)])
