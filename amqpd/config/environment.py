"""Variables of the environment: AMQPD_ ones, one for each setting, and RabbitMQ's.

RabbitMQ takes its own also from the file that RABBITMQ_CONF_ENV_FILE names, weaker than the environment's. Those that
name files are followed in `files`.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..errors import StartupError
from . import plugins
from .addresses import listener_of_variable
from .classic_config import entries_of
from .erlang_terms import read_term
from .findings import Finding, Layer, Value, Verdict
from .rabbitmq_conf import text_of
from .rabbitmq_keys import LEVELS, NOT_YET, translate
from .settings import SETTINGS

ALIASES: Final = {
    "AMQPD_PROFILE": "compat",
    "AMQPD_DEFINITIONS": "load_definitions",
    "AMQPD_DEFINITIONS_JSON": "definitions_json",
}
"""Names for settings that are not made of their keys, or stand for some that are still to come."""


def environment_name(key: str) -> str:
    """`log.level` -> `AMQPD_LOG_LEVEL`."""
    return "AMQPD_" + key.upper().replace(".", "_")


def amqpd_variables(environment: Mapping[str, str]) -> Layer:
    """The settings in AMQPD_ variables."""
    layer = Layer()
    names = {environment_name(key): key for key in SETTINGS}
    for name, key in {**ALIASES, **names}.items():
        if name not in environment:
            continue
        if key in SETTINGS:
            layer.set(key, environment[name], name, name)
        else:
            layer.add(Verdict.IGNORED, name, "", NOT_YET)
    for name, value in environment.items():
        listener = listener_of_variable(name)
        if listener is not None and listener not in layer.values:
            layer.set(listener, value, name, name)
    return layer


def misspelt(environment: Mapping[str, str]) -> list[str]:
    """What is probably meant for us in the environment but names nothing, one line each.

    Not an error: others may set variables that start like ours, as Kubernetes does for a service of that name.
    """
    ours = [*(environment_name(key) for key in SETTINGS), *ALIASES]
    theirs = [name for name in VARIABLES if name != "RABBITMQ_VHOST"]  # many have a RABBITMQ_HOST, for their clients
    found = []
    for name in environment:
        if listener_of_variable(name) is not None:
            continue
        names, likeness = (ours, 0.85) if name.startswith("AMQPD_") else (theirs, 0.93)
        if name.startswith(("AMQPD_", "RABBITMQ_")) and name not in (*names, *VARIABLES):
            near = difflib.get_close_matches(name, names, 1, likeness)
            if near:
                found.append(f"unknown setting {name} in the environment; did you mean {near[0]}?")
    return found


# --- RabbitMQ's

Below = Mapping[str, Value]
"""What weaker layers say."""

_ASSIGNMENT: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def with_env_file(environment: Mapping[str, str]) -> dict[str, str]:
    """RabbitMQ's variables that are not empty, and those of RABBITMQ_CONF_ENV_FILE, which may go without RABBITMQ_."""
    found = {name: value for name, value in environment.items() if name.startswith("RABBITMQ_") and value}
    file = found.get("RABBITMQ_CONF_ENV_FILE")
    if file and Path(file).exists():
        for name, value in _assignments(Path(file), environment).items():
            found.setdefault(name if name.startswith("RABBITMQ_") else f"RABBITMQ_{name}", value)
    return {name: value for name, value in found.items() if value}


