"""The scenarios of scenarios.toml, and what of a run's result they are about."""

from __future__ import annotations

import dataclasses
import statistics
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brokers import Broker
from loader.frames import LoadError
from loader.run import run
from loader.workload import Workload

FILE = Path(__file__).with_name("scenarios.toml")
BASE = "rabbitmq"
"""The broker that targets refer to."""

Run = dict[str, Any]
"""One run's result as plain data: that of `loader.run.Result`, or {"error": …}."""


_DIGITS = {"/s": ",.0f", "ms": ".3f", "s": ".3f", "MB": ".1f", "KB": ".1f"}


@dataclass(frozen=True)
class Measure:
    """One line of the table: what of a result it shows."""

    label: str
    path: tuple[str, ...]  # of the value in a run
    cpu_path: tuple[str, ...] = ()
    unit: str = "/s"
    most: float | None = None  # a target that has nothing to do with other brokers
    least: float | None = None

    @property
    def lower_is_better(self) -> bool:
        return self.unit != "/s"

    def text(self, value: float | None) -> str:
        """A value in its unit."""
        if value is None:
            return "failed"
        return f"{value:{_DIGITS[self.unit]}}{'' if self.unit == '/s' else ' '}{self.unit}"


@dataclass(frozen=True)
class Scenario:
    """A workload with what is expected of it."""

    name: str
    title: str
    workload: Workload
    target: float | None = None
    cpu: float | None = None
    chart: str = ""  # its label in the chart; empty = not there
    environment: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # brokers not to run it on
    runs: int | None = None  # at most

    def run(self, broker: Broker) -> Run:
        """Run it. Raises LoadError, OSError or RuntimeError when that cannot be done."""
        broker.start()
        result = run(broker.url, self.workload, broker.pids)
        if result.left and self.workload.consumers:
            raise LoadError(f"{result.left} messages were left")
        return tidy(dataclasses.asdict(result))

    @property
    def measures(self) -> Sequence[Measure]:
        """What it is about."""
        workload = self.workload
        if workload.measures_latency:
            latencies = [("", "latency"), ("confirm ", "confirm_latency")][: 2 if workload.confirm else 1]
            return [
                Measure(f"{label}{point}", (name, point), unit="ms")
                for label, name in latencies
                for point in ("p50", "p99")
            ]
        if workload.drains:
            return [Measure(name, (name, "rate"), (name, "broker_cpu")) for name in ("published", "consumed")]
        return [Measure("", ("consumed" if workload.consumers else "published", "rate"), ("broker_cpu",))]


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
                chart=entry.get("chart", ""),
                environment={**like.get("environment", {}), **entry.get("environment", {})},
                without=tuple(entry.get("without", ())),
            )
        )
    return scenarios


def tidy(table: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data without what is empty or nothing, and without digits that mean nothing."""
    return {name: _tidy(value) for name, value in table.items() if value}


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return tidy(value)
    return float(f"{value:.6g}") if isinstance(value, float) else value


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
