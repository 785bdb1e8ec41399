"""Bytes in, commands out: cuts frames and joins each method with its content (specification 4.2).

A command is a method and, for basic.publish and its like, a content header and a body. `read` advances to the next
whole command and leaves it in the reader's attributes; nothing is decoded but frame headers, so a caller that knows
the raw arguments already need not parse them again. Content may arrive in any number of frames, cut at any byte, and
interleaved with other channels' frames.

The reader knows no broker and no channel states: whether a channel is open is for the caller to say.
"""

from __future__ import annotations

import struct
from typing import Final

from .buffers import Filling, InBuffer
from .methods import CONTENT_METHODS, decode_method
from .properties import PREFIX
from .schema import Method
from .spec import (
    CLASS_BASIC,
    FRAME_BODY,
    FRAME_END,
    FRAME_HEADER,
    FRAME_HEADER_SIZE,
    FRAME_HEARTBEAT,
    FRAME_METHOD,
    FRAME_OVERHEAD,
    FramingError,
    ProtocolError,
    ReplyCode,
    octets,
)

_SHOWN: Final = 16
"""Octets of a bad frame's payload that its error shows."""

_FRAME: Final = struct.Struct(">BHI")
_ID: Final = struct.Struct(">I")

HEARTBEAT: Final = 0
"""`Reader.method_id` of a heartbeat frame, which carries no method."""


class _Partial:
    """A command whose content is still arriving."""

    __slots__ = ("arguments", "filling", "header", "method_id", "oversize", "remaining")

    def __init__(self, method_id: int, arguments: bytes) -> None:
        self.method_id = method_id
        self.arguments = arguments
        self.header = b""  # empty until the header frame came
        self.remaining = 0  # body bytes yet to come
        self.filling: Filling | None = None  # the body, once some of it came
        self.oversize = False  # over the limit and already reported: its body is skipped

    def take(self, data: bytes, start: int, stop: int) -> None:
        """Take in a part of the body."""
        if stop > start and not self.oversize:  # an empty frame is allowed, any number of them, and must not take room
            if self.filling is None:
                self.filling = Filling(self.remaining)
            self.filling.add(data, start, stop)
        self.remaining -= stop - start


