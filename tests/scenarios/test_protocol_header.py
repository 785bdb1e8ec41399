"""The first eight bytes of a connection (specification 4.2.2)."""

from __future__ import annotations

import pytest
from steps import Connect, read_exactly

from amqpd.wire.methods import ConnectionStart
from amqpd.wire.spec import PROTOCOL_HEADER


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"AMQP\x00\x00\x09\x00", id="0-9 as it is in the specification"),
        pytest.param(b"AMQP\x00\x00\x09\x02", id="a later revision"),
        pytest.param(b"AMQP\x00\x00\x0a\x00", id="0-10"),
        pytest.param(b"AMQP\x00\x00\x08\x00", id="0-8 with a new layout"),
        pytest.param(b"AMQP\x00\x01\x00\x00", id="AMQP 1.0"),
        pytest.param(b"AMQP\x03\x01\x00\x00", id="AMQP 1.0 with SASL"),
        pytest.param(b"AMQP\x02\x01\x00\x00", id="AMQP 1.0 with TLS"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01", id="TLS"),
        pytest.param(b"XXXXXXXX", id="noise"),
    ],
)
def test_a_wrong_header_is_answered_with_the_right_one(connect: Connect, header: bytes) -> None:
    client = connect(handshake=False)
    client.write(header)
    assert read_exactly(client, 8) == PROTOCOL_HEADER
    client.expect_closed()


def test_a_header_may_come_in_pieces(connect: Connect) -> None:
    client = connect(handshake=False)
    for octet in PROTOCOL_HEADER:
        client.write(bytes([octet]))
    assert client.expect(0, ConnectionStart).version_minor == 9


def test_the_header_of_older_0_9_clients_is_taken_too(connect: Connect) -> None:
    client = connect(handshake=False)
    client.write(b"AMQP\x01\x01\x00\x09")
    start = client.expect(0, ConnectionStart)
    assert (start.version_major, start.version_minor) == (0, 9)


@pytest.mark.ours("3.10 still speaks AMQP 0-8, later versions do not")
def test_the_header_of_0_8_clients_is_wrong(connect: Connect) -> None:
    client = connect(handshake=False)
    client.write(b"AMQP\x01\x01\x08\x00")
    assert read_exactly(client, 8) == PROTOCOL_HEADER
    client.expect_closed()
