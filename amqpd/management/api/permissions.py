"""Permissions and topic permissions: of everybody, of a user, in a vhost; and changing them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ...auth.permissions import Permission, TopicPermission
from ..call import Call, check_present, field_of
from ..committed import once_committed
from ..errors import bad_request, not_found
from ..lists import listing
from ..resources import Created, Resource, Right
from .users import PATTERNS, user_in

_KEYS = {"vhost": lambda each: each.vhost, "user": lambda each: each.user}
_SORT = ("vhost", "user")


async def list_permissions(call: Call) -> Response:
    found = [each for each in call.management.users.permissions if _is_asked_for(call, each)]
    return await listing(call, found, Permission.described, _KEYS, _SORT)


async def list_topic_permissions(call: Call) -> Response:
    found = [each for each in call.management.users.permissions.topics() if _is_asked_for(call, each)]
    return await listing(call, found, TopicPermission.described, _KEYS, _SORT)


def _is_asked_for(call: Call, permission: Permission | TopicPermission) -> bool:
    """Whether it is of the user in the path, and in the vhost there. Raises HttpError 404 for those that are not."""
    if call.has("user") and permission.user != user_in(call).name:
        return False
    return not call.has("vhost") or permission.vhost == call.vhost.name


def show_permission(call: Call) -> Any:
    return _permission(call).described()


def put_permission(call: Call) -> Any:
    body = call.body
    check_present(body, *PATTERNS)
    patterns = {name: field_of(body, name, str) for name in PATTERNS}
    user, vhost = _place(call)
    created = call.management.users.permissions.find(user, vhost) is None
    call.management.users.set_permissions(user, vhost, **patterns)
    return once_committed(call.broker.store, Created() if created else None)


def delete_permission(call: Call) -> Any:
    permission = _permission(call)
    call.management.users.clear_permissions(permission.user, permission.vhost)
    return once_committed(call.broker.store, None)


def _permission(call: Call) -> Permission:
    found = call.management.users.permissions.find(user_in(call).name, call.vhost.name)
    if found is None:
        raise not_found()
    return found


def _place(call: Call) -> tuple[str, str]:
    """User and vhost in the path. Raises HttpError 400 unless both are there."""
    user, vhost = call.path("user"), call.path("vhost")
    if user not in call.management.users.all or vhost not in call.broker.vhosts:
        raise bad_request("vhost_or_user_not_found")
    return user, vhost


def show_topic_permissions(call: Call) -> Any:
    return [permission.described() for permission in _topic_permissions(call)]


def put_topic_permission(call: Call) -> Any:
    body = call.body
    check_present(body, "exchange", "write", "read")
    exchange = field_of(body, "exchange", str)
    write, read = field_of(body, "write", str), field_of(body, "read", str)
    user, vhost = _place(call)
    created = not _of(call, user, vhost)
    call.management.users.set_topic_permissions(user, vhost, exchange, write=write, read=read)
    return once_committed(call.broker.store, Created() if created else None)


def delete_topic_permissions(call: Call) -> Any:
    """For one exchange if the path names it, or for all."""
    first = _topic_permissions(call)[0]
    exchange = call.exchange_name if call.has("name") else None
    call.management.users.clear_topic_permissions(first.user, first.vhost, exchange)
    return once_committed(call.broker.store, None)


def _topic_permissions(call: Call) -> list[TopicPermission]:
    """The user's in the vhost, for all exchanges, as RabbitMQ shows them. Raises HttpError 404 when there are none."""
    found = _of(call, user_in(call).name, call.vhost.name)
    if not found:
        raise not_found()
    return found


def _of(call: Call, user: str, vhost: str) -> list[TopicPermission]:
    topics = call.management.users.permissions.topics()
    found = [each for each in topics if (each.user, each.vhost) == (user, vhost)]
    return sorted(found, key=lambda each: each.exchange)


RESOURCES = (
    Resource("/permissions", Right.ADMINISTRATOR, get=list_permissions),
    Resource(
        "/permissions/{vhost}/{user}",
        Right.ADMINISTRATOR,
        get=show_permission,
        put=put_permission,
        delete=delete_permission,
    ),
    Resource("/users/{user}/permissions", Right.ADMINISTRATOR, get=list_permissions),
    Resource("/vhosts/{vhost}/permissions", Right.ADMINISTRATOR, get=list_permissions),
    Resource("/topic-permissions", Right.ADMINISTRATOR, get=list_topic_permissions),
    Resource(
        "/topic-permissions/{vhost}/{user}",
        Right.ADMINISTRATOR,
        get=show_topic_permissions,
        put=put_topic_permission,
        delete=delete_topic_permissions,
    ),
    Resource(
        "/topic-permissions/{vhost}/{user}/{name}",
        Right.ADMINISTRATOR,
        get=show_topic_permissions,
        delete=delete_topic_permissions,
    ),
    Resource("/users/{user}/topic-permissions", Right.ADMINISTRATOR, get=list_topic_permissions),
    Resource("/vhosts/{vhost}/topic-permissions", Right.ADMINISTRATOR, get=list_topic_permissions),
)
