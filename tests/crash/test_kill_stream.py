"""kill -9 while a stream is written and read: what was confirmed is there, once, in order, at the offset it had.

A message that was read before the crash must be found at the same offset after it, confirmed or not: consumers keep
offsets elsewhere, and come back with them.
"""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from amqpd.testing.client import Client, Command
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicQos,
    BasicQosOk,
    ConfirmSelect,
    ConfirmSelectOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties

ROUNDS = int(os.environ.get("AMQPD_CRASH_ROUNDS", "20"))
STREAM = "log"
DECLARE = QueueDeclare(
    queue=STREAM,
    durable=True,
    arguments={"x-queue-type": "stream", "x-max-length-bytes": 1 << 20, "x-stream-max-segment-size-bytes": 1 << 16},
)

PUBLISHING, CONSUMING = 1, 2
"""Channels."""


class Log:
    """Publishes numbers to a stream and reads them back, until the broker is gone."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        self.confirmed: set[int] = set()
        self.unconfirmed: dict[int, int] = {}  # publish number -> message, in this round
        self.seen: dict[int, int] = {}  # offset -> message

    def run(self, client: Client) -> None:
        """Raises ConnectionError when the broker dies."""
        self.unconfirmed = {}
        client.channel(PUBLISHING)
        client.channel(CONSUMING)
        client.call(PUBLISHING, ConfirmSelect(), ConfirmSelectOk)
        client.call(CONSUMING, BasicQos(0, 50), BasicQosOk)
        client.send(CONSUMING, BasicConsume(queue=STREAM, arguments={"x-stream-offset": "next"}, nowait=True))
        published = 0
        while True:
            for _ in range(self.random.randint(1, 60)):
                published += 1
                self.number += 1
                self.unconfirmed[published] = self.number
                body = b"%d:" % self.number + bytes(self.random.choice((0, 10, 900, 5000)))
                client.publish(PUBLISHING, "", STREAM, body, Properties(delivery_mode=self.random.choice((1, 2))))
            try:
                while len(self.unconfirmed) > 200:
                    self.hear(client)
            except TimeoutError:
                pass

    def hear(self, client: Client) -> None:
        command = client.receive(0.05)
        method = command.method
        if isinstance(method, BasicDeliver):
            self.see(command)
            client.send(CONSUMING, BasicAck(method.delivery_tag))
        elif isinstance(method, BasicAck):
            last = method.delivery_tag
            for published in [n for n in self.unconfirmed if n == last or (method.multiple and n < last)]:
                self.confirmed.add(self.unconfirmed.pop(published))

    def see(self, command: Command) -> tuple[int, int]:
        assert command.properties is not None
        assert command.properties.headers is not None
        offset = command.properties.headers["x-stream-offset"]
        number = int(command.body.partition(b":")[0])
        assert self.seen.setdefault(offset, number) == number, f"offset {offset} stands for another message"
        return offset, number

    def check(self, client: Client) -> None:
        """Read all of it."""
        client.channel(1)
        count = client.call(1, DECLARE, QueueDeclareOk).message_count
        client.call(1, BasicQos(0, 0xFFFF), BasicQosOk)
        client.call(1, BasicConsume(queue=STREAM, arguments={"x-stream-offset": "first"}), BasicConsumeOk)
        found = [self.see(client.expect_command(1, BasicDeliver)) for _ in range(count)]
        offsets = [offset for offset, _ in found]
        numbers = [number for _, number in found]
        first = offsets[0] if offsets else 0
        assert offsets == list(range(first, first + count))
        assert numbers == sorted(set(numbers)), "out of order, or there twice"
        if first:  # what lies before was dropped by retention
            self.confirmed = {number for number in self.confirmed if number >= numbers[0]}
        assert set(numbers) >= self.confirmed, f"lost {sorted(self.confirmed - set(numbers))[:10]}"
        if numbers:
            assert max(self.seen) == offsets[-1], "what was read before the crash is gone"
        self.confirmed = set(numbers)


@pytest.mark.timeout(30 + 10 * ROUNDS)
def test_a_stream_survives_kill_9_at_any_moment(tmp_path: Path) -> None:
    seed = int(os.environ.get("AMQPD_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"AMQPD_CRASH_SEED={seed}")  # shown when the test fails
    log = Log(seed)
    broker = BrokerProcess("-D", str(tmp_path))
    broker.start()
    try:
        client = Client(broker.url)
        client.channel(1)
        client.call(1, DECLARE, QueueDeclareOk)
        client.close()
        for _ in range(ROUNDS):
            killer = threading.Timer(log.random.uniform(0.02, 0.5), broker.kill)
            client = Client(broker.url)
            killer.start()
            with pytest.raises(ConnectionError):
                log.run(client)
            killer.join()
            client.drop()
            broker.start()
            with Client(broker.url) as checker:
                log.check(checker)
        assert log.number > ROUNDS  # it did publish
        assert log.seen
    finally:
        broker.kill()
