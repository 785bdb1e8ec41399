"""The two contracts of access control."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from .certificate import Encryption


class Action(Enum):
    """RabbitMQ's three kinds of permission on an exchange or queue."""

    CONFIGURE = "configure"  # declare, delete
    WRITE = "write"  # publish to an exchange, bind a queue
    READ = "read"  # consume or purge a queue, bind to an exchange


@dataclass(frozen=True, slots=True)
class Peer:
    """Both ends of a connection, the client's first."""

    host: str
    port: int
    local_host: str
    local_port: int
    loopback: bool  # the client is on this machine
    encryption: Encryption | None = None  # by TLS

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port} -> {_bracketed(self.local_host)}:{self.local_port}"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who was let in."""

    name: str
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client says of itself."""

    name: str
    password: bytes | None = field(repr=False)  # None: the name is proved already, as by a certificate


class Authenticator(Protocol):
    def authenticate(self, credentials: Credentials, peer: Peer) -> User | str:
        """Called once a login. A string refuses and says why: to the log, never to the client."""
        ...


class Authorizer(Protocol):
    def may_enter(self, user: User, vhost: str) -> bool:
        """Called when a connection is opened."""
        ...

    def may(self, user: User, action: Action, vhost: str, name: str) -> bool:
        """Called before an operation on the exchange or queue `name`; the default exchange is `amq.default`."""
        ...


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
