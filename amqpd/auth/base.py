"""The two contracts of access control, and what they speak of.

An implementation is asked in the one thread that owns the model, and answers at once, or with a `Pending` when it has
to ask somebody else first; the asking connection waits meanwhile, and no other. What it answers is remembered, by
channels and by the publishing side of each, until `Connection.permissions_changed` says that it may be different.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

from .certificate import Encryption
from .pending import Pending

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
    expires: float | None = None  # when the credentials do, in seconds since 1970
    recheck: float | None = None  # seconds after which what the user may do is to be asked again


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
    failed: bool = False  # not for what the client has shown: whoever was to look at it could not


Login: TypeAlias = User | Refusal
"""What comes of credentials."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A no with something to add to it; as false as any other."""

    addition: str = ""  # for whoever asked, after what is said anyway
    failed: bool = False  # nobody has said no; nobody could be asked

    def __bool__(self) -> Literal[False]:
        return False


Verdict: TypeAlias = bool | Denied
"""Whether somebody may."""


Answer = TypeVar("Answer", Login, Verdict)


def after(
    answer: Answer | Pending[Answer], then: Callable[[Answer], Answer | Pending[Answer]]
) -> Answer | Pending[Answer]:
    """What follows from an answer: now if it is there, or else when it comes. What follows may have to wait, too."""
    if not isinstance(answer, Pending):
        return then(answer)
    result: Pending[Answer] = Pending()

    def answered(value: Answer) -> None:
        following = then(value)
        if isinstance(following, Pending):
            following.then(result.resolve)
        else:
            result.resolve(following)

    answer.then(answered)
    return result


def addition(verdict: Verdict) -> str:
    """What a verdict adds to the words of a refusal."""
    return verdict.addition if isinstance(verdict, Denied) else ""


class Authenticator(Protocol):
    def authenticate(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        """Called once a login, with credentials as the client gave them."""
        ...

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> Login | Pending[Login]:
        """Called when a client that is let in shows a new password or token. Returns the user as of now."""
        ...


class Authorizer(Protocol):
    def may_enter(self, user: User, vhost: str, peer: Peer) -> Verdict | Pending[Verdict]:
        """Called when a connection is opened in a vhost that is there, and after `update_secret`."""
        ...

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict | Pending[Verdict]:
        """Called before an operation on an exchange or queue; the default exchange is `amq.default`."""
        ...

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        """Whether `may_use_topic` has to be asked for each routing key. Called before it, of topic exchanges only."""
        ...

    def may_use_topic(
        self, user: User, action: Action, vhost: str, exchange: str, routing_key: str
    ) -> Verdict | Pending[Verdict]:
        """Called before a message is published with a routing key (WRITE), or something bound with it (READ)."""
        ...

    def limit(self, user: User, name: str) -> int | None:
        """The user's MAX_CONNECTIONS or MAX_CHANNELS, over all vhosts; None: as many as they like.

        Called when a connection or channel is opened, with the number there is at hand.
        """
        ...


class Backend(Authenticator, Authorizer, Protocol):
    """One of those that `chain` asks in turn. The users it is asked about are those it let in itself."""

    name: str  # as in RabbitMQ's texts: rabbit_auth_backend_…

    def admit(self, credentials: Credentials, peer: Peer) -> Login | Pending[Login]:
        """Called when another backend has let somebody in, and this one is to say what they may do.

        Returns them with the tags they are to have besides.
        """
        ...


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
