"""The topic exchange against its rules, for every pattern and every key of a small alphabet."""

from __future__ import annotations

from itertools import product

from amqpd.broker.exchanges.topic import TopicExchange, align, words
from tests.broker.exchange_contract import bind, check_explanation, message, unbind


def fits(pattern: list[str], key: list[str]) -> bool:
    if not pattern:
        return not key
    first, *rest = pattern
    if first == "#":
        return any(fits(rest, key[taken:]) for taken in range(len(key) + 1))
    return bool(key) and first in ("*", key[0]) and fits(rest, key[1:])


def sentences(alphabet: tuple[str, ...], longest: int) -> list[str]:
    """All sequences of words, as keys are written; those that read the same once."""
    found = {".".join(each): None for length in range(longest + 1) for each in product(alphabet, repeat=length)}
    return list(found)


PATTERNS = list(dict.fromkeys(sentences(("a", "b", "", "*", "#"), 3) + sentences(("a", "*", "#"), 4)))
KEYS = list(dict.fromkeys(sentences(("a", "b", "", "*", "#"), 3) + sentences(("a", "b"), 5)))


def test_every_key_matches_the_patterns_it_fits() -> None:
    exchange = TopicExchange("x")
    bindings = {pattern: bind(exchange, pattern) for pattern in PATTERNS}
    for key in KEYS:
        expected = {binding for pattern, binding in bindings.items() if fits(words(pattern), words(key))}
        found = list(exchange.match(message(key)))
        assert set(found) == expected, key
        assert len(found) == len(expected), key


def test_it_does_so_when_the_other_half_of_the_patterns_was_unbound() -> None:
    exchange = TopicExchange("x")
    bindings = {pattern: bind(exchange, pattern) for pattern in PATTERNS}
    for pattern in list(bindings)[::2]:
        unbind(exchange, bindings.pop(pattern))
    for key in KEYS:
        expected = {binding for pattern, binding in bindings.items() if fits(words(pattern), words(key))}
        assert set(exchange.match(message(key))) == expected, key


def test_words_can_be_aligned_exactly_when_the_pattern_fits() -> None:
    for pattern in PATTERNS:
        for key in KEYS:
            taken = align(words(pattern), words(key))
            assert (taken is not None) is fits(words(pattern), words(key)), (pattern, key)
            if taken is None:
                continue
            assert [word for part in taken for word in part] == words(key)
            for word, part in zip(words(pattern), taken, strict=True):
                assert word == "#" or len(part) == 1
                assert word in ("*", "#") or part == [word]


def test_the_explanation_agrees_for_every_key() -> None:
    exchange = TopicExchange("x")
    for pattern in PATTERNS:
        bind(exchange, pattern)
    for key in KEYS[::5]:
        check_explanation(exchange, message(key))
        for verdict in exchange.explain(message(key)):
            assert ("does not fit" in verdict.reason) is not verdict.matched
