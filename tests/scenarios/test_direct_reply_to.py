"""Replies that come straight to the channel that asked: amq.rabbitmq.reply-to (RabbitMQ's extension)."""

from __future__ import annotations

import pytest
from steps import Connect, close_channel, consume, declare, delivered, expect_channel_error, fill, get, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicCancel,
    BasicCancelOk,
    BasicConsume,
    BasicGet,
    BasicPublish,
    BasicQos,
    BasicQosOk,
    BasicReturn,
    ConnectionClose,
    QueueBind,
    QueueDeclare,
    QueueDelete,
    QueueDeleteOk,
    QueuePurge,
)
from amqpd.wire.properties import Properties

REPLY_TO = "amq.rabbitmq.reply-to"
ASKING = Properties(reply_to=REPLY_TO)


def address(client: Client, channel: int = 1) -> str:
    """Where a request published on the channel wants its reply."""
    queue = own_queue(client, channel)
    client.publish(channel, "", queue, b"request", ASKING)
    request = get(client, queue, channel)
    assert request is not None
    assert request.properties is not None
    assert request.properties.reply_to is not None
    return request.properties.reply_to


def test_a_reply_comes_back_to_who_asked(client: Client, connect: Connect) -> None:
    server = connect()
    server.channel(1)
    queue = own_queue(server)
    consume(client, REPLY_TO, "replies", no_ack=True)
    for number in (b"1", b"2"):
        client.publish(1, "", queue, b"request " + number, Properties(reply_to=REPLY_TO, correlation_id="id"))
        request = None
        while request is None:
            request = get(server, queue)
        assert request.properties is not None
        reply_to = request.properties.reply_to
        assert reply_to is not None
        assert reply_to.startswith(REPLY_TO + ".")
        assert request.properties == Properties(reply_to=reply_to, correlation_id="id")
        server.publish(1, "", reply_to, b"reply " + number, Properties(correlation_id="id", delivery_mode=2))
        reply = delivered(client)
        assert reply.body == b"reply " + number
        assert reply.properties == Properties(correlation_id="id", delivery_mode=2)
        method = reply.method
        assert (method.consumer_tag, method.exchange, method.routing_key) == ("replies", "", reply_to)  # type: ignore[union-attr]
        assert not method.redelivered  # type: ignore[union-attr]


def test_replies_come_past_a_full_channel(client: Client) -> None:
    client.call(1, BasicQos(prefetch_count=1, global_=True), BasicQosOk)
    held = own_queue(client)
    fill(client, held, b"held")
    consume(client, held)
    assert delivered(client).body == b"held"
    consume(client, REPLY_TO, "replies", no_ack=True)
    client.publish(1, "", address(client), b"reply")
    assert delivered(client).body == b"reply"


def test_every_channel_has_an_address_of_its_own(client: Client) -> None:
    client.channel(2)
    for channel in (1, 2):
        consume(client, REPLY_TO, "c", channel, no_ack=True)
    first, second = address(client, 1), address(client, 2)
    assert first != second
    client.publish(1, "", second, b"to the second")
    assert delivered(client, 2).body == b"to the second"
    client.publish(2, "", first, b"to the first")
    assert delivered(client, 1).body == b"to the first"


def test_other_reply_addresses_stay_as_they_are(client: Client) -> None:
    queue = own_queue(client)
    for reply_to in ("", "q", REPLY_TO + ".x", "x." + REPLY_TO):
        client.publish(1, "", queue, b"", Properties(reply_to=reply_to))
        message = get(client, queue)
        assert message is not None
        assert message.properties == Properties(reply_to=reply_to)


def test_a_request_needs_a_consumer_on_its_channel(client: Client) -> None:
    client.channel(2)
    consume(client, REPLY_TO, channel=2, no_ack=True)
    client.publish(1, "", "q", b"", ASKING)
    expect_channel_error(client, 406, "fast reply consumer does not exist", BasicPublish)


def test_a_channel_opened_again_has_lost_it(client: Client) -> None:
    consume(client, REPLY_TO, no_ack=True)
    address(client)
    close_channel(client)
    client.channel(1)
    client.publish(1, "", "q", b"", ASKING)
    expect_channel_error(client, 406, "fast reply consumer does not exist", BasicPublish)


