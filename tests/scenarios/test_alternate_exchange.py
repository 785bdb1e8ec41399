"""What matches no binding of an exchange goes to its alternate exchange (RabbitMQ's extension)."""

from __future__ import annotations

from steps import Name, bind, bind_exchange, declare_exchange, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicReturn, ExchangeDelete, ExchangeDeleteOk


def with_alternate(client: Client, exchange: str, alternate: str, kind: str = "direct") -> str:
    return declare_exchange(client, exchange, kind, arguments={"alternate-exchange": alternate})


def test_only_what_is_unroutable_goes_there(client: Client, name: Name) -> None:
    alternate = declare_exchange(client, name("alternate"), "fanout")
    exchange = with_alternate(client, name("exchange"), alternate)
    queue, rest = own_queue(client), own_queue(client)
    bind(client, queue, exchange, "key")
    bind(client, rest, alternate)
    client.publish(1, exchange, "key", b"routed")
    client.publish(1, exchange, "other", b"unroutable")
    assert drain(client, queue) == [b"routed"]
    assert drain(client, rest) == [b"unroutable"]


def test_the_routing_key_stays_the_same(client: Client, name: Name) -> None:
    alternate = declare_exchange(client, name("alternate"), "topic")
    exchange = with_alternate(client, name("exchange"), alternate)
    queue = own_queue(client)
    bind(client, queue, alternate, "a.*")
    client.publish(1, exchange, "a.b", b"matches")
    client.publish(1, exchange, "b.a", b"does not")
    assert drain(client, queue) == [b"matches"]


def test_one_alternate_leads_to_the_next(client: Client, name: Name) -> None:
    last = declare_exchange(client, name("last"), "fanout")
    middle = with_alternate(client, name("middle"), last)
    first = with_alternate(client, name("first"), middle)
    queue = own_queue(client)
    bind(client, queue, last)
    client.publish(1, first, "key", b"far")
    assert drain(client, queue) == [b"far"]


def test_alternates_in_a_circle_end(client: Client, name: Name) -> None:
    one, other, alone = name("one"), name("other"), name("alone")
    with_alternate(client, one, other)
    with_alternate(client, other, one)
    with_alternate(client, alone, alone)
    for exchange in (one, other, alone):
        client.publish(1, exchange, "key", mandatory=True)
        assert client.expect(1, BasicReturn).exchange == exchange


def test_mandatory_is_satisfied_by_the_alternate(client: Client, name: Name) -> None:
    alternate = declare_exchange(client, name("alternate"), "fanout")
    exchange = with_alternate(client, name("exchange"), alternate)
    queue = own_queue(client)
    bind(client, queue, alternate)
    client.publish(1, exchange, "key", b"kept", mandatory=True)
    assert drain(client, queue) == [b"kept"]


def test_mandatory_is_not_satisfied_when_the_alternate_has_no_queue_either(client: Client, name: Name) -> None:
    alternate = declare_exchange(client, name("alternate"), "fanout")
    exchange = with_alternate(client, name("exchange"), alternate)
    client.publish(1, exchange, "key", mandatory=True)
    assert client.expect(1, BasicReturn).exchange == exchange


def test_a_binding_to_an_exchange_without_queues_counts_as_a_match(client: Client, name: Name) -> None:
    alternate = declare_exchange(client, name("alternate"), "fanout")
    exchange = with_alternate(client, name("exchange"), alternate)
    dead_end = declare_exchange(client, name("dead end"), "fanout")
    queue = own_queue(client)
    bind(client, queue, alternate)
    bind_exchange(client, dead_end, exchange, "key")
    client.publish(1, exchange, "key", b"lost", mandatory=True)
    assert client.expect_command(1, BasicReturn).body == b"lost"
    assert drain(client, queue) == []


def test_the_alternate_of_an_exchange_along_the_way_is_used_too(client: Client, name: Name) -> None:
    alternate = declare_exchange(client, name("alternate"), "fanout")
    entrance = declare_exchange(client, name("entrance"), "fanout")
    middle = with_alternate(client, name("middle"), alternate)
    queue, other = own_queue(client), own_queue(client)
    bind_exchange(client, middle, entrance)
    bind(client, queue, alternate)
    bind(client, other, entrance)
    client.publish(1, entrance, "key", b"both")
    assert drain(client, queue) == [b"both"]
    assert drain(client, other) == [b"both"]


def test_one_that_is_missing_is_overlooked_until_it_is_there(client: Client, name: Name) -> None:
    alternate = name("alternate")
    exchange = with_alternate(client, name("exchange"), alternate)
    queue = own_queue(client)
    client.publish(1, exchange, "key", mandatory=True)
    client.expect(1, BasicReturn)
    declare_exchange(client, alternate, "fanout")
    bind(client, queue, alternate)
    client.publish(1, exchange, "key", b"kept", mandatory=True)
    assert drain(client, queue) == [b"kept"]
    client.call(1, ExchangeDelete(exchange=alternate), ExchangeDeleteOk)
    client.publish(1, exchange, "key", mandatory=True)
    client.expect(1, BasicReturn)


def test_the_default_exchange_is_none(client: Client, name: Name) -> None:
    exchange = with_alternate(client, name("exchange"), "")
    queue = own_queue(client)
    client.publish(1, exchange, queue, b"lost", mandatory=True)
    assert client.expect_command(1, BasicReturn).body == b"lost"
    assert drain(client, queue) == []
