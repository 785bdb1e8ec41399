"""CPU time and memory of processes (Linux).

The clock ticks of /proc/PID/stat are coarse, and can mislead for threads that sleep and wake thousands of times a
second; the scheduler's own account of each thread, in nanoseconds, does not.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

LISTENING = "0A"


def cpu_nanoseconds(pids: Iterable[int]) -> int:
    """Time the threads of these processes have run so far."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue  # that thread has just ended
    return total


def memory_bytes(pids: Iterable[int]) -> int:
    """Memory these processes occupy now, without the pages of files, which the kernel can take back."""
    return _status_bytes(pids, "RssAnon:")


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory these processes occupy now, pages of files included."""
    return _status_bytes(pids, "VmRSS:")


def _status_bytes(pids: Iterable[int], name: str) -> int:
    return sum(
        int(line.split()[1]) * 1024
        for pid in pids
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith(name)
    )


def listening_pids(url: str) -> list[int]:
    """The processes that listen where this URL points to, if they are on this machine and we may look."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 5672
    try:
        local = socket.getaddrinfo(host, port)[0][4][0] in ("127.0.0.1", "::1")
        inodes = _listening_inodes(port) if local else set()
    except OSError:
        return []
    links = {f"socket:[{inode}]" for inode in inodes}
    return [pid for pid in _pids() if links and _has_link(pid, links)]


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _has_link(pid: int, links: set[str]) -> bool:
    try:
        return any(str(descriptor.readlink()) in links for descriptor in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
