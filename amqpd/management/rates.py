"""How fast counters grow: what they were a while ago, taken outside the hot path.

A round goes over all channels, queues and exchanges every few seconds, in small steps; where there are many, only while
somebody looks.
A rate is the growth since the round before the last, so over one interval at least, up to the moment of asking.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

from ..broker.broker import Broker
from ..broker.stream import AnyQueue, Stream
from ..broker.traffic import COUNTED, Traffic
from ..broker.vhost import VHost

INTERVAL: Final = 5.0
"""Seconds between rounds, as in RabbitMQ."""

ATTENTION: Final = 60.0
"""Seconds for which rounds go on after somebody looked last."""

FEW: Final = 500
"""Queues, exchanges and connections to go over even while nobody looks, so that rates are there at the first look."""

STEP: Final = 200
"""Objects to look at before others have their turn."""

HISTORY: Final = 120
"""Rounds of which the totals are kept, for charts."""

Counts = tuple[int, ...]
"""The counters of a Traffic, in the order of `COUNTED`."""

Sample = tuple[float, Counts, tuple[int, int]]
"""A moment on the broker's clock, the counters of all channels, and messages ready and unacked."""

NAMES: Final = {
    "published": "publish",
    "confirmed": "confirm",
    "returned": "return_unroutable",
    "dropped": "drop_unroutable",
    "delivered": "deliver",
    "delivered_no_ack": "deliver_no_ack",
    "got": "get",
    "got_no_ack": "get_no_ack",
    "got_empty": "get_empty",
    "redelivered": "redeliver",
    "acked": "ack",
}
"""What RabbitMQ's message_stats call our counters."""

DEPTH: Final = ("messages", "messages_ready", "messages_unacknowledged")
"""What RabbitMQ calls the numbers of `depth_of`."""

EXCHANGE_NAMES: Final = {"published": "publish_in", "routed": "publish_out"}

_DELIVER_GET: Final = ("delivered", "delivered_no_ack", "got", "got_no_ack")


class Rates:
    """The rounds' results."""

    def __init__(self, broker: Broker, *, off: bool = False) -> None:
        self._broker = broker
        self._off = off  # nothing is told of messages that come and go
        self._rounds: deque[tuple[float, dict[object, Counts]]] = deque(maxlen=2)
        self.history: deque[Sample] = deque(maxlen=HISTORY)
        self._idle: dict[Traffic, tuple[Counts, float]] = {}  # counters as they were seen last, and since when
        self._task: asyncio.Task[None] | None = None
        self._looked_at = -ATTENTION

    def start(self) -> None:
        """Begin with the rounds; nothing happens when they go on already, or are not wanted."""
        if self._off or self._task is not None:
            return
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def forget(self) -> None:
        """Begin anew."""
        self._rounds.clear()
        self.history.clear()
        self._idle.clear()

    def look(self) -> None:
        """Somebody asks for rates: keep them up."""
        self._looked_at = self._broker.clock.now()

    @property
    def wanted(self) -> bool:
        """Whether rounds go on: while somebody looks, or they cost next to nothing."""
        if self._broker.clock.now() - self._looked_at <= ATTENTION:
            return True
        vhosts = self._broker.vhosts.values()
        things = sum([len(vhost.queues) + len(vhost.exchanges) for vhost in vhosts])
        return things + len(self._broker.connections.open) <= FEW

    def stats(self, traffic: Traffic, names: dict[str, str] = NAMES) -> dict[str, Any]:
        """The message_stats of an object: counters that ever counted, with their rates."""
        if self._off:
            return {}
        now = counts_of(traffic)
        return message_stats(now, *self._since(traffic, now), names)

    def vhost_stats(self, vhost: VHost) -> dict[str, Any]:
        """The message_stats of a vhost."""
        if self._off:
            return {}
        now = counts_in(self._broker, vhost)
        return message_stats(now, *self._since(vhost, now), NAMES)

    def totals(self) -> dict[str, Any]:
        """The message_stats of the whole broker."""
        if self._off:
            return {}
        now = totals_of(self._broker)
        return message_stats(now, *self._since(self._broker, now), NAMES)

    def rate(self, key: object, value: int) -> float:
        """How fast a number grows that is kept for `key`, such as the octets of a connection."""
        before, span = self._since(key, (value,))
        return round((value - before[0]) / span, 2) if span else 0.0

    def details(self, key: object, values: dict[str, int]) -> dict[str, Any]:
        """Numbers kept together for `key`, each with its rate."""
        before, span = self._since(key, tuple(values.values()))
        shown: dict[str, Any] = {}
        for (name, value), former in zip(values.items(), before, strict=True):
            _put(shown, name, value, former, span)
        return shown

    def depths(self, vhosts: Iterable[VHost], now: tuple[int, int, int]) -> dict[str, Any]:
        """How many messages there are in some vhosts together, with rates; `now` is what `depth_of` adds up to."""
        before, span = [0, 0, 0], 0.0
        for vhost in vhosts:  # one that was not there before had none
            found, seconds = self._since((vhost, "depth"), (0, 0, 0))
            before = [total + more for total, more in zip(before, found, strict=True)]
            span = max(span, seconds)
        shown: dict[str, Any] = {}
        for name, value, former in zip(DEPTH, now, before, strict=True):
            _put(shown, name, value, former, span)
        return shown

    def sample(self) -> Sample:
        """The totals at this moment."""
        ready = unacked = 0
        for vhost in self._broker.vhosts.values():
            for queue in list(vhost.queues.values()):
                ready += queue.message_count
                unacked += unacked_of(queue)
        return self._broker.clock.now(), totals_of(self._broker), (ready, unacked)

    def idle_since(self, traffic: Traffic) -> float | None:
        """A moment, in seconds since 1970, since which nothing was counted, as far as anybody looked; None if not."""
        counts = counts_of(traffic)
        now = self._broker.clock.time()
        seen = self._idle.get(traffic)
        if seen is not None and seen[0] == counts:
            return seen[1]
        self._idle[traffic] = (counts, now)
        return now if seen is None else None

    def _since(self, key: object, now: Counts) -> tuple[Counts, float]:
        """What the counters were, and how many seconds ago; 0 seconds when that is not known."""
        self.look()
        if self._rounds:
            moment, found = self._rounds[0]
            if key in found:
                return found[key], self._broker.clock.now() - moment
        return now, 0.0

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            self.history.append(self.sample())
            if self.wanted:
                await self._round()
            else:
                self._rounds.clear()

    async def _round(self) -> None:
        moment = self._broker.clock.now()
        found: dict[object, Counts] = {self._broker: totals_of(self._broker)}
        for number, (key, counts) in enumerate(_everything(self._broker)):
            found[key] = counts
            if number % STEP == STEP - 1:
                await asyncio.sleep(0)
        self._rounds.append((moment, found))
        self._idle = {traffic: seen for traffic, seen in self._idle.items() if traffic in found}


