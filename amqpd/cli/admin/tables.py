"""Lists as rabbitmqadmin v1 shows them: tables of ASCII, tab-separated, one value a line, for shells, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

FIRST: Final = ("vhost", "name", "type", "source", "destination", "destination_type", "routing_key")
"""Columns that come before the others, which are in alphabetical order."""

Row = list[Any]


def table_of(
    items: Sequence[Mapping[str, Any]], columns: Sequence[str], depth: int, as_json: Sequence[str] = ()
) -> tuple[list[str], list[Row]]:
    """The columns, and the rows. Without columns: all there are, `depth` levels deep; deeper ones are dotted."""
    flat = [dict(_flattened(item, "", 1, sys.maxsize if columns else depth, as_json)) for item in items]
    shown = list(columns) or sorted({name for each in flat for name in each}, key=_order)
    return shown, [[each.get(column, "") for column in shown] for each in flat]


def _order(column: str) -> tuple[int, int, str]:
    return (1, FIRST.index(column), "") if column in FIRST else (2, 0, column)


def _flattened(
    item: Mapping[str, Any], prefix: str, level: int, depth: int, as_json: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    for key, value in item.items():
        column = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping):
            if key in as_json:
                yield column, json.dumps(value)
            elif level < depth:
                yield from _flattened(value, column, level + 1, depth, as_json)
        elif isinstance(value, list):
            yield column, " ".join(value) if all(isinstance(each, str) for each in value) else json.dumps(value)
        else:
            yield column, str(value) if isinstance(value, (int, float)) else value


# --- formats


def ascii_table(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(len(row[place]) for row in [list(columns), *cells]) for place in range(len(columns))]
    rule = "+" + "".join(["-" * (width + 2) + "+" for width in widths])
    yield rule
    yield "|" + "".join([f" {name:^{width}} |" for name, width in zip(columns, widths, strict=True)])
    yield rule
    for row in cells:
        yield "|" + "".join([f" {cell:<{width}} |" for cell, width in zip(row, widths, strict=True)])
    yield rule


def tsv(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    yield "\t".join(columns)
    for row in rows:
        yield "\t".join([_text(value) for value in row])


def long(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    rule = "\n" + "-" * 80 + "\n"
    width = max(map(len, columns))
    yield rule
    for row in rows:
        for name, value in zip(columns, row, strict=True):
            yield f"{name:>{width}}: {value}"
        yield rule


def kvp(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield " ".join([f'{name}="{value}"' for name, value in zip(columns, row, strict=True)])


def bash(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    if "name" in columns:
        place = list(columns).index("name")
        yield " ".join([_text(row[place]) for row in rows])


FORMATS: Final[dict[str, Callable[[Sequence[str], Sequence[Row]], Iterator[str]] | None]] = {
    "raw_json": None,
    "pretty_json": None,
    "tsv": tsv,
    "long": long,
    "table": ascii_table,
    "kvp": kvp,
    "bash": bash,
}
"""By name; None: JSON, as it came or made readable."""


def _text(value: Any) -> str:
    return "" if value is None else str(value)
