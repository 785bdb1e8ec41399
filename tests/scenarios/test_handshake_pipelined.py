"""Clients need not wait for answers: the broker answers in order."""

from __future__ import annotations

from steps import Connect

from amqpd.wire.methods import (
    BasicGet,
    BasicGetOk,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionStartOk,
    ConnectionTune,
    ConnectionTuneOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.spec import PROTOCOL_HEADER

LOGIN = ConnectionStartOk(response=b"\0guest\0guest")
TUNE_OK = ConnectionTuneOk(2047, 131072, 0)


def test_channels_are_opened_and_used_together_with_the_connection(connect: Connect) -> None:
    client = connect(handshake=False)
    client.log_in()
    session = client.session
    client.write(
        session.encode(0, TUNE_OK, ConnectionOpen("/"))
        + session.encode(1, ChannelOpen(), QueueDeclare(exclusive=True))
        + session.encode(2, ChannelOpen(), QueueDeclare(exclusive=True))
    )
    client.expect(0, ConnectionOpenOk)
    answers = [client.receive() for _ in range(4)]
    for channel in (1, 2):
        kinds = [type(answer.method) for answer in answers if answer.channel == channel]
        assert kinds == [ChannelOpenOk, QueueDeclareOk]


def test_everything_may_be_said_at_once(connect: Connect) -> None:
    client = connect(handshake=False)
    session = client.session
    client.write(
        PROTOCOL_HEADER
        + session.encode(0, LOGIN, TUNE_OK, ConnectionOpen("/"))
        + session.encode(1, ChannelOpen(), QueueDeclare(queue="pipelined", exclusive=True))
        + session.encode_publish(1, "", "pipelined", b"early")
        + session.encode(1, BasicGet(queue="pipelined", no_ack=True))
    )
    for kind in (ConnectionStart, ConnectionTune, ConnectionOpenOk):
        client.expect(0, kind)
    for kind in (ChannelOpenOk, QueueDeclareOk):
        client.expect(1, kind)
    assert client.expect_command(1, BasicGetOk).body == b"early"
