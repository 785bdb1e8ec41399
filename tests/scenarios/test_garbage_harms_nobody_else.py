from __future__ import annotations

import random

import pytest
from steps import Connect, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.spec import PROTOCOL_HEADER


@pytest.mark.parametrize("stage", ["at first", "after the header", "on an open channel"])
def test_noise_on_one_connection_leaves_another_alone(client: Client, connect: Connect, stage: str) -> None:
    queue = own_queue(client)
    noise = random.Random(stage)
    for _ in range(20):
        other = connect(handshake=stage == "on an open channel")
        if stage == "after the header":
            other.write(PROTOCOL_HEADER)
        elif stage == "on an open channel":
            other.channel(1)
        other.write(noise.randbytes(noise.randrange(8, 2000)))
        other.drop()
        client.publish(1, "", queue, b"undisturbed")
        assert drain(client, queue) == [b"undisturbed"]


def test_a_connection_cut_in_the_middle_of_a_content_leaves_nothing(client: Client, connect: Connect) -> None:
    queue = own_queue(client)
    data = client.session.encode_publish(1, "", queue, b"never whole")
    for cut in range(1, len(data)):
        other = connect()
        other.channel(1)
        other.write(data[:cut])
        other.drop()
    client.publish(1, "", queue, b"whole")
    assert drain(client, queue) == [b"whole"]
