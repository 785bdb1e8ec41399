"""Exchanges: list, declare, delete, and publish to one."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ...auth.base import Action
from ...broker.exchanges import Exchange
from ...broker.vhost import VHost
from ..call import Call, check_length, field_of
from ..committed import committed
from ..errors import not_found
from ..lists import listing
from ..resources import Created, Resource, Right
from ..translate import arguments_in
from ..views import without_stats


async def list_exchanges(call: Call) -> Response:
    found = [(vhost, exchange) for vhost in call.vhosts() for exchange in list(vhost.exchanges.values())]

    basics = call.without_stats

    def view(place: tuple[VHost, Exchange]) -> dict[str, Any]:
        shown = call.management.views.exchange(*place)
        return without_stats(shown) if basics else shown

    keys = {
        "vhost": lambda place: place[0].name,
        "name": lambda place: place[1].name,
        "type": lambda place: place[1].type,
        "durable": lambda place: place[1].durable,
    }
    return await listing(call, found, view, keys)


def show_exchange(call: Call) -> Any:
    shown = call.management.views.exchange_details(call.vhost, exchange_in(call))
    return without_stats(shown) if call.without_stats else shown


def exchange_in(call: Call) -> Exchange:
    """The exchange in the path. Raises HttpError 404."""
    exchange = call.vhost.exchanges.get(call.exchange_name)
    if exchange is None:
        raise not_found()
    return exchange


def declare_exchange(call: Call) -> Any:
    vhost, name, body = call.vhost, call.exchange_name, call.body
    type_name = field_of(body, "type", str, "direct")
    arguments = arguments_in(body)
    vhost.check_declarable(name, type_name)
    check_length("exchange", name)
    call.check(Action.CONFIGURE, vhost, "exchange", name)
    alternate = arguments.get("alternate-exchange")
    if isinstance(alternate, str):
        call.check(Action.READ, vhost, "exchange", name)
        call.check(Action.WRITE, vhost, "exchange", alternate)
    existed = name in vhost.exchanges
    vhost.declare_exchange(
        name,
        type_name,
        durable=field_of(body, "durable", bool, True),
        auto_delete=field_of(body, "auto_delete", bool, False),
        internal=field_of(body, "internal", bool, False),
        arguments=arguments,
    )
    return _done(call, None if existed else Created())


def delete_exchange(call: Call) -> Any:
    exchange = exchange_in(call)
    call.vhost.check_deletable(exchange.name)
    call.check(Action.CONFIGURE, call.vhost, "exchange", exchange.name)
    call.vhost.delete_exchange(exchange.name, if_unused=call.flag("if-unused"))
    return _done(call, None)


async def _done(call: Call, result: Any) -> Any:
    await committed(call.vhost.store)
    return result


RESOURCES = (
    Resource("/exchanges", Right.USER, get=list_exchanges),
    Resource("/exchanges/{vhost}", Right.VHOST, get=list_exchanges),
    Resource("/exchanges/{vhost}/{name}", Right.VHOST, get=show_exchange, put=declare_exchange, delete=delete_exchange),
)
