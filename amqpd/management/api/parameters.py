"""Runtime parameters, those of vhosts and global ones, and the limits of vhosts."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ...broker.parameters import Parameter
from ...errors import NoSuchObject
from ..call import Call, field_of
from ..committed import once_committed
from ..errors import not_found
from ..lists import listing
from ..resources import Created, Resource, Right


async def list_parameters(call: Call) -> Response:
    component = call.path("component") if call.has("component") else None
    parameters = call.broker.parameters
    found = [each for vhost in call.vhosts() for each in parameters.list(component, vhost.name)]
    keys = {"component": lambda each: each.component, "vhost": lambda each: each.vhost, "name": lambda each: each.name}
    return await listing(call, found, _shown, keys, default_sort=("component", "vhost", "name"))


def _shown(parameter: Parameter) -> dict[str, Any]:
    return {
        "value": parameter.value,
        "vhost": parameter.vhost,
        "component": parameter.component,
        "name": parameter.name,
    }


def show_parameter(call: Call) -> Any:
    return _shown(_parameter(call))


def put_parameter(call: Call) -> Any:
    vhost, value = call.vhost.name, field_of(call.body, "value", object)
    component, name, parameters = call.path("component"), call.path("name"), call.broker.parameters
    created = all(each.name != name for each in parameters.list(component, vhost))
    parameters.set(component, vhost, name, value)
    return once_committed(call.broker.store, Created() if created else None)


def delete_parameter(call: Call) -> Any:
    parameter = _parameter(call)
    call.broker.parameters.clear(parameter.component, parameter.vhost, parameter.name)
    return once_committed(call.broker.store, None)


def _parameter(call: Call) -> Parameter:
    """The one in the path. Raises HttpError 404."""
    component, vhost, name = call.path("component"), call.vhost.name, call.path("name")
    try:
        return Parameter(component, vhost, name, call.broker.parameters.get(component, vhost, name))
    except NoSuchObject:
        raise not_found() from None


# --- global


async def list_globals(call: Call) -> Response:
    found = list(call.broker.parameters.globals.items())
    return await listing(call, found, _shown_global, {"name": lambda each: each[0]}, default_sort=("name",))


def _shown_global(parameter: tuple[str, Any]) -> dict[str, Any]:
    name, value = parameter
    return {"name": name, "value": value}


def show_global(call: Call) -> Any:
    name = call.path("name")
    return _shown_global((name, _global(call, name)))


def put_global(call: Call) -> Any:
    name, value = call.path("name"), field_of(call.body, "value", object)
    created = name not in call.broker.parameters.globals
    call.broker.parameters.set_global(name, value)
    return once_committed(call.broker.store, Created() if created else None)


def delete_global(call: Call) -> Any:
    name = call.path("name")
    _ = _global(call, name)
    call.broker.parameters.clear_global(name)
    return once_committed(call.broker.store, None)


def _global(call: Call, name: str) -> Any:
    found = call.broker.parameters.globals
    if name not in found:
        raise not_found()
    return found[name]


# --- limits of vhosts


async def list_vhost_limits(call: Call) -> Response:
    limits = call.broker.vhost_limits
    found = [(vhost.name, limits.limits(vhost.name)) for vhost in call.vhosts()]
    limited = [each for each in found if each[1]]
    return await listing(call, limited, _shown_limits, {"vhost": lambda each: each[0]}, default_sort=("vhost",))


def _shown_limits(limits: tuple[str, dict[str, int]]) -> dict[str, Any]:
    vhost, value = limits
    return {"vhost": vhost, "value": value}


def put_vhost_limit(call: Call) -> Any:
    vhost, value = call.vhost.name, field_of(call.body, "value", object)
    call.broker.vhost_limits.set(vhost, call.path("limit"), value)
    return once_committed(call.broker.store, None)


def delete_vhost_limit(call: Call) -> Any:
    """Nothing happens when there is none."""
    call.broker.vhost_limits.clear(call.vhost.name, call.path("limit"))
    return once_committed(call.broker.store, None)


RESOURCES = (
    Resource("/parameters", Right.POLICIES, get=list_parameters),
    Resource("/parameters/{component}", Right.POLICIES, get=list_parameters),
    Resource("/parameters/{component}/{vhost}", Right.POLICIES, get=list_parameters),
    Resource(
        "/parameters/{component}/{vhost}/{name}",
        Right.POLICIES,
        get=show_parameter,
        put=put_parameter,
        delete=delete_parameter,
    ),
    Resource("/global-parameters", Right.POLICIES, get=list_globals),
    Resource("/global-parameters/{name}", Right.POLICIES, get=show_global, put=put_global, delete=delete_global),
    Resource("/vhost-limits", Right.USER, get=list_vhost_limits),
    Resource("/vhost-limits/{vhost}", Right.VHOST, get=list_vhost_limits),
    Resource("/vhost-limits/{vhost}/{limit}", Right.ADMINISTRATOR, put=put_vhost_limit, delete=delete_vhost_limit),
)
