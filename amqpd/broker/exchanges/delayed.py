"""The delayed-message exchange: holds a message for as long as its header x-delay says, and only then routes it.

It routes as the type that its argument x-delayed-type names, which may be any other. What waits for a durable exchange
is in the store, under the id of the exchange as if that were a queue, with its moment as the deadline; so it survives
a restart, whatever the message's delivery mode, and a confirm of it waits for the disk. In memory is one small tuple
for each message, and the message itself while there is room.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ...errors import PreconditionFailed
from ...message import NO_TTL, Message
from ...wire.fields import Int32, Timestamp
from ...wire.rewrite import with_field, without_field
from ..arguments import Arguments
from ..binding import Binding
from ..copies import BCC, remembered_keys
from ..memory import ENTRY_COST
from ..queue import STORED
from .base import Exchange

if TYPE_CHECKING:
    from ...clock import Timer
    from ...store.base import Counters
    from ..stream import AnyQueue
    from ..vhost import VHost

DELAY: Final = "x-delay"
DELAYED_TYPE: Final = "x-delayed-type"

MAX_DELAY: Final = (1 << 32) - 1
"""The longest delay, in milliseconds: almost fifty days. What asks for more is not delayed."""

BURST: Final = 1024
"""Messages to deliver at a time, when many are due at once: then others get their turn."""

PAUSE: Final = 0.001
"""Seconds to leave them."""

PAGE: Final = 1024
"""Messages to read from the store at a time."""


class DelayedMessageExchange(Exchange):
    """Matches as its inner exchange does, which has the same bindings."""

    type = "x-delayed-message"
    attentive = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self.inner: Exchange = _inner_type(self.arguments)(name, **properties)
        self.inner.outgoing = self.outgoing
        self.one_key = self.inner.one_key
        self._vhost: VHost | None = None
        self._due: list[tuple[int, int]] = []  # a heap: when, in milliseconds since 1970, and seq
        self._messages: dict[int, Message] = {}  # by seq, those that are in memory
        self._next_seq = 0
        self._timer: Timer | None = None

    @property
    def messages_delayed(self) -> int:
        """How many messages wait."""
        return len(self._due)

    # --- the contract

    @classmethod
    def check_arguments(cls, arguments: Arguments, described: str) -> None:
        _inner_type(arguments).check_arguments(arguments, described)

    def check_binding(self, destination: AnyQueue | Exchange, routing_key: str, arguments: Arguments) -> None:
        self.inner.check_binding(destination, routing_key, arguments)

    def bind(self, binding: Binding) -> None:
        self.inner.bind(binding)

    def unbind(self, binding: Binding) -> None:
        self.inner.unbind(binding)

    def match(self, message: Message) -> Iterable[Binding]:
        return self.inner.match(message)

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        delay = delay_of(message)
        when = f"after {delay} ms, " if delay else ""
        return when + self.inner.reason(binding, message, matched)

    def replay(self) -> Iterable[Message]:
        return self.inner.replay()

    def join(self, vhost: VHost, stored: Counters | None) -> None:
        self._vhost = vhost
        if stored is not None:
            self._next_seq = stored.next_seq
            self._recover(vhost)

    def leave(self) -> None:
        assert self._vhost is not None
        if self.id:
            self._vhost.store.drop(self.id)
        self._vhost.memory.used -= sum([message.size + ENTRY_COST for message in self._messages.values()])
        self._due.clear()
        self._messages.clear()
        self._arm()

    def receive(self, message: Message, keys: tuple[str, ...]) -> int | None:
        delay = delay_of(message)
        if not delay:
            return self.inner.receive(message, keys) if self.inner.attentive else None
        vhost = self._vhost
        assert vhost is not None
        waiting = message.copy()
        if keys:  # blind copies are not in the headers any more, and are needed again
            waiting.header = with_field(waiting.header, BCC, list(keys))
        seq = self._next_seq
        self._next_seq = seq + 1
        due = int(vhost.clock.time() * 1000) + delay
        if self.id:
            vhost.store.put(self.id, seq, waiting, due)
        if not self.id or vhost.memory.used < vhost.memory.limit:
            self._keep(vhost, seq, waiting)
        heapq.heappush(self._due, (due, seq))
        if self._due[0][1] == seq:
            self._arm()
        return STORED if self.id else 0

    # --- inside

    def _keep(self, vhost: VHost, seq: int, message: Message) -> None:
        self._messages[seq] = message
        vhost.memory.used += message.size + ENTRY_COST

    def _recover(self, vhost: VHost) -> None:
        first = 0
        while places := vhost.store.read(self.id, first, PAGE):
            self._due += [(due, seq) for seq, _, due in places]
            first = places[-1][0] + 1
        heapq.heapify(self._due)
        self._arm()

    def _arm(self) -> None:
        """Have the clock call when the first message is due, and not before."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            assert self._vhost is not None
            clock = self._vhost.clock
            self._timer = clock.call_later(max(PAUSE, self._due[0][0] / 1000 - clock.time()), self._deliver_due)

    def _deliver_due(self) -> None:
        self._timer = None
        assert self._vhost is not None
        now = self._vhost.clock.time() * 1000 + 0.5  # a timer may be early by what a float does not tell
        for _ in range(BURST):
            if not self._due or self._due[0][0] > now:
                break
            self._deliver(self._vhost, heapq.heappop(self._due)[1])
        self._arm()

    def _deliver(self, vhost: VHost, seq: int) -> None:
        waiting = self._messages.pop(seq, None)
        if waiting is None:
            ((_, waiting, _),) = vhost.store.read(self.id, seq, 1)
        else:
            vhost.memory.used -= waiting.size + ENTRY_COST
        message, keys = arrived(waiting)
        vhost.route(self, message, keys).deliver(message)
        if self.id:  # in the batch that puts it into queues: it is never in both, and never in neither
            vhost.store.delete(self.id, seq, waiting)