def _assignments(file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The assignments of a shell script that has nothing else."""
    known = dict(environment)
    found = {}
    for number, line in enumerate(text_of(file).splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise StartupError(f"{file}:{number}: {error}", os.EX_CONFIG) from error
        for word in words[1:] if words[:1] == ["export"] else words:
            match = _ASSIGNMENT.fullmatch(word)
            if match is None:
                raise StartupError(f"{file}:{number}: {line.strip()[:80]!r} is not NAME=value", os.EX_CONFIG)
            value = re.sub(
                r"\$(?:\{(\w+)\}|(\w+))", lambda reference: known.get(reference[1] or reference[2], ""), match[2]
            )
            found[match[1]] = known[match[1]] = value
    return found


def rabbitmq_variables(environment: Mapping[str, str], below: Below) -> Layer:
    """What RabbitMQ's variables say, as `with_env_file` gives them."""
    layer = Layer()
    for name, variable in VARIABLES.items():
        value = environment.get(name)
        if value is None:
            continue
        if variable.read is not None:
            variable.read(layer, name, value, below)
        elif variable.verdict is not Verdict.EFFECTIVE:
            layer.add(variable.verdict, name, "", variable.note)
        elif variable.setting in SETTINGS:
            layer.set(variable.setting, value, name, name)
        elif variable.setting:
            layer.add(Verdict.IGNORED, name, "", NOT_YET)
    return layer


Read = Callable[[Layer, str, str, Below], None]


class Variable(NamedTuple):
    """What one of RabbitMQ's variables does."""

    setting: str = ""
    verdict: Verdict = Verdict.EFFECTIVE
    note: str = ""
    read: Read | None = None
    summary: str = ""  # of what `read` does

    @property
    def works(self) -> bool:
        return self.verdict is Verdict.EFFECTIVE and (not self.setting or self.setting in SETTINGS)


_LISTENER: Final = "listeners.tcp.default"


def _address(layer: Layer, below: Below) -> tuple[str, str]:
    """Host and port to listen on so far; either may be left out."""
    value = layer.values.get(_LISTENER) or below.get(_LISTENER)
    default: Any = SETTINGS[_LISTENER].default
    text = str(value.value if value else default if isinstance(default, str) else default[0])
    host, _, port = text.rpartition(":")
    return host, port


def _node_port(layer: Layer, name: str, value: str, below: Below) -> None:
    if not re.fullmatch("[0-9]{1,5}", value):
        layer.findings.append(Finding(Verdict.WRONG, name, name, f"{value!r} is no port"))
        return
    host, _ = _address(layer, below)
    layer.set(_LISTENER, f"{host}:{value}" if host else value, name, name)


def _node_address(layer: Layer, name: str, value: str, below: Below) -> None:
    host = value if value.startswith("[") or ":" not in value else f"[{value}]"
    layer.set(_LISTENER, f"{host}:{_address(layer, below)[1]}", name, name)


def _logs(layer: Layer, name: str, value: str, below: Below) -> None:
    if value == "-":
        layer.set("log.console", "true", name, name)
        layer.values["log.file"] = Value("false", name)
    else:
        layer.set("log.file", value, name, name)


def _log_levels(layer: Layer, name: str, value: str, below: Below) -> None:
    """`debug`, `debug,+color,connection=warning`."""
    for word in filter(None, value.split(",")):
        category, _, level = word.rpartition("=")
        setting = f"log.levels.{category}" if category else "log.level"
        if word in ("+color", "-color"):
            layer.add(Verdict.ACCEPTED, name, "", "there are no colours")
        elif word in ("+json", "-json"):
            layer.set("log.format", "json" if word == "+json" else "console", name, name)
        elif level not in LEVELS:
            layer.findings.append(Finding(Verdict.WRONG, name, name, f"{level!r} is not one of {', '.join(LEVELS)}"))
        elif setting not in SETTINGS:
            layer.add(Verdict.ACCEPTED, name, "", f"amqpd logs nothing of {category}")
        else:
            layer.set(setting, LEVELS[level], name, name)


def _data_base(layer: Layer, name: str, value: str, below: Below) -> None:
    node = layer.values.get("node_name") or below.get("node_name") or Value("", "")
    layer.set("data_dir", str(Path(value) / (str(node.value) or "amqpd")), name, name)


def _erlang_arguments(layer: Layer, name: str, value: str, below: Below) -> None:
    """`-rabbit KEY TERM KEY TERM`; other flags are Erlang's own."""
    try:
        words = shlex.split(value)
    except ValueError:
        words = value.split()
    application = ""
    key = ""
    entries: list[Any] = []
    for word in words:
        if re.fullmatch(r"-[a-z][a-z0-9_]*|\+.*", word):
            application, key = word[1:] if word.startswith("-rabbit") else "", ""
        elif application and not key:
            key = word
        elif application:
            entries += entries_of(application, key, read_term(word, name), name)
            key = ""
    said = translate(entries)
    layer.values.update(said.values)
    layer.findings += said.findings
    if not entries:
        layer.add(Verdict.ACCEPTED, name, "", "there is no Erlang here")


def _plugins(layer: Layer, name: str, value: str, below: Below) -> None:
    said = plugins.enable(re.findall(r"[^\s,;\[\]]+", value), name)
    layer.values.update(said.values)
    layer.findings += said.findings


def _not(verdict: Verdict, note: str, names: str) -> dict[str, Variable]:
    return {f"RABBITMQ_{name}": Variable("", verdict, note) for name in names.split()}


VARIABLES: Final = {
    # Bitnami's names come first: RabbitMQ's own are stronger
    "RABBITMQ_USERNAME": Variable("default_user"),
    "RABBITMQ_PASSWORD": Variable("default_pass"),
    "RABBITMQ_VHOST": Variable("default_vhost"),
    "RABBITMQ_DEFINITIONS_FILE": Variable("load_definitions"),
    "RABBITMQ_PLUGINS": Variable(read=_plugins, summary="as in an enabled_plugins file"),
    "RABBITMQ_DEFAULT_USER": Variable("default_user"),
    "RABBITMQ_DEFAULT_PASS": Variable("default_pass"),
    "RABBITMQ_DEFAULT_VHOST": Variable("default_vhost"),
    "RABBITMQ_NODENAME": Variable("node_name"),
    "RABBITMQ_NODE_IP_ADDRESS": Variable(read=_node_address, summary="the address of `listeners.tcp.default`"),
    "RABBITMQ_NODE_PORT": Variable(read=_node_port, summary="the port of `listeners.tcp.default`"),
    "RABBITMQ_MNESIA_BASE": Variable(read=_data_base, summary="`data_dir`, with the node's name"),
    "RABBITMQ_MNESIA_DIR": Variable("data_dir"),
    "RABBITMQ_LOG_BASE": Variable("log.dir"),
    "RABBITMQ_LOGS": Variable(read=_logs, summary="`log.file`, or with `-` the console alone"),
    "RABBITMQ_LOG": Variable(
        read=_log_levels, summary="`log.level`, or `CATEGORY=LEVEL` for one category, and `+json`"
    ),
    "RABBITMQ_PID_FILE": Variable("pidfile"),
    "RABBITMQ_PRODUCT_NAME": Variable("product"),
    "RABBITMQ_PRODUCT_VERSION": Variable("product_version"),
    "RABBITMQ_MOTD_FILE": Variable("motd_file"),
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": Variable(
        read=_erlang_arguments, summary="`-rabbit KEY TERM …`, as in rabbitmq.config"
    ),
    "RABBITMQ_ENABLED_PLUGINS": Variable(read=_plugins, summary="as in an enabled_plugins file"),
    **{
        f"RABBITMQ_{name}": Variable(note="names a file")
        for name in ("CONFIG_FILE", "CONFIG_FILES", "ADVANCED_CONFIG_FILE", "CONF_ENV_FILE", "ENABLED_PLUGINS_FILE")
    },
    "RABBITMQ_LOAD_DEFINITIONS": Variable("", Verdict.ACCEPTED, "RABBITMQ_DEFINITIONS_FILE says which"),
    **_not(
        Verdict.ACCEPTED,
        "there is no Erlang here",
        "ERLANG_COOKIE DIST_PORT USE_LONGNAME SERVER_ERL_ARGS SERVER_START_ARGS CTL_ERL_ARGS DISTRIBUTION_BUFFER_SIZE"
        " IO_THREAD_POOL_SIZE MAX_NUMBER_OF_PROCESSES MAX_NUMBER_OF_ATOMS SCHEDULER_BIND_TYPE DEFAULT_ALLOC_ARGS"
        " PLUGINS_DIR PLUGINS_EXPAND_DIR SCHEMA_DIR GENERATED_CONFIG_DIR QUORUM_DIR STREAM_DIR FEATURE_FLAGS"
        " FEATURE_FLAGS_FILE HOME BASE HOME_DIR SYS_PREFIX KEEP_PID_FILE_ON_EXIT UPGRADE_LOG LOG_FF_REGISTRY",
    ),
    **_not(
        Verdict.IGNORED,
        "RabbitMQ's image refuses to start with it; set it in a file",
        "DEFAULT_PASS_FILE DEFAULT_USER_FILE MANAGEMENT_SSL_CACERTFILE MANAGEMENT_SSL_CERTFILE MANAGEMENT_SSL_DEPTH"
        " MANAGEMENT_SSL_FAIL_IF_NO_PEER_CERT MANAGEMENT_SSL_KEYFILE MANAGEMENT_SSL_VERIFY SSL_CACERTFILE SSL_CERTFILE"
        " SSL_DEPTH SSL_FAIL_IF_NO_PEER_CERT SSL_KEYFILE SSL_VERIFY VM_MEMORY_HIGH_WATERMARK",
    ),
}
"""Every variable of RabbitMQ's that is known, weaker ones first."""
