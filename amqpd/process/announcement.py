"""Where a running broker can be reached, as one line of JSON for scripts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit

from .. import __version__
from ..config import Config

_REACHABLE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound to
"""Where a client on this machine connects to what listens everywhere."""


def amqp_url(host: str, port: int, login: str = "", scheme: str = "amqp", vhost: str = "/") -> str:
    """`amqp://login@host:port/%2F`. The vhost is spelt out: clients do not agree on what its absence means."""
    return f"{scheme}://{f'{login}@' if login else ''}{authority(host, port)}/{quote(vhost, safe='')}"


def authority(host: str, port: int) -> str:
    """`host:port`, as a client on this machine connects."""
    host = _REACHABLE.get(host, host)
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def _http_url(protocol: str, host: str, port: int, config: Config) -> str:
    scheme, path = ("http", config.prometheus_path) if protocol == "http/prometheus" else (protocol, "/")
    return f"{scheme}://{authority(host, port)}{path}"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A broker that accepts connections."""

    pid: int
    ports: dict[str, int]  # by protocol: amqp, amqps, http, https, http/prometheus
    urls: dict[str, str]  # by protocol; with a login only where that is everybody's
    data_dir: str | None  # None: everything is in memory
    version: str

    @classmethod
    def of(cls, config: Config, listening: Mapping[str, Sequence[tuple[str, int]]], vhost: str = "/") -> Self:
        """That of this process, which listens on these addresses of each protocol; the first counts."""
        login = "guest:guest" if (config.default_user, config.default_pass) == ("guest", "guest") else ""
        first = {protocol: addresses[0] for protocol, addresses in listening.items() if addresses}
        return cls(
            os.getpid(),
            {protocol: port for protocol, (_, port) in first.items()},
            {
                protocol: amqp_url(host, port, login, protocol, vhost)
                if protocol in ("amqp", "amqps")
                else _http_url(protocol, host, port, config)
                for protocol, (host, port) in first.items()
            },
            None if config.memory else str(Path(config.data_dir).absolute()),
            __version__,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """What `to_json` wrote. Raises ValueError for anything else."""
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"not an announcement: {error}") from error

    @property
    def url(self) -> str:
        """Where clients connect: without TLS, if they may."""
        return self.urls.get("amqp") or self.urls["amqps"]

    @property
    def vhost(self) -> str:
        """Where clients are at home."""
        return unquote(urlsplit(self.url).path[1:])

    def to_json(self) -> str:
        """One line, without its end."""
        return json.dumps(asdict(self))
