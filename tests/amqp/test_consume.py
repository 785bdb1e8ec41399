"""Consuming and settling: tags, limits, and what becomes of what is out."""

from __future__ import annotations

import re

import pytest

from amqpd.amqp.connection import ConnectionSettings
from amqpd.broker.compat import PROFILES
from amqpd.broker.queue import Queue
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicCancelOk,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    BasicNack,
    BasicQos,
    BasicQosOk,
    BasicRecover,
    BasicRecoverAsync,
    BasicRecoverOk,
    BasicReject,
    ChannelClose,
    ChannelCloseOk,
    ConnectionClose,
    QueueDelete,
    QueueDeleteOk,
)
from amqpd.wire.schema import Method
from tests.amqp.pair import Pair, new_broker


@pytest.fixture
def pair() -> Pair:
    """A connection with channel 1 and a queue `q`."""
    pair = Pair()
    pair.channel()
    pair.queue("q")
    return pair


def fill(pair: Pair, count: int, queue: str = "q") -> None:
    for number in range(count):
        pair.publish(1, "", queue, str(number).encode())


def delivered(pair: Pair) -> list[tuple[int, bytes, bool]]:
    """(delivery tag, body, redelivered) of what came, which has to be deliveries."""
    found = []
    for command in pair.received():
        assert isinstance(command.method, BasicDeliver)
        found.append((command.method.delivery_tag, command.body, command.method.redelivered))
    return found


def bodies(pair: Pair) -> list[bytes]:
    return [body for _, body, _ in delivered(pair)]


def the_queue(pair: Pair, name: str = "q") -> Queue:
    return pair.broker.vhosts["/"].queues[name]


def objection(pair: Pair) -> tuple[int, str]:
    close = pair.expect(1, ChannelClose)
    return close.reply_code, close.reply_text


# --- consumers


def test_consume_ok_comes_before_the_first_delivery(pair: Pair) -> None:
    fill(pair, 2)
    pair.send(1, BasicConsume(queue="q", consumer_tag="c"))
    assert [type(method) for method in pair.methods()] == [BasicConsumeOk, BasicDeliver, BasicDeliver]


def test_a_delivery_says_where_it_was_published_and_for_whom(pair: Pair) -> None:
    pair.consume("q", tag="ctag")
    pair.publish(1, "", "q", b"body")
    assert pair.expect_command(1, BasicDeliver).method == BasicDeliver("ctag", 1, False, "", "q")


def test_a_consumer_without_a_tag_gets_one(pair: Pair) -> None:
    tag = pair.call(1, BasicConsume(queue="q"), BasicConsumeOk).consumer_tag
    assert re.fullmatch(r"amq\.ctag-[A-Za-z0-9_-]{22}", tag)


def test_a_consumer_may_start_without_an_answer(pair: Pair) -> None:
    pair.send(1, BasicConsume(queue="q", consumer_tag="c", nowait=True))
    assert pair.silent()
    fill(pair, 1)
    assert bodies(pair) == [b"0"]


def test_a_tag_is_used_once_on_a_channel(pair: Pair) -> None:
    pair.consume(tag="c")
    pair.channel(2)
    pair.consume(channel=2, tag="c")
    pair.send(1, BasicConsume(queue="q", consumer_tag="c"))
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (530, "NOT_ALLOWED - attempt to reuse consumer tag 'c'")


