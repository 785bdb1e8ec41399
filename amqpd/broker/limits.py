"""What limits a queue: how long it and its messages may live, how many it may hold, how often they may come back.

RabbitMQ's rules (its guides to TTL, queue length and quorum queues; rabbit_amqqueue_process, rabbit_fifo): a message
expires only once it is first in line, so that one behind another that may stay longer counts as ready meanwhile, but
is never handed out. Only ready messages count towards a length. Dropping makes room at the head.

Deadlines are wall-clock milliseconds, because they are stored; each queue has one timer, for whatever is due first.
It may come too early, and then is set anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..clock import Timer
from ..message import NO_TTL, Message, revised
from .arguments import QUORUM, Arguments, queue_type_of
from .entry import Entry
from .queue import REFUSED, Queue

if TYPE_CHECKING:
    from .vhost import VHost

REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
MAXLEN: Final = "maxlen"
DELIVERY_LIMIT: Final = "delivery_limit"
"""Why messages die, in RabbitMQ's words."""

DELIVERY_COUNT: Final = "x-delivery-count"
"""The header that tells consumers of a quorum queue how many times a message came back."""

UNLIMITED: Final = 1 << 62

EXPIRED_AT_ONCE: Final = 1000
"""How many messages a timer drops before it lets others have their turn."""

SHORTENED_AT_ONCE: Final = 10_000
"""How many messages are dropped because they are too many, before others have their turn: a policy may make them so."""

_LIMITING: Final = frozenset(
    {
        "x-expires",
        "x-message-ttl",
        "x-dead-letter-exchange",
        "x-max-length",
        "x-max-length-bytes",
    }
)


def has_limits(arguments: Arguments) -> bool:
    """Whether a queue with these arguments has to be watched over."""
    return queue_type_of(arguments) == QUORUM or not _LIMITING.isdisjoint(arguments)


