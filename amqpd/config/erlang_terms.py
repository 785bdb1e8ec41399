"""Reads Erlang terms as RabbitMQ's classic files have them: atoms, strings, binaries, numbers, tuples, lists, maps.

What the terms mean is in `classic_config` and `plugins`.
"""

from __future__ import annotations

import functools
import os
import re
from typing import Any, Final, NamedTuple

from ..errors import StartupError

MAX_DEPTH: Final = 50

_CLOSING: Final = {"[": "]", "{": "}", "#{": "}"}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "e": "\x1b", "0": "\0", "b": "\b", "f": "\f", "v": "\v"}


@functools.cache
def _tokens() -> re.Pattern[str]:
    return re.compile(
        r"""
          (?P<space> (?: \s | %[^\n]* )+ )
        | (?P<binary> << \s* (?: " (?P<bytes> (?: [^"\\] | \\. )* ) " \s* (?: /\s*utf8 )? \s* )? >> )
        | (?P<string> " (?: [^"\\] | \\. )* " )
        | (?P<quoted> ' (?: [^'\\] | \\. )* ' )
        | (?P<based> [+-]? [0-9]{1,2} \# [0-9a-zA-Z]{1,40} )
        | (?P<float> [+-]? [0-9]{1,40} \. [0-9]{1,40} (?: [eE] [+-]? [0-9]{1,3} )? )
        | (?P<integer> [+-]? [0-9][0-9_]{0,60} )
        | (?P<character> \$ (?: \\. | [^\\] ) )
        | (?P<atom> [a-z][A-Za-z0-9_@]* )
        | (?P<mark> => | \#\{ | [\[\]{},.|] )
        """,
        re.VERBOSE | re.DOTALL,
    )


class Atom(str):
    """An atom; strings and binaries are plain str."""

    __slots__ = ()


class Tuple(NamedTuple):
    """A tuple, and the line it begins on."""

    items: tuple[Any, ...]
    line: int


def read_terms(text: str, file: str) -> list[Any]:
    """The terms of a text, each ended by a dot. Raises StartupError 78 naming the line."""
    return _Reader(text.removeprefix("\ufeff"), file).terms()


def read_term(text: str, source: str) -> Any:
    """One term, without a dot."""
    terms = _Reader(text + "\n.", source).terms()
    if len(terms) != 1:
        raise StartupError(f"{source}: {text[:80]!r} is not one Erlang term", os.EX_CONFIG)
    return terms[0]


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._at = 0
        self._line = 1
        self._kind = ""
        self._token = ""
        self._next()

    def terms(self) -> list[Any]:
        found = []
        while self._kind:
            found.append(self._term(0))
            self._expect(".")
        return found

    def _next(self) -> None:
        """Go to the next token; at the end, there is no kind."""
        self._line += self._token.count("\n")
        while True:
            if self._at == len(self._text):
                self._kind, self._token = "", ""
                return
            match = _tokens().match(self._text, self._at)
            if match is None:
                raise self._error(f"cannot read {self._text[self._at : self._at + 40]!r}")
            self._at = match.end()
            self._kind, self._token = match.lastgroup or "", match[0]
            if self._kind != "space":
                return
            self._line += self._token.count("\n")

    def _term(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._error("it is nested too deeply")
        kind, token, line = self._kind, self._token, self._line
        opening = token if kind == "mark" else ""
        if opening in _CLOSING:
            self._next()
            items = self._items(_CLOSING[opening], depth, pairs=opening == "#{")
            return Tuple(tuple(items), line) if opening == "{" else items
        if kind in ("", "mark"):
            raise self._error(f"{token!r} is not expected here" if kind else "the file ends within a term")
        self._next()
        return self._simple(kind, token)

    def _items(self, end: str, depth: int, *, pairs: bool = False) -> list[Any]:
        """What is between brackets; the pairs of a map are tuples."""
        found: list[Any] = []
        while self._token != end or self._kind != "mark":
            if found:
                self._expect(",")
            line = self._line
            item = self._term(depth + 1)
            if pairs:
                self._expect("=>")
                item = Tuple((item, self._term(depth + 1)), line)
            found.append(item)
        self._next()
        return found

    def _simple(self, kind: str, token: str) -> Any:
        match kind:
            case "atom":
                return Atom(token)
            case "quoted":
                return Atom(_unescaped(token[1:-1]))
            case "string":
                text = _unescaped(token[1:-1])
                while self._kind == "string":  # neighbours are one
                    text += _unescaped(self._token[1:-1])
                    self._next()
                return text
            case "binary":
                return _unescaped(token[token.find('"') + 1 : token.rfind('"')]) if '"' in token else ""
            case "float":
                return float(token)
            case "integer":
                return int(token.replace("_", ""))
            case "character":
                return ord(_unescaped(token[1:]))
            case _:
                base, _, digits = token.partition("#")
                try:
                    return int(digits, int(base))
                except ValueError:
                    raise self._error(f"{token!r} is not a number") from None

    def _expect(self, mark: str) -> None:
        if self._kind != "mark" or self._token != mark:
            found = repr(self._token[:40]) if self._kind else "the end of the file"
            raise self._error(f"expected {mark!r}, not {found}")
        self._next()

    def _error(self, problem: str) -> StartupError:
        return StartupError(f"{self._file}:{self._line}: {problem}", os.EX_CONFIG)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)
