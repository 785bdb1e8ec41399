"""Direct reply-to: replies come straight to the channel that asked, without a queue anybody has to declare.

A channel that consumes from `amq.rabbitmq.reply-to` has a queue of its own opened. A request published on the same
channel with that name as its reply-to carries the queue's true name from then on, and whoever answers publishes there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..broker.consumer import Consumer, Window
from ..broker.vhost import REPLY_TO, generated_name
from ..errors import NotFound, PreconditionFailed
from ..wire.methods import BasicConsume, BasicConsumeOk
from ..wire.writer import deliver_prefix

if TYPE_CHECKING:
    from .channel import Channel


def consume_replies(channel: Channel, method: BasicConsume) -> None:
    """basic.consume from the pseudo-queue. Raises PreconditionFailed with acks, and when the channel does already."""
    if not method.no_ack:
        raise PreconditionFailed("reply consumer cannot acknowledge")
    if _is_open(channel):
        raise PreconditionFailed("reply consumer already set")
    tag = method.consumer_tag or generated_name("amq.ctag-")
    queue = channel.reply_queue = channel.vhost.open_reply_queue()
    deliveries = channel.deliveries
    consumer = Consumer(
        tag,
        queue,
        deliveries,
        channel.connection.outlet,
        Window(),  # no limit: in RabbitMQ replies come past them all
        no_ack=True,
        prefix=deliver_prefix(tag),
        arguments=method.arguments,
    )
    channel.consumers[tag] = consumer
    if not method.nowait:
        channel.reply(BasicConsumeOk(tag))
    queue.add_consumer(consumer)
    channel.tell_of_consumer("consumer.created", consumer)


def reply_address(channel: Channel) -> str:
    """What a request's reply-to is to say. Raises PreconditionFailed unless the channel consumes its replies."""
    if not _is_open(channel):
        raise PreconditionFailed("fast reply consumer does not exist")
    assert channel.reply_queue is not None
    return channel.reply_queue.name


def is_reply_queue(name: str) -> bool:
    """Whether it is a name of direct reply-to: none that could be declared or bound."""
    return name == REPLY_TO or name.startswith(f"{REPLY_TO}.")


def check_reply_queue(channel: Channel, name: str) -> None:
    """Raises NotFound when nobody waits there for replies; the pseudo-queue itself always is."""
    if name != REPLY_TO and name not in channel.vhost.reply_queues:
        raise NotFound(f"no {channel.vhost.describe_queue(name)}")


def _is_open(channel: Channel) -> bool:
    return channel.reply_queue is not None and not channel.reply_queue.deleted
