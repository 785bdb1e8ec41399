"""A channel: one lane of a connection, with its own consumers, delivery tags and publish numbers.

Handlers of methods live in `topology`, `publish`, `consume` and `transactions`; `HANDLERS` is the table of them all. A
handler that objects raises an AmqpError, and the connection closes the channel or itself.

What a channel answers may have to wait until something is durable. Then everything it sends after that waits too, in
an outbox of its own, and is moved to the connection's when the store has committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..auth.base import Action, Resource, User, Verdict, addition
from ..broker.consumer import Consumer, by_priority
from ..broker.entry import Entry
from ..broker.firehose import Actor
from ..broker.queue import Queue
from ..broker.traffic import Traffic
from ..broker.vhost import VHost
from ..errors import AccessRefused, ChannelError, CommandInvalid, NotImplementedByBroker, PreconditionFailed
from ..message import Message
from ..wire.methods import (
    AccessRequest,
    AccessRequestOk,
    BasicAck,
    BasicCancel,
    BasicNack,
    ChannelClose,
    ChannelCloseOk,
    ChannelFlow,
    ChannelFlowOk,
    ChannelOpen,
)
from ..wire.schema import Method
from ..wire.writer import Outbox
from . import consume, publish, topology, transactions
from .confirms import Confirms
from .deliveries import Deliveries
from .publishing import Publishing
from .transactions import Transaction

if TYPE_CHECKING:
    from ..broker.exchanges import Exchange
    from .connection import Connection

DEFAULT_EXCHANGE: Final = "amq.default"
"""What permissions know it by."""

MOST_PERMITS: Final = 1000
"""Of what the user may do, remembered by a channel."""


class Channel:
    """An open channel. What comes by the million is left to its two halves, `publishing` and `deliveries`."""

    def __init__(self, number: int, connection: Connection, user: User, vhost: VHost) -> None:
        self.number = number
        self.connection = connection
        self.user = user
        self.vhost = vhost
        self.max_message_size = connection.settings.max_message_size
        self.closed = False
        self.last_queue = ""  # declared last: what an empty queue name stands for
        self.name_ahead = ""  # made up for a queue that is not declared yet
        self.reply_queue: Queue | None = None  # where direct replies come to

        self.traffic = Traffic()
        self.publishing = Publishing(publish.ChannelCustoms(self), vhost.routes, self.traffic)
        self.deliveries = Deliveries(self, number, connection.outbox, connection.outlet, vhost.routes, self.traffic)
        self.consumers: dict[str, Consumer] = {}
        self.prefetch = 0  # of consumers started from now on; 0 = no limit

        self._held: deque[Outbox] = deque()  # waiting for a commit each
        self._hold_begun = False  # the last of them has no commit to wait for yet
        events = connection.broker.events
        if events.listeners:
            with events.acting(user.name):
                events.tell("channel.created", **self._described, number=number, user=user.name, vhost=vhost.name)
        self._permitted: set[tuple[Action, str, str] | tuple[Action, str, str, str]] = set()
        connection.broker.connections.enter_channel(user.name)
        connection.broker.timeouts.watch(self)
        connection.broker.churn.channel_created += 1

    @property
    def outbox(self) -> Outbox:
        """Where to write what is sent on this channel: the connection's, or the last of those held back."""
        return self.deliveries.outbox

    @property
    def confirms(self) -> Confirms | None:
        """In confirm mode."""
        return self.publishing.confirms

    @property
    def transaction(self) -> Transaction | None:
        """In tx mode."""
        return self.publishing.transaction

    # --- methods in

    def handle(self, method: Method) -> None:
        """Do what a client's method asks. Raises AmqpError when it cannot be done."""
        handler = HANDLERS.get(type(method))
        if handler is None:
            raise CommandInvalid("unimplemented method")
        events = self.vhost.events
        if events.listeners:
            with events.acting(self.user.name):
                handler(self, method)
        else:
            handler(self, method)

    # --- what the user may do

    def check(self, action: Action, kind: Resource, name: str) -> None:
        """Raises AccessRefused unless the user may do this to the exchange or queue; Undecided, see `inquiry`."""
        verdict = self._may(action, kind, name)
        if not verdict:
            raise AccessRefused(
                f"{action.value} access to {kind} '{name or DEFAULT_EXCHANGE}' in vhost '{self.vhost.name}' refused"
                f" for user '{self.user.name}'{addition(verdict)}"
            )

    def check_any(self, kind: Resource, name: str) -> None:
        """Raises AccessRefused unless the user may do something to the exchange or queue, where that is asked for."""
        if self.vhost.compat.passive_checked and not (
            self._may(Action.READ, kind, name) or self._may(Action.WRITE, kind, name)
        ):
            self.check(Action.CONFIGURE, kind, name)

    def check_topic(self, action: Action, exchange: Exchange, routing_key: str) -> None:
        """Raises AccessRefused unless the user may use this routing key there, or the exchange is of another type."""
        authorizer, vhost = self.connection.authorizer, self.vhost.name
        permit = (action, "topic", exchange.name, routing_key)
        if permit in self._permitted or not self.topics_are_checked(exchange):
            return
        verdict = self.connection.inquiry.ask(
            (self.number, *permit),
            partial(authorizer.may_use_topic, self.user, action, vhost, exchange.name, routing_key),
        )
        if not verdict:
            raise AccessRefused(
                f"{action.value} access to topic '{routing_key}' in exchange '{exchange.name}' in vhost '{vhost}'"
                f" refused for user '{self.user.name}'{addition(verdict)}"
            )
        self._remember(permit)

    def topics_are_checked(self, exchange: Exchange) -> bool:
        """Whether the user may use some routing keys there, and others not."""
        return exchange.type == "topic" and self.connection.authorizer.checks_topics(
            self.user, self.vhost.name, exchange.name
        )

    def forget_permissions(self) -> None:
        """What was permitted may not be any more."""
        self._permitted.clear()
        self.publishing.forget()

    def consumers_refused(self, user: User) -> list[Consumer]:
        """Consumers of what this user may not read. Raises Undecided, see `inquiry`."""
        return [
            consumer
            for consumer in self.consumers.values()
            if consumer.queue is not self.reply_queue and not self._ask(user, Action.READ, "queue", consumer.queue.name)
        ]

    def user_updated(self, user: User, refused: list[Consumer]) -> None:
        """The user has shown a new secret: consumers of what may not be read any more are cancelled."""
        self.user = user
        self.forget_permissions()
        for consumer in refused:
            queue = consumer.queue
            self.connection.log.warning(
                "consumer cancelled: read access refused after credential update",
                channel=self.number,
                consumer=consumer.tag,
                queue=queue.name,
            )
            self.vhost.cancel(consumer)
            self.cancelled(consumer)
            queue.dispatch()  # another may be the active one now

    def _may(self, action: Action, kind: Resource, name: str) -> Verdict:
        if (action, kind, name) in self._permitted:
            return True
        verdict = self._ask(self.user, action, kind, name)
        if verdict:
            self._remember((action, kind, name))
        return verdict

    def _ask(self, user: User, action: Action, kind: Resource, name: str) -> Verdict:
        asked = DEFAULT_EXCHANGE if not name and kind == "exchange" else name
        authorizer = self.connection.authorizer
        return self.connection.inquiry.ask(
            (self.number, action, kind, name), partial(authorizer.may, user, action, self.vhost.name, kind, asked)
        )

    def _remember(self, permit: tuple[Action, str, str] | tuple[Action, str, str, str]) -> None:
        if len(self._permitted) >= MOST_PERMITS:
            self._permitted.clear()
        self._permitted.add(permit)

    # --- methods out

    def reply(self, method: Method) -> None:
        """Send a method without content."""
        self.outbox.method(self.number, method)

    def reply_when_durable(self, method: Method) -> None:
        """Send a method, and whatever follows it on this channel, once all changes so far are durable."""
        if not self._hold_begun:
            self._hold_begun = True
            self.deliveries.outbox = Outbox(self.connection.outbox.frame_max)
            self._held.append(self.outbox)
            self.connection.holding[self] = None
            self.settle_later()
        self.reply(method)

    def return_unroutable(self, message: Message) -> None:
        """Hand a mandatory message back to its publisher."""
        self.outbox.content(self.number, publish.unroutable(message), message.header, message.body)

    def count_get(self, entry: Entry | None, no_ack: bool) -> None:
        """A basic.get found this."""
        traffic = self.traffic
        if entry is None:
            traffic.got_empty += 1
            return
        if no_ack:
            traffic.got_no_ack += 1
        else:
            traffic.got += 1
        if entry.redelivered:
            traffic.redelivered += 1

    @property
    def actor(self) -> Actor:
        """Who does what is done here."""
        return Actor(str(self.connection.peer), self.number, self.user.name)

    def trace(self, entry: Entry, queue: str) -> None:
        """Show the firehose, when it is on, an entry that was sent to the client."""
        firehose = self.vhost.routes.firehose
        if firehose is not None:
            firehose.delivered(entry.message, queue, entry.redelivered, self.actor)

    def cancelled(self, consumer: Consumer) -> None:
        """A consumer is gone because its queue is: told to clients that asked to be told."""
        if self.closed or self.consumers.pop(consumer.tag, None) is None:
            return
        self.tell_of_consumer("consumer.deleted", consumer)
        if self.connection.client_can("consumer_cancel_notify"):
            self.reply(BasicCancel(consumer.tag, nowait=True))
            self.connection.wake()

    @property
    def pid(self) -> str:
        """What events know it by, as RabbitMQ's know a channel by its process."""
        return f"{self.connection.pid}.{self.number}"

    @property
    def _described(self) -> dict[str, str]:
        connection = self.connection
        return {"pid": self.pid, "name": f"{connection.peer} ({self.number})", "connection": connection.pid}

    def tell_of_consumer(self, event: str, consumer: Consumer) -> None:
        """Tell whoever listens to events of a consumer that was created or deleted."""
        events = self.vhost.events
        if not events.listeners:
            return
        fields: dict[str, Any] = {
            "consumer_tag": consumer.tag,
            "channel": self.pid,
            "queue": consumer.queue.name,
            "vhost": self.vhost.name,
        }
        if event == "consumer.created":
            fields["exclusive"] = consumer.exclusive
            fields["ack_required"] = not consumer.no_ack
            fields["prefetch_count"] = consumer.prefetch
            fields["arguments"] = consumer.arguments
        events.tell(event, **fields)

    @property
    def next_tag(self) -> int:
        """See `timeouts.Holder`."""
        return self.deliveries.next_tag

    def oldest_unacked(self) -> Entry | None:
        """See `timeouts.Holder`."""
        return self.deliveries.unacked.first()

    def oldest_unacked_of_each(self) -> list[Entry]:
        """See `timeouts.Holder`."""
        return self.deliveries.unacked.first_of_each()

    def timed_out(self, entry: Entry, timeout: int) -> None:
        """See `timeouts.Holder`: RabbitMQ closes the channel, and from 4.3 on cancels the consumer if it can."""
        consumer: Consumer | None = entry.consumer
        if (
            self.vhost.compat.timeout_cancels
            and consumer is not None
            and self.connection.client_can("consumer_cancel_notify")
        ):
            self.connection.log.warning(
                "consumer timed out",
                category="channel",
                channel=self.number,
                consumer=consumer.tag,
                timeout=timeout,
            )
            self.vhost.cancel(consumer)
            self.cancelled(consumer)
            consume.requeue(self, self.deliveries.unacked.take_of(consumer), counted=False)
            consumer.queue.dispatch()
            return
        error = PreconditionFailed(
            f"delivery acknowledgement on channel {self.number} timed out. Timeout value used: {timeout} ms."
            " This timeout value can be configured, see consumers doc guide to learn more",
            method_id=0,
        )
        self.connection.fail_channel(self.number, error)

    def unpark_all(self, served: Iterable[Consumer] = ()) -> None:
        """A limit that all consumers of the channel share may have eased.

        Those that were `served`, and made the room, come last: or they would take it again and again.
        """
        for consumer in served:
            if self.consumers.get(consumer.tag) is consumer:
                self.consumers[consumer.tag] = self.consumers.pop(consumer.tag)
        for consumer in by_priority(self.consumers.values()):
            consumer.queue.unpark(consumer)

    # --- what waits for the disk

    def settle_later(self) -> None:
        """Call `settle` when all that the client sent is handled."""
        self.connection.to_settle[self] = None

    def settle(self) -> None:
        """Register for the commit of what was changed since the last call, and send what need not wait.

        Called before the open batch can be handed to the committer.
        """
        store = self.vhost.store
        self.publishing.counted = False
        if self._hold_begun:
            self._hold_begun = False
            store.when_committed(self._release_held)
        if self.confirms is not None and not self.closed:
            if self.confirms.mark():
                store.when_committed(self._confirm_committed)
            self.send_acks()

    @property
    def held_bytes(self) -> int:
        """Bytes that wait for a commit."""
        return sum([outbox.size for outbox in self._held])

    def acks_are_due(self) -> None:
        """Publishes may be acked that nobody waits for any more: say so at the end of the turn."""
        self.connection.acking[self] = None
        self.connection.wake()

    def send_acks(self) -> None:
        """Ack the publishes that may be, and nack those that queues refused."""
        if self.confirms is not None and not self.closed:
            for number, multiple, acked in self.confirms.take():
                self.reply(BasicAck(number, multiple) if acked else BasicNack(number, multiple, requeue=False))
            self.traffic.confirmable = self.confirms.published
            self.traffic.confirmed = self.confirms.published - self.confirms.unconfirmed

    # --- the end

    def close(self) -> None:
        """Leave nothing behind: cancel consumers, requeue what is unacked, forget what is not committed.

        Consumers go first, so that what is requeued goes to others.
        """
        self.closed = True
        self.connection.broker.timeouts.unwatch(self)
        self.connection.broker.connections.leave_channel(self.user.name)
        self.connection.broker.churn.channel_closed += 1
        consumers, self.consumers = self.consumers, {}
        queues = {consumer.queue: None for consumer in consumers.values()}
        for consumer in consumers.values():
            consumer.queue.remove_consumer(consumer)
            self.tell_of_consumer("consumer.deleted", consumer)
        if self.transaction is not None:
            self.transaction.rollback()
        consume.requeue(self, self.deliveries.unacked.take_all())
        for queue in queues:
            self.vhost.delete_if_abandoned(queue)
            queue.dispatch()  # another may be the active one now
        self.publishing.close()
        self.deliveries.close()
        if self.confirms is not None:
            self.traffic.confirmable = self.confirms.published
        self.vhost.traffic.add(self.traffic)
        if self.vhost.events.listeners:
            self.vhost.events.tell("channel.closed", **self._described, consumer_count=len(consumers))

    def _release_held(self) -> None:
        held = self._held.popleft()
        if not self._held:
            self.deliveries.outbox = self.connection.outbox
            del self.connection.holding[self]
        self.connection.release(held)

    def _confirm_committed(self) -> None:
        if not self.closed and self.confirms is not None:
            self.confirms.committed()
            self.send_acks()
            self.connection.wake()


