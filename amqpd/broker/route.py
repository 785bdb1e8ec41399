"""Where messages go: the queues behind an exchange and a routing key, and what is remembered of them.

A vhost works a route out once and remembers it until its topology changes; see `VHost.route`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

from ..message import Message
from ..store.base import Store
from .queue import Queue
from .stream import AnyQueue, Stream

if TYPE_CHECKING:
    from .firehose import Firehose

ROUTES_LIMIT: Final = 65536
"""What a vhost remembers, at most; when there is more, all is forgotten."""


class Route:
    """The queues a message reaches."""

    __slots__ = ("_only", "_plain", "_shared", "_store", "_streams", "kept", "lasting", "queues", "spread", "width")

    def __init__(self, queues: tuple[AnyQueue, ...], lasting: bool, store: Store, kept: int = 0) -> None:
        self.queues = queues
        self.width = len(queues)
        self.spread = self.width if self.width > 1 else 0  # the work it makes beyond that of a plain publish
        self.lasting = lasting  # for every message with this exchange and routing key, until the topology changes
        self.kept = kept  # STORED when an exchange on the way has kept and stored it
        self._store = store
        self._plain = tuple([queue for queue in queues if isinstance(queue, Queue)])
        self._streams = tuple([queue for queue in queues if isinstance(queue, Stream)])
        self._only: Queue | None = self._plain[0] if len(queues) == len(self._plain) == 1 and not kept else None
        self._shared = sum([queue.durable for queue in queues]) > 1  # a persistent message would be stored repeatedly

    def deliver(self, message: Message) -> int:
        """Push a message to the queues. Returns what `Queue.push` said, of all of them together: STORED, REFUSED."""
        queue = self._only
        if queue is not None:
            return queue.push(message)
        if self._shared and message.persistent:
            message.id = self._store.new_message_id()
        outcome = self.kept
        for queue in self._plain:
            outcome |= queue.push(message)
        for stream in self._streams:
            outcome |= stream.push(message)
        return outcome


class Routes:
    """What was worked out from a vhost's topology, by whatever keys; and whether that still holds."""

    __slots__ = ("_found", "_limit", "firehose", "generation")

    def __init__(self, limit: int = ROUTES_LIMIT) -> None:
        self._limit = limit
        self.generation = 0  # changes whenever a route may
        self.firehose: Firehose | None = None  # hears of every publish and delivery, when tracing is on
        self._found: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self._found)

    def get(self, key: Hashable) -> Any:
        """What was remembered under a key; None when nothing was."""
        return self._found.get(key)

    def remember(self, key: Hashable, found: Any) -> None:
        """Keep something until the topology changes, or too much is kept."""
        if len(self._found) >= self._limit:
            self._found.clear()
        self._found[key] = found

    def forget(self) -> None:
        """The topology has changed."""
        self.generation += 1
        self._found.clear()
