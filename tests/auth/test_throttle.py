"""Who guesses passwords waits longer and longer for an answer; who knows one never does."""

from __future__ import annotations

import pytest

from amqpd.auth.base import Credentials, Peer, Refusal, User
from amqpd.auth.throttle import FREE, FREE_AT_HOST, LONGEST, MEMORY, MOST, Throttled
from amqpd.clock import VirtualClock
from tests.fakes import LOCAL, REMOTE, Guests

WRONG = Credentials("guest", b"wrong")
RIGHT = Credentials("guest", b"guest")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def throttled(clock: VirtualClock) -> Throttled:
    return Throttled(Guests(), clock)


def delay(throttled: Throttled, credentials: Credentials = WRONG, peer: Peer = LOCAL) -> float:
    outcome = throttled.authenticate(credentials, peer)
    assert isinstance(outcome, Refusal)
    return outcome.delay


def exhaust(throttled: Throttled, times: int = FREE) -> None:
    assert [delay(throttled) for _ in range(times)] == [0.0] * times


def test_the_more_logins_failed_the_longer_the_next_takes(throttled: Throttled) -> None:
    exhaust(throttled)
    assert [delay(throttled) for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, LONGEST]


def test_the_right_password_is_let_in_at_once_and_starts_anew(throttled: Throttled) -> None:
    exhaust(throttled)
    assert delay(throttled) == 1.0
    assert throttled.authenticate(RIGHT, LOCAL) == User("guest")
    assert delay(throttled) == 0.0


def test_the_same_user_elsewhere_is_not_slowed(throttled: Throttled) -> None:
    exhaust(throttled)
    assert delay(throttled) == 1.0
    assert delay(throttled, peer=REMOTE) == 0.0


def test_other_users_at_the_same_host_are_not_slowed_at_first(throttled: Throttled) -> None:
    exhaust(throttled)
    assert delay(throttled, Credentials("alice", b"x")) == 0.0


def test_a_host_that_tries_one_user_after_the_other_is_slowed(throttled: Throttled) -> None:
    for number in range(FREE_AT_HOST):
        assert delay(throttled, Credentials(f"user{number}", b"x")) == 0.0
    assert delay(throttled, Credentials("another", b"x")) == 1.0
    assert delay(throttled, Credentials("another", b"x"), REMOTE) == 0.0


def test_failures_are_forgotten_after_a_while(throttled: Throttled, clock: VirtualClock) -> None:
    exhaust(throttled)
    clock.advance(MEMORY)
    exhaust(throttled)


def test_what_is_remembered_is_bounded_and_the_host_is_not_forgotten(throttled: Throttled) -> None:
    for number in range(2 * MOST):
        delay(throttled, Credentials(f"user{number}", b"x" * 1000))
    assert len(throttled._failures) <= MOST
    assert delay(throttled, Credentials("another", b"x")) == LONGEST


def test_the_reason_is_that_of_the_authenticator_and_a_longer_delay_of_its_own_stays() -> None:
    class Slow(Guests):
        def authenticate(self, credentials: Credentials, peer: Peer) -> User | Refusal:
            return Refusal("no", 60.0)

    assert Throttled(Slow(), VirtualClock()).authenticate(WRONG, LOCAL) == Refusal("no", 60.0)


def test_a_new_secret_is_the_authenticators_matter(throttled: Throttled) -> None:
    user = User("guest")
    assert throttled.update_secret(user, b"x", LOCAL) is user
