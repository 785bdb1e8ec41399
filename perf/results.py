"""Results as files: what was measured, where, and on what."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scenarios import Run, tidy

Results = Mapping[str, Mapping[str, list[Run]]]
"""By scenario and broker."""

About = Mapping[str, Any]
"""The machine, the number of runs, and each broker's version and settings."""


def machine() -> dict[str, Any]:
    """Where this was measured."""
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    commit = ""
    with contextlib.suppress(OSError):
        command = ["git", "describe", "--always", "--dirty"]
        commit = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).parent).stdout
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "cpu": model,
        "cores": os.cpu_count(),
        "memory": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": platform.platform(),
        "data": _filesystem(tempfile.gettempdir()),
        "python": platform.python_version(),
        "commit": commit.strip(),
    }


def heading(about: About) -> Iterator[str]:
    """Machine, versions and settings in words, a line each."""
    at = about["machine"]
    yield f"{at['date']}, commit {at['commit'] or 'unknown'}, {runs_text(about)}"
    yield (
        f"machine: {at['cpu'] or 'unknown processor'}, {at['cores']} cores, {at.get('memory', '?')} GB;"
        f" {at['system']}, data on {at.get('data') or 'an unknown file system'}; Python {at['python']}"
    )
    for name, broker in about["brokers"].items():
        yield f"{name}: {broker['version']}; {broker['settings']}"


def runs_text(about: About) -> str:
    """What the numbers are made of."""
    return "one run each" if about["runs"] == 1 else f"medians of {about['runs']} runs by turns"


def as_json(about: About, results: Results) -> str:
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


def read(path: Path) -> tuple[About, Results]:
    """What a result file holds. Raises OSError or ValueError when it is none."""
    content = json.loads(path.read_text())
    if not isinstance(content, dict) or not {"machine", "runs", "brokers", "scenarios"} <= content.keys():
        raise ValueError(f"{path} is no result file of bench.py")
    return {name: value for name, value in content.items() if name != "scenarios"}, content["scenarios"]


def medians(results: Results) -> Results:
    """The same with one run for each scenario and broker, made of the medians of what was measured."""
    return {
        scenario: {broker: [_median_run(runs)] for broker, runs in brokers.items()}
        for scenario, brokers in results.items()
    }


def _median_run(runs: Sequence[Run]) -> Run:
    """Failed runs have no say, unless all failed."""
    good = [run for run in runs if "error" not in run] or runs[:1]
    found: Run = {}
    for name in {name: None for run in good for name in run}:
        values = [run[name] for run in good if name in run]
        if isinstance(values[0], dict):
            found[name] = _median_run(values)
        else:
            found[name] = values[0] if isinstance(values[0], str) else statistics.median(values)
    return tidy(found)


def _with_commas(lines: list[str]) -> list[str]:
    return [*(f"{line}," for line in lines[:-1]), *lines[-1:]]


def _filesystem(folder: str) -> str:
    """The kind of file system a folder is on."""
    found, longest = "", -1
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text().splitlines():
            _, place, kind, *_ = line.split()
            if len(place) > longest and Path(folder).resolve().is_relative_to(place):
                found, longest = kind, len(place)
    return found
