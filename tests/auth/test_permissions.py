"""What users may do, by pattern; and that it is what a much simpler table says."""

from __future__ import annotations

import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from amqpd.auth.base import Action, User
from amqpd.auth.permissions import MOST_CLIENTS, Permissions, TopicPattern
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.base import Recovered
from amqpd.store.memory import MemoryStore

ALICE = User("alice")


@pytest.fixture
def permissions() -> Permissions:
    return Permissions(Broker(MemoryStore(), VirtualClock()), Recovered())


def test_each_action_has_its_pattern(permissions: Permissions) -> None:
    permissions.set("alice", "/", "^c", "^w", "")
    may = {
        (action, name): permissions.may(ALICE, action, "/", name) for action in Action for name in ("c", "w", "r", "")
    }
    assert {asked for asked, answer in may.items() if answer} == {
        (Action.CONFIGURE, "c"),
        (Action.WRITE, "w"),
        (Action.READ, ""),
    }


def test_a_topic_exchange_without_a_record_is_free(permissions: Permissions) -> None:
    permissions.set_topic("alice", "/", "x", "^a", "")
    assert permissions.may_use_topic(ALICE, Action.WRITE, "/", "y", "b")
    assert permissions.may_use_topic(User("bob"), Action.WRITE, "/", "x", "b")
    assert permissions.may_use_topic(ALICE, Action.WRITE, "/", "x", "a.b")
    assert not permissions.may_use_topic(ALICE, Action.WRITE, "/", "x", "b.a")
    assert not permissions.may_use_topic(ALICE, Action.READ, "/", "x", "a.b")


def test_names_stand_for_those_of_the_user() -> None:
    pattern = TopicPattern("^{username}-{vhost}-.*{client_id}$", "a.b", "v+")
    assert pattern.matches("a.b-v+-x.7", "x.7")
    assert not pattern.matches("a.b-v+-x.7", "x.8")
    assert not pattern.matches("aXb-v+-x.7", "x.7")
    assert not pattern.matches("a.b-v+-x+7", "x.7")


def test_what_is_not_known_is_not_replaced() -> None:
    pattern = TopicPattern("^{client_id}.{other}$", "a", "v")
    assert pattern.matches("{client_id}.{other}", "")


def test_a_client_id_cannot_change_what_a_pattern_means() -> None:
    pattern = TopicPattern("^{client_id}$", "a", "v")
    assert not pattern.matches("anything", ".*")
    assert pattern.matches(".*", ".*")
    assert not pattern.matches("a", "a" * 5000)


def test_patterns_of_clients_are_kept_in_bounds() -> None:
    pattern = TopicPattern("^{client_id}$", "a", "v")
    for number in range(MOST_CLIENTS + 10):
        assert pattern.matches(str(number), str(number))
    assert len(pattern._of_clients) <= MOST_CLIENTS


def test_a_vhost_that_goes_takes_its_permissions_along(permissions: Permissions) -> None:
    for vhost in ("/", "v"):
        permissions.set("alice", vhost, "", "", "")
        permissions.set_topic("alice", vhost, "x", "", "")
    permissions.forget_vhost("v")
    assert [each.vhost for each in permissions] == ["/"]
    assert [each.vhost for each in permissions.topics()] == ["/"]


# --- against a model

USERS = st.sampled_from(["alice", "bob"])
VHOSTS = st.sampled_from(["/", "v"])
EXCHANGES = st.sampled_from(["x", "y"])
PATTERNS = st.sampled_from(["", ".*", "^a", "b$", "^(a|b)$", "[^a]"])
NAMES = ("", "a", "b", "ab", "ba")


def found(pattern: str, name: str) -> bool:
    return re.search(pattern or "^$", name) is not None


class Model(RuleBasedStateMachine):
    """Permissions in two dictionaries, matched anew each time; and in a store, from which others start again."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.broker = Broker(self.store, VirtualClock())
        self.permissions = Permissions(self.broker, Recovered())
        self.expected: dict[tuple[str, str], tuple[str, str, str]] = {}
        self.topics: dict[tuple[str, str, str], tuple[str, str]] = {}

    @rule(user=USERS, vhost=VHOSTS, configure=PATTERNS, write=PATTERNS, read=PATTERNS)
    def set(self, user: str, vhost: str, configure: str, write: str, read: str) -> None:
        self.permissions.set(user, vhost, configure, write, read)
        self.expected[user, vhost] = (configure, write, read)

    @rule(user=USERS, vhost=VHOSTS)
    def clear(self, user: str, vhost: str) -> None:
        self.permissions.clear(user, vhost)
        self.expected.pop((user, vhost), None)

    @rule(user=USERS, vhost=VHOSTS, exchange=EXCHANGES, write=PATTERNS, read=PATTERNS)
    def set_topic(self, user: str, vhost: str, exchange: str, write: str, read: str) -> None:
        self.permissions.set_topic(user, vhost, exchange, write, read)
        self.topics[user, vhost, exchange] = (write, read)

    @rule(user=USERS, vhost=VHOSTS, exchange=st.one_of(st.none(), EXCHANGES))
    def clear_topic(self, user: str, vhost: str, exchange: str | None) -> None:
        self.permissions.clear_topic(user, vhost, exchange)
        for key in list(self.topics):
            if key[:2] == (user, vhost) and exchange in (None, key[2]):
                del self.topics[key]

    @rule(user=USERS)
    def forget_user(self, user: str) -> None:
        self.permissions.forget_user(user)
        self.expected = {key: value for key, value in self.expected.items() if key[0] != user}
        self.topics = {key: value for key, value in self.topics.items() if key[0] != user}

    @rule(vhost=VHOSTS)
    def forget_vhost(self, vhost: str) -> None:
        self.permissions.forget_vhost(vhost)
        self.expected = {key: value for key, value in self.expected.items() if key[1] != vhost}
        self.topics = {key: value for key, value in self.topics.items() if key[1] != vhost}

    @rule()
    def restart(self) -> None:
        recovered = self.store.recover()
        self.broker = Broker(self.store, VirtualClock(), recovered=recovered)
        self.permissions = Permissions(self.broker, recovered)

    @invariant()
    def everybody_may_what_the_model_says(self) -> None:
        for user in ("alice", "bob"):
            for vhost in ("/", "v"):
                patterns = self.expected.get((user, vhost))
                for position, action in enumerate((Action.CONFIGURE, Action.WRITE, Action.READ)):
                    for name in NAMES:
                        may = patterns is not None and found(patterns[position], name)
                        assert self.permissions.may(User(user), action, vhost, name) == may
                for exchange in ("x", "y"):
                    topic = self.topics.get((user, vhost, exchange), (".*", ".*"))
                    for position, action in enumerate((Action.WRITE, Action.READ)):
                        for name in NAMES:
                            may = found(topic[position], name)
                            assert self.permissions.may_use_topic(User(user), action, vhost, exchange, name) == may


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
