"""Logins, counted."""

from __future__ import annotations

from amqpd.auth.attempts import Attempts, Counted
from amqpd.auth.base import Credentials, Login, Peer, Refusal, User
from amqpd.auth.internal import InternalUsers
from amqpd.auth.pending import Pending
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore

PEER = Peer("127.0.0.1", 1, "127.0.0.1", 5672, loopback=True)


def test_each_login_counts_for_its_protocol() -> None:
    users = InternalUsers(Broker(MemoryStore(), VirtualClock()))
    users.add("u", "x")
    attempts = Attempts()
    amqp, http = (Counted(users, attempts, protocol) for protocol in ("amqp091", "http"))
    assert isinstance(amqp.authenticate(Credentials("u", b"x"), PEER), User)
    amqp.authenticate(Credentials("u", b"y"), PEER)
    http.authenticate(Credentials("nobody", b"y"), PEER)
    found = {
        each["protocol"]: (each["auth_attempts_succeeded"], each["auth_attempts_failed"])
        for each in attempts.described()
    }
    assert found == {"amqp091": (1, 1), "http": (0, 1)}
    attempts.forget()
    assert attempts.described() == []


def test_a_login_that_is_answered_later_counts_when_it_is() -> None:
    answer: Pending[Login] = Pending()
    attempts = Attempts()
    Counted(Later(answer), attempts, "amqp091").authenticate(Credentials("ann", b"x"), PEER)
    assert attempts.described() == []
    answer.resolve(Refusal("no"))
    [counts] = attempts.described()
    assert (counts["auth_attempts"], counts["auth_attempts_failed"]) == (1, 1)


class Later:
    """Answers when somebody resolves it."""

    def __init__(self, answer: Pending[Login]) -> None:
        self._answer = answer

    def authenticate(self, credentials: Credentials, peer: Peer) -> Pending[Login]:
        return self._answer

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Pending[Login]:
        return self._answer
