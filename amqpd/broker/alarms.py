"""Alarms: reasons for which publishers are to wait until something heals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .events import Events

LOW_ON: Final = "low on "
LOW_ON_MEMORY: Final = LOW_ON + "memory"
LOW_ON_DISK: Final = LOW_ON + "disk"


class Alarms:
    """The reasons raised at present, and who wants to know when that changes.

    Several sources may hold one reason, as little free space and a failing write both do: it lasts until the last of
    them lets go.
    """

    def __init__(self, events: Events | None = None, node: str = "") -> None:
        self.reason = ""  # all there are, in RabbitMQ's words, such as `low on disk & memory`; empty when all is well
        self._events = events or Events()
        self._node = node
        self._raised: dict[str, set[str]] = {}  # in order of raising, with the sources that hold them
        self._listeners: set[Callable[[], None]] = set()

    @property
    def raised(self) -> tuple[str, ...]:
        """The reasons, in order of raising."""
        return tuple(self._raised)

    def raise_(self, reason: str, source: str = "") -> bool:
        """Raise an alarm. Returns whether it is new: another source may hold it already."""
        sources = self._raised.setdefault(reason, set())
        new = not sources
        sources.add(source)
        if new:
            self._tell("alarm.set", reason)
        return new

    def clear(self, reason: str, source: str = "") -> bool:
        """Let go of an alarm. Returns whether it is over: another source may still hold it, or nobody did."""
        sources = self._raised.get(reason, set())
        if source not in sources:
            return False
        sources.remove(source)
        if sources:
            return False
        del self._raised[reason]
        self._tell("alarm.cleared", reason)
        return True

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change, until `unlisten`."""
        self._listeners.add(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        self._listeners.discard(listener)

    def _tell(self, event: str, reason: str) -> None:
        self.reason = LOW_ON + " & ".join(sorted(map(_resource, self._raised))) if self._raised else ""
        if self._events.listeners:
            self._events.tell(event, source=_resource(reason), node=self._node)
        for listener in list(self._listeners):
            listener()


def _resource(reason: str) -> str:
    """What there is too little of."""
    return reason.removeprefix(LOW_ON)
