"""channel_max limits how many channels are open, not their numbers."""

from __future__ import annotations

import pytest
from steps import Connect, close_channel, drain, expect_connection_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import ChannelOpen


def test_one_more_than_negotiated_ends_the_connection(connect: Connect) -> None:
    client = connect(channel_max=2)
    client.channel(1)
    client.channel(2)
    client.send(3, ChannelOpen())
    expect_connection_error(
        client, 530, "number of channels opened (2) has reached the negotiated channel_max (2)", None
    )


def test_a_closed_channel_makes_room(connect: Connect) -> None:
    client = connect(channel_max=2)
    client.channel(1)
    client.channel(2)
    close_channel(client, 1)
    client.channel(3)


@pytest.mark.parametrize("number", [256, 2048, 65535])
def test_numbers_may_be_higher_than_channel_max(client: Client, number: int) -> None:
    client.channel(number)
    queue = own_queue(client, number)
    client.publish(number, "", queue, b"from afar")
    assert drain(client, queue, number) == [b"from afar"]


def test_all_2047_channels_can_be_open_at_once(connect: Connect) -> None:
    client = connect()
    for number in range(1, 2048):
        client.channel(number)
    client.send(2048, ChannelOpen())
    expect_connection_error(
        client, 530, "number of channels opened (2047) has reached the negotiated channel_max (2047)", None
    )