def test_an_exclusive_consumer_wants_the_queue_alone(pair: Pair) -> None:
    refusal = (403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use")
    pair.channel(2)
    pair.call(2, BasicConsume(queue="q", consumer_tag="c", exclusive=True), BasicConsumeOk)
    for exclusive in (True, False):
        pair.send(1, BasicConsume(queue="q", exclusive=exclusive))
        assert objection(pair) == refusal
        pair.send(1, ChannelCloseOk())
        pair.channel(1)
    pair.call(2, BasicCancel("c"), BasicCancelOk)
    pair.consume(channel=2)
    pair.send(1, BasicConsume(queue="q", exclusive=True))
    assert objection(pair) == refusal


def test_a_priority_that_is_no_number_is_refused(pair: Pair) -> None:
    pair.send(1, BasicConsume(queue="q", arguments={"x-priority": "high"}))
    assert objection(pair) == (
        406,
        "PRECONDITION_FAILED - invalid arg 'x-priority' for queue 'q' in vhost '/': \"expected integer, got longstr\"",
    )


def test_a_single_active_consumer_cannot_be_exclusive(pair: Pair) -> None:
    pair.queue("single", arguments={"x-single-active-consumer": True})
    pair.send(1, BasicConsume(queue="single", exclusive=True))
    assert objection(pair) == (403, "ACCESS_REFUSED - queue 'single' in vhost '/' in exclusive use")


def test_after_the_active_consumer_was_cancelled_the_next_gets_what_is_ready(pair: Pair) -> None:
    pair.queue("single", arguments={"x-single-active-consumer": True})
    pair.consume("single", tag="one", prefetch=1)
    pair.consume("single", tag="two")
    fill(pair, 2, "single")
    assert bodies(pair) == [b"0"]
    pair.send(1, BasicCancel("one"))
    assert pair.methods() == [BasicCancelOk("one"), BasicDeliver("two", 2, False, "", "single")]


def test_after_its_channel_is_closed_the_next_gets_all_in_order(pair: Pair) -> None:
    pair.queue("single", arguments={"x-single-active-consumer": True})
    for channel in (2, 3):
        pair.channel(channel)
    pair.consume("single", channel=2, prefetch=2, tag="one")
    pair.consume("single", channel=2, tag="of the same channel")
    pair.consume("single", channel=3, tag="two")
    fill(pair, 3, "single")
    assert bodies(pair) == [b"0", b"1"]
    pair.send(2, ChannelClose())
    commands = [command for command in pair.received() if command.channel == 3]
    assert [(command.body, command.method.redelivered) for command in commands] == [
        (b"0", True),
        (b"1", True),
        (b"2", False),
    ]


def test_when_nothing_was_out_the_next_gets_what_is_ready(pair: Pair) -> None:
    pair.queue("single", arguments={"x-single-active-consumer": True})
    active = Pair(pair.broker)
    active.channel()
    active.connection.outlet.limit = 0  # one delivery at a time
    active.consume("single", no_ack=True)
    pair.consume("single", no_ack=True)
    fill(pair, 2, "single")
    assert pair.silent()
    active.connection.receive_eof()
    assert bodies(pair) == [b"1"]


def test_when_a_peer_reads_again_the_highest_priority_goes_first(pair: Pair) -> None:
    pair.connection.outlet.limit = 0  # one delivery at a time
    pair.consume(tag="low", no_ack=True)
    high = BasicConsume(queue="q", consumer_tag="high", no_ack=True, arguments={"x-priority": 1})
    pair.call(1, high, BasicConsumeOk)
    pair.write(b"".join([pair.session.encode_publish(1, "", "q") for _ in range(4)]))
    for _ in range(3):
        pair.flush()
    assert [command.method.consumer_tag for command in pair.received()] == ["high"] * 4


def test_after_cancel_ok_nothing_more_comes(pair: Pair) -> None:
    pair.consume()
    pair.call(1, BasicCancel("c"), BasicCancelOk)
    fill(pair, 1)
    assert pair.silent()


def test_what_is_out_can_be_acked_after_the_consumer_was_cancelled(pair: Pair) -> None:
    pair.consume()
    fill(pair, 1)
    (delivery,) = delivered(pair)
    pair.call(1, BasicCancel("c"), BasicCancelOk)
    assert the_queue(pair).unacked == 1
    pair.send(1, BasicAck(delivery[0]))
    assert pair.silent()
    assert the_queue(pair).unacked == 0


def test_cancelling_an_unknown_consumer_is_answered(pair: Pair) -> None:
    assert pair.call(1, BasicCancel("nope"), BasicCancelOk).consumer_tag == "nope"
    pair.send(1, BasicCancel("nope", nowait=True))
    assert pair.silent()


@pytest.mark.parametrize("wants", [True, False])
def test_a_client_that_asked_to_is_told_when_its_queue_is_gone(wants: bool) -> None:
    broker = new_broker()
    pair = Pair(broker, capabilities={"consumer_cancel_notify": wants})
    other = Pair(broker)
    for each in (pair, other):
        each.channel()
    pair.queue("q")
    pair.consume("q")
    other.call(1, QueueDelete(queue="q"), QueueDeleteOk)
    assert pair.methods() == ([BasicCancel("c", nowait=True)] if wants else [])
    pair.send(1, BasicCancelOk("c"))
    assert pair.silent()
    pair.queue("q")
    pair.consume("q", tag="c")


def test_messages_out_of_a_queue_that_is_gone_can_be_acked(pair: Pair) -> None:
    pair.consume()
    fill(pair, 3)
    pair.received()
    pair.call(1, QueueDelete(queue="q"), QueueDeleteOk)
    pair.received()
    pair.send(1, BasicAck(1), BasicNack(2), BasicReject(3, requeue=False))
    assert pair.silent()


# --- limits


def test_a_prefetch_is_for_each_consumer_started_after_it(pair: Pair) -> None:
    pair.consume(tag="free")
    pair.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    pair.consume(tag="one")
    pair.call(1, BasicQos(prefetch_count=2), BasicQosOk)
    pair.consume(tag="two")
    fill(pair, 12)
    tags = [method.consumer_tag for method in pair.methods() if isinstance(method, BasicDeliver)]
    assert (tags.count("one"), tags.count("two"), tags.count("free")) == (1, 2, 9)


def test_a_global_prefetch_is_for_the_channel_as_a_whole(pair: Pair) -> None:
    pair.consume(tag="one")
    pair.consume(tag="two")
    pair.call(1, BasicQos(prefetch_count=3, global_=True), BasicQosOk)
    fill(pair, 5)
    assert bodies(pair) == [b"0", b"1", b"2"]
    pair.send(1, BasicAck(1))
    assert bodies(pair) == [b"3"]
    pair.call(1, BasicQos(prefetch_count=0, global_=True), BasicQosOk)
    assert bodies(pair) == [b"4"]


def test_a_global_prefetch_is_shared_by_consumers_of_different_queues(pair: Pair) -> None:
    pair.queue("other")
    pair.call(1, BasicQos(prefetch_count=1, global_=True), BasicQosOk)
    pair.consume("q", tag="one")
    pair.consume("other", tag="two")
    fill(pair, 1, "q")
    fill(pair, 1, "other")
    assert len(delivered(pair)) == 1
    pair.send(1, BasicAck(1))
    assert len(delivered(pair)) == 1


def test_both_limits_hold_at_once(pair: Pair) -> None:
    pair.call(1, BasicQos(prefetch_count=2), BasicQosOk)
    pair.call(1, BasicQos(prefetch_count=3, global_=True), BasicQosOk)
    pair.consume(tag="one")
    pair.consume(tag="two")
    fill(pair, 6)
    assert len(delivered(pair)) == 3


def test_newer_versions_take_a_global_prefetch_for_one_of_each_consumer() -> None:
    pair = Pair(new_broker(compat=PROFILES["4.3"]))
    pair.channel()
    pair.queue("q", durable=True)
    pair.consume(tag="before")
    pair.call(1, BasicQos(prefetch_count=1, global_=True), BasicQosOk)
    pair.consume(tag="after")
    fill(pair, 6)
    tags = [method.consumer_tag for method in pair.methods() if isinstance(method, BasicDeliver)]
    assert tags.count("after") == 1
    assert tags.count("before") == 5


def test_a_prefetch_size_is_not_implemented(pair: Pair) -> None:
    pair.send(1, BasicQos(prefetch_size=10))
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (540, "NOT_IMPLEMENTED - prefetch_size!=0 (10)")


@pytest.mark.parametrize(
    "settle",
    [BasicAck(1), BasicReject(1, requeue=False), BasicNack(1, requeue=False), BasicAck(0, multiple=True)],
    ids=lambda method: method.name,
)
def test_settling_makes_room_for_the_next(pair: Pair, settle: Method) -> None:
    pair.consume(prefetch=1)
    fill(pair, 2)
    assert bodies(pair) == [b"0"]
    pair.send(1, settle)
    assert delivered(pair) == [(2, b"1", False)]
    assert the_queue(pair).unacked == 1


def test_messages_got_count_for_no_consumer(pair: Pair) -> None:
    fill(pair, 3)
    pair.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    for _ in range(2):
        pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.consume()
    assert bodies(pair) == [b"2"]


# --- getting


def test_get_ok_says_how_many_are_left(pair: Pair) -> None:
    fill(pair, 2)
    assert pair.call(1, BasicGet(queue="q"), BasicGetOk) == BasicGetOk(1, False, "", "q", 1)
    assert pair.call(1, BasicGet(queue="q"), BasicGetOk) == BasicGetOk(2, False, "", "q", 0)
    assert pair.call(1, BasicGet(queue="q"), BasicGetEmpty) == BasicGetEmpty()


def test_deliveries_and_gets_share_the_numbers_of_a_channel(pair: Pair) -> None:
    pair.queue("other")
    fill(pair, 1, "other")
    pair.consume("q", no_ack=True)
    fill(pair, 2)
    assert [tag for tag, _, _ in delivered(pair)] == [1, 2]
    assert pair.call(1, BasicGet(queue="other"), BasicGetOk).delivery_tag == 3


# --- settling


@pytest.mark.parametrize(
    ("settle", "tag"),
    [
        (BasicAck(5), 5),
        (BasicAck(0), 0),
        (BasicAck(5, multiple=True), 5),
        (BasicNack(5), 5),
        (BasicNack(0), 0),
        (BasicNack(5, multiple=True), 5),
        (BasicReject(5), 5),
        (BasicReject(0), 0),
    ],
    ids=str,
)
def test_a_tag_that_is_not_outstanding_is_unknown(pair: Pair, settle: Method, tag: int) -> None:
    pair.send(1, settle)
    assert objection(pair) == (406, f"PRECONDITION_FAILED - unknown delivery tag {tag}")


def test_a_tag_is_settled_once(pair: Pair) -> None:
    fill(pair, 1)
    pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.send(1, BasicAck(1), BasicAck(1))
    assert objection(pair) == (406, "PRECONDITION_FAILED - unknown delivery tag 1")


def test_a_delivery_without_ack_cannot_be_acked(pair: Pair) -> None:
    fill(pair, 1)
    pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)
    pair.send(1, BasicAck(1))
    assert objection(pair) == (406, "PRECONDITION_FAILED - unknown delivery tag 1")


