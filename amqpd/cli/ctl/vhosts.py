"""Vhosts, their limits, and tracing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Final

from ..http import Refusal, name
from .call import Call
from .formats import Done, Json, Rows, States, Value, Words
from .lists import Column, chosen, rows_of


def find(call: Call, vhost: str) -> Mapping[str, Any] | None:
    """A vhost as the API has it; None when there is none."""
    try:
        found: Mapping[str, Any] = call.api.get("/vhosts" + name(vhost))
    except Refusal as refusal:
        if refusal.status == 404:
            return None
        raise
    return found


def there(call: Call) -> bool:
    """Whether the one of --vhost is there."""
    return find(call, call.vhost) is not None


VHOST: Final[dict[str, Column]] = {
    "name": "name",
    "tracing": "tracing",
    "description": lambda shown: shown.get("description") or shown.get("metadata", {}).get("description", ""),
    "tags": lambda shown: Words(shown.get("tags") or ()),
    "default_queue_type": lambda shown: shown.get("default_queue_type") or "undefined",
    "cluster_state": lambda shown: States(shown.get("cluster_state", {})),
    "protected_from_deletion": "protected_from_deletion",
}


def list_vhosts(call: Call) -> Rows:
    columns = chosen(call, VHOST, ("name",))
    call.banner("Listing vhosts ...")
    return rows_of(columns, VHOST, call.api.get("/vhosts"))


def add_vhost(call: Call) -> None:
    (vhost,) = call.arguments
    kind = call.options.get("default_queue_type")
    if kind is not None and kind not in ("classic", "quorum", "stream"):
        call.invalid(f"unsupported default queue type '{kind}': it is classic, quorum or stream")
    call.banner(f'Adding vhost "{vhost}" ...')
    wanted = {
        "description": call.options.get("description"),
        "tags": call.options.get("tags"),
        "default_queue_type": kind,
    }
    said = {part: value for part, value in wanted.items() if value is not None}
    if said or find(call, vhost) is None:  # what is said of one that is there stays
        call.api.put("/vhosts" + name(vhost), said)


def update_vhost_metadata(call: Call) -> None:
    (vhost,) = call.arguments
    call.banner(f'Updating metadata of vhost "{vhost}" ...')
    before = find(call, vhost)
    if before is None:
        call.no_vhost(vhost)
    wanted = {part: call.options.get(part) for part in ("description", "tags", "default_queue_type")}
    _put(call, before, **{part: said for part, said in wanted.items() if said is not None})


def delete_vhost(call: Call) -> None:
    (vhost,) = call.arguments
    call.banner(f'Deleting vhost "{vhost}" ...')
    if find(call, vhost) is None:
        call.no_vhost(vhost)
    call.api.delete("/vhosts" + name(vhost))


def set_vhost_tags(call: Call) -> None:
    vhost, *tags = call.arguments
    call.banner(f'Setting tags for virtual host "{vhost}" to [{", ".join(tags)}] ...')
    before = find(call, vhost)
    if before is None:
        call.deny(f'Virtual host "{vhost}" does not exist', os.EX_NOUSER)
    _put(call, before, tags=",".join(tags))


def restart_vhost(call: Call) -> Done:
    call.banner(f"Trying to restart vhost '{call.vhost}' on node '{call.node}' ...")
    if not there(call):
        call.deny(
            f"Failed to start vhost '{call.vhost}' on node '{call.node}'Reason: {{:no_such_vhost, \"{call.vhost}\"}}",
            os.EX_SOFTWARE,
        )
    return Done(f"Vhost '{call.vhost}' is already running on node '{call.node}'")


def trace_on(call: Call) -> Done:
    return _trace(call, True)


def trace_off(call: Call) -> Done:
    return _trace(call, False)


def _trace(call: Call, on: bool) -> Done:
    call.banner(f'{"Starting" if on else "Stopping"} tracing for vhost "{call.vhost}" ...')
    before = find(call, call.vhost)
    if before is None:
        call.no_vhost()
    _put(call, before, tracing=on)
    return Done(always=f"Trace {'enabled' if on else 'disabled'} for vhost {call.vhost}")


def _put(call: Call, before: Mapping[str, Any], **changed: Any) -> None:
    """Change something of a vhost, and leave the rest."""
    kept = {"description": before.get("description") or "", "tags": ",".join(before.get("tags") or ())}
    if before.get("default_queue_type") not in (None, "", "undefined"):
        kept["default_queue_type"] = before["default_queue_type"]
    call.api.put("/vhosts" + name(before["name"]), {**kept, "tracing": bool(before.get("tracing")), **changed})


# --- limits

_LIMITS: Final = ("max-connections", "max-queues")


def set_vhost_limits(call: Call) -> None:
    (definition,) = call.arguments
    call.banner(f'Setting vhost limits to "{definition}" for vhost "{call.vhost}" ...')
    if not there(call):
        call.no_vhost()
    try:
        limits = json.loads(definition)
    except (ValueError, RecursionError):
        limits = None
    if not isinstance(limits, dict):
        call.deny("JSON decoding error. Reason: badarg")
    strange = [f'{{<<"{limit}">>,{json.dumps(number)}}}' for limit, number in limits.items() if limit not in _LIMITS]
    if strange:
        call.deny(f"Validation failed\n\nUnrecognised terms [{','.join(strange)}] in limits\n")
    for limit in _LIMITS:
        path = "/vhost-limits" + name(call.vhost, limit)
        if limit in limits:
            call.api.put(path, {"value": limits[limit]})
        else:
            _forget(call, path)


def clear_vhost_limits(call: Call) -> None:
    call.banner(f'Clearing vhost "{call.vhost}" limits ...')
    if not there(call) or not _limits(call):
        call.deny("Parameter does not exist")
    for limit in _LIMITS:
        _forget(call, "/vhost-limits" + name(call.vhost, limit))


def list_vhost_limits(call: Call) -> Rows | Value:
    if call.flag("global"):
        call.banner("Listing limits for all vhosts ...")
        found = [each for each in call.api.get("/vhost-limits") if each.get("value")]
        rows = [{"vhost": each["vhost"], "limits": Json(each["value"])} for each in found]
        return Rows(("vhost", "limits"), rows)
    call.banner(f'Listing limits for vhost "{call.vhost}" ...')
    if not there(call):
        call.no_vhost()
    limits = _limits(call)
    said = Json(limits).text
    return Value(said if limits else "", {"node": call.node, "result": "ok", "value": said} if limits else [])


def _limits(call: Call) -> dict[str, Any]:
    found = call.api.get("/vhost-limits" + name(call.vhost))
    return next((dict(each["value"]) for each in found if each.get("value")), {})


def _forget(call: Call, path: str) -> None:
    try:
        call.api.delete(path)
    except Refusal as refusal:
        if refusal.status not in (400, 404):  # not set
            raise
