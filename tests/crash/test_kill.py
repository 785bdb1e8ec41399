"""kill -9 at random moments: what was confirmed and not acked comes back, once, in order.

Each round works a broker until it is killed, restarts it on the same data, and compares what its queues hold with what
must be there. Whatever was on its way when the broker died is in doubt: an unconfirmed message may be there or not, an
ack may have been heard or not; but nothing may be there twice, or out of order.
"""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicCancelOk,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicQos,
    BasicQosOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    TxCommit,
    TxCommitOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import Properties

ROUNDS = int(os.environ.get("AMQPD_CRASH_ROUNDS", "20"))
PERSISTENT = Properties(delivery_mode=2)

PUBLISHING, CONSUMING, COMMITTING = 1, 2, 3
"""Channels."""


class Expectation:
    """What one queue must, and may, hold: message numbers, ascending as published."""

    def __init__(self) -> None:
        self.must: set[int] = set()  # confirmed, and no ack was sent
        self.may: set[int] = set()  # published and not confirmed, or acked and maybe not heard

    def check(self, queue: str, found: list[int]) -> None:
        assert found == sorted(found), f"{queue} is out of order"
        assert len(found) == len(set(found)), f"{queue} holds a message twice"
        assert set(found) >= self.must, f"{queue} lost {sorted(self.must - set(found))[:10]}"
        assert set(found) <= self.must | self.may, f"{queue} holds what was done with"
        self.must = set(found)
        self.may = set()


