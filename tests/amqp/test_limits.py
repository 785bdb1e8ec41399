"""Limits of queues as a client meets them: nacks, partial transactions, leases, and what counts as a return."""

from __future__ import annotations

import pytest

from amqpd.broker.compat import PROFILES
from amqpd.wire.methods import (
    BasicAck,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    BasicNack,
    BasicRecover,
    BasicReject,
    ChannelClose,
    ChannelCloseOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    TxCommit,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method
from tests.amqp.pair import PERSISTENT, Pair, new_broker
from tests.fakes import ManualStore

FULL = {"x-max-length": 1, "x-overflow": "reject-publish"}
QUORUM = {"x-queue-type": "quorum"}


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.channel()
    return pair


# --- publishers


def test_a_refused_publish_is_nacked_in_its_turn(pair: Pair) -> None:
    pair.queue(arguments=FULL)
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    for _ in range(3):
        pair.publish(1, "", "q")
    assert pair.methods() == [BasicAck(1, False), BasicNack(2, False, False), BasicNack(3, False, False)]


def test_a_publish_that_one_of_its_queues_refused_is_nacked_when_the_others_have_it() -> None:
    store = ManualStore()
    pair = Pair(new_broker(store))
    pair.channel()
    for name, arguments in (("full", {**FULL, "x-max-length": 0}), ("other", {})):
        pair.send(1, QueueDeclare(queue=name, durable=True, arguments=arguments))
        pair.send(1, QueueBind(queue=name, exchange="amq.fanout"))
    store.commit()
    assert pair.methods() == [QueueDeclareOk("full"), QueueBindOk(), QueueDeclareOk("other"), QueueBindOk()]
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.publish(1, "amq.fanout", "", b"a", PERSISTENT)
    assert pair.silent()
    store.commit()
    assert pair.methods() == [BasicNack(1, False, False)]


def test_a_dead_letter_is_confirmed_when_it_is_stored() -> None:
    store = ManualStore()
    pair = Pair(new_broker(store))
    pair.channel()
    dying = {"x-message-ttl": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    for name, arguments in (("q", dying), ("dead", {})):
        pair.send(1, QueueDeclare(queue=name, durable=True, arguments=arguments))
    store.commit()
    pair.received()
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.publish(1, "", "q", b"a", PERSISTENT)
    assert pair.silent()
    store.commit()
    assert pair.methods() == [BasicAck(1, False)]


def test_a_transaction_of_which_something_was_refused_is_partial(pair: Pair) -> None:
    pair.queue(arguments=FULL)
    pair.channel(2)
    pair.call(2, TxSelect(), TxSelectOk)
    for body in (b"a", b"b"):
        pair.publish(2, "", "q", body)
    close = pair.call(2, TxCommit(), ChannelClose)
    assert (close.reply_code, close.reply_text) == (406, "PRECONDITION_FAILED - partial tx completion")
    assert (close.failing_class_id, close.failing_method_id) == (TxCommit.class_id, TxCommit.method_id)
    pair.send(2, ChannelCloseOk())
    assert pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk).message_count == 0


def test_expiration_is_heeded_in_a_transaction(pair: Pair) -> None:
    pair.queue()
    pair.channel(2)
    pair.call(2, TxSelect(), TxSelectOk)
    pair.publish(2, "", "q", b"a", Properties(expiration="1000"))
    pair.send(2, TxCommit())
    pair.received()
    pair.advance(1)
    pair.call(1, BasicGet(queue="q"), BasicGetEmpty)


# --- leases


def test_declaring_a_queue_renews_its_lease(pair: Pair) -> None:
    pair.queue(arguments={"x-expires": 1000})
    for passive in (True, False, True):
        pair.advance(0.9)
        pair.queue(passive=passive, arguments={"x-expires": 1000})
    pair.advance(1)
    assert pair.call(1, QueueDeclare(queue="q", passive=True), ChannelClose).reply_code == 404


def test_the_lease_begins_when_the_last_consumer_is_gone(pair: Pair) -> None:
    pair.queue(arguments={"x-expires": 1000})
    pair.channel(2)
    pair.consume(channel=2)
    pair.advance(5)
    pair.call(2, ChannelClose(), ChannelCloseOk)
    pair.advance(0.9)
    pair.queue(passive=True)
    pair.advance(1)
    assert pair.call(1, QueueDeclare(queue="q", passive=True), ChannelClose).reply_code == 404


# --- what comes back


def returned_by(pair: Pair, method: Method) -> int | None:
    """The count a message has after it was out once, and came back by this method."""
    pair.send(1, QueueDeclare(queue="q", durable=True, arguments=QUORUM))
    pair.received()
    pair.publish(1, "", "q", b"a")
    pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.send(1, method)
    pair.received()
    pair.send(1, BasicGet(queue="q"))
    properties = pair.expect_command(1, BasicGetOk).properties
    assert properties is not None
    count: int | None = (properties.headers or {}).get("x-delivery-count")
    return count


def test_a_message_that_is_rejected_is_counted(pair: Pair) -> None:
    assert returned_by(pair, BasicReject(1, requeue=True)) == 1


@pytest.mark.parametrize("method", [BasicNack(1, requeue=True), BasicRecover(requeue=True)])
@pytest.mark.parametrize(("version", "count"), [("default", None), ("4.2", 1), ("4.3", None)])
def test_whether_a_nack_or_recovery_counts_is_a_matter_of_the_version(
    version: str, count: int | None, method: Method
) -> None:
    pair = Pair(new_broker(compat=PROFILES[version]))
    pair.channel()
    assert returned_by(pair, method) == count


def test_what_a_closed_channel_had_is_counted(pair: Pair) -> None:
    pair.queue(durable=True, arguments=QUORUM)
    pair.channel(2)
    pair.consume(channel=2)
    pair.publish(1, "", "q", b"a")
    pair.received()
    pair.call(2, ChannelClose(), ChannelCloseOk)
    pair.send(1, BasicGet(queue="q"))
    properties = pair.expect_command(1, BasicGetOk).properties
    assert properties == Properties(headers={"x-delivery-count": 1})


# --- what quorum queues do not do


@pytest.mark.parametrize("flag", ["if_unused", "if_empty"])
def test_a_quorum_queue_is_deleted_without_conditions(pair: Pair, flag: str) -> None:
    pair.queue(durable=True, arguments=QUORUM)
    pair.send(1, QueueDelete(queue="q", **{flag: True}))
    close = pair.expect(0, ConnectionClose)
    assert close.reply_code == 540
