"""rabbitmq-server: runs amqpd, where RabbitMQ's files and variables are looked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from ..main import main as amqpd

ETC: Final = Path("/etc/rabbitmq")

_FILES: Final = {
    "RABBITMQ_CONFIG_FILE": "rabbitmq.conf",
    "RABBITMQ_CONFIG_FILES": "conf.d",
    "RABBITMQ_ADVANCED_CONFIG_FILE": "advanced.config",
    "RABBITMQ_ENABLED_PLUGINS_FILE": "enabled_plugins",
}


def main(arguments: Sequence[str], _: str = "") -> NoReturn:
    """Run the broker until it stops; with -detached, in the background. Other arguments are amqpd's options."""
    os.environ.update(defaults(os.environ, ETC))
    others = [argument for argument in arguments if argument != "-detached"]
    amqpd([*options(os.environ, detached="-detached" in arguments), *others])


def defaults(environment: Mapping[str, str], etc: Path) -> dict[str, str]:
    """RabbitMQ's usual files, where they are there and no variable names others. A file of enabled plug-ins that is
    named and not there enables none: harnesses name one, and start several brokers that cannot all have port 15672.
    """
    found = {
        variable: str(etc / file)
        for variable, file in _FILES.items()
        if variable not in environment and (etc / file).exists()
    }
    named = environment.get("RABBITMQ_ENABLED_PLUGINS_FILE")
    if named and not Path(named).exists() and "AMQPD_MANAGEMENT_ENABLED" not in environment:
        found["AMQPD_MANAGEMENT_ENABLED"] = "false"
    return found


def options(environment: Mapping[str, str], *, detached: bool) -> list[str]:
    """The options of amqpd for what is about the process; what is about the broker are settings."""
    made = []
    if environment.get("RABBITMQ_PID_FILE"):
        made += ["--pidfile", environment["RABBITMQ_PID_FILE"]]
    if detached:
        made.append("--detach")
        if environment.get("RABBITMQ_LOG_BASE"):
            made += ["--log-file", str(Path(environment["RABBITMQ_LOG_BASE"]) / "amqpd.log")]
    return made
