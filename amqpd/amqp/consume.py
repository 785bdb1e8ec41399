"""Consuming and settling: basic.qos, consume, cancel, get, ack, nack, reject and recover."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..auth.base import Action
from ..broker.arguments import (
    QUORUM,
    check_consumer_arguments,
    check_stream_consumer_arguments,
    queue_type_of,
)
from ..broker.consumer import Consumer
from ..broker.entry import Entry
from ..broker.queue import Queue
from ..broker.stream import AnyQueue, Stream
from ..broker.vhost import REPLY_TO, generated_name
from ..errors import AccessRefused, NotAllowed, NotImplementedByBroker, PreconditionFailed, ResourceLocked
from ..wire.methods import (
    BasicAck,
    BasicCancel,
    BasicCancelOk,
    BasicConsume,
    BasicConsumeOk,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    BasicNack,
    BasicQos,
    BasicQosOk,
    BasicRecover,
    BasicRecoverAsync,
    BasicRecoverOk,
    BasicReject,
)
from ..wire.schema import Method
from ..wire.writer import deliver_prefix
from .replies import consume_replies
from .topology import resolve_queue_name

if TYPE_CHECKING:
    from .channel import Channel


def basic_qos(channel: Channel, method: BasicQos) -> None:
    """RabbitMQ's meaning of `global`: false limits each consumer started after this, true the channel as a whole."""
    if method.prefetch_size:
        raise NotImplementedByBroker(f"prefetch_size!=0 ({method.prefetch_size})")
    if method.global_ and channel.vhost.compat.global_qos:
        channel.deliveries.window.limit = method.prefetch_count
    else:
        channel.prefetch = method.prefetch_count
    channel.reply(BasicQosOk())
    channel.unpark_all()


def basic_consume(channel: Channel, method: BasicConsume) -> None:
    if method.consumer_tag in channel.consumers:
        raise NotAllowed(f"attempt to reuse consumer tag '{method.consumer_tag}'")
    limit = channel.connection.settings.consumer_max
    if limit and len(channel.consumers) >= limit:
        raise NotAllowed(f"reached maximum ({limit}) of consumers per channel")
    if method.queue == REPLY_TO:
        consume_replies(channel, method)
        return
    found = _readable(channel, method.queue)
    described = channel.vhost.describe_queue(found.name)
    if isinstance(found, Stream):
        _check_stream_consumer(channel, method, described)
        queue = found.open_cursor(method.arguments)
    else:
        queue = found
        queue_type = queue_type_of(queue.arguments)
        quorum_4_3 = channel.vhost.compat.quorum_4_3
        check_consumer_arguments(method.arguments, described, queue_type, quorum_4_3=quorum_4_3)
        if queue_type == QUORUM and channel.deliveries.window.limit:
            raise NotImplementedByBroker(f"{described} does not support global qos")
    if queue.exclusive_consumer or (method.exclusive and (queue.consumers or queue.single_active)):
        raise AccessRefused(f"{described} in exclusive use")
    tag = method.consumer_tag or generated_name("amq.ctag-")
    consumer = Consumer(
        tag,
        queue,
        channel.deliveries,
        channel.connection.outlet,
        channel.deliveries.window,
        no_ack=method.no_ack,
        exclusive=method.exclusive,
        prefetch=channel.prefetch,
        prefix=deliver_prefix(tag),
        arguments=method.arguments,
    )
    channel.consumers[tag] = consumer
    if not method.nowait:
        channel.reply(BasicConsumeOk(tag))
    queue.add_consumer(consumer)
    channel.connection.broker.timeouts.heed_consumer(consumer)
    channel.tell_of_consumer("consumer.created", consumer)
    queue.dispatch()


def basic_cancel(channel: Channel, method: BasicCancel) -> None:
    consumer = channel.consumers.pop(method.consumer_tag, None)
    if consumer is not None:
        channel.vhost.cancel(consumer)
        channel.tell_of_consumer("consumer.deleted", consumer)
        if consumer.queue is channel.reply_queue:
            channel.publishing.forget_properties()  # which may ask for replies
    if not method.nowait:
        channel.reply(BasicCancelOk(method.consumer_tag))
    if consumer is not None:
        consumer.queue.dispatch()  # another may be the active one now


def basic_cancel_ok(channel: Channel, method: BasicCancelOk) -> None:
    """The answer to our own basic.cancel, from clients that do not go by its nowait."""


