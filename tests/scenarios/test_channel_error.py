"""A channel exception: channel.close from the broker, and nothing counts on the channel until close-ok."""

from __future__ import annotations

import pytest
from steps import declare, drain, expect_connection_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicGet,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ChannelOpenOk,
    QueueDeclare,
    QueueDelete,
)


def fail(client: Client, channel: int = 1) -> None:
    """Have the broker close a channel."""
    client.send(channel, QueueDeclare(queue="nope", passive=True))
    assert client.expect(channel, ChannelClose) == ChannelClose(404, "NOT_FOUND - no queue 'nope' in vhost '/'", 50, 10)


def test_the_number_may_be_used_again_after_close_ok(client: Client) -> None:
    for _ in range(3):
        fail(client)
        client.send(1, ChannelCloseOk())
        client.channel(1)


def test_other_channels_live_on(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client, channel=2)
    fail(client)
    assert drain(client, queue, channel=2) == []


def test_methods_and_contents_are_dropped_until_close_ok(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client, channel=2)
    fail(client)
    client.send(1, QueueDelete(queue=queue), BasicGet(queue="nope either"))
    client.publish(1, "", queue, b"dropped")
    client.send(1, ChannelCloseOk(), ChannelOpen())
    client.publish(1, "", queue, b"kept")
    client.expect(1, ChannelOpenOk)
    assert drain(client, queue) == [b"kept"]


def test_the_first_of_several_errors_counts(client: Client) -> None:
    client.send(1, *[QueueDeclare(queue=queue, passive=True) for queue in ("first", "second", "third")])
    client.send(1, ChannelClose())
    assert client.expect(1, ChannelClose).reply_text == "NOT_FOUND - no queue 'first' in vhost '/'"
    client.expect(1, ChannelCloseOk)


def test_a_close_of_the_client_that_crosses_it_gets_its_close_ok(client: Client) -> None:
    fail(client)
    client.call(1, ChannelClose(), ChannelCloseOk)
    client.send(1, ChannelCloseOk())
    client.channel(1)


@pytest.mark.ours("3.10 insists on close-ok")
def test_after_crossing_closes_the_clients_close_ok_is_not_waited_for(client: Client) -> None:
    fail(client)
    client.call(1, ChannelClose(), ChannelCloseOk)
    client.channel(1)


def test_the_number_cannot_be_used_before_close_ok(client: Client) -> None:
    fail(client)
    client.send(1, ChannelOpen())
    expect_connection_error(client, 504, "second 'channel.open' seen", ChannelOpen)


def test_an_error_leaves_what_was_done_before(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client, channel=2)
    client.publish(1, "", queue, b"before")
    fail(client)
    assert drain(client, queue, channel=2) == [b"before"]
    assert declare(client, queue, channel=2, passive=True).queue == queue
