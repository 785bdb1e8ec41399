"""Transactions: what happens at once, and what waits for the commit."""

from __future__ import annotations

import pytest

from amqpd.broker.queue import Queue
from amqpd.wire.methods import (
    BasicAck,
    BasicDeliver,
    BasicGet,
    BasicGetOk,
    BasicNack,
    BasicReject,
    BasicReturn,
    ChannelClose,
    ChannelCloseOk,
    QueueBind,
    QueueBindOk,
    QueueDelete,
    QueueDeleteOk,
    QueueUnbind,
    QueueUnbindOk,
    TxCommit,
    TxCommitOk,
    TxRollback,
    TxRollbackOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.schema import Method
from tests.amqp.pair import PERSISTENT, Pair


@pytest.fixture
def pair() -> Pair:
    """A connection with a queue `q`, channel 1 in a transaction, and channel 2 as it is."""
    pair = Pair()
    pair.channel(1)
    pair.channel(2)
    pair.queue("q", channel=2)
    pair.call(1, TxSelect(), TxSelectOk)
    return pair


def the_queue(pair: Pair) -> Queue:
    return pair.broker.vhosts["/"].queues["q"]


def bodies(queue: Queue) -> list[bytes]:
    return [entry.message.body for entry in queue.ready]


def test_what_is_published_is_there_when_it_is_committed(pair: Pair) -> None:
    for body in (b"a", b"b"):
        pair.publish(1, "", "q", body)
    assert bodies(the_queue(pair)) == []
    pair.call(1, TxCommit(), TxCommitOk)
    assert bodies(the_queue(pair)) == [b"a", b"b"]


def test_what_is_rolled_back_never_was(pair: Pair) -> None:
    pair.publish(1, "", "q", b"a")
    pair.call(1, TxRollback(), TxRollbackOk)
    pair.publish(1, "", "q", b"b")
    pair.call(1, TxCommit(), TxCommitOk)
    assert bodies(the_queue(pair)) == [b"b"]


def test_the_next_transaction_begins_at_once(pair: Pair) -> None:
    for body in (b"a", b"b"):
        pair.publish(1, "", "q", body)
        pair.call(1, TxCommit(), TxCommitOk)
    assert bodies(the_queue(pair)) == [b"a", b"b"]
    pair.call(1, TxCommit(), TxCommitOk)
    pair.call(1, TxSelect(), TxSelectOk)
    assert bodies(the_queue(pair)) == [b"a", b"b"]


def test_other_channels_are_not_part_of_it(pair: Pair) -> None:
    pair.publish(1, "", "q", b"in it")
    pair.publish(2, "", "q", b"not in it")
    assert bodies(the_queue(pair)) == [b"not in it"]


@pytest.mark.parametrize("method", [TxCommit(), TxRollback()], ids=lambda method: method.name)
def test_without_select_there_is_nothing_to_end(pair: Pair, method: Method) -> None:
    pair.send(2, method)
    close = pair.expect(2, ChannelClose)
    assert (close.reply_code, close.reply_text) == (406, "PRECONDITION_FAILED - channel is not transactional")


def test_a_channel_that_closes_takes_its_transaction_with_it(pair: Pair) -> None:
    pair.publish(1, "", "q", b"a")
    pair.call(1, ChannelClose(), ChannelCloseOk)
    assert bodies(the_queue(pair)) == []


# --- routed when published


def test_a_message_is_routed_when_it_is_published(pair: Pair) -> None:
    pair.call(2, QueueBind(queue="q", exchange="amq.direct", routing_key="k"), QueueBindOk)
    pair.publish(1, "amq.direct", "k", b"before")
    pair.call(2, QueueUnbind(queue="q", exchange="amq.direct", routing_key="k"), QueueUnbindOk)
    pair.publish(1, "amq.direct", "k", b"after")
    pair.call(1, TxCommit(), TxCommitOk)
    assert bodies(the_queue(pair)) == [b"before"]


def test_faults_of_a_publish_are_told_at_once(pair: Pair) -> None:
    pair.publish(1, "nope", "k")
    assert pair.expect(1, ChannelClose).reply_code == 404


def test_a_queue_that_is_gone_at_the_commit_is_passed_over(pair: Pair) -> None:
    pair.publish(1, "", "q", b"lost")
    pair.call(2, QueueDelete(queue="q"), QueueDeleteOk)
    pair.call(1, TxCommit(), TxCommitOk)
    pair.queue("q", channel=2)
    assert bodies(the_queue(pair)) == []


def test_nothing_is_stored_for_a_queue_that_is_gone_at_the_commit(pair: Pair) -> None:
    pair.queue("d", channel=2, durable=True)
    pair.publish(1, "", "d", b"lost", PERSISTENT)
    pair.call(2, QueueDelete(queue="d"), QueueDeleteOk)
    pair.call(1, TxCommit(), TxCommitOk)
    assert pair.broker.store.recover().counters == {}
    assert pair.broker.memory.used == 0


def test_a_mandatory_message_whose_queues_are_all_gone_at_the_commit_comes_back(pair: Pair) -> None:
    pair.publish(1, "", "q", b"back", mandatory=True)
    pair.call(2, QueueDelete(queue="q"), QueueDeleteOk)
    pair.send(1, TxCommit())
    assert [type(method) for method in pair.methods()] == [BasicReturn, TxCommitOk]


def test_returns_come_with_the_commit_before_its_answer(pair: Pair) -> None:
    pair.publish(1, "", "nowhere", b"back", mandatory=True)
    pair.publish(1, "", "nowhere", b"lost")
    assert pair.silent()
    pair.send(1, TxCommit())
    assert pair.expect_command(1, BasicReturn).body == b"back"
    pair.expect(1, TxCommitOk)


def test_rolling_back_returns_nothing(pair: Pair) -> None:
    pair.publish(1, "", "nowhere", b"back", mandatory=True)
    pair.call(1, TxRollback(), TxRollbackOk)
    assert pair.silent()


# --- settlements


def get(pair: Pair, count: int) -> None:
    for _ in range(count):
        pair.publish(2, "", "q", b"body")
    for _ in range(count):
        pair.call(1, BasicGet(queue="q"), BasicGetOk)


def test_acks_count_when_they_are_committed(pair: Pair) -> None:
    get(pair, 2)
    pair.send(1, BasicAck(1))
    assert the_queue(pair).unacked == 2
    pair.call(1, TxCommit(), TxCommitOk)
    assert the_queue(pair).unacked == 1


def test_an_unknown_tag_is_told_at_once(pair: Pair) -> None:
    get(pair, 1)
    pair.send(1, BasicAck(1), BasicAck(1))
    assert pair.expect(1, ChannelClose).reply_text == "PRECONDITION_FAILED - unknown delivery tag 1"


def test_what_was_settled_is_outstanding_again_after_a_rollback(pair: Pair) -> None:
    get(pair, 3)
    pair.send(1, BasicAck(2), BasicReject(1, requeue=True), BasicNack(3, requeue=False))
    pair.call(1, TxRollback(), TxRollbackOk)
    assert the_queue(pair).unacked == 3
    pair.send(1, BasicAck(3, multiple=True))
    pair.call(1, TxCommit(), TxCommitOk)
    assert (the_queue(pair).unacked, the_queue(pair).message_count) == (0, 0)


def test_refusals_go_back_or_go_when_they_are_committed(pair: Pair) -> None:
    get(pair, 2)
    pair.send(1, BasicReject(1, requeue=True), BasicNack(2, requeue=False))
    assert the_queue(pair).message_count == 0
    pair.call(1, TxCommit(), TxCommitOk)
    assert (the_queue(pair).message_count, the_queue(pair).unacked) == (1, 0)


def test_a_limit_is_held_until_the_commit(pair: Pair) -> None:
    pair.consume("q", channel=1, prefetch=1)
    for _ in range(2):
        pair.publish(2, "", "q", b"body")
    assert len(pair.received()) == 1
    pair.send(1, BasicAck(1))
    assert pair.silent()
    pair.send(1, TxCommit())
    assert {type(method) for method in pair.methods()} == {TxCommitOk, BasicDeliver}


def test_what_was_settled_and_not_committed_goes_back_with_its_channel(pair: Pair) -> None:
    get(pair, 2)
    pair.send(1, BasicAck(1), BasicReject(2, requeue=False))
    pair.call(1, ChannelClose(), ChannelCloseOk)
    assert [entry.redelivered for entry in the_queue(pair).ready] == [True, True]


def test_deliveries_are_not_part_of_a_transaction(pair: Pair) -> None:
    pair.consume("q", channel=1, no_ack=True)
    pair.publish(2, "", "q", b"body")
    pair.expect(1, BasicDeliver)
