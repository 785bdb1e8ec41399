"""pika's SelectConnection: everything by callback.

A test tells a story, a generator: each `yield` waits until pika has called `tell` once more, and gives what it was
called with.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import pika
from pika.channel import Channel
from pika.exceptions import ChannelClosedByBroker, StreamLostError

from .proxy import Proxy

Name = Callable[..., str]
Tell = Callable[..., None]
Story = Generator[None, Any, None]


def play(url: str, story: Callable[[Channel, Tell], Story]) -> None:
    """Open a connection and a channel, run the story on pika's loop, and close the connection."""
    told: deque[tuple[Any, ...]] = deque()
    failures: list[BaseException] = []

    def tell(*arguments: Any) -> None:
        told.append(arguments)
        connection.ioloop.add_callback_threadsafe(go_on)

    def go_on() -> None:
        if connection.is_open:
            step(lambda: plot.send(told.popleft()))

    def step(take: Callable[[], None]) -> None:
        try:
            take()
        except StopIteration:
            connection.close()
        except BaseException as error:
            failures.append(error)
            connection.close()

    def begin(channel: Channel) -> None:
        nonlocal plot
        plot = story(channel, tell)
        step(lambda: next(plot))

    def lost(_: pika.SelectConnection, reason: BaseException) -> None:
        if not isinstance(reason, pika.exceptions.ConnectionClosedByClient):
            failures.append(reason)
        connection.ioloop.stop()

    plot: Story
    connection = pika.SelectConnection(
        pika.URLParameters(url),
        on_open_callback=lambda connection: connection.channel(on_open_callback=begin),
        on_open_error_callback=lost,
        on_close_callback=lost,
    )
    connection.ioloop.start()
    connection.ioloop.close()
    if failures:
        raise failures[0]


