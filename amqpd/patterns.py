"""Regular expressions of permissions and policies: found anywhere in a name, unless anchored, and never at any cost.

Operators write the patterns, but any client may choose the names they are held against. Python's engine tries one way
after the other through a pattern, which for some takes longer than the broker will live. So the ways there can be are
counted beforehand. Patterns with too many are followed along all ways at once instead: slower, but in bounded time.
RabbitMQ stops after so many steps instead, and refuses.

Both look at bytes, as RabbitMQ does: a character of `.` is an octet, and `\\w` an ASCII letter, digit or underscore.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

from .errors import OperatorError

MAX_SIZE: Final = 4096
"""Of a pattern, in octets."""

LONGEST: Final = 255
"""Octets of the longest name there is."""

MAX_WAYS: Final = 1 << 20
"""Through a pattern and a name, that Python's engine may try; it takes some milliseconds."""

_NEWLINE: Final = 10

_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")

_POSIX: Final = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "word": r"\w",
    "xdigit": "0-9a-fA-F",
    "punct": r"!-/:-@\[-`{-~",
}

_Items = Iterable[tuple[Any, Any]]


class Pattern:
    """One regular expression. An empty one matches empty names only, as in RabbitMQ."""

    def __init__(self, text: str) -> None:
        """Raises OperatorError, which says what is wrong with it."""
        self.text = text
        source = re.sub(r"\[:(\w+):\]", lambda found: _POSIX.get(found[1], found[0]), text or "^$").encode()
        if len(source) > MAX_SIZE:
            raise OperatorError(f"regular expression of {len(source)} bytes is too long; {MAX_SIZE} are the most")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what Python may understand otherwise one day, it does not now
                compiled = re.compile(source)
                parsed = parser.parse(source)
        except (re.error, Warning, OverflowError, RecursionError) as error:
            raise OperatorError(f"regular expression '{text}' is invalid: {_reason(error)}") from None
        self._compiled: re.Pattern[bytes] | None = None
        self._items: _Items = ()
        anchored = parsed.data[:1] == [(ops.AT, ops.AT_BEGINNING)]
        if _ways(parsed) * (1 if anchored else LONGEST) <= MAX_WAYS:
            self._compiled = compiled
        elif compiled.flags or not _can_follow(parsed):
            raise OperatorError(f"regular expression '{text}' is invalid: it could take forever to match")
        else:
            self._items = _prepared(parsed)

    def matches(self, name: str) -> bool:
        """Whether it is found in a name. One longer than names can be matches nothing."""
        raw = name.encode(errors="surrogateescape")
        if len(raw) > LONGEST:
            return False
        if self._compiled is not None:
            return self._compiled.search(raw) is not None
        return bool(_follow(self._items, set(range(len(raw) + 1)), raw))


def _reason(error: BaseException) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _ways(items: _Items) -> float:
    """How many ways there may be through a sequence, for the longest name."""
    ways = 1.0
    for op, argument in items:
        if op is ops.BRANCH:
            ways *= sum(_ways(each) for each in argument[1])
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            least, most, body = argument
            most = min(most, LONGEST)
            each = _ways(body)
            if each == 1:
                ways *= max(1, most - least + 1)
            else:
                ways *= (1 + each) ** min(most, 40)
        elif op is ops.SUBPATTERN:
            ways *= _ways(argument[3])
        elif op in (ops.ASSERT, ops.ASSERT_NOT):
            ways *= _ways(argument[1])
        elif op is ops.ATOMIC_GROUP:
            ways *= _ways(argument)
        elif op is ops.GROUPREF_EXISTS:
            ways *= sum(_ways(each) for each in argument[1:] if each is not None)
    return min(ways, 2.0 * MAX_WAYS)


def _can_follow(items: _Items) -> bool:
    """Whether `_follow` knows all that is in a sequence: not what depends on the way one came."""
    for op, argument in items:
        if op is ops.BRANCH:
            good = all(_can_follow(each) for each in argument[1])
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            good = _can_follow(argument[2])
        elif op is ops.SUBPATTERN:
            good = not argument[1] and not argument[2] and _can_follow(argument[3])
        elif op in (ops.ASSERT, ops.ASSERT_NOT):
            good = argument[0] > 0 and _can_follow(argument[1])
        else:
            good = op in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN, ops.AT)
        if not good:
            return False
    return True


