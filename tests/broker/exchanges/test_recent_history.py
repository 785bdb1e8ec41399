"""The recent-history exchange: a fanout that gives whoever is bound the last messages first."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.binding import Binding
from amqpd.broker.broker import Broker
from amqpd.broker.exchanges.recent_history import RecentHistoryExchange
from amqpd.broker.queue import Queue
from amqpd.broker.vhost import VHost
from amqpd.clock import VirtualClock
from amqpd.errors import PreconditionFailed
from amqpd.message import Message, make_message
from amqpd.store.memory import MemoryStore
from amqpd.wire.fields import UInt8
from amqpd.wire.properties import Properties
from tests.broker.exchange_contract import ExchangeContract, message


class TestRecentHistoryExchange(ExchangeContract):
    exchange_type = RecentHistoryExchange
    keys = ("", "a")
    messages = tuple(message(key) for key in ("", "a", "b"))

    def expected(self, binding: Binding, message: Message) -> bool:
        return True


@pytest.fixture
def vhost() -> VHost:
    return Broker(MemoryStore(), VirtualClock()).vhosts["/"]


def publish(vhost: VHost, *bodies: bytes, properties: Properties | None = None) -> None:
    for body in bodies:
        each = make_message("x", "key", body, properties)
        vhost.route(vhost.exchange("x"), each).deliver(each)


def bound(vhost: VHost, name: str, source: str = "x", **properties: Any) -> Queue:
    """A queue that is bound only now."""
    queue = vhost.declare_queue(name, **properties)
    vhost.bind(source, name, "", {}, to_queue=True)
    return queue


def content(queue: Queue) -> list[bytes]:
    return [entry.message.body for entry in iter(lambda: queue.get(True), None)]


def test_a_new_binding_starts_with_the_last_messages_in_order(vhost: VHost) -> None:
    vhost.declare_exchange("x", "x-recent-history", arguments={"x-recent-history-length": 3})
    publish(vhost, b"1", b"2", b"3", b"4")
    queue = bound(vhost, "q")
    publish(vhost, b"5")
    assert content(queue) == [b"2", b"3", b"4", b"5"]


def test_twenty_are_remembered_when_nobody_says_how_many(vhost: VHost) -> None:
    vhost.declare_exchange("x", "x-recent-history")
    publish(vhost, *[str(number).encode() for number in range(30)])
    assert content(bound(vhost, "q")) == [str(number).encode() for number in range(10, 30)]


def test_a_binding_that_is_there_already_brings_nothing(vhost: VHost) -> None:
    vhost.declare_exchange("x", "x-recent-history")
    queue = bound(vhost, "q")
    publish(vhost, b"1")
    vhost.bind("x", "q", "", {}, to_queue=True)
    assert content(queue) == [b"1"]


def test_messages_may_ask_not_to_be_remembered(vhost: VHost) -> None:
    vhost.declare_exchange("x", "x-recent-history")
    for value in (True, False, "true", 1):
        publish(vhost, repr(value).encode(), properties=Properties(headers={"x-recent-history-no-store": value}))
    assert content(bound(vhost, "q")) == [b"False", b"'true'", b"1"]


def test_an_exchange_that_is_bound_passes_the_history_on(vhost: VHost) -> None:
    vhost.declare_exchange("x", "x-recent-history")
    vhost.declare_exchange("y", "direct")
    queue = vhost.declare_queue("q")
    vhost.bind("y", "q", "key", {}, to_queue=True)
    publish(vhost, b"1", b"2")
    vhost.bind("x", "y", "", {}, to_queue=False)
    assert content(queue) == [b"1", b"2"]


def test_what_is_replayed_is_stored_on_its_own_in_every_durable_queue(vhost: VHost) -> None:
    vhost.declare_exchange("x", "x-recent-history", durable=True)
    before = [bound(vhost, name, durable=True) for name in ("a", "b")]
    publish(vhost, b"1", properties=Properties(delivery_mode=2))
    later = [bound(vhost, name, durable=True) for name in ("c", "d")]
    recovered = Broker(vhost.store, VirtualClock()).vhosts["/"]
    for queue in before + later:
        assert content(recovered.queues[queue.name]) == [b"1"]


def test_the_history_is_gone_after_a_restart(vhost: VHost) -> None:
    vhost.declare_exchange("x", "x-recent-history", durable=True)
    publish(vhost, b"1", properties=Properties(delivery_mode=2))
    recovered = Broker(vhost.store, VirtualClock()).vhosts["/"]
    assert content(bound(recovered, "q")) == []


@pytest.mark.parametrize(
    ("length", "printed"),
    [(0, "0"), (-1, "-1"), ("5", '<<"5">>'), (UInt8(5), "5"), (True, "true"), (None, "undefined")],
)
def test_lengths_that_are_refused(vhost: VHost, length: Any, printed: str) -> None:
    with pytest.raises(PreconditionFailed) as refused:
        vhost.declare_exchange("x", "x-recent-history", arguments={"x-recent-history-length": length})
    reason = f"Invalid argument {printed}, 'x-recent-history-length' must be a positive integer"
    assert refused.value.explanation == reason
