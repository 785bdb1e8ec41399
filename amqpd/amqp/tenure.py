"""How long what is known of a connection's user holds: until the credentials expire, or it is to be asked again."""

from __future__ import annotations

from ..auth.base import User
from ..clock import Clock


class Tenure:
    """Two deadlines of one user."""

    __slots__ = ("_expiry", "_recheck", "due")

    def __init__(self, user: User, clock: Clock) -> None:
        now = clock.now()
        self._recheck = user.recheck  # seconds
        self._expiry: float | None = None
        if user.expires is not None:
            self._expiry = now + max(0.0, user.expires - clock.time())
        self.due = now  # when `check` is to be called
        self.check(now)

    def check(self, now: float) -> bool:
        """Whether the credentials have expired; if not, what the user may do is to be asked again."""
        if self._expiry is not None and now >= self._expiry:
            return True
        dues = [now + self._recheck] if self._recheck is not None else []
        if self._expiry is not None:
            dues.append(self._expiry)
        self.due = min(dues)
        return False


def tenure_of(user: User, clock: Clock) -> Tenure | None:
    """None for users of whom everything holds until they are gone."""
    return None if user.expires is None and user.recheck is None else Tenure(user, clock)
