"""kill -9 while messages wait in a delayed-message exchange: all that were confirmed arrive, each once."""

from __future__ import annotations

from pathlib import Path

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    ConfirmSelect,
    ConfirmSelectOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties


def confirmed(client: Client, count: int) -> None:
    """Wait until so many publishes are confirmed."""
    seen = 0
    while seen < count:
        ack = client.expect(1, BasicAck)
        seen = ack.delivery_tag if ack.multiple else max(seen, ack.delivery_tag)


def test_delayed_messages_survive_kill_9(tmp_path: Path) -> None:
    broker = BrokerProcess("-D", str(tmp_path))
    count = 200
    with broker:
        with Client(broker.url) as client:
            client.channel(1)
            declare = ExchangeDeclare(
                exchange="x", type="x-delayed-message", durable=True, arguments={"x-delayed-type": "direct"}
            )
            client.call(1, declare, ExchangeDeclareOk)
            client.call(1, QueueDeclare(queue="q", durable=True), QueueDeclareOk)
            client.call(1, QueueBind(queue="q", exchange="x", routing_key="key"), QueueBindOk)
            client.call(1, ConfirmSelect(), ConfirmSelectOk)
            for number in range(count):
                headers = {"x-delay": 1500 + number}
                client.publish(1, "x", "key", b"%d" % number, Properties(headers=headers, delivery_mode=2))
            confirmed(client, count)
            broker.kill()
        broker.start()
        with Client(broker.url) as client:
            client.channel(1)
            client.call(1, BasicConsume(queue="q", no_ack=True), BasicConsumeOk)
            bodies = [client.expect_command(1, BasicDeliver).body for _ in range(count)]
            assert sorted(bodies, key=int) == [b"%d" % number for number in range(count)]
            ok = client.call(1, QueueDeclare(queue="q", passive=True), QueueDeclareOk)
            assert ok.message_count == 0
