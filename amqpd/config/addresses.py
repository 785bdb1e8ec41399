"""Where to listen: `listeners.tcp.NAME` and `listeners.ssl.NAME`, as many as one likes.

A layer may add listeners under other names, or replace one under its name; `none` takes one away, and
`listeners.tcp = none` all of the layers below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

FAMILIES: Final = ("listeners.tcp", "listeners.ssl")

EXPECTED: Final = "ADDRESS:PORT, PORT or none"

_KEY: Final = re.compile(r"(listeners\.(?:tcp|ssl))(?:\.([A-Za-z0-9_-]+))?")
_VARIABLE: Final = re.compile(r"AMQPD_LISTENERS_(TCP|SSL)(?:_([A-Z0-9_]+))?")


class Address(NamedTuple):
    """A host to listen on, "" for all addresses of this machine, and a port, 0 for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}" if self.host else str(self.port)


def is_listener(key: str) -> bool:
    """Whether a key says where to listen."""
    return _KEY.fullmatch(key) is not None


def listener_of_variable(name: str) -> str | None:
    """The key that an environment variable stands for: `AMQPD_LISTENERS_TCP_LAN` -> `listeners.tcp.lan`."""
    match = _VARIABLE.fullmatch(name)
    if match is None:
        return None
    return ".".join(filter(None, ("listeners", match[1].lower(), (match[2] or "").lower())))


def under(key: str, families: Iterable[str]) -> bool:
    """Whether a key names a listener of these families."""
    return any(key.startswith(family + ".") for family in families)


def addresses(
    family: str, listeners: Mapping[str, Address | None], default: tuple[Address, ...]
) -> tuple[Address, ...]:
    """The addresses of a family, the default one first, unless the family was taken away."""
    if family in listeners:
        return ()
    named: dict[str, Address | None] = {}
    if default:
        named[f"{family}.default"] = default[0]
    named.update({key: address for key, address in listeners.items() if under(key, (family,))})
    return tuple(dict.fromkeys([address for address in named.values() if address is not None]))


def address_of(key: str, value: Any) -> Address | None:
    """An address to listen on; None for `none`. Raises ValueError, which says what the value has to be."""
    if value == "none":
        return None
    if key in FAMILIES:
        raise ValueError("none; addresses have names, as in listeners.tcp.default")
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    host, colon, port = text.rpartition(":")
    if bool(host) != bool(colon) or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(EXPECTED)
    return Address(host.removeprefix("[").removesuffix("]"), int(port))
