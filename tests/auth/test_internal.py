"""Users the broker knows: their passwords, from where they may come, and what operators do to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from amqpd.auth.base import MAX_CHANNELS, MAX_CONNECTIONS, Action, Credentials, Peer, Refusal, User
from amqpd.auth.internal import InternalUser, InternalUsers, PasswordRules
from amqpd.auth.passwords import hash_password
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.errors import NoSuchObject, OperatorError, StartupError
from amqpd.store.base import Kind
from amqpd.store.memory import MemoryStore
from tests.fakes import LOCAL, REMOTE


@pytest.fixture
def broker() -> Broker:
    return Broker(MemoryStore(), VirtualClock())


@pytest.fixture
def users(broker: Broker) -> InternalUsers:
    users = InternalUsers(broker)
    users.add("guest", "guest", tags=["administrator"])
    users.add("alice", "sécret")
    users.add("empty", "")
    users.add("nopass")
    return users


@pytest.fixture
def told(broker: Broker) -> list[tuple[str, dict[str, Any]]]:
    """Events from now on, without who acted."""
    found: list[tuple[str, dict[str, Any]]] = []
    broker.events.listen(
        lambda name, fields: found.append(
            (name, {key: value for key, value in fields.items() if key != "user_who_performed_action"})
        )
    )
    return found


def restarted(broker: Broker, **options: Any) -> InternalUsers:
    """The users of a broker started on the same store."""
    recovered = broker.store.recover()
    return InternalUsers(Broker(broker.store, VirtualClock(), recovered=recovered), recovered, **options)


def right(users: InternalUsers, name: str, password: str) -> bool:
    return isinstance(users.authenticate(Credentials(name, password.encode()), LOCAL), User)


def reason(operation: Callable[[], object]) -> str:
    with pytest.raises(OperatorError) as caught:
        operation()
    return str(caught.value)


# --- logging in


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
    assert isinstance(users.authenticate(Credentials(name, None), LOCAL), Refusal)


@pytest.mark.parametrize("name", ["empty", "nopass"])
def test_no_password_lets_in_who_has_none(users: InternalUsers, name: str) -> None:
    assert isinstance(users.authenticate(Credentials(name, b""), LOCAL), Refusal)
    assert isinstance(users.authenticate(Credentials(name, b"x"), LOCAL), Refusal)


def test_a_name_that_is_proved_needs_no_password(users: InternalUsers) -> None:
    assert users.authenticate(Credentials("nopass", None), REMOTE) == User("nopass")


def test_who_was_let_in_elsewhere_is_admitted_whatever_the_password(users: InternalUsers) -> None:
    assert users.admit(Credentials("nopass", b"a token"), REMOTE) == User("nopass")
    assert isinstance(users.admit(Credentials("nobody", b"a token"), REMOTE), Refusal)


def test_the_log_is_told_why_and_not_whether_the_user_or_the_password_was_wrong(users: InternalUsers) -> None:
    for name, password, peer, why in [
        ("guest", b"wrong", REMOTE, "user 'guest' - invalid credentials"),
        ("nobody", b"guest", LOCAL, "user 'nobody' - invalid credentials"),
        ("guest", b"", LOCAL, "user 'guest' attempted to log in with a blank password, which is prohibited"),
        ("nobody", b"", LOCAL, "user 'nobody' attempted to log in with a blank password, which is prohibited"),
    ]:
        assert users.authenticate(Credentials(name, password), peer) == Refusal(why)


def test_passwords_and_their_hashes_show_in_no_repr(users: InternalUsers) -> None:
    assert "sécret" not in repr(Credentials("alice", "sécret".encode()))
    assert users.all["alice"].password_hash not in repr(users.all["alice"])


def test_a_new_secret_changes_nothing(users: InternalUsers) -> None:
    user = User("alice", frozenset({"monitoring"}))
    assert users.update_secret(user, b"whatever", LOCAL) is user


# --- adding, changing, deleting


def test_users_are_there_after_a_restart(broker: Broker, users: InternalUsers) -> None:
    users.add("carol", "pw", tags=["a", "b"], limits={MAX_CHANNELS: 3})
    users.set_permissions("carol", "/", configure="c", write="w", read="r")
    users.set_topic_permissions("carol", "/", "amq.topic", write="tw", read="tr")
    again = restarted(broker)
    assert again.all == users.all
    assert right(again, "carol", "pw")
    assert again.limit(User("carol"), MAX_CHANNELS) == 3
    for each in (users.permissions, again.permissions):
        assert [one.described() for one in each] == [
            {"user": "carol", "vhost": "/", "configure": "c", "write": "w", "read": "r"}
        ]
        assert [one.described() for one in each.topics()] == [
            {"user": "carol", "vhost": "/", "exchange": "amq.topic", "write": "tw", "read": "tr"}
        ]


def test_nothing_of_a_deleted_user_is_there_after_a_restart(broker: Broker, users: InternalUsers) -> None:
    users.set_permissions("alice", "/", configure="", write="", read="")
    users.set_topic_permissions("alice", "/", "amq.topic", write="", read="")
    users.delete("alice")
    assert "alice" not in restarted(broker).all
    found = broker.store.recover().definitions
    assert not found[Kind.PERMISSION]
    assert not found[Kind.TOPIC_PERMISSION]
    users.add("alice", "again")
    assert not users.may_enter(User("alice"), "/", LOCAL)


def test_an_id_is_used_once_whatever_it_is_of(broker: Broker, users: InternalUsers) -> None:
    users.set_permissions("alice", "/", configure="", write="", read="")
    broker.vhosts["/"].declare_queue("q", durable=True)
    definitions = broker.store.recover().definitions
    ids = [each for kind in Kind for each in definitions[kind]]
    assert len(ids) == len(set(ids))


def test_a_hash_from_elsewhere_is_taken_as_it_is(broker: Broker, users: InternalUsers) -> None:
    for algorithm in ("sha256", "sha512", "md5"):
        name = f"rabbit_password_hashing_{algorithm}"
        kept = hash_password(b"pw", name)
        users.add(algorithm, password_hash=kept, hashing_algorithm=name)
        assert users.all[algorithm].password_hash == kept
        assert right(users, algorithm, "pw")
        assert right(restarted(broker), algorithm, "pw")


def test_new_passwords_are_kept_as_the_configuration_says(broker: Broker) -> None:
    users = InternalUsers(broker, rules=PasswordRules("rabbit_password_hashing_sha512"))
    users.add("alice", "pw")
    assert users.all["alice"].hashing_algorithm == "rabbit_password_hashing_sha512"
    assert right(users, "alice", "pw")


def test_new_passwords_have_to_be_as_the_configuration_says(broker: Broker) -> None:
    long_ones = InternalUsers(broker, rules=PasswordRules(least_size=5))
    assert reason(lambda: long_ones.add("a", "1234")) == "minimum required password length is 5"
    long_ones.add("a", "12345")
    assert reason(lambda: long_ones.change_password("a", "1234")) == "minimum required password length is 5"
    assert right(long_ones, "a", "12345")
    digits = InternalUsers(broker, rules=PasswordRules(pattern=r"\d"))
    assert reason(lambda: digits.add("b", "x")) == "provided password does not match the validator regular expression"
    digits.add("b", "x1")


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (lambda users: users.add("alice", "x"), 'User "alice" already exists'),
        (lambda users: users.add("", "x"), "user name cannot be empty"),
        (lambda users: users.add("x", "x", password_hash="x"), "both password and password_hash are provided"),
        (lambda users: users.add("x", password_hash="zzz"), "password_hash is not base64"),
        (lambda users: users.add("x", "x", tags=map(str, range(33))), "33 tags are too many; a user has 32 at most"),
        (
            lambda users: users.add("x", "x", limits={"max-foo": 1}),
            'Unrecognised terms [{<<"max-foo">>,1}] in user-limits',
        ),
        (
            lambda users: users.set_limits("alice", {MAX_CHANNELS: "x"}),
            'max-channels should be a number, actually was <<"x">>',
        ),
        (
            lambda users: users.set_limits("alice", {MAX_CHANNELS: True}),
            "max-channels should be a number, actually was true",
        ),
        (
            lambda users: users.set_permissions("alice", "/", configure="*", write="", read=""),
            "regular expression '*' is invalid: nothing to repeat at position 0",
        ),
        (
            lambda users: users.set_topic_permissions("alice", "/", "amq.topic", write="(", read=""),
            "regular expression '(' is invalid: missing ), unterminated subpattern at position 0",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    users: InternalUsers, broker: Broker, operation: Callable[[InternalUsers], object], why: str
) -> None:
    before = broker.store.recover()
    assert reason(lambda: operation(users)) == why
    assert broker.store.recover() == before


@pytest.mark.parametrize(
    "operation",
    [
        lambda users, name: users.delete(name),
        lambda users, name: users.change_password(name, "x"),
        lambda users, name: users.clear_password(name),
        lambda users, name: users.set_tags(name, ["x"]),
        lambda users, name: users.set_limits(name, {MAX_CHANNELS: 1}),
        lambda users, name: users.clear_limits(name),
        lambda users, name: users.set_permissions(name, "/", configure="", write="", read=""),
        lambda users, name: users.clear_permissions(name, "/"),
        lambda users, name: users.set_topic_permissions(name, "/", "x", write="", read=""),
        lambda users, name: users.clear_topic_permissions(name, "/"),
    ],
)
def test_a_user_who_is_not_there_is_named(
    users: InternalUsers, operation: Callable[[InternalUsers, str], object]
) -> None:
    with pytest.raises(NoSuchObject, match=r'^User "nobody" does not exist$'):
        operation(users, "nobody")


def test_a_vhost_that_is_not_there_is_named(users: InternalUsers) -> None:
    with pytest.raises(NoSuchObject, match=r"^Virtual host nope does not exist$"):
        users.set_permissions("alice", "nope", configure="", write="", read="")


def test_a_password_is_changed_and_cleared(users: InternalUsers) -> None:
    users.change_password("alice", "new")
    assert right(users, "alice", "new")
    assert not right(users, "alice", "sécret")
    users.clear_password("alice")
    assert not right(users, "alice", "new")
    assert not right(users, "alice", "")


def test_tags_are_a_set_in_the_order_they_were_given(users: InternalUsers) -> None:
    users.set_tags("alice", ["b", " a ", "b", ""])
    assert users.all["alice"].tags == ("b", "a")


def test_limits_are_added_to_those_there_are_and_removed_one_by_one(users: InternalUsers) -> None:
    users.set_limits("alice", {MAX_CHANNELS: 1})
    users.set_limits("alice", {MAX_CONNECTIONS: 0})
    assert (users.limit(User("alice"), MAX_CHANNELS), users.limit(User("alice"), MAX_CONNECTIONS)) == (1, 0)
    users.set_limits("alice", {MAX_CHANNELS: -1})
    assert (users.limit(User("alice"), MAX_CHANNELS), users.limit(User("alice"), MAX_CONNECTIONS)) == (None, 0)
    users.clear_limits("alice", MAX_CONNECTIONS)
    assert users.all["alice"].limits == {MAX_CHANNELS: -1}
    users.clear_limits("alice")
    assert users.all["alice"].limits == {}
    assert users.limit(User("nobody"), MAX_CHANNELS) is None


def test_put_adds_a_user_or_replaces_what_it_says(users: InternalUsers) -> None:
    users.put("dave", "one", tags=["a"], limits={MAX_CHANNELS: 1})
    assert right(users, "dave", "one")
    users.put("dave", "two", tags=["b"], limits={MAX_CONNECTIONS: 2})
    assert right(users, "dave", "two")
    assert users.all["dave"].tags == ("b",)
    assert users.all["dave"].limits == {MAX_CHANNELS: 1, MAX_CONNECTIONS: 2}
    users.put("dave")
    assert not right(users, "dave", "two")


def test_what_a_configuration_wants_does_not_change_who_is_there(users: InternalUsers) -> None:
    for password in ("first", "second"):
        users.provide("eve", password, [], "/", configure="", write="", read="")
    assert right(users, "eve", "first")
    assert users.may_enter(User("eve"), "/", LOCAL)


def test_operations_are_told(users: InternalUsers, told: list[tuple[str, dict[str, Any]]]) -> None:
    users.add("carol", "pw", tags=["a"])
    users.change_password("carol", "pw2")
    users.clear_password("carol")
    users.set_tags("carol", ["b", "c"])
    users.set_limits("carol", {MAX_CHANNELS: 1})
    users.clear_limits("carol")
    users.set_permissions("carol", "/", configure="c", write="w", read="r")
    users.clear_permissions("carol", "/")
    users.set_topic_permissions("carol", "/", "x", write="w", read="r")
    users.clear_topic_permissions("carol", "/", "x")
    users.delete("carol")
    place = {"user": "carol", "vhost": "/"}
    assert told == [
        ("user.created", {"name": "carol"}),
        ("user.tags.set", {"name": "carol", "tags": ["a"]}),
        ("user.password.changed", {"name": "carol"}),
        ("user.password.cleared", {"name": "carol"}),
        ("user.tags.set", {"name": "carol", "tags": ["b", "c"]}),
        ("user.limits.set", {"name": "limits", "username": "carol", MAX_CHANNELS: 1}),
        ("user.limits.cleared", {"name": "limits", "username": "carol"}),
        ("permission.created", {**place, "configure": "c", "write": "w", "read": "r"}),
        ("permission.deleted", place),
        ("topic.permission.created", {**place, "exchange": "x", "write": "w", "read": "r"}),
        ("topic.permission.deleted", place),
        ("user.deleted", {"name": "carol"}),
    ]


def test_without_permission_for_a_vhost_nobody_enters_it(users: InternalUsers) -> None:
    assert not users.may_enter(User("alice"), "/", LOCAL)
    users.set_permissions("alice", "/", configure="", write="", read="")
    assert users.may_enter(User("alice"), "/", LOCAL)
    assert not users.may_enter(User("alice"), "other", LOCAL)
    assert not users.may(User("alice"), Action.READ, "/", "queue", "q")
    users.clear_permissions("alice", "/")
    assert not users.may_enter(User("alice"), "/", LOCAL)


def test_users_in_the_data_folder_that_make_no_sense_stop_the_start(broker: Broker) -> None:
    broken = InternalUser(next(broker.ids), "alice", "zzz")
    broker.store.define(Kind.USER, broken.id, broken.definition)
    with pytest.raises(StartupError) as caught:
        restarted(broker)
    assert str(caught.value) == "the users in the data folder make no sense: password_hash is not base64"


def test_a_peer_prints_as_rabbitmq_names_connections() -> None:
    assert str(Peer("127.0.0.1", 53412, "127.0.0.1", 5672, loopback=True)) == "127.0.0.1:53412 -> 127.0.0.1:5672"
