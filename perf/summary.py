"""The table of a benchmark's results."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loader.report import table
from scenarios import BASE, FILE, Measure, Run, Scenario, measures, median

Results = Mapping[str, Mapping[str, list[Run]]]
"""By scenario and broker."""


def summary(scenarios: Sequence[Scenario], results: Results, names: Sequence[str]) -> Iterator[str]:
    """The lines of the table: medians for each broker, ratios to RabbitMQ's, or else to the last broker's."""
    base = BASE if BASE in names else names[-1]
    heading = ["workload", *(text for name in names for text in (name, "µs CPU"))]
    heading += [f"{name}:{base}" for name in names if name != base]
    heading += ["loader µs", "target", "met"]
    rows = [row for each in scenarios if each.name in results for row in _rows(each, results[each.name], names, base)]
    yield from table([heading, *rows])
    yield from _flatness(results, names)


def tidy(table: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data without what is empty or nothing, and without digits that mean nothing."""
    return {name: _tidy(value) for name, value in table.items() if value}


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return tidy(value)
    return float(f"{value:.6g}") if isinstance(value, float) else value


def as_json(about: Mapping[str, Any], results: Results) -> str:
    """A result file: one run a line, so that it stays short and a change of it can be read."""
    lines = ["{", *(f"{json.dumps(name)}: {json.dumps(value)}," for name, value in about.items()), '"scenarios": {']
    for scenario, brokers in results.items():
        lines.append(f" {json.dumps(scenario)}: {{")
        for broker, runs in brokers.items():
            lines.append(f"  {json.dumps(broker)}: [")
            lines += _with_commas([f"   {json.dumps(run)}" for run in runs])
            lines.append("  ]" if broker == list(brokers)[-1] else "  ],")
        lines.append(" }" if scenario == list(results)[-1] else " },")
    return "\n".join((*lines, "}", "}", ""))


def _with_commas(lines: list[str]) -> list[str]:
    return [*(f"{line}," for line in lines[:-1]), *lines[-1:]]


def value_text(measure: Measure, value: float | None) -> str:
    """A measured value in its unit."""
    if value is None:
        return "failed"
    return f"{value:.3f} ms" if measure.lower_is_better else f"{value:,.0f}/s"


def _rows(scenario: Scenario, results: Mapping[str, list[Run]], names: Sequence[str], base: str) -> Iterator[list[str]]:
    for measure in measures(scenario.workload):
        row = [f"{scenario.title}: {measure.label}" if measure.label else scenario.title]
        values = {name: median(results.get(name, ()), measure.path) for name in names}
        costs = {name: median(results.get(name, ()), measure.cpu_path) for name in names}
        for name, cost in costs.items():
            row.append(value_text(measure, values[name]) if results.get(name) else "")
            row.append("" if cost is None else f"{cost:.2f}")
        reference = values[base]
        row += [
            f"{value / reference:.2f}" if value and reference else "" for name, value in values.items() if name != base
        ]
        row.append(_loader_cost(results.get(names[0], ())))
        yield [*row, *_verdict(scenario, measure, values, costs)]


def _loader_cost(runs: Sequence[Run]) -> str:
    """Of publishing and of consuming."""
    costs = [median(runs, (phase, "loader_cpu")) for phase in ("published", "consumed")]
    return " + ".join(f"{cost:.2f}" for cost in costs if cost is not None)


def _verdict(
    scenario: Scenario, measure: Measure, values: Mapping[str, float | None], costs: Mapping[str, float | None]
) -> list[str]:
    """Targets, and whether the first broker met them."""
    name = next(iter(values))
    value, base, cost = values[name], values.get(BASE), costs[name]
    wanted: list[str] = []
    met: list[bool] = []
    if scenario.target is not None:
        wanted.append(f"{'<' if measure.lower_is_better else '≥'} {scenario.target:g}x")
        if value and base:
            met.append(value / base < scenario.target if measure.lower_is_better else value / base >= scenario.target)
    if scenario.cpu is not None:
        wanted.append(f"≤ {scenario.cpu:g} µs")
        if cost is not None:
            met.append(cost <= scenario.cpu)
    known = name != BASE and met and len(met) == len(wanted)
    return [", ".join(wanted), ("yes" if all(met) else "no") if known else ""]


def _flatness(results: Results, names: Sequence[str]) -> Iterator[str]:
    """A line for each group of scenarios whose rates have to be about the same."""
    for group in tomllib.loads(FILE.read_text()).get("flat", ()):
        least = 1 - group["within"]
        for name in names:
            medians = [median(results.get(each, {}).get(name, ()), ("consumed", "rate")) for each in group["scenarios"]]
            rates = [rate for rate in medians if rate]
            if name != BASE and len(rates) == len(medians):
                share = min(rates) / max(rates)
                verdict = "met" if share >= least else "not met"
                yield f"{group['title']}, {name}: lowest rate {share:.2f} of the highest; target ≥ {least:g}: {verdict}"
