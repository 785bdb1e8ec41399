"""Users the broker itself knows: for now the default user, who may do everything, from this machine only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Container

from .base import Action, Credentials, Peer, User


class InternalUsers:
    """Authenticator and authorizer over a table of users. Passwords are kept as salted SHA-256, as RabbitMQ does."""

    def __init__(self, loopback_users: Container[str]) -> None:
        self._loopback_users = loopback_users  # may log in from this machine only
        self._users: dict[str, tuple[User, bytes]] = {}

    def add(self, name: str, password: str, tags: frozenset[str] = frozenset()) -> None:
        """Add a user, or change one."""
        self._users[name] = (User(name, tags), salted_hash(password.encode(), secrets.token_bytes(4)))

    def authenticate(self, credentials: Credentials, peer: Peer) -> User | str:
        user, hashed = self._users.get(credentials.name, (None, bytes(36)))
        # hashed for unknown users too, so that the time it takes tells nothing
        password = credentials.password
        right = password is None or (hmac.compare_digest(salted_hash(password, hashed[:4]), hashed) and password != b"")
        if user is None or not right:
            return f"user '{credentials.name}' - invalid credentials"
        if user.name in self._loopback_users and not peer.loopback:
            return f"user '{user.name}' can only connect via localhost"
        return user

    def may_enter(self, user: User, vhost: str) -> bool:
        return user.name in self._users

    def may(self, user: User, action: Action, vhost: str, name: str) -> bool:
        return user.name in self._users


def salted_hash(password: bytes, salt: bytes) -> bytes:
    """Four bytes of salt, and SHA-256 over salt and password (RabbitMQ's rabbit_password_hashing_sha256)."""
    return salt + hashlib.sha256(salt + password).digest()
