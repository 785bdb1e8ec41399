"""Kombu, the library below Celery, and its driver py-amqp: programs that publish, consume, lose their way and go on."""

from __future__ import annotations

import datetime as dt
import decimal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from amqp.exceptions import ConsumerCancelled, NotFound, PreconditionFailed
from kombu import Connection, Consumer, Exchange, Message, Producer, Queue, binding
from kombu.common import eventloop
from kombu.mixins import ConsumerMixin, ConsumerProducerMixin

from amqpd.testing.harness import BrokerProcess

from .process import until
from .proxy import Proxy

PATIENCE = 20.0

Name = Callable[..., str]


@pytest.fixture
def connection(broker_url: str) -> Iterator[Connection]:
    with Connection(broker_url, transport_options={"confirm_publish": True}) as connection:
        yield connection


@pytest.fixture
def unconfirmed(broker_url: str) -> Iterator[Connection]:
    """Waiting for confirms may take from the socket what `drain_events` is to wait for."""
    with Connection(broker_url) as connection:
        yield connection


@pytest.fixture
def queue(name: Name) -> Queue:
    """A durable queue of the default exchange, to be bound to a channel."""
    called = name("queue")
    return Queue(called, Exchange(""), routing_key=called)


def bodies(channel: Any, queue: Queue) -> list[Any]:
    """Everything that is ready."""
    bound = queue.bind(channel)
    found = []
    while (message := bound.get(no_ack=True, accept=["json", "text/plain"])) is not None:
        found.append(message.payload)
    return found


EXCHANGES = {
    "direct": ("red", {}, "red", {}, "blue", {}),
    "topic": ("*.orange.#", {}, "quick.orange.male.rabbit", {}, "orange", {}),
    "fanout": ("", {}, "whatever", {}, None, {}),
    "headers": (
        "",
        {"x-match": "all", "shape": "round", "sides": 2},
        "",
        {"shape": "round", "sides": 2},
        "",
        {"sides": 2},
    ),
}


@pytest.mark.parametrize("kind", EXCHANGES)
def test_exchanges_of_every_type_route(kind: str, connection: Connection, name: Name) -> None:
    key, arguments, right, right_headers, wrong, wrong_headers = EXCHANGES[kind]
    exchange = Exchange(name(kind), kind)
    queue = Queue(name("queue"), exchange, routing_key=key, binding_arguments=arguments)
    producer = connection.Producer(exchange=exchange, auto_declare=True)
    if wrong is not None:
        producer.publish({"n": 1}, routing_key=wrong, headers=wrong_headers, declare=[queue])
    producer.publish({"n": 2}, routing_key=right, headers=right_headers, declare=[queue])
    assert bodies(connection.default_channel, queue) == [{"n": 2}]


def test_exchanges_can_be_bound_to_exchanges(connection: Connection, name: Name, queue: Queue) -> None:
    channel = connection.default_channel
    source, middle = (
        Exchange(name("source"), "topic", channel=channel),
        Exchange(name("middle"), "fanout", channel=channel),
    )
    source.declare()
    middle.declare()
    middle.bind_to(source, routing_key="news.#")
    queue = queue.bind(channel)
    queue.declare()
    queue.bind_to(middle)
    producer = Producer(channel, source)
    producer.publish("sports", routing_key="sports")
    producer.publish("news", routing_key="news.sports")
    middle.unbind_from(source, routing_key="news.#")
    producer.publish("late news", routing_key="news.sports")
    assert bodies(channel, queue) == ["news"]


def test_a_queue_can_have_several_bindings(connection: Connection, name: Name) -> None:
    one, other = Exchange(name("one"), "direct"), Exchange(name("other"), "fanout")
    queue = Queue(name("queue"), [binding(one, routing_key="a"), binding(one, routing_key="b"), binding(other)])
    producer = connection.Producer()
    for exchange, key in ((one, "a"), (one, "b"), (one, "c"), (other, "")):
        producer.publish(f"{exchange.type} {key}", exchange=exchange, routing_key=key, declare=[queue])
    assert bodies(connection.default_channel, queue) == ["direct a", "direct b", "fanout "]


