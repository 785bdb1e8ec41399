"""The command `amqpd`. Without a subcommand it runs the broker."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from .. import __version__
from ..compiled import is_compiled
from ..config import default_file, read
from ..errors import StartupError
from .config import config as config_commands

HELP = """A message broker for RabbitMQ's clients (AMQP 0-9-1).

Without options it listens on 127.0.0.1:5672 and keeps what is durable in the folder .amqpd; user guest, password
guest, from this machine only.

\b
    amqpd                         run, and keep what is durable
    amqpd --memory -p 0           a throw-away broker on a free port
    amqpd -D /var/lib/amqpd       keep data there
    amqpd -c amqpd.toml           settings from a file
    AMQPD_HEARTBEAT=10 amqpd      any setting from the environment

Then, for example with pika:

\b
    pika.BlockingConnection(pika.URLParameters("amqp://guest:guest@127.0.0.1:5672/"))

Stop it with Ctrl-C or SIGTERM: clients are told, everything is committed.
"""


HTTP_OFFSET = 10_000
"""The HTTP API's port is so far above AMQP's unless it is chosen, as with RabbitMQ's 5672 and 15672."""


@click.group(
    help=HELP,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.option(
    "-c",
    "--config",
    "file",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Settings: an amqpd.toml, a rabbitmq.conf or .config, or a folder such as /etc/rabbitmq.",
)
@click.option("--strict-config", is_flag=True, help="Refuse unknown keys in rabbitmq.conf, as RabbitMQ does.")
@click.option("-D", "--data-dir", metavar="DIR", help="Folder for what is durable.  [default: .amqpd]")
@click.option("--memory", is_flag=True, default=None, help="Keep everything in memory; nothing survives a restart.")
@click.option("-b", "--bind", metavar="ADDR", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("-p", "--port", type=click.IntRange(0, 65535), help="Port for AMQP; 0 = a free one.  [default: 5672]")
@click.option(
    "--http-port", type=click.IntRange(0, 65535), help="Port for the HTTP API; 0 = a free one.  [default: 15672]"
)
@click.option("--no-http", is_flag=True, default=None, help="No HTTP API.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Least severity logged.")
@click.option("--log-format", type=click.Choice(["console", "json"]), help="Lines for people, or JSON.")
@click.version_option(
    __version__, prog_name="amqpd", message=f"%(prog)s %(version)s ({'compiled' if is_compiled() else 'pure Python'})"
)
@click.pass_context
def amqpd(
    context: click.Context,
    file: Path | None,
    strict_config: bool,
    data_dir: str | None,
    memory: bool | None,
    bind: str | None,
    port: int | None,
    http_port: int | None,
    no_http: bool | None,
    log_level: str | None,
    log_format: str | None,
) -> None:
    if context.invoked_subcommand is not None:
        if file is not None:
            raise click.UsageError(f"-c of '{context.invoked_subcommand}' comes after that word", context)
        return
    file = file or default_file(os.environ)
    options: dict[str, Any] = {
        "data_dir": data_dir,
        "memory": memory,
        "management.enabled": None if no_http is None else not no_http,
        "management.tcp.port": http_port,
        "log.level": log_level,
        "log.format": log_format,
    }
    loaded = read(file, options=options, strict=strict_config)
    if bind is not None or port is not None:
        host, default_port = loaded.config.address
        address = f"[{bind}]" if bind is not None and ":" in bind else bind or host
        if port is not None and http_port is None and "management.tcp.port" not in loaded.places:
            options["management.tcp.port"] = port and min(port + HTTP_OFFSET, 65535)
        options["listeners.tcp.default"] = f"{address}:{default_port if port is None else port}"
        loaded = read(file, options=options, strict=strict_config)
    from .serve import serve  # noqa: PLC0415 - --help and --version answer without loading the broker

    sys.exit(serve(loaded.config))


amqpd.add_command(config_commands)


def main() -> None:
    """Run the command; usage errors and refusals to start become one line and an exit code of sysexits.h."""
    try:
        amqpd.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(os.EX_USAGE)
    except click.Abort:
        sys.exit(130)
    except StartupError as error:
        click.echo(f"amqpd: {error}", err=True)
        sys.exit(error.exit_code)
