"""Time: timers in order, and a clock that is moved by hand."""

from __future__ import annotations

import time

import pytest

from amqpd.clock import Clock, VirtualClock


def test_the_real_clock_never_steps_back() -> None:
    clock = Clock()
    assert clock.now() <= clock.now()
    assert abs(clock.time() - time.time()) < 60


def test_a_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(100.0)
    assert clock.now() == clock.now() == clock.time() == 100.0
    clock.advance(2.5)
    assert clock.now() == clock.time() == 102.5


def test_a_virtual_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="time cannot go back"):
        VirtualClock().advance(-1)


def test_a_timer_runs_once_when_its_moment_has_come() -> None:
    clock = VirtualClock(0.0)
    rung: list[float] = []
    clock.call_at(5.0, lambda: rung.append(clock.now()))
    clock.advance(4.999)
    assert rung == []
    clock.advance(0.001)
    clock.advance(100)
    assert rung == [5.0]


def test_a_timer_may_be_set_by_its_delay() -> None:
    clock = VirtualClock(100.0)
    assert clock.call_later(5.0, lambda: None).when == 105.0


def test_timers_run_in_order_each_at_its_own_moment() -> None:
    clock = VirtualClock(0.0)
    rung: list[tuple[str, float]] = []
    for name, when in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
        clock.call_at(when, lambda name=name: rung.append((name, clock.now())))  # type: ignore[misc]
    clock.advance(10)
    assert rung == [("a", 1.0), ("b", 2.0), ("c", 3.0)]
    assert clock.now() == 10.0


def test_timers_due_together_run_in_the_order_they_were_set() -> None:
    clock = VirtualClock(0.0)
    rung: list[int] = []
    for number in range(10):
        clock.call_at(1.0, lambda number=number: rung.append(number))  # type: ignore[misc]
    clock.advance(1)
    assert rung == list(range(10))


def test_a_cancelled_timer_does_not_run() -> None:
    clock = VirtualClock(0.0)
    rung: list[str] = []
    timer = clock.call_at(1.0, lambda: rung.append("cancelled"))
    clock.call_at(1.0, lambda: rung.append("kept"))
    timer.cancel()
    timer.cancel()
    clock.advance(2)
    assert rung == ["kept"]
    timer.cancel()


def test_the_deadline_is_that_of_the_nearest_timer_that_is_not_cancelled() -> None:
    clock = VirtualClock(0.0)
    assert clock.deadline() is None
    near = clock.call_at(1.0, lambda: None)
    clock.call_at(2.0, lambda: None)
    assert clock.deadline() == 1.0
    near.cancel()
    assert clock.deadline() == 2.0
    clock.advance(2)
    assert clock.deadline() is None


def test_a_timer_may_set_another_even_for_the_same_moment() -> None:
    clock = VirtualClock(0.0)
    rung: list[float] = []

    def ring() -> None:
        rung.append(clock.now())
        if len(rung) < 3:
            clock.call_later(0.0 if len(rung) == 1 else 1.0, ring)

    clock.call_at(1.0, ring)
    clock.advance(5)
    assert rung == [1.0, 1.0, 2.0]


def test_a_timer_may_cancel_one_that_is_due_with_it() -> None:
    clock = VirtualClock(0.0)
    rung: list[str] = []

    def cancel_second() -> None:
        second.cancel()

    clock.call_at(1.0, cancel_second)
    second = clock.call_at(1.0, lambda: rung.append("second"))
    clock.advance(1)
    assert rung == []


def test_a_timer_that_is_past_runs_at_the_next_chance() -> None:
    clock = VirtualClock(10.0)
    rung: list[float] = []
    clock.call_at(5.0, lambda: rung.append(clock.now()))
    clock.advance(0)
    assert rung == [10.0]


def test_somebody_is_told_when_the_deadline_comes_nearer() -> None:
    clock = VirtualClock(0.0)
    told: list[float | None] = []
    clock.on_earlier = lambda: told.append(clock.deadline())
    clock.call_at(5.0, lambda: None)
    clock.call_at(6.0, lambda: None)
    clock.call_at(5.0, lambda: None)
    clock.call_at(4.0, lambda: None)
    assert told == [5.0, 4.0]


def test_whoever_owns_a_clock_runs_what_is_due() -> None:
    clock = Clock()
    rung: list[str] = []
    clock.call_at(clock.now(), lambda: rung.append("now"))
    clock.call_later(3600, lambda: rung.append("later"))
    clock.run_due()
    assert rung == ["now"]


def test_timers_that_were_cancelled_do_not_pile_up() -> None:
    clock = VirtualClock()
    ran: list[int] = []
    kept = [clock.call_later(1000 - number, lambda number=number: ran.append(number)) for number in range(10)]  # type: ignore[misc]
    for _ in range(1000):
        clock.call_later(2000, lambda: ran.append(-1)).cancel()
    assert len(clock._heap) < 200
    clock.advance(3000)
    assert ran == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert all(timer.callback is None for timer in kept)
