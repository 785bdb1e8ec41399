"""Users the broker itself knows, in its store: their passwords, tags, limits and permissions.

Answers what `Authenticator` and `Authorizer` ask, and changes what operators want changed; in whose name, the caller
says with `Events.acting`. An operation raises OperatorError, NoSuchObject for what is not there, before it changes
anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..broker.broker import Broker
from ..errors import NoSuchObject, OperatorError, StartupError
from ..patterns import Pattern
from ..store.base import Kind, Recovered
from .base import MAX_CHANNELS, MAX_CONNECTIONS, Action, Credentials, Peer, Refusal, Resource, User
from .passwords import DEFAULT_ALGORITHM, check_hash, hash_password, matches
from .permissions import Permissions

MAX_TAGS: Final = 32

LIMITS: Final = (MAX_CONNECTIONS, MAX_CHANNELS)


@dataclass(frozen=True, slots=True)
class InternalUser:
    """A user as kept in the store."""

    id: int
    name: str
    password_hash: str = field(repr=False)  # empty: no password is right
    hashing_algorithm: str = DEFAULT_ALGORITHM
    tags: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)  # some of LIMITS; negative: none after all

    @property
    def definition(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "password_hash": self.password_hash,
            "hashing_algorithm": self.hashing_algorithm,
            "tags": list(self.tags),
            "limits": dict(self.limits),
        }


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """How passwords are kept, and what is asked of new ones (RabbitMQ's credential_validator)."""

    algorithm: str = DEFAULT_ALGORITHM
    least_size: int = 0  # octets
    pattern: str | None = None  # a regular expression to be found in it

    def check(self, password: bytes) -> None:
        """Raises OperatorError for one that will not do."""
        if len(password) < self.least_size:
            raise OperatorError(f"minimum required password length is {self.least_size}")
        if self.pattern is not None and not Pattern(self.pattern).matches(password.decode(errors="surrogateescape")):
            raise OperatorError("provided password does not match the validator regular expression")


class InternalUsers:
    """The backend of users in the store. `recovered` is what the store held."""

    name = "rabbit_auth_backend_internal"

    def __init__(
        self,
        broker: Broker,
        recovered: Recovered | None = None,
        *,
        rules: PasswordRules | None = None,
    ) -> None:
        """Raises StartupError 65 when what was recovered makes no sense."""
        self.all: dict[str, InternalUser] = {}
        self._broker = broker
        self._rules = rules or PasswordRules()
        self._nobody = InternalUser(0, "", hash_password(b"", self._rules.algorithm), self._rules.algorithm)
        recovered = recovered or Recovered()
        try:
            self.permissions = Permissions(broker, recovered)
            for user_id, kept in recovered.definitions[Kind.USER].items():
                tags, limits = tuple(kept["tags"]), dict(kept["limits"])
                user = InternalUser(
                    user_id, kept["name"], kept["password_hash"], kept["hashing_algorithm"], tags, limits
                )
                check_hash(user.password_hash, user.hashing_algorithm)
                self.all[user.name] = user
        except (LookupError, TypeError, ValueError, OperatorError) as error:
            raise StartupError(f"the users in the data folder make no sense: {error}", os.EX_DATAERR) from error

    # --- Authenticator

    def authenticate(self, credentials: Credentials, peer: Peer) -> User | Refusal:
        name, password = credentials.name, credentials.password
        if password == b"":
            return Refusal(f"user '{name}' attempted to log in with a blank password, which is prohibited")
        user = self.all.get(name)
        compared = user or self._nobody  # for unknown users too, so that the time it takes tells nothing
        right = password is None or matches(password, compared.password_hash, compared.hashing_algorithm)
        if user is None or not right:
            return Refusal(f"user '{name}' - invalid credentials")
        return User(name, frozenset(user.tags), credentials.client_id)

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> User | Refusal:
        """A password is asked for at login alone: a new one, whatever it is, changes nothing."""
        return user

    def admit(self, credentials: Credentials, peer: Peer) -> User | Refusal:
        return self.authenticate(replace(credentials, password=None), peer)

    # --- Authorizer

    def may_enter(self, user: User, vhost: str, peer: Peer) -> bool:
        return self.permissions.find(user.name, vhost) is not None

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> bool:
        return self.permissions.may(user, action, vhost, name)

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return self.permissions.find_topic(user.name, vhost, exchange) is not None

    def may_use_topic(self, user: User, action: Action, vhost: str, exchange: str, routing_key: str) -> bool:
        return self.permissions.may_use_topic(user, action, vhost, exchange, routing_key)

    def limit(self, user: User, name: str) -> int | None:
        kept = self.all.get(user.name)
        limit = kept.limits.get(name, -1) if kept is not None else -1
        return limit if limit >= 0 else None

    # --- users

    def user(self, name: str) -> InternalUser:
        """Raises NoSuchObject."""
        user = self.all.get(name)
        if user is None:
            raise NoSuchObject(f'User "{name}" does not exist')
        return user

    def check(
        self,
        name: str,
        password: str | None = None,
        tags: Iterable[str] = (),
        *,
        password_hash: str | None = None,
        hashing_algorithm: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """Raises what `put` would, and changes nothing."""
        if not name:
            raise OperatorError("user name cannot be empty")
        self._hashed(password, password_hash, hashing_algorithm)
        check_tags(tags)
        check_limits(limits or {})

    def add(
        self,
        name: str,
        password: str | None = None,
        tags: Iterable[str] = (),
        *,
        password_hash: str | None = None,
        hashing_algorithm: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """Add a user with a password or what was kept of one; without either, one whom no password lets in."""
        if not name:
            raise OperatorError("user name cannot be empty")
        if name in self.all:
            raise OperatorError(f'User "{name}" already exists')
        password_hash, algorithm = self._hashed(password, password_hash, hashing_algorithm)
        checked_tags, checked_limits = check_tags(tags), check_limits(limits or {})
        self._keep(InternalUser(next(self._broker.ids), name, password_hash, algorithm, checked_tags, checked_limits))
        self._tell("user.created", name=name)
        if checked_tags:
            self._tell("user.tags.set", name=name, tags=list(checked_tags))
        if checked_limits:
            self._tell("user.limits.set", name="limits", username=name, **checked_limits)

    def put(
        self,
        name: str,
        password: str | None = None,
        tags: Iterable[str] = (),
        *,
        password_hash: str | None = None,
        hashing_algorithm: str | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """Add a user, or replace password and tags of the one there; limits are added to those it has."""
        user = self.all.get(name)
        if user is None:
            self.add(
                name,
                password,
                password_hash=password_hash,
                hashing_algorithm=hashing_algorithm,
                tags=tags,
                limits=limits,
            )
            return
        password_hash, algorithm = self._hashed(password, password_hash, hashing_algorithm)
        checked_tags, checked_limits = check_tags(tags), check_limits(limits or {})
        self._keep(
            replace(
                user,
                password_hash=password_hash,
                hashing_algorithm=algorithm,
                tags=checked_tags,
                limits={**user.limits, **checked_limits},
            )
        )
        self._tell("user.password.changed" if password_hash else "user.password.cleared", name=name)
        self._tell("user.tags.set", name=name, tags=list(checked_tags))
        if checked_limits:
            self._tell("user.limits.set", name="limits", username=name, **checked_limits)

    def delete(self, name: str) -> None:
        """Delete a user with all permissions, and send the user's clients away."""
        user = self.user(name)
        del self.all[name]
        self._broker.store.undefine(Kind.USER, user.id)
        self.permissions.forget_user(name)
        self._tell("user.deleted", name=name)
        self._broker.connections.close_all(f"user '{name}' is deleted", username=name)

    def change_password(self, name: str, password: str) -> None:
        """Give a user another password; who is logged in stays so."""
        user = self.user(name)
        password_hash, algorithm = self._hashed(password, None, None)
        self._keep(replace(user, password_hash=password_hash, hashing_algorithm=algorithm))
        self._tell("user.password.changed", name=name)

    def clear_password(self, name: str) -> None:
        """No password lets the user in any more."""
        self._keep(replace(self.user(name), password_hash="", hashing_algorithm=self._rules.algorithm))
        self._tell("user.password.cleared", name=name)

    def set_tags(self, name: str, tags: Iterable[str]) -> None:
        """Replace a user's tags; who is logged in keeps those there were."""
        user = self.user(name)
        checked = check_tags(tags)
        self._keep(replace(user, tags=checked))
        self._tell("user.tags.set", name=name, tags=list(checked))

    def set_limits(self, name: str, limits: Mapping[str, int]) -> None:
        """Set some of a user's limits; the others stay."""
        checked = check_limits(limits)
        user = self.user(name)
        self._keep(replace(user, limits={**user.limits, **checked}))
        self._tell("user.limits.set", name="limits", username=name, **checked)

    def clear_limits(self, name: str, limit: str | None = None) -> None:
        """Remove one of a user's limits, or all."""
        user = self.user(name)
        kept = {key: value for key, value in user.limits.items() if limit not in (None, key)}
        self._keep(replace(user, limits=kept))
        self._tell("user.limits.cleared", name="limits", username=name)

    # --- permissions

    def set_permissions(self, name: str, vhost: str, *, configure: str, write: str, read: str) -> None:
        """What a user may do in a vhost, in place of what it was."""
        self._check_place(name, vhost)
        self.permissions.set(name, vhost, configure, write, read)

    def clear_permissions(self, name: str, vhost: str) -> None:
        self._check_place(name, vhost)
        self.permissions.clear(name, vhost)

    def set_topic_permissions(self, name: str, vhost: str, exchange: str, *, write: str, read: str) -> None:
        """With which routing keys a user may publish to an exchange and bind to it; it need not be there yet."""
        self._check_place(name, vhost)
        self.permissions.set_topic(name, vhost, exchange, write, read)

    def clear_topic_permissions(self, name: str, vhost: str, exchange: str | None = None) -> None:
        """For one exchange, or for all."""
        self._check_place(name, vhost)
        self.permissions.clear_topic(name, vhost, exchange)

    def provide(
        self, name: str, password: str | None, tags: Iterable[str], vhost: str, *, configure: str, write: str, read: str
    ) -> None:
        """Let a user that a configuration wants in a vhost be there; one who is keeps password and tags."""
        if name not in self.all:
            self.add(name, password, tags=tags)
        self.set_permissions(name, vhost, configure=configure, write=write, read=read)

    def _check_place(self, name: str, vhost: str) -> None:
        self.user(name)
        if vhost not in self._broker.vhosts:
            raise NoSuchObject(f"Virtual host {vhost} does not exist")

    def _hashed(self, password: str | None, password_hash: str | None, algorithm: str | None) -> tuple[str, str]:
        """What to keep of a password, and the algorithm."""
        if password is not None:
            if password_hash is not None:
                raise OperatorError("both password and password_hash are provided")
            raw = password.encode(errors="surrogateescape")
            self._rules.check(raw)
            return hash_password(raw, self._rules.algorithm), self._rules.algorithm
        algorithm = algorithm or self._rules.algorithm
        check_hash(password_hash or "", algorithm)
        return password_hash or "", algorithm

    def _keep(self, user: InternalUser) -> None:
        self.all[user.name] = user
        self._broker.store.define(Kind.USER, user.id, user.definition)

    def _tell(self, event: str, **fields: Any) -> None:
        if self._broker.events.listeners:
            self._broker.events.tell(event, **fields)


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags without blanks around them, each once. Raises OperatorError for too many."""
    found = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(found) > MAX_TAGS:
        raise OperatorError(f"{len(found)} tags are too many; a user has {MAX_TAGS} at most")
    return found


def check_limits(limits: Mapping[str, Any]) -> dict[str, int]:
    """Raises OperatorError for what is no limit of users."""
    for name, value in limits.items():
        if name not in LIMITS:
            raise OperatorError(f'Unrecognised terms [{{<<"{name}">>,{_printed(value)}}}] in user-limits')
        if not isinstance(value, int) or isinstance(value, bool):
            raise OperatorError(f"{name} should be a number, actually was {_printed(value)}")
    return dict(limits)


def _printed(value: Any) -> str:
    return f'<<"{value}">>' if isinstance(value, str) else "null" if value is None else str(value).lower()
