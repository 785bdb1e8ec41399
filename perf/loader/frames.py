"""Frames by the thousand: blocks to send, and counting what comes in. No sockets here.

A *stride* is the length of the frames that make up one message, or one ack: the same for all of a stream.
"""

from __future__ import annotations

import itertools
import struct
from array import array
from dataclasses import dataclass
from typing import Any

from amqpd.testing.client import ClientSession
from amqpd.wire.properties import PERSISTENT, Properties

from .workload import STAMP_SIZE, Workload, expand, parse_table

CHANNEL = 1
BLOCK_SIZE = 128 << 10
"""Bytes to aim at for a block: worth a system call, and still in the cache when sent again."""

FRAME_OVERHEAD = 8
FRAME_END = 0xCE
METHOD, HEADER, BODY = 1, 2, 3
ACK, NACK, DELIVER, RETURN = (60 << 16 | 80, 60 << 16 | 120, 60 << 16 | 60, 60 << 16 | 50)

_FRAME = struct.Struct(">BHI")
_METHOD = struct.Struct(">BHII")  # a method's frame header, class id, method id
_ACK = struct.Struct(">BHIIQBB")  # the frame of basic.ack, and but for the method id of basic.nack
_ACK_SIZE = 13  # of its payload
ACK_TAG_OFFSET = 11
_STAMP = struct.Struct("=q")  # nanoseconds of the monotonic clock, which all processes of a machine share; or a number
_TAG = struct.Struct(">Q")


class LoadError(Exception):
    """The broker did what no run of this loader allows for."""


@dataclass(frozen=True)
class Block:
    """Messages, ready to be sent over and over."""

    data: bytearray
    stride: int  # bytes a message takes
    stamp_offset: int  # where in these its body begins

    def stamp(self, number: int, value: int) -> None:
        """Write a value into the body of message `number`, counted from 0 over all rounds of the block."""
        _STAMP.pack_into(self.data, number * self.stride % len(self.data) + self.stamp_offset, value)


