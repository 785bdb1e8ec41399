"""Between JSON and AMQP's values, as in the arguments of declarations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import OperatorError
from ..wire.fields import encode_table
from ..wire.spec import ProtocolError


def table_to_json(table: Mapping[str, Any]) -> dict[str, Any]:
    """An AMQP table, as far as JSON has words for it; the rest becomes text."""
    return {name: _to_json(value) for name, value in table.items()}


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return table_to_json(value)
    if isinstance(value, (list, tuple)):
        return [_to_json(each) for each in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)  # no matter of what width
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def table_from_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a client would send that has this. Raises OperatorError for what no AMQP table holds."""
    table = dict(values)
    try:
        encode_table(table)
    except (TypeError, ValueError, RecursionError, ProtocolError) as error:
        raise OperatorError(f"the arguments cannot be an AMQP table: {error}") from None
    return table
