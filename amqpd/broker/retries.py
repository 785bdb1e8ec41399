"""Retries that wait: messages a quorum queue holds for a while after they came back (RabbitMQ, from 4.3 on).

The delay grows with the number of times a message failed: min(x-delayed-retry-min times that, x-delayed-retry-max).
x-delayed-retry-type says which returns it is for: `failed` ones that count towards the delivery limit, those merely
`returned`, or `all`. Arguments that make no sense ask for nothing, as in RabbitMQ, which does not check them.
"""

from __future__ import annotations

import heapq
from typing import Final

from .arguments import Arguments
from .entry import Entry

TYPE: Final = "x-delayed-retry-type"
MIN: Final = "x-delayed-retry-min"
MAX: Final = "x-delayed-retry-max"

_DELAYED: Final = {"all": (True, True), "failed": (True, False), "returned": (False, True)}
"""By type: whether returns that count are delayed, and whether others are."""


class Retries:
    """What one queue holds. Moments are wall-clock milliseconds."""

    def __init__(self, arguments: Arguments) -> None:
        least, most = _positive(arguments.get(MIN)), _positive(arguments.get(MAX))
        kind = arguments.get(TYPE)
        delayed = _DELAYED.get(kind) if least and isinstance(kind, str) else None
        self._delays_failed, self._delays_others = delayed or (False, False)
        self._least = least
        self._most = most or least
        self._waiting: list[tuple[int, int, Entry]] = []  # a heap: until when, seq

    def delay(self, entry: Entry, failed: bool) -> int:
        """The milliseconds to hold what just came back; 0 = not at all."""
        if not (self._delays_failed if failed else self._delays_others):
            return 0
        return min(self._least * max(1, entry.returns), self._most)

    def hold(self, entry: Entry, until: int) -> None:
        """Keep it until then."""
        heapq.heappush(self._waiting, (until, entry.seq, entry))

    def next(self) -> int | None:
        """When the next is due."""
        return self._waiting[0][0] if self._waiting else None

    def take_due(self, now: int) -> list[Entry]:
        """Let go of those that are due, in order of seq."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        return sorted(due, key=lambda entry: entry.seq)

    def take_all(self) -> list[Entry]:
        """Let go of all."""
        taken = [entry for _, _, entry in self._waiting]
        self._waiting.clear()
        return taken


def _positive(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
