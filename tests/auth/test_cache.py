"""A cache in front of a backend: what it remembers, for how long, and for whom."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.auth.base import Action, Credentials, Denied, Refusal, User
from amqpd.auth.cache import MOST, CachingBackend
from amqpd.auth.pending import Pending
from amqpd.clock import VirtualClock
from tests.auth.later import REFUSED, Later
from tests.fakes import LOCAL, REMOTE


class Place:
    def __init__(self, *, refusals: bool = False) -> None:
        self.later = Later()
        self.clock = VirtualClock()
        self.cache = CachingBackend(self.later, self.later, self.clock, 15.0, refusals=refusals)

    def come_to(self, answer: Any, comes: Any = None) -> Any:
        """What an answer is, when the backend behind is of that opinion; None: when it need not be asked."""
        if not isinstance(answer, Pending):
            return answer
        assert comes is not None, "it was asked"
        self.later.answer(comes)
        found: list[Any] = []
        answer.then(found.append)
        return found[0]


ALICE, BOB = User("alice"), User("bob")


def test_an_answer_is_remembered_for_its_time() -> None:
    place = Place()
    credentials = Credentials("alice", b"pw")
    assert place.come_to(place.cache.authenticate(credentials, LOCAL), ALICE) == ALICE
    place.clock.advance(14.9)
    assert place.come_to(place.cache.authenticate(credentials, REMOTE)) == ALICE
    place.clock.advance(0.1)
    assert place.come_to(place.cache.authenticate(credentials, LOCAL), REFUSED) == REFUSED


def test_another_password_is_another_question() -> None:
    place = Place()
    place.come_to(place.cache.authenticate(Credentials("alice", b"pw"), LOCAL), ALICE)
    for other in (
        Credentials("alice", b"pW"),
        Credentials("alice", b""),
        Credentials("alice", None),
        Credentials("alice", b"pw", "client"),
        Credentials("bob", b"pw"),
    ):
        assert place.come_to(place.cache.authenticate(other, LOCAL), REFUSED) == REFUSED


def questions(place: Place, user: User, suffix: str = "") -> list[Any]:
    cache = place.cache
    return [
        lambda: cache.may_enter(user, f"v{suffix}", LOCAL),
        lambda: cache.may(user, Action.READ, f"v{suffix}", "queue", "q"),
        lambda: cache.may(user, Action.READ, "v", "queue", f"p{suffix}"),
        lambda: cache.may(user, Action.WRITE, "v", "queue", f"q{suffix}"),
        lambda: cache.may(user, Action.READ, "v", "exchange", f"q{suffix}"),
        lambda: cache.may_use_topic(user, Action.READ, "v", f"e{suffix}", "k"),
        lambda: cache.may_use_topic(user, Action.READ, "v", "e2", f"k{suffix}"),
    ]


@pytest.mark.parametrize("number", range(7))
def test_each_verdict_is_that_on_its_own_question_of_its_own_user(number: int) -> None:
    place = Place()
    assert place.come_to(questions(place, ALICE)[number](), True) is True
    assert place.come_to(questions(place, ALICE)[number]()) is True
    for user in (BOB, User("alice", frozenset({"administrator"})), User("alice", client_id="c")):
        assert place.come_to(questions(place, user)[number](), False) is False
    assert place.come_to(questions(place, ALICE, "x")[number](), False) is False
    others = [ask for other, ask in enumerate(questions(place, ALICE)) if other != number]
    for ask in others:
        assert place.come_to(ask(), False) is False


def test_entering_from_another_host_is_another_question() -> None:
    place = Place()
    place.come_to(place.cache.may_enter(ALICE, "v", LOCAL), True)
    assert place.come_to(place.cache.may_enter(ALICE, "v", REMOTE), False) is False


@pytest.mark.parametrize("answer", [False, Denied(" by backend x: no")])
def test_refusals_are_remembered_only_where_that_is_wanted(answer: Any) -> None:
    for refusals in (False, True):
        place = Place(refusals=refusals)
        place.come_to(place.cache.may_enter(ALICE, "v", LOCAL), answer)
        place.come_to(place.cache.authenticate(Credentials("alice", b"pw"), LOCAL), REFUSED)
        again = [place.cache.may_enter(ALICE, "v", LOCAL), place.cache.authenticate(Credentials("alice", b"pw"), LOCAL)]
        assert [isinstance(each, Pending) for each in again] == [not refusals] * 2


def test_a_failure_is_never_remembered() -> None:
    place = Place(refusals=True)
    place.come_to(place.cache.may_enter(ALICE, "v", LOCAL), Denied("timeout", failed=True))
    place.come_to(place.cache.authenticate(Credentials("alice", b"pw"), LOCAL), Refusal("timeout", failed=True))
    assert place.come_to(place.cache.may_enter(ALICE, "v", LOCAL), True) is True
    assert place.come_to(place.cache.authenticate(Credentials("alice", b"pw"), LOCAL), ALICE) == ALICE


def test_what_was_admitted_is_remembered_apart_from_who_was_let_in() -> None:
    place = Place()
    place.come_to(place.cache.authenticate(Credentials("alice", b"pw"), LOCAL), ALICE)
    assert place.come_to(place.cache.admit(Credentials("alice", b"pw"), LOCAL), REFUSED) == REFUSED


def test_it_has_an_end() -> None:
    place = Place()
    place.come_to(place.cache.may(ALICE, Action.READ, "v", "queue", "first"), True)
    for number in range(MOST):
        place.come_to(place.cache.may(ALICE, Action.READ, "v", "queue", str(number)), True)
    assert place.come_to(place.cache.may(ALICE, Action.READ, "v", "queue", str(MOST - 1))) is True
    assert place.come_to(place.cache.may(ALICE, Action.READ, "v", "queue", "first"), False) is False


def test_passwords_are_not_kept() -> None:
    place = Place()
    place.come_to(place.cache.authenticate(Credentials("alice", b"s3cret"), LOCAL), ALICE)
    assert b"s3cret" not in repr(vars(place.cache)).encode()
