"""The benchmark: runs the scenarios of scenarios.toml on amqpd and RabbitMQ by turns, and prints a table.

    .venv/bin/python perf/bench.py                              all of them, three runs each
    .venv/bin/python perf/bench.py --scenarios auto-ack,confirm --runs 5
    .venv/bin/python perf/bench.py --quick                      one short run each, to see that all works
    .venv/bin/python perf/bench.py --json after.json            results in a file, for compare.py
    .venv/bin/python perf/bench.py --tree before=../before      with the amqpd of another source tree
    .venv/bin/python perf/bench.py --broker peer=amqp://guest:guest@127.0.0.1:5673/

Machines are noisy, and the next run finds another machine: only what ran by turns can be compared, and medians and
ratios say more than the numbers. CPU is what the broker's threads ran for a message, in microseconds; the loader's is
that of its publishing and its consuming process, with the first broker.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from brokers import Amqpd, Broker, RabbitMQ
from loader.frames import LoadError
from loader.report import table
from loader.run import run
from scenarios import BASE, FILE, Run, Scenario, load_scenarios, measures, median
from summary import as_json, summary, tidy, value_text


class Bench:
    """Brokers, and what was measured on them."""

    def __init__(self, brokers: list[Broker], runs: int) -> None:
        self.brokers = brokers
        self.runs = runs
        self.results: dict[str, dict[str, list[Run]]] = {}  # by scenario and broker
        self.versions: dict[str, str] = {}
        self._variants: dict[tuple[str, tuple[tuple[str, str], ...]], Broker] = {}

    def measure(self, scenario: Scenario) -> None:
        """Run a scenario on all brokers by turns."""
        brokers = [self._variant(each, scenario) for each in self.brokers if each.name not in scenario.without]
        results: dict[str, list[Run]] = {broker.name: [] for broker in brokers}
        self.results[scenario.name] = results
        for number in range(self.runs):
            for broker in brokers if number % 2 == 0 else reversed(brokers):
                results[broker.name].append(self._run(broker, scenario))

    def stop(self) -> None:
        """Stop what was started."""
        for broker in (*self.brokers, *self._variants.values()):
            try:
                broker.stop()
            except Exception as error:  # the others have to be stopped, too
                print(f"{broker.name} did not stop: {error}", file=sys.stderr, flush=True)

    def _variant(self, broker: Broker, scenario: Scenario) -> Broker:
        """The broker with the environment a scenario asks for; only amqpd has such variants."""
        if not scenario.environment or not isinstance(broker, Amqpd):
            return broker
        key = (broker.name, tuple(sorted(scenario.environment.items())))
        if key not in self._variants:
            self._variants[key] = broker.variant(scenario.environment)
        return self._variants[key]

    def _run(self, broker: Broker, scenario: Scenario) -> Run:
        try:
            broker.start()
            self.versions.setdefault(broker.name, broker.version())
            result = run(broker.url, scenario.workload, broker.pids)
        except (LoadError, OSError, RuntimeError) as error:
            print(f"{scenario.name} on {broker.name}: failed: {error}", file=sys.stderr, flush=True)
            return {"error": str(error)}
        if result.left and scenario.workload.consumers:
            print(f"{scenario.name} on {broker.name}: {result.left} messages left", file=sys.stderr, flush=True)
        measured = tidy(dataclasses.asdict(result))
        shown = ", ".join(
            f"{measure.label or 'rate'} {value_text(measure, median([measured], measure.path))}"
            for measure in measures(scenario.workload)
        )
        print(f"{scenario.name} on {broker.name}: {shown}", file=sys.stderr, flush=True)
        return measured


def machine() -> dict[str, Any]:
    """Where this was measured."""
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    commit = ""
    with contextlib.suppress(OSError):
        command = ["git", "describe", "--always", "--dirty"]
        commit = subprocess.run(command, check=False, capture_output=True, text=True, cwd=FILE.parent).stdout
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": commit.strip(),
    }


def parser() -> argparse.ArgumentParser:
    """The command line."""
    described = argparse.ArgumentParser(
        prog="bench.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    option = described.add_argument
    option("--scenarios", help="names, with commas between  [all]; --list shows them")
    option("--list", action="store_true", help="list the scenarios")
    option("--runs", type=int, help="runs of each scenario on each broker  [3]")
    option("--seconds", type=float, help="seconds to publish in each run  [3, or as the scenario says]")
    option("--quick", action="store_true", help="one run of half a second each, to see that all works")
    option("--json", type=Path, metavar="FILE", help="write the results there")
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


def main() -> int:
    """Run the command; returns its exit code."""
    described = parser()
    arguments = described.parse_args()
    scenarios = load_scenarios(arguments.seconds, quick=arguments.quick)
    if arguments.list:
        print("\n".join(table([["scenario", ""], *([each.name, each.title] for each in scenarios)])))
        return 0
    if arguments.scenarios:
        wanted = arguments.scenarios.split(",")
        if unknown := set(wanted) - {each.name for each in scenarios}:
            described.error(f"no scenario {', '.join(sorted(unknown))}; --list shows those there are")
        scenarios = [each for each in scenarios if each.name in wanted]
    if not (brokers := chosen_brokers(arguments)):
        described.error("no broker is left")
    bench = Bench(brokers, arguments.runs or (1 if arguments.quick else 3))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started here has to be stopped here
    try:
        for scenario in scenarios:
            bench.measure(scenario)
            if arguments.json:
                about = {"machine": machine(), "runs": bench.runs, "brokers": bench.versions}
                arguments.json.write_text(as_json(about, bench.results))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    finally:
        bench.stop()
    print("\n".join(summary(scenarios, bench.results, [broker.name for broker in bench.brokers])))
    return int(any("error" in each for results in bench.results.values() for runs in results.values() for each in runs))


if __name__ == "__main__":
    sys.exit(main())
