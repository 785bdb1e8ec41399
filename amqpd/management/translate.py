"""Between JSON and AMQP's values: arguments of declarations, properties of messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from ..definitions.values import table_from_json, table_to_json
from ..wire.properties import Properties
from .errors import bad_request

_NAMES: Final = tuple([field.name for field in fields(Properties)])
_NUMBERS: Final = ("delivery_mode", "priority", "timestamp")


def arguments_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a client would send them. Raises OperatorError for what has no AMQP type."""
    return table_from_json(values)


def properties_of(values: Mapping[str, Any] | list[Any]) -> Properties:
    """A message's properties; an empty list stands for none. Raises HttpError 400 for one that cannot be."""
    if isinstance(values, list):
        if values:
            raise bad_request("properties have to be an object")
        return Properties()
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in _NAMES:
            continue  # as RabbitMQ does
        wanted: type = dict if name == "headers" else int if name in _NUMBERS else str
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise bad_request(
                f"property '{name}' has to be {'an object' if wanted is dict else f'a {wanted.__name__}'}"
            )
        found[name] = arguments_of(values[name]) if name == "headers" else value
    return Properties(**found)


def shown_properties(properties: Properties) -> dict[str, Any]:
    """Those a message has."""
    found = {name: getattr(properties, name) for name in _NAMES}
    return table_to_json({name: value for name, value in found.items() if value is not None})