def _prepared(items: _Items) -> list[tuple[Any, Any]]:
    """A sequence in which whatever stands for one octet is the set of those it stands for."""
    found: list[tuple[Any, Any]] = []
    for op, argument in items:
        if op is ops.LITERAL:
            found.append((ops.IN, frozenset((argument,))))
        elif op is ops.NOT_LITERAL:
            found.append((ops.IN, frozenset(range(256)) - {argument}))
        elif op is ops.ANY:
            found.append((ops.IN, frozenset(range(256)) - {_NEWLINE}))
        elif op is ops.IN:
            found.append((ops.IN, _octets(argument)))
        elif op is ops.BRANCH:
            found.append((op, [_prepared(each) for each in argument[1]]))
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            found.append((ops.MAX_REPEAT, (argument[0], argument[1], _prepared(argument[2]))))
        elif op is ops.SUBPATTERN:
            found += _prepared(argument[3])
        elif op is ops.AT:
            found.append((op, argument))
        else:
            found.append((op, _prepared(argument[1])))
    return found


def _octets(members: Iterable[tuple[Any, Any]]) -> frozenset[int]:
    """Those a character class stands for."""
    found: set[int] = set()
    negated = False
    for op, argument in members:
        if op is ops.NEGATE:
            negated = True
        elif op is ops.LITERAL:
            found.add(argument)
        elif op is ops.RANGE:
            found.update(range(argument[0], argument[1] + 1))
        else:
            shorthand = _SHORTHANDS[argument]
            found.update(octet for octet in range(256) if shorthand.match(bytes((octet,))))
    return frozenset(range(256)) - found if negated else frozenset(found)


_SHORTHANDS: Final = {
    ops.CATEGORY_DIGIT: re.compile(rb"\d"),
    ops.CATEGORY_NOT_DIGIT: re.compile(rb"\D"),
    ops.CATEGORY_SPACE: re.compile(rb"\s"),
    ops.CATEGORY_NOT_SPACE: re.compile(rb"\S"),
    ops.CATEGORY_WORD: re.compile(rb"\w"),
    ops.CATEGORY_NOT_WORD: re.compile(rb"\W"),
}


def _follow(items: _Items, places: set[int], name: bytes) -> set[int]:
    """Where a sequence may end in a name, if it begins at any of these places."""
    for op, argument in items:
        if op is ops.IN:
            places = {place + 1 for place in places if place < len(name) and name[place] in argument}
        elif op is ops.BRANCH:
            places = set().union(*[_follow(each, places, name) for each in argument])
        elif op is ops.MAX_REPEAT:
            least, most, body = argument
            places = _repeat(least, most, body, places, name)
        elif op is ops.AT:
            places = {place for place in places if _is_at(argument, place, name)}
        else:
            wanted = op is ops.ASSERT
            places = {place for place in places if bool(_follow(argument, {place}, name)) is wanted}
        if not places:
            break
    return places


def _repeat(least: int, most: int, body: _Items, places: set[int], name: bytes) -> set[int]:
    for _ in range(least):
        after = _follow(body, places, name)
        if after == places:
            break  # as it would be for ever
        places = after
    reached, edge = set(places), places
    for _ in range(min(most - least, LONGEST)):
        edge = _follow(body, edge, name) - reached
        if not edge:
            break
        reached |= edge
    return reached


def _is_at(where: Any, place: int, name: bytes) -> bool:
    if where in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
        return place == 0
    if where is ops.AT_END:
        return place == len(name) or (place == len(name) - 1 and name[place] == _NEWLINE)
    if where is ops.AT_END_STRING:
        return place == len(name)
    before = place > 0 and name[place - 1] in _WORD
    after = place < len(name) and name[place] in _WORD
    return (before is not after) is (where is ops.AT_BOUNDARY)
