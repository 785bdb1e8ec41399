"""The writer: frames cut to size, and an outbox that hands them out in order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.wire.methods import BasicAck, BasicDeliver, BasicGetOk, ChannelOpenOk
from amqpd.wire.properties import Properties, encode_header
from amqpd.wire.reader import Reader
from amqpd.wire.schema import encode_shortstr
from amqpd.wire.spec import FRAME_OVERHEAD
from amqpd.wire.writer import JOIN_LIMIT, Outbox, content_frames, deliver_prefix, method_frame
from tests.strategies import properties, short_strings


def joined(chunks: list[bytes | memoryview]) -> bytes:
    return b"".join(chunks)


def payload_sizes(wire: bytes) -> list[tuple[int, int]]:
    """(frame type, payload size) of each frame."""
    found: list[tuple[int, int]] = []
    position = 0
    while position < len(wire):
        size = int.from_bytes(wire[position + 3 : position + 7], "big")
        found.append((wire[position], size))
        position += size + FRAME_OVERHEAD
    assert position == len(wire)
    return found


def test_a_method_frame_is_these_bytes() -> None:
    assert method_frame(258, BasicAck(7, True)) == bytes.fromhex("01 0102 0000000d 003c0050 0000000000000007 01 ce")


def test_content_is_a_method_a_header_and_a_body() -> None:
    wire = joined(content_frames(1, BasicDeliver("c", 7, False, "x", "k"), encode_header(None, 2), b"hi", 4096))
    assert wire == bytes.fromhex(
        "01 0001 00000013 003c003c 0163 0000000000000007 00 0178 016b ce"
        "02 0001 0000000e 003c0000 0000000000000002 0000 ce"
        "03 0001 00000002 6869 ce"
    )


def test_an_empty_body_has_no_frame() -> None:
    wire = joined(content_frames(1, BasicDeliver(), encode_header(None, 0), b"", 4096))
    assert [kind for kind, _ in payload_sizes(wire)] == [1, 2]


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        (1, [1]),
        (4087, [4087]),
        (4088, [4088]),
        (4089, [4088, 1]),
        (8176, [4088, 4088]),
        (8177, [4088, 4088, 1]),
    ],
)
def test_a_body_is_cut_so_that_frames_are_frame_max_long(size: int, sizes: list[int]) -> None:
    wire = joined(content_frames(1, BasicDeliver(), encode_header(None, size), bytes(size), 4096))
    assert [length for kind, length in payload_sizes(wire) if kind == 3] == sizes


def test_without_a_frame_max_a_body_is_one_frame() -> None:
    wire = joined(content_frames(1, BasicDeliver(), encode_header(None, 1 << 20), bytes(1 << 20), 0))
    assert [length for kind, length in payload_sizes(wire) if kind == 3] == [1 << 20]


bodies = st.one_of(
    st.binary(max_size=200),
    st.integers(0, 3 * JOIN_LIMIT).map(lambda size: (bytes(range(251)) * (size // 251 + 1))[:size]),
)
frame_maxima = st.sampled_from([0, 4096, 4097, 8192, 131072])


@settings(max_examples=300)
@given(st.integers(1, 65535), properties, bodies, frame_maxima)
def test_the_reader_puts_together_what_the_writer_cut(
    channel: int, sent: Properties, body: bytes, frame_max: int
) -> None:
    header = encode_header(sent, len(body))
    wire = joined(content_frames(channel, BasicGetOk(1, True, "x", "k", 3), header, body, frame_max))
    if frame_max:
        assert all(size + FRAME_OVERHEAD <= frame_max for kind, size in payload_sizes(wire) if kind == 3)
    cutter = Reader(1 << 32, 1 << 32)
    cutter.feed(wire)
    assert cutter.read()
    assert (cutter.channel, cutter.header, cutter.body) == (channel, header, body)
    assert cutter.method() == BasicGetOk(1, True, "x", "k", 3)
    assert not cutter.read()


@settings(max_examples=300)
@given(
    st.integers(1, 65535),
    short_strings,
    st.integers(1, (1 << 64) - 1),
    st.booleans(),
    short_strings,
    short_strings,
    bodies,
    frame_maxima,
)
def test_the_fast_way_to_deliver_writes_what_the_declared_method_does(
    channel: int, tag: str, delivery_tag: int, redelivered: bool, exchange: str, key: str, body: bytes, frame_max: int
) -> None:
    header = encode_header(None, len(body))
    declared = content_frames(
        channel, BasicDeliver(tag, delivery_tag, redelivered, exchange, key), header, body, frame_max
    )
    outbox = Outbox(frame_max)
    address = encode_shortstr(exchange) + encode_shortstr(key)
    outbox.deliver(channel, deliver_prefix(tag), delivery_tag, redelivered, address, header, body)
    assert outbox.size == len(joined(declared))
    assert joined(outbox.take()) == joined(declared)


# --- the outbox


def test_an_outbox_hands_out_what_it_took_in_order_and_once() -> None:
    outbox = Outbox(4096)
    outbox.method(1, BasicAck(1))
    outbox.write(b"raw")
    outbox.content(1, BasicGetOk(), encode_header(None, 2), b"hi")
    expected = (
        method_frame(1, BasicAck(1))
        + b"raw"
        + joined(content_frames(1, BasicGetOk(), encode_header(None, 2), b"hi", 4096))
    )
    assert outbox.size == len(expected)
    assert joined(outbox.take()) == expected
    assert outbox.size == 0
    assert outbox.take() == []


def test_small_things_are_joined_into_one_piece() -> None:
    outbox = Outbox(131072)
    for number in range(100):
        outbox.content(1, BasicGetOk(number), encode_header(None, 10), bytes(10))
    assert len(outbox.take()) == 1


def test_a_large_body_is_sent_from_where_it_lies() -> None:
    body = bytes(200_000)
    outbox = Outbox(131072)
    outbox.content(1, BasicGetOk(), encode_header(None, len(body)), body)
    views = [chunk for chunk in outbox.take() if isinstance(chunk, memoryview)]
    assert sum(len(view) for view in views) == len(body)
    assert all(view.obj is body for view in views)


def test_an_outbox_is_joined_again_after_a_large_body_is_gone() -> None:
    outbox = Outbox(0)
    outbox.content(1, BasicGetOk(), encode_header(None, 100_000), bytes(100_000))
    outbox.take()
    outbox.write(b"a")
    outbox.write(b"b")
    assert outbox.take() == [b"ab"]


def test_moving_an_outbox_empties_it_into_the_other() -> None:
    first, second = Outbox(4096), Outbox(4096)
    first.write(b"first")
    second.write(b"second")
    second.content(1, BasicGetOk(), encode_header(None, 9000), bytes(9000))
    total = first.size + second.size
    first.move(second)
    assert (first.size, second.size) == (total, 0)
    assert second.take() == []
    assert joined(first.take()).startswith(b"firstsecond")


def test_moving_an_outbox_copies_no_large_body() -> None:
    body = bytes(200_000)
    first, second = Outbox(131072), Outbox(131072)
    second.content(1, BasicGetOk(), encode_header(None, len(body)), body)
    first.move(second)
    views = [chunk for chunk in first.take() if isinstance(chunk, memoryview)]
    assert sum(len(view) for view in views) == len(body)


def test_an_outbox_can_be_used_after_it_was_moved() -> None:
    first, second = Outbox(4096), Outbox(4096)
    second.write(b"one")
    first.move(second)
    second.write(b"two")
    assert joined(first.take()) == b"one"
    assert joined(second.take()) == b"two"


def test_a_method_that_cannot_be_sent_leaves_the_outbox_as_it_was() -> None:
    outbox = Outbox(4096)
    with pytest.raises(ValueError, match="delivery_tag=-1"):
        outbox.method(1, BasicAck(-1))
    with pytest.raises(ValueError, match="over 255 bytes"):
        outbox.content(1, BasicGetOk(exchange="x" * 256), encode_header(None, 0), b"")
    assert outbox.size == 0
    assert outbox.take() == []


@given(st.lists(st.binary(max_size=20) | st.integers(1, 20_000), max_size=10))
def test_the_size_is_that_of_all_that_waits(additions: list[bytes | int]) -> None:
    outbox = Outbox(4096)
    for addition in additions:
        if isinstance(addition, bytes):
            outbox.write(addition)
        else:
            outbox.content(1, ChannelOpenOk(), encode_header(None, addition), bytes(addition))
    size = outbox.size
    assert len(joined(outbox.take())) == size
