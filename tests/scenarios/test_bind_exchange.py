"""Exchange-to-exchange bindings (RabbitMQ's extension)."""

from __future__ import annotations

import pytest
from steps import Name, bind, bind_exchange, declare_exchange, drain, expect_channel_error, get, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicReturn, ExchangeBind, ExchangeBindOk, ExchangeUnbind, ExchangeUnbindOk


def test_messages_follow_bindings_from_exchange_to_exchange(client: Client, name: Name) -> None:
    entrance, middle, exit_ = name("entrance"), name("middle"), name("exit")
    queue = own_queue(client)
    declare_exchange(client, entrance, "topic")
    declare_exchange(client, middle, "direct")
    declare_exchange(client, exit_, "fanout")
    bind_exchange(client, middle, entrance, "a.#")
    bind_exchange(client, exit_, middle, "a.b")
    bind(client, queue, exit_)
    for key in ("a.b", "a.c", "b.a"):
        client.publish(1, entrance, key, key.encode())
    assert drain(client, queue) == [b"a.b"]


def test_the_message_keeps_the_name_of_the_exchange_it_was_published_to(client: Client, name: Name) -> None:
    entrance, exit_ = name("entrance"), name("exit")
    queue = own_queue(client)
    declare_exchange(client, entrance, "fanout")
    declare_exchange(client, exit_, "fanout")
    bind_exchange(client, exit_, entrance)
    bind(client, queue, exit_)
    client.publish(1, entrance, "key")
    got = get(client, queue).method
    assert (got.exchange, got.routing_key) == (entrance, "key")


def test_the_two_ways_around_a_diamond_deliver_once(client: Client, name: Name) -> None:
    top, left, right, bottom = (declare_exchange(client, name(side), "fanout") for side in ("t", "l", "r", "b"))
    queue = own_queue(client)
    for destination, source in [(left, top), (right, top), (bottom, left), (bottom, right)]:
        bind_exchange(client, destination, source)
    for exchange in (left, right, bottom):
        bind(client, queue, exchange)
    client.publish(1, top, "", b"once")
    assert drain(client, queue) == [b"once"]


def test_cycles_end(client: Client, name: Name) -> None:
    first, second, third = (declare_exchange(client, name(stem), "fanout") for stem in ("first", "second", "third"))
    queue = own_queue(client)
    for destination, source in [(second, first), (third, second), (first, third), (first, first)]:
        bind_exchange(client, destination, source)
    bind(client, queue, third)
    for exchange in (first, second, third):
        client.publish(1, exchange, "", b"once")
    assert drain(client, queue) == [b"once"] * 3


def test_a_cycle_without_queues_leads_nowhere(client: Client, name: Name) -> None:
    one, other = (declare_exchange(client, name(stem), "fanout") for stem in ("one", "other"))
    bind_exchange(client, one, other)
    bind_exchange(client, other, one)
    client.publish(1, one, "", mandatory=True)
    client.expect(1, BasicReturn)


def test_what_is_unbound_is_not_followed(client: Client, name: Name) -> None:
    source, destination = name("source"), name("destination")
    queue = own_queue(client)
    declare_exchange(client, source)
    declare_exchange(client, destination, "fanout")
    bind(client, queue, destination)
    bind_exchange(client, destination, source, "one")
    bind_exchange(client, destination, source, "two")
    unbind = ExchangeUnbind(destination=destination, source=source, routing_key="one")
    client.call(1, unbind, ExchangeUnbindOk)
    client.publish(1, source, "one", b"one")
    client.publish(1, source, "two", b"two")
    assert drain(client, queue) == [b"two"]


def test_what_is_not_bound_can_be_unbound(client: Client) -> None:
    for destination, source in [("amq.direct", "amq.fanout"), ("nope", "amq.fanout"), ("amq.fanout", "nope")]:
        client.call(1, ExchangeUnbind(destination=destination, source=source), ExchangeUnbindOk)


@pytest.mark.parametrize(
    ("destination", "source", "missing"),
    [("d", "s", "s"), ("amq.direct", "s", "s"), ("d", "amq.direct", "d")],
)
def test_both_ends_have_to_be_there(client: Client, destination: str, source: str, missing: str) -> None:
    client.send(1, ExchangeBind(destination=destination, source=source))
    expect_channel_error(client, 404, f"no exchange '{missing}' in vhost '/'", ExchangeBind)


def test_nowait_is_not_answered(client: Client, name: Name) -> None:
    source, destination = name("source"), name("destination")
    queue = own_queue(client)
    declare_exchange(client, source, "fanout")
    declare_exchange(client, destination, "fanout")
    bind(client, queue, destination)
    client.send(1, ExchangeBind(destination=destination, source=source, nowait=True))
    client.publish(1, source, "", b"bound")
    client.send(1, ExchangeUnbind(destination=destination, source=source, nowait=True))
    client.publish(1, source, "", b"lost")
    assert drain(client, queue) == [b"bound"]
    client.call(1, ExchangeBind(destination=destination, source=source), ExchangeBindOk)
    assert client.silence()
