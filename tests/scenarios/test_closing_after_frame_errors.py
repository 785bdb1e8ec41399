"""A frame out of order is an error like others; after one whose end is lost, nothing more can be read."""

from __future__ import annotations

import struct
import time

import pytest
from steps import Connect

from amqpd.testing.client import Client, raw_frame
from amqpd.wire.methods import ConnectionClose, ConnectionCloseOk


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(raw_frame(9, 1, b""), id="unknown type"),
        pytest.param(raw_frame(3, 1, b"abc"), id="body without method"),
        pytest.param(raw_frame(2, 0, b"abc"), id="header on channel 0"),
    ],
)
def test_close_ok_ends_the_connection_at_once(client: Client, frame: bytes) -> None:
    client.write(frame)
    client.expect(0, ConnectionClose)
    client.send(0, ConnectionCloseOk())
    client.expect_closed(timeout=2)


def test_a_close_of_the_client_that_crosses_it_is_answered(client: Client) -> None:
    client.write(raw_frame(9, 1, b""))
    client.expect(0, ConnectionClose)
    client.call(0, ConnectionClose(), ConnectionCloseOk)


def test_when_frames_cannot_be_told_apart_the_socket_is_closed_after_a_while(connect: Connect) -> None:
    lost = {"wrong end": raw_frame(1, 1, b"abcd", end=0), "too large": struct.pack(">BHI", 3, 1, 1 << 31) + b"x"}
    clients = []
    for frame in lost.values():
        client = connect()
        client.write(frame)
        client.expect(0, ConnectionClose)
        client.send(0, ConnectionCloseOk(), ConnectionClose())
        clients.append(client)
    began = time.monotonic()
    for client in clients:
        client.expect_closed()
    assert time.monotonic() - began > 2
