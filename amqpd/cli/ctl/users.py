"""Users, their permissions and limits."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from ..http import Refusal, name
from .call import Call, Refused
from .formats import Done, Json, Rows, Value, Words
from .vhosts import there as vhost_there

GRANT_REMINDER: Final = (
    "Done. Don't forget to grant the user permissions to some virtual hosts! See 'rabbitmqctl help set_permissions' to"
    " learn more."
)


def find(call: Call, user: str) -> Mapping[str, Any] | None:
    """A user as the API has it; None when there is none."""
    try:
        found: Mapping[str, Any] = call.api.get("/users" + name(user))
    except Refusal as refusal:
        if refusal.status == 404:
            return None
        raise
    return found


def known(call: Call, user: str) -> Mapping[str, Any]:
    """A user as the API has it. Leaves with 67 when there is none."""
    found = find(call, user)
    if found is None:
        message = f"User {user} does not exists"  # RabbitMQ's words
        call.fail(
            f'Error:\nUser "{user}" does not exist', os.EX_NOUSER, result="error", node=call.node, message=message
        )
    return found


def _check_ends(call: Call, user: str) -> None:
    """Leaves with 67 when that user is not there, 69 when the vhost is not."""
    missing = None
    if find(call, user) is None:
        missing, code = f"User {user} does not exist", os.EX_NOUSER
    elif not vhost_there(call):
        missing, code = f"Virtual host {call.vhost} does not exist", os.EX_UNAVAILABLE
    if missing is not None:
        call.fail(f"Error:\n{missing}", code, result="error", node=call.node, message=missing)


def _known_as_term(call: Call, user: str) -> Mapping[str, Any]:
    """The same, where RabbitMQ has other words."""
    found = find(call, user)
    if found is None:
        call.deny(f'{{:no_such_user, "{user}"}}')
    return found


def tags_of(user: Mapping[str, Any]) -> Words:
    """A user's tags, which the API once had as one string."""
    tags = user.get("tags") or []
    return Words(tags.split(",") if isinstance(tags, str) else tags)


def _put(call: Call, user: Mapping[str, Any], **changed: Any) -> None:
    """Change something of a user, and leave the rest."""
    kept = {"password_hash": user.get("password_hash", ""), "tags": ",".join(tags_of(user))}
    if user.get("hashing_algorithm"):
        kept["hashing_algorithm"] = user["hashing_algorithm"]
    if "password" in changed:
        kept.pop("password_hash")
        kept.pop("hashing_algorithm", None)
    call.api.put("/users" + name(user["name"]), {**kept, **changed})


# --- users


def list_users(call: Call) -> Rows:
    call.banner("Listing users ...")
    found = call.api.get("/users")
    return Rows(("user", "tags"), [{"user": each["name"], "tags": tags_of(each)} for each in found])


def add_user(call: Call) -> Done:
    user = call.arguments[0]
    if not user:
        call.bad_argument("user cannot be an empty string")
    call.banner(f'Adding user "{user}" ...')
    try:
        password = call.secret(1)
    except Refused as refused:
        raise Refused(str(refused), os.EX_DATAERR) from None
    if find(call, user) is not None:
        message = f"User {user} already exists"
        call.fail(
            f'Error:\nUser "{user}" already exists', os.EX_SOFTWARE, result="error", node=call.node, message=message
        )
    if call.flag("pre_hashed_password"):
        call.api.put("/users" + name(user), {"password_hash": password, "tags": ""})
    else:
        call.api.put("/users" + name(user), {"password": password, "tags": ""})
    return Done(GRANT_REMINDER)


def delete_user(call: Call) -> None:
    (user,) = call.arguments
    call.banner(f'Deleting user "{user}" ...')
    known(call, user)
    call.api.delete("/users" + name(user))


def change_password(call: Call) -> None:
    user = call.arguments[0]
    call.banner(f'Changing password for user "{user}" ...')
    password = call.secret(1)
    _put(call, known(call, user), password=password)


def clear_password(call: Call) -> None:
    (user,) = call.arguments
    call.banner(f'Clearing password for user "{user}" ...')
    _put(call, _known_as_term(call, user), password_hash="")


def set_user_tags(call: Call) -> None:
    user, *tags = call.arguments
    call.banner(f'Setting tags for user "{user}" to [{", ".join(tags)}] ...')
    _put(call, known(call, user), tags=",".join(tags))


def authenticate_user(call: Call) -> Done:
    user = call.arguments[0]
    call.banner(f'Authenticating user "{user}" ...')
    password = call.secret(1)
    answer = call.api.post("/amqpd/authenticate", {"name": user, "password": password})
    if not answer["ok"]:
        call.deny(f'Error: failed to authenticate user "{user}"\n{answer["reason"]}', os.EX_DATAERR)
    return Done("Success", data={"message": "Success"})


def hash_password(call: Call) -> Value:
    """Salted as RabbitMQ's SHA-256: what `password_hash` takes in the API and in definitions."""
    import hashlib  # noqa: PLC0415 - loads OpenSSL
    import secrets  # noqa: PLC0415

    password = call.secret(0)
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    call.banner("Will hash password ...")
    return Value(hashed, {"result": "ok", "value": hashed})


# --- permissions


