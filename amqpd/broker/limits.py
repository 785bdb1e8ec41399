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
from ..store.base import Returns
from .arguments import QUORUM, Arguments, queue_type_of
from .entry import Entry
from .levels import NORMAL_LANE, home, lane_of
from .queue import REFUSED, Queue
from .retries import Retries

if TYPE_CHECKING:
    from .vhost import VHost

REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
MAXLEN: Final = "maxlen"
DELIVERY_LIMIT: Final = "delivery_limit"
"""Why messages die, in RabbitMQ's words."""

DELIVERY_COUNT: Final = "x-delivery-count"
"""The header that tells consumers of a quorum queue how many times a message failed."""

ACQUIRED_COUNT: Final = "x-acquired-count"
"""From 4.3 on: how many times it came back, whether or not that counts."""

UNLIMITED: Final = 1 << 62

EXPIRED_AT_ONCE: Final = 1000
"""How many expired messages are dropped before others have their turn."""

BURIED_AT_ONCE: Final = 100
"""The same, where each becomes a dead letter."""

PAUSE: Final = 0.001
"""Seconds to leave them."""

PATIENCE: Final = 10
"""How many times as many are dropped while somebody waits for an answer to basic.get."""

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
        counts = queue_type_of(queue.arguments) == QUORUM
        self._levels = vhost.compat.levels if counts else 1  # of priority
        self._retries = Retries(queue.arguments) if counts and vhost.compat.quorum_4_3 else None
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
        self._at_once = BURIED_AT_ONCE if self._dead_letters else EXPIRED_AT_ONCE
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
        deadline = 0
        if ttl >= 0:
            self._mortal = True
            deadline = self._now() + ttl
        lane = lane_of(message, self._levels) if self._levels > 1 else NORMAL_LANE
        if lane == NORMAL_LANE and queue.levels is None:
            outcome = queue.admit(message, deadline)
        else:
            outcome = queue.admit_to(queue.line(lane, self._levels == 2), message, deadline)
        if (self._drops and self._shorten()) or queue.message_count == 1:  # there is another head
            self._expire(self._at_once)
        return outcome

    def expire(self, patient: bool = False) -> bool:
        if self._drops:
            self._shorten()
        return self._expire(self._at_once * PATIENCE if patient else self._at_once)

    def returned(self, entries: list[Entry], counted: bool) -> list[Entry]:
        retries = self._retries
        if not self._counts or (not counted and retries is None):
            return entries
        kept: list[Entry] = []
        queue = self._queue
        limit = self._delivery_limit
        for entry in entries:
            entry.acquired += 1
            if counted:
                entry.returns += 1
            if 0 <= limit < entry.returns:
                self._outlive(entry.message)
                queue.settle(entry)
                self._bury(entry.message, DELIVERY_LIMIT, entry.acquired)
                continue
            entry.message = self._told(entry)
            delay = retries.delay(entry, counted) if retries is not None else 0
            until = self._now() + delay if delay else 0
            if entry.stored:
                store_id = home(queue.id, entry.lane)
                queue.store.returned(store_id, entry.seq, Returns(entry.returns, entry.acquired, until))
            if until:
                self._hold(entry, until)
                queue.hold(entry)
            else:
                kept.append(entry)
        return kept

    def recovered(self, deadline: int) -> None:
        if self._drops:
            self._wake_in(0.0)  # what came back from consumers may be too much
        self._mortal = True  # who knows what else was stored
        if deadline:
            self._wake_in(max(0, deadline - self._now()) / 1000)

    def read_back(self, entries: list[Entry]) -> list[Entry]:
        self._mortal = self._mortal or any(entry.deadline for entry in entries)
        if not self._counts:
            return entries
        queue = self._queue
        known = queue.store.returns(home(queue.id, entries[0].lane), entries[0].seq, entries[-1].seq)
        if not known:
            return entries
        now = self._now()
        kept: list[Entry] = []
        for entry in entries:
            returns = known.get(entry.seq)
            if returns is not None:
                entry.returns, entry.acquired, until = returns
                entry.message = self._told(entry)
                if until > now:
                    self._hold(entry, until)
                    continue
            kept.append(entry)
        return kept

    def release_held(self) -> list[Entry]:
        return self._retries.take_all() if self._retries is not None else []

    def rejected(self, entry: Entry) -> None:
        self._outlive(entry.message)
        self._bury(entry.message, REJECTED, entry.acquired)

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
        waiting = queue.message_count + queue.held
        return waiting >= self._max_length or queue.message_bytes + queue.held_bytes + message.size > self._max_bytes

    def _shorten(self) -> bool:
        """Drop from the head what is too much, a part of it when it is a lot. True when something was."""
        queue = self._queue
        dropped = 0
        while queue.message_count and (
            queue.message_count + queue.held > self._max_length
            or queue.message_bytes + queue.held_bytes > self._max_bytes
        ):
            if dropped == SHORTENED_AT_ONCE:
                self._wake_in(PAUSE)
                break
            self._drop_first(MAXLEN)
            dropped += 1
        return dropped > 0

    # --- time

    def _expire(self, limit: int) -> bool:
        """Drop from the head what has expired, up to a number of messages; see that the rest is not forgotten.

        False when what comes first has expired still.
        """
        if not self._mortal:
            return True
        queue = self._queue
        now = self._now()
        while (entry := queue.first()) is not None and entry.deadline:
            if entry.deadline > now:
                self._wake_in((entry.deadline - now) / 1000)
                return True
            if not limit:
                self._wake_in(PAUSE)
                return False
            self._drop_first(EXPIRED)
            limit -= 1
        return True

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
        self._resume()
        if self.expire():
            self._queue.dispatch()  # to consumers that had to wait for it

    # --- retries

    def _hold(self, entry: Entry, until: int) -> None:
        assert self._retries is not None
        self._retries.hold(entry, until)
        self._wake_in(max(0, until - self._now()) / 1000)

    def _resume(self) -> None:
        """Hand back what was held long enough."""
        if self._retries is None or self._retries.next() is None:
            return
        now = self._now()
        due = self._retries.take_due(now)
        following = self._retries.next()
        if following is not None:
            self._wake_in((following - now) / 1000)
        if due:
            self._queue.resume(due)

    # --- the dead

    def _drop_first(self, reason: str) -> None:
        queue = self._queue
        entry = queue.first()
        assert entry is not None
        self._outlive(entry.message)
        queue.drop_first()  # before the letter is published, which may lead back here
        self._bury(entry.message, reason, entry.acquired)

    def _outlive(self, message: Message) -> None:
        """A message is about to be removed from the store: its publisher has to wait for what becomes of it."""
        if self._dead_letters:
            message.receipt = None

    def _bury(self, message: Message, reason: str, acquired: int = 0) -> None:
        if self._dead_letters:
            if acquired:
                message = _telling(message, {})
            self._vhost.dead_letters.publish(message, self._queue, reason)

    def _told(self, entry: Entry) -> Message:
        """The entry's message with headers that tell consumers how often it came back."""
        counts = {DELIVERY_COUNT: entry.returns} if entry.returns else {}
        if self._retries is not None:
            counts[ACQUIRED_COUNT] = entry.acquired
        return _telling(entry.message, counts)


def _telling(message: Message, counts: dict[str, int]) -> Message:
    """The message with these headers, and no others that tell how often it came back."""
    headers = {name: value for name, value in message.headers.items() if name not in (DELIVERY_COUNT, ACQUIRED_COUNT)}
    copy = revised(message, message.address, replace(message.properties, headers=headers | counts))
    copy.id = message.id
    return copy
