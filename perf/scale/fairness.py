"""How long one connection waits for its answers while others load the broker."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Mapping
from typing import Any

from brokers import Broker
from loader.frames import LoadError
from loader.run import Result, percentiles, run
from loader.workload import Workload

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicAck,
    BasicGet,
    BasicGetOk,
    ConfirmSelect,
    ConfirmSelectOk,
    QueueDeclare,
    QueueDeclareOk,
)

from .fresh import start_afresh

CHANNEL = 1
QUEUE = "round-trips"
BODY = bytes(16)

PAUSE = 0.001
"""Seconds between round trips: they are to sample the load, not to be one."""


def fairness(broker: Broker, *, workload: Mapping[str, Any], seconds: float = 0.0) -> dict[str, Any]:
    """Round trips during a load: for so many seconds, or as long as it lasts.

    `confirm` is from a publish to its confirm, `get` a basic.get, in milliseconds; `rate` is that of the load.
    """
    start_afresh(broker)
    load = _Load(broker, Workload.from_table(workload))
    with Client(broker.url, timeout=60.0) as client:
        client.channel(CHANNEL)
        client.call(CHANNEL, ConfirmSelect(), ConfirmSelectOk)
        client.call(CHANNEL, QueueDeclare(queue=QUEUE), QueueDeclareOk)
        load.start()
        end = time.monotonic() + (seconds or 3600.0)
        confirm, get = _round_trips(client, lambda: load.is_alive() and time.monotonic() < end)
    result = load.result()
    broker.stop()
    phase = result.consumed or result.published
    assert phase is not None
    return {"confirm": percentiles(confirm), "get": percentiles(get), "trips": len(get), "rate": phase.rate}


def _round_trips(client: Client, going: Callable[[], bool]) -> tuple[array[int], array[int]]:
    """Nanoseconds of each."""
    confirm, get = array("q"), array("q")
    while going():
        begun = time.monotonic_ns()
        client.publish(CHANNEL, "", QUEUE, BODY)
        client.expect(CHANNEL, BasicAck)
        between = time.monotonic_ns()
        client.send(CHANNEL, BasicGet(queue=QUEUE, no_ack=True))
        client.expect_command(CHANNEL, BasicGetOk)
        confirm.append(between - begun)
        get.append(time.monotonic_ns() - between)
        time.sleep(PAUSE)
    return confirm, get


class _Load:
    """A run of the loader, whose processes a thread waits for."""

    def __init__(self, broker: Broker, workload: Workload) -> None:
        self._broker = broker
        self._workload = workload
        self._begun = threading.Event()
        self._result: Result | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Returns when the load has begun."""
        self._thread.start()
        self._begun.wait()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def result(self) -> Result:
        """What came of it. Raises what it raised."""
        self._thread.join()
        if self._result is None:
            raise self._error or LoadError("the load came to nothing")
        return self._result

    def _run(self) -> None:
        try:
            self._result = run(self._broker.url, self._workload, self._broker.pids, on_start=self._begun.set)
        except Exception as error:
            self._error = error
        finally:
            self._begun.set()
