"""How soon a broker greets clients."""

from __future__ import annotations

import statistics

from brokers import Broker
from loader.frames import LoadError

from .fresh import seconds_to_start


def start(broker: Broker, *, starts: int) -> dict[str, float]:
    """Seconds from making the process to its greeting, without stored data: the median, and the longest."""
    if not broker.ours:
        raise LoadError("this needs a broker that was started here")
    times = []
    for _ in range(starts):
        broker.stop()
        times.append(seconds_to_start(broker))
    return {"median": statistics.median(times), "longest": max(times)}
