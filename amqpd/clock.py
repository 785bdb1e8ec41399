"""Time, as one injected object: nothing else in the broker asks the operating system what time it is.

A clock is a heap of timers and a source of `now`. It sleeps for nobody: whoever owns it asks for the next `deadline`
and calls `run_due` when that has passed. The daemon does so with its event loop; a test moves a `VirtualClock` by hand.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable


class Timer:
    """A callback due at a moment; `cancel` forgets it."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Never call back. Cancelling twice, or after the call, does nothing."""
        self.callback = None


class Clock:
    """Monotonic seconds, wall-clock seconds, and timers."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._sweep_at = 64  # timers in the heap, at which those cancelled are looked for
        self.on_earlier: Callable[[], None] = lambda: None  # called when `deadline` has come nearer

    def now(self) -> float:
        """Seconds on a clock that never steps back; its zero means nothing."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` once `now()` has reached `when`; timers due together run in the order they were set."""
        timer = Timer(when, callback)
        nearest = self.deadline()
        if len(self._heap) >= self._sweep_at:
            self._heap = [item for item in self._heap if item[2].callback is not None]
            heapq.heapify(self._heap)
            self._sweep_at = max(64, 2 * len(self._heap))
        heapq.heappush(self._heap, (when, next(self._order), timer))
        if nearest is None or when < nearest:
            self.on_earlier()
        return timer

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        """`call_at` the moment `delay` seconds from now."""
        return self.call_at(self.now() + delay, callback)

    def deadline(self) -> float | None:
        """The moment of the nearest timer; None without timers."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_due(self) -> None:
        """Run the timers whose moment has come, in order."""
        while (nearest := self.deadline()) is not None and nearest <= self.now():
            timer = heapq.heappop(self._heap)[2]
            callback = timer.callback
            timer.callback = None
            if callback is not None:
                callback()


class VirtualClock(Clock):
    """A clock that stands still until `advance` moves it, running timers on the way at their own moments."""

    def __init__(self, start: float = 1_000_000_000.0) -> None:
        super().__init__()
        self._now = start

    def now(self) -> float:
        return self._now

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds`, which must not be negative."""
        if seconds < 0:
            raise ValueError("time cannot go back")
        target = self._now + seconds
        while (nearest := self.deadline()) is not None and nearest <= target:
            self._now = max(self._now, nearest)
            self.run_due()
        self._now = target
