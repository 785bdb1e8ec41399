"""The log exchange: lines of the log, as messages to amq.rabbitmq.log in the default vhost.

The routing key is the line's level, so that `error` and `#` can be bound; the body is the line (RabbitMQ's
rabbit_logger_exchange_h).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..message import make_message
from ..wire.properties import Properties

if TYPE_CHECKING:
    from ..clock import Clock
    from .vhost import VHost

LOG: Final = "amq.rabbitmq.log"


class LogExchange:
    """Publishes lines. The exchange, and bindings to it, stay when nobody logs to it any more."""

    def __init__(self, vhost: VHost, clock: Clock, node: str, content_type: str) -> None:
        self._vhost = vhost
        self._clock = clock
        self._node = node
        self._content_type = content_type
        self._exchange = vhost.provide_exchange(LOG, "topic")

    def publish(self, level: str, line: str) -> None:
        if not self._exchange.outgoing:
            return
        properties = Properties(
            content_type=self._content_type, headers={"node": self._node}, timestamp=int(self._clock.time())
        )
        body = line.encode("utf-8", "backslashreplace")
        message = make_message(LOG, level, body, properties)
        self._vhost.route(self._exchange, message).deliver(message)
