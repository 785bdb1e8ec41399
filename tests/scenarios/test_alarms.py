"""The memory and the disk alarm: publishers are blocked, nobody else is, and nothing is lost.

Memory and disk are filled for real, within limits set low; so the broker is one of our own. RabbitMQ 3.10 was asked by
hand, with rabbitmqctl set_vm_memory_high_watermark and set_disk_free_limit: reasons, moments and silences are its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from steps import confirm_select, consume, declare, delivered, own_queue

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicAck,
    BasicQos,
    BasicQosOk,
    ConnectionBlocked,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionUnblocked,
)
from amqpd.wire.properties import Properties

PERSISTENT = Properties(delivery_mode=2)
BODY = bytes(50_000)
PATIENCE = 30.0
WINDOW = 20

pytestmark = [
    pytest.mark.ours("it starts brokers of its own, with limits that are soon reached"),
    pytest.mark.skipif(sys.platform != "linux", reason="resident memory and small file systems are Linux's"),
]


class LimitedBroker(BrokerProcess):
    """A broker with settings of its own, and its clients, which go with it."""

    def __init__(self, *options: str, **settings: object) -> None:
        super().__init__(*options, environment={f"AMQPD_{key.upper()}": str(value) for key, value in settings.items()})
        self._clients: list[Client] = []

    def connect(self) -> Client:
        """A connection with channel 1 open."""
        client = Client(self.url, timeout=PATIENCE)
        self._clients.append(client)
        client.channel(1)
        return client

    def drop_clients(self) -> None:
        while self._clients:
            self._clients.pop().drop()

    def __exit__(self, *error: object) -> None:
        self.drop_clients()
        super().__exit__(*error)


class Publisher:
    """Publishes with confirms until it is blocked."""

    def __init__(self, broker: LimitedBroker, queue: str, properties: Properties | None = None) -> None:
        self.client = broker.connect()
        confirm_select(self.client)
        self.queue = queue
        self.properties = properties
        self.sent = self.confirmed = 0
        self.reason = ""  # blocked for

    def fill(self) -> None:
        """Publish until the broker has had enough."""
        while not self.reason:
            if self.sent < self.confirmed + WINDOW:
                self.publish()
            else:
                self.hear()

    def publish(self) -> None:
        self.sent += 1
        body = b"%d " % self.sent + BODY
        self.client.publish(1, "", self.queue, body, self.properties)

    def hear(self) -> None:
        """Wait for the broker to say something, and heed it."""
        match self.client.receive().method:
            case BasicAck(tag, _):
                self.confirmed = tag
            case ConnectionBlocked(reason):
                self.reason = reason
            case ConnectionUnblocked():
                self.reason = ""
            case other:
                raise AssertionError(other)


def drain(broker: LimitedBroker, queue: str, count: int) -> list[int]:
    """Consume and ack so many messages; returns their numbers."""
    client = broker.connect()
    client.call(1, BasicQos(prefetch_count=50), BasicQosOk)
    consume(client, queue)
    numbers = []
    for _ in range(count):
        delivery = delivered(client)
        numbers.append(int(delivery.body.split()[0]))
        client.send(1, BasicAck(delivery.method.delivery_tag))  # type: ignore[union-attr]
    client.close()
    return numbers


def until_logged(broker: LimitedBroker, text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(text in line for line in broker.log):
        assert time.monotonic() < deadline, broker.log
        time.sleep(0.02)


def block_and_heal(broker: LimitedBroker, properties: Properties | None, reason: str) -> int:
    """Fill the broker until it blocks, see others served, drain, be unblocked. Returns how many it took."""
    with broker.connect() as client:
        declare(client, "q", durable=True)
    publisher = Publisher(broker, "q", properties)
    bystander = broker.connect()
    publisher.fill()
    assert publisher.reason == reason
    own = own_queue(bystander)
    consume(bystander, own, no_ack=True)
    late = Publisher(broker, own)
    late.publish()
    late.hear()
    assert late.reason == reason, "at its first publish"
    assert bystander.silence(), "which is held"
    taken = drain(broker, "q", publisher.confirmed)
    while publisher.confirmed < publisher.sent or publisher.reason:
        publisher.hear()
    taken += drain(broker, "q", publisher.sent - len(taken))
    assert taken == list(range(1, publisher.sent + 1))
    while late.reason or not late.confirmed:
        late.hear()
    assert delivered(bystander).body.startswith(b"1 "), "and not lost"
    publisher.publish()
    while publisher.confirmed < publisher.sent:
        publisher.hear()
    return publisher.sent


# --- memory


@pytest.mark.parametrize("options", [("--memory",), ()], ids=["without a store", "where paging is not allowed to help"])
def test_memory_that_fills_blocks_publishers_until_consumers_have_made_room(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    settings = {"vm_memory_high_watermark_absolute": "120MiB", "queue_memory": "1GB"}
    with LimitedBroker("-D", str(tmp_path), *options, **settings) as broker:
        sent = block_and_heal(broker, None, "low on memory")
        assert sent * len(BODY) > 30 << 20
        until_logged(broker, "memory resource limit alarm cleared on node")
        assert any("vm_memory_high_watermark set. Memory used:" in line for line in broker.log)
        assert broker.resident_bytes() < 300 << 20


def test_unsettled_deliveries_count(tmp_path: Path) -> None:
    with LimitedBroker("-D", str(tmp_path), vm_memory_high_watermark_absolute="120MiB") as broker:
        hoarder = broker.connect()
        queue = own_queue(hoarder)
        consume(hoarder, queue)
        publisher = Publisher(broker, queue)
        publisher.client.timeout = 0.5
        with contextlib.suppress(TimeoutError):
            while not publisher.reason:
                publisher.publish()
                publisher.hear()
                while delivered(hoarder).body.split()[0] != b"%d" % publisher.sent:
                    pass
        assert publisher.reason == "low on memory"
        hoarder.send(1, BasicAck(0, multiple=True))
        publisher.client.timeout = PATIENCE
        while publisher.reason:
            publisher.hear()


def test_a_broker_that_is_stopped_while_publishers_are_blocked_takes_leave_of_them(tmp_path: Path) -> None:
    with LimitedBroker("-D", str(tmp_path), vm_memory_high_watermark_relative=0) as broker:
        publisher = Publisher(broker, "q")
        declare(publisher.client, "q")
        publisher.publish()
        while not publisher.reason:
            publisher.hear()
        publisher.client.write(publisher.client.session.encode_publish(1, "", "q", BODY) * 3)  # nobody reads that yet
        began = time.monotonic()
        assert broker.process is not None
        broker.process.terminate()
        command = publisher.client.receive()
        while not isinstance(command.method, ConnectionClose):
            command = publisher.client.receive()
        publisher.client.send(0, ConnectionCloseOk())
        publisher.client.expect_closed()
        assert broker.stop() == 0
        assert time.monotonic() - began < 2.5, "it did not have to give up on anybody"


# --- disk


def test_too_little_free_space_blocks_publishers_whatever_they_publish(tmp_path: Path) -> None:
    with LimitedBroker("-D", str(tmp_path), disk_free_limit_absolute=1 << 60) as broker:
        until_logged(broker, "Free disk space is insufficient. Free bytes: ")
        publisher = Publisher(broker, own_queue(broker.connect()))
        publisher.publish()
        while not publisher.reason:
            publisher.hear()
        assert publisher.reason == "low on disk"


def test_without_a_store_there_is_no_disk_to_be_low_on(tmp_path: Path) -> None:
    with LimitedBroker("--memory", disk_free_limit_absolute=1 << 60) as broker:
        publisher = Publisher(broker, own_queue(broker.connect()))
        publisher.publish()
        publisher.hear()
        assert publisher.reason == ""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this root may not mount a file system")
    yield folder
    subprocess.run([unmount, str(folder)], check=True)


def test_a_disk_that_fills_blocks_publishers_in_time(small_disk: Path) -> None:
    with LimitedBroker("-D", str(small_disk), disk_free_limit_absolute="20MB") as broker:
        sent = block_and_heal(broker, PERSISTENT, "low on disk")
        assert sent * len(BODY) > 10 << 20
        assert not [line for line in broker.log if "cannot write" in line]


def test_a_map_that_fills_blocks_publishers_in_time(tmp_path: Path) -> None:
    with LimitedBroker("-D", str(tmp_path), store_map_size="40MiB") as broker:
        sent = block_and_heal(broker, PERSISTENT, "low on disk")
        assert sent * len(BODY) > 10 << 20
        assert not [line for line in broker.log if "cannot write" in line]


def test_a_disk_that_is_full_to_the_last_byte_loses_nothing_and_heals(small_disk: Path) -> None:
    with LimitedBroker("-D", str(small_disk), disk_free_limit_absolute=0, store_lag_limit="1MB") as broker:
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(20 << 20))
        with broker.connect() as client:
            declare(client, "q", durable=True)
        publisher = Publisher(broker, "q", PERSISTENT)
        publisher.client.timeout = 2.0
        with contextlib.suppress(TimeoutError):  # it may be waiting for the disk, and not be read any more
            publisher.fill()
        until_logged(broker, "cannot write to disk, publishers are blocked")
        confirmed = publisher.confirmed
        ballast.unlink()
        until_logged(broker, "disk writes go on")
        publisher.client.timeout = PATIENCE
        while publisher.confirmed < publisher.sent or publisher.reason:
            publisher.hear()
        assert publisher.sent > confirmed
        assert drain(broker, "q", publisher.sent) == list(range(1, publisher.sent + 1))
        assert not any("the store failed" in line for line in broker.log)


def test_what_was_confirmed_before_a_disk_was_full_is_there_after_kill_9(small_disk: Path) -> None:
    broker = LimitedBroker("-D", str(small_disk), disk_free_limit_absolute=0).start()
    with broker.connect() as client:
        declare(client, "q", durable=True)
    publisher = Publisher(broker, "q", PERSISTENT)
    publisher.client.timeout = 2.0
    with contextlib.suppress(TimeoutError):
        publisher.fill()
        while True:
            publisher.hear()
    broker.kill()
    broker.drop_clients()
    with broker:
        taken = drain(broker, "q", publisher.confirmed)
        assert taken == list(range(1, publisher.confirmed + 1))
