"""The scenarios of scenarios.toml, and what of a run's result they are about."""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loader.workload import Workload

FILE = Path(__file__).with_name("scenarios.toml")
BASE = "rabbitmq"
"""The broker that targets refer to."""

Run = dict[str, Any]
"""One run's result as plain data: that of `loader.run.Result`, or {"error": …}."""


@dataclass(frozen=True)
class Scenario:
    """A workload with what is expected of it."""

    name: str
    title: str
    workload: Workload
    target: float | None = None
    cpu: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # brokers not to run it on


@dataclass(frozen=True)
class Measure:
    """One line of the table: what of a result it shows."""

    label: str
    path: tuple[str, ...]  # of the value in a run
    cpu_path: tuple[str, ...] = ()
    lower_is_better: bool = False


def load_scenarios(seconds: float | None, *, quick: bool) -> list[Scenario]:
    """The scenarios of the file, in its order. Raises ValueError for one that cannot be run."""
    tables = {entry["name"]: entry for entry in tomllib.loads(FILE.read_text())["scenario"]}
    scenarios = []
    for name, entry in tables.items():
        like = tables.get(entry.get("like", ""), {})
        options = {**like.get("workload", {}), **entry.get("workload", {})}
        if quick:
            options |= {"seconds": 0.5} | entry.get("quick", {})
        if seconds is not None:
            options["seconds"] = seconds
        scenarios.append(
            Scenario(
                name=name,
                title=entry["title"],
                workload=Workload.from_table(options),
                target=entry.get("target"),
                cpu=entry.get("cpu"),
                environment={**like.get("environment", {}), **entry.get("environment", {})},
                without=tuple(entry.get("without", ())),
            )
        )
    return scenarios


def measures(workload: Workload) -> list[Measure]:
    """What a workload is about."""
    if workload.measures_latency:
        shown = [Measure(point, ("latency", point), lower_is_better=True) for point in ("p50", "p99")]
        if workload.confirm:
            shown += [
                Measure(f"confirm {point}", ("confirm_latency", point), lower_is_better=True)
                for point in ("p50", "p99")
            ]
        return shown
    if workload.drains:
        return [Measure(name, (name, "rate"), (name, "broker_cpu")) for name in ("published", "consumed")]
    return [Measure("", ("consumed" if workload.consumers else "published", "rate"), ("broker_cpu",))]


def median(runs: Sequence[Run], path: tuple[str, ...]) -> float | None:
    """The median of a value over the runs that have it."""
    values = []
    for each in runs:
        value: Any = each
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            values.append(value)
    return statistics.median(values) if path and values else None
