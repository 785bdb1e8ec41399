"""The broker: what comes back after a restart, what does not, and what keeps it from starting."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amqpd.broker.broker import DELETED_AT_ONCE, Broker
from amqpd.broker.queue import PAGE_FLOOR, Queue
from amqpd.broker.stream import Stream
from amqpd.clock import VirtualClock
from amqpd.errors import NoSuchObject, OperatorError, PreconditionFailed, StartupError
from amqpd.message import make_message
from amqpd.store.base import Kind, Store
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore
from amqpd.wire.fields import Int32, encode_table
from amqpd.wire.properties import Properties
from tests.fakes import ManualStore


class Run:
    """A broker that can be stopped and started on what its store kept."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self.store = open_store()
        self.broker = Broker(self.store, VirtualClock(), pager=MemoryStore())

    def restart(self) -> Broker:
        self.store.close()
        self.store = self._open_store()
        self.broker = Broker(self.store, VirtualClock(), pager=MemoryStore())
        return self.broker


@pytest.fixture(params=["memory", "lmdb"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    kept = MemoryStore()
    made = Run(
        (lambda: kept)
        if request.param == "memory"
        else (lambda: LmdbStore(tmp_path / "store", sync=False, map_size=64 << 20))
    )
    yield made
    made.store.close()


def publish(broker: Broker, exchange: str, key: str, body: bytes, *, persistent: bool = True) -> None:
    vhost = broker.vhosts["/"]
    message = make_message(exchange, key, body, Properties(delivery_mode=2 if persistent else 1, message_id="m"))
    vhost.deliver(message, vhost.route(vhost.exchange(exchange), message).queues)


def drained(queue: Queue) -> list[bytes]:
    found: list[bytes] = []
    while (entry := queue.get(no_ack=True)) is not None:
        found.append(entry.message.body)
    return found


# --- vhosts


def test_a_new_broker_has_one_vhost() -> None:
    broker = Broker(MemoryStore(), VirtualClock())
    assert list(broker.vhosts) == ["/"]
    assert broker.vhost("/") is broker.vhosts["/"]
    assert broker.vhost("nope") is None


def test_vhosts_come_back(run: Run) -> None:
    run.broker.add_vhost("other").declare_queue("q", durable=True)
    again = run.restart()
    assert set(again.vhosts) == {"/", "other"}
    assert set(again.vhosts["other"].queues) == {"q"}
    assert again.vhosts["/"].queues == {}


def test_a_vhost_is_added_once() -> None:
    broker = Broker(MemoryStore(), VirtualClock())
    assert broker.add_vhost("other") is broker.add_vhost("other")


# --- what comes back


def test_durable_exchanges_come_back_with_their_properties(run: Run) -> None:
    arguments = {"alternate-exchange": "amq.fanout", "x": [1, {"y": None}]}
    run.broker.vhosts["/"].declare_exchange(
        "x", "headers", durable=True, auto_delete=True, internal=True, arguments=arguments
    )
    exchange = run.restart().vhosts["/"].exchange("x")
    assert (exchange.type, exchange.durable, exchange.auto_delete, exchange.internal) == ("headers", True, True, True)
    assert exchange.arguments == arguments
    assert exchange.alternate == "amq.fanout"


def test_durable_queues_come_back_with_their_properties(run: Run) -> None:
    arguments = {"x-max-length": 5, "foo": "bar", "x-queue-type": "classic"}
    run.broker.vhosts["/"].declare_queue("q", durable=True, auto_delete=True, arguments=arguments)
    queue = run.restart().vhosts["/"].queue("q", None)
    assert (queue.durable, queue.auto_delete, queue.owner, queue.arguments) == (True, True, None, arguments)
    assert queue.had_consumer is False


def test_a_recovered_queue_is_equal_to_its_declaration(run: Run) -> None:
    arguments = {"x-max-length": 5}
    run.broker.vhosts["/"].declare_queue("q", durable=True, arguments=arguments)
    vhost = run.restart().vhosts["/"]
    assert vhost.declare_queue("q", durable=True, arguments=arguments) is vhost.queue("q", None)


@pytest.mark.parametrize("arguments", [{}, {"x-queue-type": "classic"}])
def test_a_queue_stored_without_its_type_is_equal_to_a_declaration_today(run: Run, arguments: dict[str, Any]) -> None:
    run.broker.store.define(
        Kind.QUEUE,
        next(run.broker.ids),
        {"vhost": "/", "name": "q", "auto_delete": False, "arguments": encode_table({})},
    )
    vhost = run.restart().vhosts["/"]
    assert vhost.declare_queue("q", durable=True, arguments=arguments) is vhost.queue("q", None)


def test_bindings_between_durable_ends_come_back(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    vhost.declare_exchange("x", "topic", durable=True)
    vhost.declare_exchange("y", "headers", durable=True)
    vhost.declare_queue("q", durable=True)
    vhost.bind("x", "y", "a.#", {}, to_queue=False)
    vhost.bind("y", "q", "", {"x-match": "any", "a": 1}, to_queue=True)
    vhost.bind("amq.topic", "q", "#", {}, to_queue=True)
    again = run.restart().vhosts["/"]
    queue = again.queue("q", None)
    message = make_message("x", "a.b", b"", Properties(headers={"a": 1}))
    assert again.route(again.exchange("x"), message).queues == (queue,)
    assert again.route(again.exchange("amq.topic"), message).queues == (queue,)
    assert len(queue.incoming) == 2
    again.unbind("x", "y", "a.#", {}, to_queue=False)
    assert again.route(again.exchange("x"), message).queues == ()


def test_persistent_messages_come_back_whole_and_in_order(run: Run) -> None:
    run.broker.vhosts["/"].declare_queue("q", durable=True)
    for number in range(50):
        publish(run.broker, "", "q", str(number).encode())
    queue = run.restart().vhosts["/"].queue("q", None)
    assert queue.message_count == 50
    entry = queue.get(no_ack=True)
    assert entry is not None
    assert (entry.message.exchange, entry.message.routing_key) == ("", "q")
    assert entry.message.properties == Properties(delivery_mode=2, message_id="m")
    assert drained(queue) == [str(number).encode() for number in range(1, 50)]


def test_a_message_of_several_queues_comes_back_in_each(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    for name in "pqr":
        vhost.declare_queue(name, durable=True)
        vhost.bind("amq.fanout", name, "", {}, to_queue=True)
    publish(run.broker, "amq.fanout", "", b"shared")
    assert drained(vhost.queue("p", None)) == [b"shared"]
    again = run.restart().vhosts["/"]
    assert [drained(again.queue(name, None)) for name in "pqr"] == [[], [b"shared"], [b"shared"]]
    third = run.restart().vhosts["/"]
    assert [drained(third.queue(name, None)) for name in "pqr"] == [[], [], []]


def test_a_transient_queue_that_shares_a_message_with_durable_ones_is_lost_alone(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    for name, durable in (("p", True), ("q", True), ("t", False)):
        vhost.declare_queue(name, durable=durable)
        vhost.bind("amq.fanout", name, "", {}, to_queue=True)
    publish(run.broker, "amq.fanout", "", b"shared")
    again = run.restart().vhosts["/"]
    assert set(again.queues) == {"p", "q"}
    assert [drained(again.queue(name, None)) for name in "pq"] == [[b"shared"], [b"shared"]]


def test_what_was_unacked_comes_back_redelivered(run: Run) -> None:
    queue = run.broker.vhosts["/"].declare_queue("q", durable=True)
    publish(run.broker, "", "q", b"a")
    queue.get(no_ack=False)
    publish(run.broker, "", "q", b"b")
    again = run.restart().vhosts["/"].queue("q", None)
    entries = [again.get(no_ack=False), again.get(no_ack=False)]
    assert [(entry.message.body, entry.redelivered) for entry in entries if entry] == [(b"a", True), (b"b", False)]


def test_what_is_published_after_a_restart_stands_behind_what_came_back(run: Run) -> None:
    run.broker.vhosts["/"].declare_queue("q", durable=True)
    expected: list[bytes] = []
    for number in range(4):
        for body in (b"%d persistent" % number, b"%d more" % number):
            publish(run.broker, "", "q", body)
            expected.append(body)
        run.restart()
    assert drained(run.broker.vhosts["/"].queue("q", None)) == expected


def test_priorities_come_back(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    vhost.declare_queue("q", durable=True, arguments={"x-max-priority": Int32(5)})
    for priority in (1, 3, 2, 3):
        message = make_message("", "q", b"%d" % priority, Properties(delivery_mode=2, priority=priority))
        vhost.deliver(message, (vhost.queue("q", None),))
    assert drained(run.restart().vhosts["/"].queue("q", None)) == [b"3", b"3", b"2", b"1"]


def test_arguments_about_consumers_come_back(run: Run) -> None:
    arguments = {"x-single-active-consumer": True, "x-consumer-timeout": Int32(5000)}
    run.broker.vhosts["/"].declare_queue("q", durable=True, arguments=arguments)
    again = run.restart()
    queue = again.vhosts["/"].queue("q", None)
    assert queue.single_active is True
    assert again.timeouts.timeout_of(queue) == 5000


# --- what does not


def test_transient_things_do_not_come_back(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    vhost.declare_exchange("x", "fanout")
    vhost.declare_exchange("kept", "fanout", durable=True)
    vhost.declare_queue("lost")
    vhost.declare_queue("mine", durable=True, exclusive=True, owner=object())
    vhost.declare_queue("q", durable=True)
    vhost.bind("x", "q", "", {}, to_queue=True)
    vhost.bind("kept", "lost", "", {}, to_queue=True)
    publish(run.broker, "", "q", b"lost", persistent=False)
    publish(run.broker, "", "q", b"kept")
    again = run.restart().vhosts["/"]
    assert set(again.queues) == {"q"}
    assert "x" not in again.exchanges
    assert again.exchange("kept").outgoing == {}
    assert drained(again.queue("q", None)) == [b"kept"]


def test_what_was_deleted_does_not_come_back(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    vhost.declare_exchange("x", "fanout", durable=True)
    queue = vhost.declare_queue("q", durable=True)
    vhost.declare_queue("p", durable=True)
    vhost.bind("x", "q", "", {}, to_queue=True)
    vhost.bind("x", "p", "", {}, to_queue=True)
    publish(run.broker, "", "q", b"gone")
    run.restart()
    vhost = run.broker.vhosts["/"]
    vhost.delete_queue(vhost.queue("q", None))
    vhost.unbind("x", "p", "", {}, to_queue=True)
    again = run.restart().vhosts["/"]
    assert set(again.queues) == {"p"}
    assert again.exchange("x").outgoing == {}
    assert drained(again.declare_queue("q", durable=True)) == []
    assert queue.id != again.queue("q", None).id


def test_a_queue_deleted_and_declared_again_is_empty_after_a_restart(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    old = vhost.declare_queue("q", durable=True)
    publish(run.broker, "", "q", b"old")
    vhost.delete_queue(old)
    vhost.declare_queue("q", durable=True)
    publish(run.broker, "", "q", b"new")
    assert drained(run.restart().vhosts["/"].queue("q", None)) == [b"new"]


def test_an_auto_delete_exchange_goes_with_its_last_binding_after_a_restart_too(run: Run) -> None:
    vhost = run.broker.vhosts["/"]
    vhost.declare_exchange("x", "fanout", durable=True, auto_delete=True)
    vhost.declare_queue("q", durable=True)
    vhost.bind("x", "q", "", {}, to_queue=True)
    again = run.restart().vhosts["/"]
    again.unbind("x", "q", "", {}, to_queue=True)
    assert "x" not in again.exchanges
    assert "x" not in run.restart().vhosts["/"].exchanges


# --- ids


def test_ids_are_not_given_twice(run: Run) -> None:
    ids: list[int] = []
    for round_ in range(3):
        vhost = run.broker.vhosts["/"]
        ids.append(vhost.declare_queue(f"q{round_}", durable=True).id)
        ids.append(vhost.declare_exchange(f"x{round_}", "fanout", durable=True).id)
        run.restart()
    assert len(set(ids)) == 6
    assert run.broker.vhosts["/"].id not in ids


# --- what makes no sense


def definitions(**changes: Any) -> dict[Kind, dict[str, Any]]:
    exchange = {"vhost": "/", "name": "x", "type": "fanout", "auto_delete": False, "internal": False}
    queue = {"vhost": "/", "name": "q", "auto_delete": False}
    binding = {"vhost": "/", "source": "x", "destination": "q", "to_queue": True, "routing_key": ""}
    return {
        Kind.VHOST: {"name": "/"},
        Kind.EXCHANGE: {**exchange, "arguments": bytes(4)},
        Kind.QUEUE: {**queue, "arguments": bytes(4)},
        Kind.BINDING: {**binding, "arguments": bytes(4)},
    }


def started_with(found: dict[Kind, dict[str, Any]]) -> Broker:
    store = MemoryStore()
    for number, (kind, definition) in enumerate(found.items(), 1):
        store.define(kind, number, definition)
    return Broker(store, VirtualClock())


def test_definitions_as_they_should_be_make_a_broker() -> None:
    assert started_with(definitions()).vhosts["/"].exchange("x").outgoing


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Kind.VHOST, {"name": None}),
        (Kind.EXCHANGE, {"vhost": "nope"}),
        (Kind.EXCHANGE, {"type": "x-not-installed"}),
        (Kind.EXCHANGE, {"arguments": b"\x00\x00"}),
        (Kind.EXCHANGE, {"arguments": None}),
        (Kind.EXCHANGE, {"arguments": "text"}),
        (Kind.EXCHANGE, {"vhost": ["/"]}),
        (Kind.QUEUE, {"vhost": "nope"}),
        (Kind.QUEUE, {"arguments": b"\x00\x00\x00\x03\x01aZ"}),
        (Kind.QUEUE, {"arguments": 5}),
        (Kind.BINDING, {"vhost": "nope"}),
        (Kind.BINDING, {"source": "nope"}),
        (Kind.BINDING, {"destination": "nope"}),
        (Kind.BINDING, {"to_queue": False}),
        (Kind.BINDING, {"routing_key": None}),
    ],
    ids=str,
)
def test_definitions_that_make_no_sense_keep_it_from_starting(kind: Kind, change: dict[str, Any]) -> None:
    found = definitions()
    for name, value in change.items():
        if value is None:
            del found[kind][name]
        else:
            found[kind][name] = value
    with pytest.raises(StartupError) as caught:
        started_with(found)
    assert caught.value.exit_code == os.EX_DATAERR
    assert "definitions in the data folder make no sense" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_type_that_is_not_installed_is_named() -> None:
    found = definitions()
    found[Kind.EXCHANGE]["type"] = "x-plugin"
    with pytest.raises(StartupError, match="exchange 'x' in vhost '/' has type 'x-plugin', which is not installed"):
        started_with(found)


# --- how far the disk is behind


def test_the_lag_is_that_of_the_store_that_has_more() -> None:
    store, pager = ManualStore(), ManualStore()
    broker = Broker(store, VirtualClock(), pager=pager)
    store.put(1, 0, make_message("", "q", bytes(10)))
    assert broker.lag == 10
    pager.put(1, 0, make_message("", "q", bytes(20)))
    assert broker.lag == 20
    pager.commit()
    assert broker.lag == 10
    store.commit()
    assert broker.lag == 0


def test_the_broker_has_caught_up_when_the_store_that_lagged_has() -> None:
    store, pager = ManualStore(), ManualStore()
    broker = Broker(store, VirtualClock(), pager=pager)
    store.commit()
    called: list[str] = []
    pager.put(1, 0, make_message("", "q", bytes(20)))
    broker.when_caught_up(lambda: called.append("pager"))
    store.put(1, 0, make_message("", "q", bytes(30)))
    broker.when_caught_up(lambda: called.append("store"))
    pager.commit()
    assert called == ["pager"]
    store.commit()
    assert called == ["pager", "store"]


# --- beyond memory


@pytest.mark.parametrize("committed", [True, False])
def test_a_message_of_several_queues_comes_back_in_each_when_they_page(tmp_path: Path, committed: bool) -> None:
    store, pager = (LmdbStore(tmp_path / name, sync=False, map_size=1 << 30) for name in ("store", "pager"))
    pager.recover()
    broker = Broker(store, VirtualClock(), pager=pager, memory_limit=0)
    vhost = broker.vhosts["/"]
    queues = [vhost.declare_queue(name, durable=name in "pq") for name in "pqtu"]
    for queue in queues:
        vhost.bind("amq.fanout", queue.name, "", {}, to_queue=True)
    bodies = [number.to_bytes(2, "big") + bytes(PAGE_FLOOR // 3) for number in range(12)]
    for number, body in enumerate(bodies):
        publish(broker, "amq.fanout", "", body, persistent=number % 4 != 3)
        if committed:
            store.commit()
            pager.commit()
    assert all(queue.paged for queue in queues)
    assert queues[2].purge() == 12
    assert [drained(queue) for queue in queues] == [bodies, bodies, [], bodies]
    assert broker.memory.used == 0
    for each in (store, pager):
        each.commit()
        with each._env.begin() as txn:
            for database in (each._entries, each._messages, each._shares):
                assert txn.stat(database)["entries"] == 0
        each.close()


# --- vhosts at run time


def test_what_is_said_of_a_vhost_comes_back(run: Run) -> None:
    run.broker.add_vhost("v", description="a place", tags=["a", "b"], default_queue_type="quorum", tracing=True)
    run.broker.add_vhost("v", description="another")
    for broker in (run.broker, run.restart()):
        vhost = broker.vhosts["v"]
        assert (vhost.description, vhost.tags, vhost.default_queue_type) == ("another", ("a", "b"), "quorum")
        assert vhost.tracing
        assert not vhost.protected
    run.broker.add_vhost("v", tracing=False, default_queue_type="")
    vhost = run.restart().vhosts["v"]
    assert not vhost.tracing
    assert not vhost.default_queue_type


def test_a_broker_may_trace_all_vhosts() -> None:
    broker = Broker(MemoryStore(), VirtualClock(), tracing=True)
    assert broker.vhosts["/"].tracing
    assert broker.add_vhost("v", tracing=False).tracing


@pytest.mark.parametrize("name", ["", "x" * 256, "\ud800"])
def test_a_name_no_vhost_can_have(name: str) -> None:
    broker = Broker(MemoryStore(), VirtualClock())
    with pytest.raises(OperatorError):
        broker.add_vhost(name)
    assert list(broker.vhosts) == ["/"]


def test_a_type_no_queue_can_have() -> None:
    broker = Broker(MemoryStore(), VirtualClock())
    with pytest.raises(OperatorError, match="foo is not a valid queue type"):
        broker.add_vhost("v", default_queue_type="foo")
    assert list(broker.vhosts) == ["/"]


def test_a_deleted_vhost_is_gone_with_all_that_is_in_it(run: Run) -> None:
    broker = run.broker
    vhost = broker.add_vhost("v")
    queue = vhost.declare_queue("q", durable=True)
    vhost.declare_queue("s", durable=True, arguments={"x-queue-type": "stream"})
    vhost.declare_exchange("x", "topic", durable=True)
    vhost.declare_exchange("later", "x-delayed-message", durable=True, arguments={"x-delayed-type": "fanout"})
    vhost.bind("x", "q", "#", {}, to_queue=True)
    for exchange, key, properties in (
        ("x", "k", Properties(delivery_mode=2)),
        ("", "s", None),
        ("later", "", Properties(headers={"x-delay": Int32(1000)})),
    ):
        message = make_message(exchange, key, b"a", properties)
        vhost.route(vhost.exchange(exchange), message).deliver(message)
    broker.policies.set("v", "p", "", {"max-length-bytes": 1000})
    broker.vhost_limits.set("v", "max-queues", 5)
    forgotten: list[str] = []
    broker.when_vhost_deleted.append(forgotten.append)
    broker.delete_vhost("v")
    assert forgotten == ["v"]
    assert broker.vhost("v") is None
    assert queue.deleted
    assert broker.parameters.list("policy") == broker.parameters.list("vhost-limits") == []
    run.restart()
    left = run.store.recover()
    assert [definition["name"] for definition in left.definitions[Kind.VHOST].values()] == ["/"]
    assert not [kind for kind, found in left.definitions.items() if found and kind is not Kind.VHOST]
    assert not left.counters


def test_a_vhost_that_is_protected_or_not_there_is_not_deleted() -> None:
    broker = Broker(MemoryStore(), VirtualClock())
    broker.add_vhost("v", protected=True)
    text = "Refusing to delete virtual host 'v' because it is protected from deletion"
    with pytest.raises(OperatorError, match=text):
        broker.delete_vhost("v")
    with pytest.raises(NoSuchObject, match="Virtual host 'w' does not exist"):
        broker.delete_vhost("w")
    broker.add_vhost("v", protected=False)
    broker.delete_vhost("v")


def test_many_queues_go_little_by_little_and_never_come_back(run: Run) -> None:
    broker = run.broker
    vhost = broker.add_vhost("v")
    for number in range(2500):
        vhost.declare_queue(str(number), durable=True)
    told: list[str] = []
    broker.events.listen(lambda name, fields: told.append(name) if name.startswith("vhost") else None)
    broker.delete_vhost("v")
    assert len(vhost.queues) == 2500 - DELETED_AT_ONCE
    assert told == []
    broker = run.restart()  # as after a crash: nobody has gone on
    assert list(broker.vhosts) == ["/"]
    run.restart()
    assert [len(found) for found in run.store.recover().definitions.values() if found] == [1]


def test_a_deletion_goes_on_by_itself() -> None:
    clock = VirtualClock()
    broker = Broker(store := MemoryStore(), clock)
    vhost = broker.add_vhost("v")
    for number in range(2500):
        vhost.declare_queue(str(number), durable=True)
    told: list[str] = []
    broker.events.listen(lambda name, fields: told.append(name) if name.startswith("vhost") else None)
    broker.delete_vhost("v")
    clock.advance(0.1)
    assert not vhost.queues
    assert not vhost.exchanges
    assert told == ["vhost.deleted"]
    assert [len(found) for found in store.recover().definitions.values() if found] == [1]


def test_a_vhost_made_anew_meanwhile_has_nothing_of_the_one_before(run: Run) -> None:
    broker = run.broker
    vhost = broker.add_vhost("v")
    for number in range(2500):
        vhost.declare_queue(str(number), durable=True)
    broker.delete_vhost("v")
    broker.add_vhost("v").declare_queue("7", durable=True)
    broker.clock.run_due()
    assert list(run.restart().vhosts["v"].queues) == ["7"]


def test_the_default_vhost_does_not_come_back_by_itself(run: Run) -> None:
    run.broker.add_vhost("v")
    run.broker.delete_vhost("/")
    assert list(run.restart().vhosts) == ["v"]


# --- the type of queues that do not say


def test_queues_have_the_default_type_where_they_can() -> None:
    broker = Broker(MemoryStore(), VirtualClock(), default_queue_type="quorum")
    vhost = broker.vhosts["/"]
    queue = vhost.declare_queue("q", durable=True)
    assert queue.arguments == {"x-queue-type": "quorum"}
    assert vhost.declare_queue("q", durable=True) is queue
    for options in ({"durable": False}, {"auto_delete": True}, {"exclusive": True, "owner": 1}):
        queue = vhost.declare_queue("", **{"durable": True, **options})  # type: ignore[arg-type]
        assert queue.arguments == {"x-queue-type": "classic"}
    said = vhost.declare_queue("c", durable=True, arguments={"x-queue-type": "classic"})
    assert said.arguments == {"x-queue-type": "classic"}
    with pytest.raises(PreconditionFailed, match="Cannot declare a server-named queue for type quorum"):
        vhost.declare_queue("", durable=True)


def test_the_type_a_vhost_says_counts_more() -> None:
    broker = Broker(MemoryStore(), VirtualClock(), default_queue_type="quorum")
    queue = broker.add_vhost("v", default_queue_type="stream").declare_queue("q", durable=True)
    assert queue.arguments == {"x-queue-type": "stream"}
    assert isinstance(queue, Stream)