def publish_block(workload: Workload, producer: int, frame_max: int) -> Block:
    """The messages of one producer: each of its routing keys and headers in turn, as often as a block holds.

    Raises ValueError when they are not of one length.
    """
    session = ClientSession(frame_max)
    delivery_mode = PERSISTENT if workload.persistent else None
    variants = list(itertools.product(workload.keys_of_producer(producer), expand(workload.headers)))

    def encode(key: str, headers: str, body: bytes) -> bytes:
        properties = Properties(headers=parse_table(headers) or None, delivery_mode=delivery_mode)
        return session.encode_publish(CHANNEL, workload.exchange, key, body, properties, mandatory=workload.mandatory)

    body = bytes(workload.size)
    messages = [encode(key, headers, body) for key, headers in variants]
    stride = len(messages[0])
    if any(len(message) != stride for message in messages):
        raise ValueError("messages have to be of one length: use routing keys and headers that are")
    rounds = max(2, BLOCK_SIZE // (stride * len(messages)))
    return Block(bytearray().join(messages * rounds), stride, len(encode(*variants[0], b"")) + FRAME_OVERHEAD - 1)


class Numbered:
    """Frames that are alike but for a number of 64 bits, for consecutive numbers, cut from a block.

    The block holds those of 65,536 numbers, whose last two bytes never change; the bytes before them are set for the
    whole block at once, by slices with a step.
    """

    _SPAN = 1 << 16

    def __init__(self, frames: bytes, offset: int) -> None:
        self.stride = len(frames)
        self._offset = offset  # of the number in the frames
        self._upper = 0  # what the block's numbers have above their last two bytes
        self._block = bytearray(frames * self._SPAN)
        self._block[offset :: self.stride] = bytes(self._SPAN)
        for place, step in ((6, 256), (7, 1)):
            values = bytes(number // step & 0xFF for number in range(self._SPAN))
            self._block[offset + place :: self.stride] = values
        self._view = memoryview(self._block)

    def cut(self, first: int, last: int) -> tuple[memoryview, int]:
        """The frames of the numbers from `first` to `last`, or as far as the block goes, and the number after these.

        They are good until the next call.
        """
        if first >> 16 != self._upper:
            self._turn(first >> 16)
        last = min(last, first | 0xFFFF)
        return self._view[(first & 0xFFFF) * self.stride : ((last & 0xFFFF) + 1) * self.stride], last + 1

    def _turn(self, upper: int) -> None:
        old, new = (value.to_bytes(6, "big") for value in (self._upper, upper))
        for place in range(6):
            if old[place] != new[place]:
                self._block[self._offset + place :: self.stride] = bytes((new[place],)) * self._SPAN
        self._upper = upper


class Acks:
    """The basic.ack frames of a consumer. To ack each delivery alone takes a frame for each."""

    def __init__(self, every: int) -> None:
        self.every = every  # deliveries settled by one ack
        self.acked = 0  # the last delivery tag settled
        self._single = Numbered(ack(0, multiple=False), ACK_TAG_OFFSET) if every == 1 else None

    def due(self, received: int) -> memoryview | bytes:
        """Frames that settle what of the first `received` deliveries is due; there may be more. Empty when nothing is.

        They are good until the next call.
        """
        first = self.acked + self.every
        if first > received:
            return b""
        if self._single is not None:
            frames, after = self._single.cut(first, received)
            self.acked = after - 1
            return frames
        self.acked = received - received % self.every
        return b"".join([ack(tag, multiple=True) for tag in range(first, self.acked + 1, self.every)])

    def rest(self, received: int) -> bytes:
        """The frame that settles all of the first `received` deliveries; empty when all are."""
        if received == self.acked:
            return b""
        self.acked = received
        return ack(received, multiple=True)


def ack(tag: int, *, multiple: bool) -> bytes:
    """The frame of a basic.ack."""
    return _ACK.pack(METHOD, CHANNEL, _ACK_SIZE, ACK, tag, multiple, FRAME_END)


class Confirms:
    """Counts the acks of a broker."""

    def __init__(self) -> None:
        self.confirmed = 0  # all publishes up to here are
        self.nacked = 0
        self.returned = 0
        self._early: set[int] = set()  # confirmed before one that was published earlier
        self.rest = b""  # an incomplete frame

    def feed(self, data: memoryview) -> None:
        """Take in what the broker sent. Raises LoadError for anything but acks, nacks, returns, and notices."""
        if self.rest:
            data = memoryview(self.rest + data)
        whole = len(data) - len(data) % _ACK.size
        confirmed = self.confirmed
        early = self._early
        done = 0
        for kind, _, size, method, tag, multiple, _ in _ACK.iter_unpack(data[:whole]):
            if size != _ACK_SIZE or kind != METHOD or method != ACK:
                break
            done += _ACK.size
            if multiple:
                confirmed = max(confirmed, tag)
                early.difference_update([number for number in early if number <= tag])
            elif tag == confirmed + 1:
                confirmed = tag
            elif tag > confirmed and tag not in early:
                early.add(tag)
                continue
            else:
                raise LoadError(f"publish {tag} was confirmed twice")
            if early:
                confirmed = self._join(confirmed)
        self.confirmed = confirmed
        self._feed_slowly(data[done:])

    def _join(self, confirmed: int) -> int:
        """The number up to which all are confirmed, with those confirmed early."""
        early = self._early
        while confirmed + 1 in early:
            confirmed += 1
            early.remove(confirmed)
        return confirmed

    def _feed_slowly(self, data: memoryview) -> None:
        """As `feed`, frame by frame, with frames of any kind, and maybe none."""
        start = 0
        while (end := _end_of_frame(data, start)) is not None:
            kind, _, _, method = _METHOD.unpack_from(data, start) if end - start >= _METHOD.size else (0, 0, 0, 0)
            if kind == METHOD and method in (ACK, NACK):
                _, _, _, _, tag, multiple, _ = _ACK.unpack_from(data, start)
                first = self.confirmed + 1 if multiple else tag
                if method == NACK:
                    self.nacked += sum(number not in self._early for number in range(first, tag + 1))
                self._early.update(range(first, tag + 1))
                self.confirmed = self._join(self.confirmed)
            elif kind == METHOD and method == RETURN:
                self.returned += 1
            elif kind == METHOD and method >> 16 == 10 and method & 0xFFFF in (60, 61):
                pass  # connection.blocked, unblocked
            elif kind not in (HEADER, BODY, 8):  # those of a returned message; a heartbeat
                raise LoadError(f"to a publisher the broker sent {describe_frame(data[start:end])}")
            start = end
        self.rest = bytes(data[start:])


class Deliveries:
    """Counts the deliveries on one channel, by their length."""

    CHECK_EVERY = 32
    """Reads after which a whole delivery is looked at, frame by frame."""

    def __init__(self, size: int) -> None:
        self.count = 0  # complete deliveries
        self.stride = 0  # bytes a delivery takes; 0 = not known yet
        self._size = size  # of a body
        self._tag_offset = 0  # of the delivery tag in a delivery
        self._body_offset = 0
        self._total = 0  # bytes
        self._reads = 0
        self._first = bytearray()  # until there is a whole delivery

    @property
    def whole(self) -> bool:
        """Whether what came in ends with a complete delivery."""
        return self._total == self.count * self.stride and not self._first

    def feed(self, data: memoryview) -> int:
        """Take in what the broker sent; returns how many deliveries are complete.

        Raises LoadError where it is not what it should be.
        """
        stride = self.stride
        if not stride:
            self._first += data
            if not self._learn(memoryview(self._first)):
                return 0
            data = memoryview(bytes(self._first))
            self._first.clear()
            stride = self.stride
        start = self._total
        self._total = total = start + len(data)
        self.count = total // stride
        self._check(data, start)
        return self.count

    def _learn(self, data: memoryview) -> bool:
        """Read the first delivery frame by frame. False when it is not complete."""
        if len(data) < _METHOD.size + 1:
            return False
        self._tag_offset = _METHOD.size + 1 + data[_METHOD.size]
        self.stride = self._walk(data, 0, 1) or 0
        return self.stride > 0

    def _check(self, data: memoryview, start: int) -> None:
        """Look at the last delivery that begins in `data`, the bytes from `start` on."""
        stride = self.stride
        number = self.count  # of the delivery, counted from 0
        place = number * stride - start
        if place + self._tag_offset + 8 > len(data):
            if 0 <= place <= len(data) - _METHOD.size and _METHOD.unpack_from(data, place)[3] != DELIVER:
                self._complain(data, start)  # a short frame, and maybe the last we get
            number -= 1
            place -= stride
        if place < 0:
            return
        kind, _, _, method = _METHOD.unpack_from(data, place)
        tag = _TAG.unpack_from(data, place + self._tag_offset)[0]
        if kind != METHOD or method != DELIVER or tag != number + 1 or (place and data[place - 1] != FRAME_END):
            self._complain(data, start)
        self._reads += 1
        if self._reads % self.CHECK_EVERY == 0 and place + stride <= len(data):
            length = self._walk(data, place, number + 1)
            if length != stride:
                raise LoadError(f"delivery {number + 1} takes {length} bytes, those before it took {stride}")

    def _walk(self, data: memoryview, place: int, tag: int) -> int | None:
        """The length of the delivery that begins at `place`; None when it is not complete."""
        end = _end_of_frame(data, place)
        if end is None:
            return None
        kind, _, _, method = _METHOD.unpack_from(data, place)
        if kind != METHOD or method != DELIVER:
            raise LoadError(f"instead of delivery {tag} the broker sent {describe_frame(data[place:end])}")
        if _TAG.unpack_from(data, place + self._tag_offset)[0] != tag:
            raise LoadError(f"delivery {tag} has another delivery tag")
        start = end
        end = _end_of_frame(data, start)
        if end is None:
            return None
        size = struct.unpack_from(">Q", data, start + 11)[0]
        if data[start] != HEADER or size != self._size:
            raise LoadError(f"delivery {tag} has a body of {size} bytes instead of {self._size}")
        self._body_offset = end + 7 - place
        left = size
        while left:
            start = end
            end = _end_of_frame(data, start)
            if end is None:
                return None
            if data[start] != BODY:
                raise LoadError(f"delivery {tag} has {describe_frame(data[start:end])} instead of its body")
            left -= end - start - FRAME_OVERHEAD
        return end - place

    def _complain(self, data: memoryview, start: int) -> None:
        """Find the first thing in `data` that is no delivery of the length of the others."""
        number = -(-start // self.stride)
        place = number * self.stride - start
        while place < len(data):
            length = self._walk(data, place, number + 1)
            if length != self.stride:
                break
            place += length
            number += 1
        raise LoadError(f"after delivery {number} came something else than delivery {number + 1}")


class OpenedDeliveries(Deliveries):
    """Deliveries whose bodies start with a stamp. Looks at each one, which takes its time."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._rest = bytearray()

    def feed(self, data: memoryview) -> int:
        rest = self._rest
        rest += data
        before = self.count
        count = super().feed(data)
        stride = self.stride
        if count > before:
            offset = self._body_offset
            stamps = struct.Struct(f"={offset}xq{stride - offset - STAMP_SIZE}x")
            whole = (count - before) * stride
            self._take([stamp for (stamp,) in stamps.iter_unpack(memoryview(bytes(rest[:whole])))])
            del rest[:whole]
        return count

    def _take(self, stamps: list[int]) -> None:
        """Handle the stamps of deliveries that just became complete."""
        raise NotImplementedError


class StampedDeliveries(OpenedDeliveries):
    """Deliveries that carry the time they were sent."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.latencies = array("q")  # nanoseconds
        self.now = 0  # when the next data was received; to be set before `feed`

    def _take(self, stamps: list[int]) -> None:
        now = self.now
        self.latencies.extend([now - stamp for stamp in stamps])


class NumberedDeliveries(OpenedDeliveries):
    """Deliveries that carry their numbers, which have to be 0, 1, 2 and so on."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._next = 0

    def _take(self, stamps: list[int]) -> None:
        after = self._next + len(stamps)
        if stamps != list(range(self._next, after)):
            raise LoadError(f"messages {self._next} to {after - 1} came in another order, or others came instead")
        self._next = after


def deliveries_of(workload: Workload) -> Deliveries:
    """What a consumer of this workload counts with."""
    if workload.numbered:
        return NumberedDeliveries(workload.size)
    return StampedDeliveries(workload.size) if workload.measures_latency else Deliveries(workload.size)


def _end_of_frame(data: memoryview, start: int) -> int | None:
    """Where the frame that begins at `start` ends; None when it is not complete."""
    if start + FRAME_OVERHEAD > len(data):
        return None
    end: int = start + _FRAME.unpack_from(data, start)[2] + FRAME_OVERHEAD
    if end > len(data):
        return None
    if data[end - 1] != FRAME_END:
        raise LoadError("a frame does not end where it says")
    return end


def describe_frame(frame: memoryview) -> str:
    """A frame in words, for error messages."""
    session = ClientSession()
    try:
        session.feed(bytes(frame))
        command: Any = session.next()
    except Exception as error:
        return f"a frame of type {frame[0]} ({error})"
    return f"a frame of type {frame[0]}" if command is None else str(command.method)