def delay_of(message: Message) -> int:
    """The milliseconds a message asks to be held back; 0 when it does not, or asks for what cannot be."""
    delay = _integer(message.headers.get(DELAY))
    return delay if 0 < delay <= MAX_DELAY else 0


def arrived(waiting: Message) -> tuple[Message, tuple[str, ...]]:
    """What a message that has waited goes on as, and its further routing keys.

    Its x-delay is negative from now on, so that it is not held back again and whoever receives it can see that it was.
    """
    message = waiting.copy()
    keys = remembered_keys(waiting)
    delay = -_integer(waiting.headers[DELAY])
    expiration = waiting.properties.expiration
    message.ttl = NO_TTL if expiration is None else int(expiration)  # which the store does not tell
    message.header = with_field(without_field(waiting.header, BCC), DELAY, Int32(delay) if delay >= -1 << 31 else delay)
    return message, tuple(dict.fromkeys(keys))


def _integer(value: Any) -> int:
    """A delay as RabbitMQ reads it: numbers of all kinds, and strings that hold an integer."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, (bool, Timestamp)):
        return int(value) if -MAX_DELAY <= value <= MAX_DELAY else 0
    if isinstance(value, str) and value.lstrip("+-").isdecimal() and len(value) <= 11:
        return int(value)
    return 0


def _inner_type(arguments: Arguments) -> type[Exchange]:
    """Raises PreconditionFailed when there is no such type."""
    from . import find_type  # noqa: PLC0415 - the registry holds this module

    name = arguments.get(DELAYED_TYPE)
    if not isinstance(name, str):
        raise PreconditionFailed(f"Invalid argument, '{DELAYED_TYPE}' must be an existing exchange type")
    if name == DelayedMessageExchange.type:
        raise PreconditionFailed(f"Invalid argument, '{name}' can't be used for '{DELAYED_TYPE}'")
    found = find_type(name)
    if found is None:
        raise PreconditionFailed(f"unknown exchange type '{name}'")
    return found
