"""Transactions: tx.select, commit and rollback.

As RabbitMQ defines them: publishes are routed when they arrive and pushed at commit; acknowledgements are checked when
they arrive and settled at commit. Deliveries are not part of it. commit-ok is sent when everything is durable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..broker.entry import Entry
from ..broker.queue import REFUSED
from ..broker.stream import AnyQueue
from ..errors import PreconditionFailed
from ..message import Message
from ..wire.methods import TxCommit, TxCommitOk, TxRollback, TxRollbackOk, TxSelect, TxSelectOk
from ..wire.schema import Method
from . import consume

if TYPE_CHECKING:
    from .channel import Channel


Verdict = Callable[["Channel", list[Entry]], None]
"""`consume.ack`, `requeue`, `requeue_nacked` or `reject`."""


class Transaction:
    """What a channel in tx mode has done since the last commit or rollback."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._publishes: list[tuple[Message, tuple[AnyQueue, ...], bool]] = []  # with their routes; is mandatory
        self._settlements: list[tuple[list[Entry], Verdict]] = []

    @property
    def publish_count(self) -> int:
        """Publishes since the last commit or rollback."""
        return len(self._publishes)

    @property
    def settlement_count(self) -> int:
        """Deliveries settled since then."""
        return sum([len(entries) for entries, _ in self._settlements])

    def publish(self, message: Message, queues: tuple[AnyQueue, ...], mandatory: bool) -> None:
        self._publishes.append((message, queues, mandatory))

    def settle(self, entries: list[Entry], verdict: Verdict) -> None:
        """Keep entries that were taken from the channel's unacked ones, and what is to become of them."""
        self._settlements.append((entries, verdict))

    def ack(self, entries: list[Entry]) -> None:
        """`settle` those that are acked."""
        self.settle(entries, consume.ack)

    def commit(self) -> None:
        """Do it all: publishes in order, then settlements in order.

        Raises PreconditionFailed when all was done but what a queue refused.
        """
        channel = self._channel
        publishes, self._publishes = self._publishes, []
        settlements, self._settlements = self._settlements, []
        refused = False
        for message, queues, mandatory in publishes:
            present = tuple([queue for queue in queues if not queue.deleted])
            if present:
                refused |= channel.vhost.deliver(message, present) & REFUSED != 0
            elif mandatory:
                channel.return_unroutable(message)
        for entries, verdict in settlements:
            verdict(channel, entries)
        if refused:
            raise PreconditionFailed("partial tx completion")

    def rollback(self) -> None:
        """Forget the publishes; what was settled is outstanding again, under its old tags."""
        self._publishes = []
        settlements, self._settlements = self._settlements, []
        self._channel.deliveries.unacked.restore([entry for entries, _ in settlements for entry in entries])


def tx_select(channel: Channel, method: TxSelect) -> None:
    if channel.confirms is not None:
        raise PreconditionFailed("cannot switch from confirm to tx mode")
    if channel.transaction is None:
        channel.publishing.transaction = channel.deliveries.transaction = Transaction(channel)
    channel.reply(TxSelectOk())


def tx_commit(channel: Channel, method: TxCommit) -> None:
    _transaction(channel).commit()
    channel.reply_when_durable(TxCommitOk())


def tx_rollback(channel: Channel, method: TxRollback) -> None:
    _transaction(channel).rollback()
    channel.reply(TxRollbackOk())


def _transaction(channel: Channel) -> Transaction:
    if channel.transaction is None:
        raise PreconditionFailed("channel is not transactional")
    return channel.transaction


HANDLERS: Final[dict[type[Method], Callable[[Channel, Any], None]]] = {
    TxSelect: tx_select,
    TxCommit: tx_commit,
    TxRollback: tx_rollback,
}