def set_permissions(call: Call) -> None:
    user, configure, write, read = call.arguments
    call.banner(f'Setting permissions for user "{user}" in vhost "{call.vhost}" ...')
    _check_ends(call, user)
    call.api.put("/permissions" + name(call.vhost, user), {"configure": configure, "write": write, "read": read})


def clear_permissions(call: Call) -> None:
    (user,) = call.arguments
    call.banner(f'Clearing permissions for user "{user}" in vhost "{call.vhost}" ...')
    _check_ends(call, user)
    _delete(call, "/permissions" + name(call.vhost, user))


def list_permissions(call: Call) -> Rows:
    call.banner(f'Listing permissions for vhost "{call.vhost}" ...')
    if not vhost_there(call):
        call.no_vhost()
    found = call.api.get("/vhosts" + name(call.vhost) + "/permissions")
    return Rows(("user", "configure", "write", "read"), found)


def list_user_permissions(call: Call) -> Rows:
    (user,) = call.arguments
    call.banner(f'Listing permissions for user "{user}" ...')
    _known_as_term(call, user)
    found = call.api.get("/users" + name(user) + "/permissions")
    return Rows(("vhost", "configure", "write", "read"), found)


# --- topic permissions


def set_topic_permissions(call: Call) -> None:
    user, exchange, write, read = call.arguments
    call.banner(f'Setting topic permissions on "{exchange}" for user "{user}" in vhost "{call.vhost}" ...')
    _check_ends(call, user)
    call.api.put("/topic-permissions" + name(call.vhost, user), {"exchange": exchange, "write": write, "read": read})


def clear_topic_permissions(call: Call) -> None:
    user, *exchange = call.arguments
    of_which = f' on "{exchange[0]}"' if exchange else ""
    call.banner(f'Clearing topic permissions{of_which} for user "{user}" in vhost "{call.vhost}" ...')
    _check_ends(call, user)
    if not exchange:
        _delete(call, "/topic-permissions" + name(call.vhost, user))
        return
    path = "/topic-permissions" + name(call.vhost, user)
    others = [each for each in _found(call, path) if each["exchange"] != exchange[0]]
    _delete(call, path)  # the API has no way to take away but one
    for each in others:
        call.api.put(path, {part: each[part] for part in ("exchange", "write", "read")})


def list_topic_permissions(call: Call) -> Rows:
    call.banner(f'Listing topic permissions for vhost "{call.vhost}" ...')
    if not vhost_there(call):
        call.no_vhost()
    found = call.api.get("/vhosts" + name(call.vhost) + "/topic-permissions")
    return Rows(("user", "exchange", "write", "read"), found)


def list_user_topic_permissions(call: Call) -> Rows:
    (user,) = call.arguments
    call.banner(f'Listing topic permissions for user "{user}" ...')
    _known_as_term(call, user)
    found = call.api.get("/users" + name(user) + "/topic-permissions")
    return Rows(("vhost", "exchange", "write", "read"), found, header=False)


# --- limits


def set_user_limits(call: Call) -> None:
    user, definition = call.arguments
    call.banner(f'Setting user limits to "{definition}" for user "{user}" ...')
    limits = parsed(call, definition)
    _known_as_term(call, user)
    strange = {limit: number for limit, number in limits.items() if limit not in ("max-connections", "max-channels")}
    if strange:
        terms = ",".join([f'{{<<"{limit}">>,{json.dumps(number)}}}' for limit, number in strange.items()])
        call.deny(f"Unrecognised terms [{terms}] in user-limits")
    for limit, number in limits.items():
        call.api.put("/user-limits" + name(user, limit), {"value": number})


def clear_user_limits(call: Call) -> None:
    user, limit = call.arguments
    which = "all limits" if limit == "all" else f'"{limit}" limit'
    call.banner(f'Clearing {which} for user "{user}" ...')
    _known_as_term(call, user)
    for each in ("max-connections", "max-channels") if limit == "all" else (limit,):
        _delete(call, "/user-limits" + name(user, each))


def list_user_limits(call: Call) -> Rows | Value:
    if call.flag("global"):
        call.banner("Listing limits for all users ...")
        found = [{"user": each["user"], "limits": Json(each.get("value", {}))} for each in call.api.get("/user-limits")]
        return Rows(("user", "limits"), [each for each in found if each["limits"].text != "{}"])
    user = call.options.get("user", "guest")
    call.banner(f'Listing limits for user "{user}" ...')
    _known_as_term(call, user)
    limits: Mapping[str, Any] = next((each.get("value", {}) for each in call.api.get("/user-limits" + name(user))), {})
    return Value(Json(limits).text, {"message": Json(limits).text})


# --- parts


def parsed(call: Call, text: str) -> dict[str, Any]:
    """An object in an argument. Leaves with 69 for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        call.deny("JSON decoding error. Reason: badarg")
    return found


def _found(call: Call, path: str) -> list[Mapping[str, Any]]:
    try:
        found = call.api.get(path)
    except Refusal as refusal:
        if refusal.status == 404:
            return []
        raise
    return [found] if isinstance(found, Mapping) else list(found)


def _delete(call: Call, path: str) -> None:
    """What is not there is gone already."""
    try:
        call.api.delete(path)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
