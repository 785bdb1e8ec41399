"""The log exchange: lines of the log, as messages."""

from __future__ import annotations

from amqpd.broker.broker import Broker
from amqpd.broker.log_exchange import LOG, LogExchange
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties


def test_it_is_a_durable_internal_topic_exchange() -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    assert LOG not in vhost.exchanges
    LogExchange(vhost, VirtualClock(), "here", "text/plain")
    exchange = vhost.exchange(LOG)
    assert (exchange.type, exchange.durable, exchange.internal, exchange.auto_delete) == ("topic", True, True, False)


def test_a_line_is_a_body_and_its_level_the_key() -> None:
    clock = VirtualClock(1_700_000_000.25)
    vhost = Broker(MemoryStore(), clock).vhosts["/"]
    exchange = LogExchange(vhost, clock, "rabbit@here", "text/plain")
    exchange.publish("error", "nobody hears it")
    queue = vhost.declare_queue("sink")
    vhost.bind(LOG, "sink", "error", {}, to_queue=True)
    exchange.publish("info", "fine")
    exchange.publish("error", "größer \udce9")
    entry = queue.get(True)
    assert entry is not None
    message = entry.message
    assert (message.exchange, message.routing_key) == (LOG, "error")
    assert message.body == "größer \\udce9".encode()
    assert message.properties == Properties(
        content_type="text/plain", headers={"node": "rabbit@here"}, timestamp=1_700_000_000
    )
    assert queue.get(True) is None
