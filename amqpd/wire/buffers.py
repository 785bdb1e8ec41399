"""The two byte buffers of a connection: what came in, cut into commands, and deliveries on their way out.

These are the places where bytes are touched one by one, so they have a twin in `buffers.pyx`, which is used instead
where it is compiled. Both pass the same tests; what is not the common case is left to `reader` and `writer`.
"""

from __future__ import annotations

import struct
from typing import Final

from .methods import CONTENT_METHODS
from .spec import CLASS_BASIC, FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_HEADER_SIZE, FRAME_METHOD, FRAME_OVERHEAD

JOIN_LIMIT: Final = 4096
"""Bodies up to this many bytes are copied together with their frames; larger ones are sent from where they lie."""

_FRAME: Final = struct.Struct(">BHI")
_ID: Final = struct.Struct(">I")
_PREFIX: Final = struct.Struct(">HHQ")  # of a content header: class id, weight, body size
_LONG_LONG: Final = struct.Struct(">Q")
_CONTENT_FRAME: Final = struct.Struct(">BBHI")  # a frame end, and the header of the next frame
_TAG_AND_FLAG: Final = struct.Struct(">QB")
_END: Final = bytes((FRAME_END,))


class InBuffer:
    """Bytes received and not yet cut, and the command that was cut last."""

    __slots__ = (
        "_data",
        "_position",
        "arguments",
        "body",
        "body_limit",
        "channel",
        "frame_limit",
        "header",
        "method_id",
    )

    def __init__(self, frame_limit: int, body_limit: int) -> None:
        self.frame_limit = frame_limit  # largest payload accepted, in bytes
        self.body_limit = body_limit  # largest body kept, in bytes
        self._data = b""
        self._position = 0
        self.channel = 0
        self.method_id = 0  # class id << 16 | method id
        self.arguments = b""  # the method's payload behind its ids
        self.header = b""  # the content header's payload; empty when the method carries no content
        self.body = b""

    def feed(self, data: bytes) -> None:
        """Take in what the peer sent."""
        if self._position < len(self._data):
            self._data = self._data[self._position :] + data
        else:
            self._data = data
        self._position = 0

    def cut(self) -> bool:
        """Cut the next command if it lies whole in the buffer, its body in one frame.

        Anything else, faults included, is left for a closer look: then false, and nothing has changed.
        """
        data = self._data
        end = len(data)
        position = self._position
        if end - position < FRAME_OVERHEAD:
            return False
        kind, channel, size = _FRAME.unpack_from(data, position)
        start = position + FRAME_HEADER_SIZE
        stop = start + size
        if kind != FRAME_METHOD or size < 4 or size > self.frame_limit or stop >= end or data[stop] != FRAME_END:
            return False
        method_id = _ID.unpack_from(data, start)[0]
        header = body = b""
        position = stop + 1
        if method_id in CONTENT_METHODS and channel:
            if end - position < FRAME_OVERHEAD + _PREFIX.size + 2:
                return False
            kind, header_channel, size = _FRAME.unpack_from(data, position)
            header_start = position + FRAME_HEADER_SIZE
            header_stop = header_start + size
            if kind != FRAME_HEADER or header_channel != channel or size < _PREFIX.size + 2:
                return False
            if size > self.frame_limit or header_stop >= end or data[header_stop] != FRAME_END:
                return False
            class_id, _, body_size = _PREFIX.unpack_from(data, header_start)
            if class_id != CLASS_BASIC:
                return False
            position = header_stop + 1
            if body_size:
                body_start = position + FRAME_HEADER_SIZE
                body_stop = body_start + body_size
                if body_size > self.frame_limit or body_size > self.body_limit or body_stop >= end:
                    return False
                kind, body_channel, size = _FRAME.unpack_from(data, position)
                if kind != FRAME_BODY or body_channel != channel or size != body_size or data[body_stop] != FRAME_END:
                    return False
                body = data[body_start:body_stop]
                position = body_stop + 1
            header = data[header_start:header_stop]
        self.channel = channel
        self.method_id = method_id
        self.arguments = data[start + 4 : stop]
        self.header = header
        self.body = body
        self._position = position
        return True

    def long_long(self) -> int:
        """The number in the first eight octets of the arguments, which must be there."""
        return int(_LONG_LONG.unpack_from(self.arguments)[0])


class Filling:
    """A body on its way in, put together from pieces."""

    __slots__ = ("_parts",)

    def __init__(self, size: int) -> None:
        self._parts: list[bytes] = []

    def add(self, data: bytes, start: int, stop: int) -> None:
        """Append a piece of `data`. All together are not to be more than the size."""
        self._parts.append(data[start:stop])

    def whole(self) -> bytes:
        """All pieces, once they are all there. To be asked once."""
        return b"".join(self._parts)


class OutBuffer:
    """Bytes that are to be sent together, in order."""

    __slots__ = ("_parts", "frame_max", "size")

    def __init__(self, frame_max: int) -> None:
        self.frame_max = frame_max  # in bytes; 0 = no limit
        self.size = 0  # bytes that wait, those of a subclass included
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Append bytes as they are."""
        self._parts.append(data)
        self.size += len(data)

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
        """Append basic.deliver with its content.

        `prefix` comes from `deliver_prefix`; `address` is the exchange and routing key as two short strings.
        """
        size = len(body)
        if size > JOIN_LIMIT or (self.frame_max and size > self.frame_max - FRAME_OVERHEAD):
            self.deliver_large(channel, prefix, delivery_tag, redelivered, address, header, body)
            return
        parts = [
            _FRAME.pack(FRAME_METHOD, channel, len(prefix) + 9 + len(address)),
            prefix,
            _TAG_AND_FLAG.pack(delivery_tag, redelivered),
            address,
            _CONTENT_FRAME.pack(FRAME_END, FRAME_HEADER, channel, len(header)),
            header,
            _END,
        ]
        if size:
            parts[-1] = _CONTENT_FRAME.pack(FRAME_END, FRAME_BODY, channel, size)
            parts += (body, _END)
        data = b"".join(parts)
        self._parts.append(data)
        self.size += len(data)

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
        """See `deliver`: a body that is not copied, or takes several frames."""
        raise NotImplementedError

    def drain(self) -> bytes:
        """What was written and not yet drained, in one piece. Leaves `size` to the caller."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
