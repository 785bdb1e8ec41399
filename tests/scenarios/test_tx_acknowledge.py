"""Settling in a transaction: nothing is settled before commit. Deliveries are no part of it."""

from __future__ import annotations

import pytest
from steps import (
    close_channel,
    consume,
    delivered,
    deliveries,
    drain,
    expect_channel_error,
    expect_ready,
    fill,
    own_queue,
    reopen_channel,
    take,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicAck,
    BasicDeliver,
    BasicNack,
    BasicQos,
    BasicQosOk,
    BasicReject,
    TxCommit,
    TxCommitOk,
    TxRollback,
    TxRollbackOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.schema import Method


@pytest.fixture
def tx(client: Client) -> Client:
    """A connection whose channel 1 is in tx mode; channel 2 is not."""
    client.channel(2)
    client.call(1, TxSelect(), TxSelectOk)
    return client


def commit(client: Client) -> None:
    client.call(1, TxCommit(), TxCommitOk)


def rollback(client: Client) -> None:
    client.call(1, TxRollback(), TxRollbackOk)


def test_acks_hold_after_commit(tx: Client) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"acked")
    tx.send(1, BasicAck(take(tx, queue)))
    commit(tx)
    close_channel(tx)
    assert drain(tx, queue, channel=2) == []


def test_acks_are_nothing_without_commit(tx: Client) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"not acked")
    tx.send(1, BasicAck(take(tx, queue)))
    close_channel(tx)
    assert drain(tx, queue, channel=2) == [b"not acked"]


def test_after_rollback_messages_are_outstanding_again_under_their_tags(tx: Client) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"1", b"2", b"3")
    for _ in range(3):
        take(tx, queue)
    tx.send(1, BasicAck(2, multiple=True))
    rollback(tx)
    assert drain(tx, queue, channel=2) == []
    tx.send(1, BasicAck(1), BasicNack(3))
    commit(tx)
    assert drain(tx, queue, channel=2) == [b"3"]
    close_channel(tx)
    assert drain(tx, queue, channel=2) == [b"2"]


@pytest.mark.parametrize("method", [BasicNack(1, requeue=True), BasicReject(1, requeue=True)], ids=str)
def test_messages_are_requeued_at_commit(tx: Client, method: Method) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"requeued")
    take(tx, queue)
    tx.send(1, method)
    assert drain(tx, queue) == []
    commit(tx)
    assert drain(tx, queue) == [b"requeued"]


@pytest.mark.parametrize("method", [BasicNack(1, requeue=False), BasicReject(1, requeue=False)], ids=str)
def test_messages_are_dropped_at_commit(tx: Client, method: Method) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"dropped")
    take(tx, queue)
    tx.send(1, method)
    commit(tx)
    reopen_channel(tx)
    assert drain(tx, queue) == []


@pytest.mark.parametrize("method", [BasicNack(1, requeue=False), BasicReject(1, requeue=True), BasicAck(1)], ids=str)
def test_messages_settled_in_a_transaction_cannot_be_settled_again_in_it(tx: Client, method: Method) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"1")
    take(tx, queue)
    tx.send(1, BasicAck(1), method)
    expect_channel_error(tx, 406, "unknown delivery tag 1", type(method))
    assert drain(tx, queue) == [b"1"]


def test_unknown_tags_are_refused_at_once(tx: Client) -> None:
    queue = own_queue(tx)
    tx.publish(1, "", queue, b"dropped")
    tx.send(1, BasicAck(5))
    expect_channel_error(tx, 406, "unknown delivery tag 5", BasicAck)
    assert drain(tx, queue) == []


def test_multiple_covers_what_the_transaction_has_not_settled(tx: Client) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"1", b"2", b"3")
    for _ in range(3):
        take(tx, queue)
    tx.send(1, BasicNack(2, requeue=True), BasicAck(3, multiple=True))
    commit(tx)
    assert drain(tx, queue) == [b"2"]
    close_channel(tx)
    assert drain(tx, queue, channel=2) == []


def test_deliveries_are_not_undone_by_rollback(tx: Client) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"1", b"2")
    assert take(tx, queue) == 1
    rollback(tx)
    assert drain(tx, queue, channel=2) == [b"2"]
    tx.send(1, BasicAck(1))
    commit(tx)


def test_prefetch_is_held_until_commit(tx: Client) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"1", b"2", b"3")
    tx.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    consume(tx, queue)
    assert deliveries(tx, 1) == [b"1"]
    tx.send(1, BasicAck(1))
    expect_ready(tx, queue, 2, channel=2)
    assert tx.silence()
    tx.send(1, TxCommit())
    assert {type(tx.receive().method), type(tx.receive().method)} == {TxCommitOk, BasicDeliver}


def test_prefetch_is_held_after_rollback(tx: Client) -> None:
    queue = own_queue(tx)
    fill(tx, queue, b"1", b"2")
    tx.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    consume(tx, queue)
    assert deliveries(tx, 1) == [b"1"]
    tx.send(1, BasicAck(1))
    rollback(tx)
    assert tx.silence()
    tx.send(1, BasicAck(1), TxCommit())
    received = [tx.receive(), tx.receive()]
    assert sorted(command.body for command in received) == [b"", b"2"]


def test_publishes_and_acks_are_committed_together(tx: Client) -> None:
    source, destination = own_queue(tx), own_queue(tx)
    fill(tx, source, b"moved")
    consume(tx, source)
    delivery = delivered(tx)
    tx.publish(1, "", destination, delivery.body)
    tx.send(1, BasicAck(delivery.method.delivery_tag))
    commit(tx)
    assert drain(tx, destination) == [b"moved"]
    close_channel(tx)
    assert drain(tx, source, channel=2) == []
