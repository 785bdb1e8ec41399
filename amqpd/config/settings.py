"""Settings: one table of them, filled from defaults, a TOML file, the environment and the command line, in that order.

A key is written `a.b` here, as tables `[a]` in the file, and as `AMQPD_A_B` in the environment. Names are those of
rabbitmq.conf where it has the setting. `conf/amqpd.toml` shows them all.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from ..errors import StartupError

COMPAT_CHOICES: Final = ("default", "3.12", "3.13", "4.0", "4.1", "4.2", "4.3")

MAX_BODY: Final = 512 << 20
"""The largest `max_message_size`, as in RabbitMQ."""

MAX_SIZE: Final = (1 << 63) - 1

_UNITS: Final = {
    "": 1,
    **{prefix + ending: 1000**power for power, prefix in enumerate("kmgt", 1) for ending in ("", "b")},
    **{prefix + "ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}


def _setting(key: str, default: Any, explanation: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"key": key, "explanation": explanation, "choices": choices})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. Sizes are in bytes, and may be given with a unit, such as 64MiB."""

    listener: str = _setting("listeners.tcp.default", "127.0.0.1:5672", "where clients connect; port 0 = any free one")
    data_dir: str = _setting("data_dir", ".amqpd", "folder for what has to survive a restart")
    memory: bool = _setting("memory", False, "keep everything in memory; nothing survives a restart")
    sync: bool = _setting("store.sync", True, "sync every commit; without, a power cut may lose confirmed messages")
    map_size: int = _setting("store.map_size", 1 << 40, "address space for the store, an upper limit for its size")
    lag_limit: int = _setting("store.lag_limit", 64 << 20, "bytes not yet on disk above which publishers wait")
    queue_memory: int = _setting("queue_memory", 96 << 20, "bytes of messages kept in memory; beyond, queues page")
    default_user: str = _setting("default_user", "guest", "user who may log in")
    default_pass: str = _setting("default_pass", "guest", "that user's password")
    loopback_users: tuple[str, ...] = _setting("loopback_users", ("guest",), "users let in from this machine only")
    channel_max: int = _setting("channel_max", 2047, "channels open at a time on a connection; 0 = no limit")
    frame_max: int = _setting("frame_max", 131072, "largest frame, in bytes; 0 = no limit")
    heartbeat: int = _setting("heartbeat", 60, "seconds between heartbeats proposed to clients; 0 = none")
    handshake_timeout: int = _setting("handshake_timeout", 10_000, "milliseconds until a connection must be open")
    consumer_timeout: int = _setting("consumer_timeout", 1_800_000, "milliseconds to settle a delivery; 0 = any time")
    max_message_size: int = _setting("max_message_size", 128 << 20, "largest body, in bytes")
    compat: str = _setting("compat", "default", "follow this RabbitMQ version where versions differ", COMPAT_CHOICES)
    product: str = _setting("product", "RabbitMQ", "product announced; some clients go by it")
    trace: bool = _setting("trace", False, "copy all that is published and delivered to amq.rabbitmq.trace")
    event_exchange: bool = _setting("event_exchange", False, "tell what happens in the broker to amq.rabbitmq.event")
    management: bool = _setting("management.enabled", True, "serve the HTTP API")
    management_ip: str = _setting("management.tcp.ip", "127.0.0.1", "address of the HTTP API")
    management_port: int = _setting("management.tcp.port", 15672, "port of the HTTP API; 0 = any free one")
    log_level: str = _setting("log.level", "info", "least severity logged", ("debug", "info", "warning", "error"))
    log_format: str = _setting("log.format", "console", "lines for people, or JSON", ("console", "json"))

    def __post_init__(self) -> None:
        host, _, port = self.listener.rpartition(":")
        if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
            raise _invalid("listeners.tcp.default", self.listener, "ADDRESS:PORT")
        for key, value, least, most in (
            ("management.tcp.port", self.management_port, 0, 0xFFFF),
            ("channel_max", self.channel_max, 0, 0xFFFF),
            ("frame_max", self.frame_max, 4096, 0xFFFFFFFF),
            ("heartbeat", self.heartbeat, 0, 0xFFFF),
            ("handshake_timeout", self.handshake_timeout, 1, MAX_SIZE),
            ("consumer_timeout", self.consumer_timeout, 0, MAX_SIZE),
            ("max_message_size", self.max_message_size, 1, MAX_BODY),
            ("queue_memory", self.queue_memory, 0, MAX_SIZE),
            ("store.map_size", self.map_size, 1 << 20, MAX_SIZE),
            ("store.lag_limit", self.lag_limit, 0, MAX_SIZE),
        ):
            if value < least and not (key == "frame_max" and value == 0):
                raise _invalid(key, value, f"at least {least}")
            if value > most:
                raise _invalid(key, value, f"at most {most}")
        for key, text, expected in (
            ("data_dir", self.data_dir, "a folder"),
            ("management.tcp.ip", self.management_ip, "an address"),
            ("default_user", self.default_user, "a name"),
            ("default_pass", self.default_pass, "a password; none is never right"),
        ):
            if not text:
                raise _invalid(key, text, expected)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the AMQP listener."""
        host, _, port = self.listener.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)


SETTINGS: Final = {setting.metadata["key"]: setting for setting in fields(Config)}
"""Every setting's dataclass field, by key."""


