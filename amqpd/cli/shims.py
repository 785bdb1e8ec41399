"""`amqpd shims`: writes scripts with the names of RabbitMQ's commands, which amqpd answers.

They are never installed by themselves: a real RabbitMQ's would be hidden behind them.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Final

import click

from ..errors import StartupError
from .rabbitmq import SCRIPTS

MARK: Final = "made by 'amqpd shims'"


def script(name: str) -> str:
    """A shell script, because an interpreter's path may be longer than a first line can be, or have spaces."""
    python = shlex.quote(sys.executable)
    return f'#!/bin/sh\n# {name}, answered by amqpd; {MARK}\nexec {python} -P -m amqpd.cli.rabbitmq {name} "$@"\n'


@click.command(short_help="Write scripts with the names of RabbitMQ's commands.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Replace files of these names that are something else.")
def shims(folder: Path, force: bool) -> None:
    """Write scripts named rabbitmq-server, rabbitmqctl, rabbitmq-diagnostics, rabbitmq-plugins, rabbitmq-queues,
    rabbitmq-streams, rabbitmq-upgrade and rabbitmqadmin into a folder.

    They are for tools that call RabbitMQ's commands: all but the first are amqpctl and amqpadmin.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not force:
            for name in SCRIPTS:
                if _is_strange(folder / name):
                    raise StartupError(f"{folder / name} is something else; --force replaces it", os.EX_CANTCREAT)
        for name in SCRIPTS:
            temporary = folder / f".{name}.{os.getpid()}"
            temporary.write_text(script(name))
            temporary.chmod(0o755)
            temporary.replace(folder / name)
            click.echo(folder / name)
    except OSError as error:
        raise StartupError(f"cannot write to {folder}: {error.strerror}", os.EX_CANTCREAT) from error


def _is_strange(file: Path) -> bool:
    return file.is_symlink() or (file.exists() and MARK.encode() not in file.read_bytes()[:200])
