"""The vhost: declaring, binding and deleting, what goes with what, and the way of a message."""

from __future__ import annotations

import re
from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.compat import PROFILES
from amqpd.broker.consumer import Consumer, Outlet, Window
from amqpd.broker.exchanges import Exchange
from amqpd.broker.queue import STORED, Queue
from amqpd.broker.route import Routes
from amqpd.broker.vhost import VHost, generated_name
from amqpd.clock import VirtualClock
from amqpd.errors import (
    AccessRefused,
    InternalError,
    NotFound,
    NotImplementedByBroker,
    PreconditionFailed,
    ResourceLocked,
)
from amqpd.message import Message, make_message
from amqpd.store.base import Kind
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties
from amqpd.wire.spec import ProtocolError
from tests.fakes import RecordingSink

LOCKED = (
    "cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be originally declared on another"
    " connection or the exclusive property value does not match that of the original declaration."
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def vhost(store: MemoryStore) -> VHost:
    return Broker(store, VirtualClock()).vhosts["/"]


def message(key: str = "", *, exchange: str = "x", persistent: bool = False, headers: Any = None) -> Message:
    return make_message(exchange, key, b"body", Properties(headers=headers, delivery_mode=2 if persistent else 1))


def quorum(vhost: VHost, name: str, **options: Any) -> Queue:
    return vhost.declare_queue(name, arguments={"x-queue-type": "quorum"}, **options)


def reached(vhost: VHost, exchange: str, key: str = "", **properties: Any) -> list[str]:
    """The queues a message published there reaches, by name."""
    found = vhost.route(vhost.exchange(exchange), message(key, exchange=exchange, **properties)).queues
    assert len(set(found)) == len(found)
    return sorted(queue.name for queue in found)


def queue_bound(vhost: VHost, name: str, exchange: str, key: str = "", **options: Any) -> Queue:
    queue = vhost.declare_queue(name, **options)
    vhost.bind(exchange, name, key, {}, to_queue=True)
    return queue


def consume(queue: Queue, tag: str = "c") -> tuple[Consumer, RecordingSink]:
    sink = RecordingSink()
    consumer = Consumer(tag, queue, sink, Outlet(), Window())
    queue.add_consumer(consumer)
    queue.dispatch()
    return consumer, sink


# --- what every vhost has


@pytest.mark.parametrize(
    ("name", "kind", "internal"),
    [
        ("", "direct", False),
        ("amq.direct", "direct", False),
        ("amq.fanout", "fanout", False),
        ("amq.topic", "topic", False),
        ("amq.headers", "headers", False),
        ("amq.match", "headers", False),
        ("amq.rabbitmq.trace", "topic", True),
    ],
)
def test_these_exchanges_are_there_from_the_start(vhost: VHost, name: str, kind: str, internal: bool) -> None:
    exchange = vhost.exchange(name)
    assert (exchange.type, exchange.internal, exchange.durable, exchange.auto_delete) == (kind, internal, True, False)
    assert len(vhost.exchanges) == 7


def test_a_name_that_is_not_there_is_not_found(vhost: VHost) -> None:
    with pytest.raises(NotFound, match=re.escape("no exchange 'nope' in vhost '/'")):
        vhost.exchange("nope")
    with pytest.raises(NotFound, match=re.escape("no queue 'nope' in vhost '/'")):
        vhost.queue("nope", None)


# --- declaring exchanges


def test_an_exchange_is_declared_with_its_properties(vhost: VHost) -> None:
    exchange = vhost.declare_exchange(
        "x", "topic", durable=True, auto_delete=True, internal=True, arguments={"alternate-exchange": "y", "foo": 1}
    )
    assert vhost.exchange("x") is exchange
    assert (exchange.type, exchange.durable, exchange.auto_delete, exchange.internal) == ("topic", True, True, True)
    assert exchange.arguments == {"alternate-exchange": "y", "foo": 1}


def test_declaring_the_same_again_finds_the_exchange(vhost: VHost) -> None:
    exchange = vhost.declare_exchange("x", "topic", arguments={"foo": 1})
    assert vhost.declare_exchange("x", "topic", arguments={"bar": 2}) is exchange
    assert exchange.arguments == {"foo": 1}


@pytest.mark.parametrize(
    ("different", "text"),
    [
        ({"type_name": "topic"}, "inequivalent arg 'type' for {x}: received 'topic' but current is 'direct'"),
        ({"durable": True}, "inequivalent arg 'durable' for {x}: received 'true' but current is 'false'"),
        ({"auto_delete": True}, "inequivalent arg 'auto_delete' for {x}: received 'true' but current is 'false'"),
        ({"internal": True}, "inequivalent arg 'internal' for {x}: received 'true' but current is 'false'"),
        (
            {"arguments": {"alternate-exchange": "y"}},
            "inequivalent arg 'alternate-exchange' for {x}: {typed}",
        ),
        # the first difference is the one that is named
        (
            {"type_name": "topic", "durable": True},
            "inequivalent arg 'type' for {x}: received 'topic' but current is 'direct'",
        ),
        (
            {"durable": True, "internal": True},
            "inequivalent arg 'durable' for {x}: received 'true' but current is 'false'",
        ),
    ],
)
def test_declaring_something_else_names_the_first_difference(
    vhost: VHost, different: dict[str, Any], text: str
) -> None:
    vhost.declare_exchange("x", "direct")
    with pytest.raises(PreconditionFailed) as caught:
        vhost.declare_exchange("x", **{"type_name": "direct", **different})
    typed = "received the value 'y' of type 'longstr' but current is none"
    assert caught.value.explanation == text.format(x="exchange 'x' in vhost '/'", typed=typed)


def test_an_unknown_type_is_refused_as_the_version_followed_does() -> None:
    for version, code in (("default", 406), ("3.12", 503), ("4.3", 406)):
        vhost = Broker(MemoryStore(), VirtualClock(), compat=PROFILES[version]).vhosts["/"]
        with pytest.raises(ProtocolError) as caught:
            vhost.declare_exchange("x", "zz")
        assert (caught.value.code, caught.value.explanation) == (code, "unknown exchange type 'zz'")
        with pytest.raises(ProtocolError, match="unknown exchange type 'zz'"):
            vhost.declare_exchange("", "zz")


def test_names_that_start_with_amq_are_the_brokers(vhost: VHost) -> None:
    with pytest.raises(AccessRefused, match=re.escape("exchange name 'amq.zz' contains reserved prefix 'amq.*'")):
        vhost.declare_exchange("amq.zz", "direct")
    assert vhost.declare_exchange("amq.direct", "direct", durable=True) is vhost.exchange("amq.direct")
    with pytest.raises(PreconditionFailed, match="inequivalent arg 'type'"):
        vhost.declare_exchange("amq.direct", "topic", durable=True)


def test_the_default_exchange_cannot_be_declared_bound_or_deleted(vhost: VHost) -> None:
    vhost.declare_queue("q")
    vhost.declare_exchange("x", "direct")
    text = "operation not permitted on the default exchange"
    with pytest.raises(AccessRefused, match=text):
        vhost.declare_exchange("", "direct", durable=True)
    with pytest.raises(AccessRefused, match=text):
        vhost.delete_exchange("")
    with pytest.raises(AccessRefused, match=text):
        vhost.bind("", "q", "k", {}, to_queue=True)
    with pytest.raises(AccessRefused, match=text):
        vhost.unbind("", "q", "k", {}, to_queue=True)
    for source, destination in (("", "x"), ("x", "")):
        with pytest.raises(AccessRefused, match=text):
            vhost.bind(source, destination, "k", {}, to_queue=False)
        with pytest.raises(AccessRefused, match=text):
            vhost.unbind(source, destination, "k", {}, to_queue=False)


def test_a_malformed_alternate_exchange_is_refused(vhost: VHost) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        vhost.declare_exchange("x", "direct", arguments={"alternate-exchange": 5})
    assert caught.value.explanation == ("invalid type 'long' for arg 'alternate-exchange' in exchange 'x' in vhost '/'")
    assert "x" not in vhost.exchanges


# --- deleting exchanges


def test_a_deleted_exchange_is_gone_with_its_bindings(vhost: VHost) -> None:
    for name in ("source", "x"):
        vhost.declare_exchange(name, "fanout")
    queue = queue_bound(vhost, "q", "x")
    vhost.bind("source", "x", "", {}, to_queue=False)
    assert vhost.delete_exchange("x") is not None
    assert "x" not in vhost.exchanges
    assert queue.incoming == {}
    assert vhost.exchange("source").outgoing == {}
    assert reached(vhost, "source") == []


def test_deleting_an_exchange_that_is_not_there_does_nothing(vhost: VHost) -> None:
    assert vhost.delete_exchange("nope") is None


@pytest.mark.parametrize("name", ["amq.direct", "amq.rabbitmq.trace", "amq.nope"])
def test_the_exchanges_every_vhost_has_cannot_be_deleted(vhost: VHost, name: str) -> None:
    with pytest.raises(AccessRefused, match=f"deletion of system exchange '{name}' in vhost '/' not allowed"):
        vhost.delete_exchange(name)


def test_an_exchange_with_bindings_is_in_use(vhost: VHost) -> None:
    for name in ("x", "source"):
        vhost.declare_exchange(name, "fanout")
    queue_bound(vhost, "q", "x")
    with pytest.raises(PreconditionFailed, match="exchange 'x' in vhost '/' in use"):
        vhost.delete_exchange("x", if_unused=True)
    vhost.unbind("x", "q", "", {}, to_queue=True)
    vhost.bind("source", "x", "", {}, to_queue=False)
    assert vhost.delete_exchange("x", if_unused=True) is not None, "a destination is not in use by that"


def test_an_auto_delete_exchange_goes_with_its_last_binding(vhost: VHost) -> None:
    vhost.declare_exchange("x", "fanout", auto_delete=True)
    queue_bound(vhost, "p", "x")
    queue_bound(vhost, "q", "x")
    vhost.unbind("x", "p", "", {}, to_queue=True)
    assert "x" in vhost.exchanges
    vhost.unbind("x", "q", "", {}, to_queue=True)
    assert "x" not in vhost.exchanges


def test_an_auto_delete_exchange_that_never_had_a_binding_stays(vhost: VHost) -> None:
    vhost.declare_exchange("x", "fanout", auto_delete=True)
    vhost.declare_exchange("source", "fanout")
    vhost.bind("source", "x", "", {}, to_queue=False)
    vhost.unbind("source", "x", "", {}, to_queue=False)
    assert "x" in vhost.exchanges, "bindings to it do not count"


def test_auto_delete_exchanges_fall_one_after_the_other(vhost: VHost) -> None:
    for name in ("a", "b", "c"):
        vhost.declare_exchange(name, "fanout", auto_delete=True)
    vhost.bind("a", "b", "", {}, to_queue=False)
    vhost.bind("b", "c", "", {}, to_queue=False)
    queue = queue_bound(vhost, "q", "c")
    vhost.delete_queue(queue)
    assert {"a", "b", "c"} & set(vhost.exchanges) == set()


def test_auto_delete_exchanges_in_a_circle_can_be_deleted(vhost: VHost) -> None:
    for name in ("a", "b"):
        vhost.declare_exchange(name, "fanout", auto_delete=True)
    vhost.bind("a", "b", "", {}, to_queue=False)
    vhost.bind("b", "a", "", {}, to_queue=False)
    vhost.bind("a", "a", "", {}, to_queue=False)
    vhost.delete_exchange("a")
    assert {"a", "b"} & set(vhost.exchanges) == set()


# --- declaring queues


def test_a_queue_is_declared_with_its_properties(vhost: VHost) -> None:
    queue = vhost.declare_queue("q", durable=True, auto_delete=True, arguments={"x-max-length": 5, "foo": None})
    assert vhost.queue("q", None) is queue
    assert (queue.name, queue.durable, queue.auto_delete, queue.owner) == ("q", True, True, None)
    assert queue.arguments == {"x-max-length": 5, "foo": None, "x-queue-type": "classic"}


@pytest.mark.parametrize(
    ("compat", "stored"), [("3.12", {}), ("3.13", {}), *((v, {"x-queue-type": "classic"}) for v in ("4.0", "default"))]
)
def test_from_4_0_on_the_type_is_among_the_arguments_of_a_queue(compat: str, stored: dict[str, str]) -> None:
    vhost = Broker(MemoryStore(), VirtualClock(), compat=PROFILES[compat]).vhosts["/"]
    assert vhost.declare_queue("q").arguments == stored
    assert vhost.declare_queue("q").arguments == stored
    vhost.declare_queue("q", arguments={"x-queue-type": "classic"})


@pytest.mark.parametrize(
    ("compat", "first", "second", "text"),
    [
        ("default", {}, {"x-queue-type": "quorum"}, "received 'quorum' but current is 'classic'"),
        ("default", {"x-queue-type": "quorum"}, {}, "received 'classic' but current is 'quorum'"),
        ("3.13", {}, {"x-queue-type": "quorum"}, "received the value 'quorum' of type 'longstr' but current is none"),
        ("3.13", {"x-queue-type": "quorum"}, {}, "received none but current is the value 'quorum' of type 'longstr'"),
    ],
)
def test_another_type_is_refused(compat: str, first: dict[str, Any], second: dict[str, Any], text: str) -> None:
    vhost = Broker(MemoryStore(), VirtualClock(), compat=PROFILES[compat]).vhosts["/"]
    vhost.declare_queue("q", durable=True, arguments=first)
    with pytest.raises(PreconditionFailed) as refused:
        vhost.declare_queue("q", durable=True, arguments=second)
    assert refused.value.explanation == f"inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': {text}"


def test_declaring_the_same_again_finds_the_queue(vhost: VHost) -> None:
    queue = vhost.declare_queue("q", durable=True)
    assert vhost.declare_queue("q", durable=True) is queue


@pytest.mark.parametrize(
    ("different", "text"),
    [
        ({"durable": False}, "inequivalent arg 'durable' for {q}: received 'false' but current is 'true'"),
        ({"auto_delete": True}, "inequivalent arg 'auto_delete' for {q}: received 'true' but current is 'false'"),
        (
            {"arguments": {"x-max-length": 5}},
            "inequivalent arg 'x-max-length' for {q}: received the value '5' of type 'long' but current is none",
        ),
        (
            {"durable": False, "arguments": {"x-max-length": 5}},
            "inequivalent arg 'durable' for {q}: received 'false' but current is 'true'",
        ),
    ],
)
def test_declaring_another_queue_names_the_first_difference(vhost: VHost, different: dict[str, Any], text: str) -> None:
    vhost.declare_queue("q", durable=True)
    with pytest.raises(PreconditionFailed) as caught:
        vhost.declare_queue("q", **{"durable": True, **different})
    assert caught.value.explanation == text.format(q="queue 'q' in vhost '/'")


def test_a_nameless_queue_gets_a_name_of_the_brokers(vhost: VHost) -> None:
    first, second = vhost.declare_queue(""), vhost.declare_queue("")
    assert re.fullmatch(r"amq\.gen-[A-Za-z0-9_-]{22}", first.name)
    assert first.name != second.name
    assert vhost.queue(first.name, None) is first


def test_generated_names_differ() -> None:
    names = {generated_name("amq.ctag-") for _ in range(1000)}
    assert len(names) == 1000
    assert all(re.fullmatch(r"amq\.ctag-[A-Za-z0-9_-]{22}", name) for name in names)


def test_queue_names_that_start_with_amq_are_the_brokers_even_if_they_are_there(vhost: VHost) -> None:
    generated = vhost.declare_queue("").name
    for name in ("amq.q", generated):
        with pytest.raises(AccessRefused, match=re.escape(f"queue name '{name}' contains reserved prefix 'amq.*'")):
            vhost.declare_queue(name)


def test_a_queue_with_an_argument_out_of_place_is_not_declared(vhost: VHost) -> None:
    with pytest.raises(PreconditionFailed, match="invalid arg 'x-max-length'"):
        vhost.declare_queue("q", arguments={"x-max-length": -1})
    assert vhost.queues == {}


def test_transient_queues_for_all_are_refused_where_the_version_followed_does_so() -> None:
    vhost = Broker(MemoryStore(), VirtualClock(), compat=PROFILES["4.3"]).vhosts["/"]
    with pytest.raises(InternalError, match=re.escape("Feature `transient_nonexcl_queues` is deprecated.")):
        vhost.declare_queue("q")
    vhost.declare_queue("q", durable=True)
    vhost.declare_queue("mine", exclusive=True, owner=object())


# --- exclusive queues


def test_an_exclusive_queue_is_its_owners_alone(vhost: VHost) -> None:
    mine, other = object(), object()
    vhost.declare_exchange("x", "fanout")
    queue = vhost.declare_queue("q", exclusive=True, owner=mine)
    assert vhost.queue("q", mine) is queue
    assert vhost.declare_queue("q", exclusive=True, owner=mine) is queue
    vhost.bind("x", "q", "", {}, to_queue=True, owner=mine)
    for forbidden in (
        lambda: vhost.queue("q", other),
        lambda: vhost.queue("q", None),
        lambda: vhost.declare_queue("q", exclusive=True, owner=other),
        lambda: vhost.declare_queue("q", owner=other),
        lambda: vhost.bind("x", "q", "", {}, to_queue=True, owner=other),
        lambda: vhost.unbind("x", "q", "", {}, to_queue=True, owner=other),
        # nor may its owner take it for another kind of queue
        lambda: vhost.declare_queue("q", owner=mine),
    ):
        with pytest.raises(ResourceLocked) as caught:
            forbidden()
        assert caught.value.explanation == LOCKED


def test_unbinding_what_is_not_bound_asks_for_no_owner(vhost: VHost) -> None:
    vhost.declare_exchange("x", "fanout")
    vhost.declare_queue("q", exclusive=True, owner=object())
    vhost.unbind("x", "q", "", {}, to_queue=True, owner=object())


def test_a_shared_queue_cannot_be_declared_exclusive(vhost: VHost) -> None:
    vhost.declare_queue("q")
    with pytest.raises(ResourceLocked):
        vhost.declare_queue("q", exclusive=True, owner=object())


def test_an_exclusive_queue_is_never_durable(vhost: VHost, store: MemoryStore) -> None:
    mine = object()
    queue = vhost.declare_queue("q", durable=True, exclusive=True, owner=mine)
    assert queue.durable is False
    assert vhost.declare_queue("q", durable=True, exclusive=True, owner=mine) is queue
    assert vhost.declare_queue("q", durable=False, exclusive=True, owner=mine) is queue
    assert store.recover().definitions[Kind.QUEUE] == {}


def test_exclusive_queues_go_with_their_owner(vhost: VHost) -> None:
    mine, other = object(), object()
    for name in ("p", "q"):
        vhost.declare_queue(name, exclusive=True, owner=mine)
    vhost.declare_queue("theirs", exclusive=True, owner=other)
    vhost.declare_queue("shared")
    vhost.delete_exclusive_queues(mine)
    assert set(vhost.queues) == {"theirs", "shared"}
    vhost.delete_exclusive_queues(mine)
    assert set(vhost.queues) == {"theirs", "shared"}


def test_an_exclusive_queue_can_be_deleted_before_its_owner_goes(vhost: VHost) -> None:
    mine = object()
    queue = vhost.declare_queue("q", exclusive=True, owner=mine)
    vhost.delete_queue(queue)
    again = vhost.declare_queue("q")
    vhost.delete_exclusive_queues(mine)
    assert vhost.queues == {"q": again}


# --- deleting queues


def test_a_deleted_queue_is_gone_with_its_messages_and_bindings(vhost: VHost) -> None:
    queue = queue_bound(vhost, "q", "amq.fanout")
    for _ in range(3):
        queue.push(message())
    queue.get(no_ack=False)
    vhost.delete_queue(queue)
    assert vhost.queues == {}
    assert queue.message_count == 0
    assert vhost.exchange("amq.fanout").outgoing == {}
    assert queue.deleted


def test_a_queue_can_be_deleted_when_the_conditions_are_met(vhost: VHost) -> None:
    queue = vhost.declare_queue("q")
    vhost.check_queue_deletable(queue, if_unused=True, if_empty=True)
    consumer, _ = consume(queue)
    vhost.check_queue_deletable(queue, if_unused=False, if_empty=True)
    with pytest.raises(PreconditionFailed, match="queue 'q' in vhost '/' in use"):
        vhost.check_queue_deletable(queue, if_unused=True, if_empty=True)
    vhost.cancel(consumer)
    queue.push(message())
    with pytest.raises(PreconditionFailed, match="queue 'q' in vhost '/' not empty"):
        vhost.check_queue_deletable(queue, if_unused=True, if_empty=True)
    vhost.check_queue_deletable(queue, if_unused=True, if_empty=False)


@pytest.mark.parametrize(
    ("options", "forbidden"),
    [
        ({}, "non-durable"),
        ({"durable": True, "exclusive": True}, "exclusive-owner"),
        ({"exclusive": True}, "exclusive-owner"),
        ({"durable": True, "auto_delete": True}, "auto-delete"),
        ({"auto_delete": True, "exclusive": True}, "auto-delete"),
    ],
)
def test_a_quorum_queue_has_to_be_there_to_stay(vhost: VHost, options: dict[str, Any], forbidden: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        quorum(vhost, "q", owner="me", **options)
    assert caught.value.explanation == f"invalid property '{forbidden}' for queue 'q' in vhost '/'"
    assert vhost.queues == {}


def test_a_quorum_queue_has_to_have_a_name(vhost: VHost) -> None:
    with pytest.raises(PreconditionFailed, match="Cannot declare a server-named queue for type quorum"):
        quorum(vhost, "", durable=True)


@pytest.mark.parametrize(("flags", "named"), [((True, False), "if-unused"), ((False, True), "if-empty")])
def test_a_quorum_queue_is_deleted_without_conditions(vhost: VHost, flags: tuple[bool, bool], named: str) -> None:
    queue = quorum(vhost, "q", durable=True)
    vhost.check_queue_deletable(queue, if_unused=False, if_empty=False)
    with pytest.raises(NotImplementedByBroker, match=f"with {named} flag set are not supported by quorum queues"):
        vhost.check_queue_deletable(queue, if_unused=flags[0], if_empty=flags[1])


def test_consumers_of_a_deleted_queue_are_told(vhost: VHost) -> None:
    queue = vhost.declare_queue("q")
    _, sink = consume(queue)
    vhost.delete_queue(queue)
    assert sink.cancellations == ["c"]


def test_an_auto_delete_queue_goes_with_its_last_consumer(vhost: VHost) -> None:
    queue = vhost.declare_queue("q", auto_delete=True)
    first, _ = consume(queue, "one")
    second, sink = consume(queue, "two")
    vhost.cancel(first)
    assert "q" in vhost.queues
    vhost.cancel(second)
    assert "q" not in vhost.queues
    assert sink.cancellations == [], "it left by itself"


def test_an_auto_delete_queue_without_consumers_yet_stays(vhost: VHost) -> None:
    queue = vhost.declare_queue("q", auto_delete=True)
    queue.push(message())
    queue.get(no_ack=True)
    vhost.delete_if_abandoned(queue)
    assert "q" in vhost.queues


def test_an_auto_delete_queue_deleted_by_hand_is_not_deleted_again(vhost: VHost) -> None:
    queue = vhost.declare_queue("q", auto_delete=True)
    consumer, _ = consume(queue)
    vhost.delete_queue(queue)
    vhost.declare_queue("q", auto_delete=True)
    vhost.cancel(consumer)
    assert "q" in vhost.queues


# --- bindings


def test_binding_twice_is_binding_once(vhost: VHost) -> None:
    queue = vhost.declare_queue("q")
    for _ in range(2):
        vhost.bind("amq.direct", "q", "k", {"a": 1, "b": 2}, to_queue=True)
    vhost.bind("amq.direct", "q", "k", {"b": 2, "a": 1}, to_queue=True)
    assert len(queue.incoming) == len(vhost.exchange("amq.direct").outgoing) == 1


def test_a_binding_differs_by_key_arguments_and_kind_of_destination(vhost: VHost) -> None:
    vhost.declare_queue("d")
    vhost.declare_exchange("d", "fanout")
    for key, arguments, to_queue in (
        ("k", {}, True),
        ("l", {}, True),
        ("k", {"a": 1}, True),
        ("k", {"a": "1"}, True),
        ("k", {}, False),
    ):
        vhost.bind("amq.direct", "d", key, arguments, to_queue=to_queue)
    assert len(vhost.exchange("amq.direct").outgoing) == 5


def test_a_missing_end_of_a_binding_is_not_found_the_source_first(vhost: VHost) -> None:
    vhost.declare_queue("q")
    for source, destination, to_queue, missing in (
        ("nope", "q", True, "exchange 'nope'"),
        ("amq.direct", "nope", True, "queue 'nope'"),
        ("nope", "neither", True, "exchange 'nope'"),
        ("amq.direct", "nope", False, "exchange 'nope'"),
        ("nope", "neither", False, "exchange 'nope'"),
    ):
        with pytest.raises(NotFound, match=f"no {missing} in vhost '/'"):
            vhost.bind(source, destination, "", {}, to_queue=to_queue)


def test_a_binding_the_exchange_type_refuses_is_not_made(vhost: VHost) -> None:
    queue = vhost.declare_queue("q")
    with pytest.raises(PreconditionFailed, match="Invalid x-match field value"):
        vhost.bind("amq.headers", "q", "", {"x-match": "some"}, to_queue=True)
    assert queue.incoming == {}


@pytest.mark.parametrize(
    ("source", "destination", "to_queue"),
    [("amq.direct", "q", True), ("nope", "q", True), ("amq.direct", "nope", True), ("nope", "neither", False)],
)
def test_unbinding_what_is_not_bound_does_nothing(vhost: VHost, source: str, destination: str, to_queue: bool) -> None:
    vhost.declare_queue("q")
    vhost.unbind(source, destination, "k", {}, to_queue=to_queue)


def test_a_binding_is_unbound_by_its_key_and_arguments(vhost: VHost) -> None:
    queue = vhost.declare_queue("q")
    vhost.bind("amq.direct", "q", "k", {"a": 1}, to_queue=True)
    vhost.unbind("amq.direct", "q", "other", {"a": 1}, to_queue=True)
    vhost.unbind("amq.direct", "q", "k", {}, to_queue=True)
    assert len(queue.incoming) == 1
    vhost.unbind("amq.direct", "q", "k", {"a": 1}, to_queue=True)
    assert queue.incoming == {}


# --- routing


def test_a_message_reaches_a_queue_once_whatever_leads_there(vhost: VHost) -> None:
    vhost.declare_exchange("x", "topic")
    vhost.declare_exchange("y", "fanout")
    for key in ("#", "a.*", "a.b"):
        queue_bound(vhost, "q", "x", key)
    vhost.bind("x", "y", "#", {}, to_queue=False)
    vhost.bind("y", "q", "", {}, to_queue=True)
    assert reached(vhost, "x", "a.b") == ["q"]


def test_exchanges_lead_to_exchanges(vhost: VHost) -> None:
    vhost.declare_exchange("first", "direct")
    vhost.declare_exchange("second", "topic")
    vhost.declare_exchange("third", "fanout", internal=True)
    vhost.bind("first", "second", "a.b", {}, to_queue=False)
    vhost.bind("second", "third", "a.*", {}, to_queue=False)
    queue_bound(vhost, "q", "third")
    assert reached(vhost, "first", "a.b") == ["q"]
    assert reached(vhost, "first", "a.c") == []


def test_circles_of_exchanges_end(vhost: VHost) -> None:
    for name in ("a", "b", "c"):
        vhost.declare_exchange(name, "fanout")
        queue_bound(vhost, f"q{name}", name)
    for source, destination in (("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")):
        vhost.bind(source, destination, "", {}, to_queue=False)
    assert reached(vhost, "a") == reached(vhost, "b") == reached(vhost, "c") == ["qa", "qb", "qc"]


def test_the_default_exchange_leads_to_the_queue_of_that_name(vhost: VHost) -> None:
    vhost.declare_queue("q")
    assert reached(vhost, "", "q") == ["q"]
    assert reached(vhost, "", "nope") == []


def alternates(vhost: VHost, **chain: str) -> None:
    for name, alternate in chain.items():
        vhost.declare_exchange(name, "direct", arguments={"alternate-exchange": alternate} if alternate else {})


def test_what_matches_no_binding_goes_to_the_alternate_exchange(vhost: VHost) -> None:
    alternates(vhost, x="y", y="")
    queue_bound(vhost, "main", "x", "k")
    queue_bound(vhost, "rest", "y", "l")
    assert reached(vhost, "x", "k") == ["main"]
    assert reached(vhost, "x", "l") == ["rest"]
    assert reached(vhost, "x", "m") == []


def test_alternate_exchanges_chain_and_end_in_a_circle(vhost: VHost) -> None:
    alternates(vhost, x="y", y="z", z="x")
    queue_bound(vhost, "last", "z", "k")
    assert reached(vhost, "x", "k") == ["last"]
    assert reached(vhost, "x", "nothing") == []


def test_a_missing_alternate_exchange_is_ignored_until_it_is_there(vhost: VHost) -> None:
    alternates(vhost, x="later")
    assert reached(vhost, "x", "k") == []
    vhost.declare_exchange("later", "fanout")
    queue_bound(vhost, "q", "later")
    assert reached(vhost, "x", "k") == ["q"]
    vhost.delete_exchange("later")
    assert reached(vhost, "x", "k") == []


def test_a_match_that_reaches_no_queue_is_a_match_for_the_alternate_exchange(vhost: VHost) -> None:
    alternates(vhost, x="y", y="")
    vhost.declare_exchange("empty", "fanout")
    vhost.bind("x", "empty", "k", {}, to_queue=False)
    queue_bound(vhost, "rest", "y", "k")
    assert reached(vhost, "x", "k") == []


def test_the_alternate_exchange_of_an_exchange_on_the_way_counts(vhost: VHost) -> None:
    alternates(vhost, x="", y="z", z="")
    vhost.bind("x", "y", "k", {}, to_queue=False)
    queue_bound(vhost, "rest", "z", "k")
    assert reached(vhost, "x", "k") == ["rest"]


# --- remembered routes


def test_a_route_by_routing_key_lasts(vhost: VHost) -> None:
    queue_bound(vhost, "q", "amq.topic", "a.#")
    first = vhost.route(vhost.exchange("amq.topic"), message("a.b"))
    assert first.lasting
    assert vhost.route(vhost.exchange("amq.topic"), message("a.b")) is first


def test_a_route_by_headers_does_not_last(vhost: VHost) -> None:
    vhost.declare_queue("q")
    vhost.bind("amq.headers", "q", "", {"a": 1}, to_queue=True)
    assert reached(vhost, "amq.headers", headers={"a": 1}) == ["q"]
    assert reached(vhost, "amq.headers", headers={"a": 2}) == []
    assert not vhost.route(vhost.exchange("amq.headers"), message(headers={"a": 1})).lasting


def test_a_route_that_passes_a_headers_exchange_does_not_last(vhost: VHost) -> None:
    vhost.declare_exchange("x", "fanout", arguments={"alternate-exchange": "amq.headers"})
    vhost.declare_queue("q")
    vhost.bind("amq.headers", "q", "", {"a": 1}, to_queue=True)
    assert reached(vhost, "x", "k", headers={"a": 1}) == ["q"]
    assert reached(vhost, "x", "k", headers={"a": 2}) == []
    vhost.bind("x", "amq.headers", "", {}, to_queue=False)
    assert reached(vhost, "x", "k", headers={"a": 2}) == []
    assert reached(vhost, "x", "k", headers={"a": 1}) == ["q"]


def test_nor_does_one_that_goes_on_from_there(vhost: VHost) -> None:
    vhost.declare_exchange("x", "fanout")
    queue_bound(vhost, "q", "x")
    vhost.bind("amq.headers", "x", "", {"a": 1}, to_queue=False)
    assert reached(vhost, "amq.headers", headers={"a": 1}) == ["q"]
    assert reached(vhost, "amq.headers", headers={"a": 2}) == []


def changes(vhost: VHost) -> list[Any]:
    """Everything that may change a route, in an order in which it can be done."""
    return [
        lambda: vhost.declare_exchange("new", "fanout"),
        lambda: vhost.declare_queue("new"),
        lambda: vhost.bind("new", "new", "", {}, to_queue=True),
        lambda: vhost.bind("amq.fanout", "new", "", {}, to_queue=False),
        lambda: vhost.unbind("new", "new", "", {}, to_queue=True),
        lambda: vhost.delete_exchange("new"),
        lambda: vhost.delete_queue(vhost.queue("new", None)),
    ]


def test_whatever_may_change_a_route_changes_the_generation(vhost: VHost) -> None:
    for change in changes(vhost):
        before = vhost.routes.generation
        change()
        assert vhost.routes.generation > before


def test_routes_are_asked_for_again_after_a_change(vhost: VHost) -> None:
    seen = []
    for change in [lambda: None, *changes(vhost)]:
        change()
        seen.append((reached(vhost, "amq.fanout"), reached(vhost, "", "new")))
    assert seen == [
        ([], []),
        ([], []),
        ([], ["new"]),
        ([], ["new"]),
        (["new"], ["new"]),
        ([], ["new"]),
        ([], ["new"]),
        ([], []),
    ]


def test_a_change_that_changes_nothing_keeps_the_generation(vhost: VHost) -> None:
    vhost.declare_exchange("x", "fanout")
    queue_bound(vhost, "q", "x")
    before = vhost.routes.generation
    vhost.declare_exchange("x", "fanout")
    vhost.declare_queue("q")
    vhost.bind("x", "q", "", {}, to_queue=True)
    vhost.unbind("x", "q", "other", {}, to_queue=True)
    vhost.delete_exchange("nope")
    assert vhost.routes.generation == before


def test_remembered_routes_are_bounded(vhost: VHost) -> None:
    vhost.routes = Routes(limit=10)
    queue_bound(vhost, "q", "amq.topic", "#")
    for number in range(100):
        assert reached(vhost, "amq.topic", str(number)) == ["q"]
    assert 0 < len(vhost.routes) <= 10


# --- delivering


def test_a_message_is_delivered_to_all_queues_of_its_route(vhost: VHost) -> None:
    queues = tuple(vhost.declare_queue(name) for name in "pqr")
    assert vhost.deliver(message(), queues) == 0
    assert [queue.message_count for queue in queues] == [1, 1, 1]


@pytest.mark.parametrize(
    ("durable", "persistent", "stored"),
    [
        ([True], True, True),
        ([True], False, False),
        ([False], True, False),
        ([False, True], True, True),
        ([False, False], True, False),
        ([True, True], True, True),
        ([True, True], False, False),
    ],
)
def test_a_confirm_has_to_wait_when_a_queue_stored_the_message(
    vhost: VHost, durable: list[bool], persistent: bool, stored: bool
) -> None:
    queues = tuple(vhost.declare_queue(f"q{number}", durable=each) for number, each in enumerate(durable))
    assert vhost.deliver(message(persistent=persistent), queues) == (STORED if stored else 0)


def test_content_that_several_durable_queues_store_has_an_id(vhost: VHost) -> None:
    durable = tuple(vhost.declare_queue(name, durable=True) for name in "pq")
    transient = vhost.declare_queue("t")
    shared, single, lost = message(persistent=True), message(persistent=True), message()
    vhost.deliver(shared, durable)
    vhost.deliver(single, (durable[0], transient))
    vhost.deliver(lost, durable)
    assert shared.id != 0
    assert (single.id, lost.id) == (0, 0)


# --- what is stored


OURS = (Kind.VHOST, Kind.EXCHANGE, Kind.QUEUE, Kind.BINDING)


def test_durable_objects_are_defined_and_undefined(vhost: VHost, store: MemoryStore) -> None:
    def defined() -> dict[Kind, list[str]]:
        found = store.recover().definitions
        return {kind: sorted(str(each.get("name")) for each in found[kind].values()) for kind in OURS}

    before = defined()
    assert before == {Kind.VHOST: ["/"], Kind.EXCHANGE: [], Kind.QUEUE: [], Kind.BINDING: []}
    vhost.declare_exchange("x", "fanout", durable=True)
    vhost.declare_exchange("transient", "fanout")
    vhost.declare_queue("q", durable=True)
    vhost.declare_queue("lost")
    vhost.bind("x", "q", "", {}, to_queue=True)
    vhost.bind("x", "lost", "", {}, to_queue=True)
    vhost.bind("transient", "q", "", {}, to_queue=True)
    vhost.bind("x", "transient", "", {}, to_queue=False)
    assert defined() == {Kind.VHOST: ["/"], Kind.EXCHANGE: ["x"], Kind.QUEUE: ["q"], Kind.BINDING: ["None"]}
    vhost.delete_queue(vhost.queue("q", None))
    assert defined() == {Kind.VHOST: ["/"], Kind.EXCHANGE: ["x"], Kind.QUEUE: [], Kind.BINDING: []}
    vhost.delete_exchange("x")
    assert defined() == before


def test_bindings_are_undefined_with_either_end(vhost: VHost, store: MemoryStore) -> None:
    def bindings() -> int:
        return len(store.recover().definitions[Kind.BINDING])

    for name in ("x", "y"):
        vhost.declare_exchange(name, "fanout", durable=True)
    vhost.declare_queue("q", durable=True)
    vhost.bind("x", "q", "", {}, to_queue=True)
    vhost.bind("x", "y", "", {}, to_queue=False)
    vhost.bind("y", "q", "", {}, to_queue=True)
    assert bindings() == 3
    vhost.unbind("x", "q", "", {}, to_queue=True)
    assert bindings() == 2
    vhost.delete_exchange("y")
    assert bindings() == 0


def test_exchanges_know_their_vhost_only_by_name(vhost: VHost) -> None:
    exchange: Exchange = vhost.exchange("amq.direct")
    assert vhost.describe_exchange(exchange.name) == "exchange 'amq.direct' in vhost '/'"
    assert vhost.describe_queue("q") == "queue 'q' in vhost '/'"


def test_what_is_transient_can_be_forgotten_as_in_a_restart(vhost: VHost) -> None:
    vhost.declare_queue("kept", durable=True)
    vhost.declare_queue("gone")
    vhost.declare_exchange("x", "fanout", durable=True)
    for name in ("y", "z"):
        vhost.declare_exchange(name, "fanout", auto_delete=True)
    vhost.bind("z", "y", "", {}, to_queue=False)
    for source, queue in (("x", "gone"), ("y", "gone"), ("x", "kept")):
        vhost.bind(source, queue, "", {}, to_queue=True)
    vhost.forget_transients()
    assert list(vhost.queues) == ["kept"]
    assert {name for name in vhost.exchanges if name and not name.startswith("amq.")} == {"x"}
    assert reached(vhost, "x") == ["kept"]


# --- who declared


def test_exchanges_remember_who_declared_them_also_after_a_restart(store: MemoryStore) -> None:
    broker = Broker(store, VirtualClock())
    with broker.events.acting("bob"):
        broker.vhosts["/"].declare_exchange("x", "direct", durable=True)
        broker.add_vhost("v")
    with broker.events.acting("alice"):
        broker.vhosts["/"].declare_exchange("x", "direct", durable=True)
        broker.vhosts["/"].declare_exchange("y", "direct")
        broker.add_vhost("v", description="d")

    def declared_by(vhost: str, *names: str) -> list[str]:
        return [broker.vhosts[vhost].exchanges[name].declared_by for name in names]

    assert declared_by("/", "amq.direct", "x", "y") == ["rmq-internal", "bob", "alice"]
    broker = Broker(store, VirtualClock(), recovered=store.recover())
    assert declared_by("/", "amq.direct", "x") == ["rmq-internal", "bob"]
    assert declared_by("v", "", "amq.topic") == ["bob", "bob"]


def test_exchanges_stored_before_that_was_remembered(store: MemoryStore) -> None:
    Broker(store, VirtualClock()).vhosts["/"].declare_exchange("x", "direct", durable=True)
    recovered = store.recover()
    for kind in (Kind.EXCHANGE, Kind.VHOST):
        for definition in recovered.definitions[kind].values():
            del definition["declared_by"]
    broker = Broker(store, VirtualClock(), recovered=recovered)
    assert broker.vhosts["/"].exchanges["x"].declared_by == "rmq-internal"
