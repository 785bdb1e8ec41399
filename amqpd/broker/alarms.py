"""Alarms: reasons for which publishers are to wait until something heals."""

from __future__ import annotations

from collections.abc import Callable

from .events import Events


class Alarms:
    """The reasons raised at present, and who wants to know when that changes."""

    def __init__(self, events: Events | None = None, node: str = "") -> None:
        self._events = events or Events()
        self._node = node
        self._raised: dict[str, None] = {}  # in order of raising
        self._listeners: set[Callable[[], None]] = set()

    @property
    def reason(self) -> str:
        """The reasons in RabbitMQ's words, such as `low on disk`, joined by ` & `; empty when all is well."""
        return " & ".join(self._raised)

    def raise_(self, reason: str) -> None:
        """Raise an alarm; nothing happens when it is raised already."""
        if reason not in self._raised:
            self._raised[reason] = None
            self._tell("alarm.set", reason)

    def clear(self, reason: str) -> None:
        """Clear an alarm; nothing happens when it is not raised."""
        if reason in self._raised:
            del self._raised[reason]
            self._tell("alarm.cleared", reason)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change, until `unlisten`."""
        self._listeners.add(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        self._listeners.discard(listener)

    def _tell(self, event: str, reason: str) -> None:
        if self._events.listeners:
            self._events.tell(event, source=reason.removeprefix("low on "), node=self._node)
        for listener in list(self._listeners):
            listener()
