"""Looking at messages, at their way, and waiting for them, over HTTP."""

from __future__ import annotations

import asyncio
import base64
import gc
import time
from typing import Any

import pytest

from amqpd.message import make_message
from amqpd.wire.methods import BasicConsume, BasicGet
from amqpd.wire.properties import Properties
from tests.amqp.pair import Pair
from tests.management.harness import Api

PLACE = "/amqpd/queues/%2F/q/messages"


@pytest.fixture
def api() -> Api:
    api = Api()
    api.put("/queues/%2F/q", {"durable": True})
    return api


def publish(api: Api, *payloads: str, key: str = "q", **properties: Any) -> None:
    for payload in payloads:
        body = {"properties": properties, "routing_key": key, "payload": payload, "payload_encoding": "string"}
        assert api.post("/exchanges/%2F/amq.default/publish", body).json == {"routed": True}


def test_messages_are_shown_and_stay(api: Api) -> None:
    publish(api, "a", "bc", content_type="text/plain", headers={"n": 1})
    found = api.get(f"{PLACE}?truncate=1").json
    assert found["total_count"] == 2
    assert found["items"][1] == {
        "position": 1,
        "state": "ready",
        "payload_bytes": 2,
        "redelivered": False,
        "exchange": "",
        "routing_key": "q",
        "properties": {"content_type": "text/plain", "headers": {"n": 1}},
        "payload": "b",
        "payload_encoding": "string",
        "expires_at": None,
        "consumer": None,
    }
    assert [each["payload"] for each in api.get(f"{PLACE}?offset=1&count=5").json["items"]] == ["bc"]
    queue = api.get("/queues/%2F/q").json
    assert (queue["messages_ready"], queue["messages_unacknowledged"]) == (2, 0)
    assert "get" not in queue["message_stats"]


def test_what_is_out_is_shown_with_who_has_it(api: Api) -> None:
    publish(api, "a", "b", "c")
    pair = Pair(api.broker)
    pair.channel()
    pair.send(1, BasicGet(queue="q"))
    pair.send(1, BasicConsume(queue="q", consumer_tag="t"))
    found = api.get(f"{PLACE}?state=unacknowledged").json
    assert [(each["position"], each["payload"], each["state"]) for each in found["items"]] == [
        (0, "a", "unacknowledged"),
        (1, "b", "unacknowledged"),
        (2, "c", "unacknowledged"),
    ]
    assert [each["consumer"] and each["consumer"]["consumer_tag"] for each in found["items"]] == [None, "t", "t"]
    assert api.get(f"{PLACE}?state=unacknowledged&offset=1&count=1").json["items"][0]["payload"] == "b"
    assert api.get(PLACE).json == {"offset": 0, "total_count": 0, "items": []}


def test_a_payload_that_is_no_text_is_base64(api: Api) -> None:
    api.vhost.route(api.vhost.exchanges[""], _raw(b"\xff")).deliver(_raw(b"\xff"))
    (item,) = api.get(PLACE).json["items"]
    assert (item["payload"], item["payload_encoding"]) == ("/w==", "base64")


def _raw(body: bytes) -> Any:
    return make_message("", "q", body, Properties())


@pytest.mark.parametrize(
    "query", ["offset=x", "offset=-1", "count=1001", "count=-1", "state=x", "encoding=x", "truncate=-1", "truncate=x"]
)
def test_what_cannot_be_looked_at_is_refused(api: Api, query: str) -> None:
    assert api.get(f"{PLACE}?{query}").status == 400


def test_looking_at_messages_takes_the_right_to_read(api: Api) -> None:
    api.put("/users/u", {"password": "x", "tags": "management"})
    api.put("/permissions/%2F/u", {"configure": ".*", "write": ".*", "read": "^other$"})
    assert api.get(PLACE, login="u:x").json == {"error": "not_authorised", "reason": "Access refused."}
    assert api.get("/amqpd/queues/%2F/none/messages").status == 404


# --- routing


