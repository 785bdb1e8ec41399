"""Times small pieces of the broker: nanoseconds an operation, over several rounds."""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

ROUNDS = 7
SECONDS = 0.15
"""Of each round, preparations apart."""

HEADING = ("benchmark", "median ns", "min ns", "rounds")


@dataclass(frozen=True)
class Case:
    """Something to time: each call of `work` with what `prepare` returned does `count` operations."""

    name: str
    count: int
    work: Callable[[Any], object]
    prepare: Callable[[], Any] = lambda: None  # not timed


def measure(case: Case, rounds: int, seconds: float) -> list[float]:
    """Nanoseconds an operation of each round. The cyclic collector is off, as in the serving process."""
    case.work(case.prepare())
    found = []
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        try:
            found.append(_round(case, seconds))
        finally:
            gc.enable()
    return found


def _round(case: Case, seconds: float) -> float:
    clock, work, prepare = time.perf_counter_ns, case.work, case.prepare
    left = int(seconds * 1e9)
    spent = calls = 0
    while spent < left:
        prepared = prepare()
        begun = clock()
        work(prepared)
        spent += clock() - begun
        calls += 1
    return spent / calls / case.count


def table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Lines with columns, the first of which is wide."""
    for first, *others in rows:
        yield f"{first:<58}" + "".join(f"{cell:>12}" for cell in others)


def show(cases: Iterable[Case]) -> None:
    """A script's main function: times the cases and prints a line for each."""
    described = argparse.ArgumentParser()
    described.add_argument("--rounds", type=int, default=ROUNDS)
    described.add_argument("--seconds", type=float, default=SECONDS, help="of each round  [%(default)s]")
    described.add_argument("--only", default="", metavar="TEXT", help="cases whose names hold this text")
    arguments = described.parse_args()
    print(*table([HEADING]), sep="\n")
    for case in cases:
        if arguments.only in case.name:
            found = measure(case, arguments.rounds, arguments.seconds)
            row = (case.name, f"{statistics.median(found):,.0f}", f"{min(found):,.0f}", str(len(found)))
            print(*table([row]), sep="\n", flush=True)
