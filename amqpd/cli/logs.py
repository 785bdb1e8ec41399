"""Where a broker logs that is not watched, and what it said last."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import StartupError

if TYPE_CHECKING:
    from ..config import Config

SHOWN: Final = 20
"""Lines of a log that are shown of a broker that did not start."""

LOOKED_AT: Final = 1 << 16
"""Bytes they are looked for in."""


def open_log(file: Path) -> int:
    """A descriptor that appends, and reads. Raises StartupError 73."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StartupError(f"cannot write log file {file}: {error.strerror}", os.EX_CANTCREAT) from error


def open_log_of_detached(config: Config, file: Path | None) -> tuple[Path, int]:
    """The file given; without one, amqpd.log in the data folder, or a temporary file where there is no such folder."""
    if file is None and config.memory:
        descriptor, name = tempfile.mkstemp(prefix="amqpd-", suffix=".log")
        return Path(name), descriptor
    file = file or Path(config.data_dir, "amqpd.log")
    return file.absolute(), open_log(file)


def last_lines(log: int, begin: int) -> str:
    """The end of what was logged since this position."""
    end = os.fstat(log).st_size
    begin = max(begin, end - LOOKED_AT)
    content = os.pread(log, end - begin, begin)
    return "\n".join(content.decode(errors="backslashreplace").splitlines()[-SHOWN:])
