"""Regular expressions of permissions: what they match, and that none takes forever."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd import patterns
from amqpd.errors import OperatorError
from amqpd.patterns import Pattern


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        (".*", ["", "a", "amq.gen-x"], []),
        ("", [""], ["a"]),
        ("^$", [""], ["a"]),
        ("foo", ["foo", "a foo b", "foobar"], ["", "fo", "FOO"]),
        ("^foo", ["foo", "foobar"], ["a foo"]),
        ("^foo$", ["foo"], ["foobar", "a foo"]),
        (r"^(amq\.default|jobs-\d+)$", ["amq.default", "jobs-17"], ["amq,default", "jobs-", "jobs-1x"]),
        (r"^(?!amq\.).*", ["q", "amqp"], ["amq.gen-1"]),
        ("[[:alpha:]]-[[:digit:]]", ["a-1"], ["1-a", ":-:"]),
        ("^.{2}$", ["ab", "é"], ["a", "éé"]),  # octets, as in RabbitMQ
        (r"^\w+$", ["a_1"], ["é"]),
        ("(?i)^foo$", ["FOO"], ["FO"]),
        ("^{a}$", ["{a}"], ["a"]),
    ],
)
def test_a_pattern_is_found_anywhere_unless_anchored(text: str, matching: list[str], others: list[str]) -> None:
    pattern = Pattern(text)
    assert [name for name in matching if not pattern.matches(name)] == []
    assert [name for name in others if pattern.matches(name)] == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("*", "regular expression '*' is invalid: nothing to repeat at position 0"),
        ("a(", "regular expression 'a(' is invalid: missing ), unterminated subpattern at position 1"),
        ("[a", "regular expression '[a' is invalid: unterminated character set at position 0"),
        (r"\Qa", r"regular expression '\Qa' is invalid: bad escape \Q at position 0"),
        ("[[:nope:]]", "regular expression '[[:nope:]]' is invalid: Possible nested set at position 1"),
        (r"(a+)+\1", r"regular expression '(a+)+\1' is invalid: it could take forever to match"),
        ("a" * 5000, "regular expression of 5000 bytes is too long; 4096 are the most"),
    ],
)
def test_one_that_cannot_be_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(OperatorError) as caught:
        Pattern(text)
    assert str(caught.value) == reason


def test_one_nested_beyond_measure_is_refused() -> None:
    with pytest.raises(OperatorError, match="is invalid"):
        Pattern("(" * 2000 + ")" * 2000)


@pytest.mark.parametrize(
    "text",
    [
        "^(a+)+$",
        "^(a|a)*$",
        "^(a?){200}a{200}$",
        "a*a*a*a*a*a*a*b",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "((a?){1000}){1000}b",
    ],
)
def test_none_takes_forever(text: str) -> None:
    pattern = Pattern(text)
    began = time.process_time()
    assert not pattern.matches("a" * 254 + "!")
    assert time.process_time() - began < 1.0


def test_what_is_longer_than_any_name_matches_nothing() -> None:
    assert not Pattern(".*").matches("a" * 256)


# --- both ways of matching


PIECES = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\.", "^", "$", r"\b"])


def composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeats = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?", "+?"])
    return st.one_of(
        st.builds(str.__add__, inner, inner),
        st.builds("({}|{})".format, inner, inner),
        st.builds("({}){}".format, inner, repeats),
        st.builds("(?={})".format, inner),
        st.builds("(?!{})".format, inner),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(PIECES, composed, max_leaves=8), st.text("ab.\n", max_size=7))
def test_all_ways_at_once_find_what_one_after_the_other_finds(text: str, name: str) -> None:
    try:
        expected = re.search(text.encode(), name.encode()) is not None
    except re.error:
        return
    ways, patterns._ways = patterns._ways, lambda items: float("inf")
    try:
        pattern = Pattern(text)
    finally:
        patterns._ways = ways
    assert pattern._compiled is None
    assert pattern.matches(name) == expected
