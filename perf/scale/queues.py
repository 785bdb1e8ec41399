"""Many durable queues, declared without waiting for answers."""

from __future__ import annotations

import select
import time

from brokers import Broker
from loader.connection import Connection
from loader.cpu import resident_bytes
from loader.frames import CHANNEL, LoadError

from amqpd.wire.methods import QueueDeclare, QueueDeclareOk

from .answers import Answers
from .fresh import KB, start_afresh


def queues(broker: Broker, *, count: int, limit: float) -> dict[str, float]:
    """Declare them: `rate`, a second, up to the last answer; `memory`, kilobytes of the broker for each."""
    start_afresh(broker)
    connection = Connection(broker.url)
    before = resident_bytes(broker.pids)
    declares = [QueueDeclare(queue=f"load.{number:06}", durable=True) for number in range(count)]
    data = connection.client.session.encode(CHANNEL, *declares)
    try:
        seconds = _ask(connection, data, count, limit)
        grown = resident_bytes(broker.pids) - before
    finally:
        connection.drop()
        broker.stop()
    return {"rate": count / seconds, "memory": grown / count / KB}


def _ask(connection: Connection, data: bytes, count: int, limit: float) -> float:
    """Send it all, and wait for so many answers; returns the seconds that took."""
    peer = connection.socket
    peer.setblocking(False)
    answers = Answers()
    unsent = memoryview(data)
    answered = 0
    begun = time.monotonic()
    while answered < count:
        readable, writable, _ = select.select([peer], [peer] if unsent else [], [], 0.1)
        if writable:
            unsent = unsent[peer.send(unsent) :]
        if readable:
            received = peer.recv(1 << 18)
            if not received:
                raise LoadError(f"the broker closed the connection after {answered} queues")
            answered += answers.feed(received).count(QueueDeclareOk.id)
        if time.monotonic() - begun > limit:
            raise LoadError(f"{answered} of {count} queues were declared after {limit} seconds")
    return time.monotonic() - begun
