"""What the operating system says of this process and its disk."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path


def resident_bytes() -> int:
    """Memory the process occupies now; its peak where only that is known."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def memory_total() -> int:
    """Bytes of memory the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def file_descriptors() -> int:
    """How many are open; 0 where that is not known."""
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path.iterdir would do the same, slower
    except OSError:
        return 0


def file_limit() -> int:
    """How many may be open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def disk_free(folder: str) -> int:
    """Bytes free where the folder is; where we are when there is none."""
    return shutil.disk_usage(folder or ".").free


def disk_traffic() -> tuple[int, int]:
    """Bytes this process has read from disks, and written; zeros where that is not known."""
    try:
        found = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return int(found["read_bytes"]), int(found["write_bytes"])
    except (OSError, ValueError, KeyError):
        return 0, 0