class QueueLimits:
    """Keeps one queue to its limits; see `Limits` for when it is called."""

    def __init__(self, queue: Queue, vhost: VHost) -> None:
        self._queue = queue
        self._vhost = vhost
        self._clock = vhost.clock
        self._mortal = False  # some message has, or had, a deadline
        self._used_at = 0.0
        self._timer: Timer | None = None
        self._read()

    def _read(self) -> None:
        """Take over what the arguments of the queue and its policies say."""
        arguments = self._queue.effective
        overflow = arguments.get("x-overflow", "drop-head")
        counts = queue_type_of(arguments) == QUORUM
        self._ttl = int(arguments.get("x-message-ttl", NO_TTL))  # milliseconds
        self._lease = int(arguments.get("x-expires", 0)) / 1000  # seconds it may be unused; 0 = for ever
        self._max_length = int(arguments.get("x-max-length", UNLIMITED))
        self._max_bytes = int(arguments.get("x-max-length-bytes", UNLIMITED))
        bounded = self._max_length != UNLIMITED or self._max_bytes != UNLIMITED
        self._drops = bounded and overflow == "drop-head"
        self._refuses = bounded and overflow != "drop-head"
        self._buries_refused = overflow == "reject-publish-dlx"
        self._dead_letters = "x-dead-letter-exchange" in arguments
        self._counts = counts  # how often messages come back
        self._delivery_limit = -1
        if counts:
            self._delivery_limit = int(arguments.get("x-delivery-limit", self._vhost.compat.delivery_limit))
        self.used()

    @property
    def mortal(self) -> bool:
        """Whether a message that is still there may have a deadline: then the queue is watched over anyhow."""
        return self._mortal and (self._queue.message_count > 0 or self._queue.unacked > 0)

    def changed(self) -> None:
        """The policies of the queue have: what is too much now goes at once, and the time it may be unused begins anew.

        Messages keep the deadlines they have (RabbitMQ's too): a time to live is for those that are published later.
        """
        self._read()
        self.expire()

    # --- what the queue calls

    def push(self, message: Message) -> int:
        """In place of `Queue.push`. A message that must not wait at all still goes to a consumer that does."""
        queue = self._queue
        if self._refuses and self._would_be_too_much(message):
            if self._buries_refused:
                self._bury(message, MAXLEN)
            return REFUSED
        ttl = self._ttl
        if message.ttl >= 0 and (message.ttl < ttl or ttl < 0):
            ttl = message.ttl
        if ttl < 0:
            outcome = queue.admit(message, 0)
        else:
            self._mortal = True
            outcome = queue.admit(message, self._now() + ttl)
        if (self._drops and self._shorten()) or queue.message_count == 1:  # there is another head
            self._expire(UNLIMITED)
        return outcome

    def expire(self) -> None:
        if self._drops:
            self._shorten()
        self._expire(UNLIMITED)

    def returned(self, entries: list[Entry], counted: bool) -> list[Entry]:
        if not self._counts or not counted:
            return entries
        kept: list[Entry] = []
        queue = self._queue
        limit = self._delivery_limit
        for entry in entries:
            entry.returns += 1
            if 0 <= limit < entry.returns:
                self._outlive(entry.message)
                queue.settle(entry)
                self._bury(entry.message, DELIVERY_LIMIT, entry.returns - 1)
                continue
            entry.message = _counted(entry.message, entry.returns)
            if entry.stored:
                queue.store.returned(queue.id, entry.seq, entry.returns)
            kept.append(entry)
        return kept

    def recovered(self, deadline: int) -> None:
        if self._drops:
            self._wake_in(0.0)  # what came back from consumers may be too much
        self._mortal = True  # who knows what else was stored
        if deadline:
            self._wake_in(max(0, deadline - self._now()) / 1000)

    def read_back(self, entries: list[Entry]) -> None:
        self._mortal = self._mortal or any(entry.deadline for entry in entries)
        if not self._counts:
            return
        returns = self._queue.store.returns(self._queue.id, entries[0].seq, entries[-1].seq)
        for entry in entries:
            times = returns.get(entry.seq, 0)
            if times:
                entry.returns = times
                entry.message = _counted(entry.message, times)

    def rejected(self, entry: Entry) -> None:
        self._outlive(entry.message)
        self._bury(entry.message, REJECTED, entry.returns)

    def used(self) -> None:
        if self._lease:
            self._used_at = self._clock.now()
            self._wake_in(self._lease)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- length

    def _would_be_too_much(self, message: Message) -> bool:
        queue = self._queue
        return queue.message_count >= self._max_length or queue.message_bytes + message.size > self._max_bytes

    def _shorten(self) -> bool:
        """Drop from the head what is too much, a part of it when it is a lot. True when something was."""
        queue = self._queue
        dropped = 0
        while queue.message_count > self._max_length or queue.message_bytes > self._max_bytes:
            if dropped == SHORTENED_AT_ONCE:
                self._wake_in(0.001)
                break
            self._drop_first(MAXLEN)
            dropped += 1
        return dropped > 0

    # --- time

    def _expire(self, limit: int) -> None:
        """Drop from the head what has expired, up to a number of messages; see that the rest is not forgotten."""
        if not self._mortal:
            return
        queue = self._queue
        now = self._now()
        while (entry := queue.first()) is not None and entry.deadline:
            if entry.deadline > now:
                self._wake_in((entry.deadline - now) / 1000)
                return
            if not limit:
                self._wake_in(0.001)
                return
            self._drop_first(EXPIRED)
            limit -= 1

    def _now(self) -> int:
        return round(self._clock.time() * 1000)

    def _wake_in(self, delay: float) -> None:
        """Have the timer come in `delay` seconds, or earlier."""
        when = self._clock.now() + delay
        if self._timer is not None:
            if self._timer.when <= when:
                return
            self._timer.cancel()
        self._timer = self._clock.call_at(when, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._lease and not self._queue.consumers:
            left = self._used_at + self._lease - self._clock.now()
            if left <= 0:
                self._vhost.delete_queue(self._queue)
                return
            self._wake_in(left)
        if self._drops:
            self._shorten()
        self._expire(EXPIRED_AT_ONCE)

    # --- the dead

    def _drop_first(self, reason: str) -> None:
        queue = self._queue
        entry = queue.first()
        assert entry is not None
        self._outlive(entry.message)
        queue.drop_first()  # before the letter is published, which may lead back here
        self._bury(entry.message, reason, entry.returns)

    def _outlive(self, message: Message) -> None:
        """A message is about to be removed from the store: its publisher has to wait for what becomes of it."""
        if self._dead_letters:
            message.receipt = None

    def _bury(self, message: Message, reason: str, returns: int = 0) -> None:
        if self._dead_letters:
            if returns:
                message = _counted(message, 0)
            self._vhost.dead_letters.publish(message, self._queue, reason)


def _counted(message: Message, returns: int) -> Message:
    """The message with a header that tells how many times it came back, or without when it did not."""
    headers = {**message.headers, DELIVERY_COUNT: returns}
    if not returns:
        del headers[DELIVERY_COUNT]
    copy = revised(message, message.address, replace(message.properties, headers=headers))
    copy.id = message.id
    return copy
