"""Several backends, asked in turn: the first that lets somebody in also says what they may do.

As in RabbitMQ, a backend may let in users whom another is responsible for (`auth_backends.1.authn` and `.authz`), and
one that fails is passed over as if it had refused. To everybody else a chain is one authenticator and authorizer.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from functools import partial

from .base import Action, Authorizer, Backend, Credentials, Denied, Login, Peer, Refusal, Resource, User, Verdict, after
from .pending import Pending


@dataclass(frozen=True, slots=True)
class Link:
    """Who says who somebody is, and who says what they may do. Often that is the same backend."""

    authn: Backend
    authz: Backend
    apart: bool = False  # the second has to know the user, too, although it may be the first


@dataclass(frozen=True)
class Member(User):
    """A user as let in by the chain."""

    authz: Backend | None = None  # says what the user may do …
    known_as: User | None = None  # … whom it knows as this one


class Chain:
    """Authenticator and authorizer made of backends. Limits are those of `limits`, whoever let the user in."""

    def __init__(self, links: Sequence[Link], limits: Authorizer, loopback_users: Container[str] = ()) -> None:
        self._links = tuple(links)
        self._limits = limits
        self._loopback_users = loopback_users  # may log in from this machine only

    # --- Authenticator

    def authenticate(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        return after(self._try(0, credentials, peer, None), partial(self._at_home, peer))

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login | Pending[Login]:
        """Only credentials that expire are renewed; a new password changes nothing."""
        authz, known_as = _authority(user)
        if known_as.expires is None:
            return user

        def updated(outcome: Login) -> Login:
            if isinstance(outcome, Refusal):
                return outcome
            return _member(outcome.name, outcome.tags, authz, outcome)

        return after(authz.update_secret(known_as, secret, peer), updated)

    def _try(self, number: int, credentials: Credentials, peer: Peer, last: Refusal | None) -> Login | Pending[Login]:
        """Ask a link, and those behind it when it refuses. The last refusal counts."""
        if number == len(self._links):
            return last or Refusal(f"No modules checked '{credentials.name}'")
        link = self._links[number]

        def authenticated(outcome: Login) -> Login | Pending[Login]:
            if isinstance(outcome, Refusal):
                refusal = _refusal(link.authn, "authenticating", credentials.name, outcome, last)
                return self._try(number + 1, credentials, peer, refusal)
            if not link.apart:
                return _member(outcome.name, outcome.tags, link.authz, outcome)
            renamed = replace(credentials, name=outcome.name)
            return after(link.authz.admit(renamed, peer), partial(admitted, outcome))

        def admitted(user: User, outcome: Login) -> Login | Pending[Login]:
            if isinstance(outcome, Refusal):
                refusal = _refusal(link.authz, "authorizing", user.name, outcome, last)
                return self._try(number + 1, credentials, peer, refusal)
            return _member(user.name, user.tags | outcome.tags, link.authz, outcome)

        return after(link.authn.authenticate(credentials, peer), authenticated)

    def _at_home(self, peer: Peer, outcome: Login) -> Login:
        if isinstance(outcome, User) and outcome.name in self._loopback_users and not peer.loopback:
            return Refusal(f"user '{outcome.name}' can only connect via localhost")
        return outcome

    # --- Authorizer

    def may_enter(self, user: User, vhost: str, peer: Peer) -> Verdict | Pending[Verdict]:
        authz, known_as = _authority(user)
        return _explained(authz, authz.may_enter(known_as, vhost, peer))

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict | Pending[Verdict]:
        authz, known_as = _authority(user)
        return _explained(authz, authz.may(known_as, action, vhost, kind, name))

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        authz, known_as = _authority(user)
        return authz.checks_topics(known_as, vhost, exchange)

    def may_use_topic(
        self, user: User, action: Action, vhost: str, exchange: str, routing_key: str
    ) -> Verdict | Pending[Verdict]:
        authz, known_as = _authority(user)
        return _explained(authz, authz.may_use_topic(known_as, action, vhost, exchange, routing_key))

    def limit(self, user: User, name: str) -> int | None:
        return self._limits.limit(user, name)


def _member(name: str, tags: frozenset[str], authz: Backend, user: User) -> Member:
    known_as = replace(user, name=name, tags=tags)
    return Member(name, tags, user.client_id, user.expires, user.recheck, authz, known_as)


def _authority(user: User) -> tuple[Backend, User]:
    """Who says what a user may do, and whom it knows the user as."""
    if not isinstance(user, Member) or user.authz is None or user.known_as is None:
        raise TypeError(f"'{user.name}' was not let in by this chain")
    return user.authz, user.known_as


def _refusal(backend: Backend, doing: str, name: str, refusal: Refusal, last: Refusal | None) -> Refusal:
    """It has not failed altogether once one backend has looked at the credentials, and did not like them."""
    if not refusal.failed:
        return refusal
    reason = f"{backend.name} failed {doing} {name}: {refusal.reason}"
    return replace(refusal, reason=reason, failed=last is None or last.failed)


def _explained(backend: Backend, answer: Verdict | Pending[Verdict]) -> Verdict | Pending[Verdict]:
    """In RabbitMQ's words: which backend it is that has something to add."""
    if isinstance(answer, bool):
        return answer

    def explain(verdict: Verdict) -> Verdict:
        if not isinstance(verdict, Denied) or not verdict.addition:
            return verdict
        if verdict.failed:
            return Denied(f", backend {backend.name} returned an error: {verdict.addition}", failed=True)
        return Denied(f" by backend {backend.name}: {verdict.addition}")

    return after(answer, explain)
