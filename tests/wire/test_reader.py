"""The reader: frames cut from a stream, joined with their content, whatever pieces the stream comes in."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.wire.methods import (
    CONTENT_METHODS,
    METHODS,
    BasicAck,
    BasicPublish,
    ChannelOpen,
    ConnectionCloseOk,
    QueueDeclare,
)
from amqpd.wire.properties import Properties, encode_header
from amqpd.wire.reader import HEARTBEAT, Reader
from amqpd.wire.schema import Method
from amqpd.wire.spec import FRAME_BODY, FRAME_HEADER, FRAME_METHOD, HEARTBEAT_FRAME, FramingError, ProtocolError
from amqpd.wire.writer import content_frames, method_frame
from tests.strategies import methods, properties

UNLIMITED = 1 << 32


class Read(NamedTuple):
    """A command as the reader hands it out."""

    channel: int
    method_id: int
    arguments: bytes
    header: bytes
    body: bytes
    body_size: int


def take(reader: Reader) -> Read:
    return Read(reader.channel, reader.method_id, reader.arguments, reader.header, reader.body, reader.body_size)


def read_all(reader: Reader, *pieces: bytes) -> list[Read]:
    found: list[Read] = []
    for piece in pieces:
        reader.feed(piece)
        while reader.read():
            found.append(take(reader))
    return found


def reader(frame_limit: int = 131072, body_limit: int = UNLIMITED) -> Reader:
    return Reader(frame_limit, body_limit)


def frame(kind: int, channel: int, payload: bytes, end: int = 0xCE) -> bytes:
    return bytes((kind,)) + channel.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload + bytes((end,))


def command(channel: int, method: Method, header: bytes, body: bytes, frame_max: int = 131072) -> bytes:
    if not method.has_content:
        return method_frame(channel, method)
    return b"".join(content_frames(channel, method, header, body, frame_max))


PUBLISH = frame(FRAME_METHOD, 1, bytes.fromhex("003c0028 0000 00 0171 00"))
HEADER = frame(FRAME_HEADER, 1, bytes.fromhex("003c0000 0000000000000005 0000"))
BODY = frame(FRAME_BODY, 1, b"hello")
ACK = frame(FRAME_METHOD, 1, bytes.fromhex("003c0050 0000000000000001 00"))


# --- commands


def test_a_method_without_content_is_a_command() -> None:
    (read,) = read_all(reader(), method_frame(3, QueueDeclare(queue="q")))
    assert (read.channel, read.method_id, read.header, read.body) == (3, QueueDeclare.id, b"", b"")


def test_the_method_is_decoded_when_somebody_asks() -> None:
    cutter = reader()
    cutter.feed(method_frame(3, QueueDeclare(queue="q")))
    assert cutter.read()
    assert cutter.method() == QueueDeclare(queue="q")


def test_a_method_its_header_and_its_body_are_one_command() -> None:
    (read,) = read_all(reader(), PUBLISH + HEADER + BODY)
    assert read == Read(1, BasicPublish.id, PUBLISH[11:-1], HEADER[7:-1], b"hello", 5)


def test_an_empty_body_has_no_frame() -> None:
    header = encode_header(Properties(message_id="m"), 0)
    (read,) = read_all(reader(), PUBLISH + frame(FRAME_HEADER, 1, header))
    assert (read.header, read.body, read.body_size) == (header, b"", 0)


def test_a_body_may_come_in_many_frames_some_of_them_empty() -> None:
    pieces = [b"h", b"", b"ell", b"o"]
    (read,) = read_all(reader(), PUBLISH + HEADER + b"".join(frame(FRAME_BODY, 1, piece) for piece in pieces))
    assert read.body == b"hello"


def test_empty_body_frames_take_no_room() -> None:
    cutter = reader()
    assert read_all(cutter, PUBLISH + HEADER + frame(FRAME_BODY, 1, b"") * 1000) == []
    assert cutter._partials[1].filling is None
    assert [read.body for read in read_all(cutter, BODY)] == [b"hello"]


def test_a_heartbeat_is_a_command_of_its_own() -> None:
    (read,) = read_all(reader(), HEARTBEAT_FRAME)
    assert read == Read(0, HEARTBEAT, b"", b"", b"", 0)


def test_content_of_several_channels_may_be_interleaved() -> None:
    def parts(channel: int, body: bytes) -> list[bytes]:
        header = encode_header(None, len(body))
        return [
            method_frame(channel, BasicPublish(routing_key=f"q{channel}")),
            frame(FRAME_HEADER, channel, header),
            *(frame(FRAME_BODY, channel, body[i : i + 2]) for i in range(0, len(body), 2)),
        ]

    first, second = parts(1, b"aaaa"), parts(2, b"bbbb")
    mixed = b"".join(part for pair in zip(first, second, strict=True) for part in pair)
    assert [(read.channel, read.body) for read in read_all(reader(), mixed)] == [(1, b"aaaa"), (2, b"bbbb")]


def test_methods_and_heartbeats_may_come_between_the_content_of_another_channel() -> None:
    other = method_frame(2, ChannelOpen())
    found = read_all(reader(), PUBLISH + other + HEADER + HEARTBEAT_FRAME + BODY)
    assert [read.method_id for read in found] == [ChannelOpen.id, HEARTBEAT, BasicPublish.id]
    assert found[-1].body == b"hello"


@pytest.mark.parametrize("cut", range(1, len(PUBLISH + HEADER + BODY)))
def test_a_command_is_not_there_before_its_last_byte(cut: int) -> None:
    wire = PUBLISH + HEADER + BODY
    cutter = reader()
    assert read_all(cutter, wire[:cut]) == []
    assert [read.body for read in read_all(cutter, wire[cut:])] == [b"hello"]


def test_a_large_body_may_come_one_byte_at_a_time() -> None:
    body = bytes(range(256)) * 3
    wire = command(1, BasicPublish(), encode_header(None, len(body)), body, 256)
    (read,) = read_all(reader(), *(wire[i : i + 1] for i in range(len(wire))))
    assert read.body == body


# --- however the bytes are cut

commands = st.lists(
    st.tuples(
        st.integers(1, 3),
        methods.filter(lambda method: method.id >> 16 != 10),
        properties,
        st.binary(max_size=300),
        st.sampled_from([64, 100, 4096]),
    )
    | st.none(),
    max_size=5,
)


@settings(max_examples=200)
@given(commands, st.data())
def test_the_commands_do_not_depend_on_how_the_bytes_are_cut(
    sent: list[tuple[int, Method, Properties, bytes, int] | None], data: st.DataObject
) -> None:
    wire = b""
    expected: list[tuple[int, int, bytes]] = []
    for each in sent:
        if each is None:
            wire += HEARTBEAT_FRAME
            expected.append((0, HEARTBEAT, b""))
            continue
        channel, method, props, body, frame_max = each
        wire += command(channel, method, encode_header(props, len(body)), body, frame_max)
        expected.append((channel, method.id, body if method.has_content else b""))
    whole = read_all(reader(), wire)
    assert [(read.channel, read.method_id, read.body) for read in whole] == expected

    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    pieces = [wire[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert read_all(reader(), *pieces) == whole


def outcome(cutter: Reader, *pieces: bytes) -> list[Read | tuple[int, str]]:
    """What was read, and the faults in between; a framing error is the end."""
    found: list[Read | tuple[int, str]] = []
    for piece in pieces:
        cutter.feed(piece)
        more = True
        while more:
            try:
                more = cutter.read()
            except FramingError as error:
                return [*found, (error.code, error.explanation)]
            except ProtocolError as error:
                found.append((error.code, error.explanation))
            else:
                found += [take(cutter)] if more else []
    return found


broken = st.lists(
    st.sampled_from([PUBLISH, PUBLISH + HEADER, HEADER, BODY, ACK, HEARTBEAT_FRAME])
    | st.sampled_from([frame(wire[0], 2, wire[7:-1]) for wire in (PUBLISH, HEADER, BODY)])
    | st.sampled_from([BODY[:-1] + b"\x00", frame(4, 1, b"?"), PUBLISH[:9]])
    | st.binary(max_size=12),
    max_size=8,
).map(b"".join)


@settings(max_examples=400)
@given(broken, st.data())
def test_neither_do_the_faults_between_them(wire: bytes, data: st.DataObject) -> None:
    whole = outcome(reader(), wire)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    pieces = [wire[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert outcome(reader(), *pieces) == whole
    assert outcome(reader(), *(wire[i : i + 1] for i in range(len(wire)))) == whole


@settings(max_examples=300)
@given(st.binary(max_size=100))
def test_any_bytes_are_commands_and_faults(data: bytes) -> None:
    faults = [each for each in outcome(reader(), data) if not isinstance(each, Read)]
    assert {code for code, _ in faults} <= {501, 505}


# --- content that is too large


def test_content_over_the_limit_is_handed_out_empty_once_its_header_is_seen() -> None:
    cutter = reader(body_limit=4)
    (read,) = read_all(cutter, PUBLISH + HEADER)
    assert (read.method_id, read.body, read.body_size) == (BasicPublish.id, b"", 5)


def test_the_frames_of_content_over_the_limit_are_skipped() -> None:
    cutter = reader(body_limit=4)
    found = read_all(cutter, PUBLISH + HEADER + frame(FRAME_BODY, 1, b"hel") + frame(FRAME_BODY, 1, b"lo") + ACK)
    assert [read.method_id for read in found] == [BasicPublish.id, BasicAck.id]


def test_content_up_to_the_limit_is_kept() -> None:
    (read,) = read_all(reader(body_limit=5), PUBLISH + HEADER + BODY)
    assert read.body == b"hello"


def test_the_channel_can_publish_again_after_content_over_the_limit() -> None:
    small = command(1, BasicPublish(), encode_header(None, 2), b"hi")
    found = read_all(reader(body_limit=4), PUBLISH + HEADER + BODY + small)
    assert [(read.body, read.body_size) for read in found] == [(b"", 5), (b"hi", 2)]


def test_skipped_content_has_to_be_in_order_all_the_same() -> None:
    cutter = reader(body_limit=4)
    assert outcome(cutter, PUBLISH + HEADER + frame(FRAME_BODY, 1, b"hel") + ACK)[1:] == [
        (505, "expected content body, got non content body frame instead")
    ]


# --- faults of framing, in literal bytes


def fault(wire: str, frame_limit: int = 131072) -> ProtocolError:
    """The first fault in these bytes. It is passed over, unless nobody can say where the next frame starts."""
    cutter = reader(frame_limit)
    cutter.feed(bytes.fromhex(wire))
    with pytest.raises(ProtocolError) as caught:
        list(iter(cutter.read, False))
    lost = "frame_too_large" in caught.value.explanation or "invalid_frame_end_marker" in caught.value.explanation
    assert isinstance(caught.value, FramingError) is lost
    if not lost:
        last = outcome(cutter, HEARTBEAT_FRAME)[-1]
        assert isinstance(last, Read)
        assert last.method_id == HEARTBEAT
    return caught.value


def test_a_frame_over_the_limit_is_refused_by_its_first_bytes() -> None:
    error = fault("01 0001 00020001 00", frame_limit=131072)
    assert (error.code, error.explanation) == (501, "type 1, all octets = <<>>: {frame_too_large,131073,131064}")
    assert error.closes_connection


def test_a_payload_of_the_limit_is_taken() -> None:
    payload = bytes.fromhex("000a0033") + bytes(12)
    assert [read.method_id for read in read_all(reader(frame_limit=16), frame(1, 0, payload))] == [ConnectionCloseOk.id]
    error = fault(frame(1, 0, payload + b"\x00").hex(), frame_limit=16)
    assert error.explanation == "type 1, all octets = <<>>: {frame_too_large,17,8}"


def test_a_frame_has_to_end_with_its_end_marker() -> None:
    error = fault("01 0000 00000004 000a0033 00")
    assert (error.code, error.explanation) == (
        501,
        "type 1, all octets = <<0,10,0,51>>: {invalid_frame_end_marker,0}",
    )


def test_the_first_sixteen_octets_of_a_broken_frame_are_shown() -> None:
    error = fault("01 0000 00000014" + b"abcdefghijklmnopqrst".hex() + "58")
    assert error.explanation == 'type 1, first 16 octets = <<"abcdefghijklmnop">>: {invalid_frame_end_marker,88}'


@pytest.mark.parametrize("kind", [0, 4, 5, 6, 7, 9, 255])
def test_a_frame_of_an_unknown_type_is_refused(kind: int) -> None:
    error = fault(f"{kind:02x} 0001 00000002 6869 ce")
    assert (error.code, error.explanation) == (501, f'type {kind}, all octets = <<"hi">>: unknown_frame')


def test_a_method_frame_without_whole_ids_is_refused() -> None:
    error = fault("01 0001 00000003 003c00 ce")
    assert (error.code, error.explanation) == (501, "type 1, all octets = <<0,60,0>>: unknown_frame")


def test_a_heartbeat_with_a_payload_is_refused() -> None:
    error = fault("08 0000 00000001 00 ce")
    assert (error.code, error.explanation) == (501, "type 8, all octets = <<0>>: unknown_frame")


def test_a_heartbeat_on_a_channel_is_unexpected() -> None:
    error = fault("08 0001 00000000 ce")
    assert (error.code, error.explanation) == (505, "type 8, all octets = <<>>")


def test_content_on_channel_0_is_unexpected() -> None:
    for kind in ("02", "03"):
        error = fault(f"{kind} 0000 00000002 6869 ce")
        assert (error.code, error.explanation) == (505, f'type {int(kind)}, all octets = <<"hi">>')


@pytest.mark.parametrize("kind", ["02", "03"])
def test_content_without_a_method_is_unexpected(kind: str) -> None:
    error = fault(f"{kind} 0001 00000002 6869 ce")
    assert (error.code, error.explanation) == (505, "expected method frame, got non method frame instead")
    assert error.method_id == 0, "no method is to blame"


@pytest.mark.parametrize("second", [PUBLISH, BODY, ACK], ids=["method", "body", "ack"])
def test_after_a_method_with_content_comes_its_header(second: bytes) -> None:
    error = fault((PUBLISH + second).hex())
    text = "expected content header for class 60, got non content header frame instead"
    assert (error.code, error.explanation, error.method_id) == (505, text, BasicPublish.id)


@pytest.mark.parametrize("third", [PUBLISH, HEADER, ACK], ids=["method", "header", "ack"])
def test_after_a_header_comes_the_body(third: bytes) -> None:
    error = fault((PUBLISH + HEADER + third).hex())
    text = "expected content body, got non content body frame instead"
    assert (error.code, error.explanation, error.method_id) == (505, text, BasicPublish.id)


@pytest.mark.parametrize("place", [1, 2])
def test_content_on_another_channel_is_not_this_commands(place: int) -> None:
    frames = [PUBLISH, HEADER, BODY]
    wire = frames[place]
    frames[place] = frame(wire[0], 2, wire[7:-1])
    error = fault(b"".join(frames).hex())
    assert (error.code, error.explanation) == (505, "expected method frame, got non method frame instead")


def test_a_header_is_for_the_class_of_its_method() -> None:
    error = fault(PUBLISH.hex() + "02 0001 0000000e 000a0000 0000000000000005 0000 ce")
    text = "expected content header for class 60, got one for class 10 instead"
    assert (error.code, error.explanation, error.method_id) == (505, text, BasicPublish.id)


@pytest.mark.parametrize("size", [0, 1, 13])
def test_a_header_has_fourteen_octets_at_least(size: int) -> None:
    error = fault(PUBLISH.hex() + f"02 0001 000000{size:02x}" + "00" * size + "ce")
    assert (error.code, error.explanation) == (501, f"content header of {size} octets")


def test_a_body_is_not_longer_than_announced() -> None:
    error = fault((PUBLISH + HEADER + frame(FRAME_BODY, 1, b"hello!")).hex())
    text = "content body frame exceeds remaining content size"
    assert (error.code, error.explanation, error.method_id) == (501, text, BasicPublish.id)


def test_the_last_of_several_body_frames_is_not_too_long_either() -> None:
    error = fault((PUBLISH + HEADER + frame(FRAME_BODY, 1, b"hel") + frame(FRAME_BODY, 1, b"low")).hex())
    assert error.explanation == "content body frame exceeds remaining content size"


def test_commands_before_and_after_a_fault_are_read() -> None:
    first, second, fault, third = outcome(reader(), ACK + PUBLISH + HEADER + BODY + frame(4, 0, b"") + ACK)
    assert fault == (501, "type 4, all octets = <<>>: unknown_frame")
    assert [each.method_id for each in (first, second, third) if isinstance(each, Read)] == [
        BasicAck.id,
        BasicPublish.id,
        BasicAck.id,
    ]


def test_a_method_with_content_on_channel_0_stands_alone() -> None:
    found = read_all(reader(), frame(1, 0, PUBLISH[7:-1]))
    assert [(read.channel, read.method_id) for read in found] == [(0, BasicPublish.id)]


def test_an_unknown_method_is_a_command_that_cannot_be_decoded() -> None:
    cutter = reader()
    cutter.feed(frame(1, 1, bytes.fromhex("00630001")))
    assert cutter.read()
    with pytest.raises(ProtocolError, match="unknown method, class 99 method 1"):
        cutter.method()


def test_only_methods_with_content_wait_for_any() -> None:
    for method_id in METHODS:
        found = read_all(reader(), frame(1, 1, method_id.to_bytes(4, "big")))
        assert bool(found) is (method_id not in CONTENT_METHODS)
