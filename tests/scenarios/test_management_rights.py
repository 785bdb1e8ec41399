"""Who may call what in the management API, by tags and permissions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from web import Answer, Web

POLICY = {"pattern": "^a", "definition": {"max-length": 3}}
ALL = {"configure": ".*", "write": ".*", "read": ".*"}


@pytest.fixture
def somebody(web: Web, vhost: str) -> Iterator[Callable[..., str]]:
    """Makes users with tags, who may enter the vhost if so; returns how they log in."""
    made: list[str] = []

    def somebody(tags: str, *, inside: bool = True) -> str:
        made.append(f"u.{secrets.token_hex(4)}")
        web.put(f"/users/{made[-1]}", {"password": "x", "tags": tags})
        if inside:
            web.put(f"/permissions/{vhost}/{made[-1]}", ALL)
        return f"{made[-1]}:x"

    yield somebody
    for name in made:
        web.delete(f"/users/{name}")


def refused(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.reason


def test_users_without_a_tag(web: Web, somebody: Callable[..., str]) -> None:
    assert refused(web.get("/whoami", login=somebody(""))) == (401, "Not management user")
    assert refused(web.get("/whoami", login=somebody("own"))) == (401, "Not management user")


def test_what_is_for_administrators(web: Web, vhost: str, somebody: Callable[..., str]) -> None:
    login = somebody("management,policymaker,monitoring")
    for path in ("/users", "/users/guest", "/permissions", f"/vhosts/{vhost}", f"/vhosts/{vhost}/permissions"):
        assert refused(web.get(path, login=login)) == (401, "Not administrator user")
    for path in (f"/vhosts/{vhost}", f"/operator-policies/{vhost}/p", f"/vhost-limits/{vhost}/max-queues"):
        assert refused(web.put(path, {**POLICY, "value": 1}, login=login)) == (401, "Not administrator user")


def test_operator_policies_and_actions_on_queues_are_for_administrators(
    web: Web, vhost: str, somebody: Callable[..., str]
) -> None:
    web.put(f"/queues/{vhost}/q", {"durable": True})
    for login in (somebody("management"), somebody("policymaker"), somebody("monitoring")):
        for answer in (
            web.get(f"/operator-policies/{vhost}/p", login=login),
            web.post(f"/queues/{vhost}/q/actions", {"action": "sync"}, login=login),
        ):
            assert refused(answer) == (401, "Not administrator user")
        assert web.get(f"/operator-policies/{vhost}", login=login).json == []


def test_what_is_for_monitoring(web: Web, somebody: Callable[..., str]) -> None:
    assert refused(web.get("/nodes", login=somebody("management"))) == (401, "Not monitor user")
    assert web.get("/nodes", login=somebody("monitoring")).status == 200


def test_policies_are_for_policymakers_of_the_vhost(web: Web, vhost: str, somebody: Callable[..., str]) -> None:
    refusal = (401, "User not authorised to access object")
    hidden = (refusal, (404, "Not Found"))  # as of 4.2.9
    outsider, manager, maker = somebody("policymaker", inside=False), somebody("management"), somebody("policymaker")
    assert refused(web.put(f"/policies/{vhost}/p", POLICY, login=outsider)) in hidden
    assert refused(web.put(f"/policies/{vhost}/p", POLICY, login=manager)) == refusal
    assert web.put(f"/policies/{vhost}/p", POLICY, login=maker).status == 201
    assert refused(web.get(f"/policies/{vhost}/p", login=manager)) == refusal
    assert [each["name"] for each in web.get(f"/policies/{vhost}", login=manager).json] == ["p"]
    assert refused(web.get("/parameters", login=manager)) == refusal
    assert refused(web.get("/global-parameters", login=manager)) == refusal
    assert web.get("/global-parameters", login=maker).status == 200


def test_other_vhosts_are_not_seen(web: Web, vhost: str, somebody: Callable[..., str]) -> None:
    login = somebody("management", inside=False)
    hidden = ((401, "User not authorised to access virtual host"), (404, "Not Found"))  # as of 4.2.9
    for path in (f"/queues/{vhost}", f"/queues/{vhost}/q", f"/vhosts/{vhost}/connections", f"/exchanges/{vhost}"):
        assert refused(web.get(path, login=login)) in hidden
    assert refused(web.put(f"/queues/{vhost}/q", {}, login=login)) in hidden
    assert vhost not in [each["name"] for each in web.get("/vhosts", login=login).json]
    assert [each["name"] for each in web.get("/vhosts", login=somebody("management")).json] == [vhost]


def test_permissions_count_for_administrators_too(web: Web, vhost: str, somebody: Callable[..., str]) -> None:
    web.put(f"/queues/{vhost}/q", {"durable": True})
    login = somebody("administrator", inside=False)
    assert web.get(f"/queues/{vhost}/q", login=login).status == 200
    assert refused(web.put(f"/queues/{vhost}/r", {"durable": True}, login=login)) == (401, "Access refused.")
    assert refused(web.delete(f"/queues/{vhost}/q/contents", login=login)) == (401, "Access refused.")
