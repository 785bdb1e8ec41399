"""`python -m amqpd.wire < dump` explains AMQP bytes, one line for each frame.

The dump is raw, or hex digits with any white space between them; a protocol header in front is passed over. When
something cannot be a frame, the last line says where and why, and the exit code is 65.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from .methods import decode_method
from .properties import PREFIX, check_header, decode_header
from .spec import (
    FRAME_BODY,
    FRAME_END,
    FRAME_HEADER,
    FRAME_HEADER_SIZE,
    FRAME_HEARTBEAT,
    FRAME_METHOD,
    FRAME_OVERHEAD,
    PROTOCOL_HEADER,
    ProtocolError,
)

KINDS: Final = {FRAME_METHOD: "method", FRAME_HEADER: "header", FRAME_BODY: "body", FRAME_HEARTBEAT: "heartbeat"}

BODY_SHOWN: Final = 32
"""Bytes of a body that are shown."""


class NotAFrame(Exception):
    """What follows cannot be read; the text says where and why."""


def bytes_of(dump: bytes) -> bytes:
    """The bytes a dump stands for, whether it holds them or spells them as hex digits."""
    digits = b"".join(dump.split())
    if digits.strip(b"0123456789abcdefABCDEF"):
        return dump
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def explain(data: bytes) -> Iterator[str]:
    """One line for each frame. Raises NotAFrame where no frame can be cut."""
    position = 0
    if data.startswith(PROTOCOL_HEADER[:4]):
        position = len(PROTOCOL_HEADER)
        yield f"protocol header {'-'.join(map(str, data[5:position]))}"
    while position < len(data):
        if len(data) - position < FRAME_OVERHEAD:
            raise NotAFrame(f"byte {position}: {len(data) - position} bytes are left, too few for a frame")
        kind, channel, size = struct.unpack_from(">BHI", data, position)
        start = position + FRAME_HEADER_SIZE
        stop = start + size
        if kind not in KINDS:
            raise NotAFrame(f"byte {position}: no frame has type {kind}")
        if stop >= len(data):
            raise NotAFrame(f"byte {position}: a frame with {size} bytes of payload, but {len(data) - start} are left")
        if data[stop] != FRAME_END:
            raise NotAFrame(f"byte {stop}: a frame should end here with {FRAME_END:#04x}, not {data[stop]:#04x}")
        yield f"{KINDS[kind]:9} channel {channel}  {_content(kind, data[start:stop])}".rstrip()
        position = stop + 1


def _content(kind: int, payload: bytes) -> str:
    try:
        if kind == FRAME_METHOD:
            method = decode_method(int.from_bytes(payload[:4], "big"), payload[4:])
            return f"{method.name} {_arguments(method)}"
        if kind == FRAME_HEADER:
            check_header(payload)
            class_id, _, size = PREFIX.unpack_from(payload)
            return f"class {class_id}, body of {size} bytes {_arguments(decode_header(payload))}"
    except ProtocolError as error:
        return f"malformed: {error.explanation}"
    shown = repr(payload[:BODY_SHOWN]) if payload else ""
    return f"{len(payload)} bytes {shown}{'…' if len(payload) > BODY_SHOWN else ''}" if kind == FRAME_BODY else ""


def _arguments(value: Any) -> str:
    """The fields of a method or of properties, without reserved and absent ones."""
    assert is_dataclass(value)
    named = {field.name: getattr(value, field.name) for field in fields(value)}
    return " ".join(f"{n}={v!r}" for n, v in named.items() if v is not None and not n.startswith("reserved"))


def main() -> int:
    """Explain standard input; returns the exit code."""
    try:
        for line in explain(bytes_of(sys.stdin.buffer.read())):
            print(line)
    except NotAFrame as error:
        print(f"stopped at {error}")
        return os.EX_DATAERR
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
