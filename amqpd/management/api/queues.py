"""Queues: list, declare, delete, purge, and get messages from one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from operator import attrgetter
from typing import Any, Final

from starlette.responses import Response

from ...auth.base import Action
from ...broker.arguments import queue_type_of
from ...broker.entry import Entry
from ...broker.queue import Queue
from ...broker.stream import AnyQueue, Stream
from ...broker.vhost import VHost
from ...errors import AccessRefused, NotFound, NotImplementedByBroker
from ...wire.spec import ProtocolError
from ..call import Call, check_length, check_present, field_of, number_of
from ..committed import committed
from ..errors import HttpError, bad_request, inner_refusal, not_authorised
from ..lists import listing
from ..rates import depth_of, unacked_of
from ..resources import Created, Resource, Right, answer_in_pieces
from ..translate import PIECE, arguments_in, message_in_pieces
from ..turns import Turns
from .bindings import bindings_to
from .waiting import wait

Show = Callable[[Entry, int, Turns], Awaitable[list[str]]]
"""A message, and how many are behind it, as JSON in pieces."""

REQUEUED_AT_ONCE: Final = 200

ACK_MODES: Final = {  # to whether they reject, and whether they requeue
    "ack_requeue_true": (False, True),
    "ack_requeue_false": (False, False),
    "reject_requeue_true": (True, True),
    "reject_requeue_false": (True, False),
}


async def list_queues(call: Call) -> Response:
    found = [(vhost, queue) for vhost in call.vhosts() for queue in list(vhost.queues.values())]
    views = call.management.views
    show = views.queue
    if call.without_stats:
        show = views.queue_totals if call.with_totals else views.queue_basics

    def view(place: tuple[VHost, AnyQueue]) -> dict[str, Any]:
        return show(*place)

    keys: dict[str, Callable[[tuple[VHost, AnyQueue]], Any]] = {
        "vhost": lambda place: place[0].name,
        "name": lambda place: place[1].name,
        "durable": lambda place: place[1].durable,
        "auto_delete": lambda place: place[1].auto_delete,
        "exclusive": lambda place: place[1].owner is not None,
        "type": lambda place: queue_type_of(place[1].arguments),
    }
    if not call.without_stats:
        keys |= {
            "messages": lambda place: depth_of(place[1])[0],
            "messages_ready": lambda place: place[1].message_count,
            "messages_unacknowledged": lambda place: unacked_of(place[1]),
            "consumers": lambda place: len(place[1].consumers),
        }
    return await listing(call, found, view, keys)


async def show_queue(call: Call) -> Any:
    """With `wait` in the query, once that is so (see `waiting`)."""
    if "wait" in call.request.query_params:
        await wait(call)
    views = call.management.views
    if call.without_stats:
        return (views.queue_totals if call.with_totals else views.queue_basics)(call.vhost, call.queue)
    return views.queue_details(call.vhost, call.queue)


def declare_queue(call: Call) -> Any:
    vhost, name, body = call.vhost, call.path("name"), call.body
    arguments = arguments_in(body)
    check_length("queue", name)
    call.check(Action.CONFIGURE, vhost, "queue", name)
    dead_letter_exchange = arguments.get("x-dead-letter-exchange")
    if isinstance(dead_letter_exchange, str):
        call.check(Action.READ, vhost, "queue", name)
        call.check(Action.WRITE, vhost, "exchange", dead_letter_exchange)
    existed = name in vhost.queues
    vhost.declare_queue(
        name,
        durable=field_of(body, "durable", bool, True),
        auto_delete=field_of(body, "auto_delete", bool, False),
        arguments=arguments,
    )
    return _done(call, None if existed else Created())


def delete_queue(call: Call) -> Any:
    vhost, queue = call.vhost, _own(call)
    call.check(Action.CONFIGURE, vhost, "queue", queue.name)
    vhost.check_queue_deletable(queue, if_unused=call.flag("if-unused"), if_empty=call.flag("if-empty"))
    vhost.delete_queue(queue)
    return _done(call, None)


def purge_queue(call: Call) -> Any:
    queue = _own(call)
    call.check(Action.READ, call.vhost, "queue", queue.name)
    return _purge(call, queue)


async def _purge(call: Call, queue: AnyQueue) -> None:
    steps, turns = queue.purging(), Turns()
    try:
        for _ in steps:
            if turns.due:
                await turns.give()
    finally:
        for _ in steps:  # nothing, unless the broker stops
            pass
    await committed(call.vhost.store)


def act_on_queue(call: Call) -> None:
    action = field_of(call.body, "action", str)
    _ = call.queue
    if action not in ("sync", "cancel_sync"):
        raise bad_request(["unknown", action])


def get_messages(call: Call) -> Any:
    """Take messages out, and put them back unless they are to go; all before any of them is settled.

    The bodies of all are in the answer, so that is made piece by piece.
    """
    body, name = call.body, call.path("name")
    check_present(body, "requeue" if "requeue" in body and "ackmode" not in body else "ackmode", "count", "encoding")
    rejects, requeues = _ack_mode(body)
    count = number_of(body["count"])
    truncate = None if body.get("truncate") is None else number_of(body["truncate"])
    if count < 0 or (truncate is not None and truncate < 0):
        raise bad_request("count and truncate have to be 0 or more")
    encoding = body["encoding"]
    if encoding not in ("auto", "base64"):
        raise bad_request("Unsupported encoding. Please use auto or base64.")
    try:
        queue = _gettable(call, name)
    except NotFound as error:
        raise HttpError(404, "not_found", error.reply_text) from None
    except AccessRefused as error:
        raise not_authorised(error.reply_text) from None
    except ProtocolError as error:
        raise inner_refusal(error) from None
    return _get(
        call.vhost, queue, count, partial(message_in_pieces, encoding=encoding, truncate=truncate), rejects, requeues
    )


async def _get(vhost: VHost, queue: Queue, count: int, show: Show, rejects: bool, requeues: bool) -> Response:
    turns = Turns()
    fetched: deque[Entry] = deque()
    pieces: list[str] = []
    try:
        while len(fetched) < count and not queue.deleted:
            entry = queue.get(False)
            if entry is None:
                vhost.traffic.got_empty += 1
                break
            vhost.traffic.got += 1
            vhost.traffic.redelivered += entry.redelivered
            fetched.append(entry)
            pieces.append("," if pieces else "[")
            pieces += await show(entry, queue.message_count, turns)
            if turns.due:
                await turns.give()
        if requeues:
            await _requeue(queue, fetched, rejects, turns)
        while fetched:
            entry = fetched.popleft()
            if rejects and queue.limits is not None:
                queue.limits.rejected(entry)
            queue.settle(entry)
            if turns.due:
                await turns.give()
    finally:
        queue.requeue(fetched, False)  # none, unless the broker stops
    return answer_in_pieces(_handed_out([*pieces, "]"] if pieces else ["[]"]))


async def _requeue(queue: Queue, fetched: deque[Entry], counted: bool, turns: Turns) -> None:
    """A few at a time, but so that they stand in line again at once."""
    if queue.prioritized or queue.levels is not None:  # else they are in order
        ordered = sorted(fetched, key=attrgetter("seq"))
        fetched.clear()
        fetched.extend(ordered)
    back: list[Entry] = []
    try:
        while fetched:
            some = [fetched.popleft() for _ in range(min(REQUEUED_AT_ONCE, len(fetched)))]
            back += queue.take_back(some, counted)
            if turns.due:
                await turns.give()
    finally:
        queue.resume(back)


async def _handed_out(pieces: list[str]) -> AsyncIterator[str]:
    """Pieces of text, put together to a size that is worth sending."""
    pieces.reverse()
    while pieces:
        some: list[str] = []
        size = 0
        while pieces and size < PIECE:
            some.append(pieces.pop())
            size += len(some[-1])
        yield "".join(some)
        await asyncio.sleep(0)


def _ack_mode(body: dict[str, Any]) -> tuple[bool, bool]:
    if "ackmode" not in body and "requeue" in body:
        return False, bool(field_of(body, "requeue", bool))
    mode = field_of(body, "ackmode", str)
    if mode not in ACK_MODES:
        raise bad_request(f"unknown ackmode: {mode}")
    return ACK_MODES[mode]


def _gettable(call: Call, name: str) -> Queue:
    """Raises NotFound, ResourceLocked, AccessRefused, NotImplementedByBroker."""
    vhost = call.vhost
    queue = vhost.queue(name, None)
    call.check(Action.READ, vhost, "queue", name)
    if isinstance(queue, Stream):
        raise NotImplementedByBroker(f"basic.get not supported by stream queues {vhost.describe_queue(name)}")
    return queue


def _own(call: Call) -> AnyQueue:
    """The queue in the path. Raises HttpError 404, ResourceLocked when it is a connection's own."""
    return call.vhost.queue(call.queue.name, None)


def list_bindings(call: Call) -> Any:
    """None of a queue that is not there."""
    views, vhost, queue = call.management.views, call.vhost, call.vhost.queues.get(call.path("name"))
    if queue is None:
        return []
    return [views.implicit_binding(vhost, queue), *[views.binding(vhost, each) for each in bindings_to(queue)]]


async def _done(call: Call, result: Any) -> Any:
    await committed(call.vhost.store)
    return result


RESOURCES = (
    Resource("/queues", Right.USER, get=list_queues),
    Resource("/queues/detailed", Right.USER, get=list_queues),
    Resource("/queues/{vhost}", Right.VHOST, get=list_queues),
    Resource("/queues/{vhost}/{name}", Right.VHOST, get=show_queue, put=declare_queue, delete=delete_queue),
    Resource("/queues/{vhost}/{name}/bindings", Right.VHOST, get=list_bindings),
    Resource("/queues/{vhost}/{name}/contents", Right.VHOST, delete=purge_queue),
    Resource("/queues/{vhost}/{name}/get", Right.VHOST, post=get_messages),
    Resource("/queues/{vhost}/{name}/actions", Right.ADMINISTRATOR, post=act_on_queue),
)
