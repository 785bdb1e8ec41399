"""The firehose: copies of what is published and delivered, in a vhost where an operator wants to see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operators import Place
from steps import bind, consume, declare, delivered, get

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicDeliver, BasicReject
from amqpd.wire.properties import Properties

TRACE = "amq.rabbitmq.trace"


def copied(watcher: Client) -> tuple[str, bytes, Mapping[str, Any]]:
    """Key, body and headers of the next copy."""
    copy = delivered(watcher)
    assert isinstance(copy.method, BasicDeliver)
    assert copy.properties is not None
    headers = copy.properties.headers
    assert copy.properties == Properties(headers=headers)
    assert headers is not None
    return copy.method.routing_key, copy.body, headers


def test_copies_say_what_who_and_where(place: Place) -> None:
    client, watcher = place.connect(), place.connect()
    declare(watcher, "copies")
    bind(watcher, "copies", TRACE, "#")
    consume(watcher, "copies", no_ack=True)
    declare(client, "q")
    client.publish(1, "", "q", b"not seen")
    assert get(client, "q") is not None
    place.operator.put_vhost(place.vhost, tracing=True)

    client.publish(1, "", "q", b"a", Properties(content_type="text/plain", headers={"mine": 1}, priority=3))
    key, body, headers = copied(watcher)
    assert (key, body) == ("publish.", b"a")
    known = {name: headers[name] for name in headers if name not in ("node", "connection")}
    common = {
        "exchange_name": "",
        "routing_keys": ["q"],
        "properties": {"content_type": "text/plain", "headers": {"mine": 1}, "priority": 3},
        "vhost": place.vhost,
        "channel": 1,
        "user": "guest",
    }
    assert known == {**common, "routed_queues": ["q"]}
    assert " -> " in headers["connection"]

    for redelivered in (0, 1):
        message = get(client, "q", no_ack=False)
        assert message is not None
        key, body, headers = copied(watcher)
        assert (key, body) == ("deliver.q", b"a")
        known = {name: headers[name] for name in headers if name not in ("node", "connection")}
        assert known == {**common, "redelivered": redelivered}
        client.send(1, BasicReject(message.method.delivery_tag, True))  # type: ignore[union-attr]

    client.publish(1, "amq.fanout", "nowhere", b"b")
    key, body, headers = copied(watcher)
    assert (key, body, headers["routed_queues"]) == ("publish.amq.fanout", b"b", [])
    place.operator.put_vhost(place.vhost, tracing=False)
    client.publish(1, "", "q", b"not seen")
    assert watcher.silence()
