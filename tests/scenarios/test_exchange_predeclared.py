"""The exchanges that every vhost has."""

from __future__ import annotations

import pytest
from steps import declare_exchange, expect_channel_error

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicPublish, ExchangeDeclare, ExchangeDelete, ExchangeDeleteOk

PREDECLARED = [
    ("amq.direct", "direct"),
    ("amq.fanout", "fanout"),
    ("amq.topic", "topic"),
    ("amq.headers", "headers"),
    ("amq.match", "headers"),
]


@pytest.mark.parametrize(("exchange", "kind"), PREDECLARED)
def test_they_are_there_and_durable(client: Client, exchange: str, kind: str) -> None:
    declare_exchange(client, exchange, kind, passive=True)
    declare_exchange(client, exchange, kind, durable=True)


@pytest.mark.parametrize(("exchange", "kind"), PREDECLARED)
def test_they_cannot_be_declared_otherwise(client: Client, exchange: str, kind: str) -> None:
    client.send(1, ExchangeDeclare(exchange=exchange, type=kind))
    text = f"inequivalent arg 'durable' for exchange '{exchange}' in vhost '/'"
    expect_channel_error(client, 406, f"{text}: received 'false' but current is 'true'", ExchangeDeclare)


@pytest.mark.parametrize("exchange", [*[exchange for exchange, _ in PREDECLARED], "amq.rabbitmq.trace", "amq.nope"])
@pytest.mark.parametrize("if_unused", [False, True])
def test_they_cannot_be_deleted(client: Client, exchange: str, if_unused: bool) -> None:
    client.send(1, ExchangeDelete(exchange=exchange, if_unused=if_unused))
    expect_channel_error(
        client, 403, f"deletion of system exchange '{exchange}' in vhost '/' not allowed", ExchangeDelete
    )


@pytest.mark.parametrize("exchange", ["amq.nope", "amq.", "amq.direct2"])
def test_names_like_theirs_are_reserved(client: Client, exchange: str) -> None:
    client.send(1, ExchangeDeclare(exchange=exchange))
    expect_channel_error(client, 403, f"exchange name '{exchange}' contains reserved prefix 'amq.*'", ExchangeDeclare)


def test_names_that_only_look_like_theirs_are_not(client: Client) -> None:
    for exchange in ("amq", "Amq.x", "amqp.x"):
        declare_exchange(client, exchange, auto_delete=True)
        client.call(1, ExchangeDelete(exchange=exchange), ExchangeDeleteOk)


def test_the_tracing_exchange_is_a_durable_internal_topic_exchange(client: Client) -> None:
    declare_exchange(client, "amq.rabbitmq.trace", "topic", durable=True, internal=True)
    client.publish(1, "amq.rabbitmq.trace", "publish.x")
    expect_channel_error(
        client, 403, "cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'", BasicPublish
    )
