"""Additions to RabbitMQ's API: looking at messages without disturbing them, and at the way they would go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from ...amqp.channel import Channel
from ...amqp.connection import Connection
from ...auth.base import Action
from ...broker.copies import further_keys
from ...broker.entry import Entry
from ...broker.explanation import Step, explain
from ...broker.peek import Place, is_of, look, ready_count
from ...broker.stream import AnyQueue
from ...broker.vhost import VHost
from ...definitions.values import table_to_json
from ..call import Call, field_of, number_of
from ..errors import bad_request, not_found
from ..resources import Resource, Right
from ..translate import message_of, properties_of, shown_message

MOST: Final = 1000
"""Messages to show at a time."""

TRUNCATE: Final = 50_000
"""Bytes of each payload, unless it is said otherwise."""

STATES: Final = ("ready", "unacknowledged")

STEP: Final = 50
"""Channels to look at before others have their turn."""


async def peek(call: Call) -> Any:
    """Messages of a queue: `offset` and `count` of those that are ready, or out with consumers (`state`).

    `truncate` and `encoding` are as for getting messages.
    """
    vhost, queue = call.vhost, call.queue
    call.check(Action.READ, vhost, "queue", queue.name)
    query = call.request.query_params
    offset, count = number_of(query.get("offset", 0)), number_of(query.get("count", 10))
    truncate = number_of(query.get("truncate", TRUNCATE))
    encoding, state = query.get("encoding", "auto"), query.get("state", "ready")
    if state not in STATES:
        raise bad_request(f"state has to be {' or '.join(STATES)}")
    if encoding not in ("auto", "base64"):
        raise bad_request("Unsupported encoding. Please use auto or base64.")
    if offset < 0 or not 0 <= count <= MOST or truncate < 0:
        raise bad_request(f"offset, count and truncate have to be 0 or more, and count {MOST} at most")
    if state == "ready":
        found, total = await _ready(queue, offset, count), ready_count(queue)
    else:
        out = await _out(call, queue)
        found, total = list(enumerate(out))[offset : offset + count], len(out)
    items = [
        {
            "position": position,
            "state": state,
            **shown_message(entry, encoding, truncate),
            "expires_at": entry.deadline or None,
            "consumer": _consumer(call, vhost, queue, entry),
        }
        for position, entry in found
    ]
    return {"offset": offset, "total_count": total, "items": items}


async def _ready(queue: AnyQueue, offset: int, count: int) -> list[tuple[int, Entry]]:
    """With their positions. What arrives or leaves meanwhile may move them by as much."""
    found: list[tuple[int, Entry]] = []
    place: Place | None = Place()
    while place is not None and len(found) < count:
        some = look(queue, place, offset, count - len(found))
        found += some.found
        place = some.next
        await asyncio.sleep(0)
        if queue.deleted:
            raise not_found()
    return found


async def _out(call: Call, queue: AnyQueue) -> list[Entry]:
    """Deliveries of a queue that nobody has settled, in the order of the queue."""
    found: list[Entry] = []
    for number, channel in enumerate(list(_channels(call))):
        found += [entry for entry in channel.deliveries.unacked if is_of(entry, queue)]
        if number % STEP == STEP - 1:
            await asyncio.sleep(0)
    return sorted([entry for entry in found if is_of(entry, queue)], key=lambda entry: entry.seq)


def _channels(call: Call) -> Iterator[Channel]:
    for connection in list(call.broker.connections.open):
        if isinstance(connection, Connection):
            yield from connection.open_channels()


def _consumer(call: Call, vhost: VHost, queue: AnyQueue, entry: Entry) -> Any:
    """Who has it; None when nobody does, or it was got one by one."""
    return None if entry.consumer is None else call.management.views.consumer(vhost, queue, entry.consumer)


# --- routing


def show_route(call: Call) -> Any:
    """Where a message would go that is published to the exchange, and why.

    The routing key is in the query, or with the properties in the body, as for publishing.
    """
    vhost = call.vhost
    exchange = vhost.exchanges.get(call.exchange_name)
    if exchange is None:
        raise not_found()
    body = {**call.request.query_params, **call.body}
    properties = properties_of(field_of(body, "properties", (dict, list), {}))
    message = message_of(exchange.name, field_of(body, "routing_key", str, ""), b"", properties)
    found = explain(vhost, exchange, message, further_keys(message.headers))
    return {
        "routed": bool(found.queues),
        "queues": [{"name": queue.name, "vhost": vhost.name} for queue in found.queues],
        "exchanges": [_step(step) for step in found.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    how = "publish" if step.reached_from is None else "alternate-exchange" if step.as_alternate else "binding"
    return {
        "name": step.exchange.name,
        "type": step.exchange.type,
        "reached_by": how,
        "reached_from": None if step.reached_from is None else step.reached_from.name,
        "bindings": [
            {
                "destination": verdict.binding.destination.name,
                "destination_type": "queue" if verdict.binding.to_queue else "exchange",
                "routing_key": verdict.binding.routing_key,
                "arguments": table_to_json(verdict.binding.arguments),
                "message_routing_key": routing_key,
                "matched": verdict.matched,
                "reason": verdict.reason,
            }
            for routing_key, verdict in step.verdicts
        ],
        "alternate_exchange": step.alternate,
        "alternate_exchange_exists": step.alternate_exists,
    }


RESOURCES = (
    Resource("/amqpd/queues/{vhost}/{name}/messages", Right.VHOST, get=peek),
    Resource("/amqpd/route/{vhost}/{name}", Right.VHOST, get=show_route, post=show_route),
)
