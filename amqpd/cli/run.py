"""`amqpd run`: a broker in this process, or in the background."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import configured, contract_options, server_options

if TYPE_CHECKING:
    from ..config import Config
    from ..process import Attendant


@click.command()
@server_options
@contract_options
def run(
    print_json: bool,
    write_url: Path | None,
    pidfile: Path | None,
    detach: bool,
    wait: bool,
    exit_with_parent: bool,
    exit_on_stdin_eof: bool,
    log_file: Path | None,
    **settings: Any,
) -> int:
    """Run the broker, as amqpd without a command does."""
    if wait and not detach:
        raise click.UsageError("--wait goes with --detach; to wait for another broker there is: amqpd wait")
    if detach and (exit_with_parent or exit_on_stdin_eof):
        raise click.UsageError("--detach is for a broker that outlives whoever starts it")
    config = configured(**settings)
    from ..process.files import JsonLine, PidFile, url_file  # noqa: PLC0415 - not before the options are right
    from ..process.parent import EndWithInput, EndWithParent  # noqa: PLC0415

    attendants: list[Attendant] = []
    if pidfile is not None:
        attendants.append(PidFile(pidfile))
    if write_url is not None:
        attendants.append(url_file(write_url))
    if exit_with_parent:
        attendants.append(EndWithParent())
    if exit_on_stdin_eof:
        attendants.append(EndWithInput())
    if detach:
        return _in_background(config, attendants, log_file, wait=wait, print_json=print_json)
    if print_json:
        attendants.append(JsonLine(sys.stdout.fileno()))
    from .logs import open_log  # noqa: PLC0415
    from .serve import serve  # noqa: PLC0415 - loads the broker

    log = sys.stderr if print_json else sys.stdout
    if log_file is not None:
        log = os.fdopen(open_log(log_file), "a", encoding="utf-8")
    return serve(config, attendants, log)


def _in_background(
    config: Config, attendants: list[Attendant], log_file: Path | None, *, wait: bool, print_json: bool
) -> int:
    from ..process.child import fork  # noqa: PLC0415
    from .logs import last_lines, open_log_of_detached  # noqa: PLC0415

    file, log = open_log_of_detached(config, log_file)
    begin = os.fstat(log).st_size

    def serve(own: Sequence[Attendant]) -> int:
        from .serve import serve  # noqa: PLC0415 - loads the broker, in its own process only

        return serve(config, [*attendants, *own])

    child = fork(serve, log, tied=False)
    if not wait and not print_json:
        click.echo(f"amqpd starts as process {child.pid}; its log is {file}")
        return os.EX_OK
    try:
        announcement = child.wait_until_ready()
    except KeyboardInterrupt:
        os.kill(child.pid, signal.SIGTERM)
        raise
    if announcement is None:
        code = child.wait()
        click.echo(f"{last_lines(log, begin)}\namqpd: the broker did not start; its log is {file}", err=True)
        return code or os.EX_UNAVAILABLE
    if print_json:
        click.echo(announcement.to_json())
    else:
        click.echo(f"amqpd runs as process {child.pid} at {announcement.url}; its log is {file}")
    return os.EX_OK
