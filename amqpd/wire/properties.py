"""The content header of class basic: body size, property flags, and the fourteen properties (specification 4.2.6.1).

A broker seldom needs a message's properties: it passes the header on as it came. So the header stays raw bytes, and
this module offers cheap peeks at what routing and durability need, besides decoding it whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final

from .fields import Table, Timestamp, Value, decode_table, encode_table, skip_table
from .schema import decode_shortstr, encode_shortstr
from .spec import CLASS_BASIC, ProtocolError, ReplyCode

PREFIX: Final = struct.Struct(">HHQ")  # class id, weight (unused, 0), body size
FLAGS_OFFSET: Final = PREFIX.size

HAS_CONTENT_TYPE: Final = 1 << 15
HAS_CONTENT_ENCODING: Final = 1 << 14
HAS_HEADERS: Final = 1 << 13
HAS_PRIORITY: Final = 1 << 11
HAS_REPLY_TO: Final = 1 << 9
HAS_EXPIRATION: Final = 1 << 8
HAS_USER_ID: Final = 1 << 4
MORE_FLAGS: Final = 1

PERSISTENT: Final = 2
"""The delivery mode of a message that is to survive a restart."""


@dataclass(slots=True)
class Properties:
    """The properties of a message, in wire order; None = absent.

    `timestamp` is in seconds since 1970; `expiration` is a number of milliseconds written as a string.
    """

    content_type: str | None = None
    content_encoding: str | None = None
    headers: Table | None = None
    delivery_mode: int | None = None
    priority: int | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    expiration: str | None = None
    message_id: str | None = None
    timestamp: int | None = None
    type: str | None = None
    user_id: str | None = None
    app_id: str | None = None
    cluster_id: str | None = None


NO_PROPERTIES: Final = b"\x00\x00"


def encode_header(properties: Properties | None, body_size: int) -> bytes:
    """A content header frame's payload. Raises ValueError when a property does not fit its domain."""
    prefix = PREFIX.pack(CLASS_BASIC, 0, body_size)
    if properties is None:
        return prefix + NO_PROPERTIES
    flags = 0
    parts: list[bytes] = []
    for bit, name, encode, _ in _WIRE:
        value = getattr(properties, name)
        if value is not None:
            flags |= bit
            try:
                parts.append(encode(value))
            except struct.error as error:
                raise ValueError(f"{name}={value!r}: {error}") from None
    return prefix + struct.pack(">H", flags) + b"".join(parts)


def decode_header(header: bytes) -> Properties:
    """The properties of a content header. Raises ProtocolError 502 when it is malformed."""
    try:
        flags, offset = _flags(header)
        properties = Properties()
        for bit, name, _, decode in _WIRE:
            if flags & bit:
                value, offset = decode(header, offset)
                setattr(properties, name, value)
    except (struct.error, IndexError):
        raise ProtocolError(ReplyCode.SYNTAX_ERROR, "truncated content header") from None
    return properties


def check_header(header: bytes) -> bool:
    """Whether the delivery mode is 2, after a walk over the properties that decodes none of them.

    Raises ProtocolError 502 when they do not end where the header does, or the headers are no table: whoever consumes
    the message could not read it.
    """
    persistent = False
    try:
        flags, offset = _flags(header)
        for domain in _layout(flags):
            if domain == _SHORTSTR_DOMAIN:
                offset += 1 + header[offset]
            elif domain == _TABLE_DOMAIN:
                offset = skip_table(header, offset)
            elif domain == _TIMESTAMP_DOMAIN:
                offset += 8
            else:
                if domain == _MODE_DOMAIN:
                    persistent = header[offset] == PERSISTENT
                offset += 1
    except (ProtocolError, struct.error, IndexError):
        offset = -1
    if offset != len(header):
        raise ProtocolError(ReplyCode.SYNTAX_ERROR, "malformed content header")
    return persistent