@pytest.mark.parametrize("serializer", ["json", "pickle", "msgpack", "raw"])
@pytest.mark.parametrize("compression", [None, "zlib", "bzip2", "lzma"])
def test_bodies_are_what_they_were(
    serializer: str, compression: str | None, connection: Connection, queue: Queue
) -> None:
    body: Any = b"\x00\xff" * 500 if serializer == "raw" else {"text": "grüße", "list": [1, 2.5, None, True]}
    connection.Producer().publish(
        body,
        routing_key=queue.name,
        declare=[queue],
        serializer=None if serializer == "raw" else serializer,
        content_type="application/data" if serializer == "raw" else None,
        content_encoding="binary" if serializer == "raw" else None,
        compression=compression,
    )
    message = queue.bind(connection.default_channel).get(accept=["json", "pickle", "msgpack", "application/data"])
    assert message.payload == body
    message.ack()


def test_headers_of_every_type_come_back(connection: Connection, queue: Queue) -> None:
    headers = {
        "text": "grüße",
        "long": "x" * 70_000,
        "small": -7,
        "large": 2**40,
        "negative": -(2**62),
        "half": 0.5,
        "yes": True,
        "no": False,
        "nothing": None,
        "price": decimal.Decimal("-12.34"),
        "when": dt.datetime(2024, 2, 29, 12, 30, 1),  # noqa: DTZ001 - what py-amqp makes of a timestamp
        "list": [1, "two", [3.0, None], {"four": False}],
        "table": {"of": {"tables": {"deep": [{}]}}},
        "": "a name that is empty",
    }
    properties = {"priority": 3, "message_id": "m-1", "correlation_id": "c-1", "reply_to": "r", "app_id": "test"}
    connection.Producer().publish(
        "x", routing_key=queue.name, declare=[queue], headers=headers, expiration=60, **properties
    )
    message = queue.bind(connection.default_channel).get(no_ack=True)
    assert message.headers == headers
    assert properties.items() <= message.properties.items()
    assert message.properties["expiration"] == "60000"
    assert message.properties["delivery_mode"] == 2


def test_a_simple_queue_is_used_like_pythons(connection: Connection, name: Name) -> None:
    with connection.SimpleQueue(name("simple")) as simple:
        with pytest.raises(Empty):
            simple.get(block=False)
        for number in range(3):
            simple.put({"n": number})
        assert len(simple) == 3
        first = simple.get(timeout=PATIENCE)
        first.requeue()
        seen = []
        for _ in range(3):
            message = simple.get(timeout=PATIENCE)
            seen.append(message.payload["n"])
            message.ack()
        assert sorted(seen) == [0, 1, 2]


def test_prefetch_leaves_the_rest_in_the_queue(connection: Connection, queue: Queue) -> None:
    producer = connection.Producer()
    for number in range(5):
        producer.publish(number, routing_key=queue.name, declare=[queue])
    got: list[Message] = []
    channel = connection.default_channel
    with Consumer(channel, [queue], on_message=got.append, prefetch_count=2):
        while len(got) < 2:
            connection.drain_events(timeout=PATIENCE)
        assert queue.bind(channel).queue_declare(passive=True).message_count == 3
        with pytest.raises(socket.timeout):  # and nothing more comes
            connection.drain_events(timeout=0.05)
        got[0].ack()
        while len(got) < 3:
            connection.drain_events(timeout=PATIENCE)
    assert [message.payload for message in got] == [0, 1, 2]


def test_a_rejected_message_is_dead_lettered(connection: Connection, name: Name) -> None:
    graveyard = Exchange(name("graveyard"), "fanout")
    dead = Queue(name("dead"), graveyard)
    work = Queue(
        name("work"),
        Exchange(name("jobs")),
        routing_key="job",
        queue_arguments={"x-dead-letter-exchange": graveyard.name},
    )
    producer = connection.Producer()
    producer.publish("bad", exchange=work.exchange, routing_key="job", declare=[dead, work])
    channel = connection.default_channel
    work.bind(channel).get().reject()
    dead = dead.bind(channel)
    until(lambda: dead.queue_declare(passive=True).message_count == 1, "the dead letter")
    message = dead.get(no_ack=True)
    (death,) = message.headers["x-death"]
    assert (death["reason"], death["queue"], death["count"], death["routing-keys"]) == (
        "rejected",
        work.name,
        1,
        ["job"],
    )


