"""Publishing a message, as a client with a channel of its own would do it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Any

from ...amqp.publish import check_expiration
from ...auth.base import IMPERSONATOR, Action
from ...broker.copies import BCC, further_keys
from ...broker.exchanges import Exchange
from ...broker.firehose import Actor
from ...broker.queue import REFUSED, STORED
from ...errors import AccessRefused, PreconditionFailed
from ...message import Message
from ...wire.properties import Properties
from ...wire.spec import ProtocolError
from ..call import Call, check_present, field_of
from ..committed import committed
from ..errors import bad_request, inner_refusal
from ..resources import Resource, Right
from ..translate import message_of, properties_of


async def publish(call: Call) -> Any:
    vhost, body = call.vhost, call.body
    check_present(body, "routing_key", "properties", "payload", "payload_encoding")
    routing_key = field_of(body, "routing_key", str)
    if not isinstance(body["payload"], str):
        raise bad_request("payload_not_string")
    properties = properties_of(field_of(body, "properties", (dict, list)))
    content = _decoded(body["payload"], body["payload_encoding"])
    try:
        exchange = _exchange(call)
        message, keys = _message(call, exchange, routing_key, content, properties)
    except ProtocolError as error:
        raise inner_refusal(error) from None
    route = vhost.route(exchange, message, keys)
    if vhost.routes.firehose is not None:
        vhost.routes.firehose.published(message, keys, route.queues, Actor("HTTP", 0, call.user.name))
    routed = bool(route.queues) or bool(route.kept)
    for traffic in (exchange.traffic, vhost.traffic):
        traffic.published += 1
        traffic.returned += not routed
    exchange.traffic.routed += len(route.queues)
    vhost.traffic.confirmable += 1
    vhost.traffic.confirmed += 1
    outcome = route.deliver(message) if route.queues else route.kept
    if outcome & REFUSED:
        raise bad_request("rejected Unable to publish message. Check queue limits.")
    if outcome & STORED:
        await committed(vhost.store)
    return {"routed": routed}


def _exchange(call: Call) -> Exchange:
    """The one in the path. Raises NotFound, AccessRefused."""
    vhost = call.vhost
    call.check(Action.WRITE, vhost, "exchange", call.exchange_name)
    exchange = vhost.exchange(call.exchange_name)
    if exchange.internal:
        raise AccessRefused(f"cannot publish to internal {vhost.describe_exchange(exchange.name)}")
    return exchange


def _message(
    call: Call, exchange: Exchange, routing_key: str, body: bytes, properties: Properties
) -> tuple[Message, tuple[str, ...]]:
    """The message, and the routing keys it has besides its own (see `broker.copies`).

    Raises PreconditionFailed for a property that cannot be, AccessRefused for a routing key.
    """
    limit = call.management.settings.get("max_message_size", len(body))
    if len(body) > limit:
        raise PreconditionFailed(f"message size {len(body)} is larger than configured max size {limit}")
    headers = properties.headers or {}
    keys = further_keys(headers)
    for key in (routing_key, *keys):
        call.check_topic(Action.WRITE, call.vhost, exchange, key)
    if properties.user_id not in (None, call.user.name) and IMPERSONATOR not in call.user.tags:
        raise PreconditionFailed(
            f"user_id property set to '{properties.user_id}' but authenticated user was '{call.user.name}'"
        )
    if BCC in headers:
        properties = replace(properties, headers={name: value for name, value in headers.items() if name != BCC})
    message = message_of(exchange.name, routing_key, body, properties)
    if properties.expiration is not None:
        message.ttl = check_expiration(properties.expiration)
    return message, keys


def _decoded(payload: str, encoding: Any) -> bytes:
    if encoding == "string":
        return payload.encode()
    if encoding != "base64":
        raise bad_request(["unsupported_encoding", encoding])
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise bad_request(["not_base64", payload]) from None


RESOURCES = (Resource("/exchanges/{vhost}/{name}/publish", Right.VHOST, post=publish),)
