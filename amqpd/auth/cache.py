"""A backend in front of another that remembers what it said for a while (RabbitMQ's rabbit_auth_backend_cache).

Remembered is who may, and who may not where that is wanted, but never that nobody could be asked. An answer is that to
one question, of one user as they logged in; passwords are kept as hashes that only this process can make.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Hashable
from typing import Any, Final

from ..clock import Clock
from .base import Action, Answer, Backend, Credentials, Login, Peer, Resource, User, Verdict, after
from .pending import Pending

MOST: Final = 65536
"""Answers remembered; the oldest give way."""


class CachingBackend:
    """The backend. As with a pair in the chain, one may say who somebody is, and another what they may do."""

    name = "rabbit_auth_backend_cache"

    def __init__(self, authn: Backend, authz: Backend, clock: Clock, ttl: float, *, refusals: bool = False) -> None:
        self._authn = authn
        self._authz = authz
        self._clock = clock
        self._ttl = ttl  # seconds
        self._refusals = refusals  # are remembered, too
        self._salt = os.urandom(32)
        self._known: dict[Hashable, tuple[Any, float]] = {}  # with the moment they are forgotten

    # --- Authenticator

    def authenticate(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        return self._of("authn", self._key(credentials), lambda: self._authn.authenticate(credentials, peer))

    def admit(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        return self._of("authz", self._key(credentials), lambda: self._authz.admit(credentials, peer))

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login | Pending[Login]:
        return self._authz.update_secret(user, secret, peer)

    # --- Authorizer

    def may_enter(self, user: User, vhost: str, peer: Peer) -> Verdict | Pending[Verdict]:
        return self._of("vhost", (user, vhost, peer.host), lambda: self._authz.may_enter(user, vhost, peer))

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict | Pending[Verdict]:
        question = (user, action, vhost, kind, name)
        return self._of("resource", question, lambda: self._authz.may(user, action, vhost, kind, name))

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return self._authz.checks_topics(user, vhost, exchange)

    def may_use_topic(
        self, user: User, action: Action, vhost: str, exchange: str, routing_key: str
    ) -> Verdict | Pending[Verdict]:
        question = (user, action, vhost, exchange, routing_key)
        return self._of(
            "topic", question, lambda: self._authz.may_use_topic(user, action, vhost, exchange, routing_key)
        )

    def limit(self, user: User, name: str) -> int | None:
        return self._authz.limit(user, name)

    # --- remembering

    def _key(self, credentials: Credentials) -> Hashable:
        password = credentials.password
        digest = None if password is None else hmac.new(self._salt, password, hashlib.sha256).digest()
        return credentials.name, digest, credentials.client_id

    def _of(
        self, kind: str, question: Hashable, ask: Callable[[], Answer | Pending[Answer]]
    ) -> Answer | Pending[Answer]:
        key = (kind, question)
        known = self._known.get(key)
        if known is not None and self._clock.now() < known[1]:
            answer: Answer = known[0]
            return answer

        def remember(answer: Answer) -> Answer:
            positive = isinstance(answer, User) or (isinstance(answer, bool) and answer)
            failed = not positive and getattr(answer, "failed", False)
            if positive or (self._refusals and not failed):
                self._known.pop(key, None)
                if len(self._known) >= MOST:
                    del self._known[next(iter(self._known))]
                self._known[key] = answer, self._clock.now() + self._ttl
            return answer

        return after(ask(), remember)
