"""Requeued messages return to their old places."""

from __future__ import annotations

import pytest
from steps import Connect, Name, consume, declare, delivered, drain, fill, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicNack, BasicRecover, BasicRecoverOk, BasicReject

BODIES = [b"1", b"2", b"3", b"4", b"5", b"6"]


def test_one_returns_to_the_front(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    client.send(1, BasicReject(take(client, queue), requeue=True))
    assert drain(client, queue) == BODIES


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (2, 4, 1, 3)])
def test_several_return_in_order_however_they_are_requeued(client: Client, order: tuple[int, ...]) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in range(4):
        take(client, queue)
    for tag in order:
        client.send(1, BasicNack(tag))
    assert drain(client, queue) == BODIES


def test_several_at_once_return_in_order(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in range(4):
        take(client, queue)
    client.send(1, BasicAck(2), BasicNack(3, multiple=True), BasicNack(4))
    assert drain(client, queue) == [b"1", b"3", b"4", b"5", b"6"]


def test_they_return_between_those_that_stayed_and_those_returned_before(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in range(5):
        take(client, queue)
    client.send(1, BasicNack(1), BasicNack(5))
    client.send(1, BasicNack(3))
    assert drain(client, queue) == [b"1", b"3", b"5", b"6"]
    client.send(1, BasicNack(4, multiple=True))
    assert drain(client, queue) == [b"2", b"4"]


def test_they_return_before_what_was_published_meanwhile(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"first")
    tag = take(client, queue)
    fill(client, queue, b"second")
    client.send(1, BasicNack(tag))
    assert drain(client, queue) == [b"first", b"second"]


def test_a_closed_channel_returns_all_it_held(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in range(3):
        take(client, queue)
    client.send(1, BasicAck(2))
    reopen_channel(client)
    assert drain(client, queue) == [b"1", b"3", b"4", b"5", b"6"]


def test_a_channel_closed_by_an_error_returns_all_it_held(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    client.channel(2)
    consume(client, queue, channel=2)
    for _ in BODIES:
        delivered(client, channel=2)
    client.send(2, BasicAck(99))
    client.receive()
    consume(client, queue)
    assert [delivered(client).body for _ in BODIES] == BODIES


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_connection_that_goes_returns_all_it_held(client: Client, connect: Connect, name: Name, how: str) -> None:
    queue = name("queue")
    declare(client, queue)
    fill(client, queue, *BODIES)
    other = connect()
    other.channel(1)
    other.channel(2)
    for number in range(4):
        take(other, queue, channel=1 + number % 2)
    consume(client, queue)
    assert [delivered(client).body for _ in range(2)] == BODIES[4:]
    getattr(other, how)()
    returned = [delivered(client) for _ in range(4)]
    assert sorted(command.body for command in returned) == BODIES[:4]
    assert all(command.method.redelivered for command in returned)


def test_recover_returns_all_in_order(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, *BODIES)
    for _ in range(4):
        take(client, queue)
    client.call(1, BasicRecover(requeue=True), BasicRecoverOk)
    assert drain(client, queue) == BODIES
