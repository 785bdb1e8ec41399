"""What is written in options: headers, properties, durations; and how messages are written out."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

import click

from ...wire.properties import Properties

_NAMES: Final = tuple(field.name for field in fields(Properties))
_NUMBERS: Final = ("delivery_mode", "priority", "timestamp")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Seconds, written as 2, 100ms, 1.5s, 3m or 1h."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        text = str(value)
        unit = next((unit for unit in _UNITS if text.endswith(unit) and not text.removesuffix(unit)[-1:].isalpha()), "")
        try:
            seconds = float(text.removesuffix(unit)) * _UNITS.get(unit, 1.0)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < 1e9:
            self.fail(f"'{text}' is no duration, such as 100ms or 2s", param, ctx)
        return seconds


DURATION: Final = Duration()


def pairs(words: Iterable[str], what: str) -> dict[str, str]:
    """k=v, each. Raises UsageError for what is none."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise click.UsageError(f"'{word}' is no {what}: it is to be name=value")
        found[key] = value
    return found


def headers_of(words: Iterable[str]) -> dict[str, Any]:
    """Headers; values that are numbers, truth values or JSON of other kinds are that, all else is text."""
    return {key: _typed(value) for key, value in pairs(words, "header").items()}


def _typed(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, int) and not isinstance(value, bool) and not -(1 << 63) <= value < 1 << 63:
        return text
    return value


def properties_of(words: Iterable[str], headers: Mapping[str, Any]) -> Properties:
    """A message's properties. Raises UsageError for one that there is not, or that cannot be so."""
    found: dict[str, Any] = {}
    for name, value in pairs(words, "property").items():
        key = name.replace("-", "_")
        if key not in _NAMES or key == "headers":
            known = ", ".join(name for name in _NAMES if name != "headers")
            raise click.UsageError(f"there is no property '{name}': {known}; headers are set with -H")
        if key in _NUMBERS:
            if not value.isdigit():
                raise click.UsageError(f"property '{name}' is to be a number")
            found[key] = int(value)
        else:
            found[key] = value
    if headers:
        found["headers"] = dict(headers)
    return Properties(**found)


def shown_properties(properties: Properties | None) -> dict[str, Any]:
    """Those a message has, as JSON has them."""
    found = {name: getattr(properties, name, None) for name in _NAMES}
    return {name: plain(value) for name, value in found.items() if value is not None}


def plain(value: Any) -> Any:
    """A value of AMQP's in JSON."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def as_json(properties: Properties | None, body: bytes, **fields: Any) -> str:
    """A message on one line."""
    try:
        payload: dict[str, Any] = {"payload": body.decode(), "payload_encoding": "string"}
    except UnicodeDecodeError:
        payload = {"payload": base64.b64encode(body).decode(), "payload_encoding": "base64"}
    return json.dumps({**fields, "properties": shown_properties(properties), **payload}, ensure_ascii=False)


def write_body(body: bytes, *, raw: bool = False) -> None:
    """On a line of its own, or with nothing added."""
    sys.stdout.buffer.write(body if raw or body.endswith(b"\n") else body + b"\n")
