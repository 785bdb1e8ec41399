"""The firehose: copies of what channels publish and deliver, with RabbitMQ's keys and headers."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.testing.client import Command
from amqpd.wire.fields import Int32
from amqpd.wire.methods import (
    BasicAck,
    BasicDeliver,
    BasicGet,
    BasicGetOk,
    BasicReject,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import Properties
from tests.amqp.pair import Pair

WHO = {"vhost": "/", "connection": "127.0.0.1:50000 -> 127.0.0.1:5672", "channel": Int32(1), "user": "guest"}
"""What the headers of all copies here say."""


class Watched(Pair):
    """A client with channel 1 and a queue `q`, and another that consumes what the firehose copies."""

    def __init__(self) -> None:
        super().__init__()
        self.channel()
        self.queue("q")
        self.watcher = Pair(self.broker)
        self.watcher.channel()
        self.watcher.queue("trace")
        bind = QueueBind(queue="trace", exchange="amq.rabbitmq.trace", routing_key="#")
        self.watcher.call(1, bind, QueueBindOk)
        self.watcher.consume("trace", no_ack=True)
        self.broker.vhosts["/"].set_tracing(True)

    def copies(self) -> list[tuple[str, bytes, dict[str, Any]]]:
        """Key, body and headers of what was copied."""
        return [self._read(command) for command in self.watcher.received()]

    @staticmethod
    def _read(command: Command) -> tuple[str, bytes, dict[str, Any]]:
        assert isinstance(command.method, BasicDeliver)
        assert command.method.exchange == "amq.rabbitmq.trace"
        assert command.properties is not None
        headers = command.properties.headers
        assert headers is not None
        assert command.properties == Properties(headers=headers)
        return command.method.routing_key, command.body, headers


@pytest.fixture
def pair() -> Watched:
    return Watched()


def test_a_publish_is_copied_with_where_it_went(pair: Watched) -> None:
    pair.publish(1, "", "q", b"body", Properties(content_type="text/plain", headers={"a": 1}, delivery_mode=2))
    ((key, body, headers),) = pair.copies()
    assert (key, body) == ("publish.", b"body")
    assert headers == {
        "exchange_name": "",
        "routing_keys": ["q"],
        "properties": {"content_type": "text/plain", "headers": {"a": 1}, "delivery_mode": Int32(2)},
        "node": "amqpd@localhost",
        **WHO,
        "routed_queues": ["q"],
    }
    assert type(headers["channel"]) is Int32


def test_a_publish_that_reaches_nobody_is_copied_too(pair: Watched) -> None:
    pair.publish(1, "amq.direct", "nowhere", b"lost", Properties(headers={"CC": ["a"], "BCC": ["b"]}))
    ((key, _, headers),) = pair.copies()
    assert key == "publish.amq.direct"
    assert headers["routing_keys"] == ["nowhere", "a", "b"]
    assert headers["routed_queues"] == []


def test_a_delivery_is_copied_after_its_publish(pair: Watched) -> None:
    pair.consume("q")
    pair.publish(1, "", "q", b"body")
    (published, _, _), (key, body, headers) = pair.copies()
    assert (published, key, body) == ("publish.", "deliver.q", b"body")
    assert headers == {
        "exchange_name": "",
        "routing_keys": ["q"],
        "properties": {},
        "node": "amqpd@localhost",
        "redelivered": Int32(0),
        **WHO,
    }


def test_the_keys_of_a_delivery_are_those_its_receiver_can_see(pair: Watched) -> None:
    pair.consume("q")
    pair.publish(1, "", "q", b"body", Properties(headers={"CC": ["a"], "BCC": ["b"]}))
    assert [headers["routing_keys"] for _, _, headers in pair.copies()] == [["q", "a", "b"], ["q", "a"]]


def test_a_delivery_after_a_requeue_says_so(pair: Watched) -> None:
    pair.consume("q")
    pair.publish(1, "", "q")
    pair.send(1, BasicReject(1, requeue=True))
    pair.send(1, BasicAck(2))
    assert [headers.get("redelivered") for _, _, headers in pair.copies()] == [None, 0, 1]


def test_what_is_got_is_copied(pair: Watched) -> None:
    pair.publish(1, "", "q", b"body")
    pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)
    assert [key for key, _, _ in pair.copies()] == ["publish.", "deliver.q"]


def test_in_a_transaction_a_publish_is_copied_when_it_is_made(pair: Watched) -> None:
    pair.call(1, TxSelect(), TxSelectOk)
    pair.publish(1, "", "q", b"body")
    assert [key for key, _, _ in pair.copies()] == ["publish."]


def test_a_name_that_leaves_no_room_for_the_prefix_is_cut(pair: Watched) -> None:
    name = "x" * 255
    pair.call(1, ExchangeDeclare(exchange=name), ExchangeDeclareOk)
    pair.publish(1, name, "key")
    ((key, _, headers),) = pair.copies()
    assert key == "publish." + "x" * 247
    assert headers["exchange_name"] == name


def test_it_can_be_switched_off_again(pair: Watched) -> None:
    vhost = pair.broker.vhosts["/"]
    assert vhost.tracing
    vhost.set_tracing(False)
    assert not vhost.tracing
    pair.publish(1, "", "q")
    pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)
    assert pair.copies() == []


def test_other_vhosts_are_not_traced(pair: Watched) -> None:
    assert not pair.broker.add_vhost("other").tracing


def test_without_anybody_to_receive_it_nothing_is_made(pair: Watched) -> None:
    vhost = pair.broker.vhosts["/"]
    vhost.unbind("amq.rabbitmq.trace", "trace", "#", {}, to_queue=True)
    pair.publish(1, "", "q")
    assert pair.copies() == []
