"""Content frames: bodies in pieces, small frames both ways, several channels at once."""

from __future__ import annotations

import pytest
from steps import Connect, drain, own_queue, read_frame

from amqpd.testing.client import Client, raw_frame
from amqpd.wire.methods import BasicConsume, BasicGet, BasicGetOk, BasicPublish, BasicReturn
from amqpd.wire.properties import Properties, decode_header, encode_header
from amqpd.wire.writer import method_frame

METHOD, HEADER, BODY = 1, 2, 3


def content(channel: int, queue: str, *pieces: bytes) -> list[bytes]:
    """The frames of a publish to the default exchange."""
    size = sum(map(len, pieces))
    return [
        method_frame(channel, BasicPublish(routing_key=queue)),
        raw_frame(HEADER, channel, encode_header(None, size)),
        *[raw_frame(BODY, channel, piece) for piece in pieces],
    ]


@pytest.mark.parametrize("pieces", [(b"a", b"bc", b"def"), tuple(b"%d" % n for n in range(10)), (b"", b"a", b"", b"b")])
def test_a_body_may_come_in_frames_of_any_size(client: Client, pieces: tuple[bytes, ...]) -> None:
    queue = own_queue(client)
    client.write(b"".join(content(1, queue, *pieces)))
    assert drain(client, queue) == [b"".join(pieces)]


def test_contents_of_several_channels_may_be_interleaved(client: Client) -> None:
    for channel in (2, 3):
        client.channel(channel)
    queue = own_queue(client)
    frames = [content(channel, queue, b"a%d" % channel, b"b%d" % channel, b"c%d" % channel) for channel in (1, 2, 3)]
    for of_each_channel in zip(*frames, strict=True):
        client.write(b"".join(of_each_channel))
    bodies = set()
    while len(bodies) < 3:
        bodies |= set(drain(client, queue))
    assert bodies == {b"a1b1c1", b"a2b2c2", b"a3b3c3"}


def test_methods_of_other_channels_may_come_in_the_middle_of_a_content(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    method, header, first, second = content(1, queue, b"first", b"second")
    heartbeat = raw_frame(8, 0, b"")
    for frame in (method, header, first):
        client.write(frame + heartbeat)
        assert drain(client, queue, channel=2) == []
    client.write(second)
    assert drain(client, queue) == [b"firstsecond"]


@pytest.mark.parametrize("size", [1, 4087, 4088, 4089, 8176, 8177, 100_000])
def test_what_is_delivered_keeps_to_small_frames(connect: Connect, size: int) -> None:
    client = connect(frame_max=4096)
    client.channel(1)
    queue = own_queue(client)
    body = bytes(n % 251 for n in range(size))
    client.publish(1, "", queue, body)
    client.send(1, BasicConsume(queue=queue, no_ack=True, nowait=True))
    assert frames_of_content(client) == body


def test_large_headers_are_delivered_to_clients_with_larger_frames(connect: Connect) -> None:
    client = connect()
    client.channel(1)
    queue = own_queue(client)
    properties = Properties(headers={"long": "x" * 100_000})
    client.publish(1, "", queue, b"", properties)
    client.send(1, BasicGet(queue=queue))
    assert client.expect_command(1, BasicGetOk).properties == properties


def test_what_is_returned_keeps_to_small_frames(connect: Connect) -> None:
    client = connect(frame_max=4096)
    client.channel(1)
    body = b"x" * 20_000
    client.publish(1, "", "nobody", body, mandatory=True)
    assert client.expect_command(1, BasicReturn).body == body
    client.publish(1, "", "nobody", body, mandatory=True)
    assert frames_of_content(client) == body


def test_a_body_of_nothing_has_no_body_frame(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"")
    client.publish(1, "", queue, b"next")
    client.send(1, BasicGet(queue=queue, no_ack=True), BasicGet(queue=queue, no_ack=True))
    assert [read_frame(client)[0] for _ in range(5)] == [METHOD, HEADER, METHOD, HEADER, BODY]


def test_a_megabyte_goes_through_and_back(client: Client) -> None:
    queue = own_queue(client)
    body = bytes(range(256)) * 4096
    client.publish(1, "", queue, body)
    assert drain(client, queue) == [body]


def frames_of_content(client: Client) -> bytes:
    """The body of a content whose frames are no larger than 4096 octets, and no more of them than needed."""
    kind, _, payload = read_frame(client)
    assert kind == METHOD
    kind, _, payload = read_frame(client)
    assert kind == HEADER
    decode_header(payload)
    size = int.from_bytes(payload[4:12], "big")
    body = b""
    while len(body) < size:
        kind, _, payload = read_frame(client)
        assert kind == BODY
        assert len(payload) == min(4088, size - len(body))
        body += payload
    return body
