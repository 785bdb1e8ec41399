"""A consumer: a subscription to one queue, how much it may hold unacked, and where its deliveries go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .arguments import Arguments

if TYPE_CHECKING:
    from .queue import Entry, Queue


class Sink(Protocol):
    """All a queue knows of the outside."""

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        """Send an entry to the peer. Called with the entry counted and, unless `no_ack`, owned by the consumer."""
        ...

    def cancelled(self, consumer: Consumer) -> None:
        """The consumer is gone because its queue is. Called after it was removed from the queue."""
        ...


class Outlet:
    """The way out to one peer, shared by all consumers on it; closed while too much waits to be sent there."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open = True


class Window:
    """A limit on unacked deliveries, shared by the consumers of a channel (basic.qos with global set)."""

    __slots__ = ("limit", "used")

    def __init__(self) -> None:
        self.limit = 0  # 0 = none
        self.used = 0

    @property
    def full(self) -> bool:
        return self.limit != 0 and self.used >= self.limit


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

    def can_take(self) -> bool:
        """Whether a delivery may be sent now: the peer reads, and neither limit is reached."""
        if not self.outlet.open:
            return False
        if self.no_ack:
            return True
        return (self.prefetch == 0 or self.unacked < self.prefetch) and not self.window.full
