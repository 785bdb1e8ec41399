"""Commands out: builds the frames of methods and of content (specification 4.2).

An outbox is what waits to be sent to a peer, in order, as a list of byte strings. A large body is appended as views of
the one copy the broker holds, never copied again.
"""

from __future__ import annotations

import struct
from typing import Final

from .buffers import JOIN_LIMIT, OutBuffer
from .schema import Method, encode_shortstr
from .spec import FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_METHOD, FRAME_OVERHEAD

Chunk = bytes | memoryview

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


class Outbox(OutBuffer):
    """Bytes that wait to be sent, and how many there are."""

    __slots__ = ("_chunks",)

    def __init__(self, frame_max: int) -> None:
        super().__init__(frame_max)
        self._chunks: list[Chunk] = []  # what comes before the buffer's content

    def method(self, channel: int, method: Method) -> None:
        """Append a method without content. Raises as `method_frame` does."""
        self.write(method_frame(channel, method))

    def content(self, channel: int, method: Method, header: bytes, body: bytes) -> None:
        """Append a method with its content. Raises as `method_frame` does."""
        self._append(content_frames(channel, method, header, body, self.frame_max))

    def deliver_large(
        self,
        channel: int,
        prefix: bytes,
        delivery_tag: int,
        redelivered: bool,
        address: bytes,
        header: bytes,
        body: bytes,
    ) -> None:
        method = b"".join(
            (
                _FRAME.pack(FRAME_METHOD, channel, len(prefix) + 9 + len(address)),
                prefix,
                _TAG_AND_FLAG.pack(delivery_tag, redelivered),
                address,
                _END,
            )
        )
        self._append(_with_content(method, channel, header, body, self.frame_max))

    def move(self, other: Outbox) -> None:
        """Append all that waits in another outbox, and empty that."""
        self._append(other.take())

    def take(self) -> list[Chunk]:
        """All that waits, in order, joined where that is cheap; the outbox is empty afterwards."""
        data = self.drain()
        self.size = 0
        if not self._chunks:
            return [data] if data else []
        chunks, self._chunks = self._chunks, []
        if data:
            chunks.append(data)
        return chunks

    def _append(self, chunks: list[Chunk]) -> None:
        if len(chunks) == 1 and isinstance(chunks[0], bytes):
            self.write(chunks[0])
            return
        data = self.drain()
        if data:
            self._chunks.append(data)
        self._chunks += chunks
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
