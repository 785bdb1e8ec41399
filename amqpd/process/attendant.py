"""Who is told when the broker starts and stops, and what they are given."""

from __future__ import annotations

from typing import Protocol

from ..clock import Clock
from .announcement import Announcement


class Running(Protocol):
    """A broker that accepts connections, as far as attendants know it."""

    clock: Clock

    @property
    def announcement(self) -> Announcement:
        """Where it can be reached."""
        ...

    def request_stop(self, reason: str) -> None:
        """Stop soon, for a reason that is logged."""
        ...


class Attendant:
    """Does nothing at each moment of a broker's life; what matters is overridden."""

    def prepare(self) -> None:
        """Before the start. Raises StartupError when there had better be none."""

    def started(self, running: Running) -> None:
        """Connections are accepted. May raise StartupError as well: the broker stops again."""

    def stopping(self) -> None:
        """No more connections are accepted."""

    def stopped(self) -> None:
        """It is over. Called once `prepare` succeeded, however it went on."""
