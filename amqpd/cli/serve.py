"""Runs the broker in this process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from ..config import Config, misspelt
from ..daemon import run
from ..log import configure, get_logger
from ..process import Attendant
from ..process.files import DataFolderFile
from ..process.systemd import Systemd


def serve(config: Config, attendants: Sequence[Attendant] = (), log: TextIO | None = None) -> int:
    """Run until stopped; returns the exit code. Raises StartupError when the broker cannot start."""
    output = configure(config.log_level, config.log_format, log)
    for line in misspelt(os.environ):
        get_logger().warning(line)
    always: list[Attendant] = [Systemd(os.environ)]
    if not config.memory:
        always.append(DataFolderFile(Path(config.data_dir)))
    return run(config, output, [*attendants, *always])
