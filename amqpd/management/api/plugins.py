"""What plug-ins of RabbitMQ answer that are not here: lists with nothing in them, for clients that ask for all."""

from __future__ import annotations

from typing import Any

from ..call import Call
from ..resources import Resource, Right


def nothing(call: Call) -> Any:
    if call.has("vhost"):
        _ = call.vhost
    return []


RESOURCES = (
    Resource("/shovels", Right.MONITORING, get=nothing),
    Resource("/shovels/{vhost}", Right.MONITORING, get=nothing),
    Resource("/federation-links", Right.MONITORING, get=nothing),
    Resource("/federation-links/{vhost}", Right.MONITORING, get=nothing),
)
