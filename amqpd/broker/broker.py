"""The broker: all vhosts, on one store, recovered when it starts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from ..clock import Clock
from ..errors import NoSuchObject, OperatorError, StartupError
from ..store.base import Counters, Definition, Kind, Recovered, Store
from ..wire.spec import ProtocolError
from .alarms import Alarms
from .arguments import CLASSIC, QUEUE_TYPES
from .churn import Churn
from .compat import PROFILES, Compat
from .connections import Connections
from .event_exchange import EventExchange
from .events import INTERNAL, Events
from .levels import NORMAL_LANE, lane_at
from .memory import Memory
from .parameters import OPERATOR_POLICY, POLICY, Parameters, check_name
from .policies import PolicyComponent
from .timeouts import DEFAULT_TIMEOUT, ConsumerTimeouts
from .traffic import Traffic
from .vhost import Quotas, Resources, VHost
from .vhost_limits import COMPONENT as VHOST_LIMITS
from .vhost_limits import VHostLimits

DEFAULT_VHOST: Final = "/"
"""The one there is at the first start, unless told otherwise."""

DEFAULT_MEMORY: Final = 96 << 20
"""Bytes of messages kept in memory before queues page."""


DELETED_AT_ONCE: Final = 250
"""How many queues and exchanges of a vhost are deleted before others have their turn."""

UNLIMITED: Final = Quotas()

PAUSE: Final = 0.001
"""Seconds to leave them."""


class Broker:
    """Owns the model. Everything in it is called from one thread.

    `recovered` is what the store held when it was opened, where somebody asked it already. Raises StartupError 65 when
    that makes no sense.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        recovered: Recovered | None = None,
        pager: Store | None = None,
        memory_limit: int = DEFAULT_MEMORY,
        consumer_timeout: int = DEFAULT_TIMEOUT,
        compat: Compat = PROFILES["default"],
        node: str = "amqpd@localhost",
        event_exchange: bool = False,
        default_vhost: str = DEFAULT_VHOST,
        make_default_vhost: bool = True,
        quotas: Quotas = UNLIMITED,
        default_queue_type: str = CLASSIC,
        tracing: bool = False,
    ) -> None:
        self.store = store
        self.pager = pager
        self.clock = clock
        self.compat = compat
        self.node = node
        self.tracing = tracing  # of all vhosts, whatever they say
        self.memory = Memory(memory_limit)
        self.events = Events()
        self.alarms = Alarms(self.events, node)
        self.timeouts = ConsumerTimeouts(clock, consumer_timeout, quorum_only=compat.timeout_cancels)
        self.churn = Churn()
        self.connections = Connections(self.churn)
        self.lag_limit = 1 << 62  # bytes that the disk takes at once, as far as anybody has looked
        self.vhosts: dict[str, VHost] = {}
        self.when_vhost_added: list[Callable[[str], None]] = []  # what is to be there with it is to be made
        self.when_vhost_deleted: list[Callable[[str], None]] = []  # what is kept for it is to be forgotten
        self.traffic = Traffic()  # of vhosts that are deleted
        self.falling: dict[str, VHost] = {}  # vhosts that are deleted, and still have queues
        recovered = recovered or store.recover()
        used = itertools.chain(recovered.counters, *recovered.definitions.values())
        self.ids = itertools.count(
            max([lane_at(each)[0] for each in used], default=0) + 1
        )  # of definitions in the store, whoever makes them
        self._resources = Resources(
            store,
            pager,
            self.memory,
            clock,
            node,
            self.events,
            self.ids,
            compat,
            self.timeouts,
            self.vhosts,
            quotas,
            default_queue_type,
            self.churn,
        )
        self.parameters = Parameters(store, self.ids, self.events, self.vhosts)
        self.policies = PolicyComponent(POLICY, self.parameters, self.vhosts)
        self.operator_policies = PolicyComponent(OPERATOR_POLICY, self.parameters, self.vhosts)
        self.vhost_limits = VHostLimits(self.parameters, self.vhosts)
        self.parameters.register(POLICY, self.policies)
        self.parameters.register(OPERATOR_POLICY, self.operator_policies)
        self.parameters.register(VHOST_LIMITS, self.vhost_limits)
        self.fresh = not any(recovered.definitions.values())  # never started before, or without a memory of it
        self._recover(recovered)
        self._event_vhost = default_vhost if event_exchange else None  # until events are told there
        if default_vhost in self.vhosts:
            self._tell_events(self.vhosts[default_vhost])
        elif self.fresh and make_default_vhost:
            self.add_vhost(default_vhost)

    def vhost(self, name: str) -> VHost | None:
        return self.vhosts.get(name)

    def add_vhost(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        default_queue_type: str | None = None,
        tracing: bool | None = None,
        protected: bool | None = None,
    ) -> VHost:
        """Create a vhost, or change what is said of the one there; None leaves what it is.

        `tracing` is whether its firehose is on, `protected` that it cannot be deleted. Raises OperatorError for what
        is no name or no type of queue, or when there are as many vhosts as there may be.
        """
        if default_queue_type and default_queue_type not in QUEUE_TYPES:
            raise OperatorError(f"{default_queue_type} is not a valid queue type")
        vhost = self.vhosts.get(name)
        created = vhost is None
        if vhost is None:
            check_name(name)
            limit = self._resources.quotas.vhosts
            if limit and len(self.vhosts) >= limit:
                raise OperatorError(f"cannot create vhost '{name}': vhost limit of {limit} is reached")
            while name in self.falling:  # nothing of the one before is to come back with this one
                self._demolish(self.falling[name])
            vhost = self.vhosts[name] = VHost(name, self._resources, self.events.user)
            vhost.id = next(self.ids)
        before = _definition_of(vhost)
        if description is not None:
            vhost.description = description
        if tags is not None:
            vhost.tags = tuple(tags)
        if default_queue_type is not None:
            vhost.default_queue_type = default_queue_type
        if protected is not None:
            vhost.protected = protected
        if tracing is not None:
            vhost.traced = tracing
        vhost.set_tracing(vhost.traced or self.tracing)
        definition = _definition_of(vhost)
        if created or definition != before:
            self.store.define(Kind.VHOST, vhost.id, definition)
            if self.events.listeners:
                self.events.tell("vhost.created" if created else "vhost.updated", **_fields_of(vhost))
        if created:
            self._tell_events(vhost)
            for provide in self.when_vhost_added:
                provide(name)
        return vhost

    def imagined_vhost(self, name: str, default_queue_type: str) -> VHost:
        """One that is not there, to ask what could be declared in it."""
        vhost = VHost(name, self._resources)
        vhost.default_queue_type = default_queue_type
        if name not in self.vhosts:
            self.vhost_limits.imagine(vhost)
        return vhost

    def check_room(self, *, vhosts: int, exchanges: int, queues: int) -> None:
        """Raises OperatorError when there may not be so many more."""
        quotas, present = self._resources.quotas, self.vhosts.values()
        for kind, limit, here, more in (
            ("vhost", quotas.vhosts, len(present), vhosts),
            ("exchange", quotas.exchanges, sum([len(vhost.exchanges) for vhost in present]), exchanges),
            ("queue", quotas.queues, sum([len(vhost.queues) for vhost in present]), queues),
        ):
            if limit and more and here + more > limit:
                raise OperatorError(f"adding {more} {kind}(s) would exceed the limit of {limit}; there are {here} now")

    def delete_vhost(self, name: str) -> None:
        """Delete a vhost with all that is in it; its clients are sent away.

        It is gone at once, also for a broker that starts after a crash; its queues go little by little when there are
        many. Raises NoSuchObject when it is not there, OperatorError when it is protected.
        """
        vhost = self.vhosts.get(name)
        if vhost is None:
            raise NoSuchObject(f"Virtual host '{name}' does not exist")
        if vhost.protected:
            raise OperatorError(f"Refusing to delete virtual host '{name}' because it is protected from deletion")
        del self.vhosts[name]
        self.traffic.add(vhost.traffic)
        vhost.traffic = self.traffic  # channels that close from now on
        self.store.define(Kind.VHOST, vhost.id, {"name": name, "deleted": True})
        for forget in self.when_vhost_deleted:
            forget(name)
        self.connections.close_all(f"vhost '{name}' is deleted", vhost=name)
        vhost.set_tracing(False)
        self.parameters.clear_vhost(name)
        self.falling[name] = vhost
        self._demolish(vhost)

    def _tell_events(self, vhost: VHost) -> None:
        """Tell events to an exchange, from when its vhost is there on."""
        if vhost.name == self._event_vhost:
            self._event_vhost = None
            self.events.listen(EventExchange(vhost, self.clock))

    def _demolish(self, vhost: VHost) -> None:
        """Delete some of what is left of a deleted vhost, and have the rest follow."""
        if self.falling.get(vhost.name) is not vhost:
            return  # somebody could not wait
        if vhost.demolish(DELETED_AT_ONCE):
            self.clock.call_later(PAUSE, partial(self._demolish, vhost))
            return
        del self.falling[vhost.name]
        self.store.undefine(Kind.VHOST, vhost.id)
        if self.events.listeners:
            self.events.tell("vhost.deleted", name=vhost.name)

    @property
    def held_bytes(self) -> int:
        """Bytes that are kept in memory for clients: messages, copies of them on their way to a disk, and input and
        output of connections. It looks at every connection."""
        lag = self.store.lag + (self.pager.lag if self.pager is not None else 0)
        return self.memory.used + lag + sum([connection.held_bytes for connection in self.connections.open])

    @property
    def lag(self) -> int:
        """Bytes of messages put into a store and not committed yet: of the store that has more."""
        return max(self.store.lag, self.pager.lag if self.pager is not None else 0)

    def when_caught_up(self, callback: Callable[[], None]) -> None:
        """Call back once the store that lags behind has committed what it was given so far."""
        pager = self.pager
        lagging = pager if pager is not None and pager.lag > self.store.lag else self.store
        lagging.when_committed(callback)

    def _recover(self, recovered: Recovered) -> None:
        found = recovered.definitions
        lanes: dict[int, dict[int, Counters]] = {}
        for store_id, counters in recovered.counters.items():
            queue_id, lane = lane_at(store_id)
            if lane != NORMAL_LANE:
                lanes.setdefault(queue_id, {})[lane] = counters
        self._finish_deletions(recovered)
        try:
            for vhost_id, definition in found[Kind.VHOST].items():
                declared_by = definition.get("declared_by", INTERNAL)
                vhost = self.vhosts[definition["name"]] = VHost(definition["name"], self._resources, declared_by)
                vhost.id = vhost_id
                vhost.description = definition.get("description", "")
                vhost.tags = tuple(definition.get("tags", ()))
                vhost.default_queue_type = definition.get("default_queue_type", "")
                vhost.protected = definition.get("protected", False)
                vhost.traced = definition.get("tracing", False)
                vhost.set_tracing(vhost.traced or self.tracing)
            self.parameters.recover(found)  # policies apply from the start
            for exchange_id, definition in found[Kind.EXCHANGE].items():
                self.vhosts[definition["vhost"]].recover_exchange(
                    exchange_id, definition, recovered.counters.get(exchange_id)
                )
            for queue_id, definition in found[Kind.QUEUE].items():
                self.vhosts[definition["vhost"]].recover_queue(
                    queue_id, definition, recovered.counters.get(queue_id), lanes.get(queue_id, {})
                )
            for binding_id, definition in found[Kind.BINDING].items():
                self.vhosts[definition["vhost"]].recover_binding(binding_id, definition)
        except (LookupError, TypeError, ValueError, ProtocolError) as error:
            raise StartupError(f"the definitions in the data folder make no sense: {error}", os.EX_DATAERR) from error

    def _finish_deletions(self, recovered: Recovered) -> None:
        """Throw away what belonged to vhosts that were being deleted when the broker before this ended."""
        vhosts = recovered.definitions[Kind.VHOST]
        deleted = {definition["name"]: vhost_id for vhost_id, definition in vhosts.items() if "deleted" in definition}
        if not deleted:
            return
        for kind, definitions in recovered.definitions.items():
            for definition_id, definition in list(definitions.items()):
                if definition.get("vhost") in deleted:
                    del definitions[definition_id]
                    self.store.undefine(kind, definition_id)
                    for queue_id in (definition_id, definition.get("segments")):
                        if queue_id in recovered.counters:
                            del recovered.counters[queue_id]
                            self.store.drop(queue_id)
        for vhost_id in deleted.values():
            del vhosts[vhost_id]
            self.store.undefine(Kind.VHOST, vhost_id)


def _definition_of(vhost: VHost) -> Definition:
    """A vhost as the store keeps it."""
    return {
        "name": vhost.name,
        "description": vhost.description,
        "tags": list(vhost.tags),
        "default_queue_type": vhost.default_queue_type,
        "tracing": vhost.traced,
        "protected": vhost.protected,
        "declared_by": vhost.declared_by,
    }


def _fields_of(vhost: VHost) -> dict[str, Any]:
    """A vhost as events tell it."""
    return {
        "name": vhost.name,
        "description": vhost.description,
        "tags": list(vhost.tags),
        "default_queue_type": vhost.default_queue_type or CLASSIC,
        "tracing": vhost.tracing,
    }
