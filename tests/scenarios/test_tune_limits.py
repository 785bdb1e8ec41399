"""connection.tune-ok: what a client may choose."""

from __future__ import annotations

import pytest
from steps import Connect, expect_connection_error

from amqpd.wire.methods import ConnectionOpen, ConnectionOpenOk, ConnectionTuneOk


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param({"channel_max": 2047, "frame_max": 131072, "heartbeat": 60}, id="what was proposed"),
        pytest.param({"channel_max": 1}, id="one channel"),
        pytest.param({"frame_max": 4096}, id="the smallest frames"),
        pytest.param({"heartbeat": 0}, id="no heartbeats"),
        pytest.param({"heartbeat": 65535}, id="heartbeats more seldom than proposed"),
    ],
)
def test_a_client_may_choose_less(connect: Connect, limits: dict[str, int]) -> None:
    connect(**limits).channel(1)


@pytest.mark.ours("3.10 closes the socket without a frame")
@pytest.mark.parametrize(
    ("channel_max", "frame_max", "explanation"),
    [
        (0, 131072, "negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"),
        (2048, 131072, "negotiated channel_max = 2048 is higher than the maximum allowed value (2047)"),
        (2047, 0, "negotiated frame_max = 0 (no limit) is higher than the maximum allowed value (131072)"),
        (2047, 131073, "negotiated frame_max = 131073 is higher than the maximum allowed value (131072)"),
        (2047, 4095, "negotiated frame_max = 4095 is lower than the minimum allowed value (4096)"),
    ],
)
def test_a_client_may_not_choose_more(connect: Connect, channel_max: int, frame_max: int, explanation: str) -> None:
    client = connect(handshake=False)
    client.log_in()
    client.send(0, ConnectionTuneOk(channel_max, frame_max, 60))
    expect_connection_error(client, 530, explanation, ConnectionTuneOk)


def test_a_client_that_chooses_more_is_not_let_in(connect: Connect) -> None:
    clients = []
    for channel_max, frame_max in [(0, 131072), (2048, 131072), (2047, 0), (2047, 131073), (2047, 4095)]:
        client = connect(handshake=False)
        client.log_in()
        client.send(0, ConnectionTuneOk(channel_max, frame_max, 0), ConnectionOpen("/"))
        clients.append(client)
    for client in clients:
        with pytest.raises((ConnectionError, AssertionError)):
            client.expect(0, ConnectionOpenOk)
