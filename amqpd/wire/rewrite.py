"""Content headers with one thing changed and every other byte as it came.

A header that was decoded and encoded again could differ in ways an application sees: fields that come twice, letters
that have a synonym, flag words nobody knows. All headers here must be such as `check_header` accepts.
"""

from __future__ import annotations

from typing import Any

from .fields import encode_table, find_field
from .properties import FLAGS_OFFSET, HAS_HEADERS, HAS_REPLY_TO, locate
from .schema import encode_shortstr

_EMPTY_TABLE = bytes(4)


def with_reply_to(header: bytes, reply_to: str) -> bytes:
    """With this reply-to in place of the one there."""
    start, end = locate(header, HAS_REPLY_TO)
    return header[:start] + encode_shortstr(reply_to) + header[end:]


def with_field(header: bytes, name: str, value: Any) -> bytes:
    """With this field in the headers table: in place of the first of that name, or as the last."""
    start, end = locate(header, HAS_HEADERS)
    table = header[start:end] or _EMPTY_TABLE
    first, last = find_field(table, 0, name)
    flags = int.from_bytes(header[FLAGS_OFFSET : FLAGS_OFFSET + 2], "big") | HAS_HEADERS
    return b"".join(
        (
            header[:FLAGS_OFFSET],
            flags.to_bytes(2, "big"),
            header[FLAGS_OFFSET + 2 : start],
            _table(table[4:first] + encode_table({name: value})[4:] + table[last:]),
            header[end:],
        )
    )


def without_field(header: bytes, name: str) -> bytes:
    """Without the fields of this name in the headers table, which may be empty then."""
    start, end = locate(header, HAS_HEADERS)
    table = header[start:end]
    while table:
        first, last = find_field(table, 0, name)
        if first == last:
            break
        table = _table(table[4:first] + table[last:])
    return header[:start] + table + header[end:]


def _table(fields: bytes) -> bytes:
    return len(fields).to_bytes(4, "big") + fields
