"""SASL mechanisms: from a start-ok response to credentials (specification 4.9, RabbitMQ's rabbit_auth_mechanism_*)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..errors import SyntaxInvalid
from ..wire.fields import RawString, decode_table
from ..wire.spec import ProtocolError
from .base import Credentials


def plain(response: bytes) -> Credentials:
    """RFC 4616 without an authorization identity: NUL name NUL password. Raises SyntaxInvalid when it is not that."""
    parts = response.split(b"\x00")
    if len(parts) != 3 or parts[0]:
        raise SyntaxInvalid("response invalid")
    return Credentials(_text(parts[1]), parts[2])


def amqplain(response: bytes) -> Credentials:
    """The fields of a table, without its length: LOGIN and PASSWORD. Raises SyntaxInvalid when they are not there."""
    try:
        table, _ = decode_table(len(response).to_bytes(4, "big") + response)
    except ProtocolError:
        raise SyntaxInvalid("response invalid") from None
    name, password = table.get("LOGIN"), table.get("PASSWORD")
    if isinstance(password, str):
        password = password.encode()
    if not isinstance(name, str) or not isinstance(password, (bytes, RawString)):
        raise SyntaxInvalid("AMQPLAIN auth info is missing LOGIN or PASSWORD field")
    return Credentials(name, bytes(password))


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise SyntaxInvalid("response invalid") from None


MECHANISMS: Final[dict[str, Callable[[bytes], Credentials]]] = {"PLAIN": plain, "AMQPLAIN": amqplain}
