"""An auto-delete exchange goes with the last binding that leaves it."""

from __future__ import annotations

from steps import Name, bind, bind_exchange, declare_exchange, delete, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    ExchangeUnbind,
    ExchangeUnbindOk,
    QueueUnbind,
    QueueUnbindOk,
)


def is_there(client: Client, exchange: str) -> bool:
    client.send(1, ExchangeDeclare(exchange=exchange, passive=True))
    method = client.receive().method
    if isinstance(method, ExchangeDeclareOk):
        return True
    assert method.reply_text == f"NOT_FOUND - no exchange '{exchange}' in vhost '/'"
    client.drop()
    return False


def test_it_is_there_before_its_first_binding(client: Client, name: Name) -> None:
    assert is_there(client, declare_exchange(client, name("exchange"), auto_delete=True))


def test_it_goes_with_its_last_binding(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), auto_delete=True)
    queue = own_queue(client)
    bind(client, queue, exchange, "one")
    bind(client, queue, exchange, "two")
    client.call(1, QueueUnbind(queue=queue, exchange=exchange, routing_key="one"), QueueUnbindOk)
    assert is_there(client, exchange)
    client.call(1, QueueUnbind(queue=queue, exchange=exchange, routing_key="two"), QueueUnbindOk)
    assert not is_there(client, exchange)


def test_an_unbind_that_finds_nothing_leaves_it(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), auto_delete=True)
    queue = own_queue(client)
    client.call(1, QueueUnbind(queue=queue, exchange=exchange, routing_key="none"), QueueUnbindOk)
    assert is_there(client, exchange)


def test_it_goes_with_the_queue_it_was_bound_to(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), auto_delete=True)
    queue = own_queue(client)
    bind(client, queue, exchange, "one")
    bind(client, queue, exchange, "two")
    delete(client, queue)
    assert not is_there(client, exchange)


def test_it_goes_with_its_last_binding_to_an_exchange(client: Client, name: Name) -> None:
    exchange, other = name("exchange"), name("other")
    declare_exchange(client, exchange, auto_delete=True)
    declare_exchange(client, other)
    bind_exchange(client, other, exchange)
    client.call(1, ExchangeUnbind(destination=other, source=exchange), ExchangeUnbindOk)
    assert not is_there(client, exchange)


def test_bindings_that_lead_to_it_do_not_count(client: Client, name: Name) -> None:
    exchange, other = name("exchange"), name("other")
    declare_exchange(client, exchange, auto_delete=True)
    declare_exchange(client, other)
    bind_exchange(client, exchange, other)
    client.call(1, ExchangeUnbind(destination=exchange, source=other), ExchangeUnbindOk)
    assert is_there(client, exchange)


def test_one_goes_after_the_other_along_a_chain(client: Client, name: Name) -> None:
    first, second = name("first"), name("second")
    queue = own_queue(client)
    declare_exchange(client, first, auto_delete=True)
    declare_exchange(client, second, auto_delete=True)
    bind_exchange(client, second, first)
    bind(client, queue, second)
    delete(client, queue)
    assert not is_there(client, first)


def test_the_exchange_it_was_bound_to_takes_it_along(client: Client, name: Name) -> None:
    exchange, other = name("exchange"), name("other")
    declare_exchange(client, exchange, auto_delete=True)
    declare_exchange(client, other)
    bind_exchange(client, other, exchange)
    client.call(1, ExchangeDelete(exchange=other), ExchangeDeleteOk)
    assert not is_there(client, exchange)
