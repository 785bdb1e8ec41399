"""Deliveries that are never settled: how long a channel may keep one before it is told that this is too long.

As in RabbitMQ up to 4.2, what counts is the oldest delivery a channel has not settled. Nothing is noted when a message
is delivered. Instead all channels are looked at now and then, and what is remembered is which delivery tag was to come
next at that time: tags below it are at least so old. So a channel hears of it late, by a tenth of the timeout, or by
RabbitMQ's minute if that is less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ..clock import Clock, Timer
from .entry import Entry
from .queue import Queue

if TYPE_CHECKING:
    from .stream import AnyQueue

ARGUMENT: Final = "x-consumer-timeout"
"""A queue's own timeout, in milliseconds."""

DEFAULT_TIMEOUT: Final = 1_800_000
"""Milliseconds."""

LONGEST_INTERVAL: Final = 60.0
SHORTEST_INTERVAL: Final = 0.1


class Holder(Protocol):
    """Whoever has deliveries to settle: a channel."""

    @property
    def next_tag(self) -> int:
        """The delivery tag that comes next."""
        ...

    def oldest_unacked(self) -> Entry | None:
        """What was delivered first of all that is not settled."""
        ...

    def timed_out(self, entry: Entry, timeout: int) -> None:
        """Called when the oldest delivery was not settled within `timeout` milliseconds, until it is gone."""
        ...


class ConsumerTimeouts:
    """Watches holders. `timeout` is in milliseconds and for queues without their own; 0 = none."""

    def __init__(self, clock: Clock, timeout: int, *, quorum_only: bool = False) -> None:
        self._clock = clock
        self._timeout = timeout
        self._quorum_only = quorum_only
        self._holders: dict[Holder, list[tuple[float, int]]] = {}  # with (when, tag that was to come next)
        self._own: dict[AnyQueue, int] = {}  # queues with a timeout of their own
        self._shortest = 0  # of all timeouts there are
        self._timer: Timer | None = None  # of the next look

    def watch(self, holder: Holder) -> None:
        """Look at it from now on."""
        self._holders[holder] = []
        if self._timer is None:
            self._look_later()

    def unwatch(self, holder: Holder) -> None:
        """It is closed."""
        self._holders.pop(holder, None)

    def heed(self, queue: AnyQueue) -> None:
        """A queue was declared, or its policies have changed: it may have a timeout of its own."""
        timeout = _own_timeout(queue)
        if timeout:
            self._own[queue] = timeout
            if self._timer is None or timeout < self._shortest:
                self._look_later()
        elif self._own:
            self._own.pop(queue, None)

    def timeout_of(self, queue: Queue) -> int:
        """Milliseconds a delivery from the queue may be out; 0 = any time."""
        if self._quorum_only and queue.arguments.get("x-queue-type") != "quorum":
            return 0
        timeout = _own_timeout(queue)
        return self._timeout if timeout is None else timeout

    def _look_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        timeouts = [timeout for timeout in (self._timeout, *self._own.values()) if timeout]
        if timeouts and self._holders:
            self._shortest = min(timeouts)
            interval = self._shortest / 10_000
            self._timer = self._clock.call_later(min(max(interval, SHORTEST_INTERVAL), LONGEST_INTERVAL), self._look)

    def _look(self) -> None:
        now = self._clock.now()
        for holder, looks in list(self._holders.items()):
            entry = holder.oldest_unacked() if holder in self._holders else None
            if entry is None or entry.queue is None:
                looks.clear()
                continue
            while looks and looks[0][1] <= entry.tag:
                del looks[0]
            timeout = self.timeout_of(entry.queue)
            if timeout and looks and round((now - looks[0][0]) * 1000) >= timeout:
                holder.timed_out(entry, timeout)
            elif not looks or looks[-1][1] != holder.next_tag:
                looks.append((now, holder.next_tag))
        for queue in [queue for queue in self._own if queue.deleted]:
            del self._own[queue]
        self._look_later()


def _own_timeout(queue: AnyQueue) -> int | None:
    """What the queue's argument, or a policy, says; RabbitMQ takes any value there, and makes sense of numbers only."""
    timeout = queue.effective.get(ARGUMENT)
    if not isinstance(timeout, int) or isinstance(timeout, bool) or timeout < 0:
        return None
    return int(timeout)
