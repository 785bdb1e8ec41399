"""Events: who listens hears what happened, and through whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.events import INTERNAL, Events
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore

Heard = list[tuple[str, dict[str, Any]]]


def listening(events: Events) -> Heard:
    """What is heard from now on."""
    heard: Heard = []

    def listen(name: str, fields: Mapping[str, Any]) -> None:
        heard.append((name, dict(fields)))

    events.listen(listen)
    return heard


@pytest.fixture
def broker() -> Broker:
    return Broker(MemoryStore(), VirtualClock(), node="amqpd@here")


def test_a_listener_hears_until_it_listens_no_more() -> None:
    events = Events()
    heard = listening(events)
    (listener,) = events.listeners
    events.tell("a", number=1)
    events.unlisten(listener)
    events.tell("b")
    assert heard == [("a", {"number": 1, "user_who_performed_action": INTERNAL})]


def test_what_a_user_does_is_told_with_his_name() -> None:
    events = Events()
    heard = listening(events)
    with events.acting("alice"):
        with events.acting("bob"):
            events.tell("a")
        events.tell("b")
    events.tell("c")
    assert [fields["user_who_performed_action"] for _, fields in heard] == ["bob", "alice", INTERNAL]


def test_the_topology_tells_what_comes_and_goes(broker: Broker) -> None:
    vhost = broker.vhosts["/"]
    heard = listening(broker.events)
    vhost.declare_exchange("x", "topic", durable=True, arguments={"a": 1})
    vhost.declare_exchange("x", "topic", durable=True, arguments={"a": 1})
    queue = vhost.declare_queue("q", auto_delete=True, arguments={"x-max-length": 5})
    vhost.declare_queue("q", auto_delete=True, arguments={"x-max-length": 5})
    for _ in range(2):
        vhost.bind("x", "q", "key", {"b": 2}, to_queue=True)
    vhost.bind("x", "amq.fanout", "", {}, to_queue=False)
    vhost.unbind("x", "amq.fanout", "", {}, to_queue=False)
    vhost.delete_queue(queue)
    vhost.delete_exchange("x")
    common = {"vhost": "/", "user_who_performed_action": INTERNAL}
    to_queue = {
        "source_name": "x",
        "source_kind": "exchange",
        "destination_name": "q",
        "destination_kind": "queue",
        "routing_key": "key",
        "arguments": {"b": 2},
        **common,
    }
    to_exchange = {
        "source_name": "x",
        "source_kind": "exchange",
        "destination_name": "amq.fanout",
        "destination_kind": "exchange",
        "routing_key": "",
        "arguments": {},
        **common,
    }
    assert heard == [
        (
            "exchange.created",
            {
                "name": "x",
                "type": "topic",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {"a": 1},
                **common,
            },
        ),
        (
            "queue.created",
            {
                "name": "q",
                "type": "rabbit_classic_queue",
                "durable": False,
                "auto_delete": True,
                "arguments": {"x-max-length": 5, "x-queue-type": "classic"},
                "exclusive": False,
                **common,
            },
        ),
        ("binding.created", to_queue),
        ("binding.created", to_exchange),
        ("binding.deleted", to_exchange),
        ("binding.deleted", to_queue),
        ("queue.deleted", {"name": "q", **common}),
        ("exchange.deleted", {"name": "x", **common}),
    ]


def test_a_stream_is_told_as_a_queue(broker: Broker) -> None:
    heard = listening(broker.events)
    broker.vhosts["/"].declare_queue("s", durable=True, arguments={"x-queue-type": "stream"})
    (told,) = heard
    assert (told[0], told[1]["type"], told[1]["arguments"]) == (
        "queue.created",
        "rabbit_stream_queue",
        {"x-queue-type": "stream"},
    )


def test_vhosts_and_alarms_are_told(broker: Broker) -> None:
    heard = listening(broker.events)
    for _ in range(2):
        broker.add_vhost("new", description="a place", tags=["t"])
        broker.alarms.raise_("low on disk")
    for _ in range(2):
        broker.alarms.clear("low on disk")
    assert heard == [
        (
            "vhost.created",
            {
                "name": "new",
                "description": "a place",
                "tags": ["t"],
                "default_queue_type": "classic",
                "tracing": False,
                "user_who_performed_action": INTERNAL,
            },
        ),
        ("alarm.set", {"source": "disk", "node": "amqpd@here", "user_who_performed_action": INTERNAL}),
        ("alarm.cleared", {"source": "disk", "node": "amqpd@here", "user_who_performed_action": INTERNAL}),
    ]


def test_what_is_recovered_did_not_happen(broker: Broker) -> None:
    store = MemoryStore()
    Broker(store, VirtualClock()).vhosts["/"].declare_queue("q", durable=True)
    again = Broker(store, VirtualClock(), event_exchange=True)
    again.vhosts["/"].declare_queue("sink")
    again.vhosts["/"].bind("amq.rabbitmq.event", "sink", "#", {}, to_queue=True)
    assert again.vhosts["/"].queues["sink"].message_count == 1  # of its own binding
