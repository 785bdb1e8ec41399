"""The recent-history exchange: a fanout that gives whoever is bound the last messages first.

The history is in memory: it does not survive a restart, as in RabbitMQ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from ...errors import PreconditionFailed
from ...message import Message
from ...wire.fields import Int8, Int16, Int32, term
from ..arguments import Arguments
from .fanout import FanoutExchange

LENGTH: Final = "x-recent-history-length"

NO_STORE: Final = "x-recent-history-no-store"
"""The header, true, of a message that is not to be remembered."""

DEFAULT_LENGTH: Final = 20


class RecentHistoryExchange(FanoutExchange):
    """A message matches every binding, and is one of the next few that new bindings start with."""

    type = "x-recent-history"
    by_routing_key = False
    attentive = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self._recent: deque[Message] = deque(maxlen=self.arguments.get(LENGTH, DEFAULT_LENGTH))

    @classmethod
    def check_arguments(cls, arguments: Arguments, described: str) -> None:
        length = arguments.get(LENGTH, DEFAULT_LENGTH)
        if type(length) not in (int, Int8, Int16, Int32) or length < 1:
            raise PreconditionFailed(f"Invalid argument {term(length)}, '{LENGTH}' must be a positive integer")

    def receive(self, message: Message, keys: tuple[str, ...]) -> int | None:
        if message.headers.get(NO_STORE) is not True:
            self._recent.append(message)
        return None

    def replay(self) -> Iterable[Message]:
        return [message.copy() for message in self._recent]
