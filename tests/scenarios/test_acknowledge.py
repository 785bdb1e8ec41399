"""basic.ack: what is acked is gone, what is not comes back when the channel closes."""

from __future__ import annotations

from steps import consume, delivered, drain, fill, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck

BODIES = [b"1", b"2", b"3", b"4", b"5"]


def test_an_acked_message_is_gone(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"message")
    client.send(1, BasicAck(take(client, queue)))
    reopen_channel(client)
    assert drain(client, queue) == []


def test_a_message_may_be_acked_out_of_turn(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    consume(client, queue)
    for _ in BODIES:
        delivered(client)
    client.send(1, BasicAck(4), BasicAck(1), BasicAck(5))
    reopen_channel(client)
    assert drain(client, queue) == [b"2", b"3"]


def test_multiple_acks_all_up_to_a_tag(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in BODIES:
        take(client, queue)
    client.send(1, BasicAck(3, multiple=True))
    reopen_channel(client)
    assert drain(client, queue) == [b"4", b"5"]


def test_multiple_with_tag_zero_acks_all(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in BODIES[:4]:
        take(client, queue)
    client.send(1, BasicAck(0, multiple=True))
    reopen_channel(client)
    assert drain(client, queue) == [b"5"]


def test_multiple_with_tag_zero_acks_nothing_when_there_is_nothing(client: Client) -> None:
    client.send(1, BasicAck(0, multiple=True), BasicAck(0, multiple=True))
    own_queue(client)


def test_multiple_covers_all_queues_and_gets_as_well_as_deliveries(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    fill(client, one, b"got")
    fill(client, other, b"delivered", b"also delivered")
    take(client, one)
    consume(client, other)
    delivered(client)
    delivered(client)
    client.send(1, BasicAck(2, multiple=True))
    reopen_channel(client)
    assert drain(client, one) == []
    assert drain(client, other) == [b"also delivered"]


def test_multiple_passes_over_what_was_settled_before(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in BODIES:
        take(client, queue)
    client.send(1, BasicAck(2), BasicAck(4, multiple=True))
    reopen_channel(client)
    assert drain(client, queue) == [b"5"]


def test_another_channels_messages_are_not_meant(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    fill(client, queue, b"first", b"second")
    take(client, queue, channel=1)
    take(client, queue, channel=2)
    client.send(2, BasicAck(1, multiple=True))
    reopen_channel(client, 2)
    reopen_channel(client, 1)
    assert drain(client, queue) == [b"first"]
