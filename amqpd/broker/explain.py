"""Where a message would go, binding by binding: `VHost.route` in slow motion, for people.

Exchanges are visited in the same order and asked with the same `match`; nothing is delivered, kept or changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..message import Message
from .binding import BindingKey
from .exchanges import Exchange
from .exchanges.base import Verdict
from .stream import AnyQueue
from .vhost import VHost


@dataclass(slots=True)
class Visit:
    """An exchange on the way, and what each of its bindings said."""

    exchange: Exchange
    came_from: Exchange | None  # None: the message was published there
    as_alternate: bool  # of the one it came from, where no binding matched
    verdicts: list[Verdict]


@dataclass(slots=True)
class Explanation:
    """The way of one message."""

    visits: list[Visit] = field(default_factory=list)
    queues: list[AnyQueue] = field(default_factory=list)  # that get it, each once

    @property
    def routed(self) -> bool:
        return bool(self.queues)


def explain(vhost: VHost, exchange: Exchange, message: Message, keys: tuple[str, ...] = ()) -> Explanation:
    """The exchanges a message published to `exchange` passes, and the queues it reaches.

    `keys` are routing keys besides the message's own. Exchanges that choose at random choose anew.
    """
    found = Explanation()
    queues: dict[AnyQueue, None] = {}
    copies = [message.copy(routing_key) for routing_key in keys]
    seen = {exchange}
    to_visit: list[tuple[Exchange, Exchange | None, bool]] = [(exchange, None, False)]
    while to_visit:
        current, came_from, as_alternate = to_visit.pop()
        verdicts = _verdicts(current, [message] if current.one_key else [message, *copies])
        found.visits.append(Visit(current, came_from, as_alternate, verdicts))
        matched = [verdict.binding.destination for verdict in verdicts if verdict.matched]
        for destination in matched:
            if not isinstance(destination, Exchange):
                queues[destination] = None
            elif destination not in seen:
                seen.add(destination)
                to_visit.append((destination, current, False))
        if not matched and current.alternate:
            alternate = vhost.exchanges.get(current.alternate)
            if alternate is not None and alternate not in seen:
                seen.add(alternate)
                to_visit.append((alternate, current, True))
    found.queues = list(queues)
    return found


def _verdicts(exchange: Exchange, messages: list[Message]) -> list[Verdict]:
    """What an exchange says of each binding; with several keys, the first that matches counts."""
    best: dict[BindingKey, Verdict] = {}
    for message in messages:
        for verdict in exchange.explain(message):
            known = best.get(verdict.binding.key)
            if known is None or (verdict.matched and not known.matched):
                best[verdict.binding.key] = verdict
    return list(best.values())
