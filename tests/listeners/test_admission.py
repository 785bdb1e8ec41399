"""Who has to go when too many stand at the door."""

from __future__ import annotations

import pytest

from amqpd.clock import VirtualClock
from amqpd.listeners.admission import QUIET, RESERVE, Admission
from tests.fakes import RecordingLog


class Caller:
    """A connection that is told to go, and goes when the test says so."""

    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def log() -> RecordingLog:
    return RecordingLog()


@pytest.fixture
def admission(clock: VirtualClock, log: RecordingLog) -> Admission:
    return Admission(clock, log, handshakes=3)


def arrive(admission: Admission, count: int) -> list[Caller]:
    callers = [Caller() for _ in range(count)]
    for caller in callers:
        admission.arrived(caller)
    return callers


def turned_away(callers: list[Caller]) -> list[bool]:
    return [caller.aborted for caller in callers]


def test_the_one_that_waited_longest_goes(admission: Admission) -> None:
    assert turned_away(arrive(admission, 5)) == [True, True, False, False, False]


def test_those_that_have_logged_in_stay_and_do_not_count(admission: Admission) -> None:
    good = arrive(admission, 3)
    for caller in good:
        admission.admitted(caller)
    others = arrive(admission, 4)
    assert not any(turned_away(good))
    assert turned_away(others) == [True, False, False, False]


def test_those_that_have_left_do_not_count(admission: Admission) -> None:
    for caller in arrive(admission, 3):
        admission.left(caller)
    assert not any(turned_away(arrive(admission, 3)))
    assert admission.connected == 3


def test_who_has_to_go_counts_as_connected_until_it_has_left(admission: Admission) -> None:
    callers = arrive(admission, 4)
    assert (admission.connected, len(admission.waiting)) == (4, 3)
    admission.left(callers[0])
    assert (admission.connected, len(admission.waiting)) == (3, 3)


def test_without_a_limit_all_may_wait(clock: VirtualClock, log: RecordingLog) -> None:
    assert not any(turned_away(arrive(Admission(clock, log), 1000)))


def test_when_descriptors_are_short_one_that_waits_goes_for_the_newcomer(
    clock: VirtualClock, log: RecordingLog
) -> None:
    admission = Admission(clock, log, descriptors=8 * RESERVE)
    room = 8 * RESERVE - RESERVE - RESERVE
    callers = arrive(admission, room)
    assert not any(turned_away(callers))
    (newcomer,) = arrive(admission, 1)
    assert turned_away(callers).count(True) == 1
    assert callers[0].aborted
    assert not newcomer.aborted


def test_and_the_newcomer_itself_when_all_others_have_logged_in(clock: VirtualClock, log: RecordingLog) -> None:
    admission = Admission(clock, log, descriptors=8 * RESERVE)
    for caller in arrive(admission, 6 * RESERVE):
        admission.admitted(caller)
    (newcomer,) = arrive(admission, 1)
    assert newcomer.aborted


def test_it_is_logged_now_and_then_with_numbers(admission: Admission, log: RecordingLog, clock: VirtualClock) -> None:
    arrive(admission, 103)
    assert log.lines == [
        (
            "warning",
            "too many connections have not logged in: closing those that have waited longest",
            {"closed": 1, "connections": 4, "waiting": 3},
        )
    ]
    clock.advance(QUIET)
    arrive(admission, 1)
    assert log.lines[-1][2]["closed"] == 100
    assert len(log.lines) == 2
