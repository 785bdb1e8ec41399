"""The memory and the disk alarm, with numbers and time moved by hand."""

from __future__ import annotations

import pytest

from amqpd.broker.alarms import LOW_ON_DISK, LOW_ON_MEMORY, Alarms
from amqpd.clock import VirtualClock
from amqpd.errors import OperatorError
from amqpd.watermarks import DISK_INTERVAL, LEAST_INTERVAL, MEMORY_INTERVAL, Threshold, Watermarks
from tests.fakes import RecordingLog

MB = 1_000_000


class Machine:
    """1000 MB of memory, of which the broker uses 100, and 10 GB of free disk; alarms at 600 and at 50 MB."""

    def __init__(self, memory: Threshold = 0.6, disk: Threshold = 50 * MB, *, has_disk: bool = True) -> None:
        self.used = 100 * MB
        self.unused = 0  # of what is used, that may be given back
        self.free = 10_000 * MB
        self.trouble: OSError | None = None
        self.looks: list[str] = []
        self.rooms: list[int] = []  # as they were told
        self.clock = VirtualClock()
        self.log = RecordingLog()
        self.alarms = Alarms()
        self.watermarks = Watermarks(
            self.alarms,
            self.clock,
            self.log,
            node="amqpd@here",
            total=1000 * MB,
            used=self._used,
            free=self._free if has_disk else None,
            memory=memory,
            disk=disk,
            relieve=self._relieve,
            tell_room=self.rooms.append,
        )

    def _used(self) -> int:
        self.looks.append("memory")
        return self.used

    def _free(self) -> int:
        self.looks.append("disk")
        if self.trouble is not None:
            raise self.trouble
        return self.free

    def _relieve(self) -> None:
        self.used -= self.unused
        self.unused = 0

    def logged(self) -> list[str]:
        """What was logged since the last look."""
        texts = [text for _, text, _ in self.log.lines]
        self.log.lines.clear()
        return texts


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.watermarks.start()
    machine.logged()
    machine.looks.clear()
    return machine


# --- memory


def test_more_memory_than_the_watermark_is_an_alarm_until_it_is_less_again(machine: Machine) -> None:
    machine.used = 600 * MB
    machine.clock.advance(MEMORY_INTERVAL)
    assert machine.alarms.reason == ""
    machine.used = 600 * MB + 1
    machine.clock.advance(MEMORY_INTERVAL)
    assert machine.alarms.reason == LOW_ON_MEMORY
    machine.used = 600 * MB
    machine.clock.advance(MEMORY_INTERVAL)
    assert machine.alarms.reason == ""


def test_each_change_is_logged_once_with_numbers(machine: Machine) -> None:
    machine.used = 601 * MB
    machine.clock.advance(10 * MEMORY_INTERVAL)
    assert machine.logged() == [
        "vm_memory_high_watermark set. Memory used:601000000 allowed:600000000",
        "memory resource limit alarm set on node amqpd@here. Publishers will be blocked until this alarm clears",
    ]
    machine.used = 5 * MB
    machine.clock.advance(10 * MEMORY_INTERVAL)
    assert machine.logged() == [
        "vm_memory_high_watermark clear. Memory used:5000000 allowed:600000000",
        "memory resource limit alarm cleared on node amqpd@here",
    ]


def test_the_nearer_the_limit_the_more_often_it_is_looked_at(machine: Machine) -> None:
    def looks(used: int) -> int:
        machine.used = used
        machine.clock.advance(MEMORY_INTERVAL)
        machine.looks.clear()
        machine.clock.advance(10)
        return machine.looks.count("memory")

    assert looks(100 * MB) == 10  # what comes in at 500 MB/s takes a second
    assert looks(350 * MB) == 20
    assert looks(599 * MB) == round(10 / LEAST_INTERVAL)
    assert looks(700 * MB) == 20  # a look that finds too much has freed memory given back, and looks again


def test_far_from_it_it_is_looked_at_now_and_then() -> None:
    machine = Machine(memory=100_000 * MB)
    machine.watermarks.start()
    machine.looks.clear()
    machine.clock.advance(100)
    assert machine.looks.count("memory") == 100 / MEMORY_INTERVAL
    assert machine.looks.count("disk") == 100 / DISK_INTERVAL


def test_memory_that_was_freed_and_kept_is_given_back_before_there_is_an_alarm(machine: Machine) -> None:
    machine.used, machine.unused = 700 * MB, 200 * MB
    machine.clock.advance(MEMORY_INTERVAL)
    assert machine.alarms.reason == ""
    assert machine.watermarks.memory_used == 500 * MB


# --- disk


def test_less_free_space_than_the_limit_is_an_alarm_until_it_is_more_again(machine: Machine) -> None:
    machine.free = 50 * MB
    machine.clock.advance(DISK_INTERVAL)
    assert machine.alarms.reason == ""
    machine.free = 50 * MB - 1
    machine.clock.advance(LEAST_INTERVAL)
    assert machine.alarms.reason == LOW_ON_DISK
    machine.clock.advance(100)
    machine.free = 50 * MB
    machine.clock.advance(1)
    assert machine.alarms.reason == ""
    assert machine.logged() == [
        "Free disk space is insufficient. Free bytes: 49999999. Limit: 50000000",
        "disk resource limit alarm set on node amqpd@here. Publishers will be blocked until this alarm clears",
        "Free disk space is sufficient. Free bytes: 50000000. Limit: 50000000",
        "disk resource limit alarm cleared on node amqpd@here",
    ]


