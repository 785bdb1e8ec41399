"""The bytes in the files: keys, messages, counters, definitions. The tests of this module hold literal bytes.

Keys are fixed-width and big-endian, so that the order of keys is the order of the queue. A message record starts with
its form: 1 = the content follows, 2 = the content is kept apart under a message id, because several queues share it,
3 = the entry expires, at a moment in milliseconds since 1970.

    entry key    queue id:8  seq:8
    entry        1:1  flags:1  address length:2  header length:4  address  header  body
    entry        2:1  message id:8
    entry        3:1  deadline:8  entry of the first or second form
    message key  message id:8                                  message   as the first form of an entry
    share key    message id:8                                  share     number of entries left:4
    counters key queue id:8                                    counters  messages:8 bytes:8 next seq:8 delivered + 1:8
    returns key  as an entry's                                 returns   counted:4 total:4 until:8, or counted:4
    definition key  kind:1  id:8                               definition  msgpack

Flags: 1 = persistent, 2 = it was dead-lettered, 4 = and given a routing key then.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgpack

from ..message import DIED, REDIRECTED, Address, Message, compose
from ..wire.schema import decode_shortstr
from .base import Counters, Definition, Kind, Place, Returns

SCHEMA: Final = 1
"""Version of all layouts in this module."""

_ENTRY_KEY: Final = struct.Struct(">QQ")
_MESSAGE: Final = struct.Struct(">BBHI")
_DEADLINE: Final = struct.Struct(">BQ")
_SHARED: Final = struct.Struct(">BQ")
_ID: Final = struct.Struct(">Q")
_COUNT: Final = struct.Struct(">I")
_RETURNS: Final = struct.Struct(">IIQ")
_COUNTERS: Final = struct.Struct(">QQQQ")
_DEFINITION_KEY: Final = struct.Struct(">BQ")

_PERSISTENT = 1
_DIED = 2
_REDIRECTED = 4

_INLINE = 1
_BY_ID = 2
_WITH_DEADLINE = 3

entry_key = _ENTRY_KEY.pack
id_key = _ID.pack
count_record = _COUNT.pack


def seq_of(key: bytes | memoryview) -> tuple[int, int]:
    """(queue id, seq) of an entry key."""
    queue_id, seq = _ENTRY_KEY.unpack(key)
    return queue_id, seq


def id_of(key: bytes | memoryview) -> int:
    return int(_ID.unpack(key)[0])


def count_of(record: bytes | memoryview) -> int:
    return int(_COUNT.unpack(record)[0])


def encode_returns(returns: Returns) -> bytes:
    return _RETURNS.pack(*returns)


def decode_returns(record: bytes | memoryview) -> Returns:
    if len(record) == _COUNT.size:  # as they were before it mattered who is to blame
        return Returns(count_of(record), count_of(record))
    return Returns(*_RETURNS.unpack(record))


def encode_message(message: Message) -> bytes:
    address = message.address.wire
    header = message.header
    flags = _PERSISTENT if message.persistent else 0
    if message.died:
        flags |= _DIED if message.died == DIED else _DIED | _REDIRECTED
    return b"".join((_MESSAGE.pack(_INLINE, flags, len(address), len(header)), address, header, message.body))


def encode_entries(
    queue_id: int, puts: Mapping[int, Message], deadlines: Mapping[int, int], piece: int
) -> Iterator[list[tuple[bytes, bytes]]]:
    """The keys and records of a queue's new entries by seq, in lists of some `piece` bytes each."""
    found: list[tuple[bytes, bytes]] = []
    size = 0
    for seq, message in puts.items():
        record = encode_reference(message.id) if message.id else encode_message(message)
        if deadlines and seq in deadlines:
            record = _DEADLINE.pack(_WITH_DEADLINE, deadlines[seq]) + record
        found.append((entry_key(queue_id, seq), record))
        size += len(record)
        if size >= piece:
            yield found
            found = []
            size = 0
    if found:
        yield found


def decode_entries(items: Iterable[tuple[bytes, bytes]], queue_id: int, load: Callable[[int], Message]) -> list[Place]:
    """The entries of a queue by seq, up to where another queue's begin; `load` gets messages kept under their ids.

    Raises ValueError when a record is none.
    """
    found: list[Place] = []
    for key, record in items:
        owner, seq = _ENTRY_KEY.unpack(key)
        if owner != queue_id:
            break
        deadline = 0
        if record[0] == _WITH_DEADLINE:
            deadline = _DEADLINE.unpack_from(record)[1]
            record = record[_DEADLINE.size :]  # noqa: PLW2901
        message = decode_message(record) if record[0] == _INLINE else load(reference_of(record))
        found.append((seq, message, deadline))
    return found


def decode_message(record: bytes) -> Message:
    """Raises ValueError when the record is none."""
    try:
        form, flags, address_size, header_size = _MESSAGE.unpack_from(record)
        if form != _INLINE:
            raise ValueError(f"unknown form {form} of a message record")
        header_start = _MESSAGE.size + address_size
        body_start = header_start + header_size
        address = _address(record[_MESSAGE.size : header_start])
    except (struct.error, IndexError) as error:
        raise ValueError(f"damaged message record: {error}") from error
    message = compose(address, record[header_start:body_start], record[body_start:], flags & _PERSISTENT != 0)
    if flags & _DIED:
        message.died = REDIRECTED if flags & _REDIRECTED else DIED
    return message


@lru_cache(maxsize=1024)  # messages that follow each other mostly have the same
def _address(wire: bytes) -> Address:
    exchange, offset = decode_shortstr(wire, 0)
    routing_key, _ = decode_shortstr(wire, offset)
    return Address(exchange, routing_key, wire)


def encode_reference(message_id: int) -> bytes:
    return _SHARED.pack(_BY_ID, message_id)


def without_deadline(record: bytes | memoryview) -> bytes | memoryview:
    """An entry's record in its first or second form."""
    return record[_DEADLINE.size :] if record[0] == _WITH_DEADLINE else record


def body_size_of(record: bytes | memoryview) -> int:
    """The size of the body in a message record, without decoding that."""
    _, _, address_size, header_size = _MESSAGE.unpack_from(record)
    return len(record) - _MESSAGE.size - int(address_size) - int(header_size)


def reference_of(record: bytes | memoryview) -> int:
    """The message id an entry refers to; 0 when the entry holds its content itself."""
    return int(_SHARED.unpack(record)[1]) if record[0] == _BY_ID else 0


def encode_counters(counters: Counters) -> bytes:
    return _COUNTERS.pack(counters.messages, counters.bytes, counters.next_seq, counters.delivered + 1)


def decode_counters(record: bytes | memoryview) -> Counters:
    messages, size, next_seq, delivered = _COUNTERS.unpack(record)
    return Counters(messages, size, next_seq, delivered - 1)


def definition_key(kind: Kind, definition_id: int) -> bytes:
    return _DEFINITION_KEY.pack(kind, definition_id)


def kind_and_id(key: bytes | memoryview) -> tuple[Kind, int]:
    """Raises ValueError for a kind this version does not know."""
    kind, definition_id = _DEFINITION_KEY.unpack(key)
    return Kind(kind), definition_id


def encode_definition(definition: Definition) -> bytes:
    packed: bytes = msgpack.packb(definition)
    return packed


def decode_definition(record: bytes | memoryview) -> Definition:
    """Raises ValueError when the record is none."""
    definition: Any = msgpack.unpackb(record)
    if not isinstance(definition, dict):
        raise ValueError("damaged definition record")
    return definition
