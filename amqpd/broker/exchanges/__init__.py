"""Exchange types, and the registry through which others add theirs.

A type is a subclass of `base.Exchange`. A package announces it under the entry-point group `amqpd.exchange_types`
(name = the type's name, value = the class); code that has the class at hand calls `register`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

from .base import Exchange, Verdict
from .consistent_hash import ConsistentHashExchange
from .delayed import DelayedMessageExchange
from .direct import DefaultExchange, DirectExchange
from .fanout import FanoutExchange
from .headers import HeadersExchange
from .local_random import LocalRandomExchange
from .modulus_hash import ModulusHashExchange
from .random_choice import RandomExchange
from .recent_history import RecentHistoryExchange
from .topic import TopicExchange

__all__ = ["DefaultExchange", "Exchange", "Verdict", "find_type", "register", "type_names"]

GROUP: Final = "amqpd.exchange_types"

_types: dict[str, type[Exchange]] = {
    exchange_type.type: exchange_type
    for exchange_type in (
        DirectExchange,
        FanoutExchange,
        TopicExchange,
        HeadersExchange,
        ConsistentHashExchange,
        RandomExchange,
        LocalRandomExchange,
        ModulusHashExchange,
        RecentHistoryExchange,
        DelayedMessageExchange,
    )
}


def register(exchange_type: type[Exchange]) -> None:
    """Make a type known under its name. Raises ValueError when another type has that name."""
    known = _types.setdefault(exchange_type.type, exchange_type)
    if known is not exchange_type:
        raise ValueError(f"exchange type '{exchange_type.type}' is registered already")


def find_type(name: str) -> type[Exchange] | None:
    """The type with this name, looked for among the installed packages when nobody registered it."""
    if name not in _types and name in _announced():
        register(_announced()[name].load())
    return _types.get(name)


def type_names() -> list[str]:
    """All types there are, by name."""
    return sorted({*_types, *_announced()})


@cache
def _announced() -> dict[str, Any]:
    metadata = import_module("importlib.metadata")  # slow to import, and seldom needed
    return {entry_point.name: entry_point for entry_point in metadata.entry_points(group=GROUP)}
