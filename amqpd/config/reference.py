"""Which of RabbitMQ's keys and variables do what here, as tables in Markdown, made from the tables that decide it."""

from __future__ import annotations

from collections.abc import Iterable

from .environment import ALIASES, VARIABLES
from .findings import Verdict
from .rabbitmq_keys import NOT_YET, ROWS


def reference() -> str:
    """Both tables."""
    return f"{_keys()}\n{_variables()}"


def _keys() -> str:
    effective = [row for row in ROWS if row.works]
    lines = ["| rabbitmq.conf | setting |", "|---|---|"]
    lines += [
        f"| `{row.pattern}` | {'the same' if row.setting == row.pattern else f'`{row.setting}`'} |" for row in effective
    ]
    lines += ["", "| other keys of rabbitmq.conf | |", "|---|---|"]
    waiting = [row.pattern for row in ROWS if row.verdict is Verdict.EFFECTIVE and not row.works]
    reasons = {NOT_YET: waiting}
    for row in ROWS:
        if row.verdict is not Verdict.EFFECTIVE:
            reasons.setdefault(row.note, []).append(row.pattern)
    lines += [f"| {_listed(patterns)} | {note} |" for note, patterns in reasons.items() if patterns]
    return "\n".join(lines) + "\n"


def _variables() -> str:
    lines = ["| variable | |", "|---|---|"]
    for alias, setting in ALIASES.items():
        lines.append(f"| `{alias}` | `{setting}` |")
    reasons: dict[str, list[str]] = {}
    for name, variable in VARIABLES.items():
        if variable.note:
            reasons.setdefault(variable.note, []).append(name)
        elif variable.works:
            lines.append(f"| `{name}` | {f'`{variable.setting}`' if variable.setting else variable.summary} |")
        else:
            reasons.setdefault(NOT_YET, []).append(name)
    lines += [f"| {_listed(names)} | {note} |" for note, names in reasons.items()]
    return "\n".join(lines) + "\n"


def _listed(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in dict.fromkeys(names))
