"""The memory and the disk alarm: how much is used or free, against how much may be.

Paging keeps messages from filling memory, and batches keep the disk busy; this is what protects where they cannot:
transient messages without a pager, deliveries nobody settles, too many connections, a disk others fill. Alarms block
publishers and nobody else, so that consumers can make room again.

Both are looked at now and then, and the more often the nearer they are to their limit, so that what comes in between
two looks fits in between. How much there is comes from probes, and time from the clock: nothing here asks the system.
What is logged are RabbitMQ's words, since people search logs for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .broker.alarms import LOW_ON_DISK, LOW_ON_MEMORY, Alarms
from .clock import Clock, Timer
from .errors import OperatorError

MEMORY_INTERVAL: Final = 2.5
"""Seconds between looks at the memory, at most; RabbitMQ's memory_monitor_interval."""

DISK_INTERVAL: Final = 10.0
"""Seconds between looks at the disk, at most."""

LEAST_INTERVAL: Final = 0.1
"""Seconds between looks when a limit is near."""

ALARM_INTERVAL: Final = 1.0
"""Seconds between looks when it is passed, at most: publishers are to go on soon, but alarms are not to flicker."""

SHARE_UNSEEN: Final = 8
"""What part of the room on a disk may be written before it is looked at again."""

FASTEST: Final = 500e6
"""Bytes a second by which memory or the disk might fill."""

SOURCE: Final = "watermark"
"""By which the alarms raised here are told from those of a write that failed."""

Threshold = int | float
"""A number of bytes, or (float) a share of the memory there is."""


class Watermarks:
    """Raises and clears the two alarms. `free` is None where there is no disk to watch."""

    def __init__(
        self,
        alarms: Alarms,
        clock: Clock,
        log: Any,
        *,
        node: str,
        total: int,
        used: Callable[[], int],
        free: Callable[[], int] | None,
        memory: Threshold,
        disk: Threshold,
        relieve: Callable[[], None] = lambda: None,
        memory_interval: float = MEMORY_INTERVAL,
        tell_room: Callable[[int], None] = lambda room: None,
    ) -> None:
        self.memory_used = 0  # bytes, as seen last
        self.memory_total = total
        self.memory_limit = _in_bytes(memory, total)
        self.disk_free: int | None = None  # bytes, as seen last; None: unknown
        self.disk_limit = _in_bytes(disk, total)
        self._alarms = alarms
        self._clock = clock
        self._log = log
        self._node = node
        self._used = used
        self._free = free
        self._relieve = relieve  # called when there is too much, to have freed memory given back
        self._memory_interval = memory_interval
        self._tell_room = tell_room  # called with the bytes the disk takes until its limit, after each look
        self._unseen = 0  # bytes written since the last look at the disk
        self._low_on_memory = self._low_on_disk = False
        self._blind = False  # the disk could not be looked at, and that was logged
        self._memory_timer: Timer | None = None
        self._disk_timer: Timer | None = None

    def start(self) -> None:
        """Look now, and from now on."""
        self._log_memory_limit()
        self.check_memory()
        if self._free is not None:
            self._log_disk_limit()
            self.check_disk()

    def stop(self) -> None:
        """Look no more. Alarms stay as they are."""
        for timer in (self._memory_timer, self._disk_timer):
            if timer is not None:
                timer.cancel()

    def set_vm_memory_high_watermark(self, threshold: Threshold) -> None:
        """Change the limit until the broker stops, and look at once. Raises OperatorError for what cannot be."""
        if isinstance(threshold, float) and not 0.0 <= threshold <= 1.0:
            raise OperatorError("The threshold should be a fraction between 0.0 and 1.0")
        self.memory_limit = _in_bytes(_not_negative(threshold), self.memory_total)
        self._log_memory_limit()
        self.check_memory()

    def set_disk_free_limit(self, threshold: Threshold) -> None:
        """Change the limit until the broker stops, and look at once. Raises OperatorError for what cannot be."""
        self.disk_limit = _in_bytes(_not_negative(threshold), self.memory_total)
        if self._free is not None:
            self._log_disk_limit()
            self.check_disk()

    def check_memory(self) -> None:
        """Look at the memory, and see to it that it is looked at again."""
        used = self._used()
        if used > self.memory_limit:
            self._relieve()
            used = self._used()
        self.memory_used = used
        low = used > self.memory_limit
        if low is not self._low_on_memory:
            self._low_on_memory = low
            state = "set" if low else "clear"
            self._log.info(f"vm_memory_high_watermark {state}. Memory used:{used} allowed:{self.memory_limit}")
            self._turn(low, LOW_ON_MEMORY)
        if self._memory_timer is not None:
            self._memory_timer.cancel()
        wait = _interval(self.memory_limit - used, self._memory_interval, low)
        self._memory_timer = self._clock.call_later(wait, self.check_memory)

    def check_disk(self) -> None:
        """Look at the disk, and see to it that it is looked at again. Where it cannot be, an alarm stays as it is."""
        assert self._free is not None
        wait = DISK_INTERVAL
        try:
            free = self._free()
        except OSError as error:
            self.disk_free = None
            if not self._blind:
                self._blind = True
                self._log.warning("cannot find out how much disk space is free", error=str(error))
        else:
            self._blind = False
            self.disk_free = free
            self._unseen = 0
            self._tell_room(max(0, free - self.disk_limit))
            low = free < self.disk_limit
            wait = _interval(free - self.disk_limit, DISK_INTERVAL, low)
            if low is not self._low_on_disk:
                self._low_on_disk = low
                state = "insufficient" if low else "sufficient"
                self._log.info(f"Free disk space is {state}. Free bytes: {free}. Limit: {self.disk_limit}")
                self._turn(low, LOW_ON_DISK)
        if self._disk_timer is not None:
            self._disk_timer.cancel()
        self._disk_timer = self._clock.call_later(wait, self.check_disk)

    def written(self, size: int) -> None:
        """So many bytes of messages went to the disk: look at it when they were many for the room there was."""
        self._unseen += size
        if self.disk_free is not None and self._unseen > max(0, self.disk_free - self.disk_limit) // SHARE_UNSEEN:
            self.check_disk()

    def _turn(self, on: bool, reason: str) -> None:
        name = reason.removeprefix("low on ")
        if on and self._alarms.raise_(reason, SOURCE):
            self._log.warning(
                f"{name} resource limit alarm set on node {self._node}."
                " Publishers will be blocked until this alarm clears"
            )
        elif not on and self._alarms.clear(reason, SOURCE):
            self._log.warning(f"{name} resource limit alarm cleared on node {self._node}")

    def _log_memory_limit(self) -> None:
        limit, total = self.memory_limit, self.memory_total
        self._log.info(
            f"Memory high watermark set to {limit >> 20} MiB ({limit} bytes) of {total >> 20} MiB ({total} bytes) total"
        )

    def _log_disk_limit(self) -> None:
        self._log.info(f"Disk free limit set to {self.disk_limit // 1_000_000}MB")


def _in_bytes(threshold: Threshold, total: int) -> int:
    return int(threshold * total) if isinstance(threshold, float) else threshold


def _not_negative(threshold: Threshold) -> Threshold:
    if not threshold >= 0 or threshold == float("inf"):
        raise OperatorError(f"a limit cannot be {threshold}")
    return threshold


def _interval(room: int, most: float, alarmed: bool) -> float:
    """Seconds until the next look, with so many bytes to go."""
    return min(most, ALARM_INTERVAL if alarmed else max(LEAST_INTERVAL, room / FASTEST))
