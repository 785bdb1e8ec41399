"""The benchmark: measures amqpd and RabbitMQ by turns, and prints tables.

    .venv/bin/python perf/bench.py                              all there is, three runs each
    .venv/bin/python perf/bench.py --scenarios auto-ack,'fair-*' --runs 5
    .venv/bin/python perf/bench.py --quick                      one short run each, to see that all works
    .venv/bin/python perf/bench.py --json after.json            results in a file, for compare.py and chart.py
    .venv/bin/python perf/bench.py --runs 5 --medians --json perf/results/NAME.json         those of a milestone
    .venv/bin/python perf/bench.py --markdown after.json        the tables of such a file, for the README
    .venv/bin/python perf/bench.py --tree before=../before      with the amqpd of another source tree
    .venv/bin/python perf/bench.py --broker peer=amqp://guest:guest@127.0.0.1:5673/

scenarios.toml holds workloads, with targets against RabbitMQ; limits.toml measurements with targets of their own.

Machines are noisy, and the next run finds another machine: only what ran by turns can be compared, and medians and
ratios say more than the numbers. CPU is what the broker's threads ran for a message, in microseconds. The loader's
cores are how busy its publishing and its consuming process were with the first broker; at 100 % it is the loader that
was measured.
"""

from __future__ import annotations

import argparse
import fnmatch
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brokers import Amqpd, Broker, RabbitMQ
from limits import Limit, load_limits
from loader.frames import LoadError
from loader.report import table
from results import as_json, heading, machine, medians, read
from scenarios import BASE, Run, Scenario, load_scenarios, median
from summary import markdown, summary

Case = Scenario | Limit


class Bench:
    """Brokers, and what was measured on them."""

    def __init__(self, brokers: list[Broker], runs: int) -> None:
        self.brokers = brokers
        self.runs = runs
        self.results: dict[str, dict[str, list[Run]]] = {}  # by scenario and broker
        self.described: dict[str, dict[str, str]] = {}  # by broker
        self._variants: dict[tuple[str, tuple[tuple[str, str], ...]], Broker] = {}

    @property
    def about(self) -> dict[str, Any]:
        """What a result file says of the results."""
        return {"machine": machine(), "runs": self.runs, "brokers": self.described}

    def measure(self, case: Case) -> None:
        """Measure on all brokers by turns."""
        able = [each for each in self.brokers if each.ours or isinstance(case, Scenario)]  # limits start them afresh
        brokers = [self._variant(each, case) for each in able if each.name not in case.without]
        results: dict[str, list[Run]] = {broker.name: [] for broker in brokers}
        self.results[case.name] = results
        for number in range(min(self.runs, case.runs or self.runs)):
            for broker in brokers if number % 2 == 0 else reversed(brokers):
                results[broker.name].append(self._run(broker, case))

    def stop(self) -> None:
        """Stop what was started."""
        for broker in (*self.brokers, *self._variants.values()):
            try:
                broker.stop()
            except Exception as error:  # the others have to be stopped, too
                print(f"{broker.name} did not stop: {error}", file=sys.stderr, flush=True)

    def _variant(self, broker: Broker, case: Case) -> Broker:
        """The broker with the environment a scenario asks for; only amqpd has such variants."""
        if not case.environment or not isinstance(broker, Amqpd):
            return broker
        key = (broker.name, tuple(sorted(case.environment.items())))
        if key not in self._variants:
            self._variants[key] = broker.variant(case.environment)
        return self._variants[key]

    def _run(self, broker: Broker, case: Case) -> Run:
        try:
            if broker.name not in self.described:
                broker.start()
                self.described[broker.name] = {"version": broker.version(), "settings": broker.settings()}
            measured = case.run(broker)
        except (LoadError, OSError, RuntimeError) as error:
            print(f"{case.name} on {broker.name}: failed: {error}", file=sys.stderr, flush=True)
            return {"error": str(error)}
        shown = ", ".join(
            f"{measure.label or 'rate'} {measure.text(median([measured], measure.path))}" for measure in case.measures
        )
        print(f"{case.name} on {broker.name}: {shown}", file=sys.stderr, flush=True)
        return measured