class ClosingChannel:
    """Stands where a channel was after the broker closed it, until the client agrees: it hears nothing else."""

    publishing = deliveries = None  # nothing is published or delivered here

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._answered = False  # the client's own close crossed ours, and got its close-ok

    def handle(self, method: Method) -> None:
        number, connection = self._channel.number, self._channel.connection
        if isinstance(method, ChannelCloseOk):
            del connection.channels[number]
        elif isinstance(method, ChannelClose):
            self._channel.reply(ChannelCloseOk())  # behind our own close, which may wait for the disk
            self._answered = True
        elif isinstance(method, ChannelOpen):
            if not self._answered:
                raise ChannelError("second 'channel.open' seen")
            del connection.channels[number]
            connection.open_channel(number)


def channel_open(channel: Channel, method: ChannelOpen) -> None:
    raise ChannelError("second 'channel.open' seen")


def channel_flow(channel: Channel, method: ChannelFlow) -> None:
    if not method.active:
        raise NotImplementedByBroker("active=false")
    channel.reply(ChannelFlowOk(True))


def channel_close(channel: Channel, method: ChannelClose) -> None:
    channel.close()
    del channel.connection.channels[channel.number]
    channel.reply(ChannelCloseOk())


def access_request(channel: Channel, method: AccessRequest) -> None:
    """Of AMQP 0-8: RabbitMQ grants whatever is asked for."""
    channel.reply(AccessRequestOk(1))


HANDLERS: Final[dict[type[Method], Callable[[Channel, Any], None]]] = {
    ChannelOpen: channel_open,
    ChannelFlow: channel_flow,
    ChannelClose: channel_close,
    AccessRequest: access_request,
    **topology.HANDLERS,
    **publish.HANDLERS,
    **consume.HANDLERS,
    **transactions.HANDLERS,
}
