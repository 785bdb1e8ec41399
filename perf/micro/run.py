"""All micro benchmarks: nanoseconds for each operation of a piece of the broker.

.venv/bin/python perf/micro/run.py                    all
.venv/bin/python perf/micro/run.py --only dispatch    some; or run perf/micro/bench_dispatch.py
AMQPD_PURE=1 .venv/bin/python perf/micro/run.py       where the hot path is compiled: without that
"""

from __future__ import annotations

import itertools

import bench_commit
import bench_dispatch
import bench_reader
import bench_route
from timing import show

if __name__ == "__main__":
    show(
        itertools.chain.from_iterable(
            module.cases() for module in (bench_reader, bench_route, bench_dispatch, bench_commit)
        )
    )
