"""What the API says of the broker as a whole, and what operators change of it."""

from __future__ import annotations

import pytest

from tests.management.harness import Api

NODE = "amqpd%40localhost"


@pytest.fixture
def api() -> Api:
    return Api()


def test_the_cluster_is_renamed(api: Api) -> None:
    told: list[str] = []
    api.management.announce = lambda **properties: told.append(properties["cluster_name"])
    assert api.get("/cluster-name").json == {"name": "amqpd@localhost"}
    assert api.put("/cluster-name", {"name": "ours"}).status == 204
    assert api.get("/cluster-name").json == {"name": "ours"}
    assert api.get("/overview").json["cluster_name"] == "ours"
    assert api.get("/global-parameters").json == [{"name": "cluster_name", "value": "ours"}]
    assert told == ["ours"]
    assert api.put("/cluster-name", {}).json["reason"] == "[{key_missing,name}]"
    assert api.put("/cluster-name", {"name": 5}).status == 400


def test_logins_are_counted_until_that_is_reset(api: Api) -> None:
    api.management.attempts.count("http", failed=False)
    api.management.attempts.count("http", failed=True)
    api.management.attempts.count("amqp091", failed=True)
    amqp = {"protocol": "amqp091", "auth_attempts": 1, "auth_attempts_failed": 1, "auth_attempts_succeeded": 0}
    http = {"protocol": "http", "auth_attempts": 2, "auth_attempts_failed": 1, "auth_attempts_succeeded": 1}
    assert api.get(f"/auth/attempts/{NODE}").json == [amqp, http]
    assert api.get(f"/auth/attempts/{NODE}/source").json == []
    assert api.delete(f"/auth/attempts/{NODE}").status == 204
    assert api.get(f"/auth/attempts/{NODE}").json == []
    assert api.get("/auth/attempts/none").status == 404


def test_what_is_kept_of_a_password(api: Api) -> None:
    kept = api.get("/auth/hash_password/x%2F").json["ok"]
    api.put("/users/u", {"password_hash": kept, "tags": "management"})
    assert api.get("/whoami", login="u:x/").status == 200


def test_deprecated_features_say_whether_they_are_in_use(api: Api) -> None:
    assert [each["name"] for each in api.get("/deprecated-features").json] == ["global_qos", "transient_nonexcl_queues"]
    assert api.get("/deprecated-features/used").json == []
    api.put("/queues/%2F/q", {"durable": False})
    (used,) = api.get("/deprecated-features/used").json
    assert (used["name"], used["state"]) == ("transient_nonexcl_queues", "permitted")


def test_feature_flags_are_enabled_all(api: Api) -> None:
    assert {each["state"] for each in api.get("/feature-flags").json} == {"enabled"}
    assert api.put("/feature-flags/quorum_queue/enable").status == 204
    assert api.put("/feature-flags/nope/enable").status == 400


def test_settings_are_shown_to_administrators(api: Api) -> None:
    api.management.settings = {"heartbeat": 60}
    api.put("/users/m", {"password": "x", "tags": "monitoring"})
    assert api.get("/config/effective").json == {"heartbeat": 60}
    assert api.get("/config/effective", login="m:x").status == 401


@pytest.mark.parametrize("path", ["/shovels", "/shovels/%2F", "/federation-links", "/federation-links/%2F"])
def test_what_is_not_here_is_an_empty_list(api: Api, path: str) -> None:
    assert api.get(path).json == []


def test_there_are_no_traces(api: Api) -> None:
    assert api.get("/traces").status == 404


def test_rates_begin_anew(api: Api) -> None:
    api.management.rates.history.append((0.0, (), (0, 0)))
    assert api.delete("/reset").status == 204
    assert not api.management.rates.history
    assert api.delete(f"/reset/{NODE}").status == 204
    assert api.delete("/reset/none").status == 404


def test_memory_is_told_in_all_parts_and_in_percent(api: Api) -> None:
    memory = api.get(f"/nodes/{NODE}/memory").json["memory"]
    assert sum(memory[name] for name in memory if name not in ("total", "strategy")) == memory["total"]["rss"]
    relative = api.get(f"/nodes/{NODE}/memory/relative").json["memory"]
    assert relative["total"] == 100
    assert relative.keys() == memory.keys() - {"strategy"}
    assert api.get("/nodes/none/memory/relative").status == 404


def test_the_version_is_json(api: Api) -> None:
    assert api.get("/version").json == api.get("/overview").json["rabbitmq_version"]
