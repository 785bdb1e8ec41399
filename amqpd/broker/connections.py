"""The connections that are open: to count them, to find them, and to end them when what they live on goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from ..wire.spec import ReplyCode
from .churn import Churn
from .traffic import Traffic


class OpenChannel(Protocol):
    """A lane of a connection that counts what goes through."""

    @property
    def traffic(self) -> Traffic: ...


class OpenConnection(Protocol):
    """What the broker knows of a client's connection, whatever it speaks."""

    @property
    def name(self) -> str:
        """Both ends, as in `127.0.0.1:53412 -> 127.0.0.1:5672`."""
        ...

    @property
    def username(self) -> str: ...

    @property
    def vhost_name(self) -> str: ...

    @property
    def held_bytes(self) -> int:
        """Bytes it keeps in memory: what is on its way to the client, and what has come of messages not yet whole."""
        ...

    @property
    def bytes_received(self) -> int: ...

    @property
    def bytes_sent(self) -> int: ...

    def open_channels(self) -> Sequence[OpenChannel]: ...

    def close(self, code: ReplyCode, explanation: str) -> None:
        """Send the client away, telling it why; does nothing when that has begun."""
        ...

    def permissions_changed(self) -> None:
        """What its user may do has changed: ask again before the next operation."""
        ...


class Connections:
    """All connections that were let into a vhost, in order of arrival."""

    def __init__(self, churn: Churn | None = None) -> None:
        self._churn = churn or Churn()
        self.open: dict[OpenConnection, None] = {}
        self.in_vhost: Counter[str] = Counter()
        self.of_user: Counter[str] = Counter()
        self.channels = 0  # open on all of them
        self.channels_of_user: Counter[str] = Counter()

    def enter(self, connection: OpenConnection) -> None:
        self.open[connection] = None
        self._churn.connection_created += 1
        self.in_vhost[connection.vhost_name] += 1
        self.of_user[connection.username] += 1

    def leave(self, connection: OpenConnection) -> None:
        """Nothing happens when it never entered, or left before."""
        if connection in self.open:
            del self.open[connection]
            self._churn.connection_closed += 1
            _count_down(self.in_vhost, connection.vhost_name)
            _count_down(self.of_user, connection.username)

    def enter_channel(self, username: str) -> None:
        self.channels += 1
        self.channels_of_user[username] += 1

    def leave_channel(self, username: str) -> None:
        self.channels -= 1
        _count_down(self.channels_of_user, username)

    def close_all(self, explanation: str, *, vhost: str | None = None, username: str | None = None) -> None:
        """Send away (320) those of a vhost, of a user, or all."""
        for connection in list(self.open):
            if vhost in (None, connection.vhost_name) and username in (None, connection.username):
                connection.close(ReplyCode.CONNECTION_FORCED, explanation)

    def permissions_changed(self, username: str) -> None:
        """Tell those of a user."""
        for connection in self.open:
            if connection.username == username:
                connection.permissions_changed()


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
