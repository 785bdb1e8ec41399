"""Why a message goes where it goes: every exchange on its way, and what became of each binding there.

It goes the way of `VHost.route`, and asks the exchanges the same, but nothing is published, kept or counted.
"""

from __future__ import annotations

from typing import NamedTuple

from ..message import Message
from .exchanges import Exchange
from .exchanges.base import Verdict
from .stream import AnyQueue
from .vhost import VHost


class Step(NamedTuple):
    """One exchange on the way."""

    exchange: Exchange
    reached_from: Exchange | None  # None: it is published there
    as_alternate: bool  # because nothing matched there; else by a binding
    verdicts: list[tuple[str, Verdict]]  # each with the routing key that was asked about
    alternate: str | None  # where it goes from here, because nothing matched; maybe there is none of that name
    alternate_exists: bool


class Explanation(NamedTuple):
    """The whole way, and where it ends."""

    steps: list[Step]
    queues: list[AnyQueue]  # each once, in the order they are found


def explain(vhost: VHost, exchange: Exchange, message: Message, keys: tuple[str, ...] = ()) -> Explanation:
    """What would happen to a message; `keys` are routing keys besides its own (see `copies`).

    Exchanges that keep messages for a while are passed as if they let them go, and those that choose by chance choose
    anew each time.
    """
    queues: dict[AnyQueue, None] = {}
    steps: list[Step] = []
    seen = {exchange}
    to_visit: list[tuple[Exchange, Exchange | None, bool]] = [(exchange, None, False)]
    while to_visit:
        current, reached_from, as_alternate = to_visit.pop()
        verdicts = _verdicts(current, message, () if current.one_key else keys)
        matched = dict.fromkeys([verdict.binding for _, verdict in verdicts if verdict.matched])
        for binding in matched:
            destination = binding.destination
            if not isinstance(destination, Exchange):
                queues[destination] = None
            elif destination not in seen:
                seen.add(destination)
                to_visit.append((destination, current, False))
        name = None if matched else current.alternate
        alternate = vhost.exchanges.get(name) if name else None
        if alternate is not None and alternate not in seen:
            seen.add(alternate)
            to_visit.append((alternate, current, True))
        steps.append(Step(current, reached_from, as_alternate, verdicts, name, alternate is not None))
    return Explanation(steps, list(queues))


def _verdicts(exchange: Exchange, message: Message, keys: tuple[str, ...]) -> list[tuple[str, Verdict]]:
    messages = [message, *[message.copy(key) for key in keys]]
    return [(each.routing_key, verdict) for each in messages for verdict in exchange.explain(each)]
