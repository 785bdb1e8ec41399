"""Who talks out of turn before connection.open is answered with a closed socket, not with a frame."""

from __future__ import annotations

import time

import pytest
from steps import Connect, greet

from amqpd.testing.client import raw_frame
from amqpd.wire.methods import (
    ChannelOpen,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionStartOk,
    ConnectionTune,
    ConnectionTuneOk,
    QueueDeclare,
)
from amqpd.wire.schema import Method


def test_nothing_may_come_before_start_ok(connect: Connect) -> None:
    began = time.monotonic()
    clients = []
    too_early: list[tuple[int, Method]] = [
        (0, ConnectionTuneOk(2047, 131072, 0)),
        (0, ConnectionOpen("/")),
        (0, ConnectionClose()),
        (1, ChannelOpen()),
        (1, QueueDeclare()),
    ]
    for channel, method in too_early:
        client = greet(connect)
        client.send(channel, method)
        clients.append(client)
    for client in clients:
        client.expect_closed()
    assert time.monotonic() - began > 2


def test_a_heartbeat_may_come_before_start_ok(connect: Connect) -> None:
    client = greet(connect)
    client.write(raw_frame(8, 0, b""))
    client.send(0, ConnectionStartOk(response=b"\0guest\0guest"))
    client.expect(0, ConnectionTune)


@pytest.mark.ours("3.10 closes the socket without a frame")
def test_a_client_that_logged_in_may_close_instead_of_opening(connect: Connect) -> None:
    client = connect(handshake=False)
    client.log_in()
    client.call(0, ConnectionClose(), ConnectionCloseOk)
    client.expect_closed()
