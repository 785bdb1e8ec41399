"""A channel's consuming side: deliveries out, and what is settled of them.

It is the sink of the channel's consumers. What a channel does less often is in `consume`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..broker.consumer import Consumer, Outlet, Sink, Window, by_priority
from ..broker.entry import Entry
from ..broker.queue import Queue
from ..broker.route import Routes
from ..broker.traffic import Traffic
from ..wire.writer import Outbox
from .unacked import Unacked

if TYPE_CHECKING:
    from .channel import Channel
    from .transactions import Transaction


class Deliveries(Sink):
    """Delivery tags, what is out under them, and its way to the peer."""

    __slots__ = (
        "_number",
        "_outlet",
        "_routes",
        "channel",
        "next_tag",
        "outbox",
        "traffic",
        "transaction",
        "unacked",
        "window",
    )

    def __init__(
        self, channel: Channel, number: int, outbox: Outbox, outlet: Outlet, routes: Routes, traffic: Traffic
    ) -> None:
        self.outbox = outbox  # the connection's, or the last of the channel's own that are held back
        self.unacked = Unacked()
        self.next_tag = 1  # of the next delivery
        self.window = Window()  # over all consumers of the channel
        self.transaction: Transaction | None = None  # in tx mode
        self.traffic = traffic  # of the channel
        self.channel: Channel | None = channel
        self._number = number
        self._outlet = outlet
        self._routes = routes

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        """See `Sink.deliver`."""
        message = entry.message
        outbox = self.outbox
        before = outbox.size
        tag = self.next_tag
        self.next_tag = tag + 1
        outbox.deliver(
            self._number,
            consumer.prefix,
            tag,
            entry.redelivered,
            message.address.wire,
            message.header,
            message.body,
        )
        if entry.redelivered:
            self.traffic.redelivered += 1
        if consumer.no_ack:
            self.traffic.delivered_no_ack += 1
        else:
            self.traffic.delivered += 1
            self.unacked.add(tag, entry)
        self._outlet.sent(outbox.size - before)
        if self._routes.firehose is not None and self.channel is not None:
            self.channel.trace(entry, consumer.queue.name)

    def cancelled(self, consumer: Consumer) -> None:
        """See `Sink.cancelled`."""
        if self.channel is not None:
            self.channel.cancelled(consumer)

    def ack(self, tag: int, multiple: bool) -> None:
        """Handle basic.ack. Raises PreconditionFailed when the tag is not outstanding."""
        if self.transaction is not None:
            self.transaction.ack(self.unacked.take(tag, multiple))
        elif multiple:
            self.settle(self.unacked.take(tag, True))
        else:
            entry = self.unacked.take_one(tag)
            consumer: Consumer | None = entry.consumer
            queue: Queue | None = entry.queue
            assert queue is not None
            queue.traffic.acked += 1
            self.traffic.acked += 1
            queue.settle(entry)
            if self.window.limit:
                self._unpark_all([] if consumer is None else [consumer])
            if consumer is not None and consumer.parked:
                queue.unpark(consumer)

    def settle(self, entries: list[Entry], acked: bool = True) -> None:
        """Entries taken from `unacked` are done with: let their queues forget them and their consumers go on.

        `acked`: by the client, which did not reject them.
        """
        freed: Consumer | None = None
        others: list[Consumer] = []
        served: list[Consumer] = []
        for entry in entries:
            consumer: Consumer | None = entry.consumer
            queue: Queue | None = entry.queue
            assert queue is not None
            if acked:
                queue.traffic.acked += 1
                self.traffic.acked += 1
            queue.settle(entry)
            if consumer is not None and self.window.limit:
                served.append(consumer)
            if consumer is not None and consumer is not freed and consumer.parked:
                if freed is not None:
                    others.append(freed)
                freed = consumer
        if self.window.limit:
            self._unpark_all(served)
        if freed is None:
            return
        if others:
            others.append(freed)
            for other in by_priority(others):
                other.queue.unpark(other)
        else:
            freed.queue.unpark(freed)

    def close(self) -> None:
        """Let go of the channel: nothing is delivered any more."""
        self.channel = self.transaction = None

    def _unpark_all(self, served: list[Consumer]) -> None:
        if self.channel is not None:
            self.channel.unpark_all(served)
