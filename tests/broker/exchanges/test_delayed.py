"""The delayed-message exchange: messages wait for their time, and nothing of that is lost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.broker.binding import Binding
from amqpd.broker.broker import Broker
from amqpd.broker.exchanges.delayed import BURST, MAX_DELAY, PAGE, DelayedMessageExchange, delay_of
from amqpd.broker.exchanges.topic import TopicExchange
from amqpd.broker.memory import ENTRY_COST
from amqpd.broker.queue import STORED, Queue
from amqpd.broker.vhost import VHost
from amqpd.clock import VirtualClock
from amqpd.errors import PreconditionFailed
from amqpd.message import Message, make_message
from amqpd.store.base import Store
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore
from amqpd.wire.fields import Int8, Int32, Timestamp, UInt32
from amqpd.wire.properties import Properties
from tests.broker.exchange_contract import ExchangeContract, message

TOPIC = {"x-delayed-type": "topic"}


class TestDelayedMessageExchange(ExchangeContract):
    exchange_type = DelayedMessageExchange
    declared_with: ClassVar = TOPIC
    keys = ("a", "a.*", "#", "b")
    messages = tuple(message(key, {"x-delay": 5}) for key in ("", "a", "a.b", "b"))

    def expected(self, binding: Binding, message: Message) -> bool:
        words = message.routing_key.split(".")
        pattern = binding.routing_key
        return pattern in ("#", message.routing_key) or (pattern == "a.*" and words[0] == "a" and len(words) == 2)


class Setting:
    """A durable delayed exchange `x` of type topic, with a durable queue `q` bound to it."""

    def __init__(self, store: Store | None = None, clock: VirtualClock | None = None, **options: Any) -> None:
        self.store = store or MemoryStore()
        self.clock = clock or VirtualClock()
        self.options = options
        self.broker = Broker(self.store, self.clock, **options)
        if "x" not in self.vhost.exchanges:
            self.vhost.declare_exchange("x", "x-delayed-message", durable=True, arguments=TOPIC)
            self.vhost.declare_queue("q", durable=True)
            self.vhost.bind("x", "q", "#", {}, to_queue=True)

    @property
    def vhost(self) -> VHost:
        return self.broker.vhosts["/"]

    @property
    def exchange(self) -> DelayedMessageExchange:
        exchange = self.vhost.exchange("x")
        assert isinstance(exchange, DelayedMessageExchange)
        return exchange

    def publish(self, body: bytes, delay: Any, to: str = "x", **properties: Any) -> int:
        headers = {} if delay is None else {"x-delay": delay}
        each = make_message(to, "key", body, Properties(headers=headers, **properties))
        return self.vhost.route(self.vhost.exchange(to), each).deliver(each)

    def content(self, queue: str = "q") -> list[bytes]:
        return [each.body for each in self.messages(queue)]

    def messages(self, queue: str = "q") -> list[Message]:
        found: Queue = self.vhost.queues[queue]
        return [entry.message for entry in iter(lambda: found.get(True), None)]

    def stop(self) -> None:
        """The broker does nothing any more."""
        if self.exchange._timer is not None:
            self.exchange._timer.cancel()

    def restart(self, store: Store | None = None) -> None:
        """Another broker on what this one left."""
        self.stop()
        self.broker = Broker(store or self.store, self.clock, **self.options)


def test_messages_arrive_when_it_is_time_and_not_before() -> None:
    x = Setting()
    x.publish(b"later", 2000)
    x.publish(b"soon", 1000)
    x.publish(b"at once", None)
    assert x.content() == [b"at once"]
    assert x.exchange.messages_delayed == 2
    x.clock.advance(0.999)
    assert x.content() == []
    x.clock.advance(0.001)
    assert x.content() == [b"soon"]
    x.clock.advance(1)
    assert x.content() == [b"later"]
    assert x.exchange.messages_delayed == 0


def test_messages_due_together_keep_their_order() -> None:
    x = Setting()
    for number in range(50):
        x.publish(b"%d" % number, 500)
    x.clock.advance(0.5)
    assert x.content() == [b"%d" % number for number in range(50)]


def test_many_due_together_leave_others_their_turn() -> None:
    x = Setting()
    for _ in range(BURST + 1):
        x.publish(b"", 500)
    x.clock.advance(0.5)
    assert len(x.content()) == BURST
    x.clock.advance(0.001)
    assert len(x.content()) == 1


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 20))))
def test_everything_arrives_in_order_of_its_moment(publishes: list[tuple[int, int]]) -> None:
    x = Setting()
    expected = []
    start = x.clock.time()
    for number, (delay, pause) in enumerate(publishes):
        x.clock.advance(pause / 1000)
        x.publish(b"%d" % number, delay)
        expected.append((int(x.clock.time() * 1000) + delay, number))
    assert x.clock.time() >= start
    x.clock.advance(1)
    assert x.content() == [b"%d" % number for _, number in sorted(expected)]


@pytest.mark.parametrize(
    ("delay", "delayed"),
    [
        (None, 0),
        (0, 0),
        (-1, 0),
        (Int8(5), 5),
        (UInt32(MAX_DELAY), MAX_DELAY),
        (MAX_DELAY + 1, 0),
        (1500.9, 1500),
        (0.5, 0),
        (float("inf"), 0),
        (float("nan"), 0),
        (Decimal("12.5"), 12),
        ("250", 250),
        ("-250", 0),
        ("2s", 0),
        ("", 0),
        ("-", 0),
        (True, 0),
        (Timestamp(5), 0),
        ([5], 0),
        ({}, 0),
    ],
)
def test_what_a_delay_may_be(delay: Any, delayed: int) -> None:
    assert delay_of(message("", {"x-delay": delay})) == delayed


@pytest.mark.parametrize(
    ("delay", "negated"), [(Int32(5), Int32(-5)), (7, Int32(-7)), ("9", Int32(-9)), (MAX_DELAY, -MAX_DELAY)]
)
def test_what_arrives_says_how_long_it_was_held_back(delay: Any, negated: int) -> None:
    x = Setting()
    x.publish(b"message", delay, content_type="text/plain", delivery_mode=2)
    x.clock.advance(MAX_DELAY)
    (arrived,) = x.messages()
    assert arrived.properties == Properties(content_type="text/plain", headers={"x-delay": negated}, delivery_mode=2)
    assert type(arrived.headers["x-delay"]) is type(negated)


def test_a_message_passed_on_to_another_delayed_exchange_is_not_held_back_again() -> None:
    x = Setting()
    x.vhost.declare_exchange("y", "x-delayed-message", arguments=TOPIC)
    x.vhost.declare_queue("behind")
    x.vhost.bind("x", "y", "#", {}, to_queue=False)
    x.vhost.bind("y", "behind", "#", {}, to_queue=True)
    x.publish(b"message", 1000)
    x.clock.advance(1)
    assert x.content("behind") == [b"message"]


def test_bindings_are_those_of_the_moment_when_it_arrives() -> None:
    x = Setting()
    x.publish(b"message", 1000)
    x.vhost.declare_queue("new")
    x.vhost.bind("x", "new", "key", {}, to_queue=True)
    x.vhost.unbind("x", "q", "#", {}, to_queue=True)
    x.clock.advance(1)
    assert x.content("new") == [b"message"]
    assert x.content() == []


def test_copies_are_made_when_it_arrives_and_blind_ones_stay_blind() -> None:
    x = Setting()
    x.vhost.unbind("x", "q", "#", {}, to_queue=True)
    for key in ("cc", "bcc"):
        x.vhost.declare_queue(key)
        x.vhost.bind("x", key, key, {}, to_queue=True)
    each = make_message("x", "key", b"body", Properties(headers={"CC": ["cc"], "x-delay": 1000}))
    assert x.vhost.route(x.exchange, each, ("cc", "bcc")).queues == ()
    x.clock.advance(1)
    for key in ("cc", "bcc"):
        (arrived,) = x.messages(key)
        assert arrived.headers == {"CC": ["cc"], "x-delay": -1000}
        assert arrived.routing_key == "key"


def test_the_alternate_exchange_takes_a_copy_at_once() -> None:
    x = Setting()
    x.vhost.declare_exchange("alternate", "fanout")
    x.vhost.declare_queue("rest")
    x.vhost.bind("alternate", "rest", "", {}, to_queue=True)
    arguments = {**TOPIC, "alternate-exchange": "alternate"}
    x.vhost.declare_exchange("y", "x-delayed-message", arguments=arguments)
    x.vhost.bind("y", "q", "key", {}, to_queue=True)
    x.publish(b"message", 1000, "y")
    assert x.content("rest") == [b"message"]
    x.clock.advance(1)
    assert x.content("rest") == []
    assert x.content() == [b"message"]


def test_an_expiration_counts_from_when_it_arrives() -> None:
    x = Setting()
    x.publish(b"message", 1000, expiration="500")
    x.restart()
    x.clock.advance(1)
    (arrived,) = x.messages()
    assert arrived.ttl == 500


def test_a_fanout_leads_through_it_and_elsewhere() -> None:
    x = Setting()
    x.vhost.declare_exchange("entrance", "fanout")
    x.vhost.bind("entrance", "x", "", {}, to_queue=False)
    for name in ("one", "other"):
        x.vhost.declare_queue(name, durable=True)
        x.vhost.bind("entrance", name, "", {}, to_queue=True)
    assert x.publish(b"message", 1000, "entrance", delivery_mode=2) == STORED
    assert x.content("one") == [b"message"]
    x.restart()
    x.clock.advance(1)
    assert x.content() == [b"message"]
    assert x.content("other") == [b"message"]


# --- what is kept


def test_what_waits_for_a_durable_exchange_is_stored_whatever_its_delivery_mode() -> None:
    x = Setting()
    for mode in (None, 1, 2):
        assert x.publish(b"message", 1000, delivery_mode=mode) == STORED
    x.restart()
    assert x.exchange.messages_delayed == 3
    x.clock.advance(1)
    assert x.content() == [b"message"] * 3


def test_what_waits_for_a_transient_exchange_is_not() -> None:
    x = Setting()
    x.vhost.declare_exchange("y", "x-delayed-message", arguments=TOPIC)
    x.vhost.bind("y", "q", "key", {}, to_queue=True)
    assert x.publish(b"message", 1000, "y", delivery_mode=2) == 0
    x.clock.advance(1)
    assert x.content() == [b"message"]


def test_what_was_due_while_the_broker_was_away_arrives_when_it_is_back() -> None:
    x = Setting()
    x.publish(b"first", 1000)
    x.publish(b"second", 5000)
    x.publish(b"third", 60_000)
    x.stop()
    x.clock.advance(10)
    x.restart()
    assert x.content() == []
    x.clock.advance(0.01)
    assert x.content() == [b"first", b"second"]
    x.clock.advance(50)
    assert x.content() == [b"third"]


def test_what_has_arrived_does_not_come_again_after_a_restart() -> None:
    x = Setting()
    x.publish(b"message", 1000, delivery_mode=2)
    x.clock.advance(1)
    x.restart()
    assert x.exchange.messages_delayed == 0
    assert x.content() == [b"message"]
    x.publish(b"another", 1000)
    x.clock.advance(1)
    assert x.content() == [b"another"]


def test_deleting_the_exchange_leaves_nothing() -> None:
    x = Setting()
    x.publish(b"message", 1000)
    used, exchange = x.broker.memory.used, x.exchange
    assert used
    x.vhost.delete_exchange("x")
    assert x.broker.memory.used == 0
    assert exchange.messages_delayed == 0
    assert x.store.read(exchange.id, 0, 1) == []
    x.clock.advance(2)
    assert x.content() == []


def test_beyond_the_memory_budget_messages_wait_in_the_store_alone() -> None:
    x = Setting(memory_limit=100)
    for body in (b"a" * 200, b"b" * 200, b"c" * 200):
        x.publish(body, 1000)
    assert x.broker.memory.used == 200 + ENTRY_COST
    x.clock.advance(1)
    assert [body[:1] for body in x.content()] == [b"a", b"b", b"c"]
    assert x.broker.memory.used == 0


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[[], LmdbStore]:
    return lambda: LmdbStore(tmp_path / "store", sync=False, map_size=1 << 26)


def test_a_store_on_disk_brings_all_back(open_store: Callable[[], LmdbStore]) -> None:
    store = open_store()
    x = Setting(store)
    count = PAGE + 10
    for number in range(count):
        x.publish(b"%d" % number, 1000 + number % 7, delivery_mode=2)
    store.close()
    store = open_store()
    x.restart(store)
    assert x.exchange.messages_delayed == count
    x.clock.advance(2)
    assert sorted(x.content(), key=int) == [b"%d" % number for number in range(count)]
    store.commit()
    assert store.read(x.exchange.id, 0, 1) == []
    store.close()


def test_a_message_is_never_in_both_places_and_never_in_neither(open_store: Callable[[], LmdbStore]) -> None:
    store = open_store()
    x = Setting(store)
    x.publish(b"message", 1000, delivery_mode=2)
    store.commit()
    x.clock.advance(1)
    store._env.close()  # a crash: what was not committed is lost
    import os

    os.close(store._lock)
    store = open_store()
    x.restart(store)
    assert x.exchange.messages_delayed == 1
    assert x.vhost.queues["q"].message_count == 0
    x.clock.advance(1)
    store.commit()
    assert store.read(x.exchange.id, 0, 1) == []
    assert x.content() == [b"message"]
    store.close()


# --- declaring


def declare(arguments: dict[str, Any]) -> str:
    """The reason why an exchange with these arguments is refused."""
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    with pytest.raises(PreconditionFailed) as refused:
        vhost.declare_exchange("x", "x-delayed-message", arguments=arguments)
    return refused.value.explanation


@pytest.mark.parametrize("arguments", [{}, {"x-delayed-type": 1}, {"x-delayed-type": None}])
def test_the_type_behind_it_has_to_be_named(arguments: dict[str, Any]) -> None:
    assert declare(arguments) == "Invalid argument, 'x-delayed-type' must be an existing exchange type"


def test_the_type_behind_it_has_to_exist() -> None:
    assert declare({"x-delayed-type": "x-nothing"}) == "unknown exchange type 'x-nothing'"


def test_it_cannot_be_behind_itself() -> None:
    reason = "Invalid argument, 'x-delayed-message' can't be used for 'x-delayed-type'"
    assert declare({"x-delayed-type": "x-delayed-message"}) == reason


def test_the_type_behind_it_checks_its_own_arguments_and_bindings() -> None:
    hashing = {"x-delayed-type": "x-consistent-hash"}
    reason = declare({**hashing, "hash-header": "a", "hash-property": "message_id"})
    assert reason == "hash-header and hash-property are mutually exclusive"
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    vhost.declare_exchange("x", "x-delayed-message", arguments=hashing)
    vhost.declare_queue("q")
    with pytest.raises(PreconditionFailed, match="The binding key must be an integer"):
        vhost.bind("x", "q", "key", {}, to_queue=True)


def test_another_type_behind_it_is_not_noticed_when_it_is_declared_again() -> None:
    x = Setting()
    again = x.vhost.declare_exchange("x", "x-delayed-message", durable=True, arguments={"x-delayed-type": "direct"})
    assert again is x.exchange
    assert isinstance(x.exchange.inner, TopicExchange)


def test_the_history_of_a_type_behind_it_is_of_what_has_arrived() -> None:
    x = Setting()
    x.vhost.declare_exchange("y", "x-delayed-message", arguments={"x-delayed-type": "x-recent-history"})
    x.publish(b"later", 1000, "y")
    x.publish(b"at once", None, "y")
    for name in ("early", "late"):
        x.vhost.declare_queue(name)
        x.vhost.bind("y", name, "", {}, to_queue=True)
        x.clock.advance(1)
    assert x.content("early") == [b"at once", b"later"]
    assert x.content("late") == [b"at once", b"later"]


def test_an_explanation_names_the_delay() -> None:
    x = Setting()
    assert [verdict.reason for verdict in x.exchange.explain(message("key", {"x-delay": 5}))] == [
        "after 5 ms, pattern '#' fits routing key 'key': # stands for 'key'"
    ]
