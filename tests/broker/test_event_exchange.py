"""The event exchange: what happens, as messages."""

from __future__ import annotations

from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties

EVENT = "amq.rabbitmq.event"


def test_it_is_a_durable_internal_topic_exchange_of_the_default_vhost() -> None:
    broker = Broker(MemoryStore(), VirtualClock(), event_exchange=True)
    broker.add_vhost("other")
    exchange = broker.vhosts["/"].exchange(EVENT)
    assert (exchange.type, exchange.durable, exchange.internal, exchange.auto_delete) == ("topic", True, True, False)
    assert EVENT not in broker.vhosts["other"].exchanges


def test_it_is_not_there_unless_asked_for() -> None:
    broker = Broker(MemoryStore(), VirtualClock())
    assert EVENT not in broker.vhosts["/"].exchanges
    assert not broker.events.listeners


def test_an_event_is_its_key_and_its_headers() -> None:
    clock = VirtualClock(1_700_000_000.25)
    vhost = Broker(MemoryStore(), clock, event_exchange=True).vhosts["/"]
    queue = vhost.declare_queue("sink")
    vhost.bind(EVENT, "sink", "queue.*", {}, to_queue=True)
    vhost.declare_queue("q", exclusive=True, owner=object())
    vhost.declare_exchange("x", "direct")
    entry = queue.get(True)
    assert entry is not None
    message = entry.message
    assert (message.exchange, message.routing_key, message.body, message.persistent) == (
        EVENT,
        "queue.created",
        b"",
        True,
    )
    assert message.properties == Properties(
        headers={
            "name": "q",
            "vhost": "/",
            "durable": False,
            "auto_delete": False,
            "type": "rabbit_classic_queue",
            "arguments": {"x-queue-type": "classic"},
            "exclusive": True,
            "user_who_performed_action": "rmq-internal",
            "timestamp_in_ms": 1_700_000_000_250,
        },
        delivery_mode=2,
        timestamp=1_700_000_000,
    )
    assert queue.get(True) is None


def test_what_happens_in_other_vhosts_is_told_there_too() -> None:
    broker = Broker(MemoryStore(), VirtualClock(), event_exchange=True)
    vhost = broker.vhosts["/"]
    queue = vhost.declare_queue("sink")
    vhost.bind(EVENT, "sink", "queue.created", {}, to_queue=True)
    broker.add_vhost("other").declare_queue("q")
    entry = queue.get(True)
    assert entry is not None
    assert entry.message.headers["vhost"] == "other"


def test_it_and_its_bindings_stay_when_it_is_switched_off() -> None:
    store = MemoryStore()
    vhost = Broker(store, VirtualClock(), event_exchange=True).vhosts["/"]
    vhost.declare_queue("sink", durable=True)
    vhost.bind(EVENT, "sink", "#", {}, to_queue=True)
    before = vhost.queues["sink"].message_count
    for on in (False, True):
        vhost = Broker(store, VirtualClock(), event_exchange=on).vhosts["/"]
        vhost.declare_queue(f"q {on}")
        assert vhost.queues["sink"].message_count == before + on
        assert len(vhost.exchange(EVENT).outgoing) == 1