def test_a_route_is_explained_binding_by_binding(api: Api) -> None:
    api.put("/exchanges/%2F/x", {"type": "topic", "arguments": {"alternate-exchange": "amq.fanout"}})
    api.post("/bindings/%2F/e/x/q/q", {"routing_key": "a.*"})
    found = api.get("/amqpd/route/%2F/x?routing_key=a.b").json
    assert (found["routed"], found["queues"]) == (True, [{"name": "q", "vhost": "/"}])
    (step,) = found["exchanges"]
    (binding,) = step["bindings"]
    assert (step["name"], step["reached_by"], step["alternate_exchange"]) == ("x", "publish", None)
    assert (binding["matched"], binding["message_routing_key"], binding["destination"]) == (True, "a.b", "q")
    assert "a.*" in binding["reason"]
    lost = api.get("/amqpd/route/%2F/x?routing_key=b").json
    assert (lost["routed"], [step["name"] for step in lost["exchanges"]]) == (False, ["x", "amq.fanout"])
    assert lost["exchanges"][1]["reached_by"] == "alternate-exchange"


def test_a_route_may_depend_on_headers(api: Api) -> None:
    api.post("/bindings/%2F/e/amq.headers/q/q", {"arguments": {"a": 1}})
    for headers, routed in (({"a": 1}, True), ({"a": 2}, False), ({}, False)):
        answer = api.post("/amqpd/route/%2F/amq.headers", {"properties": {"headers": headers}})
        assert answer.json["routed"] is routed
    assert api.post("/amqpd/route/%2F/amq.headers", {"properties": {"headers": 5}}).status == 400
    assert api.get("/amqpd/route/%2F/none").status == 404


def test_further_routing_keys_of_a_message_count(api: Api) -> None:
    body = {"routing_key": "none", "properties": {"headers": {"CC": ["q"]}}}
    assert api.post("/amqpd/route/%2F/amq.default", body).json["queues"] == [{"name": "q", "vhost": "/"}]
    assert api.post("/amqpd/route/%2F/amq.default", {"properties": {"headers": {"CC": "q"}}}).status == 400


# --- waiting


@pytest.mark.parametrize("condition", ["messages>=2", "messages_ready=2", "consumers<1", "messages!=3", "messages>1"])
def test_what_holds_is_answered_at_once(api: Api, condition: str) -> None:
    publish(api, "a", "b")
    started = time.monotonic()
    assert api.get(f"/queues/%2F/q?wait={condition}&timeout=60").json["messages"] == 2
    assert time.monotonic() - started < 5


def test_an_answer_comes_as_soon_as_it_holds(api: Api) -> None:
    async def both() -> Any:
        asking = asyncio.create_task(api.ask("GET", "/api/queues/%2F/late?wait=messages>=1&timeout=60"))
        await asyncio.sleep(0)
        queue = api.vhost.declare_queue("late")
        await asyncio.sleep(0)
        assert not asking.done()
        queue.push(_raw(b"a"))
        return await asyncio.wait_for(asking, 20)

    answer = asyncio.run(both())
    assert (answer.status, answer.json["messages"]) == (200, 1)


def test_what_does_not_come_to_hold_is_told_in_time(api: Api) -> None:
    answer = api.get("/queues/%2F/q?wait=messages>=3&timeout=0.02")
    reason = "messages is 0 after 0.02 seconds, not messages>=3"
    assert (answer.status, answer.json) == (503, {"error": "timeout", "reason": reason})
    answer = api.get("/queues/%2F/none?wait=messages>=3&timeout=0")
    assert (answer.status, answer.json["reason"]) == (503, "no queue 'none' in vhost '/' after 0 seconds")


@pytest.mark.parametrize(
    "query", ["wait=x", "wait=name=3", "wait=messages>=x", "wait=messages=1&timeout=x", "wait=messages=1&timeout=301"]
)
def test_what_cannot_be_waited_for_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/queues/%2F/q?{query}").status == 400


# --- as many as there are


HELD_UP = 0.06
"""Seconds that others may wait, at most: sources that are not compiled, on a machine with others, are slow."""


def longest_turn(api: Api, *requests: tuple[str, str, Any]) -> float:
    """How long others had to wait while requests were answered."""

    async def main() -> float:
        longest = 0.0

        async def others() -> None:
            nonlocal longest
            while True:
                begun = time.perf_counter()
                await asyncio.sleep(0)
                longest = max(longest, time.perf_counter() - begun)

        beside = asyncio.create_task(others())
        for method, path, body in requests:
            answer = await api.ask(method, f"/api/queues/%2F/q{path}", body)
            assert answer.status in (200, 204)
        beside.cancel()
        return longest

    gc.disable()  # a broker keeps it short
    try:
        return asyncio.run(main())
    finally:
        gc.enable()


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("mode", ["ack_requeue_true", "reject_requeue_true", "ack_requeue_false"])
def test_getting_and_purging_a_great_many_holds_nobody_up(mode: str, durable: bool) -> None:
    get = {"count": 1_000_000, "ackmode": mode, "encoding": "auto"}

    def attempt() -> float:
        api = Api()
        queue = api.vhost.declare_queue("q", durable=durable)
        for number in range(10_000):
            queue.push(make_message("", "q", b"%d" % number, Properties(delivery_mode=2)))
        longest = longest_turn(api, ("POST", "/get", get), ("DELETE", "/contents", None))
        assert (queue.message_count, queue.held, queue.unacked) == (0, 0, 0)
        return longest

    assert any(attempt() < HELD_UP for _ in range(4))  # others may hold us up, too


