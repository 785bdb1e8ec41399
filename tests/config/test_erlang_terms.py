"""Erlang terms."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.config.erlang_terms import MAX_DEPTH, Atom, Tuple, read_term, read_terms
from amqpd.errors import StartupError


def plain(term: Any) -> Any:
    if isinstance(term, Tuple):
        return tuple(map(plain, term.items))
    return list(map(plain, term)) if isinstance(term, list) else term


def read(text: str) -> Any:
    return plain(read_term(text, "F"))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("guest", "guest"),
        ("'PLAIN'", "PLAIN"),
        (r"'it\'s'", "it's"),
        ('"text"', "text"),
        (r'"a\"b\\c\n"', 'a"b\\c\n'),
        ('"one" " two"', "one two"),
        ('<<"bytes">>', "bytes"),
        ('<<"größe"/utf8>>', "größe"),
        ("<<>>", ""),
        ('<< "x" >>', "x"),
        ("5672", 5672),
        ("-1", -1),
        ("1_000", 1000),
        ("16#ff", 255),
        ("$a", 97),
        ("0.4", 0.4),
        ("-1.5e3", -1500.0),
        ("[]", []),
        ("{}", ()),
        ("[1, {a, [b]}, \n c]", [1, ("a", ["b"]), "c"]),
        ('#{a => 1, "b" => [2]}', [("a", 1), ("b", [2])]),
        ("% comment\n a % more", "a"),
    ],
)
def test_a_term(text: str, term: Any) -> None:
    assert read(text) == term


def test_an_atom_is_not_a_string() -> None:
    assert isinstance(read_term("true", "F"), Atom)
    assert isinstance(read_term("'true'", "F"), Atom)
    assert not isinstance(read_term('"true"', "F"), Atom)


def test_a_tuple_knows_its_line() -> None:
    (found,) = read_terms("[\n %x\n {a,\n {b}}].", "F")
    assert found[0].line == 3
    assert found[0].items[1].line == 4


def test_a_file_has_terms_ended_by_dots() -> None:
    assert read_terms("a. [b].\n", "F") == ["a", ["b"]]
    assert read_terms("% nothing\n", "F") == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[", "F:1: the file ends within a term"),
        ("[a", "F:1: expected ',', not the end of the file"),
        ("[a b].", "F:1: expected ',', not 'b'"),
        ("\n\n{a,,b}.", "F:3: ',' is not expected here"),
        ("a", "F:1: expected '.', not the end of the file"),
        ("[a]", "F:1: expected '.', not the end of the file"),
        ('"open', "F:1: cannot read '\"open'"),
        ("Variable.", "F:1: cannot read 'Variable.'"),
        ("#{a, b}.", "F:1: expected '=>', not ','"),
        ("2#9.", "F:1: '2#9' is not a number"),
        ("\n99#9.", "F:2: '99#9' is not a number"),
        ("[" * (MAX_DEPTH + 2), "F:1: it is nested too deeply"),
    ],
)
def test_anything_else_is_refused_with_its_line(text: str, error: str) -> None:
    with pytest.raises(StartupError) as caught:
        read_terms(text, "F")
    assert (caught.value.exit_code, str(caught.value)) == (os.EX_CONFIG, error)


TEXTS = st.one_of(st.text(), st.text("[]{}#=>,.<>\"'\\%$ \nab01_-e/utf8"), st.text("[{a,1}]. \n"))


@given(TEXTS)
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        read_terms(text, "F")
    except StartupError as error:
        number, _, reason = str(error).removeprefix("F:").partition(": ")
        assert 1 <= int(number) <= text.count("\n") + 1
        assert reason
        assert "\n" not in reason
