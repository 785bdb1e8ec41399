"""A broker's definitions, as RabbitMQ 4 writes them, with what readers of RabbitMQ 3's look for.

In order of names, so that two exports can be compared. Exclusive queues, internal exchanges and those every vhost has
are left out, and bindings to or from them, but for bindings of predeclared exchanges to what stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..auth.internal import InternalUsers
from ..broker.arguments import queue_type_of
from ..broker.broker import Broker
from ..broker.exchanges import Exchange
from ..broker.parameters import POLICY, Parameter
from ..broker.policies import ALL
from ..broker.stream import AnyQueue
from ..broker.vhost import RESERVED_PREFIX, VHost
from .document import SINGLE
from .values import table_to_json

INTERNAL_PREFIX: Final = "internal"
"""Global parameters called so are a broker's own affair, and stay with it."""


@dataclass(frozen=True, slots=True)
class About:
    """The broker, as files name it."""

    version: str  # of RabbitMQ
    product: str = "RabbitMQ"
    product_version: str = ""  # empty: the same
    cluster_name: str = ""


def export_all(broker: Broker, users: InternalUsers, about: About) -> dict[str, Any]:
    """The definitions of a whole broker, users and their password hashes included, as JSON values."""
    return _whole(sections_of_all(broker, users, about))


def export_vhost(broker: Broker, vhost: VHost, about: About) -> dict[str, Any]:
    """The definitions of one vhost, without users and permissions, as JSON values."""
    return _whole(sections_of_vhost(broker, vhost, about))


def sections_of_all(broker: Broker, users: InternalUsers, about: About) -> Iterator[tuple[str, Any]]:
    """`export_all` by its keys, in order; a list as an iterator, for whoever writes it little by little."""
    vhosts = [broker.vhosts[name] for name in sorted(broker.vhosts)]
    yield from _heading(about, "cluster")
    yield "original_cluster_name", about.cluster_name
    yield "explanation", f"Definitions of cluster '{about.cluster_name}'"
    yield "users", (user.definition for _, user in sorted(users.all.items()))
    yield "vhosts", (_vhost(broker, vhost) for vhost in vhosts)
    permissions = sorted(users.permissions, key=lambda each: (each.user, each.vhost))
    yield "permissions", (each.described() for each in permissions)
    topics = sorted(users.permissions.topics(), key=lambda each: (each.user, each.vhost, each.exchange))
    yield "topic_permissions", (each.described() for each in topics)
    yield "parameters", (_parameter(each) for each in broker.parameters.list())
    named = broker.parameters.globals
    yield (
        "global_parameters",
        ({"name": name, "value": named[name]} for name in named if not name.startswith(INTERNAL_PREFIX)),
    )
    yield "policies", (_policy(each) for each in broker.parameters.list(POLICY))
    for section, shown in _TOPOLOGY.items():
        yield section, (each for vhost in vhosts for each in shown(vhost, {"vhost": vhost.name}))


def sections_of_vhost(broker: Broker, vhost: VHost, about: About) -> Iterator[tuple[str, Any]]:
    """`export_vhost` by its keys, in order; a list as an iterator."""
    described = _vhost(broker, vhost)
    yield from _heading(about, SINGLE)
    yield "original_vhost_name", vhost.name
    yield "explanation", f"Definitions of virtual host '{vhost.name}'"
    for key in ("metadata", "description", "default_queue_type", "limits"):
        yield key, described[key]
    yield "parameters", (_parameter(each, {}) for each in broker.parameters.list(vhost=vhost.name))
    yield "policies", (_policy(each, {}) for each in broker.parameters.list(POLICY, vhost.name))
    for section, shown in _TOPOLOGY.items():
        yield section, shown(vhost, {})


def _whole(sections: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in sections}


def _heading(about: About, kind: str) -> Iterator[tuple[str, Any]]:
    yield "rabbit_version", about.version
    yield "rabbitmq_version", about.version
    yield "product_name", about.product
    yield "product_version", about.product_version or about.version
    yield "rabbitmq_definition_format", kind


def _vhost(broker: Broker, vhost: VHost) -> dict[str, Any]:
    said = {
        "description": vhost.description,
        "tags": list(vhost.tags),
        "default_queue_type": vhost.queue_type,
    }
    protection = {"protected_from_deletion": True} if vhost.protected else {}
    return {
        "name": vhost.name,
        "limits": broker.vhost_limits.limits(vhost.name),
        "metadata": {**said, **protection},
        **said,  # where RabbitMQ 3 and 4.0 look
    }


_Place = Mapping[str, str]
"""The field that names the vhost; none in the file of one vhost."""


def _parameter(parameter: Parameter, place: _Place | None = None) -> dict[str, Any]:
    return {
        "value": parameter.value,
        **({"vhost": parameter.vhost} if place is None else place),
        "component": parameter.component,
        "name": parameter.name,
    }


def _policy(parameter: Parameter, place: _Place | None = None) -> dict[str, Any]:
    value = parameter.value
    return {
        **({"vhost": parameter.vhost} if place is None else place),
        "name": parameter.name,
        "pattern": value["pattern"],
        "apply-to": value.get("apply-to", ALL),
        "definition": value["definition"],
        "priority": value["priority"],
    }


def _queues(vhost: VHost, place: _Place) -> Iterator[dict[str, Any]]:
    for name in sorted(vhost.queues):
        queue = vhost.queues.get(name)
        if queue is None or queue.owner is not None:
            continue
        yield {
            "name": name,
            **place,
            "type": queue_type_of(queue.arguments),
            "durable": queue.durable,
            "auto_delete": queue.auto_delete,
            "arguments": table_to_json(queue.arguments),
        }


def _exchanges(vhost: VHost, place: _Place) -> Iterator[dict[str, Any]]:
    for name in sorted(vhost.exchanges):
        exchange = vhost.exchanges.get(name)
        if exchange is None or not _is_exported(exchange):
            continue
        yield {
            "name": name,
            **place,
            "type": exchange.type,
            "durable": exchange.durable,
            "auto_delete": exchange.auto_delete,
            "internal": False,  # RabbitMQ 3 wants to be told
            "arguments": table_to_json(exchange.arguments),
        }


def _bindings(vhost: VHost, place: _Place) -> Iterator[dict[str, Any]]:
    for name in sorted(vhost.exchanges):
        exchange = vhost.exchanges.get(name)
        if exchange is None or exchange.internal:
            continue
        for key in sorted(exchange.outgoing):
            binding = exchange.outgoing.get(key)
            if binding is None or not _leads_on(binding.destination):
                continue
            yield {
                "source": name,
                **place,
                "destination": binding.destination.name,
                "destination_type": "queue" if binding.to_queue else "exchange",
                "routing_key": binding.routing_key,
                "arguments": table_to_json(binding.arguments),
            }


_TOPOLOGY: Final = {"queues": _queues, "exchanges": _exchanges, "bindings": _bindings}


def _is_exported(exchange: Exchange) -> bool:
    return not exchange.internal and bool(exchange.name) and not exchange.name.startswith(RESERVED_PREFIX)


def _leads_on(destination: AnyQueue | Exchange) -> bool:
    """Whether what a binding leads to is there, too, where it is imported."""
    return not destination.internal if isinstance(destination, Exchange) else destination.owner is None
