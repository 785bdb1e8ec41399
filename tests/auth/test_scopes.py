"""Scopes: what they permit, and what their patterns match."""

from __future__ import annotations

import pytest

from amqpd.auth.base import Action
from amqpd.auth.scopes import Wildcard, expanded, rule_of, rules_in


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("foo", "foo", True),
        ("foo", "foobar", False),
        ("foo", "fo", False),
        ("", "", True),
        ("", "x", False),
        ("*", "", True),
        ("*", "anything / at all", True),
        ("**", "x", True),
        ("a+b", "a b", True),
        ("a%20b", "a b", True),
        ("%2a+%2A", "* *", True),
        ("%2a", "x", False),
        ("%2F", "/", True),
        ("%D1%8E", "ю", True),
        ("ю*", "юникод", True),
        ("*oo", "foo", True),
        ("*foo", "foo", True),
        ("*r", "foo", False),
        ("*foobar", "foo", False),
        ("*bar", "barbar", False),  # each part is looked for where it comes first
        ("fo*", "foo", True),
        ("foo*", "foo", True),
        ("b*", "foo", False),
        ("*str*ing*", "string", True),
        ("*str*ing*", "str*ing", True),
        ("some*long*string", "some long string", True),
        ("some*other*string", "some long string", False),
        ("*+*+*", "some long string", True),
        ("*+*+*", "some string", False),
        ("s*z*str*", "some long string", False),
        ("a*a", "a", False),
        ("q.*.x", "q.1.x", True),
        ("q.*", "qa1", False),
    ],
)
def test_patterns(pattern: str, text: str, matches: bool) -> None:
    assert Wildcard(pattern).matches(text) is matches


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "read",
        "read:",
        "read:vhost",
        "read:a/b/c/d",
        "Read:a/b",
        "delete:a/b",
        "tag:administrator",
        "read:%/b",
        "read:a/%zz",
        "read:a/b/%4",
        " read:a/b",
    ],
)
def test_scopes_that_permit_nothing(scope: str) -> None:
    assert rule_of(scope) is None


def test_a_scope_permits_one_kind_of_action_in_some_vhosts_on_some_names() -> None:
    (rule,) = rules_in("v1", ("write:v*/q.*",), ())
    assert rule.action is Action.WRITE
    assert (rule.name.matches("q.1"), rule.name.matches("p")) == (True, False)
    assert rule.routing_key is None
    assert rules_in("w", ("write:v*/q.*",), ()) == ()


def test_a_third_part_is_for_routing_keys() -> None:
    (rule,) = rules_in("v", ("read:*/amq.topic/a.%2A",), ())
    assert rule.routing_key is not None
    assert (rule.routing_key.matches("a.*"), rule.routing_key.matches("a.b")) == (True, False)


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("read:{vhost}/{client_id}-*", "read:default/some_client-*"),
        ("write:{vhost}/{client_id}/{username}", "write:default/some_client/some_user"),
        ("read:client_id/vhost-*", "read:client_id/vhost-*"),
        ("read:{nothing}/*", "read:nothing/*"),
        ("read:{}/*", "read:/*"),
        ("read:{/*", ""),
        ("read:{a.b}/*", ""),
        ("read:var}/*", "read:var}/*"),
        ("read:{nasty}/x", "read:%2A%2F%25/x"),
    ],
)
def test_values_in_braces(scope: str, found: str) -> None:
    values = {"vhost": "default", "client_id": "some_client", "username": "some_user", "nasty": "*/%"}
    assert expanded(scope, values) == found


def test_a_claim_cannot_say_more_than_itself() -> None:
    claims = (("sub", "*"), ("vhost", "other"))
    (rule,) = rules_in("/", ("read:{vhost}/{sub}",), claims)
    assert (rule.name.matches("*"), rule.name.matches("q")) == (True, False)
