"""Two result files of bench.py side by side.

    .venv/bin/python perf/compare.py before.json after.json

Ratios are of what is in the second file to what is in the first. Files of different days hide a different machine:
where RabbitMQ is in both, the last column is the ratio after both were divided by RabbitMQ's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loader.report import table
from scenarios import BASE, load_scenarios, measures, median


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[list[str]]:
    """The rows of the table."""
    yield ["workload", "broker", "before", "after", "ratio", "µs before", "µs after", "ratio", f"against {BASE}"]
    for scenario in load_scenarios(None, quick=False):
        old, new = before.get(scenario.name, {}), after.get(scenario.name, {})
        for measure in measures(scenario.workload):
            label = f"{scenario.name} {measure.label}".rstrip()
            base = _ratio(median(old.get(BASE, ()), measure.path), median(new.get(BASE, ()), measure.path))
            for broker in [name for name in new if name in old]:
                values = [median(results[broker], measure.path) for results in (old, new)]
                costs = [median(results[broker], measure.cpu_path) for results in (old, new)]
                ratio = _ratio(*values)
                yield [
                    label,
                    broker,
                    *(_number(value) for value in values),
                    _number(ratio),
                    *(_number(cost) for cost in costs),
                    _number(_ratio(*costs)),
                    _number(_ratio(base, ratio)) if broker != BASE else "",
                ]


def _ratio(before: float | None, after: float | None) -> float | None:
    return after / before if before and after else None


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def main() -> int:
    """Run the command; returns its exit code."""
    described = argparse.ArgumentParser(
        prog="compare.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    described.add_argument("before", type=Path)
    described.add_argument("after", type=Path)
    arguments = described.parse_args()
    try:
        before, after = (json.loads(path.read_text()) for path in (arguments.before, arguments.after))
        rows = list(compared(before["scenarios"], after["scenarios"]))
    except (OSError, ValueError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 1
    except (KeyError, TypeError):
        print("compare.py: these are not both result files of bench.py", file=sys.stderr)
        return 1
    print("\n".join(table(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
