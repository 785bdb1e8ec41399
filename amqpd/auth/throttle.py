"""Slows down those who guess passwords: the more logins failed, the longer the next one that fails goes unanswered.

Failures are counted for each user at each host, and for each host; those who know the password are let in at once,
wherever they are. What is remembered is bounded, and forgotten after a while.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from ..clock import Clock
from .base import Authenticator, Credentials, Login, Peer, Refusal, User, after
from .pending import Pending

FREE: Final = 15
"""Failures of a user at one host that are answered at once: a service with an old password is not an attack."""

FREE_AT_HOST: Final = 60
"""Failures of all users at one host, likewise."""

LONGEST: Final = 8.0
"""Seconds, at most: a client that waits ten for an answer gets one."""

MEMORY: Final = 300.0
"""Seconds without another failure after which they are forgotten."""

MOST: Final = 4096
"""Users and hosts remembered; the ones that failed longest ago give way."""


class Throttled:
    """An authenticator around another."""

    def __init__(self, authenticator: Authenticator, clock: Clock) -> None:
        self._authenticator = authenticator
        self._clock = clock
        self._failures: dict[int, tuple[int, float]] = {}  # by hash, as names may be long: how many, and when last

    def authenticate(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        return after(self._authenticator.authenticate(credentials, peer), partial(self._weigh, credentials, peer))

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login | Pending[Login]:
        return self._authenticator.update_secret(user, secret, peer)

    def _weigh(self, credentials: Credentials, peer: Peer, outcome: Login) -> Login:
        """Count an outcome. A backend that failed says nothing about who asked."""
        if isinstance(outcome, Refusal) and outcome.failed:
            return outcome
        at_host = hash((peer.host,))
        of_user = hash((peer.host, credentials.name))
        if isinstance(outcome, User):
            self._failures.pop(of_user, None)
            return outcome
        delay = max(_delay(self._count(of_user), FREE), _delay(self._count(at_host), FREE_AT_HOST))
        return replace(outcome, delay=max(outcome.delay, delay))

    def _count(self, key: int) -> int:
        """One more failure; returns how many there were lately."""
        now = self._clock.now()
        count, last = self._failures.pop(key, (0, now))
        count = count + 1 if now - last < MEMORY else 1
        if len(self._failures) >= MOST:
            del self._failures[next(iter(self._failures))]
        self._failures[key] = count, now
        return count


def _delay(failures: int, free: int) -> float:
    """1, 2, 4, 8 seconds after those that are free."""
    return 0.0 if failures <= free else min(LONGEST, 2.0 ** min(failures - free - 1, 10))
