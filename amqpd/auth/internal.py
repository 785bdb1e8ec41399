"""Users the broker itself knows: for now the default user, who may do everything, from this machine only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Container

from .base import Action, Credentials, Peer, Refusal, Resource, User


class InternalUsers:
    """Authenticator and authorizer over a table of users. Passwords are kept as salted SHA-256, as RabbitMQ does."""

    def __init__(self, loopback_users: Container[str]) -> None:
        self._loopback_users = loopback_users  # may log in from this machine only
        self._users: dict[str, tuple[User, bytes]] = {}

    def add(self, name: str, password: str, tags: frozenset[str] = frozenset()) -> None:
        """Add a user, or change one."""
        self._users[name] = (User(name, tags), salted_hash(password.encode(), secrets.token_bytes(4)))

    def authenticate(self, credentials: Credentials, peer: Peer) -> User | Refusal:
        user, hashed = self._users.get(credentials.name, (None, bytes(36)))
        # hashed for unknown users too, so that the time it takes tells nothing
        right = hmac.compare_digest(salted_hash(credentials.password or b"", hashed[:4]), hashed)
        if user is None or not right or not credentials.password:
            return Refusal(f"user '{credentials.name}' - invalid credentials")
        if user.name in self._loopback_users and not peer.loopback:
            return Refusal(f"user '{user.name}' can only connect via localhost")
        return user

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> User | Refusal:
        return user

    def may_enter(self, user: User, vhost: str, peer: Peer) -> bool:
        return user.name in self._users

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> bool:
        return user.name in self._users

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return False

    def may_use_topic(self, user: User, action: Action, vhost: str, exchange: str, routing_key: str) -> bool:
        return True

    def limit(self, user: User, name: str) -> int | None:
        return None


def salted_hash(password: bytes, salt: bytes) -> bytes:
    """Four bytes of salt, and SHA-256 over salt and password (RabbitMQ's rabbit_password_hashing_sha256)."""
    return salt + hashlib.sha256(salt + password).digest()
