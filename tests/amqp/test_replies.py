"""Direct reply-to: what a channel remembers of its publisher's properties, and what is left behind."""

from __future__ import annotations

from amqpd.wire.methods import (
    BasicCancel,
    BasicCancelOk,
    BasicDeliver,
    ChannelClose,
    ChannelCloseOk,
    ConnectionClose,
    ConnectionCloseOk,
)
from amqpd.wire.properties import Properties
from tests.amqp.pair import Pair

REPLY_TO = "amq.rabbitmq.reply-to"
ASKING = Properties(reply_to=REPLY_TO)


def asking() -> Pair:
    pair = Pair()
    pair.channel()
    pair.queue("q")
    pair.consume(REPLY_TO, no_ack=True, tag="replies")
    pair.consume("q", no_ack=True, tag="requests")
    return pair


def reply_to_of_next(pair: Pair) -> str | None:
    command = pair.expect_command(1, BasicDeliver)
    assert command.properties is not None
    return command.properties.reply_to


def test_requests_with_the_same_properties_get_the_same_address() -> None:
    pair = asking()
    (name,) = pair.broker.vhosts["/"].reply_queues
    for body in (b"", b"a", b"ab"):
        pair.publish(1, "", "q", body, ASKING)
        assert reply_to_of_next(pair) == name


def test_a_request_after_the_consumer_was_cancelled_is_refused_although_its_properties_are_known() -> None:
    pair = asking()
    pair.publish(1, "", "q", b"", ASKING)
    assert reply_to_of_next(pair)
    pair.call(1, BasicCancel("replies"), BasicCancelOk)
    pair.publish(1, "", "q", b"", ASKING)
    assert pair.expect(1, ChannelClose).reply_text == "PRECONDITION_FAILED - fast reply consumer does not exist"


def test_a_reply_waits_while_the_peer_does_not_read() -> None:
    pair = asking()
    (name,) = pair.broker.vhosts["/"].reply_queues
    answering = Pair(pair.broker)
    answering.channel()
    pair.connection.outlet.open = False
    answering.publish(1, "", name, b"reply")
    assert pair.broker.vhosts["/"].reply_queues[name].message_count == 1
    pair.connection.data_to_send()
    assert pair.expect_command(1, BasicDeliver).body == b"reply"


def test_nothing_is_left_behind() -> None:
    pair = asking()
    vhost = pair.broker.vhosts["/"]
    pair.call(1, ChannelClose(200, "", 0, 0), ChannelCloseOk)
    assert not vhost.reply_queues
    pair.channel()
    pair.consume(REPLY_TO, no_ack=True, tag="replies")
    assert len(vhost.reply_queues) == 1
    pair.call(0, ConnectionClose(200, "", 0, 0), ConnectionCloseOk)
    assert not vhost.reply_queues


def test_the_reply_queue_is_not_among_the_queues() -> None:
    pair = asking()
    assert list(pair.broker.vhosts["/"].queues) == ["q"]
