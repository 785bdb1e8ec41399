"""Constants of AMQP 0-9-1: frame types, sizes, class ids, and the reply codes with their reach.

Everything here is a table copied from the specification (sections 2.3.5 and 4.2) or from RabbitMQ's additions to
it. Nothing here decides anything, except `ProtocolError`, which pairs a reply code with its explanation.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

PROTOCOL_HEADER: Final = b"AMQP\x00\x00\x09\x01"

FRAME_METHOD: Final = 1
FRAME_HEADER: Final = 2
FRAME_BODY: Final = 3
FRAME_HEARTBEAT: Final = 8
FRAME_END: Final = 0xCE

FRAME_HEADER_SIZE: Final = 7  # type:octet channel:short size:long
FRAME_OVERHEAD: Final = 8  # the above and the frame-end octet
FRAME_MIN_SIZE: Final = 4096

HEARTBEAT_FRAME: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"

CLASS_BASIC: Final = 60


class ReplyCode(IntEnum):
    """Reply codes, named as RabbitMQ prints them in front of a reply text."""

    REPLY_SUCCESS = 200
    CONTENT_TOO_LARGE = 311
    NO_ROUTE = 312
    NO_CONSUMERS = 313
    CONNECTION_FORCED = 320
    INVALID_PATH = 402
    ACCESS_REFUSED = 403
    NOT_FOUND = 404
    RESOURCE_LOCKED = 405
    PRECONDITION_FAILED = 406
    FRAME_ERROR = 501
    SYNTAX_ERROR = 502
    COMMAND_INVALID = 503
    CHANNEL_ERROR = 504
    UNEXPECTED_FRAME = 505
    RESOURCE_ERROR = 506
    NOT_ALLOWED = 530
    NOT_IMPLEMENTED = 540
    INTERNAL_ERROR = 541


SOFT_ERRORS: Final = frozenset(
    {
        ReplyCode.CONTENT_TOO_LARGE,
        ReplyCode.NO_ROUTE,
        ReplyCode.NO_CONSUMERS,
        ReplyCode.ACCESS_REFUSED,
        ReplyCode.NOT_FOUND,
        ReplyCode.RESOURCE_LOCKED,
        ReplyCode.PRECONDITION_FAILED,
    }
)
"""Errors that close the channel; every other one closes the connection (specification, section 2.2.3)."""


class ProtocolError(Exception):
    """A fault of the peer, as the reply code and explanation that the close method will carry."""

    def __init__(self, code: ReplyCode, explanation: str, method_id: int | None = None) -> None:
        super().__init__(explanation)
        self.code = code
        self.explanation = explanation
        self.method_id = method_id  # to blame: class id << 16 | method id, 0 = none; None = the command in hand

    @property
    def reply_text(self) -> str:
        """`NAME - explanation`; cut to the 255 bytes a short string can hold, dots included, never in a character."""
        text = f"{self.code.name} - {self.explanation}"
        raw = text.encode()
        return text if len(raw) <= 255 else raw[:252].decode(errors="ignore") + "..."

    @property
    def closes_connection(self) -> bool:
        return self.code not in SOFT_ERRORS


class FramingError(ProtocolError):
    """Where the next frame starts is unknown: nothing more can be read."""


def octets(data: bytes) -> str:
    """Bytes as RabbitMQ prints them in a reply text: `<<"abc">>` when printable, else `<<0,1,2>>`."""
    if all(32 <= octet < 127 for octet in data):
        return f'<<"{data.decode()}">>' if data else "<<>>"
    return f"<<{','.join(map(str, data))}>>"
