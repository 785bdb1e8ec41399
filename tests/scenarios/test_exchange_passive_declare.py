from __future__ import annotations

from steps import Name, declare_exchange, expect_channel_error

from amqpd.testing.client import Client
from amqpd.wire.methods import ExchangeDeclare, ExchangeDeclareOk


def test_only_the_name_has_to_be_right(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout", durable=True)
    for kind in ("direct", "nope", ""):
        declare_exchange(client, exchange, kind, passive=True, internal=True, arguments={"alternate-exchange": 5})


def test_a_missing_exchange_is_not_found(client: Client) -> None:
    client.send(1, ExchangeDeclare(exchange="nope", passive=True))
    expect_channel_error(client, 404, "no exchange 'nope' in vhost '/'", ExchangeDeclare)


def test_a_reserved_name_that_is_missing_is_not_found(client: Client) -> None:
    client.send(1, ExchangeDeclare(exchange="amq.nope", passive=True))
    expect_channel_error(client, 404, "no exchange 'amq.nope' in vhost '/'", ExchangeDeclare)


def test_nowait_is_not_answered(client: Client) -> None:
    client.send(1, ExchangeDeclare(exchange="amq.direct", passive=True, nowait=True))
    client.call(1, ExchangeDeclare(exchange="amq.direct", passive=True), ExchangeDeclareOk)
    assert client.silence()


def test_nowait_does_not_hide_errors(client: Client) -> None:
    client.send(1, ExchangeDeclare(exchange="nope", passive=True, nowait=True))
    expect_channel_error(client, 404, "no exchange 'nope' in vhost '/'", ExchangeDeclare)
