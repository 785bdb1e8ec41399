"""A crowd of hostile clients: others are served meanwhile, and what the crowd takes of memory is bounded.

AMQPD_HOSTILE_CONNECTIONS and AMQPD_HOSTILE_SECONDS make it larger and longer; with -s it says what it measured.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from steps import confirm_select, consume, declare

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import BasicAck, BasicDeliver
from amqpd.wire.properties import Properties

CONNECTIONS = int(os.environ.get("AMQPD_HOSTILE_CONNECTIONS", "1000"))
SECONDS = float(os.environ.get("AMQPD_HOSTILE_SECONDS", "8"))

BASELINE = 1.0
"""Seconds of peace, to compare with."""

PAUSE = 0.01
"""Seconds between messages of the good client."""

MEMORY = (150 << 20) + CONNECTIONS * (40 << 10)
"""Bytes the crowd may take while it is there."""

LEFT = (50 << 20) + CONNECTIONS * (5 << 10)
"""Bytes that may be left of that afterwards, most of it free and not given back."""

pytestmark = [
    pytest.mark.ours("it starts a broker of its own, to measure its memory"),
    pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by way of /proc"),
]


class GoodClient:
    """Publishes with confirms, and consumes what it published, over two connections."""

    def __init__(self, url: str) -> None:
        self.publisher, self.consumer = Client(url, timeout=30), Client(url, timeout=30)
        for client in (self.publisher, self.consumer):
            client.channel(1)
        declare(self.publisher, "good", durable=True)
        confirm_select(self.publisher)
        consume(self.consumer, "good", no_ack=True)
        self.number = 0

    def round_trip(self) -> float:
        """Seconds until a message was both confirmed and delivered."""
        self.number += 1
        began = time.perf_counter()
        self.publisher.publish(1, "", "good", b"%d" % self.number, Properties(delivery_mode=2))
        assert self.publisher.expect(1, BasicAck).delivery_tag == self.number
        assert self.consumer.expect_command(1, BasicDeliver).body == b"%d" % self.number
        return time.perf_counter() - began

    def work(self, seconds: float) -> list[float]:
        """Go on for so long; returns how long each message took."""
        end = time.monotonic() + seconds
        taken = []
        while time.monotonic() < end:
            taken.append(self.round_trip())
            time.sleep(PAUSE)
        return taken

    def drop(self) -> None:
        self.publisher.drop()
        self.consumer.drop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    with BrokerProcess("-D", str(tmp_path)) as process:
        yield process


def crowd(url: str) -> subprocess.Popen[str]:
    parts = urlsplit(url)
    program = Path(__file__).parent / "hostiles.py"
    command = [sys.executable, str(program), str(parts.hostname), str(parts.port), str(CONNECTIONS), str(SECONDS + 60)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE)


def test_others_are_served_and_memory_is_bounded(broker: BrokerProcess) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    good = GoodClient(broker.url)
    good.work(0.3)
    before = statistics.median(good.work(BASELINE))
    memory_before = broker.resident_bytes()
    hostile = crowd(broker.url)
    taken: list[float] = []
    logins: list[float] = []
    memory: list[int] = []
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            taken += good.work(0.3)
            began = time.perf_counter()
            Client(broker.url, timeout=30).close()
            logins.append(time.perf_counter() - began)
            memory.append(broker.resident_bytes())
            assert hostile.poll() is None
    finally:
        hostile.kill()
        hostile.communicate()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    deadline = time.monotonic() + 15
    while broker.resident_bytes() - memory_before > LEFT and time.monotonic() < deadline:
        good.work(0.2)
    afterwards = good.work(BASELINE)
    left = broker.resident_bytes() - memory_before
    good.drop()
    median = statistics.median(taken)
    print(
        f"\n{CONNECTIONS} hostile connections; a good message before: {before * 1e3:.2f} ms,",
        f"among them: {median * 1e3:.2f} ms, longest {max(taken) * 1e3:.0f} ms,",
        f"after: {statistics.median(afterwards) * 1e3:.2f} ms;",
        f"a login: {statistics.median(logins) * 1e3:.0f} ms, longest {max(logins) * 1e3:.0f} ms;",
        f"memory: +{(max(memory) - memory_before) >> 20} MiB, left +{left >> 20} MiB",
    )
    assert median < max(0.2, 30 * before)
    assert max(taken) < 5
    assert statistics.median(logins) < 5, "and none took as long as its client is patient"
    assert statistics.median(afterwards) < max(0.2, 30 * before)
    assert max(memory) - memory_before < MEMORY
    assert left < LEFT
    assert not [line for line in broker.log if "internal error" in line or "Traceback" in line]
