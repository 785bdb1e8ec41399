"""What is counted of the messages that go through: at the channel, the exchange and the queue."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.amqp.channel import Channel
from amqpd.broker.traffic import COUNTED, Traffic
from amqpd.wire.methods import (
    BasicAck,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    BasicNack,
    BasicReject,
    BasicReturn,
    ChannelClose,
    ChannelCloseOk,
    ConfirmSelect,
    ConfirmSelectOk,
    QueueBind,
    QueueBindOk,
)
from tests.amqp.pair import Pair


@pytest.fixture
def pair() -> Pair:
    """A connection with channel 1 and a queue `q`, bound to amq.fanout."""
    pair = Pair()
    pair.channel()
    pair.queue()
    pair.call(1, QueueBind(queue="q", exchange="amq.fanout"), QueueBindOk)
    return pair


def counted(traffic: Traffic) -> dict[str, int]:
    """All that is not 0."""
    return {name: number for name in COUNTED if (number := getattr(traffic, name))}


def channel_of(pair: Pair, number: int = 1) -> Channel:
    channel = pair.connection.channels[number]
    assert isinstance(channel, Channel)
    return channel


def at(pair: Pair) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """What channel 1, amq.fanout and the queue counted."""
    vhost = pair.broker.vhosts["/"]
    return (
        counted(channel_of(pair).traffic),
        counted(vhost.exchanges["amq.fanout"].traffic),
        counted(vhost.queues["q"].traffic),
    )


def test_a_publish_counts_at_the_channel_the_exchange_and_each_queue(pair: Pair) -> None:
    pair.queue("other")
    pair.call(1, QueueBind(queue="other", exchange="amq.fanout"), QueueBindOk)
    pair.publish(1, "amq.fanout", "")
    assert at(pair) == ({"published": 1}, {"published": 1, "routed": 2}, {"published": 1})


def test_what_reaches_no_queue_is_returned_or_dropped(pair: Pair) -> None:
    vhost = pair.broker.vhosts["/"]
    pair.publish(1, "amq.direct", "nowhere")
    pair.publish(1, "amq.direct", "nowhere", mandatory=True)
    pair.expect(1, BasicReturn)
    expected = {"published": 2, "dropped": 1, "returned": 1}
    assert (counted(channel_of(pair).traffic), counted(vhost.exchanges["amq.direct"].traffic)) == (expected, expected)


def test_deliveries_count_by_whether_they_are_acked(pair: Pair) -> None:
    pair.publish(1, "amq.fanout", "")
    pair.consume()
    pair.received()
    assert at(pair)[0] == {"published": 1, "delivered": 1}
    pair.send(1, BasicAck(1))
    assert at(pair)[2] == {"published": 1, "delivered": 1, "acked": 1}
    assert at(pair)[0] == {"published": 1, "delivered": 1, "acked": 1}


def test_deliveries_without_acks_have_a_count_of_their_own(pair: Pair) -> None:
    pair.consume(no_ack=True)
    pair.publish(1, "amq.fanout", "")
    assert at(pair)[0] == {"published": 1, "delivered_no_ack": 1}
    assert at(pair)[2] == {"published": 1, "delivered_no_ack": 1}


def test_acks_of_several_count_each(pair: Pair) -> None:
    pair.consume()
    for _ in range(3):
        pair.publish(1, "amq.fanout", "")
    pair.send(1, BasicAck(2, multiple=True))
    assert (at(pair)[0]["acked"], at(pair)[2]["acked"]) == (2, 2)


@pytest.mark.parametrize("refusal", [BasicReject(1, requeue=False), BasicNack(1, requeue=False)])
def test_what_is_rejected_is_not_acked(pair: Pair, refusal: Any) -> None:
    pair.consume()
    pair.publish(1, "amq.fanout", "")
    pair.send(1, refusal)
    assert at(pair)[2] == {"published": 1, "delivered": 1}


def test_what_comes_back_is_redelivered(pair: Pair) -> None:
    pair.consume()
    pair.publish(1, "amq.fanout", "")
    pair.send(1, BasicReject(1, requeue=True))
    assert at(pair)[0] == {"published": 1, "delivered": 2, "redelivered": 1}
    assert at(pair)[2] == {"published": 1, "delivered": 2, "redelivered": 1}


def test_gets_count_by_what_they_find(pair: Pair) -> None:
    pair.publish(1, "amq.fanout", "")
    pair.publish(1, "amq.fanout", "")
    pair.call(1, BasicGet(queue="q"), BasicGetOk)
    pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)
    pair.call(1, BasicGet(queue="q"), BasicGetEmpty)
    expected = {"published": 2, "got": 1, "got_no_ack": 1, "got_empty": 1}
    assert (at(pair)[0], at(pair)[2]) == (expected, expected)


def test_confirms_count_at_the_channel(pair: Pair) -> None:
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.publish(1, "amq.fanout", "")
    pair.publish(1, "amq.fanout", "")
    pair.expect(1, BasicAck)
    assert at(pair)[0] == {"published": 2, "confirmable": 2, "confirmed": 2}


def test_what_was_to_be_confirmed_counts_though_its_channel_went(pair: Pair) -> None:
    pair.publish(1, "amq.fanout", "")
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.publish(1, "amq.fanout", "")
    pair.expect(1, BasicAck)
    pair.call(1, ChannelClose(200, "bye"), ChannelCloseOk)
    assert counted(pair.broker.vhosts["/"].traffic) == {"published": 2, "confirmable": 1, "confirmed": 1}


def test_what_a_vhosts_channels_counted_stays_when_it_is_deleted(pair: Pair) -> None:
    vhost = pair.broker.vhosts["/"]
    vhost.traffic.acked = 5
    pair.publish(1, "amq.fanout", "")
    pair.broker.delete_vhost("/")
    assert not pair.connection.channels
    assert counted(pair.broker.traffic) == {"acked": 5, "published": 1, "routed": 1}


def test_what_a_channel_counted_stays_with_its_vhost(pair: Pair) -> None:
    pair.publish(1, "amq.fanout", "")
    pair.call(1, ChannelClose(200, "bye"), ChannelCloseOk)
    assert counted(pair.broker.vhosts["/"].traffic) == {"published": 1}


def test_a_stream_counts_for_all_its_consumers(pair: Pair) -> None:
    pair.queue("s", durable=True, arguments={"x-queue-type": "stream"})
    pair.publish(1, "", "s")
    for number, tag in ((2, "a"), (3, "b")):
        pair.channel(number)
        pair.consume("s", number, prefetch=10, tag=tag)
    pair.publish(1, "", "s")
    pair.received()
    assert counted(pair.broker.vhosts["/"].queues["s"].traffic) == {"published": 2, "delivered": 2}


def test_octets_and_pieces_are_counted(pair: Pair) -> None:
    connection = pair.connection
    before = (connection.bytes_received, connection.bytes_sent, connection.reads)
    sent = len(pair.sent)
    assert before[1] == sent
    pair.call(1, BasicGet(queue="q"), BasicGetEmpty)
    assert connection.bytes_sent - before[1] == len(pair.sent) - sent
    assert connection.bytes_received - before[0] == len(pair.session.encode(1, BasicGet(queue="q")))
    assert connection.reads - before[2] == 1
