"""Frames are limited to what was negotiated. Like RabbitMQ, a payload may be as large as the whole frame."""

from __future__ import annotations

import struct

import pytest
from steps import Connect, drain, expect_connection_error, own_queue

from amqpd.testing.client import raw_frame
from amqpd.wire.methods import BasicPublish
from amqpd.wire.properties import encode_header
from amqpd.wire.writer import method_frame


@pytest.mark.parametrize("frame_max", [4096, 131072])
def test_a_larger_one_is_refused_before_its_payload_comes(connect: Connect, frame_max: int) -> None:
    client = connect(frame_max=frame_max)
    client.channel(1)
    client.write(struct.pack(">BHI", 3, 1, frame_max + 1) + b"x" * 9)
    expect_connection_error(
        client, 501, f"type 3, all octets = <<>>: {{frame_too_large,{frame_max + 1},{frame_max - 8}}}"
    )


@pytest.mark.parametrize("frame_max", [4096, 131072])
def test_a_payload_of_the_negotiated_size_is_taken(connect: Connect, frame_max: int) -> None:
    client = connect(frame_max=frame_max)
    client.channel(1)
    queue = own_queue(client)
    body = b"x" * frame_max
    client.write(
        method_frame(1, BasicPublish(routing_key=queue))
        + raw_frame(2, 1, encode_header(None, len(body)))
        + raw_frame(3, 1, body)
    )
    assert drain(client, queue) == [body]
