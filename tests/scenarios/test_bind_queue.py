from __future__ import annotations

import pytest
from steps import Name, bind, declare, declare_exchange, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.fields import Int32
from amqpd.wire.methods import QueueBind, QueueUnbind, QueueUnbindOk


def unbind(
    client: Client, queue: str, exchange: str, key: str = "", arguments: dict[str, object] | None = None
) -> None:
    method = QueueUnbind(queue=queue, exchange=exchange, routing_key=key, arguments=arguments or {})
    client.call(1, method, QueueUnbindOk)


def test_a_binding_made_twice_is_one_binding(client: Client) -> None:
    queue = own_queue(client)
    bind(client, queue, "amq.direct", queue)
    bind(client, queue, "amq.direct", queue)
    client.publish(1, "amq.direct", queue, b"once")
    assert drain(client, queue) == [b"once"]
    unbind(client, queue, "amq.direct", queue)
    client.publish(1, "amq.direct", queue, b"never")
    assert drain(client, queue) == []


def test_a_message_that_matches_many_bindings_reaches_the_queue_once(client: Client) -> None:
    queue = own_queue(client)
    for key in (f"{queue}.#", f"{queue}.*", f"{queue}.a", "#.a"):
        bind(client, queue, "amq.topic", key)
    client.publish(1, "amq.topic", f"{queue}.a", b"once")
    assert drain(client, queue) == [b"once"]


def test_bindings_differ_by_their_arguments(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    for arguments in ({}, {"n": 1}, {"n": 2}):
        bind(client, queue, exchange, "key", arguments)
    for arguments in ({}, {"n": 1}):
        unbind(client, queue, exchange, "key", arguments)
        client.publish(1, exchange, "key", b"still bound")
        assert drain(client, queue) == [b"still bound"]
    unbind(client, queue, exchange, "key", {"n": 3})
    client.publish(1, exchange, "key", b"still bound")
    assert drain(client, queue) == [b"still bound"]
    unbind(client, queue, exchange, "key", {"n": 2})
    client.publish(1, exchange, "key", b"lost")
    assert drain(client, queue) == []


def test_the_order_of_arguments_does_not_count(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, "key", {"a": 1, "b": 2})
    unbind(client, queue, exchange, "key", {"b": 2, "a": 1})
    client.publish(1, exchange, "key", b"lost")
    assert drain(client, queue) == []


def test_the_width_of_a_number_among_the_arguments_counts(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, "key", {"a": 1})
    unbind(client, queue, exchange, "key", {"a": Int32(1)})
    client.publish(1, exchange, "key", b"still bound")
    assert drain(client, queue) == [b"still bound"]


@pytest.mark.parametrize(
    ("queue", "exchange", "missing"),
    [
        ("nope", "amq.direct", "queue 'nope'"),
        ("nope", "nope", "exchange 'nope'"),
    ],
)
def test_both_ends_have_to_be_there(client: Client, queue: str, exchange: str, missing: str) -> None:
    client.send(1, QueueBind(queue=queue, exchange=exchange, routing_key="key"))
    expect_channel_error(client, 404, f"no {missing} in vhost '/'", QueueBind)


def test_the_exchange_has_to_be_there(client: Client) -> None:
    queue = own_queue(client)
    client.send(1, QueueBind(queue=queue, exchange="nope", routing_key="key"))
    expect_channel_error(client, 404, "no exchange 'nope' in vhost '/'", QueueBind)


def test_what_is_not_bound_can_be_unbound(client: Client) -> None:
    queue = own_queue(client)
    unbind(client, queue, "amq.direct", "no such key")
    unbind(client, queue, "nope", "key")
    unbind(client, "nope", "amq.direct", "key")
    unbind(client, "nope", "nope", "key")


def test_nowait_is_not_answered(client: Client) -> None:
    queue = own_queue(client)
    client.send(1, QueueBind(queue=queue, exchange="amq.direct", routing_key=queue, nowait=True))
    client.publish(1, "amq.direct", queue, b"bound")
    assert drain(client, queue) == [b"bound"]


def test_nowait_does_not_hide_errors(client: Client) -> None:
    client.send(1, QueueBind(queue="nope", exchange="amq.direct", nowait=True))
    expect_channel_error(client, 404, "no queue 'nope' in vhost '/'", QueueBind)


def test_a_durable_queue_may_be_bound_to_a_transient_exchange(client: Client, name: Name) -> None:
    exchange, queue = name("exchange"), name("queue")
    declare_exchange(client, exchange, "fanout")
    declare(client, queue, durable=True)
    bind(client, queue, exchange)
    client.publish(1, exchange, "", b"bound")
    assert drain(client, queue) == [b"bound"]


def test_line_ends_in_names_do_not_count(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queue = own_queue(client)
    bind(client, f"{queue}\n", f"\r\n{exchange}")
    client.publish(1, exchange, "", b"bound")
    assert drain(client, queue) == [b"bound"]
    unbind(client, f"\n{queue}", f"{exchange}\n")
    client.publish(1, exchange, "", b"lost")
    assert drain(client, queue) == []


def test_line_ends_in_routing_keys_count(client: Client) -> None:
    queue = own_queue(client)
    bind(client, queue, "amq.direct", f"{queue}\n")
    client.publish(1, "amq.direct", queue, b"lost")
    client.publish(1, "amq.direct", f"{queue}\n", b"bound")
    assert drain(client, queue) == [b"bound"]
