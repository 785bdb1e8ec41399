"""The command `amqpd`, run as a process, and waiting for processes that are not our children."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

PATIENCE = 30

OURS = ("AMQPD_", "RABBITMQ_")
"""How variables begin that settings come from."""

CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith((*OURS, "AMQP_", "NOTIFY_", "WATCHDOG_")) or name == "AMQPD_PURE"
} | {"AMQPD_MANAGEMENT_ENABLED": "false"}
"""An environment that says nothing about brokers, except that the HTTP API is off: it has a port of its own."""


def amqpd(
    *options: str | Path, cwd: Path | None = None, stdin: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command until it leaves by itself."""
    return subprocess.run(
        [sys.executable, "-m", "amqpd", *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**CLEAN, **environment},
        cwd=cwd,
        stdin=stdin,
    )


def popen(*options: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """Start the command, with pipes to it."""
    return subprocess.Popen(
        [sys.executable, "-m", "amqpd", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**CLEAN, **environment},
        cwd=cwd,
    )


def refused(*options: str | Path, **environment: str) -> tuple[int, str]:
    """The exit code, and the one line that was said."""
    done = amqpd(*options, **environment)
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("amqpd: ")
    assert "startup complete" not in done.stdout
    return done.returncode, lines[0]


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process, whoever's child it is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([descriptor], [], [], PATIENCE)
        assert ready, f"process {pid} still runs"
    finally:
        os.close(descriptor)


def runs(pid: int) -> bool:
    """Whether there is such a process, that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
