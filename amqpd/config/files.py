"""Configuration files: where they are looked for, of which kind they are, and what they say.

amqpd.toml is in the folder amqpd is started in, in $XDG_CONFIG_HOME/amqpd/ or in /etc/amqpd/. RabbitMQ's files are read
when somebody names them: with -c, or in RABBITMQ_CONFIG_FILE, _CONFIG_FILES, _ADVANCED_CONFIG_FILE and
_ENABLED_PLUGINS_FILE. Beside a rabbitmq.conf the files of conf.d/ are read, too.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..errors import StartupError
from . import classic_config, plugins, rabbitmq_conf
from .findings import Finding, Layer, Verdict
from .rabbitmq_conf import Entry, last_of, text_of
from .rabbitmq_keys import translate
from .settings import HIDDEN, SETTINGS, InvalidSetting, converted, is_secret, is_setting, is_table

NAME: Final = "amqpd.toml"


class Kind(Enum):
    """What a configuration file may be."""

    TOML = auto()
    CONF = auto()  # as rabbitmq.conf
    TERMS = auto()  # as rabbitmq.config and advanced.config
    PLUGINS = auto()  # as enabled_plugins
    FOLDER = auto()  # as /etc/rabbitmq


class RabbitFiles(NamedTuple):
    """The files RabbitMQ would read, each weaker than the next."""

    main: tuple[Path, ...] = ()  # rabbitmq.conf or rabbitmq.config, then conf.d
    advanced: Path | None = None
    plugins: Path | None = None


def default_file(environment: Mapping[str, str]) -> Path | None:
    """The amqpd.toml to read when none is named, if there is one."""
    home = environment.get("XDG_CONFIG_HOME") or (f"{environment['HOME']}/.config" if environment.get("HOME") else None)
    places = [Path(NAME), *([Path(home) / "amqpd" / NAME] if home else []), Path("/etc/amqpd") / NAME]
    return next((place for place in places if place.is_file()), None)


def kind_of(file: Path) -> Kind:
    """Of which kind a file is: its ending says, and what it begins with. Raises StartupError when it cannot be read."""
    if file.is_dir():
        return Kind.FOLDER
    if file.suffix == ".toml":
        return Kind.TOML
    text = text_of(file)
    if re.match(r"(\s|%[^\n]*)*\[\s*(\{|\]\s*\.)", text):
        return Kind.TERMS
    if re.match(r"(\s|%[^\n]*)*\[\s*[a-z][a-z0-9_]*\s*(,[^=]*)?\]\s*\.", text):
        return Kind.PLUGINS
    if file.suffix == ".config":
        return Kind.TERMS
    if file.suffix == ".conf":
        return Kind.CONF
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return Kind.CONF
    return Kind.TOML


def read_toml(file: Path) -> Layer:
    """The settings of an amqpd.toml. Raises StartupError: 66 when it cannot be read, 78 when it is not TOML."""
    layer = Layer()
    try:
        content = tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise StartupError(f"cannot read configuration file {file}: {error.strerror}", os.EX_NOINPUT) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StartupError(f"configuration file {file} is not TOML: {error}", os.EX_CONFIG) from error
    for key, value in _flattened(content).items():
        if not is_setting(key):
            near = difflib.get_close_matches(key, SETTINGS, 1)
            hint = f"; did you mean '{near[0]}'?" if near else "; conf/amqpd.toml lists those there are"
            note = f"unknown key '{key}' in configuration file {file}{hint}"
            layer.add(Verdict.WRONG, key, "", note)
            continue
        if value == HIDDEN and is_secret(key):
            note = f"'{key}' is {HIDDEN}, which 'amqpd config dump' shows for it; put in what it has to be"
            layer.findings.append(Finding(Verdict.WRONG, key, str(file), note))
            continue
        try:
            if key in SETTINGS:
                converted(key, value)
        except InvalidSetting as error:
            layer.findings.append(Finding(Verdict.WRONG, key, str(file), str(error)))
        else:
            layer.set(key, value, key, str(file))
    return layer


def rabbit_folder(folder: Path) -> RabbitFiles:
    """The files of a folder such as /etc/rabbitmq. Raises StartupError 66 when there are none."""
    main = next((folder / name for name in ("rabbitmq.conf", "rabbitmq.config") if (folder / name).is_file()), None)
    advanced, enabled = folder / "advanced.config", folder / "enabled_plugins"
    files = RabbitFiles(
        (*([main] if main else []), *_conf_d(folder)),
        advanced if advanced.is_file() else None,
        enabled if enabled.is_file() else None,
    )
    if files == RabbitFiles():
        raise StartupError(
            f"cannot read configuration folder {folder}: it has no rabbitmq.conf, conf.d/*.conf, rabbitmq.config,"
            " advanced.config or enabled_plugins",
            os.EX_NOINPUT,
        )
    return files


def rabbit_file(file: Path) -> RabbitFiles:
    """A rabbitmq.conf or rabbitmq.config, and conf.d beside it."""
    return RabbitFiles((file, *_conf_d(file.parent)))


def named_files(environment: Mapping[str, str], given: RabbitFiles | None = None) -> tuple[RabbitFiles, list[Finding]]:
    """The files RabbitMQ's variables name; those `given` are stronger. What is named and not there is a finding."""
    missing: list[Finding] = []

    def named(variable: str, *endings: str) -> Path | None:
        path = environment.get(variable)
        if not path:
            return None
        found = next((Path(path + ending) for ending in ("", *endings) if Path(path + ending).is_file()), None)
        if found is None:
            verdict = Verdict.IGNORED if variable == "RABBITMQ_CONFIG_FILE" else Verdict.ACCEPTED
            missing.append(Finding(verdict, variable, "", f"there is no file {path}"))
        return found

    main = given.main if given and given.main else ()
    if not main and (file := named("RABBITMQ_CONFIG_FILE", ".conf", ".config")):
        main = rabbit_file(file).main
    pattern = environment.get("RABBITMQ_CONFIG_FILES")
    if pattern and not (given and given.main):
        path = Path(pattern)
        more = sorted(path.glob("*.conf") if path.is_dir() else path.parent.glob(path.name))
        main = (*main[:1], *more)
    advanced = given.advanced if given and given.advanced else named("RABBITMQ_ADVANCED_CONFIG_FILE", ".config")
    enabled = given.plugins if given and given.plugins else named("RABBITMQ_ENABLED_PLUGINS_FILE")
    return RabbitFiles(main, advanced, enabled), missing