def test_replies_cannot_be_acknowledged(client: Client) -> None:
    client.send(1, BasicConsume(queue=REPLY_TO))
    expect_channel_error(client, 406, "reply consumer cannot acknowledge", BasicConsume)


def test_a_channel_has_one_consumer_of_replies(client: Client) -> None:
    consume(client, REPLY_TO, no_ack=True)
    client.send(1, BasicConsume(queue=REPLY_TO, no_ack=True))
    expect_channel_error(client, 406, "reply consumer already set", BasicConsume)


def test_its_tag_may_not_be_in_use(client: Client) -> None:
    consume(client, own_queue(client), "tag")
    client.send(1, BasicConsume(queue=REPLY_TO, consumer_tag="tag", no_ack=True))
    close = client.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (530, "NOT_ALLOWED - attempt to reuse consumer tag 'tag'")


def test_a_passive_declare_tells_whether_somebody_waits(client: Client, connect: Connect) -> None:
    consume(client, REPLY_TO, no_ack=True)
    reply_to = address(client)
    server = connect()
    server.channel(1)
    for passive in (True, False):
        for queue in (reply_to, REPLY_TO):
            ok = declare(server, queue, passive=passive)
            assert (ok.queue, ok.message_count, ok.consumer_count) == (queue, 0, 1)
    close_channel(client)
    for passive in (True, False):
        server.send(1, QueueDeclare(queue=reply_to, passive=passive))
        expect_channel_error(server, 404, f"no queue '{reply_to}' in vhost '/'", QueueDeclare)


def test_it_is_gone_with_its_connection(client: Client, connect: Connect) -> None:
    asking = connect()
    asking.channel(1)
    consume(asking, REPLY_TO, no_ack=True)
    reply_to = address(asking)
    asking.close()
    client.send(1, QueueDeclare(queue=reply_to, passive=True))
    expect_channel_error(client, 404, f"no queue '{reply_to}' in vhost '/'", QueueDeclare)


def test_a_reply_nobody_waits_for_is_dropped(client: Client) -> None:
    client.channel(2)
    consume(client, REPLY_TO, channel=2, no_ack=True)
    reply_to = address(client, 2)
    close_channel(client, 2)
    fill(client, reply_to, b"too late")


@pytest.mark.ours("the routing of replies counts as none before 4.2")
def test_a_mandatory_reply_is_returned_only_when_nobody_waits(client: Client) -> None:
    client.channel(2)
    consume(client, REPLY_TO, channel=2, no_ack=True)
    reply_to = address(client, 2)
    client.publish(1, "", reply_to, b"in time", mandatory=True)
    assert delivered(client, 2).body == b"in time"
    close_channel(client, 2)
    client.publish(1, "", reply_to, b"too late", mandatory=True)
    assert client.expect(1, BasicReturn).routing_key == reply_to


def test_a_cancelled_consumer_can_be_followed_by_another(client: Client) -> None:
    tag = consume(client, REPLY_TO, no_ack=True)
    first = address(client)
    client.call(1, BasicCancel(consumer_tag=tag), BasicCancelOk)
    client.publish(1, "", "q", b"", ASKING)
    expect_channel_error(client, 406, "fast reply consumer does not exist", BasicPublish)
    consume(client, REPLY_TO, no_ack=True)
    assert address(client) != first


def test_its_queue_is_none_that_others_could_use(client: Client) -> None:
    client.channel(2)
    consume(client, REPLY_TO, channel=2, no_ack=True)
    reply_to = address(client, 2)
    missing = f"no queue '{reply_to}' in vhost '/'"
    for method in (BasicConsume(queue=reply_to), BasicGet(queue=reply_to), QueuePurge(queue=reply_to)):
        client.send(1, method)
        expect_channel_error(client, 404, missing, type(method))
    assert client.call(1, QueueDelete(queue=reply_to), QueueDeleteOk).message_count == 0
    client.publish(1, "", reply_to, b"still there")
    assert delivered(client, 2).body == b"still there"


@pytest.mark.ours("3.10 says that there is no such queue")
def test_its_queue_cannot_be_bound(client: Client) -> None:
    consume(client, REPLY_TO, no_ack=True)
    client.channel(2)
    client.send(2, QueueBind(queue=address(client), exchange="amq.direct"))
    reason = "cannot bind or unbind to a volatile (direct reply-to) queue"
    expect_channel_error(client, 403, reason, QueueBind, channel=2)