def test_a_tag_belongs_to_its_channel(pair: Pair) -> None:
    fill(pair, 1)
    pair.channel(2)
    pair.call(2, BasicGet(queue="q"), BasicGetOk)
    pair.send(1, BasicAck(1))
    assert objection(pair)[0] == 406


@pytest.mark.parametrize("settle", [BasicAck(0, multiple=True), BasicNack(0, multiple=True)], ids=lambda m: m.name)
def test_settling_all_of_nothing_does_nothing(pair: Pair, settle: Method) -> None:
    pair.send(1, settle)
    assert pair.silent()


def test_multiple_settles_over_all_queues_of_the_channel(pair: Pair) -> None:
    pair.queue("other")
    for queue in ("q", "other"):
        fill(pair, 2, queue)
    for queue in ("q", "other", "q", "other"):
        pair.call(1, BasicGet(queue=queue), BasicGetOk)
    pair.send(1, BasicAck(3, multiple=True))
    assert (the_queue(pair, "q").unacked, the_queue(pair, "other").unacked) == (0, 1)


def test_what_is_refused_goes_back_in_order_and_redelivered(pair: Pair) -> None:
    fill(pair, 4)
    for _ in range(4):
        pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.send(1, BasicReject(2, requeue=True), BasicNack(4, multiple=True, requeue=True))
    pair.consume(no_ack=True)
    assert delivered(pair) == [(5 + number, str(number).encode(), True) for number in range(4)]


