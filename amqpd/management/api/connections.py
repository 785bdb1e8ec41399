"""Connections, channels and consumers: who is there, and sending them away."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from starlette.responses import Response

from ...amqp.channel import Channel
from ...amqp.connection import Connection
from ...broker.consumer import Consumer
from ...broker.stream import AnyQueue
from ...broker.vhost import VHost
from ...wire.spec import ReplyCode
from ..call import Call
from ..errors import bad_request, not_authorised, not_found, stats_disabled
from ..lists import View, listing
from ..resources import Resource, Right
from ..views import without_stats

T = TypeVar("T")

NOT_YOURS: Final = "User not authorised to access object"

CLOSED: str = "Closed via management plugin"
"""What a connection is told unless the header X-Reason has another text."""


def visible(call: Call) -> list[Connection]:
    """The connections a user may see: monitoring all, others their own."""
    found = [each for each in call.broker.connections.open if isinstance(each, Connection)]
    return [each for each in found if call.sees_all or each.username == call.user.name]


async def list_connections(call: Call) -> Response:
    found = visible(call)
    if call.has("vhost"):
        name = call.vhost.name
        found = [each for each in found if each.vhost_name == name]
    if call.has("user"):
        found = [each for each in found if each.username == call.path("user")]
    return await _connections(call, found)


def show_connection(call: Call) -> Any:
    shown = call.management.views.connection(_connection(call))
    return without_stats(shown) if call.without_stats else shown


def close_connection(call: Call) -> None:
    connection = _connection(call)
    if not call.has_tag() and connection.username != call.user.name:  # to see it is not enough
        raise not_authorised(NOT_YOURS)
    connection.close(ReplyCode.CONNECTION_FORCED, call.request.headers.get("x-reason") or CLOSED)


def close_connections_of_user(call: Call) -> None:
    name = call.path("user")
    if not call.has_tag() and name != call.user.name:
        raise not_authorised(NOT_YOURS)
    call.broker.connections.close_all(call.request.headers.get("x-reason") or CLOSED, username=name)


async def list_channels(call: Call) -> Response:
    found = [channel for connection in visible(call) for channel in connection.open_channels()]
    if call.has("vhost"):
        if call.without_stats:
            raise stats_disabled()
        name = call.vhost.name
        found = [channel for channel in found if channel.vhost.name == name]
    return await _channels(call, found)


async def list_channels_of_connection(call: Call) -> Response:
    return await _channels(call, _connection(call).open_channels())


def list_sessions(call: Call) -> Any:
    """Raises HttpError 400: they are AMQP 1.0's."""
    _connection(call)
    raise bad_request("connection does not use AMQP 1.0")


def show_channel(call: Call) -> Any:
    wanted = call.path("name")
    for connection in call.broker.connections.open:
        for channel in connection.open_channels() if isinstance(connection, Connection) else ():
            if _channel_name(channel) == wanted:
                if not call.sees_all and channel.user.name != call.user.name:
                    raise not_authorised(NOT_YOURS)
                shown = call.management.views.channel_details(channel.vhost, channel)
                return without_stats(shown) if call.without_stats else shown
    raise not_found()


async def list_consumers(call: Call) -> Response:
    if call.without_stats:
        raise stats_disabled()
    found = [
        (vhost, queue, consumer)
        for vhost in call.vhosts()
        for queue in list(vhost.queues.values())
        for consumer in list(queue.consumers)
        if call.sees_all or _user_of(consumer) == call.user.name
    ]

    def view(place: tuple[VHost, AnyQueue, Consumer]) -> dict[str, Any]:
        return call.management.views.consumer(*place)

    return await listing(call, found, view, default_sort=())


def _user_of(consumer: Consumer) -> str | None:
    channel = getattr(consumer.sink, "channel", None)
    return channel.user.name if isinstance(channel, Channel) else None


async def _connections(call: Call, found: list[Connection]) -> Response:
    keys = {
        "name": lambda each: each.name,
        "vhost": lambda each: each.vhost_name,
        "user": lambda each: each.username,
    }
    return await listing(call, found, _view(call, call.management.views.connection), keys)


async def _channels(call: Call, found: list[Channel]) -> Response:
    keys = {"name": _channel_name, "vhost": lambda each: each.vhost.name, "number": lambda each: each.number}
    return await listing(call, found, _view(call, call.management.views.channel), keys)


def _view(call: Call, show: View[T]) -> View[T]:
    """How to show each of a list."""
    return (lambda each: without_stats(show(each))) if call.without_stats else show


def _connection(call: Call) -> Connection:
    """The one in the path. Raises HttpError 404, or 401 when it is another's."""
    wanted = call.path("name")
    for connection in call.broker.connections.open:
        if connection.name == wanted and isinstance(connection, Connection):
            if not call.sees_all and connection.username != call.user.name:
                raise not_authorised(NOT_YOURS)
            return connection
    raise not_found()


def _channel_name(channel: Channel) -> str:
    return f"{channel.connection.name} ({channel.number})"


RESOURCES = (
    Resource("/connections", Right.USER, get=list_connections),
    Resource("/connections/username/{user}", Right.USER, get=list_connections, delete=close_connections_of_user),
    Resource("/connections/{name}", Right.USER, get=show_connection, delete=close_connection),
    Resource("/connections/{name}/channels", Right.USER, get=list_channels_of_connection),
    Resource("/connections/{name}/sessions", Right.USER, get=list_sessions),
    Resource("/vhosts/{vhost}/connections", Right.VHOST, get=list_connections),
    Resource("/channels", Right.USER, get=list_channels),
    Resource("/channels/{name}", Right.USER, get=show_channel),
    Resource("/vhosts/{vhost}/channels", Right.VHOST, get=list_channels),
    Resource("/consumers", Right.USER, get=list_consumers),
    Resource("/consumers/{vhost}", Right.VHOST, get=list_consumers),
)
