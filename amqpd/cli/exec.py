"""`amqpd exec`: runs a command with a broker of its own, and leaves nothing behind.

The broker ends with this process, however that ends: it reads from a pipe that only this process holds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from ..errors import StartupError
from .options import configured, server_options

if TYPE_CHECKING:
    from ..config import Config
    from ..process import Announcement, Attendant

FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
FROM_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)
"""Signals that keys send, to all processes in the foreground."""

PATIENCE: Final = 10.0
"""Seconds the broker has to stop."""

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
"""What shells, env and timeout leave with when there is no such command, or when it cannot be run."""


class _Signalled(Exception):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@click.command(
    name="exec",
    context_settings={"allow_interspersed_args": False},
    short_help="Run a command with a throw-away broker.",
)
@server_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD [ARGS]...")
def execute(command: tuple[str, ...], log_file: Path | None, **settings: Any) -> int:
    """Start a broker, run a command, stop the broker, and leave with the command's exit code.

    The broker keeps everything in memory, listens on a free port, and has no HTTP API, unless options say otherwise.
    The command finds it in AMQP_URL, RABBITMQ_URL and CELERY_BROKER_URL; in RABBITMQ_HOST, _PORT, _USER, _USERNAME,
    _PASSWORD and _VHOST; and in AMQPD_PORT and AMQPD_PID. Signals go to the command; after one that ended it, the exit
    code is 128 and its number.

    \b
        amqpd exec -- pytest
        amqpd exec -c amqpd.toml -- sh -c 'celery -A tasks worker'
    """
    if settings["port"] is None:
        settings["port"] = 0
    if settings["data_dir"] is None:
        settings["memory"] = True
    if settings["http_port"] is None:
        settings["no_http"] = True  # which starts faster
    config = configured(**settings)
    from .logs import open_log  # noqa: PLC0415

    if log_file is not None:
        return _Execution(config, open_log(log_file)).run(command)
    with tempfile.TemporaryFile() as log:
        return _Execution(config, log.fileno()).run(command)


class _Execution:
    """A broker, and a command that runs as long as the command likes."""

    def __init__(self, config: Config, log: int) -> None:
        self._config = config
        self._log = log
        self._begin = os.fstat(log).st_size
        self._process: subprocess.Popen[bytes] | None = None  # the command
        self._early: list[int] | None = None  # signals that came while it was being started; None: not yet

    def run(self, command: tuple[str, ...]) -> int:
        """The command's exit code. Raises StartupError when the broker does not start."""
        from ..process.child import fork, shell_code  # noqa: PLC0415

        broker = fork(self._serve, self._log, tied=True)
        for number in FORWARDED:
            signal.signal(number, self._signalled)
        try:
            announcement = broker.wait_until_ready()
            if announcement is None:
                code = broker.wait()
                raise StartupError(f"the broker did not start:\n{self._last_lines()}", code or os.EX_UNAVAILABLE)
            code = shell_code(self._run_command(command, environment(self._config, announcement, os.environ)))
            if broker.ended():
                click.echo(f"amqpd: the broker had ended by itself:\n{self._last_lines()}", err=True)
        except _Signalled as signalled:
            code = 128 + signalled.number
        finally:
            broker.stop(PATIENCE)
        return code

    def _serve(self, attendants: Sequence[Attendant]) -> int:
        from .serve import serve  # noqa: PLC0415 - loads the broker, in its own process only

        os.environ.pop("NOTIFY_SOCKET", None)  # the service is the command
        return serve(self._config, attendants)

    def _run_command(self, command: tuple[str, ...], environment: dict[str, str]) -> int:
        self._early = []
        try:
            self._process = subprocess.Popen(command, env=environment)  # noqa: S603 - that is what we are for
        except OSError as error:
            click.echo(f"amqpd: cannot run {command[0]}: {error.strerror}", err=True)
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        for number in self._early:
            self._process.send_signal(number)
        return self._process.wait()

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if self._process is not None:
            if number not in FROM_TERMINAL or not _in_foreground():
                self._process.send_signal(number)  # not to one that has ended
        elif self._early is not None:
            self._early.append(number)
        else:
            raise _Signalled(number)

    def _last_lines(self) -> str:
        from .logs import last_lines  # noqa: PLC0415

        return last_lines(self._log, self._begin)


def environment(config: Config, announcement: Announcement, others: Mapping[str, str]) -> dict[str, str]:
    """What the command finds the broker by, under the names in use, with the login that the broker was told."""
    from urllib.parse import quote, urlsplit  # noqa: PLC0415

    from ..process import amqp_url  # noqa: PLC0415

    user, password = config.default_user, config.default_pass
    parts = urlsplit(announcement.url)
    host, port = parts.hostname or "", parts.port or 0
    url = amqp_url(host, port, f"{quote(user, safe='')}:{quote(password, safe='')}", parts.scheme, announcement.vhost)
    return {
        **others,
        "AMQP_URL": url,
        "RABBITMQ_URL": url,
        "CELERY_BROKER_URL": url,
        "RABBITMQ_HOST": host,
        "RABBITMQ_PORT": str(port),
        "RABBITMQ_USER": user,
        "RABBITMQ_USERNAME": user,
        "RABBITMQ_PASSWORD": password,
        "RABBITMQ_VHOST": announcement.vhost,
        "AMQPD_PORT": str(port),
        "AMQPD_PID": str(announcement.pid),
    }


def _in_foreground() -> bool:
    """Whether a key that sends a signal sent it to the command as well: this process is in front of a terminal."""
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            if os.isatty(descriptor):
                return os.tcgetpgrp(descriptor) == os.getpgrp()
    return False
