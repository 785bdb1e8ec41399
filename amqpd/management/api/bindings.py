"""Bindings: list, make and remove them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import quote, unquote_plus

from starlette.responses import Response

from ...auth.base import Action
from ...broker.binding import Binding
from ...broker.exchanges import Exchange
from ...broker.stream import AnyQueue
from ...broker.vhost import VHost
from ...errors import NotFound
from ..call import Call, field_of
from ..committed import committed
from ..errors import not_found
from ..lists import listing
from ..resources import Created, Resource, Right
from ..translate import arguments_in
from ..views import properties_key

Shown = tuple[VHost, "Binding | AnyQueue"]
"""A binding; a queue stands for the one that the default exchange has to it."""


def bindings_to(destination: AnyQueue | Exchange) -> list[Binding]:
    return list(destination.incoming.values())


async def list_bindings(call: Call) -> Response:
    found: list[Shown] = []
    for vhost in call.vhosts():
        found += [(vhost, queue) for queue in list(vhost.queues.values())]
        for exchange in list(vhost.exchanges.values()):
            found += [(vhost, binding) for binding in list(exchange.outgoing.values())]
    return await _listed(call, found)


async def list_of_exchange(call: Call) -> Response:
    vhost = call.vhost
    exchange = vhost.exchanges.get(call.exchange_name)
    found: list[Shown]
    if exchange is None:
        found = []
    elif call.request.url.path.endswith("/destination"):
        found = [(vhost, binding) for binding in bindings_to(exchange)]
    elif not exchange.name:
        found = [(vhost, queue) for queue in list(vhost.queues.values())]
    else:
        found = [(vhost, binding) for binding in list(exchange.outgoing.values())]
    return await _listed(call, found)


def list_between(call: Call) -> Any:
    views = call.management.views
    try:
        vhost, source, target = _ends(call)
    except NotFound:
        return []
    if not source.name:
        return [views.implicit_binding(vhost, target)] if not isinstance(target, Exchange) else []
    return [views.binding(vhost, binding) for binding in _between(source, target)]


def show_binding(call: Call) -> Any:
    vhost, source, target = _named_ends(call)
    views = call.management.views
    if not source.name and not isinstance(target, Exchange) and call.path("props") == properties_key(target.name, {}):
        return views.implicit_binding(vhost, target)
    return views.binding(vhost, _named(call, source, target))


def bind(call: Call) -> Any:
    vhost, source, target = _ends(call)
    routing_key = field_of(call.body, "routing_key", str, "")
    arguments = arguments_in(call.body)
    _check(call, vhost, source, target, routing_key)
    vhost.bind(source.name, target.name, routing_key, arguments, to_queue=not isinstance(target, Exchange))
    parts = [target.name, properties_key(routing_key, arguments)]
    location = "/".join([quote(part, safe="") for part in parts])  # from where it was asked for
    return _done(vhost, Created(location))


def unbind(call: Call) -> Any:
    vhost, source, target = _named_ends(call)
    binding = _named(call, source, target)
    _check(call, vhost, source, target, binding.routing_key)
    vhost.unbind(
        source.name, target.name, binding.routing_key, binding.arguments, to_queue=not isinstance(target, Exchange)
    )
    return _done(vhost, None)


async def _listed(call: Call, found: list[Shown]) -> Response:
    views = call.management.views

    def view(place: Shown) -> dict[str, Any]:
        vhost, binding = place
        return views.binding(vhost, binding) if isinstance(binding, Binding) else views.implicit_binding(vhost, binding)

    keys = {
        "vhost": lambda place: place[0].name,
        "source": lambda place: place[1].source.name if isinstance(place[1], Binding) else "",
        "destination": lambda place: place[1].destination.name if isinstance(place[1], Binding) else place[1].name,
    }
    return await listing(call, found, view, keys, default_sort=("vhost", "source", "destination"))


def _ends(call: Call) -> tuple[VHost, Exchange, AnyQueue | Exchange]:
    """Raises HttpError 404 unless the vhost is there, NotFound unless source and destination are."""
    vhost = call.vhost
    kind = call.path("kind")
    if kind not in ("q", "e"):
        raise not_found()
    source_name, name = call.path("source"), call.path("destination")
    source = vhost.exchanges.get("" if source_name == "amq.default" else source_name)
    if source is None:
        raise NotFound(f"no {vhost.describe_exchange(source_name)}")
    target: AnyQueue | Exchange | None = vhost.queues.get(name) if kind == "q" else vhost.exchanges.get(name)
    if target is None:
        raise NotFound(f"no {vhost.describe_queue(name) if kind == 'q' else vhost.describe_exchange(name)}")
    return vhost, source, target


def _named_ends(call: Call) -> tuple[VHost, Exchange, AnyQueue | Exchange]:
    """Of a binding in the path. Raises HttpError 404 unless they are there."""
    try:
        return _ends(call)
    except NotFound:
        raise not_found() from None


def _between(source: Exchange, target: AnyQueue | Exchange) -> Iterable[Binding]:
    return [binding for binding in source.outgoing.values() if binding.destination is target]


def _named(call: Call, source: Exchange, target: AnyQueue | Exchange) -> Binding:
    wanted = call.path("props")
    named = {properties_key(each.routing_key, each.arguments): each for each in _between(source, target)}
    unquoted = {unquote_plus(key): each for key, each in named.items()}  # what clients send that do not quote it again
    found = named.get(wanted) or unquoted.get(wanted) or unquoted.get(unquote_plus(wanted))
    if found is None:
        raise not_found()
    return found


def _check(call: Call, vhost: VHost, source: Exchange, target: AnyQueue | Exchange, routing_key: str) -> None:
    if not isinstance(target, Exchange):
        vhost.queue(target.name, None)
    vhost.check_not_default(source.name)
    kind: Literal["exchange", "queue"] = "exchange" if isinstance(target, Exchange) else "queue"
    call.check(Action.WRITE, vhost, kind, target.name)
    call.check(Action.READ, vhost, "exchange", source.name)
    call.check_topic(Action.READ, vhost, source, routing_key)


async def _done(vhost: VHost, result: Any) -> Any:
    await committed(vhost.store)
    return result


RESOURCES = (
    Resource("/bindings", Right.USER, get=list_bindings),
    Resource("/bindings/{vhost}", Right.VHOST, get=list_bindings),
    Resource("/bindings/{vhost}/e/{source}/{kind}/{destination}", Right.VHOST, get=list_between, post=bind),
    Resource("/bindings/{vhost}/e/{source}/{kind}/{destination}/{props}", Right.VHOST, get=show_binding, delete=unbind),
    Resource("/exchanges/{vhost}/{name}/bindings/source", Right.VHOST, get=list_of_exchange),
    Resource("/exchanges/{vhost}/{name}/bindings/destination", Right.VHOST, get=list_of_exchange),
)
