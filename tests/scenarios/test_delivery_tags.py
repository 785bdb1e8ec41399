"""Delivery tags count the deliveries of a channel, from 1."""

from __future__ import annotations

from steps import consume, delivered, fill, get, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicNack


def test_gets_and_deliveries_share_them(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    fill(client, one, b"1", b"2")
    fill(client, other, b"3", b"4")
    assert take(client, one) == 1
    consume(client, other)
    assert [delivered(client).method.delivery_tag for _ in range(2)] == [2, 3]
    assert take(client, one) == 4


def test_deliveries_without_ack_have_them_too(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1", b"2", b"3")
    assert get(client, queue, no_ack=True).method.delivery_tag == 1
    assert take(client, queue) == 2
    consume(client, queue, no_ack=True)
    assert delivered(client).method.delivery_tag == 3


def test_each_channel_counts_for_itself(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1", b"2")
    client.channel(2)
    assert take(client, queue, channel=1) == 1
    assert take(client, queue, channel=2) == 1


def test_a_message_that_comes_again_has_a_new_one(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1")
    for tag in (1, 2, 3):
        assert take(client, queue) == tag
        client.send(1, BasicNack(tag))


def test_settled_ones_are_not_given_out_again(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1", b"2")
    client.send(1, BasicAck(take(client, queue)))
    assert take(client, queue) == 2


def test_a_channel_opened_again_starts_anew(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"1")
    assert take(client, queue) == 1
    reopen_channel(client)
    assert take(client, queue) == 1
