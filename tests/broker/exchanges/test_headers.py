"""The headers exchange: which values are equal, which headers count, and what it takes to match."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from amqpd.broker.binding import Binding
from amqpd.broker.exchanges.headers import HeadersExchange
from amqpd.errors import PreconditionFailed
from amqpd.message import Message
from amqpd.wire.fields import Float32, Int8, Int32, RawString, Timestamp, UInt8
from tests.broker.exchange_contract import ExchangeContract, bind, matched, message, queue


def satisfied(arguments: dict[str, Any], headers: dict[str, Any]) -> bool:
    """The rules of x-match, one after the other, for integers and strings."""
    mode = arguments.get("x-match", "all")
    hits = []
    for name, wanted in arguments.items():
        if name == "x-match" or (name.startswith("x-") and not mode.endswith("-with-x")):
            continue
        present = name in headers
        hits.append(present and (wanted is None or (wanted == headers[name] and type(wanted) is type(headers[name]))))
    return all(hits) if mode.startswith("all") else any(hits)


class TestHeadersExchange(ExchangeContract):
    exchange_type = HeadersExchange
    keys = ("", "a")
    arguments = (
        {},
        {"x-match": "all"},
        {"x-match": "any"},
        {"a": 1, "b": "x"},
        {"x-match": "any", "a": 1, "b": "x"},
        {"a": None},
        {"x-match": "any", "c": None, "x-d": 1},
        {"x-match": "all-with-x", "a": 1, "x-d": 1},
        {"x-match": "any-with-x", "x-d": 1},
    )
    messages = tuple(
        message("a", headers)
        for headers in (
            None,
            {},
            {"a": 1},
            {"a": "1"},
            {"a": 1, "b": "x"},
            {"b": "x", "c": None},
            {"x-d": 1},
            {"a": 1, "x-d": 1},
            {"x-match": "all"},
        )
    )

    def expected(self, binding: Binding, message: Message) -> bool:
        return satisfied(binding.arguments, message.headers)


def is_matched(arguments: dict[str, Any], headers: dict[str, Any]) -> bool:
    exchange = HeadersExchange("x")
    bind(exchange, "", arguments)
    return bool(matched(exchange, message("", headers)))


EQUAL = [
    (5, 5),
    (Int8(5), 5),
    (UInt8(5), Int32(5)),
    (Timestamp(5), 5),
    (1.5, 1.5),
    (Float32(1.5), 1.5),
    (2, 2.0),
    ("x", "x"),
    ("x", b"x"),
    (RawString(b"\xff"), b"\xff"),
    (True, True),
    (Decimal("1.5"), Decimal("1.5")),
    ([1, "a"], [1, "a"]),
    ({"a": 1}, {"a": 1}),
    ("", ""),
]
DIFFERENT = [
    (5, 6),
    (5, "5"),
    (1, True),
    (0, False),
    ("x", "X"),
    ("true", True),
    (1.5, 1.25),
    ([1], [2]),
    ([1], [1, 1]),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {"b": 1}),
    (Decimal("1.5"), Decimal("1.50")),
    (Decimal(5), 5),
    ("", 0),
]


@pytest.mark.parametrize(("wanted", "value"), EQUAL, ids=repr)
def test_these_values_are_equal(wanted: Any, value: Any) -> None:
    assert is_matched({"h": wanted}, {"h": value})
    assert is_matched({"h": value}, {"h": wanted})


@pytest.mark.parametrize(("wanted", "value"), DIFFERENT, ids=repr)
def test_these_values_are_different(wanted: Any, value: Any) -> None:
    assert not is_matched({"h": wanted}, {"h": value})
    assert not is_matched({"h": value}, {"h": wanted})


@pytest.mark.parametrize("value", [0, "", False, None, [], {}, 1.5])
def test_a_void_argument_asks_for_presence_alone(value: Any) -> None:
    assert is_matched({"h": None}, {"h": value})
    assert not is_matched({"h": None}, {"other": value})


def test_a_void_header_equals_nothing_but_a_void_argument() -> None:
    assert not is_matched({"h": 0}, {"h": None})
    assert not is_matched({"h": ""}, {"h": None})


@pytest.mark.parametrize("mode", ["all", "all-with-x"])
def test_all_of_nothing_matches_everything(mode: str) -> None:
    assert is_matched({"x-match": mode}, {})
    assert is_matched({"x-match": mode}, {"a": 1})
    assert is_matched({}, {"a": 1})


@pytest.mark.parametrize("mode", ["any", "any-with-x"])
def test_any_of_nothing_matches_nothing(mode: str) -> None:
    assert not is_matched({"x-match": mode}, {})
    assert not is_matched({"x-match": mode}, {"a": 1, "x-match": mode})


def test_headers_that_start_with_x_count_in_two_of_the_modes() -> None:
    assert is_matched({"x-match": "all", "a": 1, "x-b": 2}, {"a": 1})
    assert not is_matched({"x-match": "all-with-x", "a": 1, "x-b": 2}, {"a": 1})
    assert not is_matched({"x-match": "any", "x-b": 2}, {"x-b": 2})
    assert is_matched({"x-match": "any-with-x", "x-b": 2}, {"x-b": 2})


def test_a_message_without_headers_has_none() -> None:
    exchange = HeadersExchange("x")
    everything = bind(exchange, "", {})
    bind(exchange, "", {"a": 1})
    assert matched(exchange, message("", None)) == [everything]


@pytest.mark.parametrize("mode", ["all", "any", "all-with-x", "any-with-x"])
def test_there_are_four_modes(mode: str) -> None:
    HeadersExchange("x").check_binding(queue("q"), "", {"x-match": mode})


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("foo", 'Invalid x-match field value "foo"; expected all, any, all-with-x, or any-with-x'),
        ("", 'Invalid x-match field value ""; expected all, any, all-with-x, or any-with-x'),
        ("ALL", 'Invalid x-match field value "ALL"; expected all, any, all-with-x, or any-with-x'),
        (5, "Invalid x-match field type long (value 5); expected longstr"),
        (Int32(5), "Invalid x-match field type signedint (value 5); expected longstr"),
        (b"all", 'Invalid x-match field type binary (value <<"all">>); expected longstr'),
    ],
)
def test_any_other_mode_is_refused(mode: Any, text: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        HeadersExchange("x").check_binding(queue("q"), "", {"x-match": mode})
    assert caught.value.explanation == text


@pytest.mark.parametrize("mode", [True, None, b"all", [], {}, 1.5, Decimal(1)])
def test_a_mode_that_is_no_string_is_refused(mode: Any) -> None:
    with pytest.raises(PreconditionFailed, match=r"Invalid x-match field type .* expected longstr"):
        HeadersExchange("x").check_binding(queue("q"), "", {"x-match": mode})


def test_its_answers_are_not_remembered_by_routing_key() -> None:
    assert HeadersExchange.by_routing_key is False


def test_it_says_why() -> None:
    exchange = HeadersExchange("x")
    bind(exchange, "", {"a": 1, "b": "x", "c": None})
    bind(exchange, "", {"x-match": "any", "a": 2, "b": "x"})
    bind(exchange, "", {"x-match": "any"})
    assert [verdict.reason for verdict in exchange.explain(message("", {"a": 1, "b": "y"}))] == [
        "all of 3 must match: a matches, b is 'y', not 'x', c is missing",
        "any of 2 must match: a is 1, not 2, b is 'y', not 'x'",
        "any of 0 must match: the binding names no header",
    ]
