"""The event exchange, switched on in the configuration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from steps import bind, consume, declare, delivered, own_queue

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess

pytestmark = pytest.mark.ours("the plug-in is not enabled there")


@pytest.fixture
def broker() -> Iterator[BrokerProcess]:
    with BrokerProcess("--memory", environment={"AMQPD_EVENT_EXCHANGE": "true", "AMQPD_TRACE": "true"}) as process:
        yield process


def test_what_others_do_is_heard(broker: BrokerProcess) -> None:
    with Client(broker.url) as client, Client(broker.url) as other:
        client.channel(1)
        queue = own_queue(client)
        bind(client, queue, "amq.rabbitmq.event", "queue.*")
        bind(client, queue, "amq.rabbitmq.event", "channel.created")
        consume(client, queue, no_ack=True)
        other.channel(1)
        assert delivered(client).method.routing_key == "channel.created"  # type: ignore[union-attr]
        declare(other, "q")
        event = delivered(client)
        assert event.method.routing_key == "queue.created"  # type: ignore[union-attr]
        assert event.properties is not None
        assert event.properties.headers is not None
        assert event.properties.headers["name"] == "q"
        assert event.properties.headers["user_who_performed_action"] == "guest"


def test_the_firehose_runs_beside_it(broker: BrokerProcess) -> None:
    with Client(broker.url) as client:
        client.channel(1)
        queue = own_queue(client)
        bind(client, queue, "amq.rabbitmq.trace", "publish.amq.direct")
        consume(client, queue, no_ack=True)
        client.publish(1, "amq.direct", "key", b"watched")
        assert delivered(client).body == b"watched"
