"""Vhosts: list, make, change and delete them, and protect them from that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from ...broker.vhost import VHost
from ...errors import OperatorError
from ..call import Call, field_of
from ..committed import once_committed
from ..errors import bad_request, precondition_failed
from ..lists import listing
from ..resources import Created, Resource, Right
from ..views import without_stats


async def list_vhosts(call: Call) -> Response:
    keys = {"name": lambda vhost: vhost.name}
    basics = call.without_stats

    def view(vhost: VHost) -> dict[str, Any]:
        shown = call.management.views.vhost(vhost)
        return without_stats(shown) if basics else shown

    return await listing(call, call.vhosts(), view, keys, default_sort=("name",))


def show_vhost(call: Call) -> Any:
    shown = call.management.views.vhost(call.vhost)
    return without_stats(shown) if call.without_stats else shown


def put_vhost(call: Call) -> Any:
    """What is not said of a vhost that is there already is as for a new one, but for its type of queues and tracing."""
    name, body, broker = call.path("vhost"), call.body, call.broker
    tracing = body.get("tracing")
    default_queue_type = body.get("default_queue_type", body.get("defaultqueuetype"))
    if default_queue_type == "undefined":  # what some versions of RabbitMQ tell of vhosts without one
        default_queue_type = None
    if default_queue_type == "":
        raise bad_request("the default queue type of a vhost cannot be empty")
    created = name not in broker.vhosts
    broker.add_vhost(
        name,
        description=field_of(body, "description", str, ""),
        tags=tags_of(field_of(body, "tags", (str, list), "")),
        default_queue_type=None
        if default_queue_type is None
        else field_of({"default_queue_type": default_queue_type}, "default_queue_type", str),
        tracing=None if tracing is None else field_of(body, "tracing", bool),
    )
    if created and call.user.name in call.management.users.all:
        call.management.users.set_permissions(call.user.name, name, configure=".*", write=".*", read=".*")
    return once_committed(broker.store, Created() if created else None)


def tags_of(given: str | Iterable[Any]) -> list[str]:
    """Tags, from a list of them or a text with commas between. Raises HttpError 400 for what is no tag."""
    tags = given.split(",") if isinstance(given, str) else list(given)
    for tag in tags:
        if not isinstance(tag, str):
            raise bad_request(f"a tag has to be a string, and {tag} is none")
    return [tag.strip() for tag in tags if tag.strip()]


def delete_vhost(call: Call) -> Any:
    vhost = call.vhost
    try:
        call.broker.delete_vhost(vhost.name)
    except OperatorError as error:  # it is there, so it is protected
        raise precondition_failed(str(error)) from None
    return once_committed(call.broker.store, None)


def protect(call: Call) -> Any:
    call.broker.add_vhost(call.vhost.name, protected=True)
    return once_committed(call.broker.store, None)


def unprotect(call: Call) -> Any:
    call.broker.add_vhost(call.vhost.name, protected=False)
    return once_committed(call.broker.store, None)


def start_vhost(call: Call) -> None:
    """There is nothing to start: a vhost that is there runs."""
    _ = call.vhost
    node = call.path("node")
    if node != call.broker.node:
        raise bad_request(f"Request to node {node} failed with nodedown")


RESOURCES = (
    Resource("/vhosts", Right.USER, get=list_vhosts),
    Resource("/vhosts/{vhost}", Right.ADMINISTRATOR, get=show_vhost, put=put_vhost, delete=delete_vhost),
    Resource("/vhosts/{vhost}/deletion/protection", Right.ADMINISTRATOR, post=protect, delete=unprotect),
    Resource("/vhosts/{vhost}/start/{node}", Right.ADMINISTRATOR, post=start_vhost),
)
