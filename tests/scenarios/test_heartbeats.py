"""Heartbeats (specification 4.2.7), at an interval of one second."""

from __future__ import annotations

import time

import pytest
from steps import Connect, Name, declare

from amqpd.testing.client import Client


def test_the_broker_sends_heartbeats_every_half_interval_when_it_has_nothing_to_say(connect: Connect) -> None:
    client = connect(heartbeat=1)
    began = time.monotonic()
    for _ in range(3):
        assert client.receive(timeout=2).method is None
    assert time.monotonic() - began < 2.2


def test_without_heartbeats_none_are_sent(client: Client) -> None:
    with pytest.raises(TimeoutError):
        client.receive(timeout=0.7)


def test_a_peer_that_sends_nothing_is_given_up_without_a_word(connect: Connect, name: Name) -> None:
    client = connect(heartbeat=1)
    client.channel(1)
    queue = name("queue")
    declare(client, queue, exclusive=True)
    began = time.monotonic()
    client.expect_closed(timeout=5)
    assert 1.5 < time.monotonic() - began < 5
    other = connect()
    other.channel(1)
    declare(other, queue, exclusive=True)
    other.close()
