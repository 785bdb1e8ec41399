"""The topic exchange: patterns of words."""

from __future__ import annotations

import pytest

from amqpd.broker.binding import Binding
from amqpd.broker.exchanges.topic import TopicExchange, align, words
from amqpd.message import Message
from tests.broker.exchange_contract import ExchangeContract, bind, matched, message, unbind


class TestTopicExchange(ExchangeContract):
    exchange_type = TopicExchange
    keys = ("", "#", "*", "a", "a.*", "a.#", "#.b", "a.#.b", "*.*", "#.#", "a..b", "#.*.#", "a*", "a.b.#.b")
    arguments = ({}, {"a": 1})
    messages = tuple(message(key) for key in ("", "a", "b", "a.b", "a..b", "a.c.b", "a.b.b", "a.", ".", "*", "#", "a*"))

    def expected(self, binding: Binding, message: Message) -> bool:
        return fits(words(binding.routing_key), words(message.routing_key))


def fits(pattern: list[str], key: list[str]) -> bool:
    """The rules of patterns, word by word."""
    if not pattern:
        return not key
    first, *rest = pattern
    if first == "#":
        return any(fits(rest, key[taken:]) for taken in range(len(key) + 1))
    return bool(key) and first in ("*", key[0]) and fits(rest, key[1:])


@pytest.mark.parametrize(
    ("pattern", "fitting", "unfitting"),
    [
        ("#", ["", "a", "a.b", "a..b", "."], []),
        ("*", ["a", "*", "#"], ["", "a.b", "."]),
        ("", [""], ["a", "."]),
        ("a.#", ["a", "a.", "a.b", "a.b.c"], ["", "b", "b.a", "ab"]),
        ("#.a", ["a", ".a", "b.a", "b.c.a"], ["", "a.b", "ba"]),
        ("a.*.b", ["a.c.b", "a..b", "a.*.b"], ["a.b", "a.c.c.b"]),
        ("a.#.b", ["a.b", "a.c.b", "a.c.d.b", "a.b.b", "a.a.b"], ["a", "b", "a.b.c"]),
        ("*.*", ["a.b", "."], ["a", "a.b.c"]),
        ("#.*", ["a", "a.b"], [""]),
        ("*.#", ["a", "a.b"], [""]),
        ("#.#", ["", "a", "a.b"], []),
        ("a*", ["a*"], ["a", "ab", "a.b"]),
        ("#a", ["#a"], ["a", "b.a"]),
        ("Ä.ß", ["Ä.ß"], ["ä.ß"]),
    ],
)
def test_a_pattern_fits_these_keys_and_not_those(pattern: str, fitting: list[str], unfitting: list[str]) -> None:
    exchange = TopicExchange("x")
    binding = bind(exchange, pattern)
    for key in fitting:
        assert matched(exchange, message(key)) == [binding], key
    for key in unfitting:
        assert matched(exchange, message(key)) == [], key


def test_the_empty_key_has_no_words() -> None:
    assert words("") == []
    assert words("a") == ["a"]
    assert words("a..b") == ["a", "", "b"]
    assert words(".") == ["", ""]


def test_unbinding_a_pattern_leaves_nothing_of_it() -> None:
    exchange = TopicExchange("x")
    bindings = [bind(exchange, key) for key in ("a.b.c", "a.b.#", "a.#.c", "#", "*.*", "a")]
    for binding in bindings:
        unbind(exchange, binding)
    root = exchange._root
    assert (root.children, root.any_words, root.bindings) == ({}, None, [])


def test_unbinding_a_pattern_leaves_longer_and_shorter_ones() -> None:
    exchange = TopicExchange("x")
    short, middle, long = (bind(exchange, key) for key in ("a", "a.b", "a.b.c"))
    unbind(exchange, middle)
    assert matched(exchange, message("a")) == [short]
    assert matched(exchange, message("a.b")) == []
    assert matched(exchange, message("a.b.c")) == [long]


def test_many_wildcards_do_not_take_forever() -> None:
    exchange = TopicExchange("x")
    binding = bind(exchange, ".".join(["#"] * 40 + ["end"]))
    assert matched(exchange, message(".".join(["a"] * 120 + ["end"]))) == [binding]
    assert matched(exchange, message(".".join(["a"] * 121))) == []
    assert len(exchange.explain(message(".".join(["a"] * 121)))) == 1


@pytest.mark.parametrize(
    ("pattern", "key", "taken"),
    [
        ("", "", []),
        ("a.b", "a.b", [["a"], ["b"]]),
        ("*", "a", [["a"]]),
        ("#", "", [[]]),
        ("#", "a.b", [["a", "b"]]),
        ("a.#.b", "a.b", [["a"], [], ["b"]]),
        ("a.#.b", "a.x.y.b", [["a"], ["x", "y"], ["b"]]),
        ("#.*", "a", [[], ["a"]]),
        ("a", "b", None),
        ("*", "", None),
        ("a.*", "a", None),
    ],
)
def test_words_are_aligned_with_those_of_the_pattern(pattern: str, key: str, taken: list[list[str]] | None) -> None:
    assert align(words(pattern), words(key)) == taken


def test_it_says_what_the_wildcards_stand_for() -> None:
    exchange = TopicExchange("x")
    for pattern in ("a.*.#", "#.b", "a.b", "a.c"):
        bind(exchange, pattern)
    assert [verdict.reason for verdict in exchange.explain(message("a.b"))] == [
        "pattern 'a.*.#' fits routing key 'a.b': * stands for 'b', # stands for no word",
        "pattern '#.b' fits routing key 'a.b': # stands for 'a'",
        "pattern 'a.b' fits routing key 'a.b'",
        "pattern 'a.c' does not fit routing key 'a.b'",
    ]
