"""AMQPStorm: a client that runs its own thread, and has its own reader and writer of frames."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from amqpstorm import AMQPChannelError, AMQPMessageError, Channel, Connection, Message

from .process import until

PATIENCE = 20

Name = Callable[..., str]


@pytest.fixture
def storm(broker_url: str) -> Iterator[Connection]:
    parts = urlsplit(broker_url)
    with Connection(parts.hostname, parts.username, parts.password, port=parts.port) as connection:
        yield connection


@pytest.fixture
def stormy(storm: Connection) -> Channel:
    """A channel that waits for the confirm of each publish."""
    channel = storm.channel(rpc_timeout=PATIENCE)
    channel.confirm_deliveries()
    return channel


def test_a_message_comes_back_with_its_properties(stormy: Channel, name: Name) -> None:
    queue = name("queue")
    stormy.queue.declare(queue, durable=True)
    properties = {
        "headers": {"text": "grüße", "number": -(2**40), "half": 0.5, "list": [1, "two", None], "table": {"yes": True}},
        "content_type": "text/plain",
        "delivery_mode": 2,
        "priority": 3,
        "correlation_id": "c-1",
        "reply_to": "answers",
        "expiration": "60000",
        "message_id": "m-1",
        "message_type": "greeting",
        "app_id": "test",
    }
    assert stormy.basic.publish("hello", queue, properties=properties) is True
    message = stormy.basic.get(queue, no_ack=False)
    assert isinstance(message, Message)
    assert (message.body, message.redelivered) == ("hello", False)
    assert properties.items() <= message.properties.items()
    message.ack()
    assert stormy.basic.get(queue) is None


def test_bodies_of_megabytes_come_back_whole(stormy: Channel, name: Name) -> None:
    queue = name("queue")
    stormy.queue.declare(queue)
    for size in (131_064, 131_065, 3_000_000):
        body = "x" * size
        assert stormy.basic.publish(body, queue) is True
        message = stormy.basic.get(queue, no_ack=True)
        assert message is not None
        assert message.body == body


def test_a_consumer_in_a_thread_keeps_up_with_a_publisher(storm: Connection, name: Name) -> None:
    publisher = storm.channel(rpc_timeout=PATIENCE)
    queue = name("queue")
    publisher.queue.declare(queue)
    seen: list[int] = []
    consumer = storm.channel(rpc_timeout=PATIENCE)

    def take(message: Message) -> None:
        seen.append(int(message.body))
        message.ack()

    consumer.basic.qos(50)
    tag = consumer.basic.consume(take, queue)
    thread = threading.Thread(target=consumer.start_consuming)
    thread.start()
    for number in range(500):
        publisher.basic.publish(str(number), queue)
    until(lambda: len(seen) == 500, "all messages")
    consumer.basic.cancel(tag)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert seen == list(range(500))


def test_what_cannot_be_routed_is_an_error_to_a_confirming_publisher(stormy: Channel, name: Name) -> None:
    with pytest.raises(AMQPMessageError, match="312"):
        stormy.basic.publish("lost", name("nowhere"), mandatory=True)


def test_a_transaction_is_all_or_nothing(storm: Connection, name: Name) -> None:
    channel = storm.channel(rpc_timeout=PATIENCE)
    queue = name("queue")
    channel.queue.declare(queue)
    channel.tx.select()
    channel.basic.publish("kept", queue)
    channel.tx.commit()
    channel.basic.publish("dropped", queue)
    channel.tx.rollback()
    assert channel.queue.declare(queue, passive=True)["message_count"] == 1


def test_errors_close_the_channel_alone(stormy: Channel, storm: Connection, name: Name) -> None:
    with pytest.raises(AMQPChannelError) as error:
        stormy.queue.declare(name("missing"), passive=True)
    assert error.value.error_code == 404
    with storm.channel(rpc_timeout=PATIENCE) as another:
        another.exchange.declare(exchange := name("exchange"), "topic")
        another.queue.declare(queue := name("queue"))
        another.queue.bind(queue, exchange, "#")
        another.exchange.delete(exchange)
