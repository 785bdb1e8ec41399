"""The consistent-hash exchange: every message goes to one queue, the same for all with the same key."""

from __future__ import annotations

from typing import Any

import pytest
from steps import Name, bind, declare_exchange, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import ExchangeDeclare, QueueBind
from amqpd.wire.properties import Properties

KIND = "x-consistent-hash"


def test_every_message_goes_to_one_queue_and_all_of_them_get_some(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND)
    queues = [own_queue(client) for _ in range(3)]
    for queue in queues:
        bind(client, queue, exchange, "1")
    bodies = [str(number).encode() for number in range(300)]
    for body in bodies:
        client.publish(1, exchange, body.decode(), body)
    found = [drain(client, queue) for queue in queues]
    assert sorted(found[0] + found[1] + found[2]) == sorted(bodies)
    assert all(len(each) > 50 for each in found)


def test_messages_with_one_key_stay_together_and_in_order(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND)
    queues = [own_queue(client) for _ in range(3)]
    for queue in queues:
        bind(client, queue, exchange, "1")
    bodies = [b"1", b"2", b"3", b"4"]
    for body in bodies:
        client.publish(1, exchange, "key", body)
    assert sorted(drain(client, queue) for queue in queues) == [[], [], bodies]


def test_a_heavier_queue_gets_more(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND)
    light, heavy = own_queue(client), own_queue(client)
    bind(client, light, exchange, "1")
    bind(client, heavy, exchange, "9")
    for number in range(500):
        client.publish(1, exchange, f"key {number}")
    share = len(drain(client, heavy))
    assert 400 < share < 490
    assert len(drain(client, light)) == 500 - share


@pytest.mark.parametrize(
    ("arguments", "properties"),
    [
        ({"hash-header": "h"}, lambda text: Properties(headers={"h": text})),
        ({"hash-property": "message_id"}, lambda text: Properties(message_id=text)),
        ({"hash-property": "correlation_id"}, lambda text: Properties(correlation_id=text)),
        ({"hash-property": "timestamp"}, lambda text: Properties(timestamp=int(text))),
    ],
)
def test_a_header_or_property_may_be_hashed_instead(
    client: Client, name: Name, arguments: dict[str, Any], properties: Any
) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND, arguments=arguments)
    queues = [own_queue(client) for _ in range(3)]
    for queue in queues:
        bind(client, queue, exchange, "10")
    for number in range(100):
        client.publish(1, exchange, "key", b"different", properties(str(number)))
        client.publish(1, exchange, f"key {number}", b"same", properties("1000"))
    found = [drain(client, queue) for queue in queues]
    assert sorted(each.count(b"same") for each in found) == [0, 0, 100]
    assert all(each.count(b"different") > 5 for each in found)


def test_copies_are_not_made(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND)
    queues = [own_queue(client) for _ in range(3)]
    for queue in queues:
        bind(client, queue, exchange, "1")
    client.publish(1, exchange, "key", b"one", Properties(headers={"CC": ["a", "b", "c", "d"]}))
    assert sorted(len(drain(client, queue)) for queue in queues) == [0, 0, 1]


def test_the_default_arguments_are_not_compared(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND, arguments={"hash-header": "a"})
    declare_exchange(client, exchange, KIND)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            {"hash-header": "a", "hash-property": "message_id"},
            "hash-header and hash-property are mutually exclusive",
        ),
        ({"hash-property": "priority"}, "Unsupported property: priority"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    client: Client, name: Name, arguments: dict[str, Any], reason: str
) -> None:
    client.send(1, ExchangeDeclare(exchange=name("exchange"), type=KIND, arguments=arguments))
    expect_channel_error(client, 406, reason, ExchangeDeclare)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("key", 'The binding key must be an integer: <<"key">>'),
        ("0", "The binding key must be greater than 0"),
        ("-5", "The binding key must be greater than 0"),
        pytest.param(
            "10001",
            "The binding key must not exceed 10000",
            marks=pytest.mark.ours("4.x has this limit"),
        ),
    ],
)
def test_a_binding_key_has_to_be_a_weight(client: Client, name: Name, key: str, reason: str) -> None:
    exchange = declare_exchange(client, name("exchange"), KIND)
    client.send(1, QueueBind(queue=own_queue(client), exchange=exchange, routing_key=key))
    expect_channel_error(client, 406, reason, QueueBind)