@pytest.mark.parametrize("encoding", ["auto", "base64"])
@pytest.mark.parametrize("tail", ["ä".encode(), b"\xff"])
def test_large_bodies_are_shown_like_small_ones_and_hold_nobody_up(api: Api, encoding: str, tail: bytes) -> None:
    body = 'xä"\n'.encode() * 600_000 + tail
    api.vhost.queues["q"].push(make_message("", "q", body, Properties(content_type="a")))
    get = {"count": 1, "ackmode": "ack_requeue_true", "encoding": encoding}
    assert any(longest_turn(api, ("POST", "/get", get)) < HELD_UP for _ in range(4))
    [found] = api.post("/queues/%2F/q/get", {**get, "truncate": 2_999_999}).json
    as_text = encoding == "auto"
    assert found["payload_encoding"] == ("string" if as_text else "base64")
    [found] = api.post("/queues/%2F/q/get", get).json
    as_text = encoding == "auto" and tail != b"\xff"
    shown = found.pop("payload")
    assert (shown.encode() if as_text else base64.b64decode(shown)) == body
    assert found == {
        "payload_bytes": len(body),
        "redelivered": True,
        "exchange": "",
        "routing_key": "q",
        "properties": {"content_type": "a"},
        "payload_encoding": "string" if as_text else "base64",
        "message_count": 0,
    }


def test_messages_that_are_got_meanwhile_are_out_until_all_come_back_at_once(api: Api) -> None:
    queue = api.vhost.queues["q"]
    bodies = [b"%d" % number for number in range(5_000)]
    for body in bodies:
        queue.push(make_message("", "q", body))
    pair = Pair(api.broker)
    pair.channel()
    steps: list[tuple[int, int, int]] = []

    async def main() -> Any:
        async def others() -> None:
            while True:
                steps.append((queue.message_count, queue.unacked, queue.held))
                await asyncio.sleep(0)

        beside = asyncio.create_task(others())
        body = {"count": 4_000, "ackmode": "ack_requeue_true", "encoding": "auto"}
        answer = await api.ask("POST", "/api/queues/%2F/q/get", body)
        beside.cancel()
        return answer.json

    found = asyncio.run(main())
    assert [each["payload"].encode() for each in found] == bodies[:4_000]
    assert {sum(step) for step in steps} == {5_000}
    assert [ready for ready, _, _ in steps if 0 < ready < 1_000] == []
    assert any(1_000 < ready < 5_000 for ready, _, _ in steps)
    assert [queue.get(True).message.body for _ in bodies] == bodies


def test_what_was_got_comes_back_when_the_request_ends_before_it_is_answered(api: Api) -> None:
    queue = api.vhost.queues["q"]
    for number in range(5_000):
        queue.push(make_message("", "q", b"%d" % number))

    async def main() -> None:
        body = {"count": 5_000, "ackmode": "ack_requeue_false", "encoding": "auto"}
        asking = asyncio.create_task(api.ask("POST", "/api/queues/%2F/q/get", body))
        while not queue.unacked:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(main())
    assert (queue.message_count, queue.unacked, queue.held) == (5_000, 0, 0)
    assert queue.get(True).message.body == b"0"


def test_priorities_are_where_they_were(api: Api) -> None:
    queue = api.vhost.declare_queue("p", arguments={"x-max-priority": 5})
    for number in range(10):
        queue.push(make_message("", "p", b"%d" % number, Properties(priority=number % 3)))
    get = {"count": 8, "ackmode": "reject_requeue_true", "encoding": "auto"}
    order = [each["payload"] for each in api.post("/queues/%2F/p/get", {**get, "count": 10}).json]
    for _ in range(2):
        assert [each["payload"] for each in api.post("/queues/%2F/p/get", get).json] == order[:8]
