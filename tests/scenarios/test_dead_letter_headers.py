"""What is written on dead letters: x-death and what sums it up."""

from __future__ import annotations

import time
from typing import Any

import pytest
from steps import bind, expect_ready, fill, get, own_queue, take

from amqpd.testing.client import Client
from amqpd.wire.fields import Timestamp
from amqpd.wire.methods import BasicReject
from amqpd.wire.properties import Properties


def dying(client: Client, dead: str, **arguments: Any) -> str:
    return own_queue(client, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead, **arguments})


def letter(client: Client, queue: str) -> Properties:
    """The properties of the one message that is or will be in a queue."""
    expect_ready(client, queue, 1)
    command = get(client, queue)
    assert command is not None
    assert command.properties is not None
    return command.properties


def headers(properties: Properties) -> dict[str, Any]:
    """Without those that tell of the last death, which came with 3.13."""
    assert properties.headers is not None
    return {key: value for key, value in properties.headers.items() if not key.startswith("x-last-death-")}


def test_all_of_it(client: Client) -> None:
    dead = own_queue(client)
    queue = dying(client, dead)
    bind(client, queue, "amq.direct", queue + ".key")
    sent = Properties(headers={"mine": 1}, delivery_mode=2, message_id="m", expiration="60000", priority=3)
    client.publish(1, "amq.direct", queue + ".key", b"a", sent)
    expect_ready(client, queue, 1)
    before = int(time.time())
    client.send(1, BasicReject(take(client, queue), requeue=False))
    received = letter(client, dead)
    found = headers(received)
    died_at = found["x-death"][0].pop("time")
    assert isinstance(died_at, Timestamp)
    assert before - 1 <= died_at <= time.time() + 1
    assert found == {
        "mine": 1,
        "x-death": [
            {
                "count": 1,
                "reason": "rejected",
                "queue": queue,
                "exchange": "amq.direct",
                "routing-keys": [queue + ".key"],
                "original-expiration": "60000",
            }
        ],
        "x-first-death-reason": "rejected",
        "x-first-death-queue": queue,
        "x-first-death-exchange": "amq.direct",
    }
    received.headers = None
    assert received == Properties(delivery_mode=2, message_id="m", priority=3)


@pytest.mark.parametrize(("reason", "arguments"), [("expired", {"x-message-ttl": 50}), ("maxlen", {"x-max-length": 0})])
def test_the_reason_is_given(client: Client, reason: str, arguments: dict[str, Any]) -> None:
    dead = own_queue(client)
    fill(client, dying(client, dead, **arguments), b"a")
    found = headers(letter(client, dead))
    assert [death["reason"] for death in found["x-death"]] == [reason]
    assert found["x-first-death-reason"] == reason
    assert "original-expiration" not in found["x-death"][0]


def test_the_latest_death_is_the_first_entry(client: Client) -> None:
    dead = own_queue(client)
    second = dying(client, dead, **{"x-max-length": 0})
    first = dying(client, second, **{"x-message-ttl": 50})
    fill(client, first, b"a")
    found = headers(letter(client, dead))
    assert [(death["queue"], death["reason"], death["count"]) for death in found["x-death"]] == [
        (second, "maxlen", 1),
        (first, "expired", 1),
    ]
    assert found["x-death"][0]["routing-keys"] == [second]
    assert (found["x-first-death-queue"], found["x-first-death-reason"]) == (first, "expired")


@pytest.mark.ours("these headers came with 3.13")
def test_the_last_death_is_summed_up(client: Client) -> None:
    dead = own_queue(client)
    second = dying(client, dead, **{"x-max-length": 0})
    first = dying(client, second, **{"x-message-ttl": 50})
    fill(client, first, b"a")
    found = letter(client, dead).headers
    assert found is not None
    assert {key: value for key, value in found.items() if key.startswith("x-last-death-")} == {
        "x-last-death-reason": "maxlen",
        "x-last-death-queue": second,
        "x-last-death-exchange": "",
    }


@pytest.mark.ours("before 4.0 what clients wrote there was believed")
def test_what_a_client_says_of_deaths_counts_for_nothing(client: Client) -> None:
    dead = own_queue(client)
    queue = dying(client, dead, **{"x-max-length": 0})
    claimed = {"x-death": [{"queue": queue, "reason": "maxlen", "count": 7}]}
    fill(client, queue, b"a", properties=Properties(headers=claimed))
    assert [death["count"] for death in headers(letter(client, dead))["x-death"]] == [1]
