"""What reading a configuration finds: values with the place they come from, and what became of each key."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Verdict(StrEnum):
    """What a key does."""

    EFFECTIVE = "effective"
    ACCEPTED = "accepted"  # nothing, and nothing is missing for it
    IGNORED = "ignored"  # nothing, though one might count on it
    UNKNOWN = "unknown"
    WRONG = "wrong"


class Finding(NamedTuple):
    """What became of one key or variable."""

    verdict: Verdict
    key: str
    place: str
    note: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        match self.verdict:
            case Verdict.EFFECTIVE:
                return f"{where}'{self.key}' is effective"
            case Verdict.WRONG:
                return f"{where}{self.note}"
            case Verdict.UNKNOWN:
                return f"{where}unknown key '{self.key}'" + (f"; {self.note}" if self.note else "")
            case _:
                return f"{where}'{self.key}' has no effect" + (f": {self.note}" if self.note else "")


class Value(NamedTuple):
    """A setting's value as it was written, and where."""

    value: Any
    place: str


@dataclass(slots=True)
class Layer:
    """What one source of settings says."""

    values: dict[str, Value] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, verdict: Verdict, key: str, place: str, note: str = "") -> None:
        self.findings.append(Finding(verdict, key, place, note))

    def set(self, setting: str, value: Any, key: str, place: str, note: str = "") -> None:
        self.values[setting] = Value(value, place)
        self.add(Verdict.EFFECTIVE, key, place, note)
