"""The worked examples of `routing_examples.json`, over the wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from steps import Name, bind, declare_exchange, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.properties import Properties

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "routing_examples.json").read_text())


@pytest.mark.parametrize("kind", ["direct", "topic"])
def test_routing_keys(client: Client, name: Name, kind: str) -> None:
    example = EXAMPLES[kind]
    exchange = declare_exchange(client, name("exchange"), kind)
    queues = {}
    for queue, keys in example["bindings"].items():
        queues[queue] = own_queue(client)
        for key in keys:
            bind(client, queues[queue], exchange, key)
    for key, reached in example["messages"].items():
        client.publish(1, exchange, key, key.encode())
        assert sorted(queue for queue in queues if drain(client, queues[queue])) == reached


@pytest.mark.parametrize("pattern", EXAMPLES["topic_patterns"])
def test_topic_patterns(client: Client, name: Name, pattern: str) -> None:
    example = EXAMPLES["topic_patterns"][pattern]
    exchange = declare_exchange(client, name("exchange"), "topic")
    queue = own_queue(client)
    bind(client, queue, exchange, pattern)
    for key in example["match"] + example["no_match"]:
        client.publish(1, exchange, key, key.encode())
    assert [body.decode() for body in drain(client, queue)] == example["match"]


def test_fanout(client: Client, name: Name) -> None:
    example = EXAMPLES["fanout"]
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queues = [own_queue(client) for _ in example["queues"]]
    for queue in queues:
        bind(client, queue, exchange)
    for key in example["any_routing_key"]:
        client.publish(1, exchange, key, key.encode())
    for queue in queues:
        assert [body.decode() for body in drain(client, queue)] == example["any_routing_key"]


@pytest.mark.parametrize("binding", EXAMPLES["headers"]["bindings"])
def test_headers(client: Client, name: Name, binding: str) -> None:
    arguments, matches = EXAMPLES["headers"]["bindings"][binding]
    exchange = declare_exchange(client, name("exchange"), "headers")
    queue = own_queue(client)
    bind(client, queue, exchange, arguments=arguments)
    client.publish(1, exchange, "", b"message", Properties(headers=EXAMPLES["headers"]["message"]))
    assert drain(client, queue) == ([b"message"] if matches else [])


def test_a_routing_key_of_255_bytes_is_taken(client: Client, name: Name) -> None:
    key = "k" * EXAMPLES["limits"]["routing_key_bytes"]
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, key)
    client.publish(1, exchange, key, b"long")
    assert drain(client, queue) == [b"long"]
