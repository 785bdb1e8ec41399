"""Streams over a connection: what waits for the disk, and that nothing else of the channel minds."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicQos,
    BasicQosOk,
    ChannelClose,
    ChannelCloseOk,
    ConfirmSelect,
    ConfirmSelectOk,
    QueueBind,
    QueueBindOk,
    QueueDelete,
    QueueDeleteOk,
    TxCommit,
    TxCommitOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import Properties
from tests.amqp.pair import PERSISTENT, Pair, new_broker
from tests.fakes import ManualStore


def stream_pair(store: ManualStore | None = None) -> Pair:
    """A connection with a stream called s on channel 1."""
    pair = Pair(new_broker(store))
    pair.channel(1)
    pair.broker.vhosts["/"].declare_queue("s", durable=True, arguments={"x-queue-type": "stream"})
    if store is not None:
        store.commit()
    return pair


def follow(pair: Pair, where: Any = "first", tag: str = "c", prefetch: int = 10) -> None:
    pair.call(1, BasicQos(prefetch_count=prefetch), BasicQosOk)
    pair.call(1, BasicConsume(queue="s", consumer_tag=tag, arguments={"x-stream-offset": where}), BasicConsumeOk)


def delivered(pair: Pair) -> tuple[int, bytes]:
    """Offset and body of the next delivery."""
    command = pair.expect_command(1, BasicDeliver)
    assert command.properties is not None
    assert command.properties.headers is not None
    return command.properties.headers["x-stream-offset"], command.body


@pytest.mark.parametrize("properties", [None, PERSISTENT, Properties(delivery_mode=1)])
def test_a_publish_is_confirmed_when_it_is_committed(properties: Properties | None) -> None:
    store = ManualStore()
    pair = stream_pair(store)
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.publish(1, "", "s", b"a", properties)
    assert pair.silent()
    store.commit()
    assert pair.expect(1, BasicAck).delivery_tag == 1


def test_a_delivery_comes_when_it_is_committed() -> None:
    store = ManualStore()
    pair = stream_pair(store)
    follow(pair)
    wakes = pair.wakes
    pair.publish(1, "", "s", b"a")
    assert pair.silent()
    store.commit()
    assert pair.wakes > wakes  # whoever drives the connection has to know
    assert delivered(pair) == (0, b"a")


def test_a_transaction_appends_when_it_commits() -> None:
    pair = stream_pair()
    follow(pair)
    pair.call(1, TxSelect(), TxSelectOk)
    pair.publish(1, "", "s", b"a")
    assert pair.silent()
    pair.send(1, TxCommit())
    kinds = {type(command.method) for command in pair.received()}
    assert kinds == {TxCommitOk, BasicDeliver}


def test_a_stream_and_a_queue_share_what_they_both_get() -> None:
    pair = stream_pair()
    pair.queue("q", durable=True)
    for queue in ("q", "s"):
        pair.call(1, QueueBind(queue=queue, exchange="amq.fanout"), QueueBindOk)
    pair.publish(1, "amq.fanout", "", b"both", PERSISTENT)
    pair.consume("q", tag="q")
    assert pair.expect_command(1, BasicDeliver).body == b"both"
    pair.send(1, BasicAck(1))
    follow(pair)
    assert delivered(pair) == (0, b"both")


def test_acks_of_streams_and_queues_mix() -> None:
    pair = stream_pair()
    pair.queue("q")
    for number in range(4):
        pair.publish(1, "", "s", b"s%d" % number)
        pair.publish(1, "", "q", b"q%d" % number)
    follow(pair, prefetch=2)
    assert [delivered(pair), delivered(pair)] == [(0, b"s0"), (1, b"s1")]
    pair.consume("q", tag="q", prefetch=2)
    assert [pair.expect_command(1, BasicDeliver).body for _ in range(2)] == [b"q0", b"q1"]
    pair.send(1, BasicAck(4, multiple=True))
    bodies = sorted(pair.expect_command(1, BasicDeliver).body for _ in range(4))
    assert bodies == [b"q2", b"q3", b"s2", b"s3"]


def test_a_closed_channel_leaves_nothing() -> None:
    pair = stream_pair()
    for number in range(4):
        pair.publish(1, "", "s", b"%d" % number)
    follow(pair, prefetch=2)
    pair.received()
    stream = pair.broker.vhosts["/"].queues["s"]
    pair.call(1, ChannelClose(), ChannelCloseOk)
    assert stream.consumers == []
    assert pair.broker.memory.used == 0
    pair.channel(2)
    pair.publish(2, "", "s", b"4")
    assert pair.silent()


def test_a_deleted_stream_cancels_its_consumers() -> None:
    pair = stream_pair()
    follow(pair, tag="one")
    pair.publish(1, "", "s", b"a")
    delivered(pair)
    pair.call(1, QueueDelete(queue="s"), QueueDeleteOk)
    assert pair.expect(1, BasicCancel).consumer_tag == "one"
    pair.send(1, BasicAck(1))
    assert pair.silent()


def test_a_stream_comes_back_with_its_bindings_and_offsets() -> None:
    store = ManualStore()
    pair = stream_pair(store)
    pair.send(1, QueueBind(queue="s", exchange="amq.fanout"))
    store.commit()
    pair.expect(1, QueueBindOk)
    pair.publish(1, "", "s", b"a")
    store.commit()
    again = Pair(new_broker(store))
    again.channel(1)
    again.publish(1, "amq.fanout", "", b"b")
    store.commit()
    follow(again)
    assert [delivered(again), delivered(again)] == [(0, b"a"), (1, b"b")]
    assert again.queue("q") == "q"  # whose id is no other's


def test_ids_of_streams_are_nobody_elses_after_a_restart() -> None:
    store = ManualStore()
    pair = stream_pair(store)
    stream = pair.broker.vhosts["/"].queues["s"]
    again = new_broker(store)
    queue = again.vhosts["/"].declare_queue("q", durable=True)
    assert queue.id > stream.id
