"""A vhost: the namespace of exchanges, queues and bindings, and the way of a message through them.

Whoever calls has checked permissions already. Names are taken as they are; that clients may not use the prefix `amq.`
is checked here, because it depends on what exists.
"""

from __future__ import annotations

import base64
import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

from ..clock import Clock
from ..errors import (
    AccessRefused,
    InternalError,
    NotFound,
    NotImplementedByBroker,
    PreconditionFailed,
    ResourceLocked,
)
from ..message import Message
from ..store.base import Counters, Kind, Store
from ..wire.fields import decode_table, encode_table
from ..wire.spec import ProtocolError
from .arguments import (
    CLASSIC,
    QUORUM,
    STREAM,
    Arguments,
    check_exchange_arguments,
    check_queue_arguments,
    compare_exchange_arguments,
    compare_property,
    compare_queue_arguments,
    is_stream,
    queue_type_of,
)
from .binding import Binding, binding_key
from .churn import Churn
from .compat import Compat
from .consumer import Consumer
from .dead_letter import DeadLetters
from .events import INTERNAL, Events
from .exchanges import DefaultExchange, Exchange, find_type
from .firehose import TRACE, Firehose
from .levels import NORMAL_LANE, home
from .limits import QueueLimits, has_limits
from .memory import Memory
from .policies import EXCHANGES, Policies, Policy, fields_of
from .policy_settings import effective
from .queue import Limits, Queue
from .route import Route, Routes
from .stream import AnyQueue, Stream, check_stream
from .timeouts import ConsumerTimeouts
from .traffic import Traffic

RESERVED_PREFIX: Final = "amq."

GOVERNED_AT_ONCE: Final = 1000
"""How many queues a change of policies is put into force for before others have their turn."""

PAUSE: Final = 0.001
"""Seconds to leave them."""

REPLY_TO: Final = "amq.rabbitmq.reply-to"
"""Stands for the queue of a channel's own that replies come to; its true name goes on after a dot."""

