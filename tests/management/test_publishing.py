"""Publishing and getting over HTTP: what a client with a channel could not do cannot be done here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.management.harness import Answer, Api


@pytest.fixture
def api() -> Api:
    api = Api()
    api.put("/queues/%2F/q")
    api.put("/users/u", {"password": "x", "tags": "management"})
    api.put("/permissions/%2F/u", {"configure": "", "write": ".*", "read": ".*"})
    return api


def publish(
    api: Api, exchange: str = "amq.default", *, key: str = "q", login: str = "guest:guest", **more: Any
) -> Answer:
    body = {"properties": more, "routing_key": key, "payload": "a", "payload_encoding": "string"}
    return api.post(f"/exchanges/%2F/{exchange}/publish", body, login=login)


def test_a_message_expires_as_it_says(api: Api) -> None:
    publish(api, expiration="1000")
    assert api.get("/queues/%2F/q").json["messages"] == 1
    api.clock.advance(2)
    assert api.get("/queues/%2F/q").json["messages"] == 0
    reason = "406 PRECONDITION_FAILED - invalid expiration 'x': no_integer"
    assert publish(api, expiration="x").json["reason"] == reason


def test_nobody_speaks_in_anothers_name(api: Api) -> None:
    answer = publish(api, user_id="guest", login="u:x")
    reason = "406 PRECONDITION_FAILED - user_id property set to 'guest' but authenticated user was 'u'"
    assert (answer.status, answer.json["reason"]) == (400, reason)
    assert publish(api, user_id="u", login="u:x").status == 200


def test_routing_keys_may_be_kept_from_a_user(api: Api) -> None:
    api.put("/topic-permissions/%2F/u", {"exchange": "amq.topic", "write": "^a", "read": "^b"})
    assert publish(api, "amq.topic", key="a", login="u:x").json == {"routed": False}
    for more in ({"key": "b"}, {"key": "a", "headers": {"CC": ["b"]}}):
        answer = publish(api, "amq.topic", login="u:x", **more)
        reason = (
            "403 ACCESS_REFUSED - write access to topic 'b' in exchange 'amq.topic' in vhost '/' refused for user 'u'"
        )
        assert (answer.status, answer.json["reason"]) == (400, reason)
    place = "/bindings/%2F/e/amq.topic/q/q"
    assert api.post(place, {"routing_key": "b"}, login="u:x").status == 201
    assert api.post(place, {"routing_key": "c"}, login="u:x").json["reason"] == "Access refused."


def test_further_routing_keys_count_and_blind_ones_are_not_shown(api: Api) -> None:
    assert publish(api, key="none", headers={"CC": ["x"], "BCC": ["q"]}).json == {"routed": True}
    body = {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"}
    (found,) = api.post("/queues/%2F/q/get", body).json
    assert found["properties"] == {"headers": {"CC": ["x"]}}
    reason = publish(api, headers={"CC": "q"}).json["reason"]
    assert reason.startswith("406 PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,")


def test_a_message_over_the_limit_is_refused(api: Api) -> None:
    api.management.settings = {"max_message_size": 0}
    reason = "406 PRECONDITION_FAILED - message size 1 is larger than configured max size 0"
    assert publish(api).json["reason"] == reason


def test_it_counts_among_all_that_was_published(api: Api) -> None:
    publish(api)
    publish(api, key="none")
    api.post("/queues/%2F/q/get", {"count": 5, "ackmode": "ack_requeue_true", "encoding": "auto"})
    stats = api.get("/overview").json["message_stats"]
    assert {name: stats[name] for name in ("publish", "confirm", "return_unroutable", "get", "get_empty")} == {
        "publish": 2,
        "confirm": 2,
        "return_unroutable": 1,
        "get": 1,
        "get_empty": 1,
    }
    assert api.get("/vhosts/%2F").json["message_stats"]["publish"] == 2


def test_the_firehose_sees_it(api: Api) -> None:
    api.put("/vhosts/%2F", {"tracing": True})
    api.put("/queues/%2F/seen")
    api.post("/bindings/%2F/e/amq.rabbitmq.trace/q/seen", {"routing_key": "publish.#"})
    publish(api)
    (found,) = api.get("/amqpd/queues/%2F/seen/messages").json["items"]
    assert found["properties"]["headers"]["user"] == "guest"


@pytest.mark.parametrize("login", ["u:x"])
def test_permissions_are_told_as_through_a_channel(api: Api, login: str) -> None:
    api.put("/permissions/%2F/u", {"configure": "", "write": "", "read": ""})
    reason = "403 ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'u'"
    answer = publish(api, login=login)
    assert (answer.status, answer.json["reason"]) == (400, reason)
    body = {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"}
    answer = api.post("/queues/%2F/q/get", body, login=login)
    reason = "ACCESS_REFUSED - read access to queue 'q' in vhost '/' refused for user 'u'"
    assert (answer.status, answer.json) == (401, {"error": "not_authorised", "reason": reason})
