"""Requests to the management API, and what is answered: the same by both brokers, word for word."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from web import Answer, Web

from amqpd.wire.methods import ExchangeDeclare, ExchangeDeclareOk

NOT_FOUND = {"error": "Object Not Found", "reason": "Not Found"}
NO_VHOST = {"error": "not_found", "reason": "vhost_not_found"}
REFUSED = {"error": "not_authorised", "reason": "Access refused."}

POLICY = {"pattern": "^a", "definition": {"max-length": 3}}


@pytest.fixture
def user(web: Web) -> Iterator[str]:
    """A name for a user, who is gone after the test."""
    name = f"u.{secrets.token_hex(4)}"
    yield name
    web.delete(f"/users/{name}")


def shown(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.json if answer.body else None


def refused(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.reason


# --- paths and bodies


@pytest.mark.parametrize("path", ["/nosuch", "/queues/none", "/queues/%2F/none", "/users/none", "/policies/none"])
def test_what_is_not_there(web: Web, path: str) -> None:
    assert shown(web.get(path)) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/whoami", "HEAD, GET, OPTIONS"),
        ("/users/guest", "HEAD, GET, PUT, DELETE, OPTIONS"),
        ("/vhosts/%2F", "HEAD, GET, PUT, DELETE, OPTIONS"),
        ("/users/bulk-delete", "POST, OPTIONS"),
        ("/vhost-limits/%2F/max-queues", "PUT, DELETE, OPTIONS"),
        ("/queues/%2F/q/get", "POST, OPTIONS"),
    ],
)
def test_methods(web: Web, path: str, allowed: str) -> None:
    answer = web.ask("OPTIONS", path)
    assert (answer.status, answer.headers["allow"]) == (200, allowed)


def test_a_method_that_is_not_there(web: Web) -> None:
    answer = web.put("/vhosts", {})
    assert (answer.status, answer.headers["allow"]) == (405, "HEAD, GET, OPTIONS")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PATCH", "/overview", 405), ("PATCH", "/users/guest", 405), ("TRACE", "/overview", 501), ("FOO", "/users", 501)],
)
def test_methods_that_nothing_has(web: Web, method: str, path: str, status: int) -> None:
    answer = web.ask(method, path)
    assert (answer.status, answer.body) == (status, b"")
    if status == 405:
        assert answer.headers["allow"] == web.ask("OPTIONS", path).headers["allow"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"nope"])
def test_a_body_that_is_no_object(web: Web, vhost: str, body: bytes) -> None:
    assert refused(web.put(f"/policies/{vhost}/p", body)) == (400, "not_json")


def test_wrong_and_missing_credentials(web: Web) -> None:
    assert shown(web.get("/overview", login="guest:wrong")) == (
        401,
        {"error": "not_authorized", "reason": "Login failed"},
    )
    answer = web.get("/overview", login=None)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="RabbitMQ Management"')


# --- vhosts


def test_vhosts(web: Web, vhost: str) -> None:
    assert web.put(f"/vhosts/{vhost}", {"description": "d", "tags": "a,b"}).status == 204
    found = web.get(f"/vhosts/{vhost}").json
    assert (found["description"], found["tags"]) == ("d", ["a", "b"])
    assert found["metadata"].items() >= {"description": "d", "tags": ["a", "b"]}.items()
    assert web.put(f"/vhosts/{vhost}").status == 204
    assert web.get(f"/vhosts/{vhost}").json["description"] == ""
    assert refused(web.put(f"/vhosts/{vhost}", {"tracing": "troo"})) == (400, ["not_boolean", "troo"])
    permission = {"user": "guest", "configure": ".*", "write": ".*", "read": ".*"}
    assert web.get(f"/vhosts/{vhost}/permissions").json == [{**permission, "vhost": vhost}]
    assert web.get(f"/vhosts/{vhost}/topic-permissions").json == []
    reason = "Request to node none failed with nodedown"
    assert refused(web.post(f"/vhosts/{vhost}/start/none")) == (400, reason)
    assert web.delete(f"/vhosts/{vhost}").status == 204
    assert shown(web.delete(f"/vhosts/{vhost}")) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/queues/none", NOT_FOUND),
        ("DELETE", "/queues/none/q", NOT_FOUND),
        ("DELETE", "/queues/none/q/contents", NOT_FOUND),
        ("PUT", "/queues/none/q", NO_VHOST),
        ("PUT", "/exchanges/none/x", NO_VHOST),
        ("PUT", "/policies/none/p", NO_VHOST),
        ("PUT", "/vhost-limits/none/max-queues", NO_VHOST),
        ("POST", "/bindings/none/e/x/q/q", NO_VHOST),
        ("GET", "/consumers/none", NOT_FOUND),
        ("GET", "/vhost-limits/none", NOT_FOUND),
        ("GET", "/parameters/vhost-limits/none", NOT_FOUND),
        ("GET", "/aliveness-test/none", NOT_FOUND),
    ],
)
def test_vhosts_that_are_not_there(web: Web, method: str, path: str, answer: Any) -> None:
    body = {**POLICY, "value": 1} if method in ("PUT", "POST") else None
    assert shown(web.ask(method, path, body)) == (404, answer)


# --- users


def test_users(web: Web, user: str) -> None:
    place = f"/users/{user}"
    assert shown(web.put(place, {"password": "x", "tags": "management"})) == (201, None)
    assert shown(web.put(place, {"password": "x", "tags": ["monitoring"]})) == (204, None)
    found = web.get(place).json
    assert (found["name"], found["tags"], found["limits"]) == (user, ["monitoring"], {})
    assert found["hashing_algorithm"] == "rabbit_password_hashing_sha256"
    assert web.put(place, {"tags": ""}).status == 204
    assert (web.get(place).json["password_hash"], web.get(place).json["tags"]) == ("", [])
    assert web.put(place, {"password": "x", "tags": "", "limits": {"max-channels": 3}}).status == 204
    assert web.get(place).json["limits"] == {"max-channels": 3}
    assert user in [each["name"] for each in web.get("/users/without-permissions").json]
    assert web.get(f"{place}/permissions").json == web.get(f"{place}/topic-permissions").json == []
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"password": "x"}, "tags_not_present"),
        ({"password": "x", "password_hash": "", "tags": ""}, "both_password_and_password_hash_are_provided"),
        ({"password_hash": "x", "tags": ""}, ["not_base64", "x"]),
    ],
)
def test_users_that_cannot_be(web: Web, user: str, body: Any, reason: Any) -> None:
    assert refused(web.put(f"/users/{user}", body)) == (400, reason)


def test_several_users_deleted_at_once(web: Web, user: str) -> None:
    web.put(f"/users/{user}", {"tags": ""})
    assert web.post("/users/bulk-delete", {"users": [user]}).status == 204
    assert refused(web.post("/users/bulk-delete", {"users": [user]})) == (400, ["no_such_user", user])
    assert refused(web.post("/users/bulk-delete", {})) == (400, "[{key_missing,users}]")


def test_permissions(web: Web, vhost: str, user: str) -> None:
    place = f"/permissions/{vhost}/{user}"
    assert refused(web.put(place, {"configure": "", "write": "", "read": ""})) == (400, "vhost_or_user_not_found")
    assert shown(web.get(place)) == (404, NOT_FOUND)
    web.put(f"/users/{user}", {"tags": ""})
    assert refused(web.put(place, {})) == (400, "[{key_missing,configure},{key_missing,write},{key_missing,read}]")
    patterns = {"configure": "^a", "write": ".*", "read": ""}
    assert web.put(place, patterns).status == 201
    assert web.put(place, patterns).status == 204
    shown_permission = {"user": user, "vhost": vhost, **patterns}
    assert web.get(place).json == shown_permission
    assert web.get(f"/users/{user}/permissions").json == [shown_permission]
    assert shown_permission in web.get("/permissions").json
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)


def test_topic_permissions(web: Web, vhost: str, user: str) -> None:
    place = f"/topic-permissions/{vhost}/{user}"
    web.put(f"/users/{user}", {"tags": ""})
    assert shown(web.get(place)) == (404, NOT_FOUND)
    assert refused(web.put(place, {"write": "", "read": ""})) == (400, "[{key_missing,exchange}]")
    assert web.put(place, {"exchange": "amq.topic", "write": "^a", "read": "b"}).status == 201
    assert web.put(place, {"exchange": "x", "write": "", "read": ""}).status == 204
    both = [
        {"user": user, "vhost": vhost, "exchange": "amq.topic", "write": "^a", "read": "b"},
        {"user": user, "vhost": vhost, "exchange": "x", "write": "", "read": ""},
    ]
    for path in (place, f"{place}/amq.topic", f"/users/{user}/topic-permissions"):
        assert sorted(web.get(path).json, key=lambda each: str(each["exchange"])) == both
    assert web.delete(f"{place}/x").status == 204
    assert web.get(place).json == both[:1]
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)


def test_limits_of_users(web: Web, user: str) -> None:
    web.put(f"/users/{user}", {"tags": ""})
    assert web.put(f"/user-limits/{user}/max-connections", {"value": 5}).status == 204
    assert web.get(f"/user-limits/{user}").json == [{"user": user, "value": {"max-connections": 5}}]
    reason = 'Unrecognised terms [{<<"nope">>,5}] in user-limits'
    assert refused(web.put(f"/user-limits/{user}/nope", {"value": 5})) == (400, reason)
    reason = 'max-connections should be a number, actually was <<"a">>'
    assert refused(web.put(f"/user-limits/{user}/max-connections", {"value": "a"})) == (400, reason)
    assert refused(web.put("/user-limits/none/max-connections", {"value": 5})) == (400, ["no_such_user", "none"])
    for _ in range(2):
        assert web.delete(f"/user-limits/{user}/max-connections").status == 204
    assert web.get(f"/user-limits/{user}").json == []
    assert shown(web.get("/user-limits/none")) == (404, NOT_FOUND)


# --- policies, parameters, limits


@pytest.mark.parametrize("kind", ["policies", "operator-policies"])
def test_policies(web: Web, vhost: str, kind: str) -> None:
    place = f"/{kind}/{vhost}/p"
    assert web.put(place, POLICY).status == 201
    assert web.put(place, {**POLICY, "priority": 3, "apply-to": "queues"}).status == 204
    policy = {"vhost": vhost, "name": "p", **POLICY, "priority": 3, "apply-to": "queues"}
    assert web.get(place).json == policy
    assert web.get(f"/{kind}/{vhost}").json == [policy]
    assert policy in web.get(f"/{kind}").json
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)
    assert shown(web.get(place)) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "[{key_missing,pattern},{key_missing,definition}]"),
        ({"pattern": "a", "definition": {}}, "Validation failed\n\nno policy provided\n"),
        (
            {"pattern": "(", "definition": {"max-length": 3}},
            'Validation failed\n\npattern should be regular expression but is invalid: {"missing )",1}\n',
        ),
        (
            {"pattern": "a", "definition": {"max-length": "3"}},
            'Validation failed\n\n<<"3">> is not a valid maximum length\n',
        ),
        (
            {"pattern": "a", "definition": {"nope": 1}, "priority": 3},
            'Validation failed\n\n[{<<"nope">>,1}] are not recognised policy settings\n',
        ),
        (
            {"pattern": 5, "definition": {"max-length": 3}},
            "Validation failed\n\npattern should be a binary but was 5\n",
        ),
    ],
)
def test_policies_that_cannot_be(web: Web, vhost: str, body: Any, reason: str) -> None:
    assert refused(web.put(f"/policies/{vhost}/p", body)) == (400, reason)


def test_parameters(web: Web, vhost: str) -> None:
    place = f"/parameters/vhost-limits/{vhost}/limits"
    assert web.put(place, {"value": {"max-queues": 3}}).status == 201
    assert web.put(place, {"value": {"max-queues": 3}}).status == 204
    parameter = {"value": {"max-queues": 3}, "vhost": vhost, "component": "vhost-limits", "name": "limits"}
    assert web.get(place).json == parameter
    for path in ("/parameters", "/parameters/vhost-limits"):
        assert parameter in web.get(path).json
    assert web.get(f"/parameters/vhost-limits/{vhost}").json == [parameter]
    assert web.get(f"/parameters/nope/{vhost}").json == []
    assert refused(web.put(place, {})) == (400, "[{key_missing,value}]")
    reason = 'Validation failed\n\nUnrecognised terms [{<<"max">>,1}] in limits\n'
    assert refused(web.put(place, {"value": {"max": 1}})) == (400, reason)
    reason = "Validation failed\n\ncomponent nope not found\n"
    assert refused(web.put(f"/parameters/nope/{vhost}/x", {"value": 1})) == (400, reason)
    reason = "policies may not be set using this method"
    assert refused(web.put(f"/parameters/policy/{vhost}/x", {"value": POLICY})) == (400, reason)
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)


def test_policies_among_parameters(web: Web, vhost: str) -> None:
    web.put(f"/policies/{vhost}/p", POLICY)
    (found,) = web.get(f"/parameters/policy/{vhost}").json
    assert (found["component"], found["name"], found["value"]["pattern"]) == ("policy", "p", "^a")
    assert [each for each in web.get("/parameters").json if each["component"] == "policy"] == []


def test_global_parameters(web: Web) -> None:
    place = f"/global-parameters/g.{secrets.token_hex(4)}"
    assert web.put(place, {"value": {"a": [1]}}).status == 201
    assert web.put(place, {"value": {"a": [1]}}).status == 204
    found = {"name": place.rpartition("/")[2], "value": {"a": [1]}}
    assert web.get(place).json == found
    assert found in web.get("/global-parameters").json
    assert refused(web.put(place, {})) == (400, "[{key_missing,value}]")
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)


def test_limits_of_vhosts(web: Web, vhost: str) -> None:
    place = f"/vhost-limits/{vhost}"
    assert web.get(place).json == []
    assert web.put(f"{place}/max-queues", {"value": 4}).status == 204
    assert web.put(f"{place}/max-connections", {"value": 5}).status == 204
    limits = {"vhost": vhost, "value": {"max-connections": 5, "max-queues": 4}}
    assert web.get(place).json == [limits]
    assert limits in web.get("/vhost-limits").json
    reason = 'Validation failed\n\nmax-queues should be a number, actually was <<"5">>\n'
    assert refused(web.put(f"{place}/max-queues", {"value": "5"})) == (400, reason)
    reason = 'Validation failed\n\nUnrecognised terms [{<<"nope">>,5}] in limits\n'
    assert refused(web.put(f"{place}/nope", {"value": 5})) == (400, reason)
    for limit in ("max-queues", "max-queues", "nope", "max-connections"):
        assert web.delete(f"{place}/{limit}").status == 204
    assert web.get(place).json == []


# --- queues, exchanges, bindings


def test_queues(web: Web, vhost: str) -> None:
    place = f"/queues/{vhost}/q"
    assert web.put(place, {"durable": True}).status == 201
    assert web.put(place, {"durable": True}).status == 204
    reason = f"inequivalent arg 'durable' for queue 'q' in vhost '{vhost}': received 'false' but current is 'true'"
    assert refused(web.put(place, {"durable": False})) == (400, reason)
    assert refused(web.put(place, {"durable": "troo"})) == (400, ["not_boolean", "troo"])
    assert shown(web.put(f"/queues/{vhost}/amq.q", {"durable": True})) == (401, REFUSED)
    assert web.post(f"{place}/actions", {"action": "sync"}).status == 204
    assert refused(web.post(f"{place}/actions", {"action": "nope"})) == (400, ["unknown", "nope"])
    assert refused(web.post(f"{place}/actions", {})) == (400, "[{key_missing,action}]")
    assert web.delete(f"{place}/contents").status == 204
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)


def test_exchanges(web: Web, vhost: str) -> None:
    place = f"/exchanges/{vhost}/x"
    assert web.put(place, {"type": "topic", "durable": True}).status == 201
    assert web.put(place, {"type": "topic", "durable": True}).status == 204
    reason = f"inequivalent arg 'type' for exchange 'x' in vhost '{vhost}': received 'direct' but current is 'topic'"
    assert refused(web.put(place, {"type": "direct", "durable": True})) == (400, reason)
    assert web.put(f"/exchanges/{vhost}/plain", {"durable": True}).status == 201
    assert web.get(f"/exchanges/{vhost}/plain").json["type"] == "direct"
    for name in ("amq.x", "amq.direct", "amq.default"):
        assert shown(web.delete(f"/exchanges/{vhost}/{name}"))[0] == (404 if name == "amq.x" else 401)
    assert shown(web.put(f"/exchanges/{vhost}/amq.x", {"type": "direct"})) == (401, REFUSED)
    assert web.get(f"/exchanges/{vhost}/amq.default").json["name"] == ""
    assert web.delete(place).status == 204
    assert shown(web.delete(place)) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("key", "properties_key", "location"),
    [
        ("", "~", "q/~"),
        ("a.b-c_d", "a.b-c_d", "q/a.b-c_d"),
        ("a.#~/b", "a.%23%7E%2Fb", "q/a.%2523%257E%252Fb"),
        ("a b", "a+b", "q/a%2Bb"),
    ],
)
def test_bindings(web: Web, vhost: str, key: str, properties_key: str, location: str) -> None:
    web.put(f"/queues/{vhost}/q", {"durable": True})
    place = f"/bindings/{vhost}/e/amq.direct/q/q"
    answer = web.post(place, {"routing_key": key})
    assert (answer.status, answer.headers["location"]) == (201, location)
    binding = {
        "source": "amq.direct",
        "vhost": vhost,
        "destination": "q",
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
        "properties_key": properties_key,
    }
    here = place.removesuffix("q") + location
    assert web.get(here).json == binding
    assert web.get(place).json == web.get(f"/exchanges/{vhost}/amq.direct/bindings/source").json == [binding]
    implicit = {**binding, "source": "", "routing_key": "q", "properties_key": "q"}
    for path in (f"/queues/{vhost}/q/bindings", f"/bindings/{vhost}"):
        assert web.get(path).json == [implicit, binding]
    assert web.get(f"/bindings/{vhost}/e/amq.default/q/q").json == [implicit]
    assert web.delete(here).status == 204
    assert shown(web.delete(here)) == (404, NOT_FOUND)
    assert web.get(place).json == []


def test_bindings_of_what_is_not_there(web: Web, vhost: str) -> None:
    web.put(f"/queues/{vhost}/q", {"durable": True})
    assert shown(web.post(f"/bindings/{vhost}/e/none/q/q", {})) == (
        404,
        {"error": "not_found", "reason": f"no exchange 'none' in vhost '{vhost}'"},
    )
    assert shown(web.post(f"/bindings/{vhost}/e/amq.direct/q/none", {})) == (
        404,
        {"error": "not_found", "reason": f"no queue 'none' in vhost '{vhost}'"},
    )
    assert shown(web.post(f"/bindings/{vhost}/e/amq.default/q/q", {})) == (401, REFUSED)
    assert web.get(f"/bindings/{vhost}/e/none/q/q").json == []
    assert web.get(f"/exchanges/{vhost}/none/bindings/source").json == []
    assert shown(web.delete(f"/bindings/{vhost}/e/amq.direct/q/q/none")) == (404, NOT_FOUND)


@pytest.mark.parametrize("value", [1, 0, None, "troo", []])
def test_what_is_neither_true_nor_false(web: Web, vhost: str, value: Any) -> None:
    refusal = (400, ["not_boolean", value])
    assert refused(web.put(f"/queues/{vhost}/q", {"durable": value})) == refusal
    assert refused(web.put(f"/exchanges/{vhost}/x", {"type": "direct", "auto_delete": value})) == refusal


def test_no_arguments_may_be_a_list(web: Web, vhost: str) -> None:
    """Some languages know no difference between an empty list and an empty object."""
    assert web.put(f"/queues/{vhost}/q", {"durable": True, "arguments": []}).status == 201
    assert web.put(f"/exchanges/{vhost}/x", {"type": "direct", "durable": True, "arguments": []}).status == 201
    assert web.post(f"/bindings/{vhost}/e/x/q/q", {"routing_key": "k", "arguments": []}).status == 201
    assert web.get(f"/exchanges/{vhost}/x").json["arguments"] == {}


def test_names_that_are_too_long(web: Web, vhost: str) -> None:
    reason = "queue should be less than 255 bytes, actually was 300\n"
    assert refused(web.put(f"/queues/{vhost}/{'q' * 300}", {"durable": True})) == (400, reason)
    assert web.put(f"/queues/{vhost}/{'q' * 255}", {"durable": True}).status == 201


@pytest.mark.parametrize("name", ["a/b", "ü€", "a b", "a%b", "a+b", "a?b#c", 'a"b', "a<b>", "a;b&c"])
def test_names_with_odd_characters(web: Web, vhost: str, name: str) -> None:
    quoted = quote(name, "")
    assert web.put(f"/queues/{vhost}/{quoted}", {"durable": True}).status == 201
    assert web.get(f"/queues/{vhost}/{quoted}").json["name"] == name
    assert web.put(f"/exchanges/{vhost}/{quoted}", {"type": "direct", "durable": True}).status == 201
    place = f"/bindings/{vhost}/e/{quoted}/q/{quoted}"
    assert web.post(place, {"routing_key": name}).status == 201
    (binding,) = web.get(place).json
    assert (binding["source"], binding["destination"], binding["routing_key"]) == (name, name, name)
    assert web.delete(f"{place}/{quote(binding['properties_key'], '')}").status == 204
    assert web.post(place, {"routing_key": name}).status == 201
    assert web.delete(f"{place}/{quote(quoted, '')}").status == 204
    assert web.delete(f"/queues/{vhost}/{quoted}").status == web.delete(f"/exchanges/{vhost}/{quoted}").status == 204


# --- lists


def test_columns_of_one_object(web: Web, vhost: str) -> None:
    web.put(f"/queues/{vhost}/q", {"durable": True})
    assert web.get(f"/queues/{vhost}/q?columns=name,durable,nosuch").json == {"name": "q", "durable": True}
    assert web.get(f"/exchanges/{vhost}/amq.topic?columns=type").json == {"type": "topic"}
    assert web.get(f"/vhosts/{vhost}?columns=name").json == {"name": vhost}


def test_pages_at_the_end(web: Web, vhost: str) -> None:
    for number in range(4):
        web.put(f"/queues/{vhost}/q{number}", {"durable": number % 2 == 0})
    place = f"/queues/{vhost}?columns=name"
    page = web.get(f"{place}&page=3&page_size=2").json
    assert (page["items"], page["page"], page["page_count"]) == ([], 3, 2)
    answer = web.get(f"{place}&page=4&page_size=2")
    assert (answer.status, answer.json["error"]) == (400, "page_out_of_range")
    page = web.get(f"{place}&page=1&name=nosuch").json
    assert (page["items"], page["filtered_count"], page["page_count"], page["total_count"]) == ([], 0, 0, 4)
    page = web.get(f"{place}&page=1&name=%5B%5B%3Aalpha%3A%5D%5D1&use_regex=true").json
    assert page["items"] == [{"name": "q1"}]
    assert [each["name"] for each in web.get(f"{place}&sort=durable").json] == ["q1", "q3", "q0", "q2"]


def test_pages(web: Web, vhost: str) -> None:
    for number in range(5):
        web.put(f"/queues/{vhost}/q{number}", {"durable": True})
    place = f"/queues/{vhost}?disable_stats=true&columns=name&sort=name"
    page = web.get(f"{place}&page=2&page_size=2").json
    assert page == {
        "filtered_count": 5,
        "item_count": 2,
        "items": [{"name": "q2"}, {"name": "q3"}],
        "page": 2,
        "page_count": 3,
        "page_size": 2,
        "total_count": 5,
    }
    names = web.get(f"{place}&page=1&name=Q%5B12%5D&use_regex=true&sort_reverse=true").json
    assert [each["name"] for each in names["items"]] == ["q2", "q1"]
    answer = web.get(f"{place}&page=7")
    reason = "Page out of range, page: 7 page size: 100, len: 5"
    assert shown(answer) == (400, {"error": "page_out_of_range", "reason": reason})
    for query, size in (("page=0", "undefined"), ("page=1&page_size=501", "501")):
        reason = f"Invalid pagination parameters: page number {query[5]}, page size {size}"
        found = shown(web.get(f"{place}&{query}"))
        assert found == (400, {"error": "invalid_pagination_parameters", "reason": reason})
    assert refused(web.get(f"{place}&page=x")) == (400, "Pagination parameters are invalid")
    assert refused(web.get(f"{place}&page=1&name=%5B&use_regex=true")) == (400, "Pagination parameters are invalid")


# --- statistics begin anew


def test_a_reset_forgets_no_counts(web: Web, vhost: str) -> None:
    """RabbitMQ shows nothing for a moment, then what it showed before."""
    place = f"/queues/{vhost}/q"
    web.put(place, {"durable": True})
    with web.connect(vhost) as client:
        client.publish(1, "", "q", b"x")
        client.publish(1, "", "q", b"x")

        def shows_two(found: Any) -> bool:
            return (found.get("messages"), found.get("message_stats", {}).get("publish")) == (2, 2)

        web.until(place, shows_two)
        assert shown(web.delete("/reset")) == (204, None)
        web.until(place, shows_two)
        node = web.get("/overview").json["node"]
        assert shown(web.delete(f"/reset/{node}")) == (204, None)
        web.until(place, shows_two)
    assert shown(web.delete("/reset/nosuch@node")) == (404, NOT_FOUND)


# --- health, and what is not there to be found


def test_health_checks(web: Web) -> None:
    ok = {"status": "ok"}
    for path in ("alarms", "local-alarms", "virtual-hosts", "certificate-expiration/1/months"):
        assert shown(web.get(f"/health/checks/{path}")) == (200, ok)
    assert web.get("/aliveness-test/%2F").body == b'{"status":"ok"}'
    assert web.get("/healthchecks/node").json == ok
    assert web.get("/health/checks/node-is-quorum-critical").json == {**ok, "reason": "single node cluster"}
    assert web.get("/health/checks/protocol-listener/amqp").json == {**ok, "protocol": "amqp"}
    port = int(web.amqp.rpartition(":")[2].rstrip("/"))
    assert web.get(f"/health/checks/port-listener/{port}").json == {**ok, "port": port}
    answer = web.get("/health/checks/port-listener/1")
    assert (answer.status, answer.reason, answer.json["missing"]) == (503, "No active listener", 1)
    answer = web.get("/health/checks/protocol-listener/nope")
    assert (answer.status, answer.reason, answer.json["missing"]) == (503, "No active listener", "nope")
    assert refused(web.get("/health/checks/port-listener/x")) == (400, "Invalid port")
    assert shown(web.get("/healthchecks/node/nosuch@node")) == (404, NOT_FOUND)


@pytest.mark.parametrize("path", ["/connections/none", "/channels/none"])
def test_connections_that_are_not_there(web: Web, path: str) -> None:
    assert shown(web.get(path)) == (404, NOT_FOUND)
    assert web.get("/connections/username/none").json == []
    assert web.delete("/connections/username/none").status == 204


def test_exchanges_say_who_declared_them(web: Web, vhost: str, user: str) -> None:
    web.put(f"/users/{user}", {"password": "x", "tags": "administrator"})
    web.put(f"/permissions/{vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
    web.put(f"/exchanges/{vhost}/x", {"type": "direct", "durable": True}, login=f"{user}:x")
    web.put(f"/exchanges/{vhost}/x", {"type": "direct", "durable": True})
    with web.connect(vhost) as client:
        client.call(1, ExchangeDeclare(exchange="y", type="direct"), ExchangeDeclareOk)
    found = {each["name"]: each["user_who_performed_action"] for each in web.get(f"/exchanges/{vhost}").json}
    assert (found["x"], found["y"], found["amq.direct"]) == (user, "guest", "guest")