def test_queues_have_limits(connection: Connection, name: Name) -> None:
    dead = Queue(name("dead"), Exchange(""), routing_key="", durable=False)
    limits = {
        "expires": 60,
        "message_ttl": 30,
        "max_length": 2,
        "max_length_bytes": 1000,
        "max_priority": 5,
        "queue_arguments": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead.name},
    }
    limited = Queue(called := name("limited"), Exchange(""), routing_key=called, **limits)
    producer = connection.Producer()
    for priority in (1, 5, 3):
        producer.publish(priority, routing_key=called, priority=priority, declare=[dead, limited])
    channel = connection.default_channel
    assert bodies(channel, limited) == [3, 1]  # the head is what is dropped
    until(lambda: dead.bind(channel).queue_declare(passive=True).message_count == 1, "the dead letter")
    with pytest.raises(PreconditionFailed, match="inequivalent arg 'x-max-length'"), connection.channel() as another:
        Queue(called, Exchange(""), **{**limits, "max_length": 3}).bind(another).queue_declare()


def test_an_unroutable_mandatory_message_is_returned(connection: Connection, name: Name) -> None:
    returned: list[Any] = []
    producer = connection.Producer(on_return=lambda *told: returned.append(told))
    producer.publish("lost", exchange="", routing_key=name("nowhere"), mandatory=True)
    ((error, exchange, _, _),) = returned
    assert (error.reply_code, exchange) == (312, "")


def test_a_missing_queue_costs_a_channel(connection: Connection, name: Name) -> None:
    channel = connection.channel()
    with pytest.raises(NotFound, match="no queue"):
        channel.queue_declare(name("missing"), passive=True)
    assert connection.connected
    connection.channel().queue_declare(name("queue"))


def test_a_consumer_hears_that_its_queue_is_deleted(broker_url: str, connection: Connection, queue: Queue) -> None:
    channel = connection.channel()
    queue.bind(channel).declare()
    told: list[str] = []
    channel.basic_consume(queue.name, consumer_tag="first", on_cancel=told.append)
    channel.basic_consume(queue.name, consumer_tag="second")
    with Connection(broker_url) as other:
        other.default_channel.queue_delete(queue.name)
    with pytest.raises(ConsumerCancelled, match="second"):  # noqa: PT012 - which of the two comes first is open
        while True:
            connection.drain_events(timeout=PATIENCE)
    while not told:
        connection.drain_events(timeout=PATIENCE)
    assert told == ["first"]


def test_the_next_address_is_tried_when_one_does_not_answer(broker_url: str, queue: Queue) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Connection([f"amqp://guest:guest@127.0.0.1:{port}//", broker_url]) as connection:
        connection.ensure_connection(max_retries=3, interval_start=0, interval_step=0)
        connection.Producer().publish("x", routing_key=queue.name, declare=[queue])
        assert bodies(connection.default_channel, queue) == ["x"]


def test_a_publish_is_tried_again_on_a_new_connection(proxy: Proxy, connection: Connection, queue: Queue) -> None:
    errors: list[Exception] = []
    with Connection(proxy.url, transport_options={"confirm_publish": True}) as cut:
        producer = cut.Producer()
        policy = {
            "interval_start": 0,
            "interval_step": 0.01,
            "max_retries": 20,
            "errback": lambda e, _: errors.append(e),
        }
        for number in range(20):
            if number % 5 == 4:
                proxy.cut()
            producer.publish(number, routing_key=queue.name, declare=[queue], retry=True, retry_policy=policy)
    found = bodies(connection.default_channel, queue)
    assert list(dict.fromkeys(found)) == list(range(20))  # each, in order; one may be there twice
    assert errors


def test_ensure_calls_again_after_a_reconnect(proxy: Proxy, queue: Queue) -> None:
    with Connection(proxy.url) as connection:
        bound = queue.bind(connection.default_channel)
        bound.declare()
        proxy.cut()
        errors: list[Exception] = []
        declare = connection.ensure(
            bound, bound.queue_declare, errback=lambda e, _: errors.append(e), max_retries=5, interval_start=0
        )
        assert declare().queue == queue.name
        assert len(errors) == 1


class Worker(ConsumerMixin):
    """Collects messages, on whatever connection there is."""

    connect_max_retries = 200

    def __init__(self, connection: Connection, queue: Queue) -> None:
        self.connection = connection
        self.queue = queue
        self.seen: list[Any] = []
        self.ready = threading.Event()
        self.revived = 0

    def get_consumers(self, consumer: Any, channel: Any) -> list[Consumer]:
        return [consumer([self.queue], callbacks=[self.on_task], prefetch_count=10)]

    def on_consume_ready(self, *_: Any, **__: Any) -> None:
        self.ready.set()

    def on_connection_revived(self) -> None:
        self.revived += 1

    def on_task(self, body: Any, message: Message) -> None:
        self.seen.append(body)
        message.ack()


