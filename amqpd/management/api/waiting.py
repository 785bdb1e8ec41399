"""Waiting for a queue to be as a script or test needs it, instead of asking again and again: an addition of ours.

    GET /api/queues/%2F/q?wait=messages>=3&timeout=5

It is answered as soon as that holds; with 503, and what the number was, when it did not in time. The queue need not be
there yet.
"""

from __future__ import annotations

import asyncio
import operator
import re
from collections.abc import Callable
from typing import Any, Final

from ..call import Call
from ..errors import HttpError, bad_request
from ..rates import depth_of

LONGEST: Final = 300.0
"""Seconds to wait, at most."""

PAUSE: Final = 0.01
"""Seconds between looks at the queue: it costs less than it would to be told of every message."""

FIELDS: Final = ("messages", "messages_ready", "messages_unacknowledged", "consumers")

RELATIONS: Final[dict[str, Callable[[int, int], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


async def wait(call: Call) -> None:
    """Return once the condition in the query holds. Raises HttpError 503 when that takes too long, 400 for none."""
    query = call.request.query_params
    condition = query["wait"].strip()
    parts = re.fullmatch(r"([a-z_]+)\s*(>=|<=|==|!=|>|<|=)\s*([0-9]{1,18})", condition)
    if parts is None or parts[1] not in FIELDS:
        raise bad_request(f"wait has to be like messages>=3, with one of {', '.join(FIELDS)}")
    holds, number = RELATIONS[parts[2]], int(parts[3])
    loop = asyncio.get_running_loop()
    until = loop.time() + _timeout(query.get("timeout", "5"))
    while True:
        found = _number(call, parts[1])
        if found is not None and holds(found, number):
            return
        if loop.time() >= until or await call.request.is_disconnected():
            break
        await asyncio.sleep(PAUSE)
    name = call.path("name")
    if found is None:
        reason = f"no {call.vhost.describe_queue(name)} after {query.get('timeout', '5')} seconds"
    else:
        reason = f"{parts[1]} is {found} after {query.get('timeout', '5')} seconds, not {condition}"
    raise HttpError(503, "timeout", reason)


def _number(call: Call, field: str) -> int | None:
    """As it is now; None while there is no such queue."""
    queue = call.vhost.queues.get(call.path("name"))
    if queue is None:
        return None
    if field == "consumers":
        return len(queue.consumers)
    return depth_of(queue)[FIELDS.index(field)]


def _timeout(text: Any) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text) or float(text) > LONGEST:
        raise bad_request(f"timeout has to be a number of seconds, {LONGEST:.0f} at most")
    return float(text)
