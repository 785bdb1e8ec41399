"""Vhosts, policies, parameters and limits of vhosts, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.management.harness import Api


@pytest.fixture
def api() -> Api:
    api = Api()
    api.put("/vhosts/v")
    return api


def test_a_vhost_is_made_with_what_is_said_of_it(api: Api) -> None:
    body = {"description": "d", "tags": "a, b", "default_queue_type": "quorum", "tracing": True}
    assert api.put("/vhosts/w", body).status == 201
    shown = api.get("/vhosts/w").json
    assert {key: shown[key] for key in body} == {**body, "tags": ["a", "b"]}
    assert api.put("/vhosts/w").status == 204
    shown = api.get("/vhosts/w").json
    assert (shown["description"], shown["tags"]) == ("", [])
    assert (shown["default_queue_type"], shown["tracing"]) == ("quorum", True)


def test_who_makes_a_vhost_may_do_all_in_it(api: Api) -> None:
    assert api.get("/permissions/v/guest").json["configure"] == ".*"
    assert api.put("/queues/v/q").status == 201


def test_a_vhost_is_deleted_with_what_is_in_it(api: Api) -> None:
    api.put("/queues/v/q")
    assert api.delete("/vhosts/v").status == 204
    assert api.delete("/vhosts/v").status == 404
    assert api.get("/permissions/v/guest").status == 404
    assert api.get("/queues/v").status == 404


def test_a_protected_vhost_stays(api: Api) -> None:
    assert api.post("/vhosts/v/deletion/protection").status == 204
    assert api.get("/vhosts/v").json["protected_from_deletion"] is True
    answer = api.delete("/vhosts/v")
    reason = "Refusing to delete virtual host 'v' because it is protected from deletion"
    assert (answer.status, answer.json) == (412, {"error": "precondition_failed", "reason": reason})
    assert api.delete("/vhosts/v/deletion/protection").status == 204
    assert api.delete("/vhosts/v").status == 204


@pytest.mark.parametrize(
    "body", [{"tags": 5}, {"tags": [5]}, {"description": 5}, {"default_queue_type": "x"}, {"tracing": "troo"}]
)
def test_a_vhost_that_cannot_be_is_refused(api: Api, body: Any) -> None:
    assert api.put("/vhosts/w", body).status == 400
    assert api.get("/vhosts/w").status == 404


def test_a_vhost_runs_on_this_node_only(api: Api) -> None:
    assert api.post("/vhosts/v/start/amqpd%40localhost").status == 204
    answer = api.post("/vhosts/v/start/other")
    assert (answer.status, answer.json["reason"]) == (400, "Request to node other failed with nodedown")


def test_a_policy_is_set_shown_and_cleared(api: Api) -> None:
    policy = {"pattern": "^a", "definition": {"max-length": 3}, "priority": 1, "apply-to": "queues"}
    assert api.put("/policies/v/p", policy).status == 201
    assert api.put("/policies/v/p", policy).status == 204
    shown = {"vhost": "v", "name": "p", **policy}
    assert api.get("/policies/v/p").json == shown
    assert api.get("/policies/v").json == [shown]
    assert api.get("/policies").json == [shown]
    api.put("/queues/v/a")
    assert api.get("/queues/v/a").json["policy"] == "p"
    assert api.delete("/policies/v/p").status == 204
    assert api.delete("/policies/v/p").status == 404
    assert api.get("/queues/v/a").json["policy"] is None


def test_an_operator_policy_is_set_shown_and_cleared(api: Api) -> None:
    policy = {"pattern": "^a", "definition": {"max-length": 3}, "apply-to": "queues"}
    assert api.put("/operator-policies/v/p", policy).status == 201
    assert api.get("/operator-policies/v").json == [{"vhost": "v", "name": "p", "priority": 0, **policy}]
    assert api.get("/policies/v").json == []
    assert api.delete("/operator-policies/v/p").status == 204


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"definition": {"max-length": 3}}, "[{key_missing,pattern}]"),
        ({"pattern": "a"}, "[{key_missing,definition}]"),
        ({"pattern": "a", "definition": {}}, "Validation failed\n\nno policy provided\n"),
        (
            {"pattern": "a", "definition": {"max-length": 1, "nope": 1}, "priority": "x"},
            (
                'Validation failed\n\n[{<<"nope">>,1}] are not recognised policy settings\n'
                'priority should be a number, actually was <<"x">>\n'
            ),
        ),
        (
            {"pattern": 5, "definition": {"max-length": 3}},
            "Validation failed\n\npattern should be a binary but was 5\n",
        ),
    ],
)
def test_a_policy_that_cannot_be_is_refused(api: Api, body: Any, reason: str) -> None:
    answer = api.put("/policies/v/p", body)
    assert (answer.status, answer.json) == (400, {"error": "bad_request", "reason": reason})


def test_nothing_is_put_into_a_vhost_that_is_not_there(api: Api) -> None:
    for path in ("/policies/none/p", "/queues/none/q", "/vhost-limits/none/max-queues", "/parameters/x/none/p"):
        answer = api.put(path, {"value": 1, "pattern": "a", "definition": {"max-length": 1}})
        assert (answer.status, answer.json) == (404, {"error": "not_found", "reason": "vhost_not_found"})


def test_policies_are_for_policymakers_of_the_vhost(api: Api) -> None:
    policy = {"pattern": "^a", "definition": {"max-length": 3}}
    api.put("/users/p", {"password": "x", "tags": "policymaker"})
    api.put("/users/m", {"password": "x", "tags": "management"})
    for user, refusal in (("p", (404, "Not Found")), ("m", (401, "User not authorised to access object"))):
        answer = api.put("/policies/v/p", policy, login=f"{user}:x")
        assert (answer.status, answer.json["reason"]) == refusal
        api.put(f"/permissions/v/{user}", {"configure": "", "write": "", "read": ""})
    assert api.put("/policies/v/p", policy, login="p:x").status == 201
    assert api.put("/policies/v/p", policy, login="m:x").status == 401
    assert api.get("/policies/v", login="m:x").status == 200
    assert api.get("/policies/v/p", login="m:x").status == 401
    assert api.put("/operator-policies/v/p", policy, login="p:x").json["reason"] == "Not administrator user"
    assert api.get("/parameters", login="m:x").status == 401
    assert api.get("/parameters", login="p:x").status == 200


def test_parameters_are_set_shown_and_cleared(api: Api) -> None:
    place = "/parameters/vhost-limits/v/limits"
    assert api.put(place, {"value": {"max-queues": 3}}).status == 201
    assert api.put(place, {"value": {"max-queues": 4}}).status == 204
    shown = {"value": {"max-queues": 4}, "vhost": "v", "component": "vhost-limits", "name": "limits"}
    assert api.get(place).json == shown
    for path in ("/parameters", "/parameters/vhost-limits", "/parameters/vhost-limits/v"):
        assert api.get(path).json == [shown]
    assert api.get("/parameters/nope").json == []
    assert api.delete(place).status == 204
    assert api.delete(place).status == 404


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("/parameters/nope/v/x", 1, "Validation failed\n\ncomponent nope not found\n"),
        ("/parameters/policy/v/x", {}, "policies may not be set using this method"),
        (
            "/parameters/vhost-limits/v/limits",
            {"max": 1},
            'Validation failed\n\nUnrecognised terms [{<<"max">>,1}] in limits\n',
        ),
        (
            "/vhost-limits/v/max-queues",
            "5",
            'Validation failed\n\nmax-queues should be a number, actually was <<"5">>\n',
        ),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(api: Api, path: str, value: Any, reason: str) -> None:
    answer = api.put(path, {"value": value})
    assert (answer.status, answer.json["reason"]) == (400, reason)
    assert api.put(path, {}).json["reason"] == "[{key_missing,value}]"


def test_policies_are_parameters_for_those_who_ask_for_them(api: Api) -> None:
    api.put("/policies/v/p", {"pattern": "a", "definition": {"max-length": 1}})
    assert api.get("/parameters").json == []
    assert [each["name"] for each in api.get("/parameters/policy").json] == ["p"]


def test_global_parameters_hold_anything(api: Api) -> None:
    for value in ({"a": [1]}, None, True, "x", 1.5):
        api.put("/global-parameters/g", {"value": value})
        assert api.get("/global-parameters/g").json == {"name": "g", "value": value}
    assert api.get("/global-parameters").json == [{"name": "g", "value": 1.5}]
    assert api.delete("/global-parameters/g").status == 204
    assert api.delete("/global-parameters/g").status == 404


def test_limits_of_vhosts(api: Api) -> None:
    assert api.put("/vhost-limits/v/max-queues", {"value": 1}).status == 204
    assert api.put("/vhost-limits/v/max-connections", {"value": -1}).status == 204
    shown = {"vhost": "v", "value": {"max-queues": 1, "max-connections": -1}}
    assert api.get("/vhost-limits").json == api.get("/vhost-limits/v").json == [shown]
    assert api.put("/queues/v/a").status == 201
    assert api.put("/queues/v/b").status == 400
    for limit in ("max-queues", "max-queues", "nope", "max-connections"):
        assert api.delete(f"/vhost-limits/v/{limit}").status == 204
    assert api.get("/vhost-limits/v").json == []


def test_halves_of_surrogates_and_numbers_without_end_are_no_json(api: Api) -> None:
    for body in (b'{"description": "\\ud800"}', b'{"x": NaN}', b'{"x": 1e999}', b'{"x": -Infinity}'):
        assert api.put("/vhosts/w", body).json == {"error": "bad_request", "reason": "not_json"}


def test_a_name_in_the_path_is_utf_8(api: Api) -> None:
    assert api.put("/vhosts/%FF").status == 400


def test_a_default_queue_type_is_one_or_none(api: Api) -> None:
    assert api.put("/vhosts/v", {"default_queue_type": ""}).status == 400
    assert api.put("/vhosts/v", {"default_queue_type": "nope"}).status == 400
    assert api.put("/vhosts/v", {"default_queue_type": "undefined"}).status == 204
    assert api.get("/vhosts/v").json["metadata"] == {"description": "", "tags": [], "default_queue_type": "classic"}
    api.put("/vhosts/v", {"default_queue_type": "quorum"})
    assert api.get("/vhosts/v").json["metadata"]["default_queue_type"] == "quorum"
