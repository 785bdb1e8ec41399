"""Draws a result file of bench.py as a chart: messages a second on amqpd and on RabbitMQ, and the CPU each takes.

    .venv/bin/python perf/chart.py perf/results/NAME.json          writes perf/results/NAME.svg

Scenarios with a `chart` label in scenarios.toml have a pair of bars. The picture brings its own background, and follows
the reader's choice of light or dark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from results import About, Results, read, runs_text
from scenarios import BASE, load_scenarios, median

NAMES: Mapping[str, str] = {"amqpd": "amqpd", BASE: "RabbitMQ"}

WIDTH = 840
MARGIN = 24
LABELS = 216  # of the column with the workloads
NUMBERS = 152  # room behind the longest bar
BAR, GAP, GROUP = 13, 2, 44  # heights: of a bar, between two, of a workload
TOP, BOTTOM = 92, 64

STYLE = """
  svg { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, "DejaVu Sans", sans-serif; font-size: 13px }
  .back { fill: #fcfcfb; stroke: #e4e3df } .ink { fill: #0b0b0b } .soft { fill: #52514e }
  .amqpd { fill: #2a78d6 } .rabbitmq { fill: #a9a79f } .axis { stroke: #c9c8c2 }
  .title { font-size: 17px; font-weight: 600 } .number { font-size: 12px; font-variant-numeric: tabular-nums }
  .strong { font-weight: 600 } .light { font-weight: 400 } .small { font-size: 11px }
  @media (prefers-color-scheme: dark) {
    .back { fill: #1a1a19; stroke: #363633 } .ink { fill: #ffffff } .soft { fill: #c3c2b7 }
    .amqpd { fill: #3987e5 } .rabbitmq { fill: #75746d } .axis { stroke: #4a4945 }
  }
"""


@dataclass(frozen=True)
class Bar:
    """One broker's share of a row."""

    broker: str
    rate: float  # messages a second
    cpu: float | None  # microseconds a message


@dataclass(frozen=True)
class Row:
    """One workload."""

    label: str
    bars: list[Bar]


def rows(results: Results) -> list[Row]:
    """What the chart shows: scenarios that are to be in it, and were measured."""
    found = []
    for scenario in load_scenarios(None, quick=False):
        brokers = results.get(scenario.name, {})
        for measure in scenario.measures if scenario.chart else ():
            medians = [(name, median(brokers.get(name, ()), measure.path)) for name in NAMES]
            bars = [
                Bar(name, rate, median(brokers[name], measure.cpu_path)) for name, rate in medians if rate is not None
            ]
            if bars:
                found.append(Row(f"{scenario.chart}{', ' if measure.label else ''}{measure.label}", bars))
    return found


def draw(about: About, shown: list[Row]) -> str:
    """The picture."""
    height = TOP + GROUP * len(shown) + BOTTOM
    scale = (WIDTH - 2 * MARGIN - LABELS - NUMBERS) / max(bar.rate for row in shown for bar in row.bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(_summary(shown))}</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="back" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="ink title" x="{MARGIN}" y="36">Messages a second, and broker CPU for each</text>',
        *_legend(),
    ]
    for number, row in enumerate(shown):
        lines += _row(row, TOP + GROUP * number, scale)
    left = MARGIN + LABELS
    lines.append(f'<path class="axis" d="M{left - 0.5} {TOP - 6}V{TOP + GROUP * len(shown) - 8}"/>')
    for number, text in enumerate(_footer(about)):
        lines.append(f'<text class="soft small" x="{MARGIN}" y="{height - 38 + 16 * number}">{escape(text)}</text>')
    return "\n".join((*lines, "</svg>", ""))


def _legend() -> Iterator[str]:
    place = MARGIN
    for name, text in NAMES.items():
        yield f'<rect class="{name}" x="{place}" y="52" width="12" height="12" rx="3"/>'
        yield f'<text class="soft" x="{place + 18}" y="62.5">{text}</text>'
        place += 96


def _row(row: Row, top: int, scale: float) -> Iterator[str]:
    left = MARGIN + LABELS
    middle = top + (BAR * 2 + GAP) / 2
    yield f'<text class="ink" x="{left - 12}" y="{middle + 4.5}" text-anchor="end">{escape(row.label)}</text>'
    for number, bar in enumerate(row.bars):
        y = top + number * (BAR + GAP)
        length = max(1.5, bar.rate * scale)
        radius = min(3.0, length / 2)
        yield (
            f'<path class="{bar.broker}" d="M{left} {y}h{length - radius:.1f}a{radius:.1f} {radius:.1f} 0 0 1'
            f" {radius:.1f} {radius:.1f}v{BAR - 2 * radius:.1f}a{radius:.1f} {radius:.1f} 0 0 1"
            f' -{radius:.1f} {radius:.1f}h-{length - radius:.1f}z"/>'
        )
        cpu = "" if bar.cpu is None else f'<tspan class="soft light" dx="8">{_two_digits(bar.cpu)} µs</tspan>'
        rate = f"{float(f'{bar.rate:.3g}'):,.0f}"  # more digits would mean nothing
        weight = "ink number strong" if bar.broker != BASE else "soft number"
        yield f'<text class="{weight}" x="{left + length + 8:.1f}" y="{y + BAR - 2.5}">{rate}{cpu}</text>'


def _two_digits(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _footer(about: About) -> Iterator[str]:
    """Where, and what was measured."""
    at, brokers = about["machine"], about["brokers"]
    versions = "; ".join(
        f"{broker['version'].removeprefix('amqpd, ')} ({broker['settings']})" if name != BASE else broker["version"]
        for name, broker in brokers.items()
        if name in NAMES
    )
    yield f"{at['cpu']}, {at['cores']} cores shared with the load generator; {runs_text(about)}"
    yield f"amqpd {versions}; Python {at['python']}"


def _summary(shown: list[Row]) -> str:
    """The chart in words, for those who cannot see it."""
    parts = (f"{row.label}: {', '.join(f'{NAMES[bar.broker]} {bar.rate:,.0f}' for bar in row.bars)}" for row in shown)
    return f"Messages a second. {'; '.join(parts)}"


def main() -> int:
    """Run the command; returns its exit code."""
    described = argparse.ArgumentParser(
        prog="chart.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    described.add_argument("results", type=Path)
    arguments = described.parse_args()
    try:
        about, results = read(arguments.results)
        if not (shown := rows(results)):
            raise ValueError(f"{arguments.results} has no scenario that is in the chart")
    except (OSError, ValueError) as error:
        print(f"chart.py: {error}", file=sys.stderr)
        return 1
    picture = arguments.results.with_suffix(".svg")
    picture.write_text(draw(about, shown))
    print(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
