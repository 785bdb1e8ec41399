"""A queue far larger than memory: filled, found again after a restart, and consumed in order."""

from __future__ import annotations

import statistics
from dataclasses import replace

from brokers import Broker
from loader.frames import LoadError
from loader.run import run
from loader.topology import Topology
from loader.workload import Workload

from .fresh import MB, PeakMemory, seconds_to_start, start_afresh

PREFETCH, ACK_EVERY = 1000, 100


def backlog(broker: Broker, *, messages: int, size: int, starts: int, limit: float) -> dict[str, float]:
    """Persistent messages in one durable queue.

    `filled` and `drained` are messages a second, `fill_memory` and `drain_memory` the megabytes the broker occupied at
    most, pages of files apart; `start` is the median of the seconds it took to start with all of them stored.
    """
    start_afresh(broker)
    stored = Workload(size=size, flags=("persistent",), queue="backlog", numbered=True, keep=True, limit=limit)
    with Topology(broker.url, stored) as topology:
        topology.declare()
    filling = replace(stored, pmessages=messages, consumers=0)
    with PeakMemory(broker.pids) as fill_memory:
        filled = run(broker.url, filling, broker.pids).published
    times = []
    for _ in range(starts):
        broker.halt()
        times.append(seconds_to_start(broker))
    draining = replace(stored, producers=0, qos=PREFETCH, multi_ack_every=ACK_EVERY)
    with PeakMemory(broker.pids) as drain_memory:
        drained = run(broker.url, draining, broker.pids).consumed
    assert filled is not None
    assert drained is not None
    if drained.messages != messages:
        raise LoadError(f"{messages} messages were published, {drained.messages} came back")
    broker.stop()
    return {
        "filled": filled.rate,
        "fill_memory": fill_memory.bytes / MB,
        "start": statistics.median(times),
        "drained": drained.rate,
        "drain_memory": drain_memory.bytes / MB,
    }
