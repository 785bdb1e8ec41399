"""Commands out: builds the frames of methods and of content (specification 4.2).

An outbox is what waits to be sent to a peer, in order, as a list of byte strings. A large body is appended as views of
the one copy the broker holds, never copied again.
"""

from __future__ import annotations

import struct
from typing import Final

from .schema import Method, encode_shortstr
from .spec import FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_METHOD, FRAME_OVERHEAD

Chunk = bytes | memoryview

JOIN_LIMIT: Final = 4096
"""Bodies up to this many bytes are copied together with their frames; larger ones are sent from where they lie."""

_FRAME: Final = struct.Struct(">BHI")
_END: Final = bytes((FRAME_END,))
_END_AND_FRAME: Final = struct.Struct(">BBHI")
_TAG_AND_FLAG: Final = struct.Struct(">QB")
_DELIVER_IDS: Final = b"\x00\x3c\x00\x3c"


def method_frame(channel: int, method: Method) -> bytes:
    """The frame of a method without content. Raises ValueError when an argument does not fit its domain."""
    payload = method.encode()
    return b"".join((_FRAME.pack(FRAME_METHOD, channel, len(payload)), payload, _END))


def content_frames(channel: int, method: Method, header: bytes, body: bytes, frame_max: int) -> list[Chunk]:
    """A method with its content, cut into frames of at most `frame_max` bytes (0 = no limit)."""
    return _with_content(method_frame(channel, method), channel, header, body, frame_max)


def deliver_prefix(consumer_tag: str) -> bytes:
    """The part of basic.deliver's payload that is the same for each delivery to a consumer."""
    return _DELIVER_IDS + encode_shortstr(consumer_tag)


class Outbox:
    """Bytes that wait to be sent, and how many there are."""

    __slots__ = ("_chunks", "_large", "frame_max", "size")

    def __init__(self, frame_max: int) -> None:
        self.frame_max = frame_max  # in bytes; 0 = no limit
        self.size = 0  # in bytes
        self._chunks: list[Chunk] = []
        self._large = False  # some chunks are better not copied

    def write(self, data: bytes) -> None:
        """Append bytes as they are."""
        self._chunks.append(data)
        self.size += len(data)

    def method(self, channel: int, method: Method) -> None:
        """Append a method without content. Raises as `method_frame` does."""
        self.write(method_frame(channel, method))

    def content(self, channel: int, method: Method, header: bytes, body: bytes) -> None:
        """Append a method with its content. Raises as `method_frame` does."""
        self._extend(content_frames(channel, method, header, body, self.frame_max))

    def deliver(
        self,
        channel: int,
        prefix: bytes,
        delivery_tag: int,
        redelivered: bool,
        address: bytes,
        header: bytes,
        body: bytes,
    ) -> None:
        """Append basic.deliver: what `content` would make of it, without the method object.

        `prefix` comes from `deliver_prefix`; `address` is the exchange and routing key as two short strings.
        """
        method = b"".join(
            (
                _FRAME.pack(FRAME_METHOD, channel, len(prefix) + 9 + len(address)),
                prefix,
                _TAG_AND_FLAG.pack(delivery_tag, redelivered),
                address,
                _END,
            )
        )
        self._extend(_with_content(method, channel, header, body, self.frame_max))

    def move(self, other: Outbox) -> None:
        """Append all that waits in another outbox, and empty that."""
        self._chunks += other._chunks
        self.size += other.size
        self._large = self._large or other._large
        other._chunks = []
        other.size = 0

    def take(self) -> list[Chunk]:
        """All that waits, in order, joined where that is cheap; the outbox is empty afterwards."""
        chunks, self._chunks = self._chunks, []
        self.size = 0
        if self._large:
            self._large = False
            return chunks
        return [b"".join(chunks)] if chunks else []

    def _extend(self, chunks: list[Chunk]) -> None:
        self._chunks += chunks
        if len(chunks) > 1:
            self._large = True
        for chunk in chunks:
            self.size += len(chunk)


def _with_content(method: bytes, channel: int, header: bytes, body: bytes, frame_max: int) -> list[Chunk]:
    size = len(body)
    header_frame = _FRAME.pack(FRAME_HEADER, channel, len(header))
    if not size:
        return [b"".join((method, header_frame, header, _END))]
    limit = frame_max - FRAME_OVERHEAD if frame_max else size
    body_frame = _END_AND_FRAME.pack(FRAME_END, FRAME_BODY, channel, min(size, limit))
    if size <= limit and size <= JOIN_LIMIT:
        return [b"".join((method, header_frame, header, body_frame, body, _END))]
    chunks: list[Chunk] = [b"".join((method, header_frame, header, body_frame))]
    view = memoryview(body)
    start = 0
    while start < size:
        stop = min(size, start + limit)
        if start:
            chunks.append(_END_AND_FRAME.pack(FRAME_END, FRAME_BODY, channel, stop - start))
        chunks.append(view[start:stop])
        start = stop
    chunks.append(_END)
    return chunks
