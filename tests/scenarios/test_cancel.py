from __future__ import annotations

from steps import consume, delivered, drain, own_queue, reopen_channel

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicCancel, BasicCancelOk, BasicNack


def test_nothing_is_delivered_after_cancel_ok(client: Client) -> None:
    queue = own_queue(client)
    tag = consume(client, queue)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    client.publish(1, "", queue, b"stays")
    assert drain(client, queue) == [b"stays"]


def test_an_unknown_tag_is_cancelled_too(client: Client) -> None:
    assert client.call(1, BasicCancel("nope"), BasicCancelOk).consumer_tag == "nope"
    assert client.call(1, BasicCancel(""), BasicCancelOk).consumer_tag == ""


def test_a_consumer_of_another_channel_is_not_meant(client: Client) -> None:
    client.channel(2)
    queue = own_queue(client)
    consume(client, queue, "tag", channel=2)
    client.call(1, BasicCancel("tag"), BasicCancelOk)
    client.publish(1, "", queue, b"still delivered")
    assert delivered(client, channel=2).body == b"still delivered"


def test_unacked_messages_stay_with_the_channel(client: Client) -> None:
    queue = own_queue(client)
    tag = consume(client, queue)
    for body in (b"acked", b"requeued", b"closed"):
        client.publish(1, "", queue, body)
    tags = [delivered(client).method.delivery_tag for _ in range(3)]
    client.call(1, BasicCancel(tag), BasicCancelOk)
    assert drain(client, queue) == []
    client.send(1, BasicAck(tags[0]), BasicNack(tags[1]))
    assert drain(client, queue) == [b"requeued"]
    reopen_channel(client)
    assert drain(client, queue) == [b"closed"]


def test_nowait_is_not_answered(client: Client) -> None:
    queue = own_queue(client)
    tag = consume(client, queue)
    client.send(1, BasicCancel(tag, nowait=True))
    client.publish(1, "", queue, b"stays")
    assert drain(client, queue) == [b"stays"]
    client.send(1, BasicCancel("nope", nowait=True))
    assert client.silence()
