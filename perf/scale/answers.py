"""The methods a broker sends, by their ids: all that counting answers takes."""

from __future__ import annotations

import struct

from loader.frames import LoadError, describe_frame

from amqpd.wire.methods import ChannelClose, ConnectionClose

METHOD_FRAME = 1
FRAME_OVERHEAD = 8
_HEAD = struct.Struct(">BHII")  # frame type, channel, size, class and method id


class Answers:
    """Cuts what comes from one connection into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[int]:
        """Take in what came; returns the ids of its methods. Raises LoadError when the broker closes something."""
        data = self._rest + data if self._rest else data
        found = []
        start, length = 0, len(data)
        while length - start >= _HEAD.size:
            kind, _, size, method = _HEAD.unpack_from(data, start)
            end = start + size + FRAME_OVERHEAD
            if end > length:
                break
            if kind == METHOD_FRAME:
                if method in (ChannelClose.id, ConnectionClose.id):
                    raise LoadError(f"the broker sent {describe_frame(memoryview(data)[start:end])}")
                found.append(method)
            start = end
        self._rest = data[start:]
        return found
