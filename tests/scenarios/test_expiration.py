"""The property expiration: how long a message may wait, wherever it waits."""

from __future__ import annotations

import time

from steps import consume, delivered, deliveries, drain, expect_ready, fill, get, own_queue

from amqpd.testing.client import Client
from amqpd.wire.properties import Properties


def test_a_message_is_gone_when_its_time_is_over(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"a", properties=Properties(expiration="200"))
    expect_ready(client, queue, 1)
    time.sleep(0.3)
    expect_ready(client, queue, 0)


def test_it_keeps_its_expiration(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"a", properties=Properties(expiration="60000"))
    command = get(client, queue)
    assert command is not None
    assert command.properties == Properties(expiration="60000")


def test_behind_one_that_stays_it_counts_but_is_never_handed_out(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"stays")
    fill(client, queue, b"goes", properties=Properties(expiration="100"))
    fill(client, queue, b"stays, too")
    time.sleep(0.2)
    expect_ready(client, queue, 3)
    assert drain(client, queue) == [b"stays", b"stays, too"]


def test_nor_is_it_delivered(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"stays")
    fill(client, queue, b"goes", properties=Properties(expiration="100"))
    fill(client, queue, b"stays, too")
    time.sleep(0.2)
    consume(client, queue)
    assert deliveries(client, 2) == [b"stays", b"stays, too"]
    assert client.silence()


def test_with_no_time_at_all_it_still_reaches_a_consumer_that_waits(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"nobody waits", properties=Properties(expiration="0"))
    expect_ready(client, queue, 0)
    consume(client, queue)
    client.publish(1, "", queue, b"somebody waits", Properties(expiration="0"))
    assert delivered(client).body == b"somebody waits"