def test_a_write_that_fails_and_little_space_do_not_clear_each_others_alarm(machine: Machine) -> None:
    machine.alarms.raise_(LOW_ON_DISK, "the store")
    machine.free = 0
    machine.clock.advance(DISK_INTERVAL)
    machine.free = 100 * MB
    machine.clock.advance(DISK_INTERVAL)
    assert machine.alarms.reason == LOW_ON_DISK
    machine.free = 0
    machine.clock.advance(DISK_INTERVAL)
    machine.alarms.clear(LOW_ON_DISK, "the store")
    assert machine.alarms.reason == LOW_ON_DISK
    machine.free = 100 * MB
    machine.clock.advance(DISK_INTERVAL)
    assert machine.alarms.reason == ""


def test_both_alarms_may_be_raised(machine: Machine) -> None:
    machine.free, machine.used = 0, 900 * MB
    machine.clock.advance(DISK_INTERVAL)
    assert set(machine.alarms.raised) == {LOW_ON_MEMORY, LOW_ON_DISK}


def test_a_disk_that_cannot_be_looked_at_leaves_the_alarm_as_it_is_and_is_logged_once(machine: Machine) -> None:
    machine.free = 0
    machine.clock.advance(DISK_INTERVAL)
    machine.logged()
    machine.trouble = OSError(5, "input/output error")
    machine.clock.advance(10 * DISK_INTERVAL)
    assert machine.alarms.reason == LOW_ON_DISK
    assert machine.watermarks.disk_free is None
    assert machine.logged() == ["cannot find out how much disk space is free"]
    machine.trouble, machine.free = None, 100 * MB
    machine.clock.advance(DISK_INTERVAL)
    assert machine.alarms.reason == ""


def test_where_there_is_no_disk_none_is_watched() -> None:
    machine = Machine(disk=10**18, has_disk=False)
    machine.watermarks.start()
    machine.watermarks.set_disk_free_limit(10**17)
    machine.clock.advance(100)
    assert machine.alarms.reason == ""
    assert "disk" not in machine.looks


# --- limits


def test_limits_are_bytes_or_shares_of_the_memory() -> None:
    machine = Machine(memory=0.5, disk=1.5)
    assert (machine.watermarks.memory_limit, machine.watermarks.disk_limit) == (500 * MB, 1500 * MB)
    machine = Machine(memory=1, disk=2)
    assert (machine.watermarks.memory_limit, machine.watermarks.disk_limit) == (1, 2)


def test_the_start_logs_them_and_looks_at_once() -> None:
    machine = Machine(memory=0.05)
    machine.watermarks.start()
    assert machine.alarms.reason == LOW_ON_MEMORY
    texts = machine.logged()
    assert "Memory high watermark set to 47 MiB (50000000 bytes) of 953 MiB (1000000000 bytes) total" in texts
    assert "Disk free limit set to 50MB" in texts


def test_they_can_be_changed_at_run_time_with_effect_at_once(machine: Machine) -> None:
    machine.watermarks.set_vm_memory_high_watermark(0.0)
    assert machine.alarms.reason == LOW_ON_MEMORY
    machine.watermarks.set_vm_memory_high_watermark(101 * MB)
    assert machine.alarms.reason == ""
    machine.watermarks.set_disk_free_limit(20_000 * MB)
    assert machine.alarms.reason == LOW_ON_DISK
    machine.watermarks.set_disk_free_limit(1.0)
    assert machine.alarms.reason == ""
    assert "Disk free limit set to 1000MB" in machine.logged()


def test_a_change_does_not_add_to_the_looking(machine: Machine) -> None:
    for _ in range(100):
        machine.watermarks.set_vm_memory_high_watermark(0.6)
        machine.watermarks.set_disk_free_limit(50 * MB)
    machine.looks.clear()
    machine.clock.advance(10)
    assert len(machine.looks) == 11


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan"), float("inf")])
def test_a_watermark_is_a_share_of_what_there_is(machine: Machine, share: float) -> None:
    with pytest.raises(OperatorError, match=r"^The threshold should be a fraction between 0\.0 and 1\.0$"):
        machine.watermarks.set_vm_memory_high_watermark(share)
    assert machine.watermarks.memory_limit == 600 * MB


@pytest.mark.parametrize("limit", [-1, -0.1, float("nan"), float("inf")])
def test_a_limit_is_not_negative(machine: Machine, limit: Threshold) -> None:
    with pytest.raises(OperatorError):
        machine.watermarks.set_disk_free_limit(limit)
    assert machine.watermarks.disk_limit == 50 * MB


def test_after_the_end_nothing_is_looked_at(machine: Machine) -> None:
    machine.watermarks.stop()
    machine.clock.advance(100)
    assert machine.looks == []


# --- a disk that fills faster than time passes


def test_the_disk_is_looked_at_when_much_was_written_for_the_room_there_was(machine: Machine) -> None:
    machine.free = 130 * MB
    machine.watermarks.check_disk()
    machine.looks.clear()
    machine.free = 45 * MB
    machine.watermarks.written(10 * MB)
    assert machine.looks == []
    machine.watermarks.written(1)
    assert machine.looks == ["disk"]
    assert machine.alarms.reason == LOW_ON_DISK


def test_each_look_tells_how_much_the_disk_takes(machine: Machine) -> None:
    machine.rooms.clear()
    for free, room in ((130 * MB, 80 * MB), (50 * MB, 0), (20 * MB, 0)):
        machine.free = free
        machine.watermarks.check_disk()
        assert machine.rooms.pop() == room


def test_writing_without_a_disk_to_watch_is_no_concern() -> None:
    machine = Machine(has_disk=False)
    machine.watermarks.start()
    machine.watermarks.written(1 << 40)
    assert "disk" not in machine.looks
