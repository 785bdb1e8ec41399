"""Keeps the door free: connections that do not log in, however many, are not to keep out those that do.

Whoever logs in is through in a moment. So when too many connections wait at the door, or file descriptors become short,
the one that has stood there longest goes, and the newcomer gets its chance; a limit on newcomers instead would be a
switch for any stranger to turn the broker off with.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from ..clock import Clock

RESERVE: Final = 64
"""File descriptors kept for what is not a connection: stores, logs, listening sockets."""

QUIET: Final = 10.0
"""Seconds between lines that say the same of other connections."""


class Arrival(Protocol):
    """A connection, as far as it matters here."""

    def abort(self) -> None:
        """Close the socket at once."""
        ...


class Admission:
    """All connections of all listeners; those that have not logged in yet in order of arrival."""

    def __init__(self, clock: Clock, log: Any, *, handshakes: int = 0, descriptors: int = 0) -> None:
        self.connected = 0
        self.waiting: dict[Arrival, None] = {}
        self._clock = clock
        self._log = log
        self._handshakes = handshakes  # how many may wait; 0 = any number
        self._room = max(1, descriptors - RESERVE - descriptors // 8) if descriptors else 0  # 0 = unknown
        self._turned_away = 0  # since that was logged last
        self._quiet_until = 0.0

    def arrived(self, arrival: Arrival) -> None:
        """One more; another may have to go for it, or itself, when all others have logged in."""
        self.connected += 1
        self.waiting[arrival] = None
        if self._room and self.connected > self._room:
            self._turn_away("file descriptors are short")
        elif self._handshakes and len(self.waiting) > self._handshakes:
            self._turn_away("too many connections have not logged in")

    def admitted(self, arrival: Arrival) -> None:
        """It has logged in, and may stay."""
        self.waiting.pop(arrival, None)

    def left(self, arrival: Arrival) -> None:
        """Its socket is closed."""
        self.connected -= 1
        self.waiting.pop(arrival, None)

    def _turn_away(self, reason: str) -> None:
        oldest = next(iter(self.waiting), None)
        if oldest is None:  # they are on their way out already
            return
        del self.waiting[oldest]
        self._turned_away += 1
        now = self._clock.now()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET
            self._log.warning(
                f"{reason}: closing those that have waited longest",
                closed=self._turned_away,
                connections=self.connected,
                waiting=len(self.waiting),
            )
            self._turned_away = 0
        oldest.abort()
