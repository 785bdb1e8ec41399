"""Load on an AMQP broker: publishes and consumes, and prints what came of it.

    .venv/bin/python perf/load.py -z 5                        flat out, 16-byte bodies, every delivery acked
    .venv/bin/python perf/load.py -a -s 1000                  automatic acks, 1,000 bytes
    .venv/bin/python perf/load.py -f persistent -c 2000       durable; at most 2,000 publishes unconfirmed
    .venv/bin/python perf/load.py -r 5000 -z 10               5,000 a second: shows latency
    .venv/bin/python perf/load.py -e logs -t fanout -u 'q{01..50}' -y 50

Options are named as RabbitMQ's PerfTest names them, where it has them. Ranges in braces stand for several queues,
routing keys, header values or bindings, as in a shell.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from loader.cpu import listening_pids
from loader.frames import LoadError
from loader.report import describe
from loader.run import Result, run
from loader.workload import Workload, parse_table

DEFAULTS = Workload()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    described = argparse.ArgumentParser(
        prog="load.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    option = described.add_argument
    option("-H", "--uri", default="amqp://guest:guest@127.0.0.1:5672/", help="the broker  [%(default)s]")
    option("-x", "--producers", type=int, help="publishing connections  [1]")
    option("-y", "--consumers", type=int, help="consuming connections  [1]")
    option("-u", "--queue", help="queue, or queues as name{01..10}, which producers and consumers go round  [load]")
    option("-s", "--size", type=int, help="bytes of a body  [16]")
    option("-z", "--time", dest="seconds", type=float, help="seconds to publish  [3]")
    option("-C", "--pmessages", type=int, help="messages for each producer to publish, instead of a time")
    option("-D", "--cmessages", type=int, help="deliveries for each consumer, instead of all there are")
    option("-r", "--rate", type=float, help="messages a second for each producer; latency is measured  [flat out]")
    option("-c", "--confirm", type=int, help="publisher confirms, with so many outstanding at most")
    option("-q", "--qos", type=int, help="prefetch count  [no limit]")
    option("-a", "--autoack", action="store_true", default=None, help="automatic acks")
    option("-A", "--multi-ack-every", type=int, help="deliveries settled by one ack  [1]")
    option("-f", "--flag", dest="flags", action="append", help="persistent (queues durable too), mandatory")
    option("-e", "--exchange", help="exchange to publish to  [the default exchange]")
    option("-t", "--type", help="its type  [direct]")
    option("-k", "--routing-key", help="routing key, or keys as a.{0..9}  [the queue's name]")
    option("--headers", help="headers of the messages: name=value,name={0..9}")
    option("--queue-args", type=parse_table, help="arguments of the queues: x-max-length=1000,…")
    option("--binding", dest="bindings", action="append", help="QUEUE:KEY, queues counted from 1: '1:a.{0..9}.#'")
    option("--deliveries", type=int, help="queues that a message reaches, where that is not plain")
    option("--numbered", action="store_true", default=None, help="number the bodies, and check the order of deliveries")
    option("--drain", action="store_true", default=None, help="consume when all is published, not meanwhile")
    option("--keep", action="store_true", default=None, help="use the queues as they are, and leave them")
    option("--limit", type=float, help="seconds after which a run has failed  [120]")
    option("--pid", type=int, action="append", help="broker process to measure; may be repeated  [the one listening]")
    option("--json", action="store_true", help="print the result as JSON")
    option("--quiet", action="store_true", help="no line for each second")
    return described


def main() -> int:
    """Run the command; returns its exit code."""
    described = parser()
    arguments = vars(described.parse_args())
    options = {name: value for name, value in arguments.items() if value is not None and hasattr(DEFAULTS, name)}
    try:
        if "bindings" in options:
            pairs = [binding.partition(":")[::2] for binding in options["bindings"]]
            options["bindings"] = [(int(queue), key) for queue, key in pairs]
        workload = Workload.from_table(options)
    except ValueError as error:
        described.error(str(error))
    pids = arguments["pid"] or listening_pids(arguments["uri"])
    quiet = arguments["quiet"] or arguments["json"]
    try:
        result = run(arguments["uri"], workload, pids, None if quiet else _Progress())
    except (LoadError, OSError) as error:
        print(f"load.py: {error}", file=sys.stderr)
        return 1
    _print(workload, pids, result, as_json=arguments["json"])
    return 0


class _Progress:
    """Prints a line for each second: rates since the last."""

    def __init__(self) -> None:
        self._last = (0.0, 0, 0)

    def __call__(self, seconds: float, sent: int, received: int) -> None:
        before, sent_before, received_before = self._last
        self._last = (seconds, sent, received)
        span = seconds - before
        rates = f"sent: {(sent - sent_before) / span:,.0f} msg/s, received: {(received - received_before) / span:,.0f}"
        print(f"time: {seconds:.1f} s, {rates} msg/s", flush=True)


def _print(workload: Workload, pids: list[int], result: Result, *, as_json: bool) -> None:
    if as_json:
        print(
            json.dumps({"workload": dataclasses.asdict(workload), "pids": pids, **dataclasses.asdict(result)}, indent=1)
        )
        return
    for line in describe(result):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