def counts_of(traffic: Traffic) -> Counts:
    return tuple([getattr(traffic, name) for name in COUNTED])


def depth_of(queue: AnyQueue) -> tuple[int, int, int]:
    """Messages: all, ready, unacked."""
    ready, unacked = queue.message_count, unacked_of(queue)
    return ready + unacked + getattr(queue, "held", 0), ready, unacked


def unacked_of(queue: AnyQueue) -> int:
    if isinstance(queue, Stream):
        return sum([consumer.unacked for consumer in queue.consumers])
    return queue.unacked


def totals_of(broker: Broker) -> Counts:
    """Of all channels there are and were."""
    totals = Traffic()
    totals.add(broker.traffic)
    for vhost in broker.vhosts.values():
        totals.add(vhost.traffic)
    for connection in broker.connections.open:
        for channel in connection.open_channels():
            totals.add(channel.traffic)
    return counts_of(totals)


def counts_in(broker: Broker, vhost: VHost) -> Counts:
    """Of all channels there are and were in a vhost."""
    totals = Traffic()
    totals.add(vhost.traffic)
    for connection in broker.connections.open:
        if connection.vhost_name == vhost.name:
            for channel in connection.open_channels():
                totals.add(channel.traffic)
    return counts_of(totals)


def message_stats(now: Counts, before: Counts, span: float, names: dict[str, str]) -> dict[str, Any]:
    """RabbitMQ's message_stats from our counters, now and `span` seconds ago."""
    current = dict(zip(COUNTED, now, strict=True))
    former = dict(zip(COUNTED, before, strict=True))
    stats: dict[str, Any] = {}
    for name, theirs in names.items():
        if current[name]:
            _put(stats, theirs, current[name], former[name], span)
    if names is NAMES and any(current[name] for name in _DELIVER_GET):
        total, earlier = (sum([counted[name] for name in _DELIVER_GET]) for counted in (current, former))
        _put(stats, "deliver_get", total, earlier, span)
    return stats


def message_counts(counts: Counts) -> dict[str, int]:
    """All of RabbitMQ's counters from ours, those at zero included."""
    counted = dict(zip(COUNTED, counts, strict=True))
    return {
        **{theirs: counted[name] for name, theirs in NAMES.items()},
        "deliver_get": sum([counted[name] for name in _DELIVER_GET]),
    }


def _put(stats: dict[str, Any], name: str, now: int, before: int, span: float) -> None:
    stats[name] = now
    stats[f"{name}_details"] = {"rate": round((now - before) / span, 2) if span else 0.0}


def _everything(broker: Broker) -> Iterator[tuple[object, Counts]]:
    """All that has counters, by what it is known by."""
    yield "churn", tuple(asdict(broker.churn).values())
    for vhost in list(broker.vhosts.values()):
        yield vhost, counts_in(broker, vhost)
        for exchange in list(vhost.exchanges.values()):
            yield exchange.traffic, counts_of(exchange.traffic)
        depth = (0, 0, 0)
        for queue in list(vhost.queues.values()):
            yield queue.traffic, counts_of(queue.traffic)
            of_queue = depth_of(queue)
            yield (queue, "depth"), of_queue
            depth = (depth[0] + of_queue[0], depth[1] + of_queue[1], depth[2] + of_queue[2])
        yield (vhost, "depth"), depth
    for connection in list(broker.connections.open):
        yield (connection, "received"), (connection.bytes_received,)
        yield (connection, "sent"), (connection.bytes_sent,)
        for channel in connection.open_channels():
            yield channel.traffic, counts_of(channel.traffic)
