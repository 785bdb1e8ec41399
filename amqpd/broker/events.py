"""What happens in a broker, told to whoever listens.

An event has a name, such as `queue.created`, and fields as plain values; both are RabbitMQ's. Who tells one asks first
whether anybody listens:

    if events.listeners:
        events.tell("queue.deleted", name=queue.name, vhost=vhost.name)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

INTERNAL: Final = "rmq-internal"
"""Who does what no user asked for."""

Listener = Callable[[str, Mapping[str, Any]], None]
"""Called with the name and the fields of an event, when it has happened."""


def _nobody(text: str, fields: Mapping[str, Any]) -> None:
    """Hears a warning, and lets it be."""


class Events:
    """The listeners, and on whose behalf things happen at present."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.on_warning: Listener = _nobody  # told what an operator should know, and RabbitMQ has no event for
        self.user = INTERNAL

    def listen(self, listener: Listener) -> None:
        self.listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        self.listeners.remove(listener)

    @contextmanager
    def acting(self, user: str) -> Iterator[None]:
        """What happens meanwhile is done by this user."""
        before, self.user = self.user, user
        try:
            yield
        finally:
            self.user = before

    def warn(self, text: str, /, **fields: Any) -> None:
        """Something is not as whoever runs the broker will have meant it."""
        self.on_warning(text, fields)

    def tell(self, name: str, /, **fields: Any) -> None:
        """Something happened, through the user who acts at present."""
        fields["user_who_performed_action"] = self.user
        for listener in list(self.listeners):
            listener(name, fields)
