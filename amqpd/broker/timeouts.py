"""Deliveries that are never settled: how long a channel may keep one before it is told that this is too long.

As in RabbitMQ up to 4.2, what counts is the oldest delivery a channel has not settled. Nothing is noted when a message
is delivered. Instead all channels are looked at now and then, and what is remembered is which delivery tag was to come
next at that time: tags below it are at least so old. So a channel hears of it late, by a tenth of the timeout, or by
RabbitMQ's minute if that is less.

From 4.3 on it is the oldest delivery of each consumer that counts, of quorum queues only, and a consumer may come with
a timeout of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ..clock import Clock, Timer
from .consumer import Consumer
from .entry import Entry
from .queue import Queue

if TYPE_CHECKING:
    from .stream import AnyQueue

ARGUMENT: Final = "x-consumer-timeout"
"""A queue's own timeout, or a consumer's, in milliseconds."""

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

    def oldest_unacked_of_each(self) -> list[Entry]:
        """The same of each consumer, in order of delivery."""
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
        self._own: dict[AnyQueue | Consumer, int] = {}  # who has a timeout of its own
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
        self._heed(queue, _own_timeout(queue))

    def heed_consumer(self, consumer: Consumer) -> None:
        """A consumer subscribed: it may have a timeout of its own."""
        if self._quorum_only and ARGUMENT in consumer.arguments:
            self._heed(consumer, _own_timeout(consumer))

    def timeout_of(self, queue: Queue, consumer: Consumer | None = None) -> int:
        """Milliseconds a delivery from the queue, to the consumer if any, may be out; 0 = any time."""
        if self._quorum_only:
            if queue.arguments.get("x-queue-type") != "quorum":
                return 0
            timeout = _own_timeout(consumer) if consumer is not None else None
            if timeout is not None:
                return timeout
        timeout = _own_timeout(queue)
        return self._timeout if timeout is None else timeout

    def _heed(self, owner: AnyQueue | Consumer, timeout: int | None) -> None:
        if timeout:
            self._own[owner] = timeout
            if self._timer is None or timeout < self._shortest:
                self._look_later()
        elif self._own:
            self._own.pop(owner, None)

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
            if holder in self._holders:
                self._look_at(holder, looks, now)
        for owner in [owner for owner in self._own if _is_gone(owner)]:
            del self._own[owner]
        self._look_later()

    def _look_at(self, holder: Holder, looks: list[tuple[float, int]], now: float) -> None:
        if self._quorum_only:
            entries = holder.oldest_unacked_of_each()
        else:
            oldest = holder.oldest_unacked()
            entries = [] if oldest is None else [oldest]
        if not entries:
            looks.clear()
            return
        while looks and looks[0][1] <= entries[0].tag:
            del looks[0]
        next_tag = holder.next_tag
        for entry in entries:
            consumer: Consumer | None = entry.consumer
            queue: Queue | None = entry.queue
            if queue is None or holder not in self._holders:
                continue
            timeout = self.timeout_of(queue, consumer)
            since = next((when for when, tag in looks if tag > entry.tag), now)
            if timeout and since < now and round((now - since) * 1000) >= timeout:
                holder.timed_out(entry, timeout)
        if not looks or looks[-1][1] != next_tag:
            looks.append((now, next_tag))


def _is_gone(owner: AnyQueue | Consumer) -> bool:
    if isinstance(owner, Consumer):
        return not owner.unacked and owner not in owner.queue.consumers
    return owner.deleted


def _own_timeout(owner: AnyQueue | Consumer) -> int | None:
    """What the argument, or a policy, says; before 4.3 RabbitMQ takes any value, and makes sense of numbers only."""
    timeout = (owner.arguments if isinstance(owner, Consumer) else owner.effective).get(ARGUMENT)
    if not isinstance(timeout, int) or isinstance(timeout, bool) or timeout < 0:
        return None
    return int(timeout)
