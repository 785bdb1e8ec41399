from __future__ import annotations

from steps import Name, bind, declare_exchange, expect_channel_error, fill, get, own_queue, reopen_channel, take

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicGet, BasicGetEmpty, BasicGetOk
from amqpd.wire.properties import Properties


def test_the_message_comes_with_all_that_belongs_to_it(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    queue = own_queue(client)
    bind(client, queue, exchange, "a.#")
    properties = Properties(content_type="text/plain", headers={"a": 1})
    client.publish(1, exchange, "a.b", b"body", properties)
    got = get(client, queue)
    assert got.method == BasicGetOk(1, False, exchange, "a.b", 0)
    assert (got.properties, got.body) == (properties, b"body")


def test_the_messages_left_are_counted(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two", b"three")
    take(client, queue)
    assert get(client, queue).method.message_count == 1
    assert get(client, queue).method.message_count == 0


def test_an_empty_queue_says_so(client: Client) -> None:
    queue = own_queue(client)
    assert client.call(1, BasicGet(queue=queue), BasicGetEmpty).reserved_1 == ""


def test_a_queue_whose_messages_are_all_unacked_is_empty(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one")
    take(client, queue)
    client.call(1, BasicGet(queue=queue), BasicGetEmpty)


def test_no_ack_takes_the_message_for_good(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"gone", b"returned")
    get(client, queue, no_ack=True)
    get(client, queue, no_ack=False)
    reopen_channel(client)
    got = get(client, queue)
    assert (got.body, got.method.redelivered) == (b"returned", True)
    assert get(client, queue) is None


def test_a_missing_queue_is_not_found(client: Client) -> None:
    client.send(1, BasicGet(queue="nope"))
    expect_channel_error(client, 404, "no queue 'nope' in vhost '/'", BasicGet)
