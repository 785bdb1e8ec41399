"""How RabbitMQ's control commands are called: a verb among global options, sysexits codes, a banner for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from ...errors import StartupError

TIMEOUT: Final = 60.0
"""Seconds that commands have, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Call:
    """One command, as it was called."""

    node: str
    quiet: bool
    timeout: float | None
    flags: frozenset[str]  # options that stand alone, by their long names
    pid: int | None
    arguments: tuple[str, ...]

    def banner(self, text: str) -> None:
        """What it is about to do; not with --quiet."""
        if not self.quiet:
            click.echo(text)


class Refused(Exception):
    """The command leaves with this code, and this said on standard error."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


Verb = Callable[[Call], None]

_FLAGS: Final = {
    "offline": ["--offline"],
    "online": ["--online"],
    "all": ["--all"],
    "enabled": ["-E", "--enabled"],
    "implicitly_enabled": ["-e", "--implicitly-enabled"],
    "minimal": ["-m", "--minimal"],
    "verbose": ["-v", "--verbose"],
}


def answer(name: str, arguments: Sequence[str], verbs: Mapping[str, Verb], unknown: Callable[[str], Refused]) -> int:
    """Carry out a command line; returns the exit code. `unknown` says why a verb is none."""
    try:
        call, verb = _parsed(name, arguments, verbs, unknown)
        verb(call)
    except Refused as refused:
        click.echo(str(refused), err=True)
        return refused.code
    except click.UsageError as error:
        click.echo(f"Error (argument validation): {error.format_message()}", err=True)
        return os.EX_USAGE
    except StartupError as error:
        click.echo(f"Error: {error}", err=True)
        return error.exit_code
    return os.EX_OK


def expect(call: Call, least: int, most: int | None = None) -> None:
    """Refuse (64) a call with another number of arguments."""
    if len(call.arguments) < least:
        raise click.UsageError("not enough arguments.")
    if most is not None and len(call.arguments) > most:
        raise click.UsageError("too many arguments.")


def _parsed(
    name: str, arguments: Sequence[str], verbs: Mapping[str, Verb], unknown: Callable[[str], Refused]
) -> tuple[Call, Verb]:
    given = _OPTIONS.make_context(name, list(arguments)).params
    words = [word for word in given["words"] if not word.startswith("-")]
    if not words:
        raise click.UsageError(f"no command; this is one: {name} {next(iter(verbs))}")
    verb, *rest = words
    if verb not in verbs:
        raise unknown(verb)  # whose options are not ours to judge
    strange = [word for word in given["words"] if word.startswith("-")]
    if strange:
        raise click.UsageError(f"Invalid options for this command: {', '.join(strange)}")
    if given["formatter"] not in (None, "table", "pretty_table"):
        raise Refused(f"Error: the formatter '{given['formatter']}' is not there", os.EX_UNAVAILABLE)
    call = Call(
        given["node"] or os.environ.get("RABBITMQ_NODENAME") or f"amqpd@{platform.node()}",
        given["quiet"] or given["silent"],
        given["timeout"],
        frozenset(flag for flag in _FLAGS if given[flag]),
        given["pid"],
        tuple(rest),
    )
    return call, verbs[verb]


_OPTIONS: Final = click.Command(
    "command",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    params=[
        click.Option(["-n", "--node"]),
        click.Option(["-q", "--quiet"], is_flag=True),
        click.Option(["-s", "--silent"], is_flag=True),
        click.Option(["-l", "--longnames"], is_flag=True),
        click.Option(["-p", "--vhost"]),
        click.Option(["--formatter"]),
        click.Option(["--no-table-headers"], is_flag=True),
        click.Option(["-t", "--timeout"], type=click.FloatRange(min=0)),
        click.Option(["--pid", "-P"], type=int),
        *(click.Option([*spelt, flag], is_flag=True) for flag, spelt in _FLAGS.items()),
        click.Argument(["words"], nargs=-1, type=click.UNPROCESSED),
    ],
)
