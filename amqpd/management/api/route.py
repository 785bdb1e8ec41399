"""Where a message would go, and why: an addition to RabbitMQ's API, below /api/amqpd."""

from __future__ import annotations

from typing import Any

from ...broker.copies import further_keys
from ...broker.exchanges import Exchange
from ...broker.explain import Visit, explain
from ...message import make_message
from ...wire.spec import ProtocolError
from ..call import Call, field_of
from ..errors import bad_request
from ..resources import Resource, Right
from ..translate import properties_of
from ..views import table
from .exchanges import exchange_in


def show_route(call: Call) -> Any:
    """Nothing is published. The body has a routing_key, and the properties that a message would have."""
    vhost, exchange, body = call.vhost, exchange_in(call), call.body
    routing_key = field_of(body, "routing_key", str, "")
    properties = properties_of(field_of(body, "properties", (dict, list), {}))
    try:
        message = make_message(exchange.name, routing_key, b"", properties)
        keys = further_keys(properties.headers or {})
    except (ValueError, ProtocolError) as error:
        raise bad_request(str(error)) from None
    found = explain(vhost, exchange, message, keys)
    return {
        "vhost": vhost.name,
        "exchange": exchange.name,
        "routing_key": routing_key,
        "routed": found.routed,
        "queues": [queue.name for queue in found.queues],
        "visits": [_visit(visit) for visit in found.visits],
    }


def _visit(visit: Visit) -> dict[str, Any]:
    return {
        "exchange": visit.exchange.name,
        "type": visit.exchange.type,
        "came_from": None if visit.came_from is None else visit.came_from.name,
        "as_alternate": visit.as_alternate,
        "bindings": [
            {
                "destination": verdict.binding.destination.name,
                "destination_type": "exchange" if isinstance(verdict.binding.destination, Exchange) else "queue",
                "routing_key": verdict.binding.routing_key,
                "arguments": table(verdict.binding.arguments),
                "matched": verdict.matched,
                "reason": verdict.reason,
            }
            for verdict in visit.verdicts
        ],
    }


RESOURCES = (Resource("/amqpd/route/{vhost}/{name}", Right.VHOST, post=show_route),)
