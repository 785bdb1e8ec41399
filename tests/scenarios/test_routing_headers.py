"""Headers exchanges: which values are equal, and what x-match means, as RabbitMQ decides it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from steps import Name, bind, declare_exchange, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.fields import Float32, Int8, Int16, Int32, Timestamp, UInt8, UInt16, UInt32
from amqpd.wire.methods import QueueBind
from amqpd.wire.properties import Properties

VALUES: dict[str, Any] = {
    "int8": Int8(1),
    "uint8": UInt8(1),
    "int16": Int16(1),
    "uint16": UInt16(1),
    "int32": Int32(1),
    "uint32": UInt32(1),
    "int64": 1,
    "float": Float32(1.0),
    "double": 1.0,
    "timestamp": Timestamp(1),
    "true": True,
    "string": "1",
    "bytes": b"1",
    "decimal 1": Decimal(1),
    "decimal 1.0": Decimal("1.0"),
    "void": None,
    "array of int64": [1],
    "array of int32": [Int32(1)],
    "table of int64": {"a": 1},
    "table of int32": {"a": Int32(1)},
    "empty string": "",
    "false": False,
    "zero": 0,
    "minus zero": -0.0,
    "two": 2,
}
NUMBERS_LIKE_1 = [
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "float",
    "double",
    "timestamp",
]
EQUAL: dict[str, list[str]] = {
    **{name: [name] for name in VALUES},
    **dict.fromkeys(NUMBERS_LIKE_1, NUMBERS_LIKE_1),
    "string": ["string", "bytes"],
    "bytes": ["string", "bytes"],
    "void": list(VALUES),
    "zero": ["zero", "minus zero"],
    "minus zero": ["zero", "minus zero"],
}


@pytest.mark.parametrize("wanted", VALUES)
def test_a_value_equals_these_and_no_others(client: Client, name: Name, wanted: str) -> None:
    exchange = declare_exchange(client, name("exchange"), "headers")
    queue = own_queue(client)
    bind(client, queue, exchange, arguments={"x-match": "all", "key": VALUES[wanted]})
    for given, value in VALUES.items():
        client.publish(1, exchange, "", given.encode(), Properties(headers={"key": value}))
    assert [body.decode() for body in drain(client, queue)] == EQUAL[wanted]


NO_HEADERS: dict[str, Any] = {}
TWO = {"a": 1, "b": "two"}


@pytest.mark.parametrize(
    ("arguments", "matching", "others"),
    [
        ({}, [None, NO_HEADERS, {"a": 1}], []),
        ({"x-match": "all"}, [None, NO_HEADERS, {"a": 1}], []),
        ({"x-match": "any"}, [], [None, NO_HEADERS, {"a": 1}]),
        ({"a": 1}, [{"a": 1}, TWO], [None, NO_HEADERS, {"a": 2}, {"b": 1}]),
        ({"x-match": "all", **TWO}, [TWO, {**TWO, "c": 3}], [None, {"a": 1}, {"b": "two"}, {"a": 2, "b": "two"}]),
        (
            {"x-match": "any", **TWO},
            [TWO, {"a": 1}, {"b": "two"}, {"a": 2, "b": "two"}],
            [None, {"a": "two", "b": 1}, {"A": 1}],
        ),
        ({"x-match": "any", "a": None}, [{"a": 1}, {"a": None}], [None, {"b": 1}]),
        ({"x-match": "any", "x-a": 1}, [], [None, NO_HEADERS, {"x-a": 1}]),
        ({"x-match": "all", "x-a": 1}, [None, NO_HEADERS, {"x-a": 1}, {"x-a": 2}], []),
        ({"x-match": "all", "x-a": 1, "b": 2}, [{"b": 2}, {"x-a": 1, "b": 2}], [{"x-a": 1}]),
        ({"x-match": "any", "x-a": 1, "b": 2}, [{"b": 2}], [{"x-a": 1}]),
        ({"x-match": "all-with-x", "x-a": 1}, [{"x-a": 1}], [None, NO_HEADERS, {"x-a": 2}]),
        ({"x-match": "all-with-x", "x-a": 1, "b": 2}, [{"x-a": 1, "b": 2}], [{"x-a": 1}, {"b": 2}]),
        ({"x-match": "any-with-x", "x-a": 1, "b": 2}, [{"x-a": 1}, {"b": 2}], [None, NO_HEADERS, {"x-a": 2}]),
        ({"x-match": "any-with-x", "x-a": None}, [{"x-a": 1}], [None, NO_HEADERS]),
        ({"x-match": "all-with-x"}, [None, {"x-match": "any"}], []),
    ],
    ids=str,
)
def test_all_and_any_with_and_without_x(
    client: Client, name: Name, arguments: dict[str, Any], matching: list[Any], others: list[Any]
) -> None:
    exchange = declare_exchange(client, name("exchange"), "headers")
    queue = own_queue(client)
    bind(client, queue, exchange, arguments=arguments)
    for headers in [*matching, *others]:
        properties = None if headers is None else Properties(headers=headers)
        client.publish(1, exchange, "", str(headers).encode(), properties)
    assert drain(client, queue) == [str(headers).encode() for headers in matching]


def test_routing_keys_do_not_count(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "headers")
    queue = own_queue(client)
    bind(client, queue, exchange, "some key", {"a": 1})
    client.publish(1, exchange, "another key", b"matches", Properties(headers={"a": 1}))
    assert drain(client, queue) == [b"matches"]


def test_bindings_of_one_queue_may_differ_by_their_keys_alone(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "headers")
    queue = own_queue(client)
    bind(client, queue, exchange, "one", {"a": 1})
    bind(client, queue, exchange, "two", {"a": 1})
    client.publish(1, exchange, "", b"once", Properties(headers={"a": 1}))
    assert drain(client, queue) == [b"once"]


@pytest.mark.parametrize("properties", [Properties(content_type="a"), Properties(message_id="1", type="a")])
def test_properties_are_not_headers(client: Client, name: Name, properties: Properties) -> None:
    exchange = declare_exchange(client, name("exchange"), "headers")
    queue = own_queue(client)
    bind(client, queue, exchange, "", {"x-match": "any", "content_type": "a", "type": "a", "message_id": "1"})
    client.publish(1, exchange, "", b"lost", properties)
    assert drain(client, queue) == []


@pytest.mark.ours("3.10 prints the Erlang term <<...>>")
@pytest.mark.parametrize("mode", ["foo", "", "All", "all-with-y"])
def test_other_modes_are_refused(client: Client, mode: str) -> None:
    queue = own_queue(client)
    client.send(1, QueueBind(queue=queue, exchange="amq.headers", arguments={"x-match": mode}))
    text = f'Invalid x-match field value "{mode}"; expected all, any, all-with-x, or any-with-x'
    expect_channel_error(client, 406, text, QueueBind)


@pytest.mark.parametrize(
    ("mode", "kind", "printed"),
    [
        (5, "long", "5"),
        (Int32(5), "signedint", "5"),
        (True, "bool", "true"),
        (None, "void", "undefined"),
        (["all"], "array", '[{longstr,<<"all">>}]'),
    ],
)
def test_a_mode_is_a_string(client: Client, mode: object, kind: str, printed: str) -> None:
    queue = own_queue(client)
    client.send(1, QueueBind(queue=queue, exchange="amq.headers", arguments={"x-match": mode}))
    text = f"Invalid x-match field type {kind} (value {printed}); expected longstr"
    expect_channel_error(client, 406, text, QueueBind)


def test_modes_do_not_matter_to_other_types(client: Client) -> None:
    queue = own_queue(client)
    bind(client, queue, "amq.direct", queue, {"x-match": "foo"})
    client.publish(1, "amq.direct", queue, b"bound")
    assert drain(client, queue) == [b"bound"]
