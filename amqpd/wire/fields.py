"""Field values: the typed values inside tables and arrays (specification 4.2.5, with RabbitMQ's type letters).

Where RabbitMQ departs from the letters of the specification, RabbitMQ is followed, since that is what clients send:

    t bool    b int8   B uint8   s int16   u uint16   I int32   i uint32   l L int64
    f float   d double   D decimal   S long string   x bytes   A array   F table   T timestamp   V void

Values become plain Python values. Where Python has one type for several letters, a small subclass remembers the
letter, so that a value re-encodes as it came and an error text can name its type: `Int32(5) == 5`, yet it is
written as ``I`` and called `signedint`. A plain int is written as ``l``, as RabbitMQ writes it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from .spec import ProtocolError, ReplyCode, octets

MAX_DEPTH: Final = 64
"""Tables nested deeper than this are refused: no client nests so, and a decoder must not recurse at a peer's will."""

Value = Any
Table = dict[str, Value]


class Int8(int):
    letter: ClassVar = b"b"


class UInt8(int):
    letter: ClassVar = b"B"


class Int16(int):
    letter: ClassVar = b"s"


class UInt16(int):
    letter: ClassVar = b"u"


class Int32(int):
    letter: ClassVar = b"I"


class UInt32(int):
    letter: ClassVar = b"i"


class Timestamp(int):
    """Seconds since 1970, unsigned."""

    letter: ClassVar = b"T"


class Float32(float):
    letter: ClassVar = b"f"


class RawString(bytes):
    """A long string that is not UTF-8: kept as its bytes, written back as a long string."""

    letter: ClassVar = b"S"


_FIXED: Final[dict[int, tuple[struct.Struct, type]]] = {
    ord("b"): (struct.Struct(">b"), Int8),
    ord("B"): (struct.Struct(">B"), UInt8),
    ord("s"): (struct.Struct(">h"), Int16),
    ord("u"): (struct.Struct(">H"), UInt16),
    ord("I"): (struct.Struct(">i"), Int32),
    ord("i"): (struct.Struct(">I"), UInt32),
    ord("l"): (struct.Struct(">q"), int),
    ord("L"): (struct.Struct(">q"), int),
    ord("T"): (struct.Struct(">Q"), Timestamp),
    ord("f"): (struct.Struct(">f"), Float32),
    ord("d"): (struct.Struct(">d"), float),
    ord("t"): (struct.Struct(">B"), bool),
}

_SIZES: Final = {**{letter: codec.size for letter, (codec, _) in _FIXED.items()}, 0x44: 5, 0x56: 0}  # D, V

_TYPE_NAMES: Final[tuple[tuple[type, str], ...]] = (  # a subclass stands before its base
    (bool, "bool"),
    (Int8, "byte"),
    (UInt8, "unsignedbyte"),
    (Int16, "short"),
    (UInt16, "unsignedshort"),
    (Int32, "signedint"),
    (UInt32, "unsignedint"),
    (Timestamp, "timestamp"),
    (int, "long"),
    (Float32, "float"),
    (float, "double"),
    (Decimal, "decimal"),
    (str, "longstr"),
    (RawString, "longstr"),
    (bytes, "binary"),
    (dict, "table"),
    (list, "array"),
    (type(None), "void"),
)

_UINT = struct.Struct(">I")
_LONG = struct.Struct(">q")
_DOUBLE = struct.Struct(">d")
_DECIMAL = struct.Struct(">Bi")


def type_name(value: Value) -> str:
    """The name RabbitMQ prints for a value's type, such as `longstr` or `signedint`.

    Raises TypeError for a value that no field can hold.
    """
    for python_type, name in _TYPE_NAMES:
        if isinstance(value, python_type):
            return name
    raise TypeError(f"no AMQP field type holds {type(value).__name__}")


