"""The memory of a broker that has nothing to do."""

from __future__ import annotations

import time

from brokers import Broker
from loader.cpu import memory_bytes, resident_bytes

from .fresh import MB, start_afresh


def idle(broker: Broker, *, seconds: float) -> dict[str, float]:
    """Megabytes, some seconds after the start: `resident` with the pages of files, `anonymous` without."""
    start_afresh(broker)
    time.sleep(seconds)
    return {"resident": resident_bytes(broker.pids) / MB, "anonymous": memory_bytes(broker.pids) / MB}
