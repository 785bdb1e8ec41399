"""x-cancel-on-ha-failover is taken and changes nothing where there is one node."""

from __future__ import annotations

import pytest
from steps import consume, deliveries, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicConsume


@pytest.mark.parametrize("value", [True, False])
def test_it_is_taken(client: Client, value: bool) -> None:
    queue = own_queue(client)
    consume(client, queue, arguments={"x-cancel-on-ha-failover": value})
    client.publish(1, "", queue, b"message")
    assert deliveries(client, 1) == [b"message"]


def test_it_is_a_boolean(client: Client) -> None:
    queue = own_queue(client)
    client.send(1, BasicConsume(queue=queue, arguments={"x-cancel-on-ha-failover": "yes"}))
    text = f"invalid arg 'x-cancel-on-ha-failover' for queue '{queue}' in vhost '/': {{unacceptable_type,longstr}}"
    expect_channel_error(client, 406, text, BasicConsume)
