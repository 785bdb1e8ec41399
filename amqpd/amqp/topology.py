"""Topology: exchange.* and queue.* declare, bind, unbind, delete and purge.

Handlers translate methods into calls of the vhost. What changes something durable is answered when it is synced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..auth.base import Action
from ..broker.stream import Stream
from ..errors import AccessRefused, NotFound
from ..wire.methods import (
    ExchangeBind,
    ExchangeBindOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    ExchangeUnbind,
    ExchangeUnbindOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
    QueuePurge,
    QueuePurgeOk,
    QueueUnbind,
    QueueUnbindOk,
)
from ..wire.schema import Method
from .replies import check_reply_queue, is_reply_queue

if TYPE_CHECKING:
    from .channel import Channel


def exchange_declare(channel: Channel, method: ExchangeDeclare) -> None:
    vhost = channel.vhost
    name = _stripped(method.exchange)
    if method.passive:
        vhost.check_not_default(name)
        channel.check_any("exchange", name)
        vhost.exchange(name)
        _answer(channel, method.nowait, ExchangeDeclareOk())
        return
    vhost.check_declarable(name, method.type)
    channel.check(Action.CONFIGURE, "exchange", name)
    alternate = method.arguments.get("alternate-exchange")
    if isinstance(alternate, str) and vhost.is_free_exchange(name):
        channel.check(Action.READ, "exchange", name)
        channel.check(Action.WRITE, "exchange", alternate)
    with vhost.events.acting(channel.user.name):
        vhost.declare_exchange(
            name,
            method.type,
            durable=method.durable,
            auto_delete=method.auto_delete,
            internal=method.internal,
            arguments=method.arguments,
        )
    _answer(channel, method.nowait, ExchangeDeclareOk(), durable=method.durable)


def exchange_delete(channel: Channel, method: ExchangeDelete) -> None:
    vhost = channel.vhost
    name = _stripped(method.exchange)
    vhost.check_deletable(name)
    channel.check(Action.CONFIGURE, "exchange", name)
    exchange = vhost.delete_exchange(name, if_unused=method.if_unused)
    _answer(channel, method.nowait, ExchangeDeleteOk(), durable=exchange is not None and exchange.durable)


def exchange_bind(channel: Channel, method: ExchangeBind) -> None:
    source, destination = _stripped(method.source), _stripped(method.destination)
    _check_binding(channel, source, destination, method.routing_key, to_queue=False)
    channel.vhost.bind(source, destination, method.routing_key, method.arguments, to_queue=False)
    _answer(channel, method.nowait, ExchangeBindOk(), durable=True)


def exchange_unbind(channel: Channel, method: ExchangeUnbind) -> None:
    source, destination = _stripped(method.source), _stripped(method.destination)
    _check_binding(channel, source, destination, method.routing_key, to_queue=False)
    channel.vhost.unbind(source, destination, method.routing_key, method.arguments, to_queue=False)
    _answer(channel, method.nowait, ExchangeUnbindOk(), durable=True)


def queue_declare(channel: Channel, method: QueueDeclare) -> None:
    vhost = channel.vhost
    name = _stripped(method.queue)
    if is_reply_queue(name):
        check_reply_queue(channel, name)
        _answer(channel, method.nowait, QueueDeclareOk(name, 0, 1))
        return
    if method.passive:
        channel.check_any("queue", name)
        queue = vhost.queue(name, channel.connection)
    else:
        lasting = method.durable and not method.exclusive and not method.auto_delete
        named = vhost.name_queue(name, method.arguments, lasting=lasting)
        if not name:  # the same as before, should this be handled again when it is known whether the user may
            named = channel.name_ahead = channel.name_ahead or named
        name = named
        channel.check(Action.CONFIGURE, "queue", name)
        dead_letter_exchange = method.arguments.get("x-dead-letter-exchange")
        if isinstance(dead_letter_exchange, str) and name not in vhost.queues:
            channel.check(Action.READ, "queue", name)
            channel.check(Action.WRITE, "exchange", dead_letter_exchange)
        queue = vhost.declare_queue(
            name,
            durable=method.durable,
            exclusive=method.exclusive,
            auto_delete=method.auto_delete,
            arguments=method.arguments,
            owner=channel.connection,
            named=True,
        )
    if not isinstance(queue, Stream) and queue.limits is not None:
        queue.limits.used()
    channel.last_queue = queue.name
    channel.name_ahead = ""
    consumers = 0 if isinstance(queue, Stream) else len(queue.consumers)  # RabbitMQ does not count those of streams
    ok = QueueDeclareOk(queue.name, queue.message_count, consumers)
    _answer(channel, method.nowait, ok, durable=queue.durable)


def queue_bind(channel: Channel, method: QueueBind) -> None:
    queue, key = _bound_queue(channel, method.queue, method.routing_key)
    exchange = _stripped(method.exchange)
    _check_binding(channel, exchange, queue, key, to_queue=True)
    channel.vhost.bind(exchange, queue, key, method.arguments, to_queue=True, owner=channel.connection)
    _answer(channel, method.nowait, QueueBindOk(), durable=True)


def queue_unbind(channel: Channel, method: QueueUnbind) -> None:
    queue, key = _bound_queue(channel, method.queue, method.routing_key)
    exchange = _stripped(method.exchange)
    _check_binding(channel, exchange, queue, key, to_queue=True)
    channel.vhost.unbind(exchange, queue, key, method.arguments, to_queue=True, owner=channel.connection)
    _answer(channel, False, QueueUnbindOk(), durable=True)


def queue_purge(channel: Channel, method: QueuePurge) -> None:
    name = resolve_queue_name(channel, method.queue)
    channel.check(Action.READ, "queue", name)
    queue = channel.vhost.queue(name, channel.connection)
    _answer(channel, method.nowait, QueuePurgeOk(queue.purge()), durable=queue.durable)


def queue_delete(channel: Channel, method: QueueDelete) -> None:
    vhost = channel.vhost
    name = resolve_queue_name(channel, method.queue)
    channel.check(Action.CONFIGURE, "queue", name)
    if name not in vhost.queues:
        _answer(channel, method.nowait, QueueDeleteOk(0))
        return
    queue = vhost.queue(name, channel.connection)
    vhost.check_queue_deletable(queue, if_unused=method.if_unused, if_empty=method.if_empty)
    # before the deletion, which may cancel consumers on this channel
    count = 0 if isinstance(queue, Stream) else queue.message_count  # nor what is deleted with them
    _answer(channel, method.nowait, QueueDeleteOk(count), durable=queue.durable)
    vhost.delete_queue(queue)


def resolve_queue_name(channel: Channel, name: str) -> str:
    """An empty name stands for the queue declared last on the channel. Raises NotFound when there is none."""
    name = _stripped(name) or channel.last_queue
    if not name:
        raise NotFound("no previously declared queue")
    return name


def _bound_queue(channel: Channel, queue: str, routing_key: str) -> tuple[str, str]:
    """Queue and routing key of a binding: without either, both are the queue declared last."""
    name = resolve_queue_name(channel, queue)
    return name, routing_key if queue or routing_key else name


def _check_binding(channel: Channel, source: str, destination: str, key: str, *, to_queue: bool) -> None:
    """Raises AccessRefused unless the user may bind, and unbind, these."""
    vhost = channel.vhost
    if to_queue and is_reply_queue(destination):
        raise AccessRefused("cannot bind or unbind to a volatile (direct reply-to) queue")
    channel.check(Action.WRITE, "queue" if to_queue else "exchange", destination)
    if not to_queue:
        vhost.check_not_default(destination)
    vhost.check_not_default(source)
    channel.check(Action.READ, "exchange", source)
    exchange = vhost.exchanges.get(source)
    if exchange is not None:
        channel.check_topic(Action.READ, exchange, key)


def _stripped(name: str) -> str:
    """Line ends do not count in names (RabbitMQ's strip_cr_lf)."""
    return name.replace("\r", "").replace("\n", "")


def _answer(channel: Channel, nowait: bool, method: Method, *, durable: bool = False) -> None:
    if nowait:
        return
    if durable:
        channel.reply_when_durable(method)
    else:
        channel.reply(method)


HANDLERS: Final[dict[type[Method], Callable[[Channel, Any], None]]] = {
    ExchangeDeclare: exchange_declare,
    ExchangeDelete: exchange_delete,
    ExchangeBind: exchange_bind,
    ExchangeUnbind: exchange_unbind,
    QueueDeclare: queue_declare,
    QueueBind: queue_bind,
    QueueUnbind: queue_unbind,
    QueuePurge: queue_purge,
    QueueDelete: queue_delete,
}
