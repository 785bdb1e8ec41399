"""Lists as rabbitmqadmin v2 shows them: tables in one of its styles, or bare columns for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple


class Style(NamedTuple):
    """What lines are drawn with: rules as (left, line, crossing, right), each may be missing."""

    top: str
    head: str  # below the names
    between: str  # rows
    bottom: str
    side: tuple[str, str, str]  # left, between cells, right


STYLES: Final = {
    "modern": Style("┌─┬┐", "├─┼┤", "├─┼┤", "└─┴┘", ("│", "│", "│")),
    "ascii": Style("+-++", "+-++", "+-++", "+-++", ("|", "|", "|")),
    "psql": Style("", " -+ ", "", "", (" ", "|", " ")),
    "markdown": Style("", "|-||", "", "", ("|", "|", "|")),
    "dots": Style("....", ":.::", "", "....", (":", ":", ":")),
    "sharp": Style("┌─┬┐", "├─┼┤", "", "└─┴┘", ("│", "│", "│")),
    "borderless": Style("", "", "", "", (" ", " ", " ")),
}
"""By name; the first is the usual one."""


def drawn(columns: Sequence[str], rows: Sequence[Sequence[Any]], style: Style) -> Iterator[str]:
    """A table, line by line."""
    cells = [list(columns), *[[text(value) for value in row] for row in rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]

    def rule(letters: str) -> Iterator[str]:
        if letters:
            yield (letters[0] + letters[2].join([letters[1] * (width + 2) for width in widths]) + letters[3]).rstrip()

    left, middle, right = style.side
    yield from rule(style.top)
    for number, row in enumerate(cells):
        if number:
            yield from rule(style.head if number == 1 else style.between)
        yield (
            left + middle.join([f" {cell:<{width}} " for cell, width in zip(row, widths, strict=True)]) + right
        ).rstrip()
    yield from rule(style.bottom)


def bare(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Columns and nothing else."""
    cells = [list(columns), *[[text(value) for value in row] for row in rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for row in cells:
        yield "  ".join([f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]).rstrip()


def text(value: Any) -> str:
    """A value in a cell, on one line."""
    if value is None or value == {} or value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value.replace("\n", " ")
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
