"""Runs the broker in this process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from ..config import Config
from ..daemon import run
from ..errors import StartupError
from ..log import Log, configure, get_logger
from ..process import Attendant
from ..process.files import DataFolderFile
from ..process.systemd import Systemd
from .leave import give_up_unwritten


def serve(config: Config, attendants: Sequence[Attendant] = (), stream: TextIO | None = None) -> int:
    """Run until stopped; returns the exit code. Raises StartupError when the broker cannot start."""
    motd = _message_of_the_day(config.motd_file)
    output = start_logging(config, stream)
    log = get_logger()
    for line in motd:
        log.info(line)
    for level, text in config.remarks:
        getattr(log, level)(text)
    always: list[Attendant] = [Systemd(os.environ)]
    if not config.memory:
        always.append(DataFolderFile(Path(config.data_dir)))
    code = run(config, output, [*attendants, *always])
    give_up_unwritten()  # a log that nobody can read is no failure
    return code


def start_logging(config: Config, stream: TextIO | None = None) -> Log:
    """Log as it is configured, to this stream as the console. Raises StartupError when a file cannot be written."""
    return configure(
        config.log_level,
        config.log_format,
        stream,
        console=config.log_console,
        console_level=config.log_console_level,
        file=_opened(config.log_path),
        file_level=config.log_file_level,
        file_format=config.log_file_format,
        categories={
            "connection": config.log_connection_level,
            "channel": config.log_channel_level,
            "queue": config.log_queue_level,
        },
    )


def _opened(path: Path | None) -> TextIO | None:
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StartupError(f"cannot write the log to {path}: {reason}", os.EX_CANTCREAT) from error


def _message_of_the_day(path: str) -> list[str]:
    if not path:
        return []
    try:
        return Path(path).read_text(errors="backslashreplace").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StartupError(f"cannot read motd_file {path}: {reason}", os.EX_NOINPUT) from error
