from __future__ import annotations

import pytest
from steps import close_channel, drain, expect_connection_error, own_queue, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicGet, ChannelClose, ChannelCloseOk, ChannelOpen, ChannelOpenOk


def test_the_number_may_be_used_again(client: Client) -> None:
    for _ in range(3):
        close_channel(client)
        client.channel(1)


def test_any_reason_will_do(client: Client) -> None:
    client.call(1, ChannelClose(320, "no reason", 60, 40), ChannelCloseOk)


@pytest.mark.ours("3.10 takes channel.open for a second one until it has sent close-ok")
def test_close_and_open_may_come_together(client: Client) -> None:
    client.send(1, ChannelClose(), ChannelOpen())
    client.expect(1, ChannelCloseOk)
    client.expect(1, ChannelOpenOk)


def test_other_channels_live_on(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    close_channel(client, 1)
    assert drain(client, queue, channel=2) == []


def test_a_closed_channel_cannot_be_closed_or_used(client: Client) -> None:
    close_channel(client)
    client.send(1, ChannelClose())
    expect_connection_error(client, 504, "expected 'channel.open'", ChannelClose)


def test_a_new_channel_knows_nothing_of_the_old_one(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"")
    assert take(client, queue) == 1
    close_channel(client)
    client.channel(1)
    assert take(client, queue) == 1
    close_channel(client)
    client.channel(1)
    client.send(1, BasicGet())
    close = client.expect(1, ChannelClose)
    assert close.reply_text == "NOT_FOUND - no previously declared queue"


@pytest.mark.parametrize("channel", [0, 2])
def test_channel_open_is_needed_for_each_number(client: Client, channel: int) -> None:
    client.send(channel, ChannelClose())
    reason = "expected 'channel.open'" if channel else "unexpected method in connection state running"
    expect_connection_error(client, 504, reason, ChannelClose)
