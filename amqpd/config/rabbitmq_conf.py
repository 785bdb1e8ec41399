"""The format of rabbitmq.conf: which keys a text sets, and where. What they mean is in `rabbitmq_keys`.

`key = value` on each line; a key is words of letters, digits, `_` and `-` joined by dots (`\\.` is a dot in a word).
`#` begins a comment, unless within 'single quotes'; `include FILE` takes in others; `$(NAME)` stands for a variable of
the environment, or another key's value. When a key comes again, the last counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import StartupError

_KEY: Final = r"(?:\\\.|[A-Za-z0-9_-])+(?:\.(?:\\\.|[A-Za-z0-9_-])+)*"
_SETTING: Final = re.compile(
    rf"[ \t]*({_KEY})[ \t]*=[ \t]*(?:'([^']*)'[ \t]*(?:#.*)?|([^#]*?)[ \t]*(?:#.*)?)", re.DOTALL
)
_INCLUDE: Final = re.compile(r"[ \t]*include[ \t]+([A-Za-z0-9_.*/-]+)[ \t]*(?:#.*)?")
_NOTHING: Final = re.compile(r"[ \t]*(?:#.*)?", re.DOTALL)
_REFERENCE: Final = re.compile(r"\$\(([^()\s]+)\)")
_DOT: Final = re.compile(r"(?<!\\)\.")


class Entry(NamedTuple):
    """A key and its value, as text."""

    key: str
    value: str
    place: str  # FILE:LINE

    @property
    def words(self) -> list[str]:
        """The key's words, without the backslashes."""
        return words_of(self.key)


def words_of(key: str) -> list[str]:
    return [word.replace("\\.", ".") for word in _DOT.split(key)]


def as_word(name: str) -> str:
    """A name as a word of a key."""
    return name.replace(".", "\\.")


def read_file(file: Path, within: tuple[Path, ...] = ()) -> list[Entry]:
    """What a file sets, with those it includes. Raises StartupError: 66 when it cannot be read, 78 naming the line."""
    found = []
    for entry in parse(text_of(file), str(file)):
        if entry.key:
            found.append(entry)
            continue
        pattern = file.parent / entry.value
        included = sorted(pattern.parent.glob(pattern.name)) if "*" in pattern.name else [pattern]
        for path in included:
            if path in (*within, file):
                raise StartupError(f"{entry.place}: {path} includes itself", os.EX_CONFIG)
            found += read_file(path, (*within, file))
    return found


def parse(text: str, file: str) -> list[Entry]:
    """The entries of a text, in their order; an include has no key, and the file as its value."""
    found = []
    for number, ended in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        place, line = f"{file}:{number}", ended.removesuffix("\r")
        if setting := _SETTING.fullmatch(line):
            key, quoted, plain = setting.groups()
            if quoted is None and not plain:
                raise StartupError(f"{place}: '{key}' has no value", os.EX_CONFIG)
            found.append(Entry(key, plain if quoted is None else quoted, place))
        elif included := _INCLUDE.fullmatch(line):
            found.append(Entry("", included[1], place))
        elif not _NOTHING.fullmatch(line):
            raise StartupError(f"{place}: {line.strip()[:80]!r} is not 'key = value'", os.EX_CONFIG)
    return found


def resolved(entries: Iterable[Entry], environment: Mapping[str, str]) -> list[Entry]:
    """The entries that count, with what `$(NAME)` in them stands for."""
    found = last_of(entries)
    last = {entry.key: entry for entry in found}

    def value_of(entry: Entry, within: tuple[str, ...]) -> str:
        def replacement(match: re.Match[str]) -> str:
            name = match[1]
            if name in environment:
                return environment[name]
            if name in last and name not in within:
                return value_of(last[name], (*within, name))
            problem = "refers to itself" if name in within else "is neither in the environment nor a key"
            raise StartupError(f"{entry.place}: '{entry.key}': $({name}) {problem}", os.EX_CONFIG)

        return _REFERENCE.sub(replacement, entry.value)

    return [entry._replace(value=value_of(entry, (entry.key,))) for entry in found]


def last_of(entries: Iterable[Entry]) -> list[Entry]:
    """Of entries with the same key the last one."""
    last: dict[str, Entry] = {}
    for entry in entries:
        last.pop(entry.key, None)
        last[entry.key] = entry
    return list(last.values())


def text_of(file: Path) -> str:
    """A file's text. Raises StartupError 66 when it cannot be read, 78 when it is not UTF-8."""
    try:
        data = file.read_bytes()
    except (OSError, ValueError) as error:  # the latter is for names with a zero byte
        reason = getattr(error, "strerror", None) or error
        raise StartupError(f"cannot read configuration file {file}: {reason}", os.EX_NOINPUT) from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StartupError(f"{file}:{line}: the text is not UTF-8", os.EX_CONFIG) from error
