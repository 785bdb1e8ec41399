"""An entry: one message in one queue. `Queue` moves it through its life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..message import Message

if TYPE_CHECKING:
    from .consumer import Consumer
    from .queue import Queue


class Entry:
    """A message's place in a queue."""

    __slots__ = (
        "acquired",
        "consumer",
        "deadline",
        "lane",
        "message",
        "queue",
        "redelivered",
        "returns",
        "seq",
        "stored",
        "tag",
    )

    def __init__(self, seq: int, message: Message, stored: bool) -> None:
        self.seq = seq
        self.message = message
        self.stored = stored  # in the durable store, to be deleted there when it is settled
        self.redelivered = False  # was, or may have been, handed out before
        self.lane = 0  # of its queue's place in the store, where priorities have one each (see `levels`)
        self.returns = 0  # how many times it came back, where that is counted
        self.acquired = 0  # the same, with those returns that nobody is to blame for
        self.deadline = 0  # when it expires, in milliseconds since 1970; 0 = never
        self.queue: Queue | None = None  # while unacked; else None, so that queue and entry form no cycle
        self.consumer: Consumer | None = None  # while unacked and not from basic.get
        self.tag = 0  # while unacked: the delivery tag it went out under


def enter(seq: int, message: Message, stored: bool) -> Entry:
    """`Entry(…)`, spared the parsing of arguments: the hot path's way to make one."""
    entry = Entry.__new__(Entry)
    entry.seq = seq
    entry.message = message
    entry.stored = stored
    entry.redelivered = False
    entry.lane = 0
    entry.returns = 0
    entry.acquired = 0
    entry.deadline = 0
    entry.queue = None
    entry.consumer = None
    entry.tag = 0
    return entry
