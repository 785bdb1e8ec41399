"""Runtime parameters: what operators set while the broker runs, kept by component, vhost and name.

A component says what its parameters may be, and hears when they change; policies and the limits of vhosts are such,
as they are in RabbitMQ, and others register theirs. Global parameters belong to no vhost and no component; they hold
anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from ..errors import NoSuchObject, OperatorError, ValidationFailed
from ..store.base import Definition, Kind, Store
from .events import Events

POLICY: Final = "policy"
OPERATOR_POLICY: Final = "operator_policy"

CLUSTER_NAME: Final = "cluster_name"
"""The global parameter that holds it."""

_KINDS: Final = {POLICY: Kind.POLICY, OPERATOR_POLICY: Kind.OPERATOR_POLICY}
"""Where a component's parameters are kept, if not among the others."""


class Parameter(NamedTuple):
    """A parameter: its value is what JSON can hold."""

    component: str
    vhost: str
    name: str
    value: Any


class Component(Protocol):
    """What parameters are for."""

    def validate(self, vhost: str, name: str, value: Any) -> None:
        """Raises ValidationFailed for a value that cannot be. Called before anything is changed."""
        ...

    def changed(self, vhost: str, name: str, value: Any) -> None:
        """A parameter was set, to something else than before, or recovered."""
        ...

    def cleared(self, vhost: str, name: str) -> None:
        """A parameter was cleared; or its vhost is being deleted, and may be gone."""
        ...


class Parameters:
    """All parameters of a broker."""

    def __init__(self, store: Store, ids: Iterator[int], events: Events, vhosts: Mapping[str, object]) -> None:
        self._store = store
        self._ids = ids
        self._events = events
        self._vhosts = vhosts
        self._components: dict[str, Component] = {}
        self._found: dict[tuple[str, str, str], tuple[int, Any]] = {}  # (vhost, component, name) -> id, value
        self._globals: dict[str, tuple[int, Any]] = {}

    def register(self, component: str, handler: Component) -> None:
        """Have a component's parameters from now on; those recovered already are told to it."""
        self._components[component] = handler
        for vhost, owner, name in list(self._found):
            if owner == component:
                handler.changed(vhost, name, self._found[vhost, owner, name][1])

    # --- of vhosts

    def set(self, component: str, vhost: str, name: str, value: Any) -> None:
        """Set a parameter. Raises NoSuchObject for a missing vhost; ValidationFailed for a missing component or a
        value that it refuses; OperatorError for policies, which have a way of their own.
        """
        if component == POLICY:
            raise OperatorError("policies may not be set using this method")
        self.set_any(component, vhost, name, value)

    def set_any(self, component: str, vhost: str, name: str, value: Any) -> None:
        """`set`, policies included."""
        if vhost not in self._vhosts:
            raise NoSuchObject(f"Virtual host '{vhost}' does not exist")
        handler = self.check(component, vhost, name, value)
        key = (vhost, component, name)
        known = self._found.get(key)
        text = json.dumps(value)
        if known is not None and json.dumps(known[1]) == text:
            return
        parameter_id = known[0] if known is not None else next(self._ids)
        value = json.loads(text)  # a value of our own
        self._found[key] = (parameter_id, value)
        kind = _KINDS.get(component, Kind.PARAMETER)
        self._store.define(kind, parameter_id, {"vhost": vhost, "component": component, "name": name, "value": text})
        if self._events.listeners and component != POLICY:
            self._events.tell("parameter.set", name=name, vhost=vhost, component=component, value=value)
        handler.changed(vhost, name, value)

    def check(self, component: str, vhost: str, name: str, value: Any) -> Component:
        """The component of a parameter that can be set in a vhost, there or to come.

        Raises OperatorError for a name that cannot be, ValidationFailed for the rest.
        """
        check_name(name)
        handler = self._components.get(component)
        if handler is None:
            raise ValidationFailed(f"component {component} not found")
        handler.validate(vhost, name, value)
        return handler

    def clear(self, component: str, vhost: str, name: str) -> None:
        """Clear a parameter. Raises NoSuchObject when it is not there, OperatorError for policies."""
        if component == POLICY:
            raise OperatorError("policies may not be cleared using this method")
        self.clear_any(component, vhost, name)

    def clear_any(self, component: str, vhost: str, name: str) -> None:
        """`clear`, policies included."""
        known = self._found.pop((vhost, component, name), None)
        if known is None:
            raise NoSuchObject("Parameter does not exist")
        self._store.undefine(_KINDS.get(component, Kind.PARAMETER), known[0])
        if self._events.listeners and component != POLICY:
            self._events.tell("parameter.cleared", name=name, vhost=vhost, component=component)
        handler = self._components.get(component)
        if handler is not None:
            handler.cleared(vhost, name)

    def clear_vhost(self, vhost: str) -> None:
        """Clear all of a vhost."""
        for owner, component, name in list(self._found):
            if owner == vhost:
                self.clear_any(component, vhost, name)

    def get(self, component: str, vhost: str, name: str) -> Any:
        """A parameter's value. Raises NoSuchObject when it is not there."""
        known = self._found.get((vhost, component, name))
        if known is None:
            raise NoSuchObject("Parameter does not exist")
        return known[1]

    def list(self, component: str | None = None, vhost: str | None = None) -> list[Parameter]:
        """The parameters of a component, of a vhost, or all; policies only when asked for by their component."""
        return [
            Parameter(owner, place, name, value)
            for (place, owner, name), (_, value) in sorted(self._found.items(), key=lambda item: item[0])
            if vhost in (None, place) and (owner == component if component is not None else owner != POLICY)
        ]

    # --- global

    def set_global(self, name: str, value: Any) -> None:
        """Set a global parameter."""
        check_name(name)
        text = json.dumps(value)
        known = self._globals.get(name)
        parameter_id = known[0] if known is not None else next(self._ids)
        self._globals[name] = (parameter_id, json.loads(text))
        self._store.define(Kind.GLOBAL_PARAMETER, parameter_id, {"name": name, "value": text})
        if self._events.listeners:
            self._events.tell("parameter.set", component="global", name=name, value=value)

    def clear_global(self, name: str) -> None:
        """Clear a global parameter. Raises NoSuchObject when it is not there."""
        known = self._globals.pop(name, None)
        if known is None:
            raise NoSuchObject("Parameter does not exist")
        self._store.undefine(Kind.GLOBAL_PARAMETER, known[0])
        if self._events.listeners:
            self._events.tell("parameter.cleared", component="global", name=name)

    @property
    def globals(self) -> dict[str, Any]:
        """The global parameters, by name."""
        return {name: value for name, (_, value) in sorted(self._globals.items())}

    # --- recovery

    def recover(self, definitions: Mapping[Kind, Mapping[int, Definition]]) -> None:
        """Take in what the store held; components hear of it. Raises LookupError or ValueError when it is no sense."""
        for kind in (Kind.POLICY, Kind.OPERATOR_POLICY, Kind.PARAMETER):
            for parameter_id, definition in definitions[kind].items():
                vhost, component, name = definition["vhost"], definition["component"], definition["name"]
                value = json.loads(definition["value"])
                self._found[vhost, component, name] = (parameter_id, value)
                handler = self._components.get(component)
                if handler is not None:
                    handler.changed(vhost, name, value)
        for parameter_id, definition in definitions[Kind.GLOBAL_PARAMETER].items():
            self._globals[definition["name"]] = (parameter_id, json.loads(definition["value"]))


