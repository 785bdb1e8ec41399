"""How commands end when what they say cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import CLEAN, PATIENCE

PROGRAMS = {
    "amqpd": "import amqpd.cli.main as it; it.main(['config', 'keys'])",
    "amqpctl": "import amqpd.cli.ctl.main as it; it.main(['help'])",
    "amqpadmin": "import amqpd.cli.admin.main as it; it.main(['help', 'subcommands'])",
}


def run(program: str, redirection: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in CLEAN.items() if name != "PYTHONUNBUFFERED"}
    line = f'exec "$0" -c "$1" {redirection}'
    return subprocess.run(
        ["/bin/bash", "-c", line, sys.executable, PROGRAMS[program]],
        env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_nobody_who_reads_is_no_trouble(program: str) -> None:
    done = run(program, ">&-")
    assert (done.returncode, done.stdout, done.stderr) == (os.EX_OK, "", "")
    done = run(program, "| head -n 1; echo ${PIPESTATUS[0]} >&2")
    assert done.stderr in ("0\n", "1\n")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_told(program: str) -> None:
    done = run(program, ">/dev/full")
    assert (done.returncode, done.stderr) == (os.EX_IOERR, f"{program}: No space left on device\n")