class Reader(InBuffer):
    """Cuts a byte stream into commands.

    After `read` returned true, `channel`, `method_id`, `arguments`, `header` and `body` are the command; `method_id` is
    HEARTBEAT for a heartbeat. Call `read` until it returns false before feeding more.
    """

    __slots__ = ("_cut_short", "_frame_channel", "_frame_left", "_partials", "expecting")

    def __init__(self, frame_limit: int, body_limit: int) -> None:
        super().__init__(frame_limit, body_limit)
        self._partials: dict[int, _Partial] = {}
        self.expecting = 0  # bytes of a body that are known to come next, if its publisher goes on with it
        # a body's frame is taken in as it comes, not gathered first; while it comes:
        self._frame_channel = 0
        self._frame_left = 0  # bytes of its payload yet to come
        self._cut_short = b""  # how it began, should it not end well

    def read(self) -> bool:
        """Advance to the next command; false when more bytes are needed.

        Content over `body_limit` is handed out as soon as its header is seen, with an empty body and its announced
        `body_size`; the frames of that body are skipped.

        Raises FramingError 501 when the end of a frame is not where it should be or may be, and the stream is lost;
        ProtocolError 501 or 505 for another fault in a frame, or a frame out of order, which is passed over.
        """
        if not self._partials and self.cut():
            return True
        if self._frame_channel:
            return self._go_on() or (not self._frame_channel and self._read_frames())
        return self._read_frames()

    def _read_frames(self) -> bool:  # noqa: C901 - one flat loop
        """Go frame by frame, where a command is not whole in the buffer, or not as it should be."""
        data = self._data
        end = len(data)
        position = self._position
        partials = self._partials
        while end - position >= FRAME_OVERHEAD:
            kind, channel, size = _FRAME.unpack_from(data, position)
            start = position + FRAME_HEADER_SIZE
            stop = start + size
            if size > self.frame_limit:
                raise _stream_lost(kind, b"", f"{{frame_too_large,{size},{self.frame_limit - FRAME_OVERHEAD}}}")
            if stop >= end:
                if kind == FRAME_BODY and end - start > _SHOWN:
                    self._take_in(channel, size, start)
                break
            if data[stop] != FRAME_END:
                raise _stream_lost(kind, data[start:stop], f"{{invalid_frame_end_marker,{data[stop]}}}")
            position = self._position = stop + 1
            partial = partials.get(channel) if partials else None

            if kind == FRAME_METHOD:
                if partial is not None:
                    raise _out_of_order(partial, kind, channel, data[start:stop])
                if size < 4:
                    raise _frame_error(kind, data[start:stop], "unknown_frame")
                self.channel = channel
                self.method_id = method_id = _ID.unpack_from(data, start)[0]
                self.arguments = data[start + 4 : stop]
                if method_id not in CONTENT_METHODS or not channel:
                    self.header = self.body = b""
                    return True
                partials[channel] = _Partial(method_id, self.arguments)

            elif kind == FRAME_HEADER:
                if partial is None or partial.header or not channel:
                    raise _out_of_order(partial, kind, channel, data[start:stop])
                partial.header = data[start:stop]
                partial.remaining = _body_size(partial.header, partial.method_id)
                partial.oversize = partial.remaining > self.body_limit
                if partial.oversize or not partial.remaining:
                    return self._complete(channel, partial)

            elif kind == FRAME_BODY:
                if partial is None or not partial.header:
                    raise _out_of_order(partial, kind, channel, data[start:stop])
                if size > partial.remaining:
                    partial.remaining = -1  # beyond repair: whatever follows exceeds it, too
                    text = "content body frame exceeds remaining content size"
                    raise ProtocolError(ReplyCode.FRAME_ERROR, text, partial.method_id)
                partial.take(data, start, stop)
                if self._ends(channel, partial):
                    return True

            elif kind == FRAME_HEARTBEAT:
                if channel:
                    raise _out_of_order(None, kind, channel, data[start:stop])
                if size:
                    raise _frame_error(kind, data[start:stop], "unknown_frame")
                self.channel = 0
                self.method_id = HEARTBEAT
                self.arguments = self.header = self.body = b""
                return True

            else:
                raise _frame_error(kind, data[start:stop], "unknown_frame")
        return False

    @property
    def in_content(self) -> bool:
        """Whether some command's content is still arriving."""
        return bool(self._partials)

    @property
    def held_bytes(self) -> int:
        """Bytes kept that no command was made of yet."""
        held = len(self._data) - self._position
        for partial in self._partials.values():
            if partial.filling is not None:
                held += max(0, _body_size(partial.header, partial.method_id) - partial.remaining)
        return held

    def method(self) -> Method:
        """The current command's method, decoded; raises as `decode_method` does."""
        return decode_method(self.method_id, self.arguments)

    @property
    def body_size(self) -> int:
        """The size of the current command's body as its header announces it, in bytes."""
        return _body_size(self.header, self.method_id) if self.header else 0

    def _take_in(self, channel: int, size: int, start: int) -> None:
        """Take in what has come of a body's frame, if that is as it should be; the rest is up to `_go_on`."""
        partial = self._partials.get(channel)
        if partial is None or not partial.header or size > partial.remaining:
            return
        data = self._data
        self._frame_channel = channel
        self._frame_left = size - (len(data) - start)
        self._cut_short = data[start : start + _SHOWN + 1]
        partial.take(data, start, len(data))
        self.expecting = partial.remaining
        self._position = len(data)

    def _go_on(self) -> bool:
        """Take in more of a body's frame. True when that ends a command."""
        data = self._data
        start = self._position
        stop = min(len(data), start + self._frame_left)
        partial = self._partials[self._frame_channel]
        partial.take(data, start, stop)
        self.expecting = partial.remaining
        self._frame_left -= stop - start
        self._position = stop
        if stop == len(data):
            return False
        if data[stop] != FRAME_END:
            raise _stream_lost(FRAME_BODY, self._cut_short, f"{{invalid_frame_end_marker,{data[stop]}}}")
        self._position = stop + 1
        channel, self._frame_channel = self._frame_channel, 0
        return self._ends(channel, partial)

    def _ends(self, channel: int, partial: _Partial) -> bool:
        """Whether a body is whole now, and one to be handed out."""
        if partial.remaining:
            return False
        if partial.oversize:
            del self._partials[channel]
            return False
        return self._complete(channel, partial)

    def _complete(self, channel: int, partial: _Partial) -> bool:
        if not partial.oversize:
            del self._partials[channel]
        self.channel = channel
        self.method_id = partial.method_id
        self.arguments = partial.arguments
        self.header = partial.header
        self.body = b"" if partial.filling is None else partial.filling.whole()
        return True


def _body_size(header: bytes, method_id: int) -> int:
    if len(header) < PREFIX.size + 2:
        raise ProtocolError(ReplyCode.FRAME_ERROR, f"content header of {len(header)} octets", method_id)
    class_id, _, body_size = PREFIX.unpack_from(header)
    if class_id != CLASS_BASIC:
        text = f"expected content header for class {CLASS_BASIC}, got one for class {class_id} instead"
        raise ProtocolError(ReplyCode.UNEXPECTED_FRAME, text, method_id)
    return int(body_size)


def _stream_lost(kind: int, payload: bytes, reason: str) -> FramingError:
    return FramingError(ReplyCode.FRAME_ERROR, f"{_described(kind, payload)}: {reason}", 0)


def _frame_error(kind: int, payload: bytes, reason: str) -> ProtocolError:
    return ProtocolError(ReplyCode.FRAME_ERROR, f"{_described(kind, payload)}: {reason}", 0)


def _out_of_order(partial: _Partial | None, kind: int, channel: int, payload: bytes) -> ProtocolError:
    if not channel or kind == FRAME_HEARTBEAT:
        return ProtocolError(ReplyCode.UNEXPECTED_FRAME, _described(kind, payload), 0)
    if partial is None:
        return ProtocolError(ReplyCode.UNEXPECTED_FRAME, "expected method frame, got non method frame instead", 0)
    if not partial.header:
        text = f"expected content header for class {CLASS_BASIC}, got non content header frame instead"
    else:
        text = "expected content body, got non content body frame instead"
    return ProtocolError(ReplyCode.UNEXPECTED_FRAME, text, partial.method_id)


def _described(kind: int, payload: bytes) -> str:
    extent = "all" if len(payload) <= _SHOWN else f"first {_SHOWN}"
    return f"type {kind}, {extent} octets = {octets(payload[:_SHOWN])}"
