"""The command `amqpd` and its subcommands; without one it runs the broker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click

from ..errors import StartupError
from .options import contract_options, server_options

HELP = """A message broker for RabbitMQ's clients (AMQP 0-9-1).

Without options it listens on 127.0.0.1:5672 and keeps what is durable in the folder .amqpd; user guest, password
guest, from this machine only.

\b
    amqpd                         run, and keep what is durable
    amqpd --memory -p 0           a throw-away broker on a free port
    amqpd -D /var/lib/amqpd       keep data there
    amqpd -c amqpd.toml           settings from a file
    AMQPD_HEARTBEAT=10 amqpd      any setting from the environment
    amqpd --detach --wait         run in the background; return once connections are accepted
    amqpd exec -- pytest          run a command with a throw-away broker, AMQP_URL saying where

Then, for example with pika:

\b
    pika.BlockingConnection(pika.URLParameters("amqp://guest:guest@127.0.0.1:5672/"))

Stop it with Ctrl-C or SIGTERM: clients are told, everything is committed.
"""

COMMANDS: Final = {
    "run": "run:run",
    "exec": "exec:execute",
    "ping": "ping:ping",
    "wait": "ping:wait",
    "stop": "stop:stop",
    "publish": "messages.publish:publish",
    "consume": "messages.consume:consume",
    "get": "messages.consume:get",
    "peek": "views.peek:peek",
    "tail": "messages.tail:tail",
    "route": "views.route:route",
    "topology": "views.topology:topology",
    "stat": "views.stat:stat",
    "config": "config:config",
    "shims": "shims:shims",
    "completion": "about:completion",
    "version": "about:version",
}
"""Subcommands, and where each is found once it is called: `amqpd ping` does not load what runs a broker."""


class Commands(click.Group):
    """Loads a subcommand when it is called, or shown in a list."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """None for what is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f".{module}", __package__), name)
        return command


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from .about import version_line  # noqa: PLC0415 - only when asked for

        click.echo(version_line())
        ctx.exit()


@click.group(
    cls=Commands,
    help=HELP,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@server_options
@contract_options
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
@click.pass_context
def amqpd(context: click.Context, /, **options: Any) -> int | None:
    if context.invoked_subcommand is None:
        from .run import run  # noqa: PLC0415 - as any other command, only when it is called

        code: int = context.forward(run)
        return code
    given = [name for name in options if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
    if given:
        raise click.UsageError(f"options of '{context.invoked_subcommand}' come after that word", context)
    return None


def call(arguments: Sequence[str]) -> int:
    """Carry out a command line; errors become one line, and an exit code of sysexits.h, which it returns."""
    try:
        code = amqpd.main(arguments, prog_name="amqpd", standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return os.EX_USAGE
    except click.Abort:
        return 130
    except StartupError as error:
        click.echo(f"amqpd: {error}", err=True)
        return error.exit_code
    return code if isinstance(code, int) else os.EX_OK