def read_rabbitmq(files: RabbitFiles, environment: Mapping[str, str]) -> Layer:
    """What RabbitMQ's files say together. Raises StartupError, naming the line, where one has no sense at all."""
    conf: list[Entry] = []
    terms: list[Entry] = []
    for file in files.main:
        if kind_of(file) is Kind.TERMS:
            terms += _read_terms(file)
        else:
            conf += rabbitmq_conf.read_file(file)
    if files.advanced is not None:
        terms += _read_terms(files.advanced)
    layer = translate(last_of([*rabbitmq_conf.resolved(conf, environment), *terms]))
    if files.plugins is not None:
        said = plugins.enable(plugins.read_file(files.plugins), str(files.plugins))
        layer.values.update(said.values)
        layer.findings += said.findings
    return layer


def read_any(file: Path, environment: Mapping[str, str]) -> Layer:
    """What one file, or one folder of RabbitMQ's, says."""
    match kind_of(file):
        case Kind.TOML:
            return read_toml(file)
        case Kind.PLUGINS:
            return read_rabbitmq(RabbitFiles(plugins=file), environment)
        case Kind.FOLDER:
            return read_rabbitmq(rabbit_folder(file), environment)
        case _:
            return read_rabbitmq(RabbitFiles((file,)), environment)


def _read_terms(file: Path) -> list[Entry]:
    return classic_config.read_text(text_of(file), str(file))


def _conf_d(folder: Path) -> Iterable[Path]:
    return sorted((folder / "conf.d").glob("*.conf"))


def _flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping) and not is_table(prefix + key):
            values.update(_flattened(value, f"{prefix}{key}."))
        else:
            values[prefix + key] = value
    return values
