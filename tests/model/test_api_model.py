"""No request makes the management API fail: whatever is sent is answered, or refused with a reason."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from amqpd.management.api import RESOURCES
from tests.management.harness import Api

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")

KNOWN = {
    "vhost": ["/", "v"],
    "name": ["q", "x", "amq.direct", "amq.default", "p", "s", "limits", "quorum_queue"],
    "user": ["guest", "u"],
    "component": ["policy", "vhost-limits", "operator_policy"],
    "limit": ["max-connections", "max-channels", "max-queues"],
    "node": ["amqpd@localhost"],
    "source": ["amq.direct", "amq.topic", "x", "amq.default"],
    "kind": ["q", "e"],
    "destination": ["q", "amq.fanout", "s"],
    "props": ["~", "k", "q"],
    "port": ["5672"],
    "protocol": ["amqp"],
    "within": ["1"],
    "unit": ["days"],
    "password": ["x"],
}


def words(text: str) -> list[str]:
    return text.split()


FIELDS = words("""
    ackmode apply-to action arguments auto_delete component configure count default_queue_type definition description
    destination durable encoding exchange hashing_algorithm internal limits name password password_hash pattern
    payload payload_encoding priority properties read requeue routing_key source tags tracing truncate type users
    value write
""")

ODD = words("""
    true troo q direct topic auto base64 string ack_requeue_true reject_requeue_false quorum stream max-length
    x-queue-type x-max-length [ (a+)+$ YQ== / CC
""")

TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["", "a" * 300, *ODD]))

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)

PARAMETERS = words("""
    page page_size name use_regex sort sort_reverse columns disable_stats enable_queue_totals if-unused if-empty
    offset count state truncate encoding routing_key wait download lengths_age lengths_incr
""")

QUERIES = st.dictionaries(
    st.sampled_from(PARAMETERS),
    st.one_of(
        TEXTS, st.integers().map(str), st.sampled_from(["name,messages", "message_stats.publish", "messages>=0"])
    ),
    max_size=3,
)

BODIES = st.one_of(
    st.none(),
    st.binary(max_size=20),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6).map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes | None]:
    parts = []
    for part in draw(st.sampled_from(RESOURCES)).path.strip("/").split("/"):
        if part.startswith("{"):
            known = KNOWN.get(part.strip("{}"), ["q"])
            parts.append(quote(draw(st.one_of(st.sampled_from(known), st.sampled_from(known), TEXTS)), safe=""))
        else:
            parts.append(part)
    query = "&".join([f"{name}={quote(value, safe='')}" for name, value in draw(QUERIES).items()])
    path = "/" + "/".join(parts) + (f"?{query}" if query else "")
    return draw(st.sampled_from(METHODS)), path, draw(BODIES)


def furnished() -> Api:
    """With one of each."""
    api = Api()
    api.put("/vhosts/v")
    api.put("/users/u", {"password": "x", "tags": "management"})
    for vhost in ("%2F", "v"):
        api.put(f"/queues/{vhost}/q", {"arguments": {"x-max-priority": 3}})
        api.put(f"/queues/{vhost}/s", {"arguments": {"x-queue-type": "stream"}})
        api.put(f"/exchanges/{vhost}/x", {"type": "headers"})
        api.post(f"/bindings/{vhost}/e/amq.direct/q/q", {"routing_key": "k"})
        api.put(f"/policies/{vhost}/p", {"pattern": "q", "definition": {"max-length": 9}})
        api.post(
            f"/exchanges/{vhost}/amq.default/publish",
            {"properties": {}, "routing_key": "q", "payload": "a", "payload_encoding": "string"},
        )
    return api


def check(api: Api, method: str, path: str, body: bytes | None) -> None:
    answer: Any = api.request(method, path, body)
    assert answer.status < 500 or (answer.status == 503 and answer.json["reason"]), (method, path, body, answer)
    if answer.status in (400, 404, 412):
        assert answer.json["error"]
        assert answer.json["reason"]
    elif answer.headers.get("content-type") == "application/json" and answer.body:
        json.loads(answer.body)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(requests(), min_size=5, max_size=30))
@example([("PUT", "/users/u", b'{"tags": "\\ud800"}')])
@example([("PUT", "/queues/%2F/" + "a" * 256, b"{}")])
@example([("PUT", "/queues/%2F/z", b'{"arguments": {"x-queue-type": ["stream"]}}')])
@example([("GET", "/queues?sort=arguments&columns=arguments.x", None)])
def test_no_request_makes_it_fail(asked: list[tuple[str, str, bytes | None]]) -> None:
    api = furnished()
    for method, path, body in asked:
        check(api, method, path, body)
