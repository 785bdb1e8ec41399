"""A batch: the changes that will be written together.

Puts and deletes are kept by queue, so that a delete finds the put it undoes and keys come out in the order the disk
likes. A batch belongs to the loop thread until it is handed to the committer; from then on nobody changes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..message import Message
from .base import MAX_SEQ, Definition, Kind, Place, Returns

PUT_COST: Final = 256
"""Bytes a put takes besides the body, about: of memory until it is written, and of the writing."""

_PUT_COST: Final = PUT_COST


class QueueChanges:
    """One queue's part of a batch."""

    __slots__ = ("deadlines", "deletes", "delivered", "drops", "freed", "puts", "returns")

    def __init__(self) -> None:
        self.puts: dict[int, Message] = {}  # by seq, ascending
        self.deadlines: dict[int, int] = {}  # of puts that have one, and maybe of some that were undone
        self.returns: dict[int, Returns] = {}  # by seq, of messages that came back
        self.deletes: list[int] = []
        self.freed = 0  # body bytes of the deletes
        self.delivered = -1  # highest seq delivered
        self.drops: list[tuple[int, int]] = []  # (first, last) seqs, both included


class Batch:
    """Changes in the making, and the callbacks owed when they are committed."""

    __slots__ = (
        "bytes",
        "callbacks",
        "definitions",
        "deleted",
        "queues",
        "released",
        "shares",
        "total",
        "total_bytes",
        "undone",
    )

    def __init__(self) -> None:
        self.queues: dict[int, QueueChanges] = {}
        self.definitions: dict[tuple[Kind, int], Definition | None] = {}  # None: undefined
        self.shares: dict[int, int] = {}  # message id -> number of its puts
        self.released: dict[int, int] = {}  # message id -> queues that let go of a stored message
        self.callbacks: list[Callable[[], None]] = []
        self.bytes = 0  # of the puts: bodies, and what goes with them
        self.total = 0  # puts, those included that were undone
        self.total_bytes = 0  # of their bodies
        self.undone = 0
        self.deleted = 0  # messages of earlier batches

    def is_empty(self) -> bool:
        """Whether there is nothing to write. Marks of delivery alone are not worth a write."""
        if self.definitions or self.released:
            return False
        return not any(
            changes.puts or changes.deletes or changes.drops or changes.returns for changes in self.queues.values()
        )

    def put(self, queue_id: int, seq: int, message: Message, deadline: int = 0) -> None:
        changes = self._changes(queue_id)
        changes.puts[seq] = message
        if deadline:
            changes.deadlines[seq] = deadline
        self.bytes += message.size + _PUT_COST
        self.total += 1
        self.total_bytes += message.size
        if message.id:
            self.shares[message.id] = self.shares.get(message.id, 0) + 1

    def delete(self, queue_id: int, seq: int, message: Message) -> None:
        changes = self._changes(queue_id)
        if changes.returns:
            changes.returns.pop(seq, None)
        if changes.puts.pop(seq, None) is not None:
            self._undo_put(message)
            return
        self.deleted += 1
        changes.deletes.append(seq)
        changes.freed += message.size
        if message.id:
            self.released[message.id] = self.released.get(message.id, 0) + 1

    def drop(self, queue_id: int, first: int, last: int) -> None:
        changes = self._changes(queue_id)
        for seq in [seq for seq in changes.puts if first <= seq <= last]:
            self._undo_put(changes.puts.pop(seq))
        for seq in [seq for seq in changes.returns if first <= seq <= last]:
            del changes.returns[seq]
        changes.drops.append((first, last))
        if (first, last) == (0, MAX_SEQ):
            changes.delivered = -1

    def delivered(self, queue_id: int, seq: int) -> None:
        changes = self._changes(queue_id)
        if seq > changes.delivered:
            changes.delivered = seq

    def returned(self, queue_id: int, seq: int, returns: Returns) -> None:
        self._changes(queue_id).returns[seq] = returns

    def returns(self, queue_id: int, first: int, last: int) -> dict[int, Returns]:
        """What was noted in this batch of messages from `first` to `last`."""
        changes = self.queues.get(queue_id)
        if changes is None:
            return {}
        return {seq: returns for seq, returns in changes.returns.items() if first <= seq <= last}

    def puts(self, queue_id: int, first: int) -> list[Place]:
        """The queue's messages in this batch from `first` on, in order."""
        changes = self.queues.get(queue_id)
        if changes is None:
            return []
        deadlines = changes.deadlines
        return [(seq, message, deadlines.get(seq, 0)) for seq, message in changes.puts.items() if seq >= first]

    def _changes(self, queue_id: int) -> QueueChanges:
        changes = self.queues.get(queue_id)
        if changes is None:
            changes = self.queues[queue_id] = QueueChanges()
        return changes

    def _undo_put(self, message: Message) -> None:
        self.bytes -= message.size + _PUT_COST
        self.undone += 1
        if message.id:
            self.shares[message.id] -= 1
