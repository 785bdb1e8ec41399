"""Consumers that do not settle in time: their channels are closed, and from 4.3 on they are cancelled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.compat import PROFILES
from amqpd.wire.fields import Int32
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicConsume,
    BasicDeliver,
    BasicGet,
    BasicGetOk,
    BasicQos,
    ChannelClose,
    ChannelCloseOk,
    TxSelect,
    TxSelectOk,
)
from tests.amqp.pair import Pair, new_broker


def text(timeout: int, channel: int = 1) -> str:
    return (
        f"PRECONDITION_FAILED - delivery acknowledgement on channel {channel} timed out."
        f" Timeout value used: {timeout} ms."
        " This timeout value can be configured, see consumers doc guide to learn more"
    )


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A connection with channel 1 and a queue `q`."""
    pair = opened(new_broker(consumer_timeout=10_000))
    yield pair
    pair.connection.receive_eof()
    pair.clock.advance(60)
    assert pair.clock.deadline() is None


def opened(broker: Broker) -> Pair:
    pair = Pair(broker)
    pair.channel()
    pair.queue("q")
    return pair


def expect_timeout(pair: Pair, timeout: int = 10_000) -> None:
    close = pair.expect(1, ChannelClose)
    assert (close.reply_code, close.reply_text) == (406, text(timeout))
    assert (close.failing_class_id, close.failing_method_id) == (0, 0)


def test_the_channel_is_closed_and_the_message_goes_back(pair: Pair) -> None:
    pair.consume()
    pair.publish(1, "", "q", b"body")
    pair.expect(1, BasicDeliver)
    pair.advance(9.9)
    assert pair.silent()
    woken = pair.wakes
    pair.advance(2)
    assert pair.wakes > woken
    expect_timeout(pair)
    assert pair.log.texts("error") == ["channel error"]
    queue = pair.broker.vhosts["/"].queues["q"]
    assert (queue.message_count, queue.unacked, queue.consumers) == (1, 0, [])
    pair.send(1, ChannelCloseOk())
    pair.channel(1)
    assert pair.call(1, BasicGet(queue="q"), BasicGetOk).redelivered is True


def test_what_was_got_counts_too(pair: Pair) -> None:
    pair.publish(1, "", "q", b"body")
    pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.advance(12)
    expect_timeout(pair)


def test_deliveries_without_acks_do_not_count(pair: Pair) -> None:
    pair.consume(no_ack=True)
    pair.publish(1, "", "q", b"body")
    pair.expect(1, BasicDeliver)
    pair.advance(100)
    assert pair.silent()


def test_other_channels_go_on(pair: Pair) -> None:
    pair.channel(2)
    pair.consume()
    pair.publish(1, "", "q", b"body")
    pair.expect(1, BasicDeliver)
    pair.consume(channel=2)
    pair.advance(12)
    assert pair.expect(2, BasicDeliver).redelivered is True
    expect_timeout(pair)
    pair.send(2, BasicAck(1))
    pair.advance(100)
    assert pair.silent()


def test_an_ack_in_a_transaction_settles_in_time(pair: Pair) -> None:
    pair.consume()
    pair.publish(1, "", "q", b"body")
    pair.expect(1, BasicDeliver)
    pair.call(1, TxSelect(), TxSelectOk)
    pair.send(1, BasicAck(1))
    pair.advance(100)
    assert pair.silent()


def test_a_queue_may_have_a_time_of_its_own(pair: Pair) -> None:
    pair.queue("quick", arguments={"x-consumer-timeout": Int32(1000)})
    pair.consume("quick")
    pair.publish(1, "", "quick", b"body")
    pair.expect(1, BasicDeliver)
    pair.advance(1.3)
    expect_timeout(pair, 1000)


# --- as of 4.3


def newer(queue_type: str, **options: bool) -> Pair:
    pair = Pair(new_broker(consumer_timeout=10_000, compat=PROFILES["4.3"]), capabilities=options)
    pair.channel()
    # declared below the checks of declarations: what counts is what the argument says
    pair.broker.vhosts["/"]._new_queue("q", 99, durable=True, arguments={"x-queue-type": queue_type})
    return pair


