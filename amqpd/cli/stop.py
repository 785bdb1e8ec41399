"""`amqpd stop`: ends a broker on this machine, found by its pidfile or its data folder."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

import click

from ..errors import StartupError
from ..process.files import LOCK, holder_of
from .probe import usual_folder

LOOK_EVERY: Final = 0.02


def end(file: Path, what: str, timeout: float) -> int:
    """SIGTERM to the broker that holds this pidfile; returns its process id when it has let go.

    Raises StartupError: 69 when there is none, 75 when it takes too long, 77 when it is not ours to stop.
    """
    deadline = time.monotonic() + timeout
    pid = holder(file)
    if pid is None:
        raise StartupError(f"no broker runs with {what}", os.EX_UNAVAILABLE)
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # gone by itself, just now
    except PermissionError as error:
        raise StartupError(f"may not stop process {pid}: {error.strerror}", os.EX_NOPERM) from error
    while holder(file) == pid:
        if time.monotonic() > deadline:
            raise StartupError(f"process {pid} has not stopped within {timeout:g} s; it was told to", os.EX_TEMPFAIL)
        time.sleep(LOOK_EVERY)
    return pid


def holder(file: Path) -> int | None:
    """`holder_of`, with an error for the user."""
    try:
        return holder_of(file)
    except OSError as error:
        raise StartupError(f"cannot read {file}: {error.strerror}", os.EX_NOINPUT) from error


@click.command()
@click.option("--pidfile", type=click.Path(path_type=Path), metavar="FILE", help="Stop the broker of this pidfile.")
@click.option("-D", "--data-dir", metavar="DIR", help="Stop the broker of this data folder.  [default: .amqpd]")
@click.option("-t", "--timeout", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds.")
def stop(pidfile: Path | None, data_dir: str | None, timeout: float) -> None:
    """Stop a broker on this machine, and wait until it has.

    Leaves with 0 then, with 69 when none runs there, and with 75 when it has not stopped in time.
    """
    if pidfile is not None and data_dir is not None:
        raise click.UsageError("give a pidfile or a data folder, not both")
    if pidfile is not None:
        pid = end(pidfile, f"pidfile {pidfile}", timeout)
    else:
        folder = Path(data_dir or usual_folder(os.environ))
        pid = end(folder / LOCK, f"data folder {folder}", timeout)
    click.echo(f"process {pid} has stopped")
