"""A mandatory message that reaches no queue comes back."""

from __future__ import annotations

import pytest
from steps import Name, bind, declare_exchange, delete, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicReturn, QueueUnbind, QueueUnbindOk
from amqpd.wire.properties import Properties


def test_it_comes_back_with_all_it_had(client: Client) -> None:
    properties = Properties(content_type="text/plain", headers={"a": [1, "b"]}, delivery_mode=2, message_id="m")
    client.publish(1, "amq.direct", "nobody", b"body", properties, mandatory=True)
    returned = client.expect_command(1, BasicReturn)
    assert returned.method == BasicReturn(312, "NO_ROUTE", "amq.direct", "nobody")
    assert (returned.properties, returned.body) == (properties, b"body")


@pytest.mark.parametrize("exchange", ["", "amq.direct", "amq.fanout", "amq.topic", "amq.headers"])
def test_it_comes_back_from_exchanges_of_all_types(client: Client, exchange: str) -> None:
    client.publish(1, exchange, "t.nobody", mandatory=True)
    assert client.expect(1, BasicReturn).exchange == exchange


def test_it_comes_back_on_its_channel(client: Client) -> None:
    client.channel(2)
    client.publish(2, "", "nobody", b"second", mandatory=True)
    assert client.expect_command(2, BasicReturn).body == b"second"


def test_a_message_that_reaches_a_queue_does_not_come_back(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"routed", mandatory=True)
    client.publish(1, "", "nobody", b"not mandatory")
    assert drain(client, queue) == [b"routed"]
    assert client.silence()


def test_it_comes_back_as_soon_as_the_last_binding_is_gone(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, "key")
    client.publish(1, exchange, "key", b"routed", mandatory=True)
    client.call(1, QueueUnbind(queue=queue, exchange=exchange, routing_key="key"), QueueUnbindOk)
    client.publish(1, exchange, "key", b"unroutable", mandatory=True)
    assert client.expect_command(1, BasicReturn).body == b"unroutable"
    bind(client, queue, exchange, "key")
    client.publish(1, exchange, "key", b"routed again", mandatory=True)
    delete(client, queue)
    client.publish(1, exchange, "key", b"unroutable again", mandatory=True)
    assert client.expect_command(1, BasicReturn).body == b"unroutable again"


def test_returns_keep_the_order_of_publishing(client: Client) -> None:
    bodies = [b"%d" % number for number in range(100)]
    for body in bodies:
        client.publish(1, "", "nobody", body, mandatory=True)
    assert [client.expect_command(1, BasicReturn).body for _ in bodies] == bodies
