"""Users: list, put and delete them, and limit what they open."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from starlette.responses import Response

from ...auth.internal import InternalUser
from ..call import Call, check_present, field_of
from ..committed import once_committed
from ..errors import bad_request, not_authorised, not_found
from ..lists import listing
from ..resources import Created, Resource, Right
from .vhosts import tags_of

PATTERNS: Final = ("configure", "write", "read")

PROTECTED: Final = "protected"
"""The tag of users that only the broker's owner may change or delete."""


async def list_users(call: Call) -> Response:
    return await _listed(call, list(call.management.users.all.values()))


async def list_users_without_permissions(call: Call) -> Response:
    users = call.management.users
    entitled = {permission.user for permission in users.permissions}
    return await _listed(call, [user for user in users.all.values() if user.name not in entitled])


async def _listed(call: Call, found: list[InternalUser]) -> Response:
    return await listing(call, found, _shown, {"name": lambda user: user.name}, default_sort=("name",))


def _shown(user: InternalUser) -> dict[str, Any]:
    return user.definition


def show_user(call: Call) -> Any:
    return _shown(user_in(call))


def user_in(call: Call) -> InternalUser:
    """The user in the path. Raises HttpError 404."""
    user = call.management.users.all.get(call.path("user"))
    if user is None:
        raise not_found()
    return user


def put_user(call: Call) -> Any:
    """Without password and hash no password lets the user in."""
    name, body, users = call.path("user"), call.body, call.management.users
    _check_unprotected(call, name)
    if body.get("tags") is None and "administrator" in body:  # before there were tags
        body = {**body, "tags": ["administrator"] if field_of(body, "administrator", bool) else []}
    if body.get("tags") is None:
        raise bad_request("tags_not_present")
    password = field_of(body, "password", str, None)
    password_hash = field_of(body, "password_hash", str, None)
    if password is not None and password_hash is not None:
        raise bad_request("both_password_and_password_hash_are_provided")
    if password_hash is not None:
        try:
            base64.b64decode(password_hash, validate=True)
        except (binascii.Error, ValueError):
            raise bad_request(["not_base64", password_hash]) from None
    permissions = _permissions_in(call)
    created = name not in users.all
    users.put(
        name,
        password,
        tags_of(field_of(body, "tags", (str, list))),
        password_hash=password_hash,
        hashing_algorithm=field_of(body, "hashing_algorithm", str, None),
        limits=field_of(body, "limits", dict, {}),
    )
    for vhost, patterns in permissions.items():
        users.set_permissions(name, vhost, **patterns)
    return once_committed(call.broker.store, Created() if created else None)


def delete_user(call: Call) -> Any:
    name = user_in(call).name
    _check_unprotected(call, name)
    call.management.users.delete(name)
    return once_committed(call.broker.store, None)


def delete_users(call: Call) -> Any:
    """All of them but those protected, or none when one is not there."""
    names = field_of(call.body, "users", list)
    users = call.management.users
    for name in names:
        if not isinstance(name, str) or name not in users.all:
            raise bad_request(["no_such_user", name])
    for name in dict.fromkeys(names):
        if PROTECTED not in users.all[name].tags:
            users.delete(name)
    return once_committed(call.broker.store, None)


def _permissions_in(call: Call) -> dict[str, dict[str, str]]:
    """Those the user is to have at once, by vhost. Raises HttpError 400."""
    found: dict[str, dict[str, str]] = {}
    for vhost, patterns in field_of(call.body, "permissions", dict, {}).items():
        if vhost not in call.broker.vhosts:
            raise bad_request(["no_such_vhost", vhost])
        if not isinstance(patterns, dict):
            raise bad_request("permissions have to be objects")
        check_present(patterns, *PATTERNS)
        found[vhost] = {name: field_of(patterns, name, str) for name in PATTERNS}
    return found


def _check_unprotected(call: Call, name: str) -> None:
    """Raises HttpError 400."""
    user = call.management.users.all.get(name)
    if user is not None and PROTECTED in user.tags and not call.local:
        raise bad_request("Protected users cannot be modified via the HTTP API")


# --- limits


async def list_limits(call: Call) -> Response:
    """All of them for administrators; others see their own, monitoring that of each user."""
    named = call.has("user")
    if named and not call.sees_all and call.path("user") != call.user.name:
        raise not_authorised("User not authorised to access object")
    found = [user_in(call)] if named else list(call.management.users.all.values())
    limited = [user for user in found if user.limits]
    keys = {"user": lambda user: user.name}
    return await listing(call, limited, _limits, keys, default_sort=("user",))


def _limits(user: InternalUser) -> dict[str, Any]:
    return {"user": user.name, "value": dict(user.limits)}


def set_limit(call: Call) -> Any:
    value = field_of(call.body, "value", object)
    name = call.path("user")
    if name not in call.management.users.all:
        raise bad_request(["no_such_user", name])
    call.management.users.set_limits(name, {call.path("limit"): value})
    return once_committed(call.broker.store, None)


def clear_limit(call: Call) -> Any:
    """Nothing happens when there is none."""
    call.management.users.clear_limits(user_in(call).name, call.path("limit"))
    return once_committed(call.broker.store, None)


RESOURCES = (
    Resource("/users", Right.ADMINISTRATOR, get=list_users),
    Resource("/users/bulk-delete", Right.ADMINISTRATOR, post=delete_users),
    Resource("/users/without-permissions", Right.ADMINISTRATOR, get=list_users_without_permissions),
    Resource("/users/{user}", Right.ADMINISTRATOR, get=show_user, put=put_user, delete=delete_user),
    Resource("/user-limits", Right.ADMINISTRATOR, get=list_limits),
    Resource("/user-limits/{user}", Right.USER, get=list_limits),
    Resource("/user-limits/{user}/{limit}", Right.ADMINISTRATOR, put=set_limit, delete=clear_limit),
)
