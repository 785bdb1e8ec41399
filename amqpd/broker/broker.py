"""The broker: all vhosts, on one store, recovered when it starts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Final

from ..clock import Clock
from ..errors import StartupError
from ..store.base import Counters, Kind, Recovered, Store
from ..wire.spec import ProtocolError
from .alarms import Alarms
from .churn import Churn
from .compat import PROFILES, Compat
from .connections import Connections
from .event_exchange import EventExchange
from .events import Events
from .levels import NORMAL_LANE, lane_at
from .memory import Memory
from .timeouts import DEFAULT_TIMEOUT, ConsumerTimeouts
from .vhost import Resources, VHost

DEFAULT_VHOST: Final = "/"

DEFAULT_MEMORY: Final = 96 << 20
"""Bytes of messages kept in memory before queues page."""


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
    ) -> None:
        self.store = store
        self.pager = pager
        self.clock = clock
        self.compat = compat
        self.node = node
        self.memory = Memory(memory_limit)
        self.events = Events()
        self.alarms = Alarms(self.events, node)
        self.timeouts = ConsumerTimeouts(clock, consumer_timeout, quorum_only=compat.timeout_cancels)
        self.churn = Churn()
        self.connections = Connections(self.churn)
        self.vhosts: dict[str, VHost] = {}
        recovered = recovered or store.recover()
        used = itertools.chain(recovered.counters, *recovered.definitions.values())
        self.ids = itertools.count(
            max([lane_at(each)[0] for each in used], default=0) + 1
        )  # of definitions in the store, whoever makes them
        self._resources = Resources(
            store, pager, self.memory, clock, node, self.events, self.ids, compat, self.timeouts, self.churn
        )
        self._recover(recovered)
        if not self.vhosts:
            self.add_vhost(DEFAULT_VHOST)
        if event_exchange and DEFAULT_VHOST in self.vhosts:
            self.events.listen(EventExchange(self.vhosts[DEFAULT_VHOST], clock))

    def vhost(self, name: str) -> VHost | None:
        return self.vhosts.get(name)

    def add_vhost(self, name: str) -> VHost:
        """Create a vhost, or return the one there."""
        vhost = self.vhosts.get(name)
        if vhost is None:
            vhost = self.vhosts[name] = VHost(name, self._resources)
            vhost.id = next(self.ids)
            self.store.define(Kind.VHOST, vhost.id, {"name": name})
            if self.events.listeners:
                self.events.tell("vhost.created", name=name)
        return vhost

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
        try:
            for vhost_id, definition in found[Kind.VHOST].items():
                vhost = self.vhosts[definition["name"]] = VHost(definition["name"], self._resources)
                vhost.id = vhost_id
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