class Work:
    """Publishes to one queue, and through a fanout exchange to two more, until the broker is gone."""

    QUEUES = ("alone", "left", "right")
    SIZES = ((0, 10, 900, 5000), (5000, 30_000, 150_000))  # small ones, or enough for batches to wait for consumers

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        self.queues = {queue: Expectation() for queue in self.QUEUES}
        self.unconfirmed: dict[int, tuple[int, tuple[str, ...]]] = {}  # publish number -> message, queues
        self.acked: set[tuple[str, int]] = set()  # queue and message, in this round
        self.declared: list[str] = []
        self.sizes = self.SIZES[0]  # of bodies, in this round

    def run(self, client: Client) -> None:
        """Raises ConnectionError when the broker dies."""
        self.unconfirmed = {}
        self.sizes = self.random.choice(self.SIZES)
        for channel in (PUBLISHING, CONSUMING, COMMITTING):
            client.channel(channel)
        client.call(PUBLISHING, ConfirmSelect(), ConfirmSelectOk)
        client.call(COMMITTING, TxSelect(), TxSelectOk)
        client.call(CONSUMING, BasicQos(0, 50), BasicQosOk)
        for queue in self.QUEUES:
            if self.random.random() < 0.6:
                client.send(CONSUMING, BasicConsume(queue=queue, consumer_tag=queue, nowait=True))
        published = 0
        while True:
            for _ in range(self.random.randint(1, 60)):
                published += 1
                self.publish(client, published)
            self.listen(client)
            if self.random.random() < 0.1:
                self.commit(client)
            if self.random.random() < 0.05:
                self.declare(client)

    def publish(self, client: Client, published: int) -> None:
        self.number += 1
        exchange, key, queues = self.random.choice([("", "alone", ("alone",)), ("both", "", ("left", "right"))])
        for queue in queues:
            self.queues[queue].may.add(self.number)
        self.unconfirmed[published] = (self.number, queues)
        client.publish(PUBLISHING, exchange, key, self.body(self.number), PERSISTENT)

    def commit(self, client: Client) -> None:
        numbers = []
        for _ in range(self.random.randint(1, 10)):
            self.number += 1
            numbers.append(self.number)
            self.queues["alone"].may.add(self.number)
            client.publish(COMMITTING, "", "alone", self.body(self.number), PERSISTENT)
        client.send(COMMITTING, TxCommit())
        while not isinstance(self.hear(client, 10), TxCommitOk):
            pass
        for number in numbers:
            self.settle("alone", number, confirmed=True)

    def declare(self, client: Client) -> None:
        name = f"declared-{len(self.declared)}"
        client.send(COMMITTING, QueueDeclare(queue=name, durable=True))
        while not isinstance(self.hear(client, 10), QueueDeclareOk):
            pass
        self.declared.append(name)

    def listen(self, client: Client) -> None:
        """Hear what there is, until the broker has nothing to say for a moment or little is left unconfirmed."""
        try:
            while len(self.unconfirmed) > 200:
                self.hear(client, 0.05)
        except TimeoutError:
            pass

    def hear(self, client: Client, timeout: float) -> object:
        command = client.receive(timeout)
        method = command.method
        if isinstance(method, BasicAck):
            last = method.delivery_tag
            confirmed = [n for n in self.unconfirmed if n == last or (method.multiple and n < last)]
            for published in confirmed:
                number, queues = self.unconfirmed.pop(published)
                for queue in queues:
                    self.settle(queue, number, confirmed=True)
        elif isinstance(method, BasicDeliver):
            number = int(command.body.partition(b":")[0])
            if self.random.random() < 0.8:
                self.settle(method.consumer_tag, number, confirmed=False)
                client.send(CONSUMING, BasicAck(method.delivery_tag))
        return method

    def settle(self, queue: str, number: int, *, confirmed: bool) -> None:
        """A message was confirmed, or its ack is about to be sent: whichever comes second, it is in doubt."""
        expectation = self.queues[queue]
        if not confirmed:
            expectation.must.discard(number)
            expectation.may.add(number)
            self.acked.add((queue, number))
        elif (queue, number) not in self.acked:
            expectation.may.discard(number)
            expectation.must.add(number)

    def body(self, number: int) -> bytes:
        return b"%d:" % number + b"x" * self.random.choice(self.sizes)

    def check(self, client: Client) -> None:
        """Compare what the queues hold with what they must; then leave it there, or take it all."""
        client.channel(1)
        for queue in self.declared:
            client.call(1, QueueDeclare(queue=queue, passive=True), QueueDeclareOk)
        tag = 0
        for queue, expectation in self.queues.items():
            count = client.call(1, QueueDeclare(queue=queue, passive=True), QueueDeclareOk).message_count
            client.call(1, BasicConsume(queue=queue, consumer_tag=queue), BasicConsumeOk)
            found = []
            for _ in range(count):
                command = client.expect_command(1, BasicDeliver)
                assert isinstance(command.method, BasicDeliver)
                tag = command.method.delivery_tag
                found.append(int(command.body.partition(b":")[0]))
            client.call(1, BasicCancel(queue), BasicCancelOk)
            expectation.check(queue, found)
        if tag and self.random.random() < 0.5:
            client.send(1, BasicAck(tag, True))
            for expectation in self.queues.values():  # the ack may come too late for the disk
                expectation.may, expectation.must = expectation.must, set()
        client.close()
        self.acked.clear()


def set_up(client: Client) -> None:
    client.channel(1)
    client.call(1, ExchangeDeclare(exchange="both", type="fanout", durable=True), ExchangeDeclareOk)
    for queue in Work.QUEUES:
        client.call(1, QueueDeclare(queue=queue, durable=True), QueueDeclareOk)
    for queue in ("left", "right"):
        client.call(1, QueueBind(queue=queue, exchange="both"), QueueBindOk)
    client.close()


@pytest.mark.timeout(30 + 10 * ROUNDS)
def test_confirmed_messages_survive_kill_9_at_any_moment(tmp_path: Path) -> None:
    seed = int(os.environ.get("AMQPD_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"AMQPD_CRASH_SEED={seed}")  # shown when the test fails
    work = Work(seed)
    broker = BrokerProcess("-D", str(tmp_path))
    broker.start()
    try:
        set_up(Client(broker.url))
        for _ in range(ROUNDS):
            killer = threading.Timer(work.random.uniform(0.02, 0.5), broker.kill)
            client = Client(broker.url)
            killer.start()
            with pytest.raises(ConnectionError):
                work.run(client)
            killer.join()
            client.drop()
            broker.start()
            with Client(broker.url) as checker:
                work.check(checker)
        assert work.number > ROUNDS  # it did publish
    finally:
        broker.kill()
