"""The contract of a store, and what it hands back after a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple, Protocol

from ..message import Message

MAX_SEQ: Final = (1 << 64) - 1

Definition = Mapping[str, Any]
"""A durable object as plain values: str, bytes, int, bool, None, and lists and mappings of them."""

Place = tuple[int, Message, int]
"""A message in a queue: its seq, the message, and its deadline."""


class Returns(NamedTuple):
    """What is kept of a message that came back from consumers."""

    counted: int  # how many times it counted against it
    total: int  # how many times at all
    until: int = 0  # when it may be handed out again, in milliseconds since 1970; 0 = at once


class Kind(IntEnum):
    """The kinds of durable objects. The numbers are in the files: never reuse one."""

    VHOST = 1
    EXCHANGE = 2
    QUEUE = 3
    BINDING = 4
    USER = 5
    PERMISSION = 6
    TOPIC_PERMISSION = 7
    POLICY = 8
    OPERATOR_POLICY = 9
    PARAMETER = 10
    GLOBAL_PARAMETER = 11


@dataclass(slots=True)
class Counters:
    """What is known of a queue's stored messages without reading them."""

    messages: int = 0
    bytes: int = 0  # of bodies
    next_seq: int = 0  # above every seq that was ever stored
    delivered: int = -1  # entries up to this seq may have been delivered; -1 = none


@dataclass(slots=True)
class Recovered:
    """What a store held when it was opened: definitions by kind and id, counters by queue id."""

    definitions: dict[Kind, dict[int, Definition]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    counters: dict[int, Counters] = field(default_factory=dict)


class Store(Protocol):
    """Keeps definitions and messages. All methods are called from the one thread that owns the model.

    A queue is known by an id, a message's place in it by its `seq`, which only grows. Ids of definitions and queues
    are the caller's to choose and may be used again once undefined and dropped.
    """

    def recover(self) -> Recovered:
        """What the store holds. Called once, before anything else."""
        ...

    def new_message_id(self) -> int:
        """An id for a message that is about to be put into several queues, so that its content is kept once."""
        ...

    def put(self, queue_id: int, seq: int, message: Message, deadline: int = 0) -> None:
        """Keep a message in a queue. `seq` is above all earlier ones of that queue.

        `deadline` comes back with it: when it expires, in milliseconds since 1970; 0 = never. In a stream, where
        messages do not expire one by one, it is the moment the message was appended.
        """
        ...

    def delete(self, queue_id: int, seq: int, message: Message) -> None:
        """Forget a message that was put, or read."""
        ...

    def drop(self, queue_id: int, first: int = 0, last: int = MAX_SEQ) -> None:
        """Forget a queue's messages from `first` to `last`, both included; by default all, and its counters."""
        ...

    def delivered(self, queue_id: int, seq: int) -> None:
        """Note that the message was handed to a consumer. Kept with the next change, not by itself."""
        ...

    def returned(self, queue_id: int, seq: int, returns: Returns) -> None:
        """Keep that a message came back from consumers. Forgotten with the message."""
        ...

    def returns(self, queue_id: int, first: int, last: int) -> dict[int, Returns]:
        """What is kept of the returns of messages from `first` to `last`, by seq; without those that never did."""
        ...

    def read(self, queue_id: int, first: int, limit: int) -> list[Place]:
        """Up to `limit` messages from `first` on, in order of seq. Not to be asked about what is being dropped."""
        ...

    def define(self, kind: Kind, definition_id: int, definition: Definition) -> None:
        """Keep a definition, in place of the former one with this kind and id."""
        ...

    def undefine(self, kind: Kind, definition_id: int) -> None:
        """Forget a definition."""
        ...

    @property
    def lag(self) -> int:
        """Bytes put and not committed yet."""
        ...

    def when_committed(self, callback: Callable[[], None]) -> None:
        """Call `callback` once all changes made so far are durable; at once when they are."""
        ...

    def close(self) -> None:
        """Commit what is open, call back, release everything. Not to be used afterwards."""
        ...
