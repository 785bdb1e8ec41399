"""What all kinds need: a broker with nothing in it, descriptors, and the memory of processes over a time."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from brokers import Broker
from loader.cpu import memory_bytes
from loader.frames import LoadError

from amqpd.testing.client import Client
from amqpd.wire.methods import ConnectionStart
from amqpd.wire.spec import PROTOCOL_HEADER

KB, MB = 1e3, 1e6
SPARE_DESCRIPTORS = 500


def start_afresh(broker: Broker) -> None:
    """Start the broker with no data. Raises LoadError for one that is not ours to stop."""
    if not broker.ours:
        raise LoadError("this needs a broker that was started here")
    broker.stop()
    broker.start()


def seconds_to_start(broker: Broker) -> float:
    """Start a broker that does not run; returns the seconds until it greets a client."""
    begun = time.monotonic()
    broker.start()
    with Client(broker.url, handshake=False) as client:
        client.write(PROTOCOL_HEADER)
        client.expect(0, ConnectionStart)
        return time.monotonic() - begun


def allow_descriptors(count: int) -> None:
    """Let this process, and brokers started from now on, have so many sockets. Raises LoadError when they may not."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < count + SPARE_DESCRIPTORS:
        raise LoadError(f"{count} connections take as many file descriptors, and the limit (ulimit -Hn) is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class PeakMemory:
    """As a context: watches how much memory processes occupy, pages of files apart."""

    INTERVAL = 0.05

    def __init__(self, pids: Sequence[int]) -> None:
        self.bytes = 0
        self._pids = pids
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            try:
                self.bytes = max(self.bytes, memory_bytes(self._pids))
            except OSError:
                return  # the broker is gone, and whoever talks to it will say so
            if self._done.wait(self.INTERVAL):
                return
