"""Frames that are wrong or come out of order: the reply code, the text, and the method that is blamed."""

from __future__ import annotations

import struct

import pytest
from steps import Connect, expect_connection_error

from amqpd.testing.client import Client, raw_frame
from amqpd.wire.methods import (
    BasicDeliver,
    BasicPublish,
    ChannelClose,
    ChannelCloseOk,
    ChannelFlow,
    ChannelOpen,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionSecureOk,
    ConnectionStartOk,
    ConnectionTuneOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.schema import Method
from amqpd.wire.writer import method_frame


def header(size: int, class_id: int = 60) -> bytes:
    """A content header without properties."""
    return struct.pack(">HHQH", class_id, 0, size, 0)


METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
PUBLISH = method_frame(1, BasicPublish(routing_key="nobody"))
UNEXPECTED_IN_STATE = "unexpected method in connection state running"
NO_METHOD = "expected method frame, got non method frame instead"
NO_HEADER = "expected content header for class 60, got non content header frame instead"
NO_BODY = "expected content body, got non content body frame instead"


@pytest.mark.parametrize(
    ("frames", "code", "explanation", "method"),
    [
        pytest.param(raw_frame(BODY, 1, b"abc"), 505, NO_METHOD, None, id="body without method"),
        pytest.param(raw_frame(HEADER, 1, header(3)), 505, NO_METHOD, None, id="header without method"),
        pytest.param(PUBLISH + PUBLISH, 505, NO_HEADER, BasicPublish, id="method instead of header"),
        pytest.param(PUBLISH + raw_frame(BODY, 1, b"abc"), 505, NO_HEADER, BasicPublish, id="body before header"),
        pytest.param(
            PUBLISH + raw_frame(HEADER, 1, header(3)) + PUBLISH,
            505,
            NO_BODY,
            BasicPublish,
            id="method instead of body",
        ),
        pytest.param(
            PUBLISH + raw_frame(HEADER, 1, header(3)) + raw_frame(HEADER, 1, header(3)),
            505,
            NO_BODY,
            BasicPublish,
            id="header twice",
        ),
        pytest.param(
            PUBLISH + raw_frame(HEADER, 1, header(3)) + raw_frame(BODY, 1, b"ab") + PUBLISH,
            505,
            NO_BODY,
            BasicPublish,
            id="method in the middle of a body",
        ),
        pytest.param(
            PUBLISH + raw_frame(HEADER, 1, header(3, class_id=10)),
            505,
            "expected content header for class 60, got one for class 10 instead",
            BasicPublish,
            id="header of another class",
        ),
        pytest.param(
            PUBLISH + raw_frame(HEADER, 1, header(3)) + raw_frame(BODY, 1, b"abcd"),
            501,
            "content body frame exceeds remaining content size",
            BasicPublish,
            id="body longer than announced",
            marks=pytest.mark.ours("3.10 takes no notice"),
        ),
        pytest.param(raw_frame(HEARTBEAT, 1, b""), 505, "type 8, all octets = <<>>", None, id="heartbeat on a channel"),
        pytest.param(
            raw_frame(HEARTBEAT, 0, b"x"),
            501,
            'type 8, all octets = <<"x">>: unknown_frame',
            None,
            id="heavy heartbeat",
        ),
        pytest.param(
            method_frame(0, BasicPublish()), 504, UNEXPECTED_IN_STATE, BasicPublish, id="publish on channel 0"
        ),
        pytest.param(
            method_frame(0, QueueDeclare()), 504, UNEXPECTED_IN_STATE, QueueDeclare, id="queue.declare on channel 0"
        ),
        pytest.param(
            method_frame(0, ChannelOpen()), 504, UNEXPECTED_IN_STATE, ChannelOpen, id="channel.open on channel 0"
        ),
        pytest.param(
            raw_frame(HEADER, 0, header(0)),
            505,
            "type 2, all octets = <<0,60,0,0,0,0,0,0,0,0,0,0,0,0>>",
            None,
            id="header on channel 0",
        ),
        pytest.param(raw_frame(BODY, 0, b"abc"), 505, 'type 3, all octets = <<"abc">>', None, id="body on channel 0"),
        pytest.param(
            raw_frame(9, 1, b"abc"), 501, 'type 9, all octets = <<"abc">>: unknown_frame', None, id="unknown type"
        ),
        pytest.param(
            raw_frame(9, 1, b"abcdefghijklmnopqrs"),
            501,
            'type 9, first 16 octets = <<"abcdefghijklmnop">>: unknown_frame',
            None,
            id="unknown type of a long frame",
        ),
        pytest.param(
            raw_frame(METHOD, 1, b"\x00\x3c\x00\x28\x00\x00\x00\x02zz\x00", end=0),
            501,
            "type 1, all octets = <<0,60,0,40,0,0,0,2,122,122,0>>: {invalid_frame_end_marker,0}",
            None,
            id="wrong end",
        ),
        pytest.param(
            raw_frame(METHOD, 1, b"\x00"), 501, "type 1, all octets = <<0>>: unknown_frame", None, id="short method"
        ),
        pytest.param(
            raw_frame(METHOD, 1, QueueDeclare(queue="abc").encode()[:9]),
            501,
            "cannot decode <<0,0,3,97,98>>",
            QueueDeclare,
            id="truncated arguments",
        ),
        pytest.param(
            raw_frame(METHOD, 1, ChannelFlow(active=True).encode() + b"\x02\x03"),
            501,
            "cannot decode <<1,2,3>>",
            ChannelFlow,
            id="more than the arguments",
        ),
        pytest.param(
            raw_frame(METHOD, 1, QueueDeclare(queue="q").encode()[:-4] + b"\x00\x00\x00\x05abc"),
            501,
            "cannot decode <<0,0,1,113,0,0,0,0,5,97,98,99>>",
            QueueDeclare,
            id="a table longer than its frame",
        ),
        pytest.param(
            raw_frame(METHOD, 1, b"\x00\x32\x00\x0a\x00\x00\x02\xff\xfe\x00\x00\x00\x00\x00"),
            501,
            "Malformed UTF-8 in shortstr",
            None,
            id="a name that is not UTF-8",
        ),
        pytest.param(
            raw_frame(METHOD, 1, b"\x00\x32\x00\x0a\x00\x00\x01x\x00\x00\x00\x00\x05abcde"),
            502,
            "truncated table",
            QueueDeclare,
            id="malformed table",
            marks=pytest.mark.ours("3.10 drops the connection"),
        ),
    ],
)
def test_a_wrong_frame_ends_the_connection(
    client: Client, frames: bytes, code: int, explanation: str, method: type[Method] | None
) -> None:
    client.write(frames)
    expect_connection_error(client, code, explanation, method)


@pytest.mark.parametrize(
    ("frames", "code", "explanation", "method"),
    [
        pytest.param(method_frame(1, QueueDeclare()), 504, "expected 'channel.open'", QueueDeclare, id="queue.declare"),
        pytest.param(
            PUBLISH + raw_frame(HEADER, 1, header(0)), 504, "expected 'channel.open'", BasicPublish, id="publish"
        ),
        pytest.param(method_frame(1, ChannelClose()), 504, "expected 'channel.open'", ChannelClose, id="channel.close"),
        pytest.param(
            method_frame(1, ChannelCloseOk()), 504, "expected 'channel.open'", ChannelCloseOk, id="channel.close-ok"
        ),
        pytest.param(raw_frame(HEADER, 1, header(3)), 505, NO_METHOD, None, id="header"),
        pytest.param(raw_frame(BODY, 1, b"abc"), 505, NO_METHOD, None, id="body"),
    ],
)
def test_nothing_but_channel_open_may_come_on_a_channel_that_is_not_open(
    connect: Connect, frames: bytes, code: int, explanation: str, method: type[Method] | None
) -> None:
    client = connect()
    client.write(frames)
    expect_connection_error(client, code, explanation, method)


@pytest.mark.parametrize(
    ("channel", "method", "code", "explanation"),
    [
        (1, BasicDeliver(), 503, "unimplemented method"),
        (1, QueueDeclareOk(), 503, "unimplemented method"),
        (1, ConnectionClose(), 503, "unimplemented method"),
        (1, ChannelCloseOk(), 503, "unimplemented method"),
        (1, ChannelOpen(), 504, "second 'channel.open' seen"),
        (0, ConnectionStartOk(), 504, UNEXPECTED_IN_STATE),
        (0, ConnectionSecureOk(), 504, UNEXPECTED_IN_STATE),
        (0, ConnectionTuneOk(), 504, UNEXPECTED_IN_STATE),
        (0, ConnectionOpen(), 504, UNEXPECTED_IN_STATE),
        (0, ConnectionCloseOk(), 504, UNEXPECTED_IN_STATE),
    ],
    ids=lambda value: value.name if isinstance(value, Method) else "",
)
def test_a_method_out_of_place_ends_the_connection(
    client: Client, channel: int, method: Method, code: int, explanation: str
) -> None:
    client.send(channel, method)
    if method.has_content:
        client.write(raw_frame(HEADER, channel, header(0)))
    expect_connection_error(client, code, explanation, type(method))


@pytest.mark.ours("3.10 drops the connection")
@pytest.mark.parametrize(("class_id", "method_id"), [(60, 999), (77, 1), (0, 0), (20, 12)])
def test_a_method_nobody_knows_is_not_implemented(client: Client, class_id: int, method_id: int) -> None:
    client.write(raw_frame(METHOD, 1, struct.pack(">HH", class_id, method_id)))
    close = client.expect(0, ConnectionClose)
    assert close == ConnectionClose(
        540, f"NOT_IMPLEMENTED - unknown method, class {class_id} method {method_id}", class_id, method_id
    )
