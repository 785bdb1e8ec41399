"""Between JSON and AMQP's values: arguments of declarations, properties of messages."""

from __future__ import annotations

import base64
import codecs
import contextlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from ..broker.entry import Entry
from ..definitions.values import table_from_json, table_to_json
from ..message import Message, make_message
from ..wire.properties import Properties
from ..wire.spec import ProtocolError
from .call import table_field_of
from .errors import bad_request
from .resources import encode
from .turns import Turns

PIECE: Final = 3 << 16
"""Bytes of a body to show before others have their turn; a multiple of 3, for base64."""

_NAMES: Final = tuple([field.name for field in fields(Properties)])
_WRONG: Final = {dict: "not_object", int: "not_int", str: "not_string"}
_NUMBERS: Final = ("delivery_mode", "priority", "timestamp")


def arguments_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a client would send them. Raises OperatorError for what has no AMQP type."""
    return table_from_json(values)


def arguments_in(body: Mapping[str, Any]) -> dict[str, Any]:
    """Those in the body of a declaration. An empty list stands for none, as Erlang writes it.

    Raises HttpError 400 for what is no object, OperatorError for what has no AMQP type.
    """
    return arguments_of(table_field_of(body, "arguments"))


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
            raise bad_request([_WRONG[wanted], name])
        found[name] = arguments_of(values[name]) if name == "headers" else value
    return Properties(**found)


def message_of(exchange: str, routing_key: str, body: bytes, properties: Properties) -> Message:
    """Raises HttpError 400 for one that does not fit the wire."""
    try:
        return make_message(exchange, routing_key, body, properties)
    except (ValueError, ProtocolError) as error:
        raise bad_request(str(error)) from None


def shown_message(entry: Entry, encoding: str, truncate: int | None) -> dict[str, Any]:
    """A message in a queue; its payload, or the beginning of it, as text or base64."""
    message = entry.message
    payload = message.body if truncate is None else message.body[:truncate]
    text: str | None = None
    if encoding == "auto":
        with contextlib.suppress(UnicodeDecodeError):
            text = payload.decode()
    try:
        properties = shown_properties(message.properties)
    except ProtocolError:  # a publisher's mistake, which nobody else has to pay for
        properties = {}
    return {
        "payload_bytes": message.size,
        "redelivered": entry.redelivered,
        "exchange": message.exchange,
        "routing_key": message.routing_key,
        "properties": properties,
        "payload": base64.b64encode(payload).decode() if text is None else text,
        "payload_encoding": "base64" if text is None else "string",
    }


async def message_in_pieces(entry: Entry, left: int, turns: Turns, *, encoding: str, truncate: int | None) -> list[str]:
    """`shown_message` as JSON, with how many messages are behind it. It is made little by little where it is large."""
    if min(entry.message.size, entry.message.size if truncate is None else truncate) <= PIECE:
        return [encode({**shown_message(entry, encoding, truncate), "message_count": left})]
    message = entry.message
    payload = message.body if truncate is None else message.body[:truncate]
    written = await _as_text(payload, turns) if encoding == "auto" else None
    shown = {
        **shown_message(entry, "base64", 0),
        "payload_encoding": "base64" if written is None else "string",
        "message_count": left,
    }
    del shown["payload"]
    if written is None:
        written = await _as_base64(payload, turns)
    return [encode(shown)[:-1], ',"payload":"', *written, '"}']


async def _as_text(payload: bytes, turns: Turns) -> list[str] | None:
    """UTF-8 as the inside of a string in JSON; None for what is none."""
    written: list[str] = []
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(payload), PIECE):
        try:
            written.append(encode(decoder.decode(payload[start : start + PIECE], start + PIECE >= len(payload)))[1:-1])
        except UnicodeDecodeError:
            return None
        if turns.due:
            await turns.give()
    return written


async def _as_base64(payload: bytes, turns: Turns) -> list[str]:
    written: list[str] = []
    for start in range(0, len(payload), PIECE):
        written.append(base64.b64encode(payload[start : start + PIECE]).decode())
        if turns.due:
            await turns.give()
    return written


def shown_properties(properties: Properties) -> dict[str, Any]:
    """Those a message has."""
    found = {name: getattr(properties, name) for name in _NAMES}
    return table_to_json({name: value for name, value in found.items() if value is not None})
