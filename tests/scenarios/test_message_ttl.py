"""x-message-ttl: how long a queue lets its messages wait."""

from __future__ import annotations

import time

import pytest
from steps import consume, delivered, drain, expect_ready, fill, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.properties import Properties


def test_messages_are_gone_when_their_time_is_over(client: Client) -> None:
    queue = own_queue(client, arguments={"x-message-ttl": 200})
    fill(client, queue, b"a", b"b")
    expect_ready(client, queue, 2)
    time.sleep(0.3)
    expect_ready(client, queue, 0)
    assert drain(client, queue) == []


def test_they_go_one_after_another(client: Client) -> None:
    queue = own_queue(client, arguments={"x-message-ttl": 400})
    fill(client, queue, b"a")
    time.sleep(0.25)
    fill(client, queue, b"b")
    time.sleep(0.25)
    assert drain(client, queue) == [b"b"]


@pytest.mark.parametrize(("ttl", "expiration"), [(200, "60000"), (60000, "200")])
def test_the_shorter_time_counts(client: Client, ttl: int, expiration: str) -> None:
    queue = own_queue(client, arguments={"x-message-ttl": ttl})
    fill(client, queue, b"a", properties=Properties(expiration=expiration))
    time.sleep(0.3)
    assert drain(client, queue) == []


def test_with_no_time_at_all_a_message_still_reaches_a_consumer_that_waits(client: Client) -> None:
    queue = own_queue(client, arguments={"x-message-ttl": 0})
    fill(client, queue, b"nobody waits")
    expect_ready(client, queue, 0)
    consume(client, queue, no_ack=True)
    client.publish(1, "", queue, b"somebody waits")
    assert delivered(client).body == b"somebody waits"


def test_a_requeued_message_has_the_time_it_had(client: Client) -> None:
    queue = own_queue(client, arguments={"x-message-ttl": 400})
    fill(client, queue, b"a")
    take(client, queue)
    time.sleep(0.25)
    reopen_channel(client)
    expect_ready(client, queue, 1)
    time.sleep(0.25)
    assert drain(client, queue) == []


def test_an_unacked_message_does_not_expire(client: Client) -> None:
    queue = own_queue(client, arguments={"x-message-ttl": 100})
    consume(client, queue)
    client.publish(1, "", queue, b"a")
    assert delivered(client).body == b"a"
    time.sleep(0.2)
    reopen_channel(client)
    expect_ready(client, queue, 0)
