"""Publishing and getting messages through the management API: the same with both brokers."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from web import Web

from amqpd.wire.methods import QueueDeclare, QueueDeclareOk


@pytest.fixture
def place(web: Web, vhost: str) -> str:
    """A queue."""
    place = f"/queues/{vhost}/q"
    web.put(place, {"durable": True})
    return place


def publish(web: Web, vhost: str, payload: str = "a", *, key: str = "q", encoding: str = "string", **more: Any) -> Any:
    body = {"properties": more, "routing_key": key, "payload": payload, "payload_encoding": encoding}
    answer = web.post(f"/exchanges/{vhost}/amq.default/publish", body)
    assert answer.status == 200, answer
    return answer.json


def get(web: Web, place: str, *, mode: str = "ack_requeue_true", count: int = 5, **more: Any) -> Any:
    answer = web.post(f"{place}/get", {"count": count, "ackmode": mode, "encoding": "auto", **more})
    assert answer.status == 200, answer
    return answer.json


def test_a_message_goes_in_and_comes_out(web: Web, vhost: str, place: str) -> None:
    properties = {"delivery_mode": 2, "content_type": "text/plain", "headers": {"a": 1, "b": ["x", {"c": True}]}}
    assert publish(web, vhost, "grüße", **properties) == {"routed": True}
    assert get(web, place) == [
        {
            "payload_bytes": 7,
            "redelivered": False,
            "exchange": "",
            "routing_key": "q",
            "message_count": 0,
            "properties": properties,
            "payload": "grüße",
            "payload_encoding": "string",
        }
    ]


def test_what_reaches_no_queue(web: Web, vhost: str) -> None:
    assert publish(web, vhost, key="none") == {"routed": False}


def test_payloads_that_are_no_text(web: Web, vhost: str, place: str) -> None:
    encoded = base64.b64encode(b"\xff\x00").decode()
    publish(web, vhost, encoded, encoding="base64")
    (found,) = get(web, place)
    assert (found["payload"], found["payload_encoding"], found["payload_bytes"]) == (encoded, "base64", 2)


def test_text_as_base64_and_cut_off(web: Web, vhost: str, place: str) -> None:
    publish(web, vhost, "abcdef")
    (found,) = get(web, place, encoding="base64", truncate=3)
    expected = (base64.b64encode(b"abc").decode(), "base64", 6)
    assert (found["payload"], found["payload_encoding"], found["payload_bytes"]) == expected


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("ack_requeue_true", ["a", "b", "c"]),
        ("reject_requeue_true", ["a", "b", "c"]),
        ("ack_requeue_false", ["c"]),
        ("reject_requeue_false", ["c"]),
    ],
)
def test_what_becomes_of_messages(web: Web, vhost: str, place: str, mode: str, left: list[str]) -> None:
    for payload in "abc":
        publish(web, vhost, payload)
    found = get(web, place, mode=mode, count=2)
    assert [(each["payload"], each["message_count"]) for each in found] == [("a", 2), ("b", 1)]
    found = get(web, place)
    assert [each["payload"] for each in found] == left
    assert [each["redelivered"] for each in found] == [each in "ab" for each in left]


def test_as_many_as_there_are(web: Web, vhost: str, place: str) -> None:
    publish(web, vhost)
    assert get(web, place, count=0) == []
    assert len(get(web, place, count=100)) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "[{key_missing,ackmode},{key_missing,count},{key_missing,encoding}]"),
        ({"count": "x", "ackmode": "ack_requeue_true", "encoding": "auto"}, ["not_integer", "x"]),
        (
            {"count": 1, "ackmode": "ack_requeue_true", "encoding": "x"},
            "Unsupported encoding. Please use auto or base64.",
        ),
    ],
)
def test_what_cannot_be_got(web: Web, place: str, body: Any, reason: Any) -> None:
    answer = web.post(f"{place}/get", body)
    assert (answer.status, answer.reason) == (400, reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {},
            "[{key_missing,routing_key},{key_missing,properties},{key_missing,payload},{key_missing,payload_encoding}]",
        ),
        ({"payload": 5}, "payload_not_string"),
        ({"payload_encoding": "x"}, ["unsupported_encoding", "x"]),
        ({"payload": "%", "payload_encoding": "base64"}, ["not_base64", "%"]),
        ({"properties": {"delivery_mode": "x"}}, ["not_int", "delivery_mode"]),
    ],
)
def test_what_cannot_be_published(web: Web, vhost: str, body: Any, reason: Any) -> None:
    full = {"properties": {}, "routing_key": "q", "payload": "a", "payload_encoding": "string"}
    answer = web.post(f"/exchanges/{vhost}/amq.default/publish", {**full, **body} if body else {})
    assert (answer.status, answer.reason) == (400, reason)


def test_queues_and_exchanges_that_are_not_there(web: Web, vhost: str) -> None:
    answer = web.post(f"/queues/{vhost}/none/get", {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"})
    reason = f"NOT_FOUND - no queue 'none' in vhost '{vhost}'"
    assert (answer.status, answer.json) == (404, {"error": "not_found", "reason": reason})
    body = {"properties": {}, "routing_key": "q", "payload": "a", "payload_encoding": "string"}
    answer = web.post(f"/exchanges/{vhost}/none/publish", body)
    assert (answer.status, answer.reason) == (400, f"404 NOT_FOUND - no exchange 'none' in vhost '{vhost}'")


def test_a_queue_that_is_full(web: Web, vhost: str) -> None:
    web.put(
        f"/queues/{vhost}/q",
        {"durable": True, "arguments": {"x-max-length": 1, "x-overflow": "reject-publish"}},
    )
    body = {"properties": {}, "routing_key": "q", "payload": "a", "payload_encoding": "string"}
    for _ in range(2):
        answer = web.post(f"/exchanges/{vhost}/amq.default/publish", body)
    assert (answer.status, answer.reason) == (400, "rejected Unable to publish message. Check queue limits.")


def test_a_purge_leaves_what_is_out(web: Web, vhost: str, place: str) -> None:
    for payload in "abc":
        publish(web, vhost, payload)
    assert web.delete(f"{place}/contents").status == 204
    assert get(web, place) == []


def test_a_queue_of_somebody_elses_connection(web: Web, vhost: str) -> None:
    client = web.connect(vhost)
    client.call(1, QueueDeclare(queue="mine", exclusive=True), QueueDeclareOk)
    for answer in (web.delete(f"/queues/{vhost}/mine"), web.delete(f"/queues/{vhost}/mine/contents")):
        assert answer.status == 400
        assert answer.reason.startswith(f"cannot obtain exclusive access to locked queue 'mine' in vhost '{vhost}'")
    client.drop()
