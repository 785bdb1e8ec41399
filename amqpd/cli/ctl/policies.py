"""Policies, operator policies, parameters and global parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from ..http import Refusal, name
from .call import Call
from .formats import Json, Rows
from .vhosts import there

_POLICY: Final = ("vhost", "name", "pattern", "apply-to", "definition", "priority")


def set_policy(call: Call) -> None:
    _set(call, "/policies", "policy")


def set_operator_policy(call: Call) -> None:
    _set(call, "/operator-policies", "operator policy override")


def _set(call: Call, path: str, what: str) -> None:
    policy, pattern, definition = call.arguments
    priority = call.options.get("priority", 0)
    call.banner(
        f'Setting {what} "{policy}" for pattern "{pattern}" to "{definition}" with priority "{priority}" for vhost'
        f' "{call.vhost}" ...'
    )
    if not there(call):
        call.no_vhost()
    body = {
        "pattern": pattern,
        "definition": json_of(call, definition),
        "priority": priority,
        "apply-to": call.options.get("apply_to", "all"),
    }
    _put(call, path + name(call.vhost, policy), body)


def clear_policy(call: Call) -> None:
    (policy,) = call.arguments
    call.banner(f'Clearing policy "{policy}" on vhost "{call.vhost}" ...')
    _clear(call, "/policies" + name(call.vhost, policy))


def clear_operator_policy(call: Call) -> None:
    (policy,) = call.arguments
    call.banner(f'Clearing operator policy "{policy}" on vhost "{call.vhost}" ...')
    _clear(call, "/operator-policies" + name(call.vhost, policy))


def list_policies(call: Call) -> Rows:
    call.banner(f'Listing policies for vhost "{call.vhost}" ...')
    return _listed(call, "/policies", _POLICY, "definition")


def list_operator_policies(call: Call) -> Rows:
    call.banner(f'Listing operator policy overrides for vhost "{call.vhost}" ...')
    return _listed(call, "/operator-policies", _POLICY, "definition")


# --- parameters


def set_parameter(call: Call) -> None:
    component, parameter, value = call.arguments
    call.banner(
        f'Setting runtime parameter "{parameter}" for component "{component}" to "{value}" in vhost "{call.vhost}" ...'
    )
    if not there(call):
        call.no_vhost()
    _put(call, "/parameters" + name(component, call.vhost, parameter), {"value": json_of(call, value)})


def clear_parameter(call: Call) -> None:
    component, parameter = call.arguments
    call.banner(f'Clearing runtime parameter "{parameter}" for component "{component}" on vhost "{call.vhost}" ...')
    _clear(call, "/parameters" + name(component, call.vhost, parameter))


def list_parameters(call: Call) -> Rows:
    call.banner(f'Listing runtime parameters for vhost "{call.vhost}" ...')
    if not there(call):
        call.no_vhost()
    found = [each for each in call.api.get("/parameters") if each.get("vhost") == call.vhost]
    return _rows(found, ("component", "name", "value"), "value")


def set_global_parameter(call: Call) -> None:
    parameter, value = call.arguments
    call.banner(f'Setting global runtime parameter "{parameter}" to "{value}" ...')
    _put(call, "/global-parameters" + name(parameter), {"value": json_of(call, value)})


def clear_global_parameter(call: Call) -> None:
    (parameter,) = call.arguments
    call.banner(f'Clearing global runtime parameter "{parameter}" ...')
    _clear(call, "/global-parameters" + name(parameter))


def list_global_parameters(call: Call) -> Rows:
    call.banner("Listing global runtime parameters ...")
    return _rows(call.api.get("/global-parameters"), ("name", "value"), "value")


# --- parts


def json_of(call: Call, text: str) -> Any:
    """A value in an argument. Leaves with 69 for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        call.deny("JSON decoding error. Reason: badarg")


def _put(call: Call, path: str, body: Any) -> None:
    try:
        call.api.put(path, body)
    except Refusal as refusal:
        if refusal.status != 400:
            raise
        text = refusal.text
        if not text.startswith("Validation failed"):
            text = f"Validation failed\n\n{text}\n"
        call.deny(text)


def _clear(call: Call, path: str) -> None:
    try:
        call.api.delete(path)
    except Refusal as refusal:
        if refusal.status in (400, 404):
            call.deny("Parameter does not exist")
        raise


def _listed(call: Call, path: str, columns: Sequence[str], as_json: str) -> Rows:
    if not there(call):
        call.no_vhost()
    return _rows(call.api.get(path + name(call.vhost)), columns, as_json)


def _rows(found: Sequence[dict[str, Any]], columns: Sequence[str], as_json: str) -> Rows:
    return Rows(columns, [{**each, as_json: Json(each[as_json])} for each in found])