def basic_get(channel: Channel, method: BasicGet) -> None:
    queue = _readable(channel, method.queue)
    if isinstance(queue, Queue) and queue.single_active and queue_type_of(queue.arguments) == QUORUM:
        raise ResourceLocked(
            f"cannot obtain access to locked {channel.vhost.describe_queue(queue.name)}. basic.get operations are not"
            " supported by quorum queues with single active consumer"
        )
    entry = queue.get(method.no_ack)
    channel.count_get(entry, method.no_ack)
    if entry is None:
        channel.reply(BasicGetEmpty())
        return
    deliveries = channel.deliveries
    tag = deliveries.next_tag
    deliveries.next_tag += 1
    if not method.no_ack:
        deliveries.unacked.add(tag, entry)
    message = entry.message
    ok = BasicGetOk(tag, entry.redelivered, message.exchange, message.routing_key, queue.message_count)
    channel.outbox.content(channel.number, ok, message.header, message.body)
    channel.trace(entry, queue.name)


def basic_ack(channel: Channel, method: BasicAck) -> None:
    channel.deliveries.ack(method.delivery_tag, method.multiple)


def basic_nack(channel: Channel, method: BasicNack) -> None:
    entries = channel.deliveries.unacked.take(method.delivery_tag, method.multiple)
    _refuse(channel, entries, requeue_nacked if method.requeue else reject)


def basic_reject(channel: Channel, method: BasicReject) -> None:
    entries = channel.deliveries.unacked.take(method.delivery_tag, False)
    _refuse(channel, entries, requeue if method.requeue else reject)


def basic_recover(channel: Channel, method: BasicRecover) -> None:
    _check_recovery(method.requeue)
    channel.reply(BasicRecoverOk())  # before the deliveries it brings about
    requeue_nacked(channel, channel.deliveries.unacked.take_all())


def basic_recover_async(channel: Channel, method: BasicRecoverAsync) -> None:
    _check_recovery(method.requeue)
    requeue_nacked(channel, channel.deliveries.unacked.take_all())


def requeue(channel: Channel, entries: list[Entry], counted: bool = True) -> None:
    """Entries taken from `unacked` go back to their queues, which may hand them out again at once.

    `counted`: it counts towards the delivery limit of those that have one.
    """
    by_queue: dict[Queue, list[Entry]] = {}
    for entry in entries:
        assert entry.queue is not None
        by_queue.setdefault(entry.queue, []).append(entry)
    for queue, returned in by_queue.items():
        queue.requeue(returned, counted)
    if by_queue and channel.deliveries.window.limit:
        channel.unpark_all()


def requeue_nacked(channel: Channel, entries: list[Entry]) -> None:
    """`requeue`, by basic.nack or basic.recover: whether that counts depends on the version followed."""
    requeue(channel, entries, channel.vhost.compat.nacks_count)


def ack(channel: Channel, entries: list[Entry]) -> None:
    """Entries taken from `unacked` are done with."""
    channel.deliveries.settle(entries)


def reject(channel: Channel, entries: list[Entry]) -> None:
    """Entries taken from `unacked` are not wanted: they are dead-lettered where their queue has a place for that."""
    for entry in entries:
        if entry.queue is not None and entry.queue.limits is not None:
            entry.queue.limits.rejected(entry)
    channel.deliveries.settle(entries, False)


def _refuse(channel: Channel, entries: list[Entry], verdict: Callable[[Channel, list[Entry]], None]) -> None:
    if channel.transaction is not None:
        channel.transaction.settle(entries, verdict)
    else:
        verdict(channel, entries)


def _check_recovery(requeue_them: bool) -> None:
    if not requeue_them:
        raise NotImplementedByBroker("requeue=false")


def _check_stream_consumer(channel: Channel, method: BasicConsume, described: str) -> None:
    """What streams demand of their consumers."""
    check_stream_consumer_arguments(method.arguments, described, quorum_4_3=channel.vhost.compat.quorum_4_3)
    if not channel.prefetch:
        raise PreconditionFailed(f"consumer prefetch count is not set for stream {described}")
    if method.no_ack:
        raise NotImplementedByBroker(f"automatic acknowledgement not supported by stream {described}")
    if channel.deliveries.window.limit:
        raise NotImplementedByBroker(f"{described} does not support global qos")


def _readable(channel: Channel, name: str) -> AnyQueue:
    name = resolve_queue_name(channel, name)
    channel.check(Action.READ, "queue", name)
    return channel.vhost.queue(name, channel.connection)


HANDLERS: Final[dict[type[Method], Callable[[Channel, Any], None]]] = {
    BasicQos: basic_qos,
    BasicConsume: basic_consume,
    BasicCancel: basic_cancel,
    BasicCancelOk: basic_cancel_ok,
    BasicGet: basic_get,
    BasicAck: basic_ack,
    BasicNack: basic_nack,
    BasicReject: basic_reject,
    BasicRecover: basic_recover,
    BasicRecoverAsync: basic_recover_async,
}
