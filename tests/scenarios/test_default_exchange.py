"""The exchange without a name: every queue is bound to it by its name, and nothing can be changed about that."""

from __future__ import annotations

import pytest
from steps import delete, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicReturn,
    ExchangeBind,
    ExchangeDeclare,
    ExchangeDelete,
    ExchangeUnbind,
    QueueBind,
    QueueUnbind,
)
from amqpd.wire.schema import Method


def test_it_leads_to_the_queue_named_by_the_routing_key(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    client.publish(1, "", one, b"for one")
    assert drain(client, other) == []
    assert drain(client, one) == [b"for one"]


def test_it_leads_nowhere_once_the_queue_is_deleted(client: Client) -> None:
    queue = own_queue(client)
    delete(client, queue)
    client.publish(1, "", queue, mandatory=True)
    client.expect(1, BasicReturn)


@pytest.mark.parametrize(
    "method",
    [
        ExchangeDeclare(exchange=""),
        ExchangeDeclare(exchange="", durable=True),
        ExchangeDeclare(exchange="", passive=True),
        ExchangeDeclare(exchange="\r\n"),
        ExchangeDelete(exchange=""),
        ExchangeDelete(exchange="", if_unused=True),
        QueueBind(queue="nope", exchange="", routing_key="key"),
        QueueUnbind(queue="nope", exchange="", routing_key="key"),
        ExchangeBind(destination="amq.direct", source=""),
        ExchangeBind(destination="", source="amq.direct"),
        ExchangeBind(destination="", source="nope"),
        ExchangeUnbind(destination="amq.direct", source=""),
        ExchangeUnbind(destination="", source="amq.direct"),
    ],
    ids=str,
)
def test_it_cannot_be_declared_deleted_or_bound(client: Client, method: Method) -> None:
    client.send(1, method)
    expect_channel_error(client, 403, "operation not permitted on the default exchange", type(method))
