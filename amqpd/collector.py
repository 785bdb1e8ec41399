"""Cyclic garbage collection, kept out of the way.

What comes and goes with messages forms no cycles, so reference counts free it at once. The collector would find nothing
there, and look at every message to find that out. So it does not run by itself; now and then, when the broker has
nothing else to do, it is called to look for what long-lived objects and libraries may have left behind.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from .clock import Clock

INTERVAL: Final = 10.0
"""Seconds between looks at whether the broker is idle."""

IDLE_SHARE: Final = 0.02
"""The share of one processor below which it is."""


@contextmanager
def no_collection() -> Iterator[None]:
    """While much is made that is here to stay, nobody looks whether it may be garbage."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class IdleCollector:
    """Collects once when the process has become idle."""

    def __init__(self, clock: Clock, cpu_time: Callable[[], float] = time.process_time) -> None:
        self._clock = clock
        self._cpu_time = cpu_time  # seconds the process has run
        self._busy = True  # since the last collection
        self._used = 0.0  # processor seconds when it was looked at last
        self.collections = 0

    def start(self) -> None:
        """Take the collector's work out of its hands; what is there already is here to stay."""
        gc.disable()
        gc.freeze()
        self._look_later()

    def _look_later(self) -> None:
        self._used = self._cpu_time()
        self._clock.call_later(INTERVAL, self._look)

    def _look(self) -> None:
        if self._cpu_time() - self._used > INTERVAL * IDLE_SHARE:
            self._busy = True
        elif self._busy:
            self._busy = False
            self.collections += 1
            gc.collect()
        self._look_later()
