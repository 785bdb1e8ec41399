"""Two versions of amqpd side by side.

    .venv/bin/python perf/compare.py --commit HEAD~3               measure: amqpd, that commit, and RabbitMQ by turns
    .venv/bin/python perf/compare.py --commit v0.1 --scenarios 'auto-*' --runs 5
    .venv/bin/python perf/compare.py before.json after.json        measure nothing: two result files of bench.py

With a commit, its sources are taken out into a temporary folder, compiled there if they have a compiled form, and run
by the same interpreter and load generator; all other options are bench.py's. Ratios are those of amqpd as it is here
to the others.

With files, ratios are of what is in the second to what is in the first. Files of different days hide a different
machine: where RabbitMQ is in both, the last column is the ratio after both were divided by RabbitMQ's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import bench
from limits import load_limits
from loader.report import table
from results import Results, read
from scenarios import BASE, load_scenarios, median

from amqpd.compiled import is_compiled

REPOSITORY = Path(__file__).parent.parent
BUILD_TIMEOUT = 600.0


def compared(before: Results, after: Results) -> Iterator[list[str]]:
    """The rows of the table."""
    yield ["workload", "broker", "before", "after", "ratio", "µs before", "µs after", "ratio", f"against {BASE}"]
    for case in (*load_scenarios(None, quick=False), *load_limits()):
        old, new = before.get(case.name, {}), after.get(case.name, {})
        for measure in case.measures:
            label = f"{case.name} {measure.label}".rstrip()
            base = _ratio(median(old.get(BASE, ()), measure.path), median(new.get(BASE, ()), measure.path))
            for broker in [name for name in new if name in old]:
                values = [median(results[broker], measure.path) for results in (old, new)]
                costs = [median(results[broker], measure.cpu_path) for results in (old, new)]
                ratio = _ratio(*values)
                yield [
                    label,
                    broker,
                    *(measure.text(value) for value in values),
                    _number(ratio),
                    *(_number(cost) for cost in costs),
                    _number(_ratio(*costs)),
                    _number(_ratio(base, ratio)) if broker != BASE else "",
                ]


def take_out(revision: str, folder: Path) -> None:
    """Put the sources of a commit there, compiled if they can be. Raises CalledProcessError when git or that fails.

    An archive, unlike a worktree, leaves nothing in the repository when we are interrupted.
    """
    command = ["git", "archive", "--format=tar", revision]
    archive = subprocess.run(command, check=True, capture_output=True, cwd=REPOSITORY).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as sources:
        sources.extractall(folder, filter="data")
    if (folder / "setup.py").exists():
        build = [sys.executable, "setup.py", "build_ext", "--inplace"]
        subprocess.run(build, check=True, capture_output=True, cwd=folder, timeout=BUILD_TIMEOUT)
        if is_compiled() and not any(folder.rglob("*.so")):  # else pure Python would be compared with compiled code
            raise subprocess.CalledProcessError(1, build, stderr=b"nothing was compiled: are Cython and gcc installed?")


def compare_commit(revision: str, options: Sequence[str]) -> int:
    """Measure amqpd as it is here, and as it was there; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="amqpd-compare-") as folder:
        try:
            take_out(revision, Path(folder))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"compare.py: {error}\n{(error.stderr or b'').decode(errors='replace')[-2000:]}", file=sys.stderr)
            return 1
        return bench.main([f"--tree={revision.replace('=', '-')}={folder}", *options])


def compare_files(before: Path, after: Path) -> int:
    """Print what both files have; returns the exit code."""
    try:
        rows = list(compared(read(before)[1], read(after)[1]))
    except (OSError, ValueError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(rows)))
    return 0


def _ratio(before: float | None, after: float | None) -> float | None:
    return after / before if before and after else None


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def main() -> int:
    """Run the command; returns its exit code."""
    described = argparse.ArgumentParser(
        prog="compare.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        usage="%(prog)s --commit REVISION [options of bench.py]\n       %(prog)s BEFORE.json AFTER.json",
    )
    described.add_argument("--commit", metavar="REVISION", help="the commit to compare with")
    arguments, rest = described.parse_known_args()
    if arguments.commit:
        return compare_commit(arguments.commit, rest)
    if len(rest) != 2 or any(option.startswith("-") for option in rest):
        described.error("give a commit, or two files")
    return compare_files(*(Path(name) for name in rest))


if __name__ == "__main__":
    sys.exit(main())
