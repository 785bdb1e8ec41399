"""Paths, methods, rights, and how refusals are told."""

from __future__ import annotations

import pytest

from tests.management.harness import Api


@pytest.fixture
def api() -> Api:
    return Api()


def test_without_credentials_a_password_is_asked_for(api: Api) -> None:
    answer = api.get("/overview", login=None)
    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers["www-authenticate"] == 'Basic realm="RabbitMQ Management"'


@pytest.mark.parametrize("login", ["guest:wrong", "nobody:guest", "guest", ":"])
def test_wrong_credentials_are_refused(api: Api, login: str) -> None:
    answer = api.get("/overview", login=login)
    assert (answer.status, answer.json) == (401, {"error": "not_authorized", "reason": "Login failed"})


def test_another_scheme_than_basic_is_refused(api: Api) -> None:
    assert api.get("/overview", login=None, headers={"Authorization": "Bearer x"}).status == 401


def test_the_default_user_is_let_in_from_this_machine_only(api: Api) -> None:
    assert api.get("/overview", peer=("127.0.0.1", 1)).status == 200
    assert api.get("/overview", peer=("192.0.2.1", 1)).status == 401


def test_users_without_a_tag_for_it_are_refused(api: Api) -> None:
    api.users.add("plain", "x")
    answer = api.get("/overview", login="plain:x")
    assert (answer.status, answer.json) == (401, {"error": "not_authorised", "reason": "Not management user"})


def test_what_is_for_monitoring_is_not_for_every_user(api: Api) -> None:
    api.users.add("m", "x", frozenset({"management"}))
    api.users.add("w", "x", frozenset({"monitoring"}))
    assert api.get("/nodes", login="m:x").status == 401
    assert api.get("/nodes", login="w:x").status == 200


@pytest.mark.parametrize("path", ["/nosuch", "/queues/none", "/queues/%2F/none", "/vhosts/none", "/queues/%2F/a/b/c/d"])
def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.json) == (404, {"error": "Object Not Found", "reason": "Not Found"})


def test_a_method_that_is_not_there_is_told_which_are(api: Api) -> None:
    answer = api.post("/queues", {})
    assert (answer.status, answer.headers["allow"]) == (405, "HEAD, GET, OPTIONS")


def test_options_says_what_may_be_done(api: Api) -> None:
    answer = api.request("OPTIONS", "/queues/%2F/q")
    assert (answer.status, answer.headers["allow"]) == (200, "HEAD, GET, PUT, DELETE, OPTIONS")


def test_a_slash_in_a_name_is_no_part_of_the_path(api: Api) -> None:
    assert api.put("/queues/%2F/a%2Fb").status == 201
    assert api.get("/queues/%2F/a%2Fb").json["name"] == "a/b"


@pytest.mark.parametrize("body", [b"{bad", b"[]", b"1", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(api: Api, body: bytes) -> None:
    answer = api.put("/queues/%2F/q", body)
    assert (answer.status, answer.json) == (400, {"error": "bad_request", "reason": "not_json"})


def test_a_body_that_was_encoded_twice_is_told_so(api: Api) -> None:
    answer = api.put("/queues/%2F/q", b'"{}"')
    assert answer.json["reason"].startswith("invalid payload: the request body JSON-decoded to a string.")


@pytest.mark.parametrize("body", [b"", b"null", b"undefined", b"{}", b" "])
def test_no_body_stands_for_an_empty_object(api: Api, body: bytes) -> None:
    assert api.put("/queues/%2F/q", body).status == 201


def test_a_body_over_the_limit_is_refused(api: Api) -> None:
    answer = api.put("/queues/%2F/q", b" " * 20_000_001)
    assert answer.json == {"error": "bad_request", "reason": "Exceeded HTTP request body size limit"}


def test_the_brokers_objections_are_told_without_the_codes_name(api: Api) -> None:
    api.put("/queues/%2F/q", {"durable": True})
    answer = api.put("/queues/%2F/q", {"durable": False})
    reason = "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'"
    assert (answer.status, answer.json) == (400, {"error": "bad_request", "reason": reason})


def test_a_truth_value_has_to_be_one(api: Api) -> None:
    answer = api.put("/queues/%2F/q", {"durable": "troo"})
    assert (answer.status, answer.json["reason"]) == (400, ["not_boolean", "troo"])


def test_head_answers_as_get_does(api: Api) -> None:
    assert api.request("HEAD", "/overview").status == 200


def test_a_vhost_that_may_not_be_entered_is_not_there(api: Api) -> None:
    api.put("/vhosts/v")
    api.put("/queues/v/q", {})
    api.put("/users/u", {"password": "x", "tags": "management"})
    for method, path in (("GET", "queues/v"), ("GET", "queues/v/q"), ("PUT", "queues/v/r"), ("POST", "queues/v/q/get")):
        answer = api.request(method, f"/{path}", {}, login="u:x")
        assert (answer.status, answer.json) == (404, {"error": "not_found", "reason": "Not Found"})


def test_more_samples_than_there_can_be_are_refused(api: Api) -> None:
    for path in ("/overview", "/queues", "/nodes", "/vhosts/%2F"):
        assert api.get(f"{path}?lengths_age=60&lengths_incr=1").status == 200
        answer = api.get(f"{path}?msg_rates_age=6000&msg_rates_incr=1")
        assert (answer.status, answer.json["reason"]) == (400, "Invalid range parameters: age 6000, incr 1")
    assert api.get("/queues?lengths_age=60&lengths_incr=0").status == 400


def test_no_arguments_may_be_an_empty_list(api: Api) -> None:
    assert api.put("/queues/%2F/q", {"arguments": []}).status == 201
    assert api.put("/exchanges/%2F/x", {"type": "fanout", "arguments": []}).status == 201
    assert api.post("/bindings/%2F/e/x/q/q", {"arguments": []}).status == 201
    assert api.get("/bindings/%2F/e/x/q/q").json[0]["arguments"] == {}
    assert api.put("/queues/%2F/r", {"arguments": ["x"]}).status == 400


def test_what_is_not_there_has_no_bindings(api: Api) -> None:
    for path in ("/queues/%2F/none/bindings", "/exchanges/%2F/none/bindings/source", "/bindings/%2F/e/none/q/none"):
        answer = api.get(path)
        assert (answer.status, answer.json) == (200, [])
