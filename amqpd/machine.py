"""What the machine has and what this process takes of it: memory, disk space, file descriptors.

Asked of the operating system anew with each call. Where one does not tell (all of it is there on Linux), the answer is
None, and whoever asked has to do without.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from pathlib import Path
from typing import Final

_UNKNOWN_MEMORY: Final = 1 << 30
"""What RabbitMQ assumes on a machine that does not say how much it has."""

_CGROUPS: Final = Path("/sys/fs/cgroup")


def total_memory(cgroups: Path = _CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes of memory this process may use: the machine's, or what its control group is limited to."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        total = _UNKNOWN_MEMORY
    return min([total, *_cgroup_limits(cgroups, membership)])


def _cgroup_limits(cgroups: Path, membership: Path) -> list[int]:
    """The limits of this process's control group and of those around it, of either version."""
    limits: list[int] = []
    with contextlib.suppress(OSError):
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                folder, name = cgroups / path.lstrip("/"), "memory.max"
            elif "memory" in controllers.split(","):
                folder, name = cgroups / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
            else:
                continue
            for each in (folder, *folder.parents):
                if not each.is_relative_to(cgroups):
                    break
                with contextlib.suppress(OSError, ValueError):  # not there, or `max`: none
                    limits.append(int((each / name).read_text()))
    return limits


def resident_memory() -> int | None:
    """Bytes of memory this process occupies, without the files it has mapped: the store's are the kernel's to drop."""
    try:
        fields = Path("/proc/self/statm").read_text().split()
    except OSError:
        return None
    return (int(fields[1]) - int(fields[2])) * resource.getpagesize()


def give_memory_back() -> None:
    """Return to the system what was freed and is kept for later, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def free_space(folder: Path) -> int:
    """Bytes that may still be written to the file system of a folder. Raises OSError."""
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize


def allow_descriptors() -> int:
    """Take as many file descriptors as this process may have at all; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft
