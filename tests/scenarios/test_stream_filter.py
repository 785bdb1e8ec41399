"""Filters on streams, of RabbitMQ 3.13 and later. RabbitMQ filters by chunks and leaves the rest to the client."""

from __future__ import annotations

from typing import Any

import pytest
from steps import Name, consume, declare, delivered, fill

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicQos, BasicQosOk
from amqpd.wire.properties import Properties

pytestmark = pytest.mark.ours("3.10 has no filters")


@pytest.mark.parametrize(
    ("arguments", "offsets"),
    [
        ({"x-stream-filter": "north"}, [0, 3]),
        ({"x-stream-filter": ["north", "south"]}, [0, 1, 3, 4]),
        ({"x-stream-filter": "south", "x-stream-match-unfiltered": True}, [1, 2, 4, 5]),
        ({"x-stream-filter": "west"}, []),
        ({}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_filter_lets_some_through(client: Client, name: Name, arguments: dict[str, Any], offsets: list[int]) -> None:
    stream = name("stream")
    declare(client, stream, durable=True, arguments={"x-queue-type": "stream", "x-stream-filter-size-bytes": 32})
    for value in ("north", "south", None) * 2:
        headers = {"x-stream-filter-value": value} if value else None
        fill(client, stream, b"body", properties=Properties(headers=headers))
    client.call(1, BasicQos(prefetch_count=10), BasicQosOk)
    consume(client, stream, arguments={"x-stream-offset": "first", **arguments})
    found = [delivered(client).properties.headers["x-stream-offset"] for _ in offsets]
    assert found == offsets
    assert client.silence()
