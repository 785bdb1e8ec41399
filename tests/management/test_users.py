"""Users, their permissions and limits, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.management.harness import Api


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_user_is_made_then_changed(api: Api) -> None:
    assert api.put("/users/u", {"password": "x", "tags": "management, own"}).status == 201
    assert api.put("/users/u", {"password": "y", "tags": ["monitoring"]}).status == 204
    shown = api.get("/users/u").json
    assert shown["tags"] == ["monitoring"]
    assert shown.keys() == {"name", "password_hash", "hashing_algorithm", "tags", "limits"}
    assert api.get("/whoami", login="u:y").json["name"] == "u"


def test_a_user_comes_with_the_hash_of_a_password(api: Api) -> None:
    api.put("/users/u", {"password": "x", "tags": "management"})
    kept = api.get("/users/u").json
    assert api.put("/users/v", {key: kept[key] for key in ("password_hash", "tags")}).status == 201
    assert api.get("/whoami", login="v:x").status == 200


def test_without_a_password_nobody_logs_in(api: Api) -> None:
    api.put("/users/u", {"password": "x", "tags": "management"})
    api.put("/users/u", {"tags": "management"})
    assert api.get("/users/u").json["password_hash"] == ""
    assert api.get("/whoami", login="u:x").status == 401


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"password": "x"}, "tags_not_present"),
        ({"password": "x", "tags": None}, "tags_not_present"),
        ({"password": "x", "password_hash": "", "tags": ""}, "both_password_and_password_hash_are_provided"),
        ({"password_hash": "x", "tags": ""}, ["not_base64", "x"]),
        ({"password": 5, "tags": ""}, "field 'password' has to be a string"),
        ({"password": "x", "tags": 5}, "field 'tags' has to be a string or list"),
        ({"password": "x", "tags": [5]}, "a tag has to be a string, and 5 is none"),
        ({"tags": "", "limits": {"nope": 1}}, 'Unrecognised terms [{<<"nope">>,1}] in user-limits'),
    ],
)
def test_a_user_that_cannot_be_is_refused(api: Api, body: Any, reason: Any) -> None:
    answer = api.put("/users/u", body)
    assert (answer.status, answer.json) == (400, {"error": "bad_request", "reason": reason})
    assert api.get("/users/u").status == 404


def test_users_are_deleted_one_by_one_or_together(api: Api) -> None:
    for name in "abc":
        api.put(f"/users/{name}", {"tags": ""})
    assert api.delete("/users/a").status == 204
    assert api.delete("/users/a").status == 404
    refused = api.post("/users/bulk-delete", {"users": ["b", "none"]})
    assert (refused.status, refused.json["reason"]) == (400, ["no_such_user", "none"])
    assert api.post("/users/bulk-delete", {"users": ["b", "c"]}).status == 204
    assert [user["name"] for user in api.get("/users").json] == ["guest"]


def test_a_page_of_users(api: Api) -> None:
    for name in ("aa", "ab", "b"):
        api.put(f"/users/{name}", {"tags": ""})
    page = api.get("/users?page=1&page_size=1&name=a&columns=name").json
    assert (page["items"], page["filtered_count"], page["total_count"]) == ([{"name": "aa"}], 2, 4)


def test_users_without_permissions(api: Api) -> None:
    api.put("/users/u", {"tags": ""})
    assert [user["name"] for user in api.get("/users/without-permissions").json] == ["u"]


def test_a_permission_is_set_shown_and_cleared(api: Api) -> None:
    api.put("/users/u", {"tags": ""})
    patterns = {"configure": "^u", "write": ".*", "read": ""}
    assert api.put("/permissions/%2F/u", patterns).status == 201
    assert api.put("/permissions/%2F/u", patterns).status == 204
    shown = {"user": "u", "vhost": "/", **patterns}
    assert api.get("/permissions/%2F/u").json == shown
    assert api.get("/users/u/permissions").json == [shown]
    assert shown in api.get("/permissions").json
    assert shown in api.get("/vhosts/%2F/permissions").json
    assert api.delete("/permissions/%2F/u").status == 204
    assert api.delete("/permissions/%2F/u").status == 404


@pytest.mark.parametrize("path", ["/permissions/none/guest", "/permissions/%2F/none"])
def test_a_permission_is_for_a_user_and_a_vhost_that_are_there(api: Api, path: str) -> None:
    answer = api.put(path, {"configure": "", "write": "", "read": ""})
    assert (answer.status, answer.json["reason"]) == (400, "vhost_or_user_not_found")
    assert api.get(path).status == 404


def test_a_permission_needs_three_patterns(api: Api) -> None:
    answer = api.put("/permissions/%2F/guest", {"configure": "", "write": ""})
    assert (answer.status, answer.json["reason"]) == (400, "[{key_missing,read}]")
    assert api.put("/permissions/%2F/guest", {"configure": "*", "write": "", "read": ""}).status == 400


def test_topic_permissions_are_shown_for_all_exchanges_and_cleared_for_one_or_all(api: Api) -> None:
    place = "/topic-permissions/%2F/guest"
    assert api.get(place).status == 404
    assert api.put(place, {"exchange": "amq.topic", "write": "^a", "read": "b"}).status == 201
    assert api.put(place, {"exchange": "other", "write": "", "read": ""}).status == 204
    assert [each["exchange"] for each in api.get(f"{place}/amq.topic").json] == ["amq.topic", "other"]
    assert len(api.get("/users/guest/topic-permissions").json) == 2
    assert len(api.get("/vhosts/%2F/topic-permissions").json) == 2
    assert api.delete(f"{place}/other").status == 204
    assert [each["exchange"] for each in api.get("/topic-permissions").json] == ["amq.topic"]
    assert api.delete(place).status == 204
    assert api.delete(place).status == 404


def test_limits_of_users(api: Api) -> None:
    assert api.put("/user-limits/guest/max-connections", {"value": 5}).status == 204
    assert api.get("/user-limits").json == [{"user": "guest", "value": {"max-connections": 5}}]
    assert api.get("/user-limits/guest").json == [{"user": "guest", "value": {"max-connections": 5}}]
    refused = api.put("/user-limits/guest/nope", {"value": 5})
    assert refused.json["reason"] == 'Unrecognised terms [{<<"nope">>,5}] in user-limits'
    assert api.put("/user-limits/guest/max-channels", {"value": "a"}).status == 400
    assert api.put("/user-limits/none/max-channels", {"value": 1}).json["reason"] == ["no_such_user", "none"]
    assert api.delete("/user-limits/guest/max-connections").status == 204
    assert api.delete("/user-limits/guest/max-connections").status == 204
    assert api.get("/user-limits/guest").json == []
    assert api.get("/user-limits/none").status == 404


@pytest.mark.parametrize("path", ["/users", "/users/guest", "/permissions", "/vhosts/%2F", "/vhosts/%2F/permissions"])
def test_users_and_vhosts_are_the_administrators_business(api: Api, path: str) -> None:
    api.put("/users/m", {"password": "x", "tags": "monitoring,policymaker"})
    answer = api.get(path, login="m:x")
    assert (answer.status, answer.json["reason"]) == (401, "Not administrator user")


def test_what_one_user_does_is_told_in_that_users_name(api: Api) -> None:
    told: list[tuple[str, str]] = []
    api.broker.events.listen(lambda name, fields: told.append((name, fields["user_who_performed_action"])))
    api.put("/users/u", {"tags": ""})
    assert told == [("user.created", "guest")]


def test_a_user_comes_with_permissions(api: Api) -> None:
    api.put("/vhosts/v")
    patterns = {"configure": "^a", "write": "", "read": ".*"}
    body = {"password": "x", "tags": "management", "permissions": {"v": patterns, "/": patterns}}
    assert api.put("/users/u", body).status == 201
    assert [each["name"] for each in api.get("/vhosts", login="u:x").json] == ["/", "v"]
    assert api.get("/permissions/v/u").json == {"user": "u", "vhost": "v", **patterns}
    for wrong in ({"w": patterns}, {"v": {"read": ""}}, {"v": 1}, 5):
        assert api.put("/users/w", {"tags": "", "permissions": wrong}).status == 400
    assert api.get("/users/w").status == 404


def test_before_there_were_tags(api: Api) -> None:
    assert api.put("/users/u", {"administrator": "true", "password": "x"}).status == 201
    assert api.put("/users/v", {"administrator": "false", "password": "x"}).status == 201
    assert [api.get(f"/users/{name}").json["tags"] for name in "uv"] == [["administrator"], []]


def test_protected_users_stay_as_they_are(api: Api) -> None:
    api.put("/users/p", {"password": "x", "tags": "management,protected"})
    api.put("/users/u", {"password": "x", "tags": "management"})
    for answer in (api.put("/users/p", {"password": "y", "tags": "management"}), api.delete("/users/p")):
        assert (answer.status, answer.json["reason"]) == (
            400,
            "Protected users cannot be modified via the HTTP API",
        )
    assert api.post("/users/bulk-delete", {"users": ["p", "u"]}).status == 204
    assert [user["name"] for user in api.get("/users").json] == ["guest", "p"]


def test_limits_of_others_are_for_monitoring(api: Api) -> None:
    for name, tag in (("u", "management"), ("v", "management"), ("m", "monitoring")):
        api.put(f"/users/{name}", {"password": "x", "tags": tag})
        api.put(f"/user-limits/{name}/max-channels", {"value": 3})
    for login, path, status in (
        ("u:x", "/user-limits", 401),
        ("m:x", "/user-limits", 401),
        ("guest:guest", "/user-limits", 200),
        ("u:x", "/user-limits/u", 200),
        ("u:x", "/user-limits/v", 401),
        ("u:x", "/user-limits/none", 401),
        ("m:x", "/user-limits/v", 200),
        ("m:x", "/user-limits/none", 404),
    ):
        assert api.get(path, login=login).status == status, (login, path)


def test_a_login_may_be_a_form(api: Api) -> None:
    api.put("/users/u", {"password": "ä&x", "tags": "management"})
    api.put("/users/n", {"password": "x", "tags": ""})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, login, status in (
        (b"username=u&password=%C3%A4%26x", None, 200),
        (b"username=u&password=wrong", None, 401),
        (b"username=n&password=x", None, 401),
        (b"username=nobody&password=wrong", "guest:guest", 401),
        (b"", "guest:guest", 200),
        (b"", None, 401),
    ):
        answer = api.post("/login", body, login=login, headers=form)
        assert answer.status == status, (body, login)
        assert status != 200 or answer.json == "ok"