def locate(header: bytes, wanted: int) -> tuple[int, int]:
    """Where the property with this flag stands in a content header that `check_header` accepts: from, to.

    Both are the place where it would stand when it is absent.
    """
    flags, offset = _flags(header)
    bit = 1 << 15
    while bit > wanted:
        if flags & bit:
            offset = _skip(header, offset, bit)
        bit >>= 1
    return offset, _skip(header, offset, wanted) if flags & wanted else offset


def _skip(header: bytes, offset: int, bit: int) -> int:
    domain = _layout(bit)[0]
    if domain == _SHORTSTR_DOMAIN:
        return offset + 1 + header[offset]
    if domain == _TABLE_DOMAIN:
        return skip_table(header, offset)
    return offset + (8 if domain == _TIMESTAMP_DOMAIN else 1)


def priority_of(header: bytes) -> int:
    """The priority in a header that was checked; 0 when there is none."""
    start, stop = locate(header, HAS_PRIORITY)
    return header[start] if stop > start else 0


def add_header(header: bytes, name: str, value: Value) -> bytes:
    """A content header with one more entry in its headers table, in place of any of that name.

    The table is sorted by name, as RabbitMQ leaves those it changes. Raises ProtocolError 502 when it is malformed.
    """
    flags, start = _flags(header)
    offset = start
    for bit in (HAS_CONTENT_TYPE, HAS_CONTENT_ENCODING):
        if flags & bit:
            offset += 1 + header[offset]
    end = offset
    table: Table = {}
    if flags & HAS_HEADERS:
        table, end = decode_table(header, offset)
    table[name] = value
    changed = encode_table(dict(sorted(table.items())))
    words = struct.pack(">H", flags | HAS_HEADERS) + header[FLAGS_OFFSET + 2 : start]
    return b"".join((header[:FLAGS_OFFSET], words, header[start:offset], changed, header[end:]))


def _flags(header: bytes) -> tuple[int, int]:
    """The first flag word, and the offset of the properties: further flag words hold nothing AMQP 0-9-1 knows."""
    flags = (header[FLAGS_OFFSET] << 8) | header[FLAGS_OFFSET + 1]
    offset = FLAGS_OFFSET + 2
    word = flags
    while word & MORE_FLAGS:
        word = (header[offset] << 8) | header[offset + 1]
        offset += 2
    return flags, offset


def _encode_octet(value: int) -> bytes:
    return struct.pack(">B", value)


def _decode_octet(data: bytes, offset: int) -> tuple[int, int]:
    return data[offset], offset + 1


def _encode_timestamp(value: int) -> bytes:
    return struct.pack(">Q", value)


def _decode_timestamp(data: bytes, offset: int) -> tuple[Timestamp, int]:
    return Timestamp(struct.unpack_from(">Q", data, offset)[0]), offset + 8


_Codec = tuple[Callable[[Any], bytes], Callable[[bytes, int], tuple[Any, int]]]
_SHORTSTR: Final[_Codec] = (encode_shortstr, decode_shortstr)
_CODECS: Final[dict[str, _Codec]] = {
    "headers": (encode_table, decode_table),
    "delivery_mode": (_encode_octet, _decode_octet),
    "priority": (_encode_octet, _decode_octet),
    "timestamp": (_encode_timestamp, _decode_timestamp),
}
_SHORTSTR_DOMAIN, _TABLE_DOMAIN, _MODE_DOMAIN, _OCTET_DOMAIN, _TIMESTAMP_DOMAIN = range(5)
_DOMAINS: Final = {
    "headers": _TABLE_DOMAIN,
    "delivery_mode": _MODE_DOMAIN,
    "priority": _OCTET_DOMAIN,
    "timestamp": _TIMESTAMP_DOMAIN,
}
_WIRE: Final = tuple(
    (1 << (15 - place), f.name, *_CODECS.get(f.name, _SHORTSTR)) for place, f in enumerate(fields(Properties))
)
"""(flag bit, attribute, encode, decode) of each property in wire order."""


@lru_cache(maxsize=256)
def _layout(flags: int) -> tuple[int, ...]:
    """The domains of the properties that these flags announce, in wire order."""
    return tuple([_DOMAINS.get(name, _SHORTSTR_DOMAIN) for bit, name, _, _ in _WIRE if flags & bit])
