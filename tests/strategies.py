"""Hypothesis strategies for what travels on a wire."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from amqpd.wire import fields
from amqpd.wire.methods import METHODS
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method


def _fits_shortstr(text: str) -> bool:
    return len(text.encode()) <= 255


def _integers(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)


def _is_not_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False


short_strings: Final = st.text(max_size=255).filter(_fits_shortstr)
words: Final = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_", max_size=20)
"""Names that every client library lets through."""

scalars: Final[st.SearchStrategy[Any]] = st.one_of(
    st.none(),
    st.booleans(),
    _integers(64, signed=True),
    _integers(8, signed=True).map(fields.Int8),
    _integers(8, signed=False).map(fields.UInt8),
    _integers(16, signed=True).map(fields.Int16),
    _integers(16, signed=False).map(fields.UInt16),
    _integers(32, signed=True).map(fields.Int32),
    _integers(32, signed=False).map(fields.UInt32),
    _integers(64, signed=False).map(fields.Timestamp),
    st.floats(width=32).map(fields.Float32),
    st.floats(),
    st.builds(
        lambda unscaled, scale: Decimal(unscaled).scaleb(-scale), _integers(32, signed=True), st.integers(0, 255)
    ),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.binary(min_size=1, max_size=20).filter(_is_not_utf8).map(fields.RawString),
)
values: Final[st.SearchStrategy[Any]] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(short_strings, inner, max_size=4),
    max_leaves=8,
)
tables: Final[st.SearchStrategy[dict[str, Any]]] = st.dictionaries(short_strings, values, max_size=4)

DOMAINS: Final[dict[str, st.SearchStrategy[Any]]] = {
    "bit": st.booleans(),
    "octet": _integers(8, signed=False),
    "short": _integers(16, signed=False),
    "long": _integers(32, signed=False),
    "longlong": _integers(64, signed=False),
    "shortstr": short_strings,
    "longstr": st.binary(max_size=100),
    "table": tables,
}
"""Values of each wire domain."""


def methods_of(cls: type[Method], domains: dict[str, st.SearchStrategy[Any]] = DOMAINS) -> st.SearchStrategy[Method]:
    """Methods of one class, with arguments of their domains."""
    return st.builds(cls, **{attribute: domains[domain] for attribute, domain in cls._fields})


methods: Final[st.SearchStrategy[Method]] = st.sampled_from(list(METHODS.values())).flatmap(methods_of)

properties: Final[st.SearchStrategy[Properties]] = st.builds(
    Properties,
    content_type=st.none() | short_strings,
    content_encoding=st.none() | short_strings,
    headers=st.none() | tables,
    delivery_mode=st.none() | DOMAINS["octet"],
    priority=st.none() | DOMAINS["octet"],
    correlation_id=st.none() | short_strings,
    reply_to=st.none() | short_strings,
    expiration=st.none() | short_strings,
    message_id=st.none() | short_strings,
    timestamp=st.none() | DOMAINS["longlong"].map(fields.Timestamp),
    type=st.none() | short_strings,
    user_id=st.none() | short_strings,
    app_id=st.none() | short_strings,
    cluster_id=st.none() | short_strings,
)


def same(one: Any, other: Any) -> bool:
    """Equal in value and in type, all the way down; not-a-number equals itself, and zeros tell their signs."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (
            math.isnan(one) and math.isnan(other)
        )
    if isinstance(one, Decimal):
        return bool(one.as_tuple() == other.as_tuple())
    return bool(one == other)
