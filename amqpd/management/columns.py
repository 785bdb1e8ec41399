"""Parts of an object that a query asks for: `columns=name,message_stats.publish` (rabbit_mgmt_util:extract_columns)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .call import Call

NOTHING: Final = object()
"""Stands for what is not there."""


def columns_of(call: Call) -> list[list[str]]:
    """Those asked for, each cut at its dots."""
    return [column.split(".") for column in call.request.query_params.get("columns", "").split(",") if column]


def chosen(call: Call, shown: Any) -> Any:
    """What a GET of an object, or of a list that is short, shows of it."""
    columns = columns_of(call) if call.reading else []
    if not columns:
        return shown
    if isinstance(shown, dict):
        return reduced(shown, columns)
    if isinstance(shown, list):
        return [reduced(each, columns) if isinstance(each, dict) else each for each in shown]
    return shown


def reduced(shown: dict[str, Any], columns: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The columns asked for; dotted ones keep their nesting. All without any."""
    if not columns:
        return shown
    kept: dict[str, Any] = {}
    for column in columns:
        value = value_at(shown, column)
        if value is NOTHING:
            continue
        place = kept
        for part in column[:-1]:
            place = place.setdefault(part, {})
        place[column[-1]] = value
    return kept


def value_at(shown: Any, column: Sequence[str]) -> Any:
    for part in column:
        if not isinstance(shown, Mapping) or part not in shown:
            return NOTHING
        shown = shown[part]
    return shown
