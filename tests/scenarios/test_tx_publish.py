"""Publishing in a transaction: nothing reaches a queue before commit."""

from __future__ import annotations

import pytest
from steps import (
    Connect,
    Name,
    bind,
    consume,
    declare,
    declare_exchange,
    delete,
    deliveries,
    drain,
    expect_channel_error,
    own_queue,
    reopen_channel,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicPublish,
    BasicReturn,
    QueueDeclare,
    QueueUnbind,
    QueueUnbindOk,
    TxCommit,
    TxCommitOk,
    TxRollback,
    TxRollbackOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import Properties

BODIES = [b"1", b"2", b"3"]


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


def test_messages_arrive_at_commit_in_order(tx: Client) -> None:
    queue = own_queue(tx)
    for body in BODIES:
        tx.publish(1, "", queue, body)
    assert drain(tx, queue, channel=1) == []
    assert drain(tx, queue, channel=2) == []
    commit(tx)
    assert drain(tx, queue, channel=2) == BODIES


def test_messages_are_forgotten_at_rollback(tx: Client) -> None:
    queue = own_queue(tx)
    tx.publish(1, "", queue, b"forgotten")
    rollback(tx)
    commit(tx)
    assert drain(tx, queue) == []


def test_one_transaction_follows_another(tx: Client) -> None:
    queue = own_queue(tx)
    for number in range(5):
        tx.publish(1, "", queue, b"%d" % number)
        if number % 2:
            commit(tx)
        else:
            rollback(tx)
    assert drain(tx, queue) == [b"1", b"3"]


def test_selecting_again_changes_nothing(tx: Client) -> None:
    queue = own_queue(tx)
    tx.publish(1, "", queue, b"kept")
    tx.call(1, TxSelect(), TxSelectOk)
    assert drain(tx, queue) == []
    commit(tx)
    assert drain(tx, queue) == [b"kept"]


def test_an_empty_transaction_can_be_committed_and_rolled_back(tx: Client) -> None:
    commit(tx)
    rollback(tx)


@pytest.mark.parametrize("method", [TxCommit(), TxRollback()], ids=str)
def test_there_has_to_be_a_transaction(client: Client, method: TxCommit | TxRollback) -> None:
    client.send(1, method)
    expect_channel_error(client, 406, "channel is not transactional", type(method))


def test_messages_are_dropped_when_the_channel_closes(tx: Client) -> None:
    queue = own_queue(tx)
    tx.publish(1, "", queue, b"dropped")
    reopen_channel(tx)
    assert drain(tx, queue) == []


def test_messages_are_dropped_with_the_connection(client: Client, connect: Connect) -> None:
    queue = own_queue(client)
    for leave in ("close", "drop"):
        other = connect()
        other.channel(1)
        other.call(1, TxSelect(), TxSelectOk)
        other.publish(1, "", queue, b"dropped")
        other.call(1, TxSelect(), TxSelectOk)
        getattr(other, leave)()
    assert client.silence()
    assert drain(client, queue) == []


def test_errors_are_raised_at_once_and_drop_the_rest(tx: Client) -> None:
    queue = own_queue(tx)
    tx.publish(1, "", queue, b"dropped")
    tx.publish(1, "nope", "key")
    expect_channel_error(tx, 404, "no exchange 'nope' in vhost '/'", BasicPublish)
    assert drain(tx, queue) == []


def test_properties_are_checked_at_once(tx: Client) -> None:
    tx.publish(1, "", "nobody", b"", Properties(expiration="soon"))
    expect_channel_error(tx, 406, "invalid expiration 'soon': no_integer", BasicPublish)


def test_unroutable_messages_come_back_at_commit_before_commit_ok(tx: Client) -> None:
    queue = own_queue(tx)
    tx.publish(1, "", "nobody", b"first", mandatory=True)
    tx.publish(1, "", queue, b"routed", mandatory=True)
    tx.publish(1, "", "nobody", b"second", mandatory=True)
    assert tx.silence()
    tx.send(1, TxCommit())
    assert tx.expect_command(1, BasicReturn).body == b"first"
    assert tx.expect_command(1, BasicReturn).body == b"second"
    tx.expect(1, TxCommitOk)
    assert drain(tx, queue) == [b"routed"]


def test_unroutable_messages_do_not_come_back_after_rollback(tx: Client) -> None:
    tx.publish(1, "", "nobody", b"", mandatory=True)
    rollback(tx)
    commit(tx)
    assert tx.silence()


def test_messages_are_routed_when_they_are_published(tx: Client, name: Name) -> None:
    exchange = declare_exchange(tx, name("exchange"))
    bound, unbound = own_queue(tx), own_queue(tx)
    bind(tx, unbound, exchange, "key")
    tx.publish(1, exchange, "key", b"message")
    tx.call(1, QueueUnbind(queue=unbound, exchange=exchange, routing_key="key"), QueueUnbindOk)
    bind(tx, bound, exchange, "key")
    commit(tx)
    assert drain(tx, bound) == []
    assert drain(tx, unbound) == [b"message"]


def test_a_queue_deleted_before_commit_gets_nothing(tx: Client, name: Name) -> None:
    queue = name("queue")
    declare(tx, queue)
    tx.publish(1, "", queue, b"lost")
    delete(tx, queue)
    commit(tx)
    tx.send(1, QueueDeclare(queue=queue, passive=True))
    expect_channel_error(tx, 404, f"no queue '{queue}' in vhost '/'", QueueDeclare)


def test_a_mandatory_message_comes_back_when_its_only_queue_was_deleted_before_commit(tx: Client) -> None:
    queue = own_queue(tx)
    tx.publish(1, "", queue, b"lost", mandatory=True)
    delete(tx, queue)
    tx.send(1, TxCommit())
    assert tx.expect_command(1, BasicReturn).body == b"lost"
    tx.expect(1, TxCommitOk)


def test_consumers_get_messages_after_commit_only(tx: Client) -> None:
    queue = own_queue(tx)
    consume(tx, queue, channel=2)
    for body in BODIES:
        tx.publish(1, "", queue, body)
    assert tx.silence()
    rollback(tx)
    assert tx.silence()
    tx.publish(1, "", queue, b"committed")
    tx.send(1, TxCommit())
    received = {type(command.method).__name__: command for command in (tx.receive(), tx.receive())}
    assert set(received) == {"TxCommitOk", "BasicDeliver"}
    assert received["BasicDeliver"].body == b"committed"


def test_persistent_messages_for_durable_queues_are_there_after_commit(tx: Client, name: Name) -> None:
    queue = name("queue")
    declare(tx, queue, durable=True)
    for body in BODIES:
        tx.publish(1, "", queue, body, Properties(delivery_mode=2))
    commit(tx)
    consume(tx, queue, channel=2)
    assert deliveries(tx, 3, channel=2) == BODIES