def test_a_published_message_can_be_got(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        (declared,) = yield
        assert declared.method.queue == queue
        channel.basic_publish("", queue, b"hello", pika.BasicProperties(content_type="text/plain"))
        channel.basic_get(queue, callback=tell, auto_ack=True)
        _, method, properties, body = yield
        assert (method.routing_key, method.message_count) == (queue, 0)
        assert properties.content_type == "text/plain"
        assert body == b"hello"

    play(broker_url, story)


def test_an_empty_queue_answers_a_get_with_get_empty(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        channel.add_callback(tell, [pika.spec.Basic.GetEmpty])
        channel.basic_get(queue, callback=lambda *got: tell("a message", got))
        (frame,) = yield
        assert isinstance(frame.method, pika.spec.Basic.GetEmpty)

    play(broker_url, story)


def test_every_publish_is_confirmed_once(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, durable=True, callback=tell)
        yield
        channel.confirm_delivery(ack_nack_callback=tell, callback=lambda _: tell("selected"))
        assert (yield) == ("selected",)
        for _ in range(100):
            channel.basic_publish("", queue, b"x", pika.BasicProperties(delivery_mode=2))
        outstanding = set(range(1, 101))
        while outstanding:
            (frame,) = yield
            assert isinstance(frame.method, pika.spec.Basic.Ack)
            tag = frame.method.delivery_tag
            confirmed = {number for number in outstanding if number == tag or (frame.method.multiple and number < tag)}
            assert tag in confirmed
            outstanding -= confirmed
        channel.queue_declare(queue, passive=True, callback=tell)
        (declared,) = yield
        assert declared.method.message_count == 100

    play(broker_url, story)


def test_a_consumer_gets_messages_in_order_and_acks_them_together(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        for number in range(10):
            channel.basic_publish("", queue, b"%d" % number)
        tag = channel.basic_consume(queue, tell, callback=tell)
        (consuming,) = yield
        assert consuming.method.consumer_tag == tag
        for number in range(10):
            _, method, _, body = yield
            assert (method.consumer_tag, method.delivery_tag, body) == (tag, number + 1, b"%d" % number)
        channel.basic_ack(10, multiple=True)
        channel.basic_cancel(tag, callback=tell)
        (cancelled,) = yield
        assert cancelled.method.consumer_tag == tag
        channel.queue_delete(queue, callback=tell)
        (deleted,) = yield
        assert deleted.method.message_count == 0

    play(broker_url, story)


def test_a_nacked_message_comes_again(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        channel.basic_publish("", queue, b"again")
        channel.basic_consume(queue, tell)
        _, first, _, _ = yield
        channel.basic_nack(first.delivery_tag, requeue=True)
        _, second, _, body = yield
        assert (first.redelivered, second.redelivered, body) == (False, True, b"again")
        channel.basic_ack(second.delivery_tag)

    play(broker_url, story)


def test_a_rejected_message_does_not_come_again(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        for body in (b"bad", b"good"):
            channel.basic_publish("", queue, body)
        channel.basic_qos(prefetch_count=1, callback=tell)
        yield
        channel.basic_consume(queue, tell)
        _, bad, _, _ = yield
        channel.basic_reject(bad.delivery_tag, requeue=False)
        _, good, _, body = yield
        assert (good.redelivered, body) == (False, b"good")
        channel.basic_nack(good.delivery_tag, requeue=False)

    play(broker_url, story)


def test_a_transaction_publishes_at_commit(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        channel.tx_select(callback=tell)
        yield
        channel.basic_publish("", queue, b"forgotten")
        channel.tx_rollback(callback=tell)
        yield
        channel.basic_publish("", queue, b"kept")
        channel.tx_commit(callback=tell)
        yield
        channel.basic_get(queue, callback=tell)
        _, method, _, body = yield
        assert (method.message_count, body) == (0, b"kept")

    play(broker_url, story)


def test_a_mandatory_message_is_returned_before_it_is_confirmed(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        channel.add_on_return_callback(tell)
        channel.confirm_delivery(ack_nack_callback=tell)
        channel.basic_publish("amq.topic", name("nowhere"), b"lost", mandatory=True)
        _, returned, _, body = yield
        assert (returned.reply_code, returned.reply_text, body) == (312, "NO_ROUTE", b"lost")
        (confirm,) = yield
        assert isinstance(confirm.method, pika.spec.Basic.Ack)

    play(broker_url, story)


def test_a_channel_error_leaves_the_connection_open(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        missing = name("missing")
        channel.add_on_close_callback(tell)
        channel.queue_declare(missing, passive=True)
        _, reason = yield
        assert isinstance(reason, ChannelClosedByBroker)
        assert reason.reply_code == 404
        channel.connection.channel(channel.channel_number, on_open_callback=tell)
        (channel,) = yield
        channel.queue_declare(missing, callback=tell)
        (declared,) = yield
        assert declared.method.queue == missing

    play(broker_url, story)


def test_an_exclusive_queue_is_refused_to_another_connection(broker_url: str, name: Name) -> None:
    def owner(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, exclusive=True, callback=tell)
        yield

        def stranger(channel: Channel, tell: Tell) -> Story:
            channel.add_on_close_callback(tell)
            channel.basic_consume(queue, tell)
            _, reason = yield
            assert (reason.reply_code, reason.reply_text.split(" - ")[0]) == (405, "RESOURCE_LOCKED")

        play(broker_url, stranger)

    play(broker_url, owner)


def test_a_headers_exchange_looks_at_headers_alone(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        exchange, queue = name("exchange"), name("queue")
        channel.exchange_declare(exchange, "headers", callback=tell)
        yield
        channel.queue_declare(queue, callback=tell)
        yield
        channel.queue_bind(queue, exchange, arguments={"x-match": "all", "shape": "round", "red": True}, callback=tell)
        yield
        channel.basic_consume(queue, tell, auto_ack=True)
        for shape, red in (("round", False), ("square", True), ("round", True)):
            headers = {"shape": shape, "red": red, "more": 1}
            channel.basic_publish(exchange, shape, shape.encode(), pika.BasicProperties(headers=headers))
        _, _, properties, _ = yield
        assert properties.headers == {"shape": "round", "red": True, "more": 1}

    play(broker_url, story)


def test_prefetch_holds_messages_back_until_an_ack(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        for number in range(3):
            channel.basic_publish("", queue, b"%d" % number)
        channel.basic_qos(prefetch_count=1, callback=tell)
        yield
        channel.basic_consume(queue, tell)
        for left in (2, 1, 0):
            _, method, _, _ = yield
            channel.queue_declare(queue, passive=True, callback=tell)
            (declared,) = yield  # and not the next delivery
            assert declared.method.message_count == left
            channel.basic_ack(method.delivery_tag)

    play(broker_url, story)


def test_a_large_body_comes_back_whole(broker_url: str, name: Name) -> None:
    large = secrets.token_bytes(1 << 20)

    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        channel.basic_consume(queue, tell, auto_ack=True)
        channel.basic_publish("", queue, large)
        _, _, _, body = yield
        assert body == large

    play(broker_url, story)


def test_a_consumer_is_told_when_its_queue_is_deleted(broker_url: str, name: Name) -> None:
    def story(channel: Channel, tell: Tell) -> Story:
        queue = name("queue")
        channel.queue_declare(queue, callback=tell)
        yield
        channel.add_on_cancel_callback(tell)
        tag = channel.basic_consume(queue, tell, callback=tell)
        yield
        channel.connection.channel(on_open_callback=tell)
        (other,) = yield
        other.queue_delete(queue)
        (cancelled,) = yield
        assert cancelled.method.consumer_tag == tag
        assert channel.is_open

    play(broker_url, story)


class PersistentConsumer:
    """A consumer as long-running services write it: connect, consume, and start over when the connection is lost."""

    def __init__(self, url: str, queue: str, on_message: Callable[[PersistentConsumer, Channel, int, bool], None]):
        self.url = url
        self.queue = queue
        self.on_message = on_message
        self.losses: list[BaseException] = []
        self.ioloop = pika.SelectConnection(pika.URLParameters(url), self.opened, self.lost, self.lost).ioloop
        self.done = False

    def run(self) -> None:
        self.ioloop.start()
        self.ioloop.close()

    def stop(self, connection: pika.SelectConnection) -> None:
        self.done = True
        connection.close()

    def opened(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self.channel_opened)

    def channel_opened(self, channel: Channel) -> None:
        channel.queue_declare(self.queue, callback=lambda _: channel.basic_consume(self.queue, self.deliver))

    def deliver(self, channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        self.on_message(self, channel, method.delivery_tag, method.redelivered)

    def lost(self, connection: pika.SelectConnection, reason: BaseException) -> None:
        if self.done:
            self.ioloop.stop()
            return
        self.losses.append(reason)
        pika.SelectConnection(
            pika.URLParameters(self.url), self.opened, self.lost, self.lost, custom_ioloop=self.ioloop
        )


def test_a_consumer_that_starts_over_gets_what_it_had_in_hand(proxy: Proxy, broker_url: str, name: Name) -> None:
    queue = name("queue")
    seen: list[bool] = []

    def publish(channel: Channel, tell: Tell) -> Story:
        channel.queue_declare(queue, callback=tell)
        yield
        channel.basic_publish("", queue, b"in hand")

    def on_message(consumer: PersistentConsumer, channel: Channel, tag: int, redelivered: bool) -> None:
        seen.append(redelivered)
        if redelivered:
            channel.basic_ack(tag)
            consumer.stop(channel.connection)
        else:
            proxy.cut()

    play(broker_url, publish)
    consumer = PersistentConsumer(proxy.url, queue, on_message)
    consumer.run()
    assert seen == [False, True]
    assert [type(loss) for loss in consumer.losses] == [StreamLostError]
