"""pika's BlockingConnection: the client most scripts use."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from decimal import Decimal

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker, UnroutableError

from .proxy import Proxy

Open = Callable[..., pika.BlockingConnection]
Name = Callable[..., str]


def declare(channel: BlockingChannel, name: str, **options: object) -> str:
    return channel.queue_declare(name, **options).method.queue  # type: ignore[arg-type]


def count(channel: BlockingChannel, queue: str) -> int:
    """How many messages are ready. RabbitMQ answers ahead of publishes that are not confirmed yet."""
    return channel.queue_declare(queue, passive=True).method.message_count


def until(connection: pika.BlockingConnection, condition: Callable[[], object]) -> None:
    while not condition():
        connection.process_data_events(time_limit=1)


def test_a_published_message_can_be_got_with_its_properties(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    sent = pika.BasicProperties(
        content_type="text/plain",
        content_encoding="utf-8",
        headers={"text": "grüße", "number": -7, "list": [1, "two", None, {"three": Decimal("3.5")}], "flag": True},
        delivery_mode=2,
        priority=3,
        correlation_id="c-1",
        reply_to="answers",
        message_id="m-1",
        timestamp=1700000000,
        type="greeting",
        user_id="guest",
        app_id="test",
    )
    channel.basic_publish("", queue, b"hello", sent)
    got, properties, body = channel.basic_get(queue, auto_ack=True)
    assert (got.exchange, got.routing_key, got.redelivered, got.message_count) == ("", queue, False, 0)
    assert properties == sent
    assert body == b"hello"


def test_an_empty_queue_has_nothing_to_get(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    assert channel.basic_get(queue) == (None, None, None)


def test_a_confirmed_publish_has_reached_the_queue(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"), durable=True)
    channel.confirm_delivery()
    for number in range(5):  # each call waits for its confirm
        channel.basic_publish("", queue, b"%d" % number, pika.BasicProperties(delivery_mode=2), mandatory=True)
    other = channel.connection.channel()
    assert count(other, queue) == 5


def test_a_consumer_gets_messages_in_order_and_acks_them(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    for number in range(10):
        channel.basic_publish("", queue, b"%d" % number)
    bodies: list[bytes] = []

    def take(channel: BlockingChannel, method: pika.spec.Basic.Deliver, _: pika.BasicProperties, body: bytes) -> None:
        bodies.append(body)
        channel.basic_ack(method.delivery_tag)
        if len(bodies) == 10:
            channel.stop_consuming()

    channel.basic_consume(queue, take)
    channel.start_consuming()
    assert bodies == [b"%d" % number for number in range(10)]
    channel.basic_recover(requeue=True)  # nothing is left to be requeued
    assert channel.basic_get(queue) == (None, None, None)


def test_a_cancelled_consumer_leaves_the_rest_in_the_queue(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    channel.basic_qos(prefetch_count=1)
    for body in (b"one", b"two"):
        channel.basic_publish("", queue, body)
    method, _, body = next(channel.consume(queue))
    assert body == b"one"
    channel.cancel()  # pika hands back what was delivered and not taken out of its generator
    channel.basic_ack(method.delivery_tag)
    assert channel.basic_get(queue, auto_ack=True)[2] == b"two"


def test_a_nacked_message_is_requeued_in_its_old_place(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    for body in (b"first", b"second"):
        channel.basic_publish("", queue, body)
    got, _, _ = channel.basic_get(queue)
    channel.basic_nack(got.delivery_tag, requeue=True)
    again, _, body = channel.basic_get(queue)
    assert (body, again.redelivered, again.message_count) == (b"first", True, 1)


def test_one_nack_can_answer_many_deliveries(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    for body in (b"1", b"2", b"3"):
        channel.basic_publish("", queue, body)
    tags = [channel.basic_get(queue)[0].delivery_tag for _ in range(3)]
    channel.basic_nack(tags[1], multiple=True, requeue=True)
    assert [channel.basic_get(queue)[2] for _ in range(3)] == [b"1", b"2", None]


def test_a_rejected_message_is_gone(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    channel.basic_publish("", queue, b"bad")
    got, _, _ = channel.basic_get(queue)
    channel.basic_reject(got.delivery_tag, requeue=False)
    channel.basic_recover(requeue=True)
    assert channel.basic_get(queue) == (None, None, None)


def test_a_transaction_publishes_at_commit_and_not_after_rollback(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    channel.tx_select()
    channel.basic_publish("", queue, b"kept")
    assert count(channel, queue) == 0
    channel.tx_commit()
    assert count(channel, queue) == 1
    channel.basic_publish("", queue, b"forgotten")
    channel.tx_rollback()
    channel.tx_commit()
    assert count(channel, queue) == 1


def test_an_ack_counts_when_its_transaction_is_committed(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    for body in (b"one", b"two"):
        channel.basic_publish("", queue, body)
    channel.tx_select()
    one, _, _ = channel.basic_get(queue)
    channel.basic_ack(one.delivery_tag)
    channel.tx_commit()
    two, _, _ = channel.basic_get(queue)
    channel.basic_ack(two.delivery_tag)
    channel.tx_rollback()
    channel.basic_recover(requeue=True)
    assert [channel.basic_get(queue)[2] for _ in range(2)] == [b"two", None]


def test_a_mandatory_message_without_a_queue_is_returned(channel: BlockingChannel, name: Name) -> None:
    nowhere = name("nowhere")
    returned: list[tuple[int, str, str, bytes]] = []

    def take_back(
        _: BlockingChannel, method: pika.spec.Basic.Return, properties: pika.BasicProperties, body: bytes
    ) -> None:
        returned.append((method.reply_code, method.reply_text, method.routing_key, body))

    channel.add_on_return_callback(take_back)
    channel.basic_publish("amq.direct", nowhere, b"lost", mandatory=True)
    until(channel.connection, lambda: returned)
    assert returned == [(312, "NO_ROUTE", nowhere, b"lost")]


def test_a_confirmed_mandatory_message_without_a_queue_raises(channel: BlockingChannel, name: Name) -> None:
    channel.confirm_delivery()
    with pytest.raises(UnroutableError) as unroutable:
        channel.basic_publish("", name("nowhere"), b"lost", mandatory=True)
    assert [message.body for message in unroutable.value.messages] == [b"lost"]


def test_a_missing_queue_closes_the_channel_and_not_the_connection(channel: BlockingChannel, name: Name) -> None:
    missing = name("missing")
    with pytest.raises(ChannelClosedByBroker) as closed:
        channel.queue_declare(missing, passive=True)
    assert closed.value.reply_code == 404
    assert closed.value.reply_text == f"NOT_FOUND - no queue '{missing}' in vhost '/'"
    assert channel.is_closed
    again = channel.connection.channel(channel.channel_number)
    declare(again, missing)
    assert count(again, missing) == 0


def test_publishing_to_a_missing_exchange_closes_the_channel(channel: BlockingChannel, name: Name) -> None:
    channel.basic_publish(name("missing"), "key", b"lost")
    with pytest.raises(ChannelClosedByBroker) as closed:
        channel.queue_declare("", exclusive=True)
    assert closed.value.reply_code == 404
    assert channel.connection.is_open


def test_an_exclusive_queue_is_its_connections_alone(open_blocking: Open, name: Name) -> None:
    owner = open_blocking()
    queue = declare(owner.channel(), name("mine"), exclusive=True)
    stranger = open_blocking()
    with pytest.raises(ChannelClosedByBroker) as closed:
        stranger.channel().queue_declare(queue, passive=True)
    assert closed.value.reply_code == 405
    owner.close()
    for _ in range(100):  # it goes with its owner, soon
        with pytest.raises(ChannelClosedByBroker) as closed:
            stranger.channel().queue_declare(queue, passive=True)
        if closed.value.reply_code == 404:
            return
        time.sleep(0.05)
    pytest.fail(f"the queue is still there: {closed.value}")


def test_a_server_named_queue_has_a_name_of_the_brokers(channel: BlockingChannel) -> None:
    queue = declare(channel, "", exclusive=True)
    assert queue.startswith("amq.gen-")
    channel.basic_publish("", queue, b"hello")
    assert channel.basic_get(queue, auto_ack=True)[2] == b"hello"


def test_a_headers_exchange_looks_at_headers_alone(channel: BlockingChannel, name: Name) -> None:
    exchange, both, either = name("exchange"), declare(channel, name("both")), declare(channel, name("either"))
    channel.exchange_declare(exchange, "headers")
    channel.confirm_delivery()
    wanted = {"format": "pdf", "pages": 2}
    channel.queue_bind(both, exchange, arguments={**wanted, "x-match": "all"})
    channel.queue_bind(either, exchange, arguments={**wanted, "x-match": "any"})
    for headers in ({"format": "pdf", "pages": 2}, {"format": "pdf", "pages": 3}, {"format": "txt"}):
        channel.basic_publish(exchange, "ignored", repr(headers).encode(), pika.BasicProperties(headers=headers))
    assert count(channel, both) == 1
    assert count(channel, either) == 2


def test_prefetch_holds_messages_back_until_an_ack(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    for number in range(4):
        channel.basic_publish("", queue, b"%d" % number)
    tags: list[int] = []
    channel.basic_qos(prefetch_count=2)
    channel.basic_consume(queue, lambda _, method, *rest: tags.append(method.delivery_tag))
    until(channel.connection, lambda: len(tags) == 2)
    assert count(channel, queue) == 2
    channel.basic_ack(tags[0])
    until(channel.connection, lambda: len(tags) == 3)
    assert count(channel, queue) == 1
    channel.connection.process_data_events(time_limit=0)
    assert len(tags) == 3


def test_a_large_body_comes_back_whole(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    large = secrets.token_bytes(1 << 20)
    channel.confirm_delivery()
    channel.basic_publish("", queue, large)
    assert channel.basic_get(queue, auto_ack=True)[2] == large
    channel.basic_publish("", queue, large)
    assert next(channel.consume(queue, auto_ack=True))[2] == large


def test_a_consumer_is_told_when_its_queue_is_deleted(channel: BlockingChannel, name: Name) -> None:
    queue = declare(channel, name("queue"))
    cancelled: list[str] = []
    channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
    tag = channel.basic_consume(queue, lambda *_: None)
    channel.connection.channel().queue_delete(queue)
    until(channel.connection, lambda: cancelled)
    assert cancelled == [tag]
    assert channel.is_open


def test_after_a_drop_a_new_connection_gets_what_was_not_acked(proxy: Proxy, open_blocking: Open, name: Name) -> None:
    channel = open_blocking(proxy.url).channel()
    queue = declare(channel, name("queue"))
    for body in (b"done", b"in hand"):
        channel.basic_publish("", queue, body)
    deliveries = channel.consume(queue)
    done, _, _ = next(deliveries)
    next(deliveries)
    channel.basic_ack(done.delivery_tag)
    assert count(channel, queue) == 0
    proxy.cut()
    with pytest.raises(AMQPConnectionError):
        next(deliveries)
    again, _, body = next(open_blocking(proxy.url).channel().consume(queue, auto_ack=True))
    assert (body, again.redelivered) == (b"in hand", True)
