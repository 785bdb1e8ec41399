"""`@method`: an annotated class becomes a slotted dataclass that encodes and decodes itself.

The class body of a method in `methods.py` is its row in the protocol table: the annotations name the wire domains in
wire order, and this module turns them into codecs once, at import. Consecutive bits share octets, as specification
section 4.2.5.2 asks.
"""

from __future__ import annotations

import dataclasses
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar, dataclass_transform

from . import fields
from .spec import ProtocolError, ReplyCode, octets

Bit = Annotated[bool, "bit"]
Octet = Annotated[int, "octet"]
Short = Annotated[int, "short"]
Long = Annotated[int, "long"]
LongLong = Annotated[int, "longlong"]
ShortStr = Annotated[str, "shortstr"]
LongStr = Annotated[bytes, "longstr"]
Table = Annotated[Mapping[str, Any], "table"]


class Method:
    """Base of all methods; subclasses are made by `@method`."""

    class_id: ClassVar[int]
    method_id: ClassVar[int]
    id: ClassVar[int]  # class_id << 16 | method_id, as the first four payload bytes read
    name: ClassVar[str]  # in the specification's words: basic.get-empty
    has_content: ClassVar[bool]
    _fields: ClassVar[tuple[tuple[str, str], ...]]  # (attribute, wire domain) in wire order
    _decoders: ClassVar[tuple[_Decoder | None, ...]]  # one for each field; None for a bit

    __slots__ = ()

    def encode(self) -> bytes:
        """The method frame's payload: both ids, then the arguments.

        Raises ValueError when an argument does not fit its domain.
        """
        parts = [_IDS.pack(self.id)]
        bits: list[bool] = []
        for attribute, domain in self._fields:
            value = getattr(self, attribute)
            if domain == "bit":
                bits.append(value)
                continue
            if bits:
                parts.append(_pack_bits(bits))
                bits = []
            try:
                parts.append(_ENCODE[domain](value))
            except struct.error as error:
                raise ValueError(f"{self.name}: {attribute}={value!r}: {error}") from None
        if bits:
            parts.append(_pack_bits(bits))
        return b"".join(parts)

    @classmethod
    def decode(cls, arguments: bytes) -> Self:
        """The method from the arguments behind its ids.

        Raises ProtocolError: 501 for too few or too many octets or a short string that is not UTF-8, 502 for a bad
        table.
        """
        values: list[Any] = []
        offset = 0
        bit = 8  # the next bit's place in the octet last read; 8 = a new octet is due
        octet = 0
        try:
            for decode in cls._decoders:
                if decode is None:
                    if bit == 8:
                        octet = arguments[offset]
                        offset += 1
                        bit = 0
                    values.append(octet >> bit & 1 != 0)
                    bit += 1
                else:
                    bit = 8
                    value, offset = decode(arguments, offset)
                    values.append(value)
            if offset != len(arguments):
                raise IndexError  # noqa: TRY301
        except (struct.error, IndexError):
            raise ProtocolError(ReplyCode.FRAME_ERROR, f"cannot decode {octets(arguments)}") from None
        return cls(*values)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, attribute) == getattr(other, attribute) for attribute, _ in self._fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        arguments = ", ".join(f"{attribute}={getattr(self, attribute)!r}" for attribute, _ in self._fields)
        return f"{type(self).__name__}({arguments})"


_Class = TypeVar("_Class", bound=type[Method])
_Decoder = Callable[[bytes, int], tuple[Any, int]]
"""From bytes and an offset: the value there, and the offset behind it."""

_IDS: Final = struct.Struct(">I")


@dataclass_transform()
def method(class_id: int, method_id: int, *, content: bool = False) -> Callable[[_Class], _Class]:
    """Declare the decorated class as the method `class_id`, `method_id`; `content`: a header and body follow it."""

    def declare(cls: _Class) -> _Class:
        # dataclass writes and compiles code for each class, and asks inspect for a docstring: no more than is needed
        cls.__doc__ = cls.__doc__ or _spec_name(cls.__name__)
        made: Any = dataclasses.dataclass(slots=True, repr=False, eq=False)(cls)
        made.class_id = class_id
        made.method_id = method_id
        made.id = class_id << 16 | method_id
        made.name = _spec_name(cls.__name__)
        made.has_content = content
        meanings = vars(sys.modules[cls.__module__])  # of the annotations, which are names
        made._fields = tuple((name, meanings[kind].__metadata__[0]) for name, kind in cls.__annotations__.items())
        made._decoders = tuple(_DECODE.get(domain) for _, domain in made._fields)
        return made  # type: ignore[no-any-return]

    return declare


def _spec_name(class_name: str) -> str:
    """`BasicGetEmpty` -> `basic.get-empty`."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in class_name).split()
    return f"{words[0]}.{'-'.join(words[1:])}"


def _pack_bits(bits: list[bool]) -> bytes:
    octets = bytearray((len(bits) + 7) // 8)
    for place, bit in enumerate(bits):
        if bit:
            octets[place // 8] |= 1 << place % 8
    return bytes(octets)


def encode_shortstr(value: str) -> bytes:
    """A length octet and the UTF-8 bytes. Raises ValueError over 255 bytes."""
    raw = value.encode("utf-8", "surrogateescape")
    if len(raw) > 255:
        raise ValueError(f"short string over 255 bytes: {value[:32]!r}…")
    return bytes((len(raw),)) + raw


def decode_shortstr(data: bytes, offset: int) -> tuple[str, int]:
    """The short string at `offset`, and the offset behind it.

    Raises IndexError when it is cut short, ProtocolError 501 when it is not UTF-8.
    """
    end = offset + 1 + data[offset]
    if end > len(data):
        raise IndexError
    try:
        return data[offset + 1 : end].decode(), end
    except UnicodeDecodeError:
        raise ProtocolError(ReplyCode.FRAME_ERROR, "Malformed UTF-8 in shortstr", 0) from None


def _encode_longstr(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _decode_longstr(data: bytes, offset: int) -> tuple[bytes, int]:
    end = offset + 4 + struct.unpack_from(">I", data, offset)[0]
    if end > len(data):
        raise IndexError
    return data[offset + 4 : end], end


def _decode_table(data: bytes, offset: int) -> tuple[fields.Table, int]:
    if offset + 4 + struct.unpack_from(">I", data, offset)[0] > len(data):
        raise IndexError  # the arguments are cut short; what is wrong inside a table has other texts
    return fields.decode_table(data, offset)


def _decode_number(code: str) -> Callable[[bytes, int], tuple[int, int]]:
    codec = struct.Struct(code)
    return lambda data, offset: (codec.unpack_from(data, offset)[0], offset + codec.size)


_ENCODE: Final[dict[str, Callable[[Any], bytes]]] = {
    "octet": struct.Struct(">B").pack,
    "short": struct.Struct(">H").pack,
    "long": struct.Struct(">I").pack,
    "longlong": struct.Struct(">Q").pack,
    "shortstr": encode_shortstr,
    "longstr": _encode_longstr,
    "table": fields.encode_table,
}

_DECODE: Final[dict[str, _Decoder]] = {
    "octet": _decode_number(">B"),
    "short": _decode_number(">H"),
    "long": _decode_number(">I"),
    "longlong": _decode_number(">Q"),
    "shortstr": decode_shortstr,
    "longstr": _decode_longstr,
    "table": _decode_table,
}
