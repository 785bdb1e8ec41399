"""What a stream keeps: whole segments, as far as its limits allow, and always the last."""

from __future__ import annotations

import time

import pytest
from steps import Name, consume, declare, delivered, fill

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicCancel, BasicCancelOk, BasicQos, BasicQosOk

BODIES = [b"%4d" % number * 50 for number in range(100)]


def read_all(client: Client, stream: str) -> list[int]:
    """The numbers of all messages that are there, in order of their offsets; those of RabbitMQ may have gaps."""
    client.call(1, BasicQos(prefetch_count=1000), BasicQosOk)
    tag = consume(client, stream, arguments={"x-stream-offset": "first"})
    numbers: list[int] = []
    last = -1
    while not numbers or numbers[-1] != len(BODIES) - 1:
        command = delivered(client)
        assert command.properties.headers["x-stream-offset"] > last
        last = command.properties.headers["x-stream-offset"]
        numbers.append(BODIES.index(command.body))
    client.call(1, BasicCancel(tag), BasicCancelOk)
    return numbers


@pytest.mark.parametrize(("limit", "value"), [("x-max-length-bytes", 5000), ("x-max-age", "1s")])
def test_the_oldest_segments_are_dropped(client: Client, name: Name, limit: str, value: int | str) -> None:
    stream = name("stream")
    arguments = {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": 1000, limit: value}
    declare(client, stream, durable=True, arguments=arguments)
    for start in range(0, 50, 2):
        fill(client, stream, *BODIES[start : start + 2])
    if limit == "x-max-age":
        time.sleep(2)
    for start in range(50, 100, 2):
        fill(client, stream, *BODIES[start : start + 2])
    deadline = time.monotonic() + client.timeout
    while (numbers := read_all(client, stream))[0] < 40:  # RabbitMQ drops them a little later, one by one
        assert time.monotonic() < deadline
    assert numbers == list(range(numbers[0], 100))
    assert numbers[0] <= 99


def test_without_a_limit_nothing_is_dropped(client: Client, name: Name) -> None:
    stream = name("stream")
    arguments = {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": 1000}
    declare(client, stream, durable=True, arguments=arguments)
    for start in range(0, 100, 2):
        fill(client, stream, *BODIES[start : start + 2])
    assert read_all(client, stream) == list(range(100))
