"""The measurements of limits.toml: what they are and what they show."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brokers import Broker
from scale import KINDS
from scenarios import Measure, Run, tidy

FILE = Path(__file__).with_name("limits.toml")


@dataclass(frozen=True)
class Limit:
    """A measurement with the most, or the least, it may come to."""

    name: str
    title: str
    kind: str
    options: Mapping[str, Any]
    measures: tuple[Measure, ...]
    environment: Mapping[str, str]
    without: tuple[str, ...]  # brokers not to run it on
    runs: int | None  # at most

    def run(self, broker: Broker) -> Run:
        """Measure it. Raises LoadError, OSError or RuntimeError when that cannot be done."""
        return tidy(KINDS[self.kind](broker, **self.options))


def load_limits(*, quick: bool = False) -> list[Limit]:
    """The measurements of the file, in its order."""
    return [_limit(entry, quick) for entry in tomllib.loads(FILE.read_text())["limit"]]


def _limit(entry: Mapping[str, Any], quick: bool) -> Limit:
    options = {**entry.get("options", {}), **(entry.get("quick", {}) if quick else {})}
    return Limit(
        name=entry["name"],
        title=entry["title"].format(**options),
        kind=entry["kind"],
        options=options,
        measures=tuple(_measure(shown) for shown in entry["shows"]),
        environment=entry.get("environment", {}),
        without=tuple(entry.get("without", ())),
        runs=entry.get("runs"),
    )


def _measure(shown: Mapping[str, Any]) -> Measure:
    return Measure(
        label=shown["title"],
        path=tuple(shown["value"].split(".")),
        unit=shown["unit"],
        most=shown.get("most"),
        least=shown.get("least"),
    )
