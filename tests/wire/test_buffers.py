"""The two byte buffers, and that the compiled ones and their plain twins cannot be told apart."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amqpd.wire
from amqpd.wire import buffers
from amqpd.wire.methods import METHODS, BasicAck, BasicPublish
from amqpd.wire.properties import encode_header
from amqpd.wire.writer import content_frames, method_frame


def plain_twin() -> ModuleType:
    """buffers.py, whatever is compiled."""
    path = Path(amqpd.wire.__file__).with_name("buffers.py")
    spec = importlib.util.spec_from_file_location("amqpd.wire.plain_buffers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PLAIN = plain_twin()
FRAME_LIMIT, BODY_LIMIT = 4096, 3000

bodies = st.sampled_from([b"", b"x", b"0123456789abcdef", bytes(3000), bytes(3001), bytes(4097)])
publishes = st.builds(
    lambda channel, key, body: b"".join(
        content_frames(channel, BasicPublish(routing_key=key), encode_header(None, len(body)), body, 0)
    ),
    st.sampled_from([1, 1, 2, 65535]),
    st.sampled_from(["", "q", "other"]),
    bodies,
)
acks = st.builds(lambda tag: method_frame(1, BasicAck(tag, False)), st.integers(0, (1 << 64) - 1))
odd = st.sampled_from([b"", b"\xce", b"\x01\x00", b"\x08\x00\x00\x00\x00\x00\x00\xce", bytes(30)])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames as clients send them, mostly; some bytes may be wrong."""
    data = bytearray(b"".join(draw(st.lists(st.one_of(publishes, publishes, acks, odd), max_size=6))))
    for place in draw(st.lists(st.integers(0, max(0, len(data) - 1)), max_size=3)) if data else ():
        data[place] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


def cut_all(module: Any, pieces: list[bytes]) -> list[tuple[Any, ...]]:
    buffer = module.InBuffer(FRAME_LIMIT, BODY_LIMIT)
    found = []
    for piece in pieces:
        buffer.feed(piece)
        while buffer.cut():
            command = (buffer.channel, buffer.method_id, buffer.arguments, buffer.header, buffer.body)
            number = buffer.long_long() if len(buffer.arguments) >= 8 else None
            found.append((*command, number))
    return found


@settings(max_examples=500)
@given(streams(), st.integers(0, 10_000))
def test_both_cut_the_same_commands(data: bytes, place: int) -> None:
    pieces = [data[:place], data[place:]]
    assert cut_all(buffers, pieces) == cut_all(PLAIN, pieces)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_both_know_which_methods_carry_content(method: Any) -> None:
    frame = method_frame(1, method())
    found = cut_all(buffers, [frame])
    assert found == cut_all(PLAIN, [frame])
    assert len(found) == (0 if method.has_content else 1)


def test_equal_arguments_and_headers_are_the_same_object_where_compiled() -> None:
    if buffers.__file__ == PLAIN.__file__:
        pytest.skip("nothing is compiled")
    buffer = buffers.InBuffer(FRAME_LIMIT, BODY_LIMIT)
    frames = b"".join(content_frames(1, BasicPublish(routing_key="q"), encode_header(None, 1), b"x", 0))
    buffer.feed(frames + method_frame(1, BasicAck(1, False)) + frames)
    assert buffer.cut()
    first = (buffer.arguments, buffer.header)
    assert buffer.cut()
    assert buffer.cut()
    assert buffer.arguments is first[0]
    assert buffer.header is first[1]


class Recording(PLAIN.OutBuffer):  # type: ignore[misc, name-defined]
    """Takes note of what is not copied."""

    def deliver_large(self, *delivery: Any) -> None:
        self.write(repr(delivery[:-1]).encode())


class CompiledRecording(buffers.OutBuffer):
    def deliver_large(self, *delivery: Any) -> None:
        self.write(repr(delivery[:-1]).encode())


writes = st.one_of(
    st.tuples(st.just("write"), st.binary(max_size=300)),
    st.tuples(
        st.just("deliver"),
        st.tuples(
            st.integers(1, 65535),
            st.binary(max_size=20),
            st.integers(0, (1 << 64) - 1),
            st.booleans(),
            st.binary(max_size=20),
            st.binary(max_size=40),
            st.sampled_from([b"", b"x", bytes(4096), bytes(4097), bytes(200)]),
        ),
    ),
    st.tuples(st.just("drain"), st.none()),
)


@given(st.sampled_from([0, 100, 4096, 131072]), st.lists(writes, max_size=20))
def test_both_write_the_same_bytes(frame_max: int, steps: list[tuple[str, Any]]) -> None:
    ours, plain = CompiledRecording(frame_max), Recording(frame_max)
    for step, value in steps:
        if step == "write":
            ours.write(value)
            plain.write(value)
        elif step == "deliver":
            ours.deliver(*value)
            plain.deliver(*value)
        else:
            assert ours.drain() == plain.drain()
        assert ours.size == plain.size
    assert ours.drain() == plain.drain()


@given(st.lists(st.tuples(st.binary(max_size=50), st.integers(0, 50), st.integers(0, 50)), max_size=10))
def test_a_body_is_its_pieces(pieces: list[tuple[bytes, int, int]]) -> None:
    parts = [(data, min(start, len(data)), min(max(start, stop), len(data))) for data, start, stop in pieces]
    whole = b"".join(data[start:stop] for data, start, stop in parts)
    for module in (buffers, PLAIN):
        filling = module.Filling(len(whole))
        for part in parts:
            filling.add(*part)
        assert filling.whole() == whole
