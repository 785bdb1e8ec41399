from __future__ import annotations

import re

import pytest
from steps import (
    Name,
    bind,
    consume,
    declare_exchange,
    delivered,
    deliveries,
    drain,
    expect_channel_error,
    expect_connection_error,
    fill,
    own_queue,
    reopen_channel,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicCancel, BasicCancelOk, BasicConsume, BasicConsumeOk, BasicDeliver
from amqpd.wire.properties import Properties


def test_the_message_comes_with_all_that_belongs_to_it(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    queue = own_queue(client)
    bind(client, queue, exchange, "a.#")
    consume(client, queue, "tag")
    properties = Properties(content_type="text/plain", headers={"a": 1})
    client.publish(1, exchange, "a.b", b"body", properties)
    delivery = delivered(client)
    assert delivery.method == BasicDeliver("tag", 1, False, exchange, "a.b")
    assert (delivery.properties, delivery.body) == (properties, b"body")


def test_consume_ok_comes_before_the_first_delivery(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"waiting")
    client.send(1, BasicConsume(queue=queue, consumer_tag="tag"))
    assert client.expect(1, BasicConsumeOk).consumer_tag == "tag"
    assert deliveries(client, 1) == [b"waiting"]


def test_the_broker_makes_up_a_tag_when_none_is_given(client: Client) -> None:
    queue = own_queue(client)
    one, other = consume(client, queue), consume(client, queue)
    assert re.fullmatch(r"amq\.ctag-[A-Za-z0-9_-]{22}", one)
    assert one != other


@pytest.mark.parametrize("tag", ["a", "amq.ctag-mine", "ünïcode 漢字", "x" * 255, "\r\n"])
def test_any_tag_of_255_octets_will_do(client: Client, tag: str) -> None:
    queue = own_queue(client)
    assert consume(client, queue, tag) == tag
    client.publish(1, "", queue)
    assert delivered(client).method.consumer_tag == tag


def test_a_tag_in_use_on_the_channel_cannot_be_used_again(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    consume(client, one, "tag")
    client.send(1, BasicConsume(queue=other, consumer_tag="tag"))
    expect_connection_error(client, 530, "attempt to reuse consumer tag 'tag'", BasicConsume)


def test_a_tag_in_use_on_another_channel_is_free(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    consume(client, queue, "tag", channel=1)
    consume(client, queue, "tag", channel=2)


def test_a_tag_is_free_again_when_its_consumer_is_cancelled(client: Client) -> None:
    queue = own_queue(client)
    for _ in range(3):
        consume(client, queue, "tag")
        client.call(1, BasicCancel("tag"), BasicCancelOk)


def test_nowait_is_not_answered(client: Client) -> None:
    queue = own_queue(client)
    client.send(1, BasicConsume(queue=queue, consumer_tag="tag", nowait=True))
    client.publish(1, "", queue, b"message")
    assert delivered(client).method.consumer_tag == "tag"


def test_messages_without_ack_do_not_come_again(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue, no_ack=True)
    client.publish(1, "", queue, b"gone")
    assert deliveries(client, 1) == [b"gone"]
    reopen_channel(client)
    assert drain(client, queue) == []


def test_no_local_is_overlooked(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue, no_local=True)
    client.publish(1, "", queue, b"my own")
    assert deliveries(client, 1) == [b"my own"]


def test_a_missing_queue_is_not_found(client: Client) -> None:
    client.send(1, BasicConsume(queue="nope"))
    expect_channel_error(client, 404, "no queue 'nope' in vhost '/'", BasicConsume)


def test_nowait_does_not_hide_errors(client: Client) -> None:
    client.send(1, BasicConsume(queue="nope", nowait=True))
    expect_channel_error(client, 404, "no queue 'nope' in vhost '/'", BasicConsume)


@pytest.mark.parametrize(("priority", "kind"), [("high", "longstr"), (1.5, "double"), (True, "bool")])
def test_a_priority_is_an_integer(client: Client, priority: object, kind: str) -> None:
    queue = own_queue(client)
    client.send(1, BasicConsume(queue=queue, arguments={"x-priority": priority}))
    text = f"invalid arg 'x-priority' for queue '{queue}' in vhost '/': \"expected integer, got {kind}\""
    expect_channel_error(client, 406, text, BasicConsume)


def test_arguments_of_streams_are_refused(client: Client) -> None:
    queue = own_queue(client)
    client.send(1, BasicConsume(queue=queue, arguments={"x-stream-offset": "first"}))
    text = f"invalid arg 'x-stream-offset' for queue '{queue}' in vhost '/' of queue type rabbit_classic_queue"
    expect_channel_error(client, 406, text, BasicConsume)


def test_arguments_nobody_knows_are_overlooked(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue, arguments={"x-whatever": 1, "other": "two"})
    client.publish(1, "", queue, b"message")
    assert deliveries(client, 1) == [b"message"]
