"""The store's contract with dicts: for tests, and for brokers whose data may go when they go.

Everything is committed the moment it is said.
"""

from __future__ import annotations

from collections.abc import Callable

from ..message import Message
from .base import MAX_SEQ, Counters, Definition, Kind, Place, Recovered, Returns


class MemoryStore:
    """A `Store` in memory. A broker started on the one another broker used finds what that left."""

    lag = 0

    def __init__(self) -> None:
        self._definitions: dict[Kind, dict[int, Definition]] = {kind: {} for kind in Kind}
        self._messages: dict[
            int, dict[int, tuple[Message, int]]
        ] = {}  # queue id -> seq -> message, deadline; ascending
        self._next_seq: dict[int, int] = {}
        self._delivered: dict[int, int] = {}
        self._returns: dict[int, dict[int, Returns]] = {}  # queue id -> seq -> what is known of its returns
        self._last_message_id = 0

    def recover(self) -> Recovered:
        recovered = Recovered({kind: dict(found) for kind, found in self._definitions.items()})
        for queue_id, messages in self._messages.items():
            recovered.counters[queue_id] = Counters(
                len(messages),
                sum(message.size for message, _ in messages.values()),
                self._next_seq[queue_id],
                self._delivered.get(queue_id, -1),
            )
        return recovered

    def new_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id

    def put(self, queue_id: int, seq: int, message: Message, deadline: int = 0) -> None:
        messages = self._messages.get(queue_id)
        if messages is None:
            messages = self._messages[queue_id] = {}
        messages[seq] = (message, deadline)
        self._next_seq[queue_id] = seq + 1

    def delete(self, queue_id: int, seq: int, message: Message) -> None:
        del self._messages[queue_id][seq]
        if queue_id in self._returns:
            self._returns[queue_id].pop(seq, None)

    def drop(self, queue_id: int, first: int = 0, last: int = MAX_SEQ) -> None:
        messages = self._messages.get(queue_id, {})
        # most often a few of many: the oldest segment of a stream
        among = range(first, last + 1) if last - first < len(messages) else list(messages)
        for seq in [seq for seq in among if first <= seq <= last and seq in messages]:
            del messages[seq]
            if queue_id in self._returns:
                self._returns[queue_id].pop(seq, None)
        if first == 0 and last == MAX_SEQ:
            self._messages.pop(queue_id, None)
            self._next_seq.pop(queue_id, None)
            self._delivered.pop(queue_id, None)
            self._returns.pop(queue_id, None)

    def delivered(self, queue_id: int, seq: int) -> None:
        self._delivered[queue_id] = max(seq, self._delivered.get(queue_id, -1))

    def returned(self, queue_id: int, seq: int, returns: Returns) -> None:
        self._returns.setdefault(queue_id, {})[seq] = returns

    def returns(self, queue_id: int, first: int, last: int) -> dict[int, Returns]:
        found = self._returns.get(queue_id, {})
        return {seq: returns for seq, returns in found.items() if first <= seq <= last}

    def read(self, queue_id: int, first: int, limit: int) -> list[Place]:
        messages = self._messages.get(queue_id, {})
        found: list[Place] = []
        while len(found) < limit and (place := messages.get(first)) is not None:  # a stream has no gaps
            found.append((first, *place))
            first += 1
        if len(found) < limit:
            found += [(seq, *place) for seq, place in messages.items() if seq >= first][: limit - len(found)]
        return found

    def define(self, kind: Kind, definition_id: int, definition: Definition) -> None:
        self._definitions[kind][definition_id] = definition

    def undefine(self, kind: Kind, definition_id: int) -> None:
        self._definitions[kind].pop(definition_id, None)

    def when_committed(self, callback: Callable[[], None]) -> None:
        callback()

    def close(self) -> None:
        """Nothing to release: the content stays for whoever opens a broker on it again."""
