"""Stand-ins for what lies outside the layer under test. They keep the contracts, and are tested themselves.

The manual clock is `amqpd.clock.VirtualClock`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amqpd.auth.base import Action, Credentials, Peer, Refusal, Resource, User
from amqpd.broker.consumer import Consumer, Sink
from amqpd.broker.entry import Entry
from amqpd.message import Message
from amqpd.store.base import MAX_SEQ, Definition, Kind
from amqpd.store.memory import MemoryStore

LOCAL = Peer("127.0.0.1", 50000, "127.0.0.1", 5672, loopback=True)
REMOTE = Peer("192.0.2.7", 50000, "192.0.2.1", 5672, loopback=False)


class Permissive:
    """An authorizer that lets everybody do everything; a test overrides what it is about."""

    def may_enter(self, user: User, vhost: str, peer: Peer) -> bool:
        return True

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> bool:
        return True

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return False

    def may_use_topic(self, user: User, action: Action, vhost: str, exchange: str, routing_key: str) -> bool:
        return True

    def limit(self, user: User, name: str) -> int | None:
        return None


class Guests(Permissive):
    """An authenticator that knows guest and the password everybody knows, and asks for nothing else on this machine."""

    def authenticate(self, credentials: Credentials, peer: Peer) -> User | Refusal:
        if credentials.name != "guest" or credentials.password not in (b"guest", None):
            return Refusal(f"user '{credentials.name}' - invalid credentials")
        if not peer.loopback:
            return Refusal("user 'guest' can only connect via localhost")
        return User("guest")

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> User | Refusal:
        return user


class RecordingSink(Sink):
    """A peer that takes all it is given, and remembers it."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[str, Entry]] = []  # with the consumer's tag
        self.cancellations: list[str] = []  # tags of the consumers

    def deliver(self, consumer: Consumer, entry: Entry) -> None:
        self.deliveries.append((consumer.tag, entry))

    def cancelled(self, consumer: Consumer) -> None:
        self.cancellations.append(consumer.tag)

    @property
    def entries(self) -> list[Entry]:
        return [entry for _, entry in self.deliveries]

    @property
    def bodies(self) -> list[bytes]:
        return [entry.message.body for entry in self.entries]

    def bodies_of(self, tag: str) -> list[bytes]:
        """What one consumer got."""
        return [entry.message.body for to, entry in self.deliveries if to == tag]


class ManualStore(MemoryStore):
    """A store whose disk is as slow as the test likes: nothing is committed until `commit` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self._callbacks: list[Callable[[], None]] = []
        self._changed = False

    def put(self, queue_id: int, seq: int, message: Message, deadline: int = 0) -> None:
        super().put(queue_id, seq, message, deadline)
        self.lag += message.size
        self._changed = True

    def delete(self, queue_id: int, seq: int, message: Message) -> None:
        super().delete(queue_id, seq, message)
        self._changed = True

    def drop(self, queue_id: int, first: int = 0, last: int = MAX_SEQ) -> None:
        super().drop(queue_id, first, last)
        self._changed = True

    def define(self, kind: Kind, definition_id: int, definition: Definition) -> None:
        super().define(kind, definition_id, definition)
        self._changed = True

    def undefine(self, kind: Kind, definition_id: int) -> None:
        super().undefine(kind, definition_id)
        self._changed = True

    def when_committed(self, callback: Callable[[], None]) -> None:
        if self._changed or self._callbacks:
            self._callbacks.append(callback)
        else:
            callback()

    def commit(self) -> None:
        """The disk has taken everything so far."""
        self.commits += 1
        self.lag = 0
        self._changed = False
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def close(self) -> None:
        self.commit()


class RecordingLog:
    """A logger whose lines are (level, text, fields)."""

    def __init__(self, lines: list[tuple[str, str, dict[str, Any]]] | None = None, /, **bound: Any) -> None:
        self.lines = [] if lines is None else lines
        self._bound = bound

    def bind(self, **fields: Any) -> RecordingLog:
        return RecordingLog(self.lines, **self._bound, **fields)

    def texts(self, level: str) -> list[str]:
        """What was logged at a level."""
        return [text for at, text, _ in self.lines if at == level]

    def debug(self, text: str, /, **fields: Any) -> None:
        self._log("debug", text, fields)

    def info(self, text: str, /, **fields: Any) -> None:
        self._log("info", text, fields)

    def warning(self, text: str, /, **fields: Any) -> None:
        self._log("warning", text, fields)

    def error(self, text: str, /, **fields: Any) -> None:
        self._log("error", text, fields)

    def critical(self, text: str, /, **fields: Any) -> None:
        self._log("critical", text, fields)

    def exception(self, text: str, /, **fields: Any) -> None:
        self._log("exception", text, fields)

    def _log(self, level: str, text: str, fields: dict[str, Any]) -> None:
        self.lines.append((level, text, {**self._bound, **fields}))
