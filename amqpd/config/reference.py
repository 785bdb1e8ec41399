"""Which of RabbitMQ's keys and variables do what here, as Markdown, made from the tables that decide it."""

from __future__ import annotations

from collections.abc import Iterable

from .environment import ALIASES, VARIABLES
from .findings import Verdict
from .rabbitmq_keys import NOT_YET, ROWS
from .settings import is_setting


def honoured() -> str:
    """The keys and variables that have an effect."""
    working = [row for row in ROWS if row.works]
    lines = ["| rabbitmq.conf | setting |", "|---|---|"]
    lines.append(f"| {_listed(row.pattern for row in working if row.pattern == row.setting)} | of the same name |")
    lines += [f"| `{row.pattern}` | `{row.setting}` |" for row in working if row.pattern != row.setting]
    lines += ["", "| variable | setting |", "|---|---|"]
    lines += [f"| `{alias}` | `{setting}` |" for alias, setting in ALIASES.items() if is_setting(setting)]
    for name, variable in VARIABLES.items():
        if variable.works and not variable.note:
            lines.append(f"| `{name}` | {variable.summary or f'`{variable.setting}`'} |")
    lines.append(
        f"| {_listed(name for name, variable in VARIABLES.items() if variable.works and variable.note)} | files |"
    )
    return "\n".join(lines) + "\n"


def without_effect() -> str:
    """The others that are known, by the reason why they have none."""
    reasons = {NOT_YET: [alias for alias, setting in ALIASES.items() if not is_setting(setting)]}
    for row in ROWS:
        if not row.works:
            reasons.setdefault(row.note if row.verdict is not Verdict.EFFECTIVE else NOT_YET, []).append(row.pattern)
    for name, variable in VARIABLES.items():
        if not variable.works:
            reasons.setdefault(variable.note or NOT_YET, []).append(name)
    lines = ["| without effect | why |", "|---|---|"]
    lines += [f"| {_listed(names)} | {reason} |" for reason, names in reasons.items() if names]
    return "\n".join(lines) + "\n"


def _listed(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)
