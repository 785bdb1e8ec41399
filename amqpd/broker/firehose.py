"""The firehose: copies of all that the channels of a vhost publish and deliver, to watch applications by.

A copy goes to the exchange amq.rabbitmq.trace, with the routing key `publish.EXCHANGE` or `deliver.QUEUE`, the same
body, and in its headers what the message was and who did it (RabbitMQ's rabbit_trace). Copies are not copied.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..message import Message, make_message
from ..wire.fields import Int32, Table
from ..wire.properties import Properties
from .copies import remembered_keys

if TYPE_CHECKING:
    from .stream import AnyQueue
    from .vhost import VHost

TRACE: Final = "amq.rabbitmq.trace"

_NAMES: Final = tuple(each.name for each in fields(Properties))


class Actor(NamedTuple):
    """Who published a message, or received it."""

    connection: str
    channel: int
    user: str


class Firehose:
    """Publishes the copies of one vhost."""

    def __init__(self, vhost: VHost, node: str) -> None:
        self._vhost = vhost
        self._node = node

    def published(self, message: Message, keys: tuple[str, ...], queues: tuple[AnyQueue, ...], by: Actor) -> None:
        """Called before a message is delivered to the queues it was routed to; `keys` are those besides its own."""
        routed = {"routed_queues": [queue.name for queue in queues]}
        self._copy(message, f"publish.{message.exchange}", keys, {**self._seen(by), **routed})

    def delivered(self, message: Message, queue: str, redelivered: bool, to: Actor) -> None:
        """Called after a message was sent to a consumer, or got."""
        self._copy(
            message, f"deliver.{queue}", remembered_keys(message), {"redelivered": Int32(redelivered), **self._seen(to)}
        )

    def _seen(self, actor: Actor) -> Table:
        return {
            "vhost": self._vhost.name,
            "connection": actor.connection,
            "channel": Int32(actor.channel),
            "user": actor.user,
        }

    def _copy(self, message: Message, key: str, keys: tuple[str, ...], circumstances: Table) -> None:
        vhost = self._vhost
        exchange = vhost.exchanges[TRACE]
        if message.exchange == TRACE or not exchange.outgoing:
            return
        headers: Table = {
            "exchange_name": message.exchange,
            "routing_keys": [message.routing_key, *keys],
            "properties": _as_table(message.properties),
            "node": self._node,
            **circumstances,
        }
        key = key.encode("utf-8", "surrogateescape")[:255].decode("utf-8", "ignore")
        copy = make_message(TRACE, key, message.body, Properties(headers=headers))
        vhost.route(exchange, copy).deliver(copy)


def _as_table(properties: Properties) -> Table:
    found = {name: getattr(properties, name) for name in _NAMES}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    """Numbers as RabbitMQ has them there, as long as they fit."""
    return Int32(value) if isinstance(value, int) and value < 1 << 31 else value
