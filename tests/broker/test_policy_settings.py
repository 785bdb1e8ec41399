"""What policies may set, and how that joins with arguments and operator policies."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.policy_settings import SETTINGS, definition_fault, effective, ineffective, merged, suits


@pytest.mark.parametrize(
    ("key", "good", "bad", "refusal"),
    [
        ("message-ttl", [0, 10**30], [-1, "1", True, 1.0, None], "is not a valid message TTL"),
        ("expires", [1], [0, -1, "1"], "is not a valid queue expiry"),
        ("max-length", [0], [-1, "1"], "is not a valid maximum length"),
        ("max-length-bytes", [0], [-1], "is not a valid maximum length in bytes"),
        ("consumer-timeout", [0], [-1, "x"], "is not a valid consumer timeout"),
        ("delivery-limit", [-1, 0, 5], ["x", 1.5], "is not a valid delivery limit"),
        ("overflow", ["drop-head", "reject-publish", "reject-publish-dlx"], ["x", 1], "is not a valid overflow value"),
        ("queue-version", [1, 2], [0, 3, True, "2"], "is not a valid queue-version value"),
        ("max-age", ["1h", "7D"], ["0h", "x", "", 1], "is not a valid max age"),
        ("stream-max-segment-size-bytes", [0, 3_000_000_000], [3_000_000_001], "is not a valid segment size"),
        ("stream-filter-size-bytes", [16, 255], [15, 256], "is not a valid filter size. Valid range is 16-255"),
        ("alternate-exchange", ["", "x"], [1, None], "is not a valid alternate exchange name"),
    ],
)
def test_each_key_holds_certain_values(key: str, good: list[Any], bad: list[Any], refusal: str) -> None:
    for value in good:
        assert definition_fault({key: value}, operator=False) is None
    for value in bad:
        fault = definition_fault({key: value}, operator=False)
        assert fault is not None
        assert fault.endswith(refusal)


def test_operator_policies_set_numbers_and_two_more() -> None:
    assert {key for key in SETTINGS if SETTINGS[key].operator is not None} == {
        "delivery-limit",
        "expires",
        "max-in-memory-bytes",
        "max-in-memory-length",
        "max-length",
        "max-length-bytes",
        "message-ttl",
        "overflow",
        "queue-version",
        "target-group-size",
    }


def test_what_a_value_looks_like_in_a_refusal() -> None:
    definition = {"a": {"b": [1, None, False]}, "c": "tab\t"}
    assert definition_fault(definition, operator=False) == (
        '[{<<"a">>,#{<<"b">> => [1,null,false]}},{<<"c">>,<<116,97,98,9>>}] are not recognised policy settings'
    )


def test_a_cluster_is_what_some_keys_need() -> None:
    assert ineffective({"initial-cluster-size": 3, "max-age": "1h", "queue-leader-locator": "balanced"}) == [
        "'initial-cluster-size' has no effect: it needs a cluster",
        "'queue-leader-locator' has no effect: it needs a cluster",
    ]


def test_each_type_of_queue_has_keys_that_are_not_for_it() -> None:
    def foreign(queue_type: str) -> set[str]:
        return {key for key in SETTINGS if not suits({key: None}, queue_type) and not SETTINGS[key].needs}

    assert foreign("classic") == {
        "dead-letter-strategy",
        "delivery-limit",
        "max-age",
        "max-in-memory-bytes",
        "max-in-memory-length",
        "stream-max-segment-size-bytes",
    }
    assert foreign("quorum") == {"max-age", "queue-mode", "stream-max-segment-size-bytes"}
    assert foreign("stream") == {
        "dead-letter-exchange",
        "dead-letter-routing-key",
        "dead-letter-strategy",
        "delivery-limit",
        "expires",
        "max-in-memory-bytes",
        "max-in-memory-length",
        "max-length",
        "message-ttl",
        "overflow",
        "queue-mode",
    }


# --- joining


@pytest.mark.parametrize(
    ("policy", "operator", "joined"),
    [
        ({"max-length": 5}, {"max-length": 3}, {"max-length": 3}),
        ({"max-length": 3}, {"max-length": 5}, {"max-length": 3}),
        ({"overflow": "drop-head"}, {"overflow": "reject-publish"}, {"overflow": "reject-publish"}),
        ({"delivery-limit": -1}, {"delivery-limit": 5}, {"delivery-limit": 5}),
        ({"delivery-limit": 9}, {"delivery-limit": 5}, {"delivery-limit": 5}),
        ({"queue-mode": "lazy"}, {"expires": 5}, {"expires": 5, "queue-mode": "lazy"}),
    ],
)
def test_policies_and_operator_policies(policy: Any, operator: Any, joined: Any) -> None:
    assert merged(policy, operator) == joined


@pytest.mark.parametrize(
    ("arguments", "policy", "result"),
    [
        ({"x-max-length": 5}, {"max-length": 3}, {"x-max-length": 3}),
        ({"x-max-length": 3}, {"max-length": 5}, {"x-max-length": 3}),
        ({"x-overflow": "drop-head"}, {"overflow": "reject-publish"}, {"x-overflow": "drop-head"}),
        (
            {"x-queue-type": "quorum", "x-overflow": "drop-head"},
            {"overflow": "reject-publish"},
            {"x-queue-type": "quorum", "x-overflow": "reject-publish"},
        ),
        (
            {"x-queue-type": "quorum", "x-delivery-limit": -1},
            {"delivery-limit": 5},
            {"x-queue-type": "quorum", "x-delivery-limit": 5},
        ),
        (
            {"x-queue-type": "stream", "x-max-age": "1h", "x-max-length-bytes": 1},
            {"max-age": "2h", "max-length-bytes": 2},
            {"x-queue-type": "stream", "x-max-age": "2h", "x-max-length-bytes": 2},
        ),
        ({"x-dead-letter-exchange": "a"}, {"dead-letter-exchange": "b"}, {"x-dead-letter-exchange": "a"}),
        ({}, {"dead-letter-exchange": "b"}, {"x-dead-letter-exchange": "b"}),
        ({"x-max-priority": 5}, {"alternate-exchange": "b", "ha-mode": "all"}, {"x-max-priority": 5}),
        ({}, {"message-ttl": 10**30}, {"x-message-ttl": 315_360_000_000}),
    ],
)
def test_arguments_and_policies(arguments: Any, policy: Any, result: Any) -> None:
    assert effective(arguments, policy) == result
