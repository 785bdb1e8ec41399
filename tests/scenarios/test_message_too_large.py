from __future__ import annotations

import pytest
from steps import drain, own_queue

from amqpd.testing.client import Client, raw_frame
from amqpd.wire.methods import BasicPublish, ChannelClose, ChannelCloseOk
from amqpd.wire.properties import encode_header
from amqpd.wire.writer import method_frame

LIMIT = 128 << 20


TEXT = f"PRECONDITION_FAILED - message size {LIMIT + 1} is larger than configured max size {LIMIT}"

pytestmark = pytest.mark.ours("3.10 waits for the whole body before it refuses it")


def test_a_body_over_the_limit_is_refused_by_its_header(client: Client) -> None:
    announce(client, "nobody")
    assert client.expect(1, ChannelClose) == ChannelClose(406, TEXT, 60, 40)


def test_the_rest_of_that_body_is_skipped_and_the_connection_lives_on(client: Client) -> None:
    queue = own_queue(client)
    client.channel(2)
    announce(client, queue)
    client.expect(1, ChannelClose)
    piece = raw_frame(3, 1, b"x" * (128 << 10))
    client.write(piece)
    client.publish(2, "", queue, b"meanwhile")
    for _ in range(1023):
        client.write(piece)
    client.write(raw_frame(3, 1, b"x"))
    client.send(1, ChannelCloseOk())
    client.channel(1)
    assert drain(client, queue) == [b"meanwhile"]


def announce(client: Client, queue: str) -> None:
    client.write(method_frame(1, BasicPublish(routing_key=queue)) + raw_frame(2, 1, encode_header(None, LIMIT + 1)))