def test_what_is_refused_for_good_is_gone(pair: Pair) -> None:
    fill(pair, 3)
    for _ in range(3):
        pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.send(1, BasicReject(1, requeue=False), BasicNack(3, multiple=True, requeue=False))
    assert (the_queue(pair).message_count, the_queue(pair).unacked) == (0, 0)


def test_a_refused_message_goes_on_to_the_next_in_turn(pair: Pair) -> None:
    pair.channel(2)
    pair.consume(channel=1, tag="one", prefetch=1)
    pair.consume(channel=2, tag="two", prefetch=1)
    fill(pair, 1)
    assert [command.channel for command in pair.received()] == [1]
    pair.send(1, BasicReject(1, requeue=True))
    (command,) = pair.received()
    assert isinstance(command.method, BasicDeliver)
    assert (command.channel, command.method.redelivered) == (2, True)


# --- recovering


def test_recover_brings_back_all_that_is_out_on_the_channel(pair: Pair) -> None:
    fill(pair, 3)
    pair.consume(prefetch=2)
    assert bodies(pair) == [b"0", b"1"]
    pair.send(1, BasicRecover(requeue=True))
    pair.expect(1, BasicRecoverOk)
    assert delivered(pair) == [(3, b"0", True), (4, b"1", True)]


def test_recover_async_does_so_without_an_answer(pair: Pair) -> None:
    fill(pair, 1)
    pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.send(1, BasicRecoverAsync(requeue=True))
    assert pair.silent()
    assert the_queue(pair).message_count == 1


