"""What a publisher hears of messages that wait in a delayed-message exchange."""

from __future__ import annotations

import pytest

from amqpd.wire.methods import (
    BasicAck,
    BasicDeliver,
    BasicReturn,
    ConfirmSelect,
    ConfirmSelectOk,
    ExchangeBind,
    ExchangeBindOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    TxCommit,
    TxCommitOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import Properties
from tests.amqp.pair import Pair, new_broker
from tests.fakes import ManualStore

LATER = Properties(headers={"x-delay": 1000})


@pytest.fixture
def store() -> ManualStore:
    return ManualStore()


@pytest.fixture
def pair(store: ManualStore) -> Pair:
    """A channel in confirm mode, a durable delayed exchange `x`, and a consumer of a queue bound to it by `key`."""
    pair = Pair(new_broker(store))
    pair.channel()
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.send(
        1, ExchangeDeclare(exchange="x", type="x-delayed-message", durable=True, arguments={"x-delayed-type": "direct"})
    )
    store.commit()
    pair.expect(1, ExchangeDeclareOk)
    pair.queue("q")
    pair.send(1, QueueBind(queue="q", exchange="x", routing_key="key"))
    store.commit()
    pair.expect(1, QueueBindOk)
    pair.consume("q", no_ack=True)
    return pair


def test_a_confirm_waits_for_the_disk_and_not_for_the_delay(pair: Pair, store: ManualStore) -> None:
    pair.publish(1, "x", "key", b"message", LATER)
    assert pair.silent()
    store.commit()
    assert pair.expect(1, BasicAck).delivery_tag == 1
    pair.clock.advance(1)
    assert pair.expect_command(1, BasicDeliver).body == b"message"


def test_a_copy_that_was_consumed_does_not_confirm_the_one_that_waits(pair: Pair, store: ManualStore) -> None:
    pair.call(1, ExchangeDeclare(exchange="both", type="fanout"), ExchangeDeclareOk)
    pair.call(1, ExchangeBind(destination="x", source="both"), ExchangeBindOk)
    pair.send(1, QueueDeclare(queue="now", durable=True))
    store.commit()
    pair.expect(1, QueueDeclareOk)
    pair.call(1, QueueBind(queue="now", exchange="both"), QueueBindOk)
    pair.consume("now", tag="c2", no_ack=True)
    pair.publish(1, "both", "key", b"message", Properties(headers={"x-delay": 1000}, delivery_mode=2))
    assert pair.expect_command(1, BasicDeliver).body == b"message"
    assert pair.silent()
    store.commit()
    assert pair.expect(1, BasicAck).delivery_tag == 1


def test_a_transient_exchange_confirms_at_once(pair: Pair) -> None:
    declare = ExchangeDeclare(exchange="y", type="x-delayed-message", arguments={"x-delayed-type": "direct"})
    pair.call(1, declare, ExchangeDeclareOk)
    pair.publish(1, "y", "key", b"message", Properties(headers={"x-delay": 1000}, delivery_mode=2))
    assert pair.expect(1, BasicAck).delivery_tag == 1


def test_a_mandatory_message_is_returned_at_once_although_it_arrives_later(pair: Pair, store: ManualStore) -> None:
    pair.publish(1, "x", "key", b"message", LATER, mandatory=True)
    returned = pair.expect_command(1, BasicReturn)
    assert returned.body == b"message"
    assert returned.properties == LATER
    store.commit()
    pair.expect(1, BasicAck)
    pair.clock.advance(1)
    arrived = pair.expect_command(1, BasicDeliver)
    assert arrived.properties is not None
    assert arrived.properties.headers == {"x-delay": -1000}


def test_delays_that_differ_in_messages_with_one_key_are_all_kept(pair: Pair, store: ManualStore) -> None:
    for delay in (300, 100, 200, 0):
        pair.publish(1, "x", "key", b"%d" % delay, Properties(headers={"x-delay": delay}))
    pair.clock.advance(0.3)
    store.commit()
    bodies = [command.body for command in pair.received() if isinstance(command.method, BasicDeliver)]
    assert bodies == [b"0", b"100", b"200", b"300"]


def test_in_a_transaction_the_delay_begins_with_the_publish(store: ManualStore, pair: Pair) -> None:
    pair.channel(2)
    pair.call(2, TxSelect(), TxSelectOk)
    pair.publish(2, "x", "key", b"message", LATER)
    pair.send(2, TxCommit())
    assert pair.silent()
    store.commit()
    pair.expect(2, TxCommitOk)
    pair.clock.advance(1)
    assert pair.expect_command(1, BasicDeliver).body == b"message"