def term(value: Value) -> str:
    """A value as RabbitMQ prints it inside a reply text: the Erlang term it is there.

    Raises TypeError for a value that no field can hold.
    """
    if isinstance(value, dict):
        pairs = ["{" + f"{term(name)},{type_name(item)},{term(item)}" + "}" for name, item in value.items()]
        return f"[{','.join(pairs)}]"
    if isinstance(value, list):
        return f"[{','.join(['{' + f'{type_name(item)},{term(item)}' + '}' for item in value])}]"
    if isinstance(value, str):
        return octets(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, bytes):
        return octets(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "undefined"
    if isinstance(value, float):
        mantissa, e, exponent = repr(float(value)).partition("e")
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(exponent)}" if e else mantissa
    if isinstance(value, Decimal):
        scale, unscaled = _DECIMAL.unpack(_encode_decimal(value)[1:])
        return f"{{{scale},{unscaled % (1 << 32)}}}"  # unsigned, as RabbitMQ reads it
    return str(int(value))


def decode_table(data: bytes, offset: int = 0, depth: int = 0) -> tuple[Table, int]:
    """Decode the table at `offset`; returns it and the offset behind it.

    Raises ProtocolError 502 when the bytes are no table.
    """
    try:
        start = offset + 4
        end = start + _UINT.unpack_from(data, offset)[0]
        if end > len(data):
            raise _malformed("table runs past its frame")
        table: Table = {}
        offset = start
        while offset < end:
            length = data[offset]
            offset += 1
            key = data[offset : offset + length].decode("utf-8", "surrogateescape")
            table[key], offset = decode_value(data, offset + length, depth)
        if offset != end:
            raise _malformed("table entry runs past its table")
        return table, end
    except (struct.error, IndexError):
        raise _malformed("truncated table") from None


def decode_value(data: bytes, offset: int, depth: int = 0) -> tuple[Value, int]:
    """Decode one type letter and its value; returns the value and the offset behind it."""
    kind = data[offset]
    offset += 1
    if kind == 0x53:  # S
        return _decode_string(data, offset)
    fixed = _FIXED.get(kind)
    if fixed is not None:
        codec, make = fixed
        return make(codec.unpack_from(data, offset)[0]), offset + codec.size
    if kind == 0x56:  # V
        return None, offset
    if depth >= MAX_DEPTH:
        raise _malformed("table nested too deeply")
    if kind == 0x46:  # F
        return decode_table(data, offset, depth + 1)
    if kind == 0x41:  # A
        return _decode_array(data, offset, depth + 1)
    if kind == 0x78:  # x
        end = offset + 4 + _UINT.unpack_from(data, offset)[0]
        if end > len(data):
            raise _malformed("byte array runs past its table")
        return data[offset + 4 : end], end
    if kind == 0x44:  # D
        scale, unscaled = _DECIMAL.unpack_from(data, offset)
        return Decimal(unscaled).scaleb(-scale), offset + _DECIMAL.size
    raise _malformed(f"unknown field type {kind}")


def skip_table(data: bytes, offset: int, depth: int = 0) -> int:
    """The offset behind the table at `offset`, after a walk over it that makes no values.

    Raises ProtocolError 502 or IndexError exactly where decoding the table would raise.
    """
    offset += 4
    end = offset + _long_at(data, offset - 4)
    while offset < end:
        offset = _skip_value(data, offset + 1 + data[offset], depth)
    if offset != end or end > len(data):
        raise _malformed("table entry runs past its table")
    return offset


def find_field(data: bytes, offset: int, name: str) -> tuple[int, int]:
    """Where the first field of this name stands in the table at `offset`, name included: from, to.

    Both are the end of the table when it has none. The table must be one that `skip_table` accepts.
    """
    wanted = name.encode("utf-8", "surrogateescape")
    offset += 4
    end = offset + _long_at(data, offset - 4)
    while offset < end:
        value = offset + 1 + data[offset]
        following = _skip_value(data, value, 0)
        if data[offset + 1 : value] == wanted:
            return offset, following
        offset = following
    return end, end


def _long_at(data: bytes, offset: int) -> int:
    return data[offset] << 24 | data[offset + 1] << 16 | data[offset + 2] << 8 | data[offset + 3]


