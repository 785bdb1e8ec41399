from __future__ import annotations

from steps import expect_connection_error

from amqpd.testing.client import Client
from amqpd.wire.methods import ChannelFlow, ChannelFlowOk


def test_flow_that_is_on_stays_on(client: Client) -> None:
    assert client.call(1, ChannelFlow(True), ChannelFlowOk).active


def test_flow_cannot_be_turned_off_by_clients(client: Client) -> None:
    client.send(1, ChannelFlow(False))
    expect_connection_error(client, 540, "active=false", ChannelFlow)
