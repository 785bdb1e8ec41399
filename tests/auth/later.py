"""A backend whose answers come when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amqpd.auth.base import Action, Credentials, Login, Peer, Refusal, Resource, User, Verdict
from amqpd.auth.pending import Pending


class Later:
    """Lets everybody in and permits everything, in the end; a test overrides what it is about.

    `asked` are the questions so far; `answer` answers the oldest that is open.
    """

    name = "rabbit_auth_backend_later"

    def __init__(self, *, user: Callable[[str], User] = User) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.open: list[tuple[tuple[Any, ...], Pending[Any]]] = []
        self._user = user

    def _ask(self, *question: Any) -> Pending[Any]:
        pending: Pending[Any] = Pending()
        self.asked.append(question)
        self.open.append((question, pending))
        return pending

    def answer(self, answer: Any = None, number: int = 0) -> tuple[Any, ...]:
        """Answer an open question, favourably unless it is said how. Returns the question."""
        question, pending = self.open.pop(number)
        if answer is None:
            answer = self._user(question[1]) if question[0] in ("login", "admit") else True
            if question[0] == "secret":
                answer = question[1]
        pending.resolve(answer)
        return question

    def authenticate(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        return self._ask("login", credentials.name, credentials.password)

    def admit(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        return self._ask("admit", credentials.name, credentials.password)

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login | Pending[Login]:
        return self._ask("secret", user, secret)

    def may_enter(self, user: User, vhost: str, peer: Peer) -> Verdict | Pending[Verdict]:
        return self._ask("vhost", user.name, vhost)

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict | Pending[Verdict]:
        return self._ask(action.value, kind, name, user.name)

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return True

    def may_use_topic(
        self, user: User, action: Action, vhost: str, exchange: str, routing_key: str
    ) -> Verdict | Pending[Verdict]:
        return self._ask(action.value, "topic", exchange, routing_key)

    def limit(self, user: User, name: str) -> int | None:
        return None


REFUSED = Refusal("it does not like them")
