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


def gather(layers: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Address, ...]]:
    """The addresses of each family, from layers of settings, the weakest first.

    Raises ValueError with a key, its value, and what it has to be.
    """
    gathered: dict[str, dict[str, Address | None]] = {family: {} for family in FAMILIES}
    for layer in layers:
        for family, named in gathered.items():
            if family in layer:
                if layer[family] != "none":
                    raise ValueError(family, layer[family], "none; addresses have names, as in listeners.tcp.default")
                named.clear()
                continue
            for key, value in layer.items():
                if key.startswith(family + "."):
                    named[key.removeprefix(family + ".")] = _parsed(key, value)
    return {
        family: tuple(dict.fromkeys([address for address in named.values() if address is not None]))
        for family, named in gathered.items()
    }


def _parsed(key: str, value: Any) -> Address | None:
    """An address to listen on; None for `none`."""
    if value == "none":
        return None
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    host, colon, port = text.rpartition(":")
    if bool(host) != bool(colon) or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError(key, value, EXPECTED)
    return Address(host.removeprefix("[").removesuffix("]"), int(port))
