"""Worked examples of routing, kept as data in routing_examples.json: bindings, and what each message must reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.vhost import VHost
from amqpd.clock import VirtualClock
from amqpd.message import make_message
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "routing_examples.json").read_text())


@pytest.fixture
def vhost() -> VHost:
    return Broker(MemoryStore(), VirtualClock()).vhosts["/"]


def bound(vhost: VHost, exchange_type: str, bindings: dict[str, list[str]]) -> None:
    """Declare an exchange `x`, and queues bound to it by these keys."""
    vhost.declare_exchange("x", exchange_type)
    for queue, keys in bindings.items():
        vhost.declare_queue(queue)
        for key in keys:
            vhost.bind("x", queue, key, {}, to_queue=True)


def reached(vhost: VHost, routing_key: str, headers: dict[str, Any] | None = None) -> list[str]:
    """The queues that a message published to `x` reaches."""
    message = make_message("x", routing_key, b"", Properties(headers=headers))
    return sorted(queue.name for queue in vhost.route(vhost.exchange("x"), message).queues)


@pytest.mark.parametrize("kind", ["direct", "topic"])
def test_messages_reach_the_queues_of_the_example(vhost: VHost, kind: str) -> None:
    bound(vhost, kind, EXAMPLES[kind]["bindings"])
    for key, queues in EXAMPLES[kind]["messages"].items():
        assert reached(vhost, key) == queues


@pytest.mark.parametrize("pattern", EXAMPLES["topic_patterns"])
def test_the_pattern_of_the_example_matches_what_it_should(vhost: VHost, pattern: str) -> None:
    bound(vhost, "topic", {"q": [pattern]})
    example = EXAMPLES["topic_patterns"][pattern]
    for key in example["match"]:
        assert reached(vhost, key) == ["q"], key
    for key in example["no_match"]:
        assert reached(vhost, key) == [], key


def test_a_fanout_reaches_all_queues_of_the_example(vhost: VHost) -> None:
    bound(vhost, "fanout", {queue: [""] for queue in EXAMPLES["fanout"]["queues"]})
    for key in EXAMPLES["fanout"]["any_routing_key"]:
        assert reached(vhost, key) == sorted(EXAMPLES["fanout"]["queues"])


def test_headers_reach_the_queues_of_the_example(vhost: VHost) -> None:
    vhost.declare_exchange("x", "headers")
    example = EXAMPLES["headers"]
    for queue, (arguments, _) in example["bindings"].items():
        vhost.declare_queue(queue)
        vhost.bind("x", queue, "", arguments, to_queue=True)
    expected = sorted(queue for queue, (_, matches) in example["bindings"].items() if matches)
    assert reached(vhost, "", example["message"]) == expected


def test_a_routing_key_has_as_many_bytes_as_the_example_says(vhost: VHost) -> None:
    limit = EXAMPLES["limits"]["routing_key_bytes"]
    bound(vhost, "direct", {"q": ["k" * limit]})
    assert reached(vhost, "k" * limit) == ["q"]
    with pytest.raises(ValueError, match="over 255 bytes"):
        make_message("x", "k" * (limit + 1), b"")
