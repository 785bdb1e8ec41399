"""CC and BCC: further routing keys that a publisher names in the headers of a message (RabbitMQ's extension)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import PreconditionFailed
from ..message import REDIRECTED, Message
from ..wire.fields import type_name

CC: Final = "CC"
BCC: Final = "BCC"
"""Blind copies: whoever receives the message is not to see them."""


def further_keys(headers: Mapping[str, Any]) -> tuple[str, ...]:
    """The routing keys in CC, then those in BCC; members of the arrays that are no strings do not count.

    Raises PreconditionFailed when either is no array.
    """
    keys: list[str] = []
    for name in (CC, BCC):
        if name in headers:
            value = headers[name]
            if not isinstance(value, list):
                raise PreconditionFailed(
                    f'invalid message: {{unacceptable_type_in_header,"{name}",{type_name(value)}}}'
                )
            keys += [key for key in value if isinstance(key, str)]
    return tuple(keys)


def remembered_keys(message: Message) -> tuple[str, ...]:
    """The routing keys that a message in a queue has besides its own: those in CC; blind ones are gone by now.

    As a dead letter that was given a routing key it has no other, whatever its CC shows.
    """
    if message.died == REDIRECTED:
        return ()
    try:
        return further_keys(message.headers)
    except PreconditionFailed:  # from a store that was written before these were looked at
        return ()
