"""A consumer: a subscription to one queue, how much it may hold unacked, and where its deliveries go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from .arguments import Arguments
from .entry import Entry

if TYPE_CHECKING:
    from .queue import Queue

OUTPUT_LIMIT: Final = 256 << 10
"""Bytes of deliveries that may wait for one peer before its consumers get no more."""


class Sink:
    """All a queue knows of the outside."""

    __slots__ = ()

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        """Send an entry to the peer. Called with the entry counted and, unless `no_ack`, owned by the consumer."""
        raise NotImplementedError

    def cancelled(self, consumer: Consumer) -> None:
        """The consumer is gone because its queue is. Called after it was removed from the queue."""
        raise NotImplementedError


class Outlet:
    """The way out to one peer, shared by all consumers on it; closed while too much waits to be sent there.

    `wake` is called when there is something to send, once until `woken` is reset.
    """

    __slots__ = ("_wake", "limit", "open", "pending", "woken")

    def __init__(self, wake: Callable[[], None] | None = None, limit: int = OUTPUT_LIMIT) -> None:
        self.open = True
        self.pending = 0  # bytes of deliveries written and not yet taken
        self.limit = limit
        self.woken = False
        self._wake = wake

    def sent(self, size: int) -> None:
        """A delivery of `size` bytes was written."""
        self.pending += size
        if self.pending > self.limit:
            self.open = False
        if not self.woken:
            self.wake()

    def wake(self) -> None:
        """Tell whoever drives the peer's connection, unless he knows already."""
        if not self.woken:
            self.woken = True
            if self._wake is not None:
                self._wake()

    def shut(self) -> None:
        """Wake nobody any more: the peer is gone."""
        self._wake = None


class Window:
    """A limit on unacked deliveries, shared by the consumers of a channel (basic.qos with global set)."""

    __slots__ = ("limit", "used")

    def __init__(self) -> None:
        self.limit = 0  # 0 = none
        self.used = 0

    @property
    def full(self) -> bool:
        """Whether no more may be delivered."""
        return self.limit != 0 and self.used >= self.limit


def by_priority(consumers: Iterable[Consumer]) -> list[Consumer]:
    """Those with the highest priority first, to let them go on in this order."""
    return sorted(consumers, key=attrgetter("priority"), reverse=True)


class Consumer:
    """A subscription. Its queue moves it in and out of the rotation; see `Queue`."""

    __slots__ = (
        "arguments",
        "exclusive",
        "no_ack",
        "outlet",
        "parked",
        "prefetch",
        "prefix",
        "priority",
        "queue",
        "sink",
        "tag",
        "unacked",
        "window",
    )

    def __init__(
        self,
        tag: str,
        queue: Queue,
        sink: Sink,
        outlet: Outlet,
        window: Window,
        *,
        no_ack: bool = False,
        exclusive: bool = False,
        prefetch: int = 0,
        prefix: bytes = b"",
        arguments: Arguments | None = None,
    ) -> None:
        self.tag = tag
        self.queue = queue
        self.sink = sink
        self.outlet = outlet
        self.window = window
        self.no_ack = no_ack  # deliveries count as acked when they are sent
        self.exclusive = exclusive  # the queue's only consumer
        self.prefetch = prefetch  # how many deliveries it may hold unacked; 0 = any number
        self.unacked = 0  # how many it holds
        self.parked = False  # out of the rotation until it may take deliveries again
        self.prefix = prefix  # for the sink: what all its deliveries start with
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.priority: int = self.arguments.get("x-priority", 0)  # nobody lower is served while it can take

    def can_take(self) -> bool:
        """Whether a delivery may be sent now: the peer reads, and neither limit is reached."""
        if not self.outlet.open:
            return False
        window = self.window
        if window.limit and window.used >= window.limit:
            return False  # in RabbitMQ, too, even if it settles nothing and counts for nothing there
        return self.no_ack or not self.prefetch or self.unacked < self.prefetch
