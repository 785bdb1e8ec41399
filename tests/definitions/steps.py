"""A broker with nothing in it, and definitions in and out of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from amqpd.auth.internal import InternalUsers
from amqpd.broker.broker import Broker
from amqpd.broker.vhost import VHost
from amqpd.clock import VirtualClock
from amqpd.definitions import About, DefinitionsError, Outcome, export_all, export_vhost, import_all, import_vhost
from amqpd.store.base import Store
from amqpd.store.memory import MemoryStore

ABOUT = About("4.2.9", cluster_name="rabbit@here")


class Premises:
    """A broker, its users, and what operators do with definitions."""

    def __init__(self, store: Store | None = None, **options: Any) -> None:
        self.broker = Broker(store or MemoryStore(), VirtualClock(), **options)
        self.users = InternalUsers(self.broker)

    @property
    def vhost(self) -> VHost:
        return self.broker.vhosts["/"]

    def take(self, **sections: Any) -> Outcome:
        """Import; what names no vhost is for /."""
        for section in (
            "permissions",
            "topic_permissions",
            "parameters",
            "policies",
            "queues",
            "exchanges",
            "bindings",
        ):
            for entry in sections.get(section) or ():
                if isinstance(entry, dict):
                    entry.setdefault("vhost", "/")
        return import_all(self.broker, self.users, sections)

    def take_file(self, content: Mapping[str, Any], vhost: str | None = None) -> Outcome:
        if vhost is not None:
            return import_vhost(self.broker, self.users, vhost, content)
        return import_all(self.broker, self.users, content)

    def refusal(self, **sections: Any) -> str:
        """Why it cannot be imported; that changes nothing."""
        before = self.give()
        with pytest.raises(DefinitionsError) as refused:
            self.take(**sections)
        assert self.give() == before
        return str(refused.value)

    def give(self, vhost: str | None = None) -> dict[str, Any]:
        """Export."""
        if vhost is not None:
            return export_vhost(self.broker, self.broker.vhosts[vhost], ABOUT)
        return export_all(self.broker, self.users, ABOUT)


def finish(steps: Generator[None, None, Outcome], between: Callable[[], object] = lambda: None) -> Outcome:
    """What an import comes to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        between()
