"""Options of a broker, as `amqpd`, `amqpd run` and `amqpd exec` take them, and the settings they make up."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from ..config import Config

_Command = TypeVar("_Command", bound=Callable[..., Any])

HTTP_OFFSET: Final = 10_000
"""The HTTP API's port is so far above AMQP's unless it is chosen, as with RabbitMQ's 5672 and 15672."""

_FILE: Final = click.Path(path_type=Path, readable=False)

_SERVER: Final = (
    click.option(
        "-c",
        "--config",
        "file",
        type=_FILE,
        metavar="FILE",
        help="Settings: an amqpd.toml, a rabbitmq.conf or .config, or a folder such as /etc/rabbitmq.",
    ),
    click.option("--strict-config", is_flag=True, help="Refuse unknown keys in rabbitmq.conf, as RabbitMQ does."),
    click.option(
        "--definitions",
        type=_FILE,
        metavar="FILE",
        help="Import definitions, as RabbitMQ exports them, from a file, or from a folder of such.",
    ),
    click.option("--definitions-env", is_flag=True, default=None, help="${NAME} in them is a variable's value."),
    click.option(
        "--strict-definitions", is_flag=True, default=None, help="With them no default vhost and user, as in RabbitMQ."
    ),
    click.option("-D", "--data-dir", metavar="DIR", help="Folder for what is durable.  [default: .amqpd]"),
    click.option("--memory", is_flag=True, default=None, help="Keep everything in memory; nothing survives a restart."),
    click.option("-b", "--bind", metavar="ADDR", help="Address to listen on.  [default: 127.0.0.1]"),
    click.option("-p", "--port", type=click.IntRange(0, 65535), help="Port for AMQP; 0 = a free one.  [default: 5672]"),
    click.option(
        "--http-port", type=click.IntRange(0, 65535), help="Port for the HTTP API; 0 = a free one.  [default: 15672]"
    ),
    click.option("--no-http", is_flag=True, default=None, help="No HTTP API."),
    click.option(
        "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Least severity logged."
    ),
    click.option("--log-format", type=click.Choice(["console", "json"]), help="Lines for people, or JSON."),
    click.option("--log-file", type=_FILE, metavar="FILE", help="Append the log to a file instead of showing it."),
)

_CONTRACT: Final = (
    click.option(
        "--print-json",
        is_flag=True,
        help="Once ready, print a line of JSON (pid, ports, urls, data_dir, version); the log goes to standard error.",
    ),
    click.option(
        "--write-url", type=_FILE, metavar="FILE", help="Once ready, write the URL to a file; remove it at the end."
    ),
    click.option(
        "--pidfile", type=_FILE, metavar="FILE", help="Write the process id to a file; refuse that of a running broker."
    ),
    click.option("--detach", is_flag=True, help="Run in the background, and log to a file."),
    click.option("--wait", is_flag=True, help="With --detach: return when connections are accepted, or cannot be."),
    click.option("--exit-with-parent", is_flag=True, help="Stop when the process that started this one is gone."),
    click.option("--exit-on-stdin-eof", is_flag=True, help="Stop when standard input ends."),
)


def _adding(options: tuple[Callable[[Any], Any], ...]) -> Callable[[_Command], _Command]:
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


server_options = _adding(_SERVER)
"""What a broker is told: settings, and where its log goes."""

contract_options = _adding(_CONTRACT)
"""How it stands with the process that starts it."""


def configured(
    file: Path | None = None,
    strict_config: bool = False,
    definitions: Path | None = None,
    definitions_env: bool | None = None,
    strict_definitions: bool | None = None,
    data_dir: str | None = None,
    memory: bool | None = None,
    bind: str | None = None,
    port: int | None = None,
    http_port: int | None = None,
    no_http: bool | None = None,
    log_level: str | None = None,
    log_format: str | None = None,
) -> Config:
    """The configuration that options of these names make up, with all the weaker layers."""
    from ..config import Address, default_file, read  # noqa: PLC0415 - commands that run no broker do without

    file = file or default_file(os.environ)
    options: dict[str, Any] = {
        "load_definitions": None if definitions is None else str(definitions),
        "definitions.env": definitions_env,
        "definitions.strict": strict_definitions,
        "data_dir": data_dir,
        "memory": memory,
        "management.enabled": None if no_http is None else not no_http,
        "management.tcp.port": http_port,
        "log.level": log_level,
        "log.format": log_format,
    }
    loaded = read(file, options=options, strict=strict_config)
    if bind is not None or port is not None:
        listeners = loaded.config.tcp_listeners
        first = listeners[0] if listeners else Address("127.0.0.1", 5672)
        address = Address(first.host if bind is None else bind, first.port if port is None else port)
        if port is not None and http_port is None and "management.tcp.port" not in loaded.places:
            options["management.tcp.port"] = port and min(port + HTTP_OFFSET, 65535)
        options["listeners.tcp.default"] = str(address)
        loaded = read(file, options=options, strict=strict_config)
    return loaded.config
