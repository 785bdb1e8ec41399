"""A backend that asks a web server, with the requests that RabbitMQ's HTTP backend makes.

Four questions, each with an URL of its own; parameters come in the query or as a form. Answered is `allow`, `deny` or
`deny REASON`; `allow TAG TAG` makes a login a user with tags. Whatever else comes, or does not come in time, is a
failure, and nobody is let in. What moves the bytes is a `Fetch`, elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias
from urllib.parse import quote_plus

from .base import Action, Credentials, Denied, Login, Peer, Refusal, Resource, User, Verdict
from .pending import Pending

SUCCESS: Final = (200, 201)

RECHECK: Final = 60.0
"""Seconds after which the server is asked again whether a channel may do what it does all the time."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a web server."""

    method: str  # GET or POST
    url: str = field(repr=False)  # which may have a password in it
    form: bytes | None = field(default=None, repr=False)  # likewise


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No response came."""

    reason: str  # a word of Erlang's, where there is one: timeout, failed_connect …


Fetch: TypeAlias = Callable[[Request], Pending[Response | Unanswered]]
"""Sends a request. The answer comes in a limited time, whatever happens."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the server is asked, and how."""

    user: str = "http://localhost:8000/auth/user"
    vhost: str = "http://localhost:8000/auth/vhost"
    resource: str = "http://localhost:8000/auth/resource"
    topic: str = "http://localhost:8000/auth/topic"
    method: str = "get"


class HttpBackend:
    """The backend. `discloses`: clients hear the reason the server has for a refusal."""

    name = "rabbit_auth_backend_http"

    def __init__(self, fetch: Fetch, paths: Paths, log: Any, *, discloses: bool = False) -> None:
        self._fetch = fetch
        self._paths = paths
        self._log = log
        self._discloses = discloses

    # --- Authenticator

    def authenticate(self, credentials: Credentials, peer: Peer) -> Pending[Login]:
        parameters: list[tuple[str, str | bytes]] = [("username", credentials.name)]
        if credentials.password is not None:
            parameters.append(("password", credentials.password))
        if credentials.client_id:
            parameters.append(("client_id", credentials.client_id))

        def read(answer: str | Unanswered) -> Login:
            if isinstance(answer, Unanswered):
                return Refusal(answer.reason, failed=True)
            word, *tags = answer.split()
            if word.lower() == "allow":
                return User(credentials.name, frozenset(tags), credentials.client_id, recheck=RECHECK)
            if tags:
                self._log.info("HTTP authentication denied", user=credentials.name, reason=answer[len("deny ") :])
            return Refusal("Denied by the backing HTTP service")

        return self._ask(self._paths.user, parameters).map(read)

    def admit(self, credentials: Credentials, peer: Peer) -> Pending[Login]:
        """The server is asked as at a login, and makes nobody anything more than they were."""

        def without_tags(outcome: Login) -> Login:
            return replace(outcome, tags=frozenset()) if isinstance(outcome, User) else outcome

        return self.authenticate(credentials, peer).map(without_tags)

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login:
        return user

    # --- Authorizer

    def may_enter(self, user: User, vhost: str, peer: Peer) -> Pending[Verdict]:
        parameters = [("username", user.name), ("vhost", vhost), ("ip", peer.host), ("tags", _tags(user))]
        return self._decide(self._paths.vhost, parameters)

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Pending[Verdict]:
        return self._decide(self._paths.resource, _about(user, action, vhost, kind, name))

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return True

    def may_use_topic(
        self, user: User, action: Action, vhost: str, exchange: str, routing_key: str
    ) -> Pending[Verdict]:
        parameters = [
            *_about(user, action, vhost, "topic", exchange),
            ("routing_key", routing_key),
            *([("variable_map.client_id", user.client_id)] if user.client_id else []),
            ("variable_map.username", user.name),
            ("variable_map.vhost", vhost),
        ]
        return self._decide(self._paths.topic, parameters)

    def limit(self, user: User, name: str) -> int | None:
        return None

    # --- asking

    def _decide(self, path: str, parameters: Sequence[tuple[str, str]]) -> Pending[Verdict]:
        def read(answer: str | Unanswered) -> Verdict:
            if isinstance(answer, Unanswered):
                return Denied(answer.reason, failed=True)
            word, _, reason = answer.partition(" ")
            if word.lower() == "allow":
                return True if not reason else Denied("bad_response", failed=True)
            if not reason:
                return False
            asked = {name: value for name, value in parameters if not name.startswith("variable_map")}
            self._log.info("HTTP authorization denied", reason=reason, **asked)
            return Denied(reason if self._discloses else "")

        return self._ask(path, parameters).map(read)

    def _ask(self, path: str, parameters: Sequence[tuple[str, str | bytes]]) -> Pending[str | Unanswered]:
        """The answer without blanks around it: one that begins with the word allow or deny."""
        query = "&".join([f"{name}={quote_plus(value, safe='-_.~')}" for name, value in parameters])
        if self._paths.method == "post":
            request = Request("POST", path, query.encode())
        else:
            request = Request("GET", f"{path}{'&' if '?' in path else '?'}{query}")
        return self._fetch(request).map(self._read)

    def _read(self, response: Response | Unanswered) -> str | Unanswered:
        if isinstance(response, Unanswered):
            problem = response
        elif response.status not in SUCCESS:
            problem = Unanswered(f"status {response.status}")
        else:
            text = response.body.decode(errors="replace").strip()
            if text.partition(" ")[0].lower() in ("allow", "deny"):
                return text
            problem = Unanswered("bad_response")
        self._log.error("the HTTP authentication service failed", reason=problem.reason)
        return problem


def _about(user: User, action: Action, vhost: str, kind: str, name: str) -> list[tuple[str, str]]:
    return [
        ("username", user.name),
        ("vhost", vhost),
        ("resource", kind),
        ("name", name),
        ("permission", action.value),
        ("tags", _tags(user)),
    ]


def _tags(user: User) -> str:
    return " ".join(sorted(user.tags))
