"""Routing through exchanges against a plain walk over the same bindings, while the topology keeps changing.

Every route is asked for twice after each change, so that what a vhost remembers is checked as well.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.errors import NotFound
from amqpd.message import make_message
from amqpd.store.memory import MemoryStore

EXCHANGES = st.sampled_from(["x", "y", "z"])
QUEUES = st.sampled_from(["p", "q"])
KEYS = st.sampled_from(["a", "b"])

Exchange = tuple[str, bool, str | None]
"""Type, auto-delete, alternate."""
Binding = tuple[str, str, bool, str]
"""Source, destination, is a queue, key."""


class RoutesAgainstWalk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
        self.exchanges: dict[str, Exchange] = {}
        self.queues: set[str] = set()
        self.bindings: set[Binding] = set()

    # --- the model

    def expected(self, exchange: str, key: str) -> set[str]:
        reached: set[str] = set()
        seen: set[str] = set()
        waiting = [exchange]
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.exchanges:
                continue
            seen.add(name)
            kind, _, alternate = self.exchanges[name]
            matching = [each for each in self.bindings if each[0] == name and (kind == "fanout" or each[3] == key)]
            for _, destination, to_queue, _ in matching:
                if to_queue:
                    reached.add(destination)
                else:
                    waiting.append(destination)
            if not matching and alternate is not None:
                waiting.append(alternate)
        return reached

    def drop_bindings(self, doomed: set[Binding]) -> None:
        """Bindings go, and then the auto-delete exchanges that have none left, and so on."""
        self.bindings -= doomed
        for source in {each[0] for each in doomed}:
            if (
                source in self.exchanges
                and self.exchanges[source][1]
                and not any(b[0] == source for b in self.bindings)
            ):
                del self.exchanges[source]
                self.drop_bindings({b for b in self.bindings if b[1] == source and not b[2]})

    # --- what happens

    @rule(
        name=EXCHANGES, kind=st.sampled_from(["direct", "fanout"]), auto=st.booleans(), alternate=st.none() | EXCHANGES
    )
    def declare_exchange(self, name: str, kind: str, auto: bool, alternate: str | None) -> None:
        if name in self.exchanges:
            return
        arguments = {} if alternate is None else {"alternate-exchange": alternate}
        self.vhost.declare_exchange(name, kind, auto_delete=auto, arguments=arguments)
        self.exchanges[name] = (kind, auto, alternate)

    @rule(name=EXCHANGES)
    def delete_exchange(self, name: str) -> None:
        assert (self.vhost.delete_exchange(name) is None) is (self.exchanges.pop(name, None) is None)
        self.bindings = {each for each in self.bindings if each[0] != name}
        self.drop_bindings({each for each in self.bindings if each[1] == name and not each[2]})

    @rule(name=QUEUES)
    def declare_queue(self, name: str) -> None:
        self.vhost.declare_queue(name)
        self.queues.add(name)

    @rule(name=QUEUES)
    def delete_queue(self, name: str) -> None:
        if name in self.queues:
            self.vhost.delete_queue(self.vhost.queue(name, None))
            self.queues.remove(name)
            self.drop_bindings({each for each in self.bindings if each[1] == name and each[2]})

    @rule(source=EXCHANGES, destination=QUEUES | EXCHANGES, key=KEYS)
    def bind(self, source: str, destination: str, key: str) -> None:
        to_queue = destination in ("p", "q")
        there = source in self.exchanges and destination in (self.queues if to_queue else self.exchanges)
        try:
            self.vhost.bind(source, destination, key, {}, to_queue=to_queue)
        except NotFound:
            assert not there
        else:
            assert there
            self.bindings.add((source, destination, to_queue, key))

    @rule(source=EXCHANGES, destination=QUEUES | EXCHANGES, key=KEYS)
    def unbind(self, source: str, destination: str, key: str) -> None:
        to_queue = destination in ("p", "q")
        self.vhost.unbind(source, destination, key, {}, to_queue=to_queue)
        self.drop_bindings({(source, destination, to_queue, key)} & self.bindings)

    # --- what is always so

    @invariant()
    def the_same_things_are_there(self) -> None:
        assert {name for name in self.vhost.exchanges if name in "xyz" and name} == set(self.exchanges)
        assert set(self.vhost.queues) == self.queues
        found = {
            (b.source.name, b.destination.name, b.to_queue, b.routing_key)
            for name in self.exchanges
            for b in self.vhost.exchange(name).outgoing.values()
        }
        assert found == self.bindings

    @invariant()
    def messages_go_where_the_walk_leads(self) -> None:
        for name in self.exchanges:
            for key in ("a", "b", "c"):
                for _ in range(2):
                    route = self.vhost.route(self.vhost.exchange(name), make_message(name, key, b""))
                    assert {queue.name for queue in route.queues} == self.expected(name, key)
                    assert len(route.queues) == len(set(route.queues))


def test_routes_are_those_of_a_plain_walk() -> None:
    run_state_machine_as_test(RoutesAgainstWalk, settings=settings(max_examples=150, stateful_step_count=40))
