"""Steps that tests of limits and dead letters share: a vhost whose clock is moved by hand, and messages in and out."""

from __future__ import annotations

from typing import Any

from amqpd.broker.broker import Broker
from amqpd.broker.consumer import Consumer, Outlet, Window
from amqpd.broker.entry import Entry
from amqpd.broker.queue import Queue
from amqpd.clock import VirtualClock
from amqpd.message import Message, make_message
from amqpd.store.base import Store
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties
from tests.fakes import RecordingSink

DLX = "x-dead-letter-exchange"


class Stage:
    """A broker, its one vhost, its clock; started again on the same store by `restart`."""

    def __init__(self, store: Store | None = None, **options: Any) -> None:
        self.store = store or MemoryStore()
        self._options = options
        self.clock = VirtualClock()
        self.restart()

    def restart(self) -> None:
        self.clock = VirtualClock(self.clock.now())  # the timers of the one before are gone with it
        self.broker = Broker(self.store, self.clock, **self._options)
        self.vhost = self.broker.vhosts["/"]

    def queue(self, name: str = "q", /, *, durable: bool = False, **arguments: Any) -> Queue:
        """Declare a queue; arguments are given without their `x-`, and with underscores."""
        named = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
        return self.vhost.declare_queue(name, durable=durable, arguments=named)

    def publish(self, *bodies: bytes, to: str = "q", exchange: str = "", **properties: Any) -> list[int]:
        """Publish each body; returns what the queues said of each."""
        return [self.send(make(body, to, exchange, **properties)) for body in bodies]

    def send(self, message: Message) -> int:
        route = self.vhost.route(self.vhost.exchange(message.exchange), message)
        return route.deliver(message)


def make(body: bytes, key: str = "q", exchange: str = "", *, ttl: int | None = None, **properties: Any) -> Message:
    """A message as it comes from a publisher, with its expiration looked into."""
    if ttl is not None:
        properties["expiration"] = str(ttl)
    message = make_message(exchange, key, body, Properties(**properties))
    if ttl is not None:
        message.ttl = ttl
    return message


def consume(queue: Queue, tag: str = "c", **options: Any) -> tuple[Consumer, RecordingSink]:
    sink = RecordingSink()
    consumer = Consumer(tag, queue, sink, Outlet(), Window(), **options)
    queue.add_consumer(consumer)
    queue.dispatch()
    return consumer, sink


def take(queue: Queue) -> Entry:
    """Get the first message, which is unacked then."""
    entry = queue.get(no_ack=False)
    assert entry is not None
    return entry


def reject(entry: Entry) -> None:
    """A consumer does not want it, nor is anybody to have it."""
    queue = entry.queue
    assert isinstance(queue, Queue)
    if queue.limits is not None:
        queue.limits.rejected(entry)
    queue.settle(entry)


def drain(queue: Queue) -> list[bytes]:
    return [message.body for message in messages(queue)]


def messages(queue: Queue) -> list[Message]:
    """All that is ready, taken out."""
    found = []
    while (entry := queue.get(no_ack=True)) is not None:
        found.append(entry.message)
    return found
