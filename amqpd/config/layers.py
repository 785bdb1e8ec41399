"""The configuration out of its layers: command line > AMQPD_* > RABBITMQ_* > amqpd.toml > rabbitmq.conf > defaults."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import StartupError
from .addresses import FAMILIES, under
from .environment import amqpd_variables, misspelt, rabbitmq_variables, with_env_file
from .files import (
    Kind,
    RabbitFiles,
    kind_of,
    named_files,
    rabbit_file,
    rabbit_folder,
    read_any,
    read_rabbitmq,
    read_toml,
)
from .findings import Finding, Layer, Value, Verdict
from .settings import Config, InvalidSetting, config_of, converted

COMMAND_LINE: Final = "command line"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, where each of its settings was made, and what is to be said about the rest."""

    config: Config
    places: Mapping[str, str]  # by key; a default has none
    findings: tuple[Finding, ...]


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Config:
    """The configuration alone; see `read`."""
    return read(file, environment, options, strict=strict).config


def read(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Loaded:
    """The configuration from all layers; `options` are command-line settings by key, None meaning not given.

    Raises StartupError: 66 when a file cannot be read, 78 for a value that cannot be, naming place and key, and for an
    unknown key; of rabbitmq.conf's, which RabbitMQ may know, only when `strict`.
    """
    environment = os.environ if environment is None else environment
    variables = with_env_file(environment)
    toml, given = _sorted(file)
    rabbit_files, missing = named_files(variables, given)
    layers = [read_rabbitmq(rabbit_files, environment)]
    if toml is not None:
        layers.append(read_toml(toml))
    layers.append(rabbitmq_variables(variables, _merged(layers)))
    layers.append(amqpd_variables(environment))
    line = Layer()
    for key, value in (options or {}).items():
        if value is not None:
            line.set(key, value, key, COMMAND_LINE)
    layers.append(line)

    findings = [*missing, *(finding for layer in layers for finding in layer.findings)]
    for finding in findings:
        if finding.verdict is Verdict.WRONG or (strict and finding.verdict is Verdict.UNKNOWN):
            raise StartupError(str(finding), os.EX_CONFIG)
    values = _merged(layers)
    places = {key: value.place for key, value in values.items()}
    remarks = [*_remarks(findings), *(("warning", line) for line in misspelt(environment))]
    return Loaded(_config(values, tuple(remarks)), places, tuple(findings))


def check(file: Path, environment: Mapping[str, str] | None = None) -> list[Finding]:
    """What became of each key of one file. Raises StartupError when it has no sense at all."""
    layer = read_any(file, os.environ if environment is None else environment)
    findings = list(layer.findings)
    if not any(finding.verdict is Verdict.WRONG for finding in findings):
        try:
            config_of({key: value.value for key, value in layer.values.items()})
        except InvalidSetting as error:
            place = layer.values[error.key].place if error.key in layer.values else str(file)
            findings = [each for each in findings if (each.key, each.place) != (error.key, place)]
            findings.append(Finding(Verdict.WRONG, error.key, place, str(error)))
    return findings


def _sorted(file: Path | None) -> tuple[Path | None, RabbitFiles | None]:
    """What -c names, as amqpd.toml or as RabbitMQ's files."""
    if file is None:
        return None, None
    match kind_of(file):
        case Kind.TOML:
            return file, None
        case Kind.FOLDER:
            return None, rabbit_folder(file)
        case Kind.PLUGINS:
            return None, RabbitFiles(plugins=file)
        case _:
            return None, rabbit_file(file)


def _merged(layers: list[Layer]) -> dict[str, Value]:
    """What the strongest layers say; one that takes all listeners away leaves only those of stronger ones."""
    values: dict[str, Value] = {}
    for layer in layers:
        off = [family for family in FAMILIES if family in layer.values and layer.values[family].value == "none"]
        values = {key: value for key, value in values.items() if not under(key, off)}
        for key, value in layer.values.items():
            if key in off:
                values[f"{key}.default"] = value  # stronger layers may add to nothing
            elif not under(key, off):
                values[key] = value
    return values


def _remarks(findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """Level and text of a line for each key without effect."""
    for finding in findings:
        if finding.verdict is Verdict.ACCEPTED:
            yield "info", str(finding)
        elif finding.verdict in (Verdict.IGNORED, Verdict.UNKNOWN):
            yield "warning", str(finding)


def _config(values: Mapping[str, Value], remarks: tuple[tuple[str, str], ...]) -> Config:
    """The configuration; an error names the place, unless the key or the command line says it."""
    try:
        for key, value in values.items():
            converted(key, value.value)
        return config_of({key: value.value for key, value in values.items()}, remarks)
    except InvalidSetting as error:
        place = values[error.key].place if error.key in values else ""
        if not place or place == COMMAND_LINE or place.startswith("AMQPD_"):
            raise
        raise StartupError(f"{place}: {error}", error.exit_code) from error