def parser() -> argparse.ArgumentParser:
    """The command line."""
    described = argparse.ArgumentParser(
        prog="bench.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    option = described.add_argument
    option("--scenarios", metavar="NAMES", help="names, with commas between; may hold * and ?  [all]; --list has them")
    option("--list", action="store_true", help="list the scenarios and limits")
    option("--runs", type=int, help="runs of each scenario on each broker  [3]")
    option("--seconds", type=float, help="seconds to publish in each run  [3, or as the scenario says]")
    option("--quick", action="store_true", help="one run of half a second each, to see that all works")
    option("--json", type=Path, metavar="FILE", help="write the results there")
    option("--medians", action="store_true", help="no single runs in that file, for one that is to be kept")
    option("--markdown", type=Path, metavar="FILE", help="measure nothing: print the tables of a result file")
    option("--env", action="append", default=[], metavar="NAME=VALUE", help="a variable for amqpd; may be repeated")
    option("--tree", action="append", default=[], metavar="NAME=PATH", help="amqpd of another source tree, too")
    option("--broker", action="append", default=[], metavar="NAME=URL[,PID]", help="a running broker, too")
    option("--without", action="append", default=[], metavar="NAME", help="leave out amqpd, or rabbitmq")
    return described


def chosen_brokers(arguments: argparse.Namespace) -> list[Broker]:
    """The brokers to measure; amqpd comes first, RabbitMQ last."""
    brokers: list[Broker] = []
    if "amqpd" not in arguments.without:
        brokers.append(Amqpd("amqpd", dict(pair.split("=", 1) for pair in arguments.env)))
    for pair in arguments.tree:
        name, _, path = pair.partition("=")
        brokers.append(Amqpd(name, tree=Path(path)))
    for pair in arguments.broker:
        name, _, rest = pair.partition("=")
        url, *pids = rest.split(",")
        brokers.append(Broker(name, url, [int(pid) for pid in pids]))
    if BASE not in arguments.without and BASE not in [broker.name for broker in brokers]:
        if RabbitMQ.command():
            brokers.append(RabbitMQ(BASE))
        else:
            print("RabbitMQ is not installed here (no rabbitmq-server): nothing to compare with", file=sys.stderr)
    return brokers


def chosen_cases(arguments: argparse.Namespace) -> list[Case]:
    """What to measure. Raises ValueError for a name that is none."""
    cases: list[Case] = [*load_scenarios(arguments.seconds, quick=arguments.quick), *load_limits(quick=arguments.quick)]
    if not arguments.scenarios:
        return cases
    patterns = arguments.scenarios.split(",")
    for pattern in patterns:
        if not fnmatch.filter([case.name for case in cases], pattern):
            raise ValueError(f"no scenario {pattern}; --list shows those there are")
    return [case for case in cases if any(fnmatch.fnmatchcase(case.name, pattern) for pattern in patterns)]


def print_file(path: Path) -> None:
    """The tables of a result file, as Markdown."""
    about, results = read(path)
    cases = [*load_scenarios(None, quick=False), *load_limits()]
    print("\n".join(f"- {line}" for line in heading(about)), end="\n\n")
    print("\n".join(summary(cases, results, list(about["brokers"]), markdown)))


def run(bench: Bench, cases: Sequence[Case], file: Path | None, *, only_medians: bool) -> bool:
    """Measure it all, and print it; returns whether nothing failed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started here has to be stopped here
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        for case in cases:
            bench.measure(case)
            if file is not None:
                file.write_text(as_json(bench.about, medians(bench.results) if only_medians else bench.results))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    finally:
        bench.stop()
    print("\n".join(heading(bench.about)), end="\n\n")
    print("\n".join(summary(cases, bench.results, [broker.name for broker in bench.brokers])))
    return not any("error" in each for brokers in bench.results.values() for runs in brokers.values() for each in runs)


def main(options: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    described = parser()
    arguments = described.parse_args(options)
    try:
        if arguments.markdown:
            print_file(arguments.markdown)
            return 0
        cases = chosen_cases(arguments)
    except (OSError, ValueError) as error:
        described.error(str(error))
    if arguments.list:
        print("\n".join(table([["scenario", ""], *([each.name, each.title] for each in cases)])))
        return 0
    if not (brokers := chosen_brokers(arguments)):
        described.error("no broker is left")
    bench = Bench(brokers, arguments.runs or (1 if arguments.quick else 3))
    return 0 if run(bench, cases, arguments.json, only_medians=arguments.medians) else 1


if __name__ == "__main__":
    sys.exit(main())