def test_from_4_3_on_a_consumer_of_a_quorum_queue_is_cancelled() -> None:
    pair = newer("quorum", consumer_cancel_notify=True)
    pair.consume()
    pair.consume(tag="other")
    for body in (b"1", b"2"):
        pair.publish(1, "", "q", body)
    assert [command.method.consumer_tag for command in pair.received()] == ["c", "other"]
    pair.send(1, BasicAck(2))
    pair.advance(12)
    assert pair.methods() == [BasicCancel("c", nowait=True), BasicDeliver("other", 3, True, "", "q")]
    pair.send(1, BasicAck(3))
    pair.advance(100)
    assert pair.silent()


def test_from_4_3_on_a_client_that_cannot_hear_that_loses_its_channel() -> None:
    pair = newer("quorum")
    pair.consume()
    pair.publish(1, "", "q")
    pair.expect(1, BasicDeliver)
    pair.advance(12)
    expect_timeout(pair)


def test_from_4_3_on_what_was_got_ends_the_channel() -> None:
    pair = newer("quorum", consumer_cancel_notify=True)
    pair.publish(1, "", "q")
    pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.advance(12)
    expect_timeout(pair)


def test_from_4_3_on_classic_queues_have_no_timeout() -> None:
    pair = newer("classic", consumer_cancel_notify=True)
    pair.consume()
    pair.publish(1, "", "q")
    pair.expect(1, BasicDeliver)
    pair.advance(1000)
    assert pair.silent()


def test_from_4_3_on_the_oldest_of_each_consumer_counts_and_consumers_may_have_their_own_time() -> None:
    pair = newer("quorum", consumer_cancel_notify=True)
    pair.send(
        1,
        BasicQos(prefetch_count=1),
        BasicConsume(queue="q", consumer_tag="slow", arguments={"x-consumer-timeout": 60_000}),
        BasicConsume(queue="q", consumer_tag="quick", arguments={"x-consumer-timeout": 1000}),
        BasicConsume(queue="q", consumer_tag="plain"),
    )
    pair.received()
    for _ in range(3):
        pair.publish(1, "", "q")
    assert len(pair.received()) == 3
    pair.advance(1.3)
    assert pair.methods() == [BasicCancel("quick", nowait=True)]
    pair.advance(10)
    assert [type(method) for method in pair.methods()] == [BasicCancel]
    pair.advance(40)
    assert pair.silent()
    pair.advance(10)
    assert BasicCancel("slow", nowait=True) in pair.methods()
    queue = pair.broker.vhosts["/"].queues["q"]
    assert (queue.message_count, queue.consumers) == (3, [])


def test_from_4_3_on_a_timeout_is_no_failure_of_the_message() -> None:
    pair = newer("quorum", consumer_cancel_notify=True)
    pair.consume()
    pair.publish(1, "", "q")
    pair.received()
    pair.advance(12)
    pair.received()
    pair.send(1, BasicGet(queue="q"))
    properties = pair.expect_command(1, BasicGetOk).properties
    assert properties is not None
    assert properties.headers == {"x-acquired-count": 1}


def test_a_consumer_that_is_gone_keeps_no_timer_going() -> None:
    pair = Pair(new_broker(consumer_timeout=0, compat=PROFILES["4.3"]))
    pair.channel()
    pair.queue("q", durable=True, arguments={"x-queue-type": "quorum"})
    pair.send(1, BasicConsume(queue="q", consumer_tag="c", arguments={"x-consumer-timeout": 1000}))
    assert pair.clock.deadline() is not None
    pair.send(1, BasicCancel("c"))
    pair.advance(5)
    assert pair.clock.deadline() is None


def test_before_4_3_the_time_of_a_consumer_is_not_known(pair: Pair) -> None:
    pair.send(1, BasicConsume(queue="q", arguments={"x-consumer-timeout": 1000}))
    pair.publish(1, "", "q")
    pair.received()
    pair.advance(5)
    assert pair.silent()
