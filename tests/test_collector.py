"""The collector stands back while there is work."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from amqpd.clock import VirtualClock
from amqpd.collector import IDLE_SHARE, INTERVAL, IdleCollector, no_collection


class Bench:
    """A collector in a process that works as much as the test says."""

    def __init__(self) -> None:
        self.worked = 0.0
        self.clock = VirtualClock()
        self.collector = IdleCollector(self.clock, lambda: self.worked)
        self.collector.start()

    def pass_interval(self, share: float) -> int:
        """Collections in an interval with this share of work."""
        before = self.collector.collections
        self.worked += share * INTERVAL
        self.clock.advance(INTERVAL)
        return self.collector.collections - before


@pytest.fixture
def bench() -> Iterator[Bench]:
    yield Bench()
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_by_itself(bench: Bench) -> None:
    assert not gc.isenabled()


def test_nothing_is_collected_under_load(bench: Bench) -> None:
    assert [bench.pass_interval(2 * IDLE_SHARE) for _ in range(5)] == [0] * 5


def test_an_idle_process_collects_once(bench: Bench) -> None:
    bench.pass_interval(1.0)
    assert [bench.pass_interval(IDLE_SHARE / 2) for _ in range(3)] == [1, 0, 0]
    bench.pass_interval(1.0)
    assert [bench.pass_interval(0.0) for _ in range(2)] == [1, 0]


def test_collecting_finds_what_became_unreachable(bench: Bench) -> None:
    class Cycle:
        pass

    left = Cycle()
    left.itself = left  # type: ignore[attr-defined]
    del left
    before = sum(isinstance(each, Cycle) for each in gc.get_objects())
    bench.pass_interval(0.0)
    assert before == 1
    assert not any(isinstance(each, Cycle) for each in gc.get_objects())


def test_nobody_collects_while_much_is_made() -> None:
    was = gc.isenabled()
    gc.enable()
    try:
        with no_collection():
            assert not gc.isenabled()
        assert gc.isenabled()
        gc.disable()
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        (gc.enable if was else gc.disable)()
