"""Several backends in turn: who is asked what, and whose word counts."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.auth.base import MAX_CHANNELS, Action, Credentials, Denied, Login, Peer, Refusal, User
from amqpd.auth.chain import Chain, Link
from amqpd.auth.internal import InternalUsers
from amqpd.auth.pending import Pending
from amqpd.auth.throttle import Throttled
from amqpd.clock import VirtualClock
from tests.amqp.pair import new_broker
from tests.auth.later import Later
from tests.fakes import LOCAL, REMOTE, Permissive


class Knows(Permissive):
    """A backend that knows one user, and answers at once."""

    def __init__(self, name: str, *, tags: str = "", refusal: Refusal | None = None, **user: Any) -> None:
        self.name = f"rabbit_auth_backend_{name}"
        self.user = User(name, frozenset(tags.split()), **user)
        self.refusal = refusal or Refusal(f"not {name}")
        self.asked: list[Any] = []

    def authenticate(self, credentials: Credentials, peer: Peer) -> Login:
        self.asked.append(credentials)
        return self.user if credentials.name == self.user.name else self.refusal

    def admit(self, credentials: Credentials, peer: Peer) -> Login:
        return self.authenticate(credentials, peer)

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login:
        self.asked.append((user, secret))
        return User(self.user.name, frozenset({secret.decode()}), expires=2.0)

    def may_enter(self, user: User, vhost: str, peer: Peer) -> Any:
        self.asked.append(user)
        return Denied("a reason") if vhost == "secret" else Denied("timeout", failed=True) if vhost == "slow" else True


def credentials(name: str, password: bytes | None = b"pw") -> Credentials:
    return Credentials(name, password)


def chain_of(*backends: Any) -> Chain:
    return Chain([Link(backend, backend) for backend in backends], backends[0])


def test_the_first_that_lets_somebody_in_counts_and_says_what_they_may_do() -> None:
    a, b, c = Knows("a"), Knows("b"), Knows("b")
    chain = chain_of(a, b, c)
    user = chain.authenticate(credentials("b"), LOCAL)
    assert isinstance(user, User)
    assert user.name == "b"
    assert chain.may_enter(user, "/", LOCAL) is True
    assert (len(a.asked), len(b.asked), len(c.asked)) == (1, 2, 0)


def test_the_last_refusal_is_the_one_that_is_told() -> None:
    assert chain_of(Knows("a"), Knows("b")).authenticate(credentials("x"), LOCAL) == Refusal("not b")


def test_a_backend_that_fails_is_passed_over() -> None:
    down = Knows("down", refusal=Refusal("timeout", failed=True))
    assert isinstance(chain_of(down, Knows("b")).authenticate(credentials("b"), LOCAL), User)
    reason = "rabbit_auth_backend_down failed authenticating x: timeout"
    assert chain_of(down).authenticate(credentials("x"), LOCAL) == Refusal(reason, failed=True)
    assert chain_of(Knows("a"), down).authenticate(credentials("x"), LOCAL) == Refusal(reason)
    assert chain_of(down, Knows("a")).authenticate(credentials("x"), LOCAL) == Refusal("not a")


def test_one_backend_may_say_who_somebody_is_and_another_what_they_may_do() -> None:
    authn, authz = Knows("a", tags="one"), Knows("a", tags="two")
    chain = Chain([Link(authn, authz, apart=True)], authn)
    user = chain.authenticate(credentials("a"), LOCAL)
    assert isinstance(user, User)
    assert user.tags == {"one", "two"}
    chain.may_enter(user, "/", LOCAL)
    assert authz.asked == [credentials("a"), User("a", frozenset({"one", "two"}))]


def test_who_is_not_known_to_the_second_of_a_pair_is_not_let_in() -> None:
    chain = Chain([Link(Knows("a"), Knows("b"), apart=True)], Knows("a"))
    assert chain.authenticate(credentials("a"), LOCAL) == Refusal("not b")


def test_the_broker_s_own_users_are_admitted_without_their_password() -> None:
    users = InternalUsers(new_broker())
    users.add("a", "other", tags=["management"])
    users.set_permissions("a", "/", configure="", write="^w$", read="")
    chain = Chain([Link(Knows("a"), users, apart=True)], users)
    user = chain.authenticate(credentials("a"), LOCAL)
    assert isinstance(user, User)
    assert user.tags == {"management"}
    assert [chain.may(user, Action.WRITE, "/", "queue", name) for name in "wx"] == [True, False]
    assert not chain.checks_topics(user, "/", "amq.topic")
    assert chain.may_use_topic(user, Action.WRITE, "/", "amq.topic", "k")


def test_limits_are_those_of_the_broker_s_own_users_whoever_lets_them_in() -> None:
    users = InternalUsers(new_broker())
    users.add("b", "pw", limits={MAX_CHANNELS: 3})
    elsewhere = Knows("b")
    chain = Chain([Link(elsewhere, elsewhere)], users)
    user = chain.authenticate(credentials("b"), LOCAL)
    assert isinstance(user, User)
    assert chain.limit(user, MAX_CHANNELS) == 3


def test_a_loopback_user_is_let_in_from_this_machine_alone_whoever_lets_them_in() -> None:
    chain = Chain([Link(Knows("guest"), Knows("guest"))], Knows("guest"), ("guest",))
    refusal = Refusal("user 'guest' can only connect via localhost")
    assert chain.authenticate(credentials("guest"), REMOTE) == refusal
    assert chain.authenticate(credentials("guest", None), REMOTE) == refusal
    assert isinstance(chain.authenticate(credentials("guest"), LOCAL), User)


def test_what_a_backend_adds_to_a_refusal_names_it() -> None:
    chain = chain_of(Knows("a"))
    user = chain.authenticate(credentials("a"), LOCAL)
    assert isinstance(user, User)
    assert chain.may_enter(user, "secret", LOCAL) == Denied(" by backend rabbit_auth_backend_a: a reason")
    text = ", backend rabbit_auth_backend_a returned an error: timeout"
    assert chain.may_enter(user, "slow", LOCAL) == Denied(text, failed=True)


def test_a_new_secret_goes_to_who_lets_credentials_expire() -> None:
    lasting, expiring = Knows("a"), Knows("b", expires=1.0)
    chain = chain_of(lasting, expiring)
    a, b = chain.authenticate(credentials("a"), LOCAL), chain.authenticate(credentials("b"), LOCAL)
    assert isinstance(a, User)
    assert isinstance(b, User)
    assert chain.update_secret(a, b"new", LOCAL) is a
    renewed = chain.update_secret(b, b"new", LOCAL)
    assert isinstance(renewed, User)
    assert (renewed.name, renewed.tags, renewed.expires) == ("b", {"new"}, 2.0)
    assert chain.may_enter(renewed, "/", LOCAL) is True


def outcome(pending: Any) -> Any:
    """What a pending answer has come to; None while it is open."""
    assert isinstance(pending, Pending)
    found: list[Any] = []
    pending.then(found.append)
    return found[0] if found else None


def test_links_that_answer_later_are_asked_one_after_the_other() -> None:
    a, b, c = Later(), Later(), Later()
    chain = Chain([Link(a, a), Link(b, c, apart=True)], a)
    answer = chain.authenticate(credentials("x"), LOCAL)
    assert not b.asked
    a.answer(Refusal("no"))
    b.answer(User("renamed"))
    assert outcome(answer) is None
    assert c.answer() == ("admit", "renamed", b"pw")
    user = outcome(answer)
    assert user.name == "renamed"
    entering = chain.may_enter(user, "/", LOCAL)
    assert c.answer(Denied("why")) == ("vhost", "renamed", "/")
    assert outcome(entering) == Denied(" by backend rabbit_auth_backend_later: why")


def test_a_user_of_another_chain_is_a_mistake_and_not_let_in() -> None:
    with pytest.raises(TypeError):
        chain_of(Knows("a")).may_enter(User("a"), "/", LOCAL)


def test_guesses_are_counted_when_they_are_answered_and_failures_of_backends_are_none() -> None:
    later = Later()
    throttled = Throttled(chain_of(later), VirtualClock())
    for refusal in [Refusal("timeout", failed=True)] * 30 + [Refusal("no")] * 15:
        answer = throttled.authenticate(credentials("x"), LOCAL)
        later.answer(refusal)
        assert outcome(answer).delay == 0
    answer = throttled.authenticate(credentials("x"), LOCAL)
    later.answer(Refusal("no"))
    assert outcome(answer).delay == 1
