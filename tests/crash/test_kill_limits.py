"""kill -9 while queues are at their limits: dead letters are neither lost nor doubled, times and counts go on."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import pytest

from amqpd.testing.client import Client, Command
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicGetOk,
    BasicReject,
    ConfirmSelect,
    ConfirmSelectOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties

ROUNDS = int(os.environ.get("AMQPD_CRASH_ROUNDS", "20"))
PERSISTENT = Properties(delivery_mode=2)
TTL = 50
"""Milliseconds."""


def declare(client: Client, queue: str, **arguments: object) -> int:
    """A durable queue; arguments without their `x-`, and with underscores. Returns how many messages are ready."""
    named = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
    method = QueueDeclare(queue=queue, durable=True, arguments=named)
    return client.call(1, method, QueueDeclareOk).message_count


def ready(client: Client, queue: str) -> int:
    return client.call(1, QueueDeclare(queue=queue, passive=True), QueueDeclareOk).message_count


def expect_ready(client: Client, queue: str, number: int) -> None:
    deadline = time.monotonic() + 10
    while (count := ready(client, queue)) != number:
        assert time.monotonic() < deadline, f"{queue} holds {count} messages, not {number}"
        time.sleep(0.01)


def get(client: Client, queue: str) -> Command:
    """A message that is out then."""
    client.send(1, BasicGet(queue=queue))
    return client.expect_command(1, BasicGetOk)


def confirmed(client: Client, queue: str, body: bytes, properties: Properties = PERSISTENT) -> None:
    """Publish; when this returns, it is on the disk, and all that was done before."""
    client.publish(1, "", queue, body, properties)
    client.expect(1, BasicAck)


def confirming(broker: BrokerProcess) -> Client:
    client = Client(broker.url)
    client.channel(1)
    client.call(1, ConfirmSelect(), ConfirmSelectOk)
    return client


class Dying:
    """Publishes to a queue whose messages all die: rejected, too many, or too old."""

    def __init__(self, seed: int, work: str) -> None:
        self.random = random.Random(seed)
        self.work = work
        self.published = 0
        self.must: set[int] = set()

    def run(self, client: Client) -> None:
        """Returns with the ConnectionError of the kill."""
        client.call(1, BasicConsume(queue=self.work), BasicConsumeOk)
        while True:
            for _ in range(self.random.randrange(1, 8)):
                self.published += 1
                client.publish(1, "", self.work, b"%d" % self.published, PERSISTENT)
            try:
                while True:
                    self.hear(client, client.receive(0.003))
            except TimeoutError:
                pass

    def hear(self, client: Client, command: Command) -> None:
        method = command.method
        if isinstance(method, BasicAck):
            first = method.delivery_tag if not method.multiple else 1
            self.must |= set(range(first, method.delivery_tag + 1))
        elif isinstance(method, BasicDeliver) and self.random.random() < 0.7:
            client.send(1, BasicReject(method.delivery_tag, requeue=False))


@pytest.mark.timeout(30 + 10 * ROUNDS)
def test_dead_letters_are_neither_lost_nor_doubled(tmp_path: Path) -> None:
    seed = int(os.environ.get("AMQPD_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"AMQPD_CRASH_SEED={seed}")  # shown when the test fails
    broker = BrokerProcess("-D", str(tmp_path))
    broker.start()
    total = 0
    try:
        for number in range(ROUNDS):
            work, dead = f"work{number}", f"dead{number}"
            client = confirming(broker)
            declare(client, dead)
            declare(
                client,
                work,
                message_ttl=TTL,
                max_length=10,
                dead_letter_exchange="",
                dead_letter_routing_key=dead,
            )
            dying = Dying(seed + number, work)
            killer = threading.Timer(dying.random.uniform(0.02, 0.4), broker.kill)
            killer.start()
            with pytest.raises(ConnectionError):
                dying.run(client)
            killer.join()
            client.drop()
            broker.start()
            with confirming(broker) as client:
                expect_ready(client, work, 0)
                found = [int(get(client, dead).body) for _ in range(ready(client, dead))]
            assert len(found) == len(set(found)), "a message died twice"
            assert set(found) >= dying.must, f"lost {sorted(dying.must - set(found))[:10]}"
            assert set(found) <= set(range(1, dying.published + 1))
            total += len(found)
        assert total > ROUNDS
    finally:
        broker.kill()


@pytest.mark.timeout(120)
def test_times_and_counts_go_on(tmp_path: Path) -> None:
    broker = BrokerProcess("-D", str(tmp_path))
    broker.start()
    try:
        client = confirming(broker)
        declare(client, "short", message_ttl=1500)
        for queue in ("own", "long"):
            declare(client, queue)
        declare(client, "counted", queue_type="quorum", delivery_limit=4)
        began = time.monotonic()
        confirmed(client, "short", b"a")
        confirmed(client, "own", b"a", Properties(delivery_mode=2, expiration="1500"))
        confirmed(client, "long", b"a", Properties(delivery_mode=2, expiration="600000"))
        confirmed(client, "counted", b"a", Properties())
        for _ in range(3):
            tag = get(client, "counted").method.delivery_tag  # type: ignore[union-attr]
            client.send(1, BasicReject(tag, requeue=True))
        confirmed(client, "counted", b"b")
        client.drop()
        broker.kill()
        broker.start()
        with confirming(broker) as client:
            if time.monotonic() - began < 1.4:
                assert (ready(client, "short"), ready(client, "own")) == (1, 1)
            for queue in ("short", "own"):
                expect_ready(client, queue, 0)
            assert time.monotonic() - began < 8  # their time did not begin anew with every start
            assert ready(client, "long") == 1
            for expected in (3, 4):
                command = get(client, "counted")
                assert command.body == b"a"
                assert command.properties is not None
                assert command.properties.headers == {"x-delivery-count": expected}
                client.send(1, BasicReject(command.method.delivery_tag, requeue=True))  # type: ignore[union-attr]
            assert get(client, "counted").body == b"b"
    finally:
        broker.kill()


@pytest.mark.timeout(120)
def test_priorities_places_and_retries_that_wait_go_on(tmp_path: Path) -> None:
    broker = BrokerProcess("-D", str(tmp_path), environment={"AMQPD_COMPAT": "4.3"})
    broker.start()
    try:
        client = confirming(broker)
        declare(client, "q", queue_type="quorum", delayed_retry_type="failed", delayed_retry_min=3000)
        for body, priority in ((b"a", 1), (b"b", 9), (b"c", 9), (b"d", None), (b"e", 1)):
            confirmed(client, "q", body, Properties(priority=priority))
        command = get(client, "q")
        assert command.body == b"b"
        began = time.monotonic()
        client.send(1, BasicReject(command.method.delivery_tag, requeue=True))  # type: ignore[union-attr]
        confirmed(client, "q", b"f", Properties(priority=5))
        client.drop()
        broker.kill()
        broker.start()
        with confirming(broker) as client:
            found = [get(client, "q").body for _ in range(5)]
            if time.monotonic() - began < 2.9:
                assert found == [b"c", b"f", b"d", b"a", b"e"]
            expect_ready(client, "q", 1)
            assert time.monotonic() - began >= 2.9
            command = get(client, "q")
            assert (command.body, command.method.redelivered) == (b"b", True)  # type: ignore[union-attr]
            assert command.properties is not None
            assert command.properties.headers == {"x-delivery-count": 1, "x-acquired-count": 1}
    finally:
        broker.kill()
