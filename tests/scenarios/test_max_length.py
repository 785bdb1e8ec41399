"""x-max-length and x-max-length-bytes: a queue that is too long drops its oldest messages."""

from __future__ import annotations

from steps import consume, deliveries, drain, expect_ready, fill, own_queue, reopen_channel, take

from amqpd.testing.client import Client


def test_the_oldest_messages_make_room(client: Client) -> None:
    queue = own_queue(client, arguments={"x-max-length": 2})
    fill(client, queue, b"a", b"b", b"c")
    assert drain(client, queue) == [b"b", b"c"]


def test_bytes_of_bodies_are_limited(client: Client) -> None:
    queue = own_queue(client, arguments={"x-max-length-bytes": 5})
    fill(client, queue, b"aaa", b"bb", b"c")
    expect_ready(client, queue, 2)
    fill(client, queue, b"more than fits")
    assert drain(client, queue) == []


def test_both_limits_hold(client: Client) -> None:
    queue = own_queue(client, arguments={"x-max-length": 2, "x-max-length-bytes": 5})
    fill(client, queue, b"a", b"b", b"c", b"ddd", b"eee")
    assert drain(client, queue) == [b"eee"]


def test_unacked_messages_do_not_count(client: Client) -> None:
    queue = own_queue(client, arguments={"x-max-length": 1})
    fill(client, queue, b"a")
    take(client, queue)
    fill(client, queue, b"b")
    assert drain(client, queue) == [b"b"]


def test_what_is_requeued_beyond_the_limit_is_dropped(client: Client) -> None:
    queue = own_queue(client, arguments={"x-max-length": 1})
    fill(client, queue, b"a")
    take(client, queue)
    fill(client, queue, b"b")
    reopen_channel(client)
    expect_ready(client, queue, 1)
    assert drain(client, queue) == [b"b"]


def test_without_room_a_message_still_reaches_a_consumer_that_waits(client: Client) -> None:
    queue = own_queue(client, arguments={"x-max-length": 0})
    fill(client, queue, b"nobody waits")
    expect_ready(client, queue, 0)
    consume(client, queue, no_ack=True)
    client.publish(1, "", queue, b"somebody waits")
    assert deliveries(client, 1) == [b"somebody waits"]
