"""Files by which others find a running broker: a process id, a URL, an announcement.

A pidfile is locked as long as its broker lives, so that neither a process that took over the number nor a file left
behind by a crash is taken for a broker. The lock file in a data folder is of the same kind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..errors import StartupError
from .announcement import Announcement
from .attendant import Attendant, Running

ANNOUNCEMENT: Final = "running.json"
"""The file in a data folder that says where its broker listens."""

LOCK: Final = Path("store", "amqpd.lock")
"""The file in a data folder that is locked by its broker."""


def holder_of(file: Path) -> int | None:
    """The process that holds a locked pidfile; None when nobody does, or there is no such file. Raises OSError."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _number(os.pread(descriptor, 32, 0))
    finally:
        os.close(descriptor)
    return None


class PidFile(Attendant):
    """Holds a file with this process's id; gone when it ends in an orderly way."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def prepare(self) -> None:
        """Raises StartupError: 75 when another broker holds the file, 73 when it cannot be, or is something else's."""
        try:
            while not self._take():
                pass
        except OSError as error:
            raise StartupError(f"cannot write pidfile {self._file}: {error.strerror}", os.EX_CANTCREAT) from error

    def stopped(self) -> None:
        """Remove it, and let go."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                if os.path.samestat(self._file.stat(), os.fstat(self._descriptor)):
                    self._file.unlink()
            os.close(self._descriptor)
            self._descriptor = None

    def _take(self) -> bool:
        """Whether it is ours now; not, when its last owner removed it meanwhile."""
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            content = os.pread(descriptor, 64, 0)
            if content and _number(content) is None:
                raise StartupError(f"{self._file} is not a pidfile; it is left as it is", os.EX_CANTCREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StartupError(
                    f"pidfile {self._file} is that of a running amqpd (process {_number(content) or 'unknown'}): stop"
                    " that one, or choose another file",
                    os.EX_TEMPFAIL,
                ) from error
            try:
                if not os.path.samestat(self._file.stat(), os.fstat(descriptor)):
                    return False
            except FileNotFoundError:
                return False
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            self._descriptor, descriptor = descriptor, -1
            return True
        finally:
            if descriptor != -1:
                os.close(descriptor)


class StateFile(Attendant):
    """A file that is there while connections are accepted, whole as soon as it is there."""

    def __init__(self, file: Path, content: Callable[[Announcement], str]) -> None:
        self._file = file
        self._content = content
        self._written: str | None = None

    def prepare(self) -> None:
        """Remove what a broker that was killed left behind. Raises StartupError 73 when it could not be written."""
        try:
            if self._file.exists() and not self._file.is_file():
                raise StartupError(f"cannot write {self._file}: it is there, and not a file", os.EX_CANTCREAT)
            self._file.unlink(missing_ok=True)
            self._temporary.touch()
            self._temporary.unlink()
        except OSError as error:
            raise _cannot_write(self._file, error) from error

    def started(self, running: Running) -> None:
        """Write it, and put it in its place."""
        self._written = self._content(running.announcement) + "\n"
        try:
            self._temporary.write_text(self._written)
            self._temporary.replace(self._file)
        except OSError as error:
            self._temporary.unlink(missing_ok=True)
            raise _cannot_write(self._file, error) from error

    def stopping(self) -> None:
        """Remove it, unless somebody else's is there by now."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if self._file.read_text() == self._written:
                self._file.unlink()

    @property
    def _temporary(self) -> Path:
        return self._file.with_name(f".{self._file.name}.{os.getpid()}")


def url_file(file: Path) -> StateFile:
    """A file with the URL for AMQP."""
    return StateFile(file, lambda announcement: announcement.url)


class DataFolderFile(Attendant):
    """The announcement in the data folder, for commands that are given the folder only."""

    def __init__(self, folder: Path) -> None:
        self._file = StateFile(folder / ANNOUNCEMENT, Announcement.to_json)

    def started(self, running: Running) -> None:
        """A full disk is no reason not to serve."""
        with contextlib.suppress(StartupError):
            self._file.started(running)

    def stopping(self) -> None:
        """The folder's broker listens no more."""
        self._file.stopping()


class JsonLine(Attendant):
    """The announcement as a line on a file descriptor: standard output, or a pipe of somebody who waits."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def started(self, running: Running) -> None:
        """Say it. Whoever started this may have stopped listening."""
        sys.stdout.flush()
        with contextlib.suppress(OSError):
            os.write(self._descriptor, running.announcement.to_json().encode() + b"\n")


def _number(content: bytes) -> int | None:
    text = content.strip()
    return int(text) if text.isdigit() else None


def _cannot_write(file: Path, error: OSError) -> StartupError:
    return StartupError(f"cannot write {file}: {error.strerror}", os.EX_CANTCREAT)