def load(
    file: Path | None = None, environment: Mapping[str, str] | None = None, options: Mapping[str, Any] | None = None
) -> Config:
    """The configuration from all four layers; `options` are command-line settings by key, None meaning not given.

    Raises StartupError: 66 when the file cannot be read, 78 for an unknown key or a value that cannot be, naming both.
    """
    values = given(file, environment)
    values.update({key: value for key, value in (options or {}).items() if value is not None})
    return Config(**{SETTINGS[key].name: _converted(key, value) for key, value in values.items()})


def given(file: Path | None = None, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The settings that a file and the environment make, by key. Raises StartupError as `load` does."""
    values = _from_file(file) if file is not None else {}
    return values | _from_environment(os.environ if environment is None else environment)


def environment_name(key: str) -> str:
    """`log.level` -> `AMQPD_LOG_LEVEL`."""
    return "AMQPD_" + key.upper().replace(".", "_")


def misspelt(environment: Mapping[str, str]) -> list[str]:
    """What is probably meant for us in the environment but names no setting, one line each.

    Not an error: others may set variables that start like ours, as Kubernetes does for a service of that name.
    """
    names = [environment_name(key) for key in SETTINGS]
    return [
        f"unknown setting {name} in the environment; did you mean {near[0]}?"
        for name in environment
        if name.startswith("AMQPD_") and name not in names
        for near in [difflib.get_close_matches(name, names, 1, 0.85)]
        if near
    ]


def _from_file(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text())
    except OSError as error:
        raise StartupError(f"cannot read configuration file {file}: {error.strerror}", os.EX_NOINPUT) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartupError(f"configuration file {file} is not TOML: {error}", os.EX_CONFIG) from error
    values = _flattened(content)
    for key in values:
        if key not in SETTINGS:
            near = difflib.get_close_matches(key, SETTINGS, 1)
            hint = f"; did you mean '{near[0]}'?" if near else "; conf/amqpd.toml lists those there are"
            raise StartupError(f"unknown key '{key}' in configuration file {file}{hint}", os.EX_CONFIG)
    return values


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = {environment_name(key): key for key in SETTINGS}
    return {key: environment[name] for name, key in names.items() if name in environment}


def _flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            values.update(_flattened(value, f"{prefix}{key}."))
        else:
            values[prefix + key] = value
    return values


def _converted(key: str, value: Any) -> Any:
    setting = SETTINGS[key]
    default = setting.default
    choices = setting.metadata["choices"]
    if isinstance(default, bool):
        if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", "yes", "no"):
            return value.lower() in ("true", "1", "yes")
        if not isinstance(value, bool):
            raise _invalid(key, value, "true or false")
    elif isinstance(default, int):
        return _number(key, value)
    elif isinstance(default, tuple):
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
            raise _invalid(key, value, "a list of names")
        return tuple(item.strip() for item in items if item.strip())
    elif not isinstance(value, str) or (choices and value not in choices):
        raise _invalid(key, value, f"one of {', '.join(choices)}" if choices else "a string")
    return value


def _number(key: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"(\d+)\s*([a-zA-Z]*)", value.strip()) if isinstance(value, str) else None
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise _invalid(key, value, "a number")
    number: int = int(match[1]) * unit
    return number


def _invalid(key: str, value: Any, expected: str) -> StartupError:
    return StartupError(f"'{key}' is {value!r}, but has to be {expected}", os.EX_CONFIG)
