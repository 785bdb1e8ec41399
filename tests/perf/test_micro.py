"""The micro benchmarks still fit what they time."""

from __future__ import annotations

import itertools

import bench_commit
import bench_dispatch
import bench_reader
import bench_route


def test_each_case_works() -> None:
    modules = (bench_reader, bench_route, bench_dispatch, bench_commit)
    names = set()
    for case in itertools.chain.from_iterable(module.cases() for module in modules):
        case.work(case.prepare())
        names.add(case.name)
    assert len(names) >= len(modules)
