"""The event exchange: what happens in the broker, as messages to amq.rabbitmq.event in the default vhost.

The routing key is the event's name; the fields are in the headers, and there is no body (RabbitMQ's plug-in
rabbitmq_event_exchange).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..message import make_message
from ..wire.properties import PERSISTENT, Properties

if TYPE_CHECKING:
    from ..clock import Clock
    from .vhost import VHost

EVENT: Final = "amq.rabbitmq.event"


class EventExchange:
    """A listener that publishes what it hears. The exchange, and bindings to it, stay when it listens no more."""

    def __init__(self, vhost: VHost, clock: Clock) -> None:
        self._vhost = vhost
        self._clock = clock
        self._exchange = vhost.provide_exchange(EVENT, "topic")

    def __call__(self, name: str, fields: Mapping[str, Any]) -> None:
        if not self._exchange.outgoing:
            return
        now = self._clock.time()
        headers = {**_table(fields), "timestamp_in_ms": int(now * 1000)}
        properties = Properties(headers=headers, delivery_mode=PERSISTENT, timestamp=int(now))
        message = make_message(EVENT, name, b"", properties)
        self._vhost.route(self._exchange, message).deliver(message)


def _table(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as headers; operators may set parameters to what no header can hold."""
    return {_text(name, 255): _fitting(value) for name, value in fields.items()}


def _fitting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _table(value)
    if isinstance(value, list):
        return [_fitting(item) for item in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    return _text(value) if type(value) is str else value


def _text(text: str, limit: int | None = None) -> str:
    try:
        encoded = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can say
        encoded = text.encode("utf-8", "replace")
        text = encoded.decode()
    return text if limit is None or len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore")
