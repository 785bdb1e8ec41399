"""The management API where there are many queues: how long its answers take, and what clients notice of them."""

from __future__ import annotations

import http.client
import threading
import time
from array import array
from typing import Any

from brokers import Broker
from loader.frames import LoadError
from loader.run import percentiles

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicGet, BasicGetOk, QueueDeclare, QueueDeclareOk

from .fresh import start_afresh

CHANNEL = 1
QUEUE = "round-trips"
LOGIN = {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="}

PATHS = {"page": "/api/queues?page=1", "overview": "/api/overview", "all": "/api/queues"}

PAUSE = 0.001
"""Seconds between round trips."""


def listing(broker: Broker, *, count: int, asks: int) -> dict[str, Any]:
    """Milliseconds of the first page of queues, of all of them, and of the overview, each the median of some.

    `undisturbed` and `meanwhile` are round trips of an AMQP client (publish and get) while nobody asks, and while
    somebody always does.
    """
    start_afresh(broker)
    if not broker.http_port:
        raise LoadError("the broker serves no HTTP")
    try:
        with Client(broker.url, timeout=60.0) as client:
            client.channel(CHANNEL)
            for number in range(count):
                client.send(CHANNEL, QueueDeclare(queue=f"load.{number:06}", durable=True, nowait=True))
            client.call(CHANNEL, QueueDeclare(queue=QUEUE), QueueDeclareOk)
            undisturbed = _round_trips(client, asks * 10)
            asking = _Asking(broker.http_port, asks)
            asking.start()
            meanwhile = _round_trips(client, asks * 10, asking)
        found = asking.result()
    finally:
        broker.stop()
    return {**found, "undisturbed": percentiles(undisturbed), "meanwhile": percentiles(meanwhile)}


def _round_trips(client: Client, count: int, asking: _Asking | None = None) -> array[int]:
    """Nanoseconds of each: so many, or for as long as somebody asks."""
    found = array("q")
    while asking.is_alive() if asking is not None else len(found) < count:
        begun = time.monotonic_ns()
        client.publish(CHANNEL, "", QUEUE, bytes(16))
        client.send(CHANNEL, BasicGet(queue=QUEUE, no_ack=True))
        client.expect_command(CHANNEL, BasicGetOk)
        found.append(time.monotonic_ns() - begun)
        time.sleep(PAUSE)
    return found


class _Asking(threading.Thread):
    """Asks one thing after the other, on one connection."""

    def __init__(self, port: int, asks: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._asks = asks
        self._took: dict[str, list[float]] = {name: [] for name in PATHS}
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
            for name, path in PATHS.items():
                for _ in range(self._asks if name != "all" else max(1, self._asks // 10)):
                    begun = time.monotonic()
                    connection.request("GET", path, headers=LOGIN)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status != 200:
                        raise LoadError(f"{path} was answered with {answer.status}")
                    self._took[name].append(time.monotonic() - begun)
            connection.close()
        except Exception as error:
            self._error = error

    def result(self) -> dict[str, float]:
        """Milliseconds. Raises what went wrong."""
        self.join()
        if self._error is not None:
            raise self._error
        return {name: sorted(took)[len(took) // 2] * 1000 for name, took in self._took.items()}
