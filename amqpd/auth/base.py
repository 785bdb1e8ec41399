"""The two contracts of access control, and what they speak of.

An implementation is asked in the one thread that owns the model, and answers at once. What it answers is remembered,
by channels and by the publishing side of each, until `Connection.permissions_changed` says that it may be different.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, Protocol

from .certificate import Encryption

IMPERSONATOR: Final = "impersonator"
"""The tag of users who may publish in another's name."""

MAX_CONNECTIONS: Final = "max-connections"
MAX_CHANNELS: Final = "max-channels"
"""The limits a user may have, as RabbitMQ names them."""


class Action(Enum):
    """RabbitMQ's three kinds of permission on an exchange or queue."""

    CONFIGURE = "configure"  # declare, delete
    WRITE = "write"  # publish to an exchange, bind a queue
    READ = "read"  # consume or purge a queue, bind to an exchange


Resource = Literal["exchange", "queue"]


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


@dataclass(frozen=True)
class User:
    """Somebody who was let in, for as long as they stay. Implementations may subclass it to remember more."""

    name: str
    tags: frozenset[str] = frozenset()
    client_id: str = ""  # what the client calls itself, in protocols that have that


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client says of itself."""

    name: str
    password: bytes | None = field(repr=False)  # None: the name is proved already, as by a certificate
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody who is not let in."""

    reason: str  # told to the log, never to the client
    delay: float = 0.0  # seconds until the client may hear of it


class Authenticator(Protocol):
    def authenticate(self, credentials: Credentials, peer: Peer) -> User | Refusal:
        """Called once a login, with credentials as the client gave them."""
        ...

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> User | Refusal:
        """Called when a client that is let in shows a new password or token. Returns the user as of now."""
        ...


class Authorizer(Protocol):
    def may_enter(self, user: User, vhost: str, peer: Peer) -> bool:
        """Called when a connection is opened in a vhost that is there, and after `update_secret`."""
        ...

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> bool:
        """Called before an operation on an exchange or queue; the default exchange is `amq.default`."""
        ...

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        """Whether `may_use_topic` has to be asked for each routing key. Called before it, of topic exchanges only."""
        ...

    def may_use_topic(self, user: User, action: Action, vhost: str, exchange: str, routing_key: str) -> bool:
        """Called before a message is published with a routing key (WRITE), or something bound with it (READ)."""
        ...

    def limit(self, user: User, name: str) -> int | None:
        """The user's MAX_CONNECTIONS or MAX_CHANNELS, over all vhosts; None: as many as they like.

        Called when a connection or channel is opened, with the number there is at hand.
        """
        ...


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