def _skip_value(data: bytes, offset: int, depth: int) -> int:
    kind = data[offset]
    size = _SIZES.get(kind)
    if size is not None:
        return offset + 1 + size
    if kind == 0x53 or kind == 0x78:  # S, x
        return offset + 5 + _long_at(data, offset + 1)
    if depth >= MAX_DEPTH:
        raise _malformed("table nested too deeply")
    if kind == 0x46:  # F
        return skip_table(data, offset + 1, depth + 1)
    if kind != 0x41:  # A
        raise _malformed(f"unknown field type {kind}")
    offset += 5
    end = offset + _long_at(data, offset - 4)
    while offset < end:
        offset = _skip_value(data, offset, depth + 1)
    if offset != end:
        raise _malformed("array item runs past its array")
    return offset


def encode_table(table: Mapping[str, Value], depth: int = 0) -> bytes:
    """Encode a table with its length in front; `depth` is how deep it lies inside others.

    Raises TypeError for a value that no field can hold, ValueError for a key over 255 bytes, a number out of range, or
    what lies deeper than could be decoded.
    """
    parts: list[bytes] = []
    for key, value in table.items():
        name = key.encode("utf-8", "surrogateescape")
        if len(name) > 255:
            raise ValueError(f"field name longer than 255 bytes: {key[:32]!r}…")
        parts.append(bytes((len(name),)) + name)
        parts.append(encode_value(value, depth))
    body = b"".join(parts)
    return _UINT.pack(len(body)) + body


def encode_value(value: Value, depth: int = 0) -> bytes:
    """Encode a value with its type letter in front; raises as `encode_table` does."""
    if isinstance(value, (dict, list)):
        if depth >= MAX_DEPTH:
            raise ValueError("table nested too deeply")
        return b"F" + encode_table(value, depth + 1) if isinstance(value, dict) else _encode_array(value, depth + 1)
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        raise TypeError(f"no AMQP field type holds {type(value).__name__}")
    try:
        return encoder(value)
    except struct.error as error:
        raise ValueError(f"{value!r} does not fit its field type: {error}") from None


def _decode_string(data: bytes, offset: int) -> tuple[Value, int]:
    end = offset + 4 + _UINT.unpack_from(data, offset)[0]
    if end > len(data):
        raise _malformed("long string runs past its table")
    raw = data[offset + 4 : end]
    try:
        return raw.decode(), end
    except UnicodeDecodeError:
        return RawString(raw), end


def _decode_array(data: bytes, offset: int, depth: int) -> tuple[list[Value], int]:
    end = offset + 4 + _UINT.unpack_from(data, offset)[0]
    if end > len(data):
        raise _malformed("array runs past its table")
    offset += 4
    values: list[Value] = []
    while offset < end:
        value, offset = decode_value(data, offset, depth)
        values.append(value)
    if offset != end:
        raise _malformed("array item runs past its array")
    return values, end


def _encode_bytes(letter: bytes) -> Callable[[Any], bytes]:
    return lambda value: letter + _UINT.pack(len(value)) + value


def _encode_string(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogateescape")
    return b"S" + _UINT.pack(len(raw)) + raw


def _encode_array(values: Sequence[Value], depth: int) -> bytes:
    body = b"".join([encode_value(value, depth) for value in values])
    return b"A" + _UINT.pack(len(body)) + body


def _encode_decimal(value: Decimal) -> bytes:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is not a finite decimal")
    scale = max(0, -exponent)
    return b"D" + _DECIMAL.pack(scale, int(value.scaleb(scale)))


def _encode_fixed(letter: bytes) -> Callable[[Any], bytes]:
    codec = _FIXED[letter[0]][0]
    return lambda value: letter + codec.pack(value)


def _malformed(reason: str) -> ProtocolError:
    return ProtocolError(ReplyCode.SYNTAX_ERROR, reason)


_ENCODERS: Final[dict[type, Callable[[Any], bytes]]] = {
    bool: lambda value: b"t\x01" if value else b"t\x00",
    int: lambda value: b"l" + _LONG.pack(value),
    float: lambda value: b"d" + _DOUBLE.pack(value),
    str: _encode_string,
    RawString: _encode_bytes(b"S"),
    bytes: _encode_bytes(b"x"),
    Decimal: _encode_decimal,
    type(None): lambda value: b"V",
    **{kind: _encode_fixed(kind.letter) for kind in (Int8, UInt8, Int16, UInt16, Int32, UInt32, Timestamp, Float32)},
}
