"""A backend for JSON Web Tokens, which clients show as their password (RabbitMQ's rabbit_auth_backend_oauth2).

A token says who somebody is, what they may do (`scopes`) and until when; its signature is checked with `keys`. The user
name that a client gives does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import jwt

from ..clock import Clock
from .base import Action, Credentials, Denied, Login, Peer, Refusal, Resource, User, Verdict, after
from .keys import Key, Keys
from .pending import Pending
from .scopes import Rule, rules_in

MOST_SCOPES: Final = 2048

FAILED: Final = "Authentication using an OAuth 2/JWT token failed"

_REQUESTING_PARTY: Final = "authorization.permissions.scopes"
"""Where a requesting party token (UMA, as of Keycloak) has scopes."""

_OPTIONS: Final[Any] = {
    "verify_signature": True,
    **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}
"""Claims are looked at here, or not at all, as by RabbitMQ."""

_BAD_TOKEN: Final = (jwt.PyJWTError, ValueError, RecursionError)
"""What comes of tokens that are none."""


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """What tokens have to be like to be meant for this broker."""

    id: str
    scope_prefix: str
    verify_aud: bool = True
    require_exp: bool = True
    additional_scopes_key: str = ""  # paths with blanks between them
    scope_aliases: Mapping[str, str] = field(default_factory=dict)  # scopes with blanks between them
    username_claims: tuple[str, ...] = ("sub", "client_id")
    default_key: str = ""
    algorithms: tuple[str, ...] = ()  # none: those of the key


@dataclass(frozen=True)
class TokenUser(User):
    """Somebody with a token."""

    scopes: tuple[str, ...] = ()
    claims: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # those that are text, for scopes to refer to


class Oauth2Backend:
    """The backend."""

    name = "rabbit_auth_backend_oauth2"

    def __init__(self, server: ResourceServer, keys: Keys, clock: Clock) -> None:
        self._server = server
        self._keys = keys
        self._clock = clock

    # --- Authenticator

    def authenticate(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        if credentials.password is None:
            return Refusal(f"{FAILED}: there is none")
        return self._look_at(credentials.password, credentials.client_id, may_wait=True)

    def admit(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        """The token counts, but for its tags: who was let in elsewhere does not get them."""

        def without_tags(outcome: Login) -> Login:
            return replace(outcome, tags=frozenset()) if isinstance(outcome, User) else outcome

        return after(self.authenticate(credentials, peer), without_tags)

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login | Pending[Login]:
        def same(outcome: Login) -> Login:
            if isinstance(outcome, User) and outcome.name != user.name:
                return Refusal("Not allowed to change username on refreshed token")
            return outcome

        return after(self._look_at(secret, user.client_id, may_wait=True), same)

    # --- Authorizer

    def may_enter(self, user: User, vhost: str, peer: Peer) -> Verdict:
        return self._decide(user, vhost, lambda rule: True)

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict:
        return self._decide(user, vhost, lambda rule: rule.action is action and rule.name.matches(name))

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return True

    def may_use_topic(self, user: User, action: Action, vhost: str, exchange: str, routing_key: str) -> Verdict:
        return self._decide(
            user,
            vhost,
            lambda rule: (
                rule.action is action
                and rule.routing_key is not None
                and rule.name.matches(exchange)
                and rule.routing_key.matches(routing_key)
            ),
        )

    def limit(self, user: User, name: str) -> int | None:
        return None

    def _decide(self, user: User, vhost: str, permits: Callable[[Rule], bool]) -> Verdict:
        assert isinstance(user, TokenUser)
        expired = self._expired(user.expires)
        if expired:
            return Denied(expired, failed=True)
        return any(permits(rule) for rule in rules_in(vhost, user.scopes, user.claims))

    # --- tokens

    def _look_at(self, secret: bytes, client_id: str, *, may_wait: bool) -> Login | Pending[Login]:
        """Who somebody with this token is. Keys are fetched when its key is unknown, if that `may_wait`."""
        try:
            token = secret.decode("ascii")
            key_id = jwt.get_unverified_header(token).get("kid", self._server.default_key)
        except _BAD_TOKEN:
            return Refusal(f"{FAILED}: provided token is invalid")
        key = self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is not None:
            return self._verify(token, key, client_id)
        fetching = self._keys.refresh() if may_wait else None
        if fetching is None:
            return Refusal(f"{FAILED}: key_not_found")

        def fetched(worked: bool) -> Login:
            if not worked:
                return Refusal(f"{FAILED}: the signing keys cannot be had", failed=True)
            outcome = self._look_at(secret, client_id, may_wait=False)
            assert not isinstance(outcome, Pending)
            return outcome

        return fetching.map(fetched)

    def _verify(self, token: str, key: Key, client_id: str) -> Login:
        server = self._server
        algorithms = [name for name in key.algorithms if not server.algorithms or name in server.algorithms]
        try:
            claims = jwt.decode(token, key.key, algorithms=algorithms, options=_OPTIONS)
        except jwt.InvalidSignatureError:
            return Refusal(f"{FAILED}: signature_invalid")
        except _BAD_TOKEN:
            return Refusal(f"{FAILED}: provided token is invalid")
        problem = self._problem(claims)
        if problem:
            return Refusal(f"{FAILED}: {problem}")
        scopes = self._scopes(claims)
        if len(scopes) > MOST_SCOPES:
            return Refusal(f"{FAILED}: too_many_scopes")
        return TokenUser(
            next((claims[name] for name in server.username_claims if isinstance(claims.get(name), str)), "unknown"),
            frozenset([scope.removeprefix("tag:") for scope in scopes if scope.startswith("tag:")]),
            client_id,
            float(int(claims["exp"])) if "exp" in claims else None,
            scopes=tuple(scopes),
            claims=tuple([(name, value) for name, value in claims.items() if isinstance(value, str)]),
        )

    def _problem(self, claims: Mapping[str, Any]) -> str:
        """Why a token that is genuine does not count."""
        server = self._server
        if server.verify_aud:
            audience = claims.get("aud")
            if audience is None:
                return "no_aud_found"
            if server.id not in _words(audience):
                return "no_matching_aud_found"
        expires = claims.get("exp")
        if expires is None and "exp" not in claims:
            return "Provided JWT token has no exp claim" if server.require_exp else ""
        if isinstance(expires, bool) or not isinstance(expires, (int, float)) or not 0 <= expires < 1e15:
            return "Provided JWT token has an invalid exp claim: value is not a number"
        return self._expired(expires)

    def _expired(self, expires: float | None) -> str:
        now = int(self._clock.time())
        if expires is None or int(expires) > now:
            return ""
        return f"Provided JWT token has expired at timestamp {int(expires)} (validated at {now})"

    def _scopes(self, claims: Mapping[str, Any]) -> list[str]:
        """Those meant for this broker, without what they begin with."""
        server = self._server
        scopes = _words(claims.get("scope"))
        for path in (_REQUESTING_PARTY, *server.additional_scopes_key.split()):
            for value in _at(claims, path.split(".")):
                scopes += self._scopes_in(value)
        for scope in list(scopes):
            scopes += server.scope_aliases.get(scope, "").split()
        prefix = server.scope_prefix
        return sorted({scope.removeprefix(prefix) for scope in scopes if scope.startswith(prefix)})

    def _scopes_in(self, value: Any) -> list[str]:
        """A list of scopes, or text with blanks between them, or either below this broker's name."""
        if isinstance(value, dict):
            return [f"{self._server.id}.{scope}" for scope in _words(value.get(self._server.id))]
        return _words(value)


def _words(value: Any) -> list[str]:
    """Text with blanks in it, or a list; nothing of anything else."""
    if isinstance(value, str):
        return value.split()
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    """What a path leads to, in maps and in lists of maps."""
    if not path:
        yield value
    elif isinstance(value, dict):
        if path[0] in value:
            yield from _at(value[path[0]], path[1:])
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from _at(item, path)
