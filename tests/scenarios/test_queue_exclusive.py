"""An exclusive queue belongs to the connection that declared it: nobody else may touch it."""

from __future__ import annotations

import pytest
from steps import Connect, bind, consume, declare, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicConsume,
    BasicGet,
    QueueBind,
    QueueDeclare,
    QueueDelete,
    QueuePurge,
    QueueUnbind,
    QueueUnbindOk,
)
from amqpd.wire.schema import Method

NAME = "t.mine"


def locked(queue: str) -> str:
    return (
        f"cannot obtain exclusive access to locked queue '{queue}' in vhost '/'. It could be originally declared on"
        " another connection or the exclusive property value does not match that of the original declaration."
    )


@pytest.fixture
def other(connect: Connect) -> Client:
    """Another connection than that of `client`."""
    other = connect()
    other.channel(1)
    return other


@pytest.mark.parametrize(
    "method",
    [
        QueueDeclare(queue=NAME),
        QueueDeclare(queue=NAME, exclusive=True),
        QueueDeclare(queue=NAME, exclusive=True, durable=True),
        QueueDeclare(queue=NAME, passive=True),
        QueueDeclare(queue=NAME, passive=True, exclusive=True),
        QueueBind(queue=NAME, exchange="amq.direct", routing_key="key"),
        QueueUnbind(queue=NAME, exchange="amq.direct", routing_key=NAME),
        QueuePurge(queue=NAME),
        QueueDelete(queue=NAME),
        QueueDelete(queue=NAME, if_unused=True),
        BasicGet(queue=NAME),
        BasicConsume(queue=NAME),
    ],
    ids=str,
)
def test_another_connection_is_refused(client: Client, other: Client, method: Method) -> None:
    declare(client, NAME, exclusive=True)
    bind(client, NAME, "amq.direct", NAME)
    other.send(1, method)
    expect_channel_error(other, 405, locked(NAME), type(method))


def test_another_connection_may_unbind_what_is_not_bound(client: Client, other: Client) -> None:
    queue = own_queue(client)
    other.call(1, QueueUnbind(queue=queue, exchange="amq.direct", routing_key="key"), QueueUnbindOk)


def test_another_connection_may_publish_to_it(client: Client, other: Client) -> None:
    queue = own_queue(client)
    consume(client, queue)
    other.publish(1, "", queue, b"for you")
    assert client.receive().body == b"for you"


def test_other_channels_of_the_connection_may_use_it(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client, channel=1)
    client.publish(2, "", queue, b"message")
    assert drain(client, queue, channel=2) == [b"message"]


@pytest.mark.parametrize("first_exclusive", [True, False])
def test_exclusivity_cannot_be_declared_otherwise_by_its_owner_either(client: Client, first_exclusive: bool) -> None:
    declare(client, NAME, exclusive=first_exclusive, auto_delete=True)
    client.send(1, QueueDeclare(queue=NAME, exclusive=not first_exclusive, auto_delete=True))
    expect_channel_error(client, 405, locked(NAME), QueueDeclare)
    client.send(1, QueueDelete(queue=NAME, nowait=True))
    client.close()
