"""What the operating system says of memory and disk: plausible here, and exact for made-up control groups."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import pytest

from amqpd import machine

PHYSICAL = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def group(folder: Path, name: str, limit: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(limit + "\n")


def total(tmp_path: Path, membership: str) -> int:
    file = tmp_path / "membership"
    file.write_text(membership)
    return machine.total_memory(tmp_path / "cgroup", file)


def test_without_control_groups_it_is_all_of_the_machine(tmp_path: Path) -> None:
    assert machine.total_memory(tmp_path, tmp_path / "none") == PHYSICAL
    assert 0 < machine.total_memory() <= PHYSICAL


def test_the_lowest_limit_of_a_control_group_and_those_around_it_counts(tmp_path: Path) -> None:
    root = tmp_path / "cgroup"
    group(root / "a" / "b" / "c", "memory.max", "max")
    group(root / "a" / "b", "memory.max", "12345678")
    group(root / "a", "memory.max", "99999999")
    assert total(tmp_path, "0::/a/b/c\n") == 12345678


def test_in_a_container_the_group_is_the_root(tmp_path: Path) -> None:
    group(tmp_path / "cgroup", "memory.max", "1000000")
    assert total(tmp_path, "0::/\n") == 1000000


def test_control_groups_of_the_first_version_count_too(tmp_path: Path) -> None:
    group(tmp_path / "cgroup" / "memory" / "docker" / "x", "memory.limit_in_bytes", "2000000")
    assert total(tmp_path, "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n") == 2000000


def test_a_limit_beyond_the_machine_is_none(tmp_path: Path) -> None:
    group(tmp_path / "cgroup", "memory.max", str(1 << 62))
    assert total(tmp_path, "0::/\n") == PHYSICAL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_memory_that_is_taken_shows() -> None:
    before = machine.resident_memory()
    assert before is not None
    taken = bytearray(os.urandom(1 << 20)) * 64
    during = machine.resident_memory()
    assert during is not None
    assert during - before > 48 << 20
    del taken
    machine.give_memory_back()
    after = machine.resident_memory()
    assert after is not None
    assert after < during - (48 << 20)


def test_free_space_is_that_of_the_folder(tmp_path: Path) -> None:
    assert machine.free_space(tmp_path) > 0
    with pytest.raises(FileNotFoundError):
        machine.free_space(tmp_path / "none")


def test_as_many_descriptors_as_allowed_are_taken() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        assert machine.allow_descriptors() == hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
