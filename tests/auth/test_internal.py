"""Users the broker knows: passwords, and from where they may come."""

from __future__ import annotations

import base64

import pytest

from amqpd.auth.base import Action, Credentials, Peer, Refusal, User
from amqpd.auth.internal import InternalUsers, salted_hash
from tests.fakes import LOCAL, REMOTE


@pytest.fixture
def users() -> InternalUsers:
    users = InternalUsers(("guest",))
    users.add("guest", "guest", frozenset({"administrator"}))
    users.add("alice", "sécret")
    users.add("empty", "")
    return users


def test_a_user_with_the_right_password_is_let_in(users: InternalUsers) -> None:
    assert users.authenticate(Credentials("alice", "sécret".encode()), REMOTE) == User("alice")
    assert users.authenticate(Credentials("guest", b"guest"), LOCAL) == User("guest", frozenset({"administrator"}))


@pytest.mark.parametrize("password", [b"", b"wrong", b"Secret", "sécret ".encode(), b"\xff"])
def test_any_other_password_is_refused(users: InternalUsers, password: bytes) -> None:
    assert isinstance(users.authenticate(Credentials("alice", password), LOCAL), Refusal)


@pytest.mark.parametrize("name", ["nobody", "", "Alice", "alice "])
def test_an_unknown_user_is_refused(users: InternalUsers, name: str) -> None:
    assert isinstance(users.authenticate(Credentials(name, b"guest"), LOCAL), Refusal)
    assert isinstance(users.authenticate(Credentials(name, b""), LOCAL), Refusal)


def test_an_empty_password_is_refused_even_when_it_is_the_right_one(users: InternalUsers) -> None:
    assert isinstance(users.authenticate(Credentials("empty", b""), LOCAL), Refusal)


def test_a_loopback_user_is_let_in_from_this_machine_alone(users: InternalUsers) -> None:
    assert isinstance(users.authenticate(Credentials("guest", b"guest"), REMOTE), Refusal)
    assert isinstance(users.authenticate(Credentials("guest", b"guest"), LOCAL), User)


def test_the_log_is_told_why_and_not_whether_the_user_or_the_password_was_wrong(users: InternalUsers) -> None:
    assert users.authenticate(Credentials("guest", b"guest"), REMOTE) == Refusal(
        "user 'guest' can only connect via localhost"
    )
    assert users.authenticate(Credentials("guest", b"wrong"), REMOTE) == Refusal("user 'guest' - invalid credentials")
    assert users.authenticate(Credentials("nobody", b"guest"), LOCAL) == Refusal("user 'nobody' - invalid credentials")


def test_without_loopback_users_everybody_may_come_from_anywhere() -> None:
    users = InternalUsers(())
    users.add("guest", "guest")
    assert isinstance(users.authenticate(Credentials("guest", b"guest"), REMOTE), User)


def test_adding_a_user_again_changes_it(users: InternalUsers) -> None:
    users.add("alice", "new", frozenset({"monitoring"}))
    assert isinstance(users.authenticate(Credentials("alice", "sécret".encode()), LOCAL), Refusal)
    assert users.authenticate(Credentials("alice", b"new"), LOCAL) == User("alice", frozenset({"monitoring"}))


def test_known_users_may_enter_and_do_everything(users: InternalUsers) -> None:
    for action in Action:
        assert users.may(User("alice"), action, "/", "queue", "anything")
        assert not users.may(User("nobody"), action, "/", "queue", "anything")
    assert users.may_enter(User("alice"), "/", LOCAL)
    assert not users.may_enter(User("nobody"), "/", LOCAL)


def test_a_hash_is_salt_and_digest_as_in_rabbitmqs_documentation() -> None:
    salt = bytes.fromhex("908dc60a")
    worked_example = base64.b64decode("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR")
    assert salted_hash(b"test12", salt) == worked_example


def test_equal_passwords_are_kept_differently(users: InternalUsers) -> None:
    users.add("one", "same")
    users.add("two", "same")
    assert users._users["one"][1] != users._users["two"][1]


def test_passwords_are_not_kept(users: InternalUsers) -> None:
    assert b"guest" not in users._users["guest"][1]


def test_a_peer_prints_as_rabbitmq_names_connections() -> None:
    assert str(Peer("127.0.0.1", 53412, "127.0.0.1", 5672, loopback=True)) == "127.0.0.1:53412 -> 127.0.0.1:5672"