def check_name(name: str) -> None:
    """Raises OperatorError for a name that cannot be kept."""
    if not name:
        raise OperatorError("a name must not be empty")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise OperatorError(f"{name!r} is not a name: it is not valid Unicode") from None
    if size > 255:
        raise OperatorError(f"a name must not be longer than 255 bytes, as '{name[:40]}…' is")


def check_members(
    name: str, value: Any, checks: Mapping[str, Any], *, mandatory: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The members of a parameter that is a table, each looked at by its check, which returns what is wrong or None.

    Raises ValidationFailed with all that is wrong, in RabbitMQ's order (rabbit_parameter_validation:proplist).
    """
    if not isinstance(value, Mapping):
        raise ValidationFailed(f"{name} not a list {printed(value)}")
    faults: list[str] = []
    for key, check in checks.items():
        if key in value:
            fault = check(value[key])
            if fault is not None:
                faults.insert(0, fault)
        elif key in mandatory:
            faults.insert(0, f'Key "{key}" not found in {name}')
    unknown = {key: value[key] for key in value if key not in checks}
    if unknown:
        faults.insert(0, f"Unrecognised terms {printed_pairs(unknown)} in {name}")
    if faults:
        raise ValidationFailed("\n".join(faults))
    return dict(value)


def printed(value: Any) -> str:
    """A JSON value as RabbitMQ prints it in a refusal: an Erlang term."""
    if isinstance(value, str):
        plain = all(char.isprintable() for char in value)
        return f'<<"{value}">>' if plain else f"<<{','.join([str(octet) for octet in value.encode()])}>>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "#{" + ",".join([f"{printed(key)} => {printed(item)}" for key, item in sorted(value.items())]) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join([printed(item) for item in value])}]"
    return str(value)


def printed_pairs(values: Mapping[str, Any]) -> str:
    """Keys with their values, as RabbitMQ prints them."""
    return f"[{','.join(['{' + printed(key) + ',' + printed(item) + '}' for key, item in sorted(values.items())])}]"