PREDECLARED: Final = (
    ("amq.direct", "direct"),
    ("amq.fanout", "fanout"),
    ("amq.topic", "topic"),
    ("amq.headers", "headers"),
    ("amq.match", "headers"),
)
INTERNAL_PREDECLARED: Final = ((TRACE, "topic"),)


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many there may be in the whole broker; 0 = any number."""

    vhosts: int = 0
    exchanges: int = 0
    queues: int = 0


class Resources(NamedTuple):
    """What the vhosts of a broker share."""

    store: Store
    pager: Store | None  # takes what durable storage does not, when memory is short
    memory: Memory
    clock: Clock
    node: str  # the broker's name
    events: Events
    ids: Iterator[int]  # for definitions and queues
    compat: Compat
    timeouts: ConsumerTimeouts
    vhosts: Mapping[str, VHost]
    quotas: Quotas
    default_queue_type: str  # of vhosts that do not say
    churn: Churn


class VHost:
    """A namespace. The exchanges every vhost has are there from the start."""

    def __init__(self, name: str, resources: Resources, declared_by: str = INTERNAL) -> None:
        self.name = name
        self.declared_by = declared_by  # a user
        self.exchanges: dict[str, Exchange] = {}
        self.queues: dict[str, AnyQueue] = {}
        self.reply_queues: dict[str, Queue] = {}  # published to, and nothing else
        self.id = 0  # in the store
        self.description = ""
        self.tags: tuple[str, ...] = ()
        self.default_queue_type = ""  # of queues declared without one; empty: the broker's
        self.protected = False  # it cannot be deleted
        self.traced = False  # set for this vhost, and kept
        self.max_connections: int | None = None
        self.max_queues: int | None = None
        self.policies = Policies()
        self._ungoverned: deque[AnyQueue] = deque()  # queues to which policies may apply that changed just now
        self._resources = resources
        self.store = resources.store
        self.memory = resources.memory
        self.clock = resources.clock
        self.events = resources.events
        self.compat = resources.compat
        self.routes = Routes()
        self.traffic = Traffic()  # of channels that are closed, and what deleted exchanges routed
        self.dead_letters = DeadLetters(self)
        self._exclusive: dict[object, list[AnyQueue]] = {}  # by owner
        self._add_exchange(DefaultExchange(self._addressed))
        for names, internal in ((PREDECLARED, False), (INTERNAL_PREDECLARED, True)):
            for exchange_name, type_name in names:
                self._add_exchange(_type(type_name)(exchange_name, durable=True, internal=internal))
        for exchange in self.exchanges.values():
            exchange.declared_by = declared_by

    def set_tracing(self, on: bool) -> None:
        """Whether copies of what is published and delivered go to amq.rabbitmq.trace."""
        self.routes.firehose = Firehose(self, self._resources.node) if on else None

    @property
    def tracing(self) -> bool:
        return self.routes.firehose is not None

    # --- policies

    def apply_policies(self, cause: Policy | None) -> None:
        """The policies have changed: put what applies now into force, everywhere. `cause`: the one that was set.

        Where there are many queues, the rest of them follows little by little.
        """
        for exchange in self.exchanges.values():
            exchange.policies = self.policies.find(EXCHANGES, exchange.name, exchange.policies)
        self._reroute()  # alternate exchanges may be others
        waiting, self._ungoverned = self._ungoverned, deque(self.queues.values())
        if waiting:  # they go on with the new ones
            self._govern_some(cause)
        else:
            self._govern_more(cause)

    def _govern_more(self, cause: Policy | None) -> None:
        self._govern_some(cause)
        if self._ungoverned:
            self.clock.call_later(PAUSE, partial(self._govern_more, cause))

    def _govern_some(self, cause: Policy | None) -> None:
        waiting = self._ungoverned
        for _ in range(min(GOVERNED_AT_ONCE, len(waiting))):
            queue = waiting.popleft()
            known = queue.policies
            if queue.deleted:
                continue
            self._govern(queue)
            if queue.policies is not known:
                self._tell_of_policies(queue, cause)
                if isinstance(queue, Stream):
                    queue.policies_changed()
                else:
                    self._relimit(queue)
                self._resources.timeouts.heed(queue)

    def _govern(self, queue: AnyQueue) -> None:
        """Note which policies apply to a queue, and what is in effect with them."""
        known = queue.policies
        queue.policies = self.policies.find(queue_type_of(queue.arguments), queue.name, known)
        if queue.policies is None:
            queue.effective = queue.arguments
        elif queue.policies is not known:
            queue.effective = effective(queue.arguments, queue.policies.definition)

    def _relimit(self, queue: Queue) -> None:
        """Limit a queue as it is to be limited now."""
        limits = queue.limits
        if limits is None and has_limits(queue.effective):
            limits = queue.limits = self._make_limits(queue)
        if isinstance(limits, QueueLimits):
            limits.changed()
            if not queue.deleted and not limits.mortal and not has_limits(queue.effective):
                limits.close()
                queue.limits = None

    def _tell_of_policies(self, queue: AnyQueue, cause: Policy | None) -> None:
        if not self.events.listeners:
            return
        queue_type = f"rabbit_{queue_type_of(queue.arguments)}_queue"
        if cause is None:
            self._tell("queue.policy.cleared", name=queue.name, type=queue_type)
        else:
            self._tell("queue.policy.updated", name=queue.name, type=queue_type, **fields_of(cause))

    # --- looking up

    def exchange(self, name: str) -> Exchange:
        """Raises NotFound."""
        exchange = self.exchanges.get(name)
        if exchange is None:
            raise NotFound(f"no {self.describe_exchange(name)}")
        return exchange

    def queue(self, name: str, owner: object | None) -> AnyQueue:
        """The queue, for the connection `owner`. Raises NotFound; ResourceLocked when it is another's exclusive one."""
        queue = self.queues.get(name)
        if queue is None:
            raise NotFound(f"no {self.describe_queue(name)}")
        self._check_owner(queue, owner)
        return queue

    def describe_exchange(self, name: str) -> str:
        return f"exchange '{name}' in vhost '{self.name}'"

    def describe_queue(self, name: str) -> str:
        return f"queue '{name}' in vhost '{self.name}'"

    # --- checks that come before those of permissions

    def check_not_default(self, name: str) -> None:
        """Raises AccessRefused for the default exchange."""
        if not name:
            raise AccessRefused("operation not permitted on the default exchange")

    def check_declarable(self, name: str, type_name: str) -> None:
        """Raises ProtocolError (406, or 503 in old versions) for an unknown type, AccessRefused for the default."""
        if find_type(type_name) is None:
            raise ProtocolError(self.compat.unknown_exchange_type, f"unknown exchange type '{type_name}'")
        self.check_not_default(name)

    def is_free_exchange(self, name: str) -> bool:
        """Whether an exchange of this name is not there, and may be declared."""
        return name not in self.exchanges and not name.startswith(RESERVED_PREFIX)

    def check_deletable(self, name: str) -> None:
        """Raises AccessRefused for the exchanges every vhost has."""
        self.check_not_default(name)
        if name.startswith(RESERVED_PREFIX):
            raise AccessRefused(f"deletion of system {self.describe_exchange(name)} not allowed")

    def name_queue(self, name: str, arguments: Arguments, *, lasting: bool = False) -> str:
        """What a queue is to be called; an empty name is replaced by one of the broker's.

        `lasting`: it is durable, and neither exclusive nor deleted by itself, so that it can be of any type.

        Raises AccessRefused for a reserved name, PreconditionFailed for a type whose queues need a name.
        """
        if name.startswith(RESERVED_PREFIX):
            raise AccessRefused(f"queue name '{name}' contains reserved prefix 'amq.*'")
        queue_type = queue_type_of(self.typed(arguments, lasting=lasting))
        if not name and queue_type in (QUORUM, STREAM):
            raise PreconditionFailed(f"Cannot declare a server-named queue for type {queue_type}")
        return name or generated_name("amq.gen-")

    # --- exchanges

    def declare_exchange(
        self,
        name: str,
        type_name: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        internal: bool = False,
        arguments: Arguments | None = None,
    ) -> Exchange:
        """Create an exchange, or check that the one there is the same.

        Raises PreconditionFailed for a difference or an argument out of place, AccessRefused for a reserved name,
        ProtocolError (406, or 503 in old versions) for an unknown type.
        """
        arguments = arguments or {}
        self.check_declarable(name, type_name)
        described = self.describe_exchange(name)
        exchange = self.exchanges.get(name)
        if exchange is not None:
            compare_property("type", type_name, exchange.type, described)
            compare_property("durable", durable, exchange.durable, described)
            compare_property("auto_delete", auto_delete, exchange.auto_delete, described)
            compare_property("internal", internal, exchange.internal, described)
            compare_exchange_arguments(arguments, exchange.arguments, described)
            return exchange
        self.check_new_exchange(name, type_name, arguments)
        return self._new_exchange(
            name, type_name, durable=durable, auto_delete=auto_delete, internal=internal, arguments=arguments
        )

    def check_new_exchange(self, name: str, type_name: str, arguments: Arguments) -> None:
        """Raises what `declare_exchange` does when one that `check_declarable` lets pass cannot be made."""
        if name.startswith(RESERVED_PREFIX):
            raise AccessRefused(f"exchange name '{name}' contains reserved prefix 'amq.*'")
        described = self.describe_exchange(name)
        check_exchange_arguments(arguments, described)
        limit = self._resources.quotas.exchanges
        if limit and sum([len(vhost.exchanges) for vhost in self._resources.vhosts.values()]) >= limit:
            raise PreconditionFailed(f"cannot declare {described}: exchange limit of {limit} is reached")
        _type(type_name).check_arguments(arguments, described)

    def provide_exchange(self, name: str, type_name: str) -> Exchange:
        """The exchange of this name; when it is missing, a durable and internal one, as clients may not declare it."""
        exchange = self.exchanges.get(name)
        return exchange or self._new_exchange(
            name, type_name, durable=True, auto_delete=False, internal=True, arguments={}
        )

    def _new_exchange(
        self, name: str, type_name: str, *, durable: bool, auto_delete: bool, internal: bool, arguments: Arguments
    ) -> Exchange:
        exchange = _type(type_name)(
            name, durable=durable, auto_delete=auto_delete, internal=internal, arguments=arguments
        )
        exchange.declared_by = self.events.user
        self._add_exchange(exchange)
        if durable:
            exchange.id = next(self._resources.ids)
            self.store.define(
                Kind.EXCHANGE,
                exchange.id,
                {
                    "vhost": self.name,
                    "name": name,
                    "type": type_name,
                    "auto_delete": auto_delete,
                    "internal": internal,
                    "arguments": encode_table(arguments),
                    "declared_by": exchange.declared_by,
                },
            )
        exchange.join(self, None)
        if self.events.listeners:
            self._tell(
                "exchange.created",
                name=name,
                type=type_name,
                durable=durable,
                auto_delete=auto_delete,
                internal=internal,
                arguments=dict(arguments),
            )
        return exchange

    def delete_exchange(self, name: str, *, if_unused: bool = False) -> Exchange | None:
        """Delete an exchange and its bindings; None when there was none.

        Raises AccessRefused for a predeclared one, PreconditionFailed when `if_unused` and it has bindings.
        """
        self.check_deletable(name)
        exchange = self.exchanges.get(name)
        if exchange is None:
            return None
        if if_unused and exchange.outgoing:
            raise PreconditionFailed(f"{self.describe_exchange(name)} in use")
        self._remove_exchange(exchange)
        return exchange

    # --- queues

    def declare_queue(
        self,
        name: str,
        *,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: Arguments | None = None,
        owner: object | None = None,
        named: bool = False,
    ) -> AnyQueue:
        """Create a queue, or check that the one there is the same. An empty name is replaced by one of the broker's.

        `owner` is the connection that asks; `named`: the name comes from `name_queue`. Raises AccessRefused for a
        reserved name, ResourceLocked when exclusivity differs, PreconditionFailed for another difference or an
        argument out of place, InternalError for a queue neither durable nor exclusive where the version followed
        refuses those.
        """
        arguments = arguments or {}
        arguments = self.typed(arguments, lasting=durable and not exclusive and not auto_delete)
        if not named:
            name = self.name_queue(name, arguments)
        described = self.describe_queue(name)
        durable = durable and not exclusive  # an exclusive queue goes with its connection anyway
        self._resources.churn.queue_declared += 1
        queue = self.queues.get(name)
        if queue is not None:
            if queue.owner is not (owner if exclusive else None):
                raise _locked(described)
            compare_property("durable", durable, queue.durable, described)
            compare_property("auto_delete", auto_delete, queue.auto_delete, described)
            compare_queue_arguments(arguments, queue.arguments, described, quorum_4_3=self.compat.quorum_4_3)
            return queue
        self.check_new_queue(name, arguments, durable=durable, exclusive=exclusive, auto_delete=auto_delete)
        if is_stream(arguments):
            return self._declare_stream(name, arguments)
        queue = self._new_queue(
            name,
            next(self._resources.ids),
            durable=durable,
            auto_delete=auto_delete,
            owner=owner if exclusive else None,
            arguments=arguments,
        )
        if queue.owner is not None:
            self._exclusive.setdefault(queue.owner, []).append(queue)
        if durable:
            self.store.define(
                Kind.QUEUE,
                queue.id,
                {
                    "vhost": self.name,
                    "name": name,
                    "auto_delete": auto_delete,
                    "arguments": encode_table(arguments),
                },
            )
        self._tell_of_queue(queue, exclusive=exclusive)
        return queue

    def check_new_queue(
        self, name: str, arguments: Arguments, *, durable: bool, exclusive: bool, auto_delete: bool
    ) -> None:
        """Raises what `declare_queue` does when a queue, with arguments from `typed`, cannot be made."""
        described = self.describe_queue(name)
        check_queue_arguments(arguments, described, quorum_4_3=self.compat.quorum_4_3)
        if queue_type_of(arguments) == QUORUM:
            _check_lasting(described, durable=durable or exclusive, exclusive=exclusive, auto_delete=auto_delete)
        if not durable and not exclusive and not self.compat.transient_queues:
            raise InternalError("Feature `transient_nonexcl_queues` is deprecated.")
        self._check_room_for_queue(name)
        if is_stream(arguments):
            check_stream(arguments, described, durable=durable, exclusive=exclusive, auto_delete=auto_delete)

    def typed(self, arguments: Arguments, *, lasting: bool) -> Arguments:
        """The arguments of a queue, with the type it has where nothing else is said: not all queues can have any."""
        default = self.queue_type
        if "x-queue-type" in arguments or (default == CLASSIC and not self.compat.stores_queue_type):
            return arguments
        return {**arguments, "x-queue-type": default if lasting else CLASSIC}

    @property
    def queue_type(self) -> str:
        """Of queues declared without one, where they can be of it."""
        return self.default_queue_type or self._resources.default_queue_type

    def check_queue_deletable(self, queue: AnyQueue, *, if_unused: bool, if_empty: bool) -> None:
        """Raises PreconditionFailed when a condition is not met, NotImplementedByBroker for one of a quorum queue.

        RabbitMQ asks none of streams.
        """
        if isinstance(queue, Stream):
            return
        if (if_unused or if_empty) and queue_type_of(queue.arguments) == QUORUM:
            flag = "if-unused" if if_unused else "if-empty"
            raise NotImplementedByBroker(
                f"cannot delete {self.describe_queue(queue.name)}. queue.delete operations with {flag} flag set are"
                " not supported by quorum queues"
            )
        if if_empty and queue.message_count:
            raise PreconditionFailed(f"{self.describe_queue(queue.name)} not empty")
        if if_unused and queue.consumers:
            raise PreconditionFailed(f"{self.describe_queue(queue.name)} in use")

    def open_reply_queue(self) -> Queue:
        """A queue that nobody declares, binds or finds: replies are published to its name. Gone with its consumer."""
        resources = self._resources
        name = generated_name(f"{REPLY_TO}.")
        queue = Queue(name, next(resources.ids), resources.store, resources.pager, resources.memory, auto_delete=True)
        self.reply_queues[name] = queue
        self._reroute()
        return queue

    def delete_queue(self, queue: AnyQueue) -> None:
        """Delete a queue with its messages and bindings; its consumers are told."""
        if self.reply_queues.pop(queue.name, None) is None:
            del self.queues[queue.name]
            self._resources.churn.queue_deleted += 1
        if queue.owner is not None:
            self._exclusive[queue.owner].remove(queue)
            if not self._exclusive[queue.owner]:
                del self._exclusive[queue.owner]
        for binding in list(queue.incoming.values()):
            self._remove_binding(binding)
        if queue.durable:
            self.store.undefine(Kind.QUEUE, queue.id)
        self._reroute()
        queue.close()
        if self.events.listeners:
            self._tell("queue.deleted", name=queue.name)

    def forget_transients(self) -> None:
        """Delete queues and exchanges that are not durable: those that a restart would not bring back."""
        for queue in list(self.queues.values()):
            if not queue.durable and queue.name in self.queues:
                self.delete_queue(queue)
        for exchange in list(self.exchanges.values()):
            if not exchange.durable and exchange.name in self.exchanges:
                self._remove_exchange(exchange)

    def delete_exclusive_queues(self, owner: object) -> None:
        """Delete what the connection `owner` declared for itself alone."""
        for queue in list(self._exclusive.get(owner, ())):
            self.delete_queue(queue)

    def cancel(self, consumer: Consumer) -> None:
        """Remove a consumer from its queue, and an auto-delete queue with its last consumer.

        Follow with the queue's `dispatch`: another may be the active one then.
        """
        consumer.queue.remove_consumer(consumer)
        self.delete_if_abandoned(consumer.queue)

    def delete_if_abandoned(self, queue: AnyQueue) -> None:
        """Delete an auto-delete queue that had consumers and has none left."""
        if queue.auto_delete and queue.had_consumer and not queue.consumers and not queue.deleted:
            self.delete_queue(queue)

    # --- bindings

    def bind(
        self,
        source_name: str,
        destination: str,
        routing_key: str,
        arguments: Arguments,
        *,
        to_queue: bool,
        owner: object | None = None,
    ) -> None:
        """Bind an exchange to a queue or another exchange; nothing happens when that binding is there.

        Raises NotFound for a missing end, AccessRefused for the default exchange, ResourceLocked when the queue is
        exclusive to another than `owner`, PreconditionFailed for arguments the exchange type refuses.
        """
        self.check_not_default(source_name)
        if not to_queue:
            self.check_not_default(destination)
        source = self.exchange(source_name)
        target = self._destination(destination, to_queue)
        if target is None:
            described = self.describe_queue(destination) if to_queue else self.describe_exchange(destination)
            raise NotFound(f"no {described}")
        if isinstance(target, (Queue, Stream)):
            self._check_owner(target, owner)
        source.check_binding(target, routing_key, arguments)
        binding = Binding(source, target, routing_key, arguments)
        if binding.key in source.outgoing:
            return
        self._add_binding(binding)
        if binding.durable:
            binding.id = next(self._resources.ids)
            self.store.define(
                Kind.BINDING,
                binding.id,
                {
                    "vhost": self.name,
                    "source": source_name,
                    "destination": destination,
                    "to_queue": to_queue,
                    "routing_key": routing_key,
                    "arguments": encode_table(arguments),
                },
            )
        if self.events.listeners:
            self._tell_of_binding("binding.created", binding)
        for message in source.replay():
            message.receipt = None  # a consumer of this copy says nothing of those published before
            if isinstance(target, (Queue, Stream)):
                target.push(message)
            else:
                self.route(target, message).deliver(message)

    def unbind(
        self,
        source_name: str,
        destination: str,
        routing_key: str,
        arguments: Arguments,
        *,
        to_queue: bool,
        owner: object | None = None,
    ) -> None:
        """Remove a binding; nothing happens when it, or either end, is not there.

        Raises AccessRefused for the default exchange, ResourceLocked when the queue is exclusive to another than
        `owner`.
        """
        self.check_not_default(source_name)
        if not to_queue:
            self.check_not_default(destination)
        source = self.exchanges.get(source_name)
        target = self._destination(destination, to_queue)
        if source is None or target is None:
            return
        binding = source.outgoing.get(binding_key(source, target, routing_key, arguments))
        if binding is not None:
            if isinstance(target, (Queue, Stream)):
                self._check_owner(target, owner)
            self._remove_binding(binding)

    # --- messages

    def route(self, exchange: Exchange, message: Message, keys: tuple[str, ...] = ()) -> Route:
        """The queues a message published to `exchange` reaches: each once, whatever number of bindings match.

        Exchanges lead to each other through bindings, and to their alternate exchange when none of their bindings
        match; each exchange is visited once. `keys` are routing keys besides the message's own.
        """
        key: tuple[str, ...] = (exchange.name, message.routing_key)
        if keys:
            key += keys
        known: Route | None = self.routes.get(key)
        if known is not None:
            return known
        queues: dict[AnyQueue, None] = {}
        copies = [message.copy(routing_key) for routing_key in keys]
        seen = {exchange}
        to_visit = [exchange]
        lasting = True
        kept = 0
        while to_visit:
            current = to_visit.pop()
            lasting = lasting and current.by_routing_key
            matched = False
            found: Iterable[Binding]
            outcome = current.receive(message, keys) if current.attentive else None
            if outcome is not None:
                kept |= outcome
                found = ()
            elif copies and not current.one_key:
                found = {binding: None for each in (message, *copies) for binding in current.match(each)}
            else:
                found = current.match(message)
            for binding in found:
                matched = True
                destination = binding.destination
                if isinstance(destination, (Queue, Stream)):
                    queues[destination] = None
                elif destination not in seen:
                    seen.add(destination)
                    to_visit.append(destination)
            if not matched and current.alternate:  # the default exchange is no alternate
                alternate = self.exchanges.get(current.alternate)
                if alternate is not None and alternate not in seen:
                    seen.add(alternate)
                    to_visit.append(alternate)
        route = Route(tuple(queues), lasting, self.store, kept)
        if lasting:
            self.routes.remember(key, route)
        return route

    def deliver(self, message: Message, queues: tuple[AnyQueue, ...]) -> int:
        """Push a routed message to its queues: see `Route.deliver`."""
        return Route(queues, False, self.store).deliver(message)

    # --- the end

    def demolish(self, limit: int) -> bool:
        """Delete queues, then exchanges, up to a number of them. Returns whether any are left."""
        for queue in list(islice(self.queues.values(), limit)):
            if not queue.deleted:  # with another that was deleted
                self.delete_queue(queue)
            limit -= 1
        for exchange in list(islice(self.exchanges.values(), limit)):
            if self.exchanges.get(exchange.name) is exchange:
                self._remove_exchange(exchange)
        return bool(self.queues or self.exchanges)

    # --- recovery

    def recover_exchange(self, exchange_id: int, definition: Mapping[str, Any], counters: Counters | None) -> None:
        """Raises NotFound when its type is not installed any more."""
        exchange_type = find_type(definition["type"])
        if exchange_type is None:
            raise NotFound(
                f"{self.describe_exchange(definition['name'])} has type '{definition['type']}', which is not installed"
            )
        exchange = exchange_type(
            definition["name"],
            durable=True,
            auto_delete=definition["auto_delete"],
            internal=definition["internal"],
            arguments=decode_table(definition["arguments"])[0],
        )
        exchange.id = exchange_id
        exchange.declared_by = definition.get("declared_by", INTERNAL)
        self._add_exchange(exchange)
        exchange.join(self, counters)

    def recover_queue(
        self,
        queue_id: int,
        definition: Mapping[str, Any],
        counters: Counters | None,
        lanes: Mapping[int, Counters],
    ) -> None:
        """`lanes`: what is known of a quorum queue's priorities, other than the normal one."""
        if "segments" in definition:
            arguments = decode_table(definition["arguments"])[0]
            self._new_stream(definition["name"], queue_id, definition["segments"], arguments, counters)
            return
        queue = self._new_queue(
            definition["name"],
            queue_id,
            durable=True,
            auto_delete=definition["auto_delete"],
            arguments=decode_table(definition["arguments"])[0],
            recovered=counters,
        )
        for lane, known in lanes.items():
            queue.recover_line(lane, self.compat.levels <= 2, known)
        for lane in (NORMAL_LANE, *lanes) if queue.message_count else ():
            for _, _, deadline in self.store.read(home(queue_id, lane), 0, 1):
                if deadline and queue.limits is None:
                    queue.limits = self._make_limits(queue)
                if queue.limits is not None:
                    queue.limits.recovered(deadline)

    def recover_binding(self, binding_id: int, definition: Mapping[str, Any]) -> None:
        source = self.exchange(definition["source"])
        target = self._destination(definition["destination"], definition["to_queue"])
        if target is None:
            raise ValueError(f"a binding leads to '{definition['destination']}', which is not there")
        binding = Binding(source, target, definition["routing_key"], decode_table(definition["arguments"])[0])
        binding.id = binding_id
        self._add_binding(binding)

    # --- inside

    def _new_queue(self, name: str, queue_id: int, **properties: Any) -> Queue:
        resources = self._resources
        queue = Queue(
            name,
            queue_id,
            resources.store,
            resources.pager,
            resources.memory,
            make_limits=self._make_limits,
            **properties,
        )
        self._govern(queue)
        if has_limits(queue.effective):
            queue.limits = self._make_limits(queue)
        self.queues[name] = queue
        resources.churn.queue_created += 1
        resources.timeouts.heed(queue)
        self._reroute()
        return queue

    def _addressed(self, name: str) -> AnyQueue | None:
        """The queue that the default exchange knows by this name."""
        return self.queues.get(name) or self.reply_queues.get(name)

    def _make_limits(self, queue: Queue) -> Limits:
        return QueueLimits(queue, self)

    def _declare_stream(self, name: str, arguments: Arguments) -> Stream:
        segments_id = next(self._resources.ids)  # below the stream's, which is therefore the highest in use
        stream = self._new_stream(name, next(self._resources.ids), segments_id, arguments)
        self.store.define(
            Kind.QUEUE,
            stream.id,
            {
                "vhost": self.name,
                "name": name,
                "auto_delete": False,
                "arguments": encode_table(arguments),
                "segments": segments_id,
            },
        )
        self._tell_of_queue(stream, exclusive=False)
        return stream

    def _new_stream(
        self, name: str, queue_id: int, segments_id: int, arguments: Arguments, recovered: Counters | None = None
    ) -> Stream:
        resources = self._resources
        policies = self.policies.find(STREAM, name)
        stream = Stream(
            name,
            self.describe_queue(name),
            queue_id,
            segments_id,
            resources.store,
            resources.memory,
            resources.clock,
            arguments=arguments,
            effective=effective(arguments, policies.definition) if policies is not None else None,
            recovered=recovered,
        )
        stream.policies = policies
        self.queues[name] = stream
        resources.timeouts.heed(stream)
        resources.churn.queue_created += 1
        self._reroute()
        return stream

    def _check_room_for_queue(self, name: str) -> None:
        """Raises PreconditionFailed when there are as many queues as there may be."""
        if self.max_queues is not None and len(self.queues) >= self.max_queues:
            raise PreconditionFailed(
                f"cannot declare queue '{name}': queue limit in vhost '{self.name}' ({self.max_queues}) is reached"
            )
        limit = self._resources.quotas.queues
        if limit and sum([len(vhost.queues) for vhost in self._resources.vhosts.values()]) >= limit:
            raise PreconditionFailed(f"cannot declare queue '{name}': queue limit in cluster ({limit}) is reached")

    def _destination(self, name: str, to_queue: bool) -> AnyQueue | Exchange | None:
        return self.queues.get(name) if to_queue else self.exchanges.get(name)

    def _add_exchange(self, exchange: Exchange) -> None:
        self.exchanges[exchange.name] = exchange
        exchange.policies = self.policies.find(EXCHANGES, exchange.name)
        self._reroute()

    def _remove_exchange(self, exchange: Exchange) -> None:
        del self.exchanges[exchange.name]
        self.traffic.routed += exchange.traffic.routed
        for binding in [*exchange.outgoing.values(), *exchange.incoming.values()]:
            self._remove_binding(binding)
        exchange.leave()
        if exchange.id:
            self.store.undefine(Kind.EXCHANGE, exchange.id)
        self._reroute()
        if self.events.listeners:
            self._tell("exchange.deleted", name=exchange.name)

    def _add_binding(self, binding: Binding) -> None:
        binding.source.outgoing[binding.key] = binding
        binding.destination.incoming[binding.key] = binding
        binding.source.bind(binding)
        self._reroute()

    def _remove_binding(self, binding: Binding) -> None:
        source = binding.source
        if source.outgoing.pop(binding.key, None) is None:
            return  # gone meanwhile, with an auto-delete exchange
        del binding.destination.incoming[binding.key]
        source.unbind(binding)
        if binding.id:
            self.store.undefine(Kind.BINDING, binding.id)
        self._reroute()
        if self.events.listeners:
            self._tell_of_binding("binding.deleted", binding)
        if source.auto_delete and not source.outgoing and self.exchanges.get(source.name) is source:
            self._remove_exchange(source)

    def _tell(self, event: str, **fields: Any) -> None:
        self.events.tell(event, **fields, vhost=self.name)

    def _tell_of_queue(self, queue: AnyQueue, *, exclusive: bool) -> None:
        if self.events.listeners:
            self._tell(
                "queue.created",
                name=queue.name,
                type=f"rabbit_{queue_type_of(queue.arguments)}_queue",
                durable=queue.durable,
                auto_delete=queue.auto_delete,
                arguments=queue.arguments,
                exclusive=exclusive,
            )

    def _tell_of_binding(self, event: str, binding: Binding) -> None:
        self._tell(
            event,
            source_name=binding.source.name,
            source_kind="exchange",
            destination_name=binding.destination.name,
            destination_kind="queue" if binding.to_queue else "exchange",
            routing_key=binding.routing_key,
            arguments=binding.arguments,
        )

    def _reroute(self) -> None:
        self.routes.forget()

    def _check_owner(self, queue: AnyQueue, owner: object | None) -> None:
        if queue.owner is not None and queue.owner is not owner:
            raise _locked(self.describe_queue(queue.name))


def generated_name(prefix: str) -> str:
    """A name nobody else has: the prefix and 22 random characters, as RabbitMQ makes them."""
    return prefix + base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def _type(name: str) -> type[Exchange]:
    found = find_type(name)
    assert found is not None
    return found


def _check_lasting(described: str, *, durable: bool, exclusive: bool, auto_delete: bool) -> None:
    """Raises PreconditionFailed unless a queue is to stay: quorum queues have to."""
    for forbidden, name in ((auto_delete, "auto-delete"), (exclusive, "exclusive-owner"), (not durable, "non-durable")):
        if forbidden:
            raise PreconditionFailed(f"invalid property '{name}' for {described}")


def _locked(described: str) -> ResourceLocked:
    return ResourceLocked(
        f"cannot obtain exclusive access to locked {described}. It could be originally declared on another connection"
        " or the exclusive property value does not match that of the original declaration."
    )
