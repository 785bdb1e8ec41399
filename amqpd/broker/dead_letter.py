"""Dead letters: messages a queue let go unconsumed, published again to the exchange it names for that.

Each carries its history in headers, as RabbitMQ writes them (mc:record_death, mc_amqpl): `x-death` has a table for
every queue and reason, the latest first, and `x-first-death-*` and `x-last-death-*` sum it up. What a client writes
there itself counts for nothing (as from 4.0). A message that comes back to where it died, without anybody having
rejected it on the way, would go round for ever: it is not put there again.

Dead letters are as durable as their queues: they are put into the store together with the removal of the original.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..message import DIED, REDIRECTED, Address, Message, revised
from ..wire.fields import Timestamp
from ..wire.spec import ProtocolError
from .copies import remembered_keys

if TYPE_CHECKING:
    from .queue import Queue
    from .vhost import VHost

WARN_INTERVAL: Final = 60.0
"""Seconds before it is said again that what dies in a queue goes round in a cycle."""

Death = Mapping[str, Any]
"""An entry of x-death."""


class DeadLetters:
    """The dead letters of a vhost.

    One may make others die where it goes; they stand in line, so that no chain of queues is too long.
    """

    def __init__(self, vhost: VHost) -> None:
        self._vhost = vhost
        self._waiting: deque[tuple[Message, Queue, str]] = deque()
        self._publishing = False
        self._warned: dict[str, float] = {}  # queues where cycles were found, and when that was said last

    def publish(self, message: Message, queue: Queue, reason: str) -> None:
        """Send a message on that died in a queue which has a dead letter exchange."""
        self._waiting.append((message, queue, reason))
        if self._publishing:
            return
        self._publishing = True
        try:
            while self._waiting:
                self._publish(*self._waiting.popleft())
        finally:
            self._publishing = False

    def _publish(self, message: Message, queue: Queue, reason: str) -> None:
        vhost = self._vhost
        exchange = vhost.exchanges.get(queue.effective["x-dead-letter-exchange"])
        if exchange is None:  # may come to be, and then gets those that die later
            return
        given = "x-dead-letter-routing-key" in queue.effective
        key = queue.effective["x-dead-letter-routing-key"] if given else message.routing_key
        try:
            letter = self._letter(message, Address(exchange.name, key), queue.name, reason)
        except ProtocolError:  # properties nobody can read
            return
        if given:
            letter.died = REDIRECTED
        route = vhost.route(exchange, letter, remembered_keys(letter))
        deaths = letter.headers["x-death"]
        queues = tuple([target for target in route.queues if not _goes_round(target.name, deaths)])
        if len(queues) == len(route.queues):
            route.deliver(letter)
            return
        self._warn(queue.name, deaths)
        if queues:
            vhost.deliver(letter, queues)

    def _warn(self, queue: str, deaths: list[Death]) -> None:
        """A message that died in `queue` would have gone round. Said once in a while, not of each message."""
        now = self._vhost.clock.now()
        if now - self._warned.get(queue, -WARN_INTERVAL) < WARN_INTERVAL:
            return
        self._warned = {name: when for name, when in self._warned.items() if now - when < WARN_INTERVAL}
        self._warned[queue] = now
        cycle = list(dict.fromkeys([death["queue"] for death in deaths]))
        self._vhost.events.warn(
            "message dropped: dead letters go round in a cycle", vhost=self._vhost.name, queue=queue, cycle=cycle
        )

    def _letter(self, message: Message, address: Address, queue: str, reason: str) -> Message:
        """The message as it is published again. Raises ProtocolError when its properties are malformed."""
        headers = dict(message.headers)
        known: list[Death] = headers["x-death"] if message.died else []
        death = _death(message, queue, reason, int(self._vhost.clock.time()))
        for earlier in known:
            if (earlier["queue"], earlier["reason"]) == (queue, reason):
                death = {**earlier, "count": earlier["count"] + 1}
        headers["x-death"] = [death, *[d for d in known if (d["queue"], d["reason"]) != (queue, reason)]]
        for name, value in (("reason", reason), ("queue", queue), ("exchange", message.exchange)):
            if not message.died:
                headers[f"x-first-death-{name}"] = value
            headers[f"x-last-death-{name}"] = value
        letter = revised(message, address, replace(message.properties, headers=headers, expiration=None))
        letter.ttl = -1
        letter.died = message.died or DIED
        return letter


def _death(message: Message, queue: str, reason: str, time: int) -> Death:
    death: dict[str, Any] = {
        "count": 1,
        "reason": reason,
        "queue": queue,
        "time": Timestamp(time),
        "exchange": message.exchange,
        "routing-keys": [message.routing_key, *remembered_keys(message)],
    }
    if message.properties.expiration is not None:
        death["original-expiration"] = message.properties.expiration
    return death


def _goes_round(queue: str, deaths: list[Death]) -> bool:
    """Whether a message with these deaths, latest first, was in the queue before and nobody rejected it since."""
    for death in deaths:
        if death["reason"] == "rejected":
            return False
        if death["queue"] == queue:
            return True
    return False
