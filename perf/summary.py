"""The tables of a benchmark's results."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from limits import Limit
from loader.report import table
from results import Results
from scenarios import BASE, FILE, Measure, Run, Scenario, median

Rows = list[list[str]]
Print = Callable[[Rows], Iterable[str]]


def markdown(rows: Rows) -> Iterator[str]:
    """A table as Markdown has it: the first column flush left, the others flush right."""
    first, *others = rows
    for row in (first, ["---", *["---:"] * (len(first) - 1)], *others):
        yield f"| {' | '.join(row)} |"


def summary(
    cases: Sequence[Scenario | Limit], results: Results, names: Sequence[str], show: Print = table
) -> Iterator[str]:
    """The lines of both tables: workloads, then limits. Values are medians."""
    scenarios = [each for each in cases if isinstance(each, Scenario) and each.name in results]
    limits = [each for each in cases if isinstance(each, Limit) and each.name in results]
    if scenarios:
        yield from show(_workloads(scenarios, results, names))
        flatness = list(_flatness(results, names))
        if flatness:
            yield ""
            yield from flatness
    if scenarios and limits:
        yield ""
    if limits:
        yield from show(_limits(limits, results, names))


def _workloads(scenarios: Sequence[Scenario], results: Results, names: Sequence[str]) -> Rows:
    """With ratios of the first broker to each other one."""
    ours, *others = names
    heading = ["workload", *(text for name in names for text in (name, "µs CPU"))]
    heading += [f"{ours}:{name}" for name in others]
    heading += ["loader's cores", "target", "met"]
    return [heading, *(row for each in scenarios for row in _workload(each, results[each.name], names))]


def _workload(scenario: Scenario, results: Mapping[str, list[Run]], names: Sequence[str]) -> Iterator[list[str]]:
    for measure in scenario.measures:
        row = [f"{scenario.title}: {measure.label}" if measure.label else scenario.title]
        values = {name: median(results.get(name, ()), measure.path) for name in names}
        costs = {name: median(results.get(name, ()), measure.cpu_path) for name in names}
        for name, cost in costs.items():
            row.append(measure.text(values[name]) if results.get(name) else "")
            row.append("" if cost is None else f"{cost:.2f}")
        first, *others = values.values()
        row += [f"{first / value:.2f}" if first and value else "" for value in others]
        row.append(_loader_share(results.get(names[0], ())))
        yield [*row, *_verdict(scenario, measure, values, costs)]


def _loader_share(runs: Sequence[Run]) -> str:
    """How busy the loader was with the first broker: the publishing and the consuming process, each of a core."""
    shares = []
    for phase in ("published", "consumed"):
        cost, messages, seconds = (median(runs, (phase, name)) for name in ("loader_cpu", "messages", "seconds"))
        if cost is not None and messages and seconds:
            shares.append(f"{cost * messages / seconds / 1e6:.0%}")
    return " + ".join(shares)


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


def _limits(limits: Sequence[Limit], results: Results, names: Sequence[str]) -> Rows:
    return [
        ["limit", "target", *names, "met"],
        *([*_limit(each, measure, results[each.name], names)] for each in limits for measure in each.measures),
    ]


def _limit(limit: Limit, measure: Measure, results: Mapping[str, list[Run]], names: Sequence[str]) -> Iterator[str]:
    values = [median(results.get(name, ()), measure.path) for name in names]
    yield f"{limit.title}: {measure.label}"
    most, least = measure.most, measure.least
    target = most if least is None else least
    yield "" if target is None else f"{'≤' if least is None else '≥'} {target:,g} {measure.unit}".replace(" /s", "/s")
    for name, value in zip(names, values, strict=True):
        yield measure.text(value) if results.get(name) else ""
    first = values[0]
    if target is None or names[0] == BASE or not results.get(names[0]):
        yield ""
    else:
        yield "yes" if first is not None and (first <= target if least is None else first >= target) else "no"


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
