"""Settings: one table of them, with defaults and what each may be. `layers` fills it.

A key is written `a.b` here, as tables `[a]` in amqpd.toml, and as `AMQPD_A_B` in the environment. Names are those of
rabbitmq.conf where it has the setting. `conf/amqpd.toml` shows them all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from ..errors import StartupError

COMPAT_CHOICES: Final = ("default", "3.12", "3.13", "4.0", "4.1", "4.2", "4.3")

MAX_BODY: Final = 512 << 20
"""The largest `max_message_size`, as in RabbitMQ."""

MAX_SIZE: Final = (1 << 63) - 1

LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical", "none")
OWN_LEVELS: Final = ("", *LOG_LEVELS)
LOG_FORMATS: Final = ("console", "json")

BY_COMPAT: Final = ("compat", "true", "false")
"""For what `compat` decides unless it is said otherwise."""

_UNITS: Final = {
    "": 1,
    **{prefix + ending: 1000**power for power, prefix in enumerate("kmgt", 1) for ending in ("", "b")},
    **{prefix + "ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}


class InvalidSetting(StartupError):
    """A setting's value that cannot be."""

    def __init__(self, key: str, value: Any, expected: str) -> None:
        super().__init__(f"'{key}' is {value!r}, but has to be {expected}", os.EX_CONFIG)
        self.key = key
        self.expected = expected


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
    permit_transient_queues: str = _setting(
        "deprecated_features.permit.transient_nonexcl_queues",
        "compat",
        "queues neither durable nor exclusive may be declared; compat = as in that version",
        BY_COMPAT,
    )
    permit_global_qos: str = _setting(
        "deprecated_features.permit.global_qos",
        "compat",
        "basic.qos with global set is for the channel; compat = as in that version",
        BY_COMPAT,
    )
    product: str = _setting("product", "RabbitMQ", "product announced; some clients go by it")
    product_version: str = _setting("product_version", "", "its version; empty = that of compat")
    node_name: str = _setting("node_name", "", "name of the node, as rabbit@host; empty = amqpd@ and the host's name")
    cluster_name: str = _setting("cluster_name", "", "name announced for the whole; empty = the node's")
    motd_file: str = _setting("motd_file", "", "file whose text is logged at the start")
    trace: bool = _setting("trace", False, "copy all that is published and delivered to amq.rabbitmq.trace")
    event_exchange: bool = _setting("event_exchange", False, "tell what happens in the broker to amq.rabbitmq.event")
    management: bool = _setting("management.enabled", True, "serve the HTTP API")
    management_ip: str = _setting("management.tcp.ip", "127.0.0.1", "address of the HTTP API")
    management_port: int = _setting("management.tcp.port", 15672, "port of the HTTP API; 0 = any free one")
    log_level: str = _setting("log.level", "info", "least severity logged", LOG_LEVELS)
    log_format: str = _setting("log.format", "console", "lines for people, or JSON", LOG_FORMATS)
    log_console: bool = _setting("log.console", True, "log to standard output")
    log_console_level: str = _setting("log.console_level", "", "least severity there; empty = log.level", OWN_LEVELS)
    log_dir: str = _setting("log.dir", "", "folder for log files; empty = where amqpd is started")
    log_file: str = _setting("log.file", "", "file to log to; false = none; empty = amqpd.log if there is a log.dir")
    log_file_level: str = _setting("log.file_level", "", "least severity there; empty = log.level", OWN_LEVELS)
    log_file_format: str = _setting("log.file_format", "console", "lines for people, or JSON, there", LOG_FORMATS)
    log_exchange: bool = _setting("log.exchange", False, "log to the exchange amq.rabbitmq.log")
    log_exchange_level: str = _setting("log.exchange_level", "", "least severity there; empty = log.level", OWN_LEVELS)
    log_exchange_format: str = _setting("log.exchange_format", "console", "text, or JSON, there", LOG_FORMATS)
    log_connection_level: str = _setting("log.levels.connection", "", "of connections; empty = log.level", OWN_LEVELS)
    log_channel_level: str = _setting("log.levels.channel", "", "of channels; empty = log.level", OWN_LEVELS)

    remarks: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """Level and text of what is to be said about where it came from: what has no effect, or not the one meant."""

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

    @property
    def log_path(self) -> Path | None:
        """The file to log to, if any."""
        if self.log_file == "false" or not (self.log_file or self.log_dir):
            return None
        return Path(self.log_dir) / (self.log_file or "amqpd.log")


SETTINGS: Final = {setting.metadata["key"]: setting for setting in fields(Config) if setting.metadata}
"""Every setting's dataclass field, by key."""


def is_setting(key: str) -> bool:
    """Whether a key may be set."""
    return key in SETTINGS


def config_of(values: Mapping[str, Any], remarks: tuple[tuple[str, str], ...] = ()) -> Config:
    """The configuration with these settings, by key, and defaults for the others. Raises InvalidSetting."""
    return Config(**{SETTINGS[key].name: converted(key, value) for key, value in values.items()}, remarks=remarks)


def converted(key: str, value: Any) -> Any:
    """A value as the setting has it, from the text or the TOML it was written as. Raises InvalidSetting."""
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
    elif choices:
        text = str(value).lower() if isinstance(value, bool) else value
        if text not in choices:
            raise _invalid(key, value, f"one of {', '.join(filter(None, choices))}")
        return text
    elif not isinstance(value, str):
        raise _invalid(key, value, "a string")
    return value


def _number(key: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"([0-9]{1,30})\s*([a-zA-Z]*)", value.strip()) if isinstance(value, str) else None
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise _invalid(key, value, "a number")
    number: int = int(match[1]) * unit
    return number


def _invalid(key: str, value: Any, expected: str) -> InvalidSetting:
    return InvalidSetting(key, value, expected)
