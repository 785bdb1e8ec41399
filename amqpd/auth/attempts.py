"""How many logins there were in each protocol, and how many of them failed."""

from __future__ import annotations

from typing import Any

from .base import Authenticator, Credentials, Login, Peer, User
from .pending import Pending


class Attempts:
    """The counts."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}  # by protocol: those that succeeded, those that failed

    def count(self, protocol: str, *, failed: bool) -> None:
        self._counts.setdefault(protocol, [0, 0])[failed] += 1

    def forget(self) -> None:
        self._counts.clear()

    def described(self) -> list[dict[str, Any]]:
        """For the management API, with RabbitMQ's names (rabbit_core_metrics:get_auth_attempts)."""
        return [
            {
                "protocol": protocol,
                "auth_attempts": succeeded + failed,
                "auth_attempts_failed": failed,
                "auth_attempts_succeeded": succeeded,
            }
            for protocol, (succeeded, failed) in sorted(self._counts.items())
        ]


class Counted:
    """An authenticator around another, for one protocol."""

    def __init__(self, authenticator: Authenticator, attempts: Attempts, protocol: str) -> None:
        self._authenticator = authenticator
        self._attempts = attempts
        self._protocol = protocol

    def authenticate(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        outcome = self._authenticator.authenticate(credentials, peer)
        if isinstance(outcome, Pending):
            outcome.then(self._count)
        else:
            self._count(outcome)
        return outcome

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login | Pending[Login]:
        return self._authenticator.update_secret(user, secret, peer)

    def _count(self, outcome: Login) -> None:
        self._attempts.count(self._protocol, failed=not isinstance(outcome, User))
