"""Policies and operator policies: list, set and clear them."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import Response

from ...broker.parameters import OPERATOR_POLICY, POLICY, Parameter
from ...broker.policies import ALL
from ...errors import NoSuchObject
from ..call import Call, check_present, field_of
from ..committed import once_committed
from ..errors import not_found
from ..lists import listing
from ..resources import Created, Resource, Right


async def list_policies(component: str, call: Call) -> Response:
    parameters = call.broker.parameters
    found = [each for vhost in call.vhosts() for each in parameters.list(component, vhost.name)]
    keys = {"vhost": lambda each: each.vhost, "name": lambda each: each.name}
    return await listing(call, found, _shown, keys)


def _shown(policy: Parameter) -> dict[str, Any]:
    value = policy.value
    return {
        "vhost": policy.vhost,
        "name": policy.name,
        "pattern": value["pattern"],
        "apply-to": value.get("apply-to", ALL),
        "definition": value["definition"],
        "priority": value["priority"],
    }


def show_policy(component: str, call: Call) -> Any:
    return _shown(Parameter(component, call.vhost.name, call.path("name"), _value(component, call)))


def put_policy(component: str, call: Call) -> Any:
    vhost, name, body = call.vhost.name, call.path("name"), call.body
    check_present(body, "pattern", "definition")
    pattern, definition = field_of(body, "pattern", object), field_of(body, "definition", object)
    created = not _exists(component, call)
    policies = call.broker.policies if component == POLICY else call.broker.operator_policies
    policies.set(vhost, name, pattern, definition, body.get("priority", 0), body.get("apply-to", ALL))
    return once_committed(call.broker.store, Created() if created else None)


def delete_policy(component: str, call: Call) -> Any:
    _ = _value(component, call)
    policies = call.broker.policies if component == POLICY else call.broker.operator_policies
    policies.clear(call.vhost.name, call.path("name"))
    return once_committed(call.broker.store, None)


def _value(component: str, call: Call) -> Any:
    """Of the policy in the path. Raises HttpError 404."""
    try:
        return call.broker.parameters.get(component, call.vhost.name, call.path("name"))
    except NoSuchObject:
        raise not_found() from None


def _exists(component: str, call: Call) -> bool:
    try:
        call.broker.parameters.get(component, call.vhost.name, call.path("name"))
    except NoSuchObject:
        return False
    return True


def _resources(root: str, component: str, right: Right, read: Right) -> tuple[Resource, ...]:
    listed = partial(list_policies, component)
    return (
        Resource(root, Right.USER, get=listed),
        Resource(f"{root}/{{vhost}}", Right.VHOST, get=listed),
        Resource(
            f"{root}/{{vhost}}/{{name}}",
            right,
            get=partial(show_policy, component),
            put=partial(put_policy, component),
            delete=partial(delete_policy, component),
            read=read,
        ),
    )


RESOURCES = (
    *_resources("/policies", POLICY, Right.POLICIES, Right.POLICIES),
    *_resources("/operator-policies", OPERATOR_POLICY, Right.ADMINISTRATOR, Right.ADMINISTRATOR),
)