@pytest.mark.parametrize(
    "method", [BasicRecover(requeue=False), BasicRecoverAsync(requeue=False)], ids=lambda m: m.name
)
def test_recovering_without_requeueing_is_not_implemented(pair: Pair, method: Method) -> None:
    pair.send(1, method)
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (540, "NOT_IMPLEMENTED - requeue=false")


# --- the end of a channel


def test_a_closed_channel_gives_back_what_it_held_to_others(pair: Pair) -> None:
    pair.channel(2)
    pair.consume(channel=1, prefetch=3)
    fill(pair, 5)
    assert bodies(pair) == [b"0", b"1", b"2"]
    pair.send(1, BasicAck(2))
    pair.received()
    pair.consume(channel=2, no_ack=True)
    pair.received()
    pair.send(1, ChannelClose())
    commands = pair.received()
    assert [type(command.method) for command in commands if command.channel == 1] == [ChannelCloseOk]
    redelivered = [command.body for command in commands if command.channel == 2]
    assert redelivered[:1] == [b"0"]
    assert the_queue(pair).message_count == the_queue(pair).unacked == 0


def test_its_consumers_get_nothing_of_it_themselves(pair: Pair) -> None:
    pair.consume(prefetch=2)
    fill(pair, 3)
    pair.received()
    pair.call(1, ChannelClose(), ChannelCloseOk)
    assert pair.silent()
    assert [entry.redelivered for entry in the_queue(pair).ready] == [True, True, False]
    assert the_queue(pair).consumers == []


def test_an_auto_delete_queue_goes_with_it(pair: Pair) -> None:
    pair.queue("auto", auto_delete=True)
    pair.consume("auto", tag="a")
    pair.call(1, ChannelClose(), ChannelCloseOk)
    assert set(pair.broker.vhosts["/"].queues) == {"q"}


def test_a_channel_has_so_many_consumers() -> None:
    pair = Pair(settings=ConnectionSettings(consumer_max=1))
    pair.channel()
    pair.channel(2)
    pair.queue()
    pair.consume(tag="a")
    pair.consume(channel=2, tag="a")
    pair.call(1, BasicCancel("a"), BasicCancelOk)
    pair.consume(tag="b")
    pair.send(1, BasicConsume(queue="q", consumer_tag="c"))
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (
        530,
        "NOT_ALLOWED - reached maximum (1) of consumers per channel",
    )