def test_a_consumer_mixin_goes_on_after_a_drop(proxy: Proxy, connection: Connection, queue: Queue) -> None:
    producer = connection.Producer()
    with Connection(proxy.url) as own:
        worker = Worker(own, queue)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            assert worker.ready.wait(PATIENCE)
            for number in range(2):
                worker.ready.clear()
                producer.publish(number, routing_key=queue.name, declare=[queue])
                until(lambda number=number: number in worker.seen, "the message")
                proxy.cut()
                assert worker.ready.wait(PATIENCE)
        finally:
            worker.should_stop = True
            thread.join(PATIENCE)
    assert list(dict.fromkeys(worker.seen)) == [0, 1]


def test_a_consumer_producer_mixin_answers(broker_url: str, unconfirmed: Connection, name: Name) -> None:
    requests = Queue(called := name("requests"), Exchange(""), routing_key=called)

    class Squares(ConsumerProducerMixin):
        ready = threading.Event()

        def __init__(self, connection: Connection) -> None:
            self.connection = connection

        def get_consumers(self, consumer: Any, channel: Any) -> list[Consumer]:
            return [consumer([requests], on_message=self.on_request, accept={"application/json"}, prefetch_count=1)]

        def on_consume_ready(self, *_: Any, **__: Any) -> None:
            self.ready.set()

        def on_request(self, message: Message) -> None:
            self.producer.publish(
                message.payload**2,
                exchange="",
                routing_key=message.properties["reply_to"],
                correlation_id=message.properties["correlation_id"],
                retry=True,
            )
            message.ack()

    with Connection(broker_url) as own:
        server = Squares(own)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            assert server.ready.wait(PATIENCE)
            replies: list[Message] = []
            direct = Queue("amq.rabbitmq.reply-to", no_declare=True)
            channel = unconfirmed.default_channel
            with Consumer(channel, [direct], on_message=replies.append, no_ack=True, auto_declare=False):
                Producer(channel).publish(7, routing_key=called, reply_to=direct.name, correlation_id="seven")
                for _ in eventloop(unconfirmed, timeout=PATIENCE):
                    if replies:
                        break
            assert (replies[0].payload, replies[0].properties["correlation_id"]) == (49, "seven")
        finally:
            server.should_stop = True
            thread.join(PATIENCE)


def test_heartbeats_of_the_broker_come_while_nothing_else_does(broker_url: str) -> None:
    with Connection(broker_url, heartbeat=1) as connection:
        connection.connect()
        wire = connection.connection
        before = wire.bytes_recv
        while wire.bytes_recv == before:
            with pytest.raises(socket.timeout):
                connection.drain_events(timeout=0.1)
            connection.heartbeat_check()
        assert wire.heartbeat == 1


@pytest.mark.ours("kills its broker")
def test_confirmed_messages_and_consumers_survive_the_death_of_the_broker(tmp_path: Path) -> None:
    queue = Queue("queue", Exchange("exchange"), routing_key="key")
    with (
        BrokerProcess("-D", str(tmp_path)) as broker,
        Connection(broker.url, transport_options={"confirm_publish": True}) as connection,
        Connection(broker.url) as own,
    ):
        producer = connection.Producer(exchange=queue.exchange)
        worker = Worker(own, queue)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            assert worker.ready.wait(PATIENCE)
            policy = {"interval_start": 0, "interval_step": 0.02, "interval_max": 0.1, "max_retries": 200}
            sender = threading.Thread(
                target=lambda: [
                    producer.publish(n, routing_key="key", declare=[queue], retry=True, retry_policy=policy)
                    for n in range(300)
                ]
            )
            sender.start()
            until(lambda: len(worker.seen) >= 50, "some messages")
            broker.kill()
            broker.start()
            sender.join(PATIENCE)
            assert not sender.is_alive()
            until(lambda: set(worker.seen) == set(range(300)), "all messages")
        finally:
            worker.should_stop = True
            thread.join(PATIENCE)
    assert worker.revived == 2  # with the first time
