"""What is said when: nothing that promises durability is sent before the disk has it, and nothing overtakes it.

The store here commits when the test tells it to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.broker import exchanges
from amqpd.broker.exchanges.fanout import FanoutExchange
from amqpd.message import Message
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    BasicReturn,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ChannelOpenOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    ConnectionCloseOk,
    ExchangeBind,
    ExchangeBindOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    ExchangeUnbind,
    ExchangeUnbindOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
    QueuePurge,
    QueuePurgeOk,
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
from tests.amqp.pair import PERSISTENT, Pair, new_broker
from tests.fakes import ManualStore


@pytest.fixture
def store() -> ManualStore:
    return ManualStore()


@pytest.fixture
def pair(store: ManualStore) -> Pair:
    """A connection with channels 1 and 2, a durable queue `d` and a transient one `t`, all committed."""
    pair = Pair(new_broker(store))
    pair.channel(1)
    pair.channel(2)
    pair.send(1, QueueDeclare(queue="d", durable=True), QueueDeclare(queue="t"))
    store.commit()
    pair.received()
    return pair


def kinds(pair: Pair) -> list[type]:
    return [type(method) for method in pair.methods()]


def acks(pair: Pair) -> list[tuple[int, bool]]:
    """The acks that came, and nothing else."""
    found = []
    for method in pair.methods():
        assert isinstance(method, BasicAck)
        found.append((method.delivery_tag, method.multiple))
    return found


# --- declarations

DURABLE_CHANGES: list[tuple[list[Method], Method, type[Method]]] = [
    ([], ExchangeDeclare(exchange="x", durable=True), ExchangeDeclareOk),
    ([ExchangeDeclare(exchange="x", durable=True)], ExchangeDelete(exchange="x"), ExchangeDeleteOk),
    ([], QueueDeclare(queue="new", durable=True), QueueDeclareOk),
    ([], QueueDelete(queue="d"), QueueDeleteOk),
    ([], QueueBind(queue="d", exchange="amq.direct"), QueueBindOk),
    ([QueueBind(queue="d", exchange="amq.direct")], QueueUnbind(queue="d", exchange="amq.direct"), QueueUnbindOk),
    ([], ExchangeBind(source="amq.direct", destination="amq.fanout"), ExchangeBindOk),
    (
        [ExchangeBind(source="amq.direct", destination="amq.fanout")],
        ExchangeUnbind(source="amq.direct", destination="amq.fanout"),
        ExchangeUnbindOk,
    ),
]


@pytest.mark.parametrize(
    ("before", "change", "answer"), DURABLE_CHANGES, ids=[change.name for _, change, _ in DURABLE_CHANGES]
)
def test_the_answer_to_a_durable_change_waits_for_the_disk(
    pair: Pair, store: ManualStore, before: list[Method], change: Method, answer: type[Method]
) -> None:
    pair.send(1, *before)
    store.commit()
    pair.received()
    pair.send(1, change)
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [answer]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (ExchangeDeclare(exchange="x"), ExchangeDeclareOk),
        (QueueDeclare(queue="new"), QueueDeclareOk),
        (QueueDeclare(queue="new", durable=True, exclusive=True), QueueDeclareOk),
        (QueueDeclare(queue="d", passive=True), QueueDeclareOk),
        (QueueDeclare(queue="d", durable=True), QueueDeclareOk),
        (QueueDelete(queue="t"), QueueDeleteOk),
        (QueueDelete(queue="nope"), QueueDeleteOk),
        (QueueBind(queue="t", exchange="amq.direct"), QueueBindOk),
        (QueuePurge(queue="t"), QueuePurgeOk),
        (ExchangeDelete(exchange="nope"), ExchangeDeleteOk),
    ],
    ids=lambda value: value.name if isinstance(value, Method) else "",
)
def test_what_changes_nothing_durable_is_answered_at_once(pair: Pair, change: Method, answer: type[Method]) -> None:
    pair.send(1, change)
    assert kinds(pair) == [answer]


def test_declaring_what_another_has_just_declared_waits_as_well(pair: Pair, store: ManualStore) -> None:
    other = Pair(pair.broker)
    other.channel()
    pair.send(1, QueueDeclare(queue="new", durable=True))
    other.send(1, QueueDeclare(queue="new", durable=True))
    assert pair.silent()
    assert other.silent()
    store.commit()
    assert kinds(pair) == kinds(other) == [QueueDeclareOk]


def test_nothing_overtakes_a_held_answer_on_its_channel(pair: Pair, store: ManualStore) -> None:
    pair.publish(1, "", "t", b"body")
    pair.send(
        1,
        QueueDeclare(queue="new", durable=True),
        QueueDeclare(queue="other"),
        BasicGet(queue="t", no_ack=True),
        BasicConsume(queue="t"),
        ExchangeDeclare(exchange="x", durable=True),
    )
    pair.publish(1, "", "t", b"body")
    pair.publish(1, "", "nowhere", b"body", mandatory=True)
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [
        QueueDeclareOk,
        QueueDeclareOk,
        BasicGetOk,
        BasicConsumeOk,
        ExchangeDeclareOk,
        BasicDeliver,
        BasicReturn,
    ]


def test_other_channels_and_connections_do_not_wait(pair: Pair, store: ManualStore) -> None:
    other = Pair(pair.broker)
    other.channel()
    pair.send(1, QueueDeclare(queue="new", durable=True))
    pair.call(2, BasicGet(queue="t"), BasicGetEmpty)
    other.call(1, BasicGet(queue="t"), BasicGetEmpty)
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [QueueDeclareOk]


def test_a_channel_goes_on_at_once_after_what_it_waited_for(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True))
    store.commit()
    assert kinds(pair) == [QueueDeclareOk]
    pair.call(1, BasicGet(queue="t"), BasicGetEmpty)


def test_each_held_answer_waits_for_its_own_commit(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="one", durable=True))
    store.commit()
    pair.send(1, QueueDeclare(queue="two", durable=True))
    assert kinds(pair) == [QueueDeclareOk]
    store.commit()
    assert kinds(pair) == [QueueDeclareOk]


def test_an_answer_to_a_change_in_flight_does_not_wait_for_later_changes() -> None:
    """Two batches on their way to the disk release what waits for each, in order."""
    batches: list[list[Callable[[], None]]] = []

    class TwoBatches(ManualStore):
        def when_committed(self, callback: Callable[[], None]) -> None:
            if not batches or self._changed:
                batches.append([])
                self._changed = False
            batches[-1].append(callback)

    pair = Pair(new_broker(TwoBatches()))
    pair.channel()
    pair.send(1, QueueDeclare(queue="one", durable=True))
    pair.send(1, QueueDeclare(queue="two", durable=True))
    assert pair.silent()
    for name in ("one", "two"):
        for callback in batches.pop(0):
            callback()
        assert pair.expect(1, QueueDeclareOk).queue == name
        assert pair.silent()


def test_without_an_answer_wanted_nothing_waits(pair: Pair) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True, nowait=True), BasicGet(queue="t"))
    assert kinds(pair) == [BasicGetEmpty]


def test_an_error_behind_a_held_answer_comes_after_it(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True), QueueDeclare(queue="nope", passive=True))
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [QueueDeclareOk, ChannelClose]


def test_closing_a_channel_waits_for_what_it_was_owed(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True), ChannelClose())
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [QueueDeclareOk, ChannelCloseOk]


def test_opening_the_number_again_waits_for_what_the_channel_before_is_owed(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True), ChannelClose(), ChannelOpen(), BasicGet(queue="t"))
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [QueueDeclareOk, ChannelCloseOk, ChannelOpenOk, BasicGetEmpty]


def test_so_does_opening_it_again_while_the_commit_is_under_way(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True), ChannelClose())
    pair.send(1, ChannelOpen())
    pair.send(1, ChannelClose(), ChannelOpen())
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [QueueDeclareOk, ChannelCloseOk, ChannelOpenOk, ChannelCloseOk, ChannelOpenOk]
    pair.call(1, BasicGet(queue="t"), BasicGetEmpty)


def test_a_close_that_crosses_a_held_error_is_answered_after_it(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True), BasicAck(99), ChannelClose(), ChannelOpen())
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [QueueDeclareOk, ChannelClose, ChannelCloseOk, ChannelOpenOk]


def test_a_connection_that_closes_does_not_wait(pair: Pair, store: ManualStore) -> None:
    pair.send(1, QueueDeclare(queue="new", durable=True))
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)
    store.commit()
    assert pair.silent()
    assert "new" in pair.broker.vhosts["/"].queues


# --- confirms


def confirming(pair: Pair) -> Pair:
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    return pair


def test_a_persistent_message_is_confirmed_when_the_disk_has_it(pair: Pair, store: ManualStore) -> None:
    confirming(pair).publish(1, "", "d", b"body", PERSISTENT)
    assert pair.silent()
    store.commit()
    assert acks(pair) == [(1, False)]


@pytest.mark.parametrize(("queue", "persistent"), [("d", False), ("t", True), ("t", False), ("nowhere", True)], ids=str)
def test_anything_else_is_confirmed_at_once(pair: Pair, queue: str, persistent: bool) -> None:
    confirming(pair).publish(1, "", queue, b"body", PERSISTENT if persistent else None)
    assert acks(pair) == [(1, False)]


def test_a_message_is_confirmed_when_every_queue_has_it(pair: Pair, store: ManualStore) -> None:
    for queue in ("d", "t"):
        pair.send(1, QueueBind(queue=queue, exchange="amq.fanout"))
    store.commit()
    pair.received()
    confirming(pair).publish(1, "amq.fanout", "", b"body", PERSISTENT)
    assert pair.silent()
    store.commit()
    assert acks(pair) == [(1, False)]


def test_one_commit_confirms_everything_before_it_in_one_word(pair: Pair, store: ManualStore) -> None:
    confirming(pair)
    for _ in range(5):
        pair.publish(1, "", "d", b"body", PERSISTENT)
    assert pair.silent()
    store.commit()
    acked = acks(pair)
    assert acked[-1][0] == 5
    assert len(acked) <= 5


def test_publishes_of_one_read_are_confirmed_in_one_word(pair: Pair, store: ManualStore) -> None:
    confirming(pair)
    publish = pair.session.encode_publish(1, "", "d", b"body", PERSISTENT)
    pair.write(publish * 5)
    store.commit()
    assert acks(pair) == [(5, True)]


def test_a_transient_message_does_not_overtake_a_persistent_one(pair: Pair, store: ManualStore) -> None:
    confirming(pair)
    pair.publish(1, "", "t", b"1")
    pair.publish(1, "", "d", b"2", PERSISTENT)
    pair.publish(1, "", "t", b"3")
    assert acks(pair) == [(1, False)]
    store.commit()
    assert acks(pair) == [(3, True)]


def test_a_message_consumed_before_it_was_written_is_confirmed_when_its_turn_comes(
    pair: Pair, store: ManualStore
) -> None:
    confirming(pair)
    pair.consume("d", channel=2, no_ack=True)
    pair.publish(1, "", "d", b"body", PERSISTENT)
    store.commit()
    assert sorted(each.__name__ for each in kinds(pair)) == ["BasicAck", "BasicDeliver"]


def test_a_return_comes_before_the_confirm(pair: Pair, store: ManualStore) -> None:
    confirming(pair)
    pair.publish(1, "", "d", b"body", PERSISTENT)
    pair.publish(1, "", "nowhere", b"body", PERSISTENT, mandatory=True)
    assert kinds(pair) == [BasicReturn]
    store.commit()
    assert [each for each in kinds(pair) if each is not BasicAck] == []


def test_numbers_are_counted_from_confirm_select_and_by_channel(pair: Pair) -> None:
    pair.publish(1, "", "t", b"not counted")
    confirming(pair).publish(1, "", "t", b"1")
    assert acks(pair) == [(1, False)]
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.publish(1, "", "t", b"2")
    assert acks(pair) == [(2, False)]
    pair.call(2, ConfirmSelect(), ConfirmSelectOk)
    pair.publish(2, "", "t", b"1")
    (command,) = pair.received()
    assert (command.channel, command.method) == (2, BasicAck(1, False))


def test_a_channel_that_is_closed_confirms_nothing_more(pair: Pair, store: ManualStore) -> None:
    confirming(pair).publish(1, "", "d", b"body", PERSISTENT)
    pair.call(1, ChannelClose(), ChannelCloseOk)
    store.commit()
    assert pair.silent()


def test_neither_does_one_that_was_opened_again(pair: Pair, store: ManualStore) -> None:
    confirming(pair).publish(1, "", "d", b"body", PERSISTENT)
    pair.call(1, ChannelClose(), ChannelCloseOk)
    pair.channel(1)
    confirming(pair)
    store.commit()
    assert pair.silent()


def test_a_held_answer_holds_back_later_confirms(pair: Pair, store: ManualStore) -> None:
    confirming(pair)
    pair.send(1, QueueDeclare(queue="new", durable=True))
    pair.publish(1, "", "t", b"1")
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [QueueDeclareOk, BasicAck]


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(["persistent", "transient", "unroutable", "returned", "both", "declare", "commit"]), max_size=30
    )
)
def test_confirms_are_honest_complete_and_in_order(steps: list[str]) -> None:
    store = ManualStore()
    pair = Pair(new_broker(store))
    pair.channel()
    pair.send(1, QueueDeclare(queue="d", durable=True), QueueDeclare(queue="t"), ConfirmSelect())
    pair.send(1, QueueBind(queue="d", exchange="amq.fanout"), QueueBind(queue="t", exchange="amq.fanout"))
    store.commit()
    pair.received()
    published = confirmed = 0
    uncommitted: set[int] = set()
    returned: list[int] = []

    def look() -> None:
        nonlocal confirmed
        for method in pair.methods():
            if isinstance(method, BasicReturn):
                returned.append(int(method.routing_key.split("-")[1]))
            elif isinstance(method, BasicAck):
                assert method.delivery_tag > confirmed
                assert method.multiple is (method.delivery_tag - confirmed > 1)
                confirmed = method.delivery_tag
                assert not [number for number in uncommitted if number <= confirmed], "confirmed before it was written"

    for step in [*steps, "commit"]:
        if step == "commit":
            store.commit()
            uncommitted.clear()
            look()
            assert confirmed == published
            continue
        if step == "declare":
            pair.send(1, ExchangeDeclare(exchange=f"x{published}", durable=True))
        else:
            published += 1
            if step in ("persistent", "both"):
                uncommitted.add(published)
            key = {"persistent": "d", "transient": "t", "both": "", "unroutable": "nowhere"}.get(step)
            exchange = "amq.fanout" if step == "both" else ""
            pair.publish(
                1, exchange, key if key is not None else f"no-{published}", b"body", PERSISTENT, mandatory=key is None
            )
        look()
    assert confirmed == published
    assert returned == sorted(returned)


# --- transactions


def test_commit_ok_waits_for_the_disk(pair: Pair, store: ManualStore) -> None:
    pair.call(1, TxSelect(), TxSelectOk)
    pair.publish(1, "", "d", b"body", PERSISTENT)
    pair.send(1, TxCommit())
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [TxCommitOk]


def test_commit_ok_waits_for_acknowledgements_as_well(pair: Pair, store: ManualStore) -> None:
    pair.publish(1, "", "d", b"body", PERSISTENT)
    store.commit()
    pair.call(1, TxSelect(), TxSelectOk)
    pair.call(1, BasicGet(queue="d"), BasicGetOk)
    pair.send(1, BasicAck(1))
    pair.call(1, TxRollback(), TxRollbackOk)
    pair.send(1, BasicAck(1), TxCommit())
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [TxCommitOk]


def test_a_transaction_that_changed_nothing_durable_is_answered_at_once(pair: Pair) -> None:
    pair.call(1, TxSelect(), TxSelectOk)
    pair.publish(1, "", "t", b"body", PERSISTENT)
    pair.call(1, TxCommit(), TxCommitOk)


def test_returns_of_a_transaction_come_before_its_commit_ok(pair: Pair, store: ManualStore) -> None:
    pair.call(1, TxSelect(), TxSelectOk)
    pair.publish(1, "", "nowhere", b"body", mandatory=True)
    pair.publish(1, "", "d", b"body", PERSISTENT)
    assert pair.silent()
    pair.send(1, TxCommit())
    assert BasicGetOk not in kinds(pair)
    store.commit()
    assert [each for each in kinds(pair) if each is not BasicReturn] == [TxCommitOk]


def test_two_commits_are_answered_in_order(pair: Pair, store: ManualStore) -> None:
    pair.call(1, TxSelect(), TxSelectOk)
    for _ in range(2):
        pair.publish(1, "", "d", b"body", PERSISTENT)
        pair.send(1, TxCommit())
    assert pair.silent()
    store.commit()
    assert kinds(pair) == [TxCommitOk, TxCommitOk]


# --- what an exchange gives to new bindings


class MirrorExchange(FanoutExchange):
    """Gives new bindings the very messages it was given, and not copies of them."""

    type = "x-mirror"
    by_routing_key = False
    attentive = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self._seen: list[Message] = []

    def receive(self, message: Message, keys: tuple[str, ...]) -> int | None:
        self._seen.append(message)
        return None

    def replay(self) -> Iterable[Message]:
        return list(self._seen)


@pytest.mark.parametrize("kind", ["x-recent-history", "x-mirror"])
def test_the_consumer_of_what_a_new_binding_brings_does_not_confirm_the_publish(
    pair: Pair, store: ManualStore, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exchanges._types, MirrorExchange.type, MirrorExchange)
    pair.send(1, ExchangeDeclare(exchange="x", type=kind), QueueBind(queue="d", exchange="x"), ConfirmSelect())
    pair.send(2, QueueDeclare(queue="later", durable=True), BasicConsume(queue="later", no_ack=True))
    store.commit()
    pair.received()
    pair.publish(1, "x", "", b"body", PERSISTENT)
    pair.send(2, QueueBind(queue="later", exchange="x"))
    assert kinds(pair) == [BasicDeliver]  # but no ack: what `d` has is not on the disk
    store.commit()
    assert set(kinds(pair)) == {BasicAck, QueueBindOk}
