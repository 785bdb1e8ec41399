"""Limits of vhosts: how many connections each may have, and how many queues; a component of the parameters.

A vhost has one parameter, `limits`, that holds both; a negative limit is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import NoSuchObject, ValidationFailed
from .parameters import Parameters, check_members, printed
from .policy_settings import is_integer

if TYPE_CHECKING:
    from .vhost import VHost

COMPONENT: Final = "vhost-limits"
NAME: Final = "limits"

MAX_CONNECTIONS: Final = "max-connections"
MAX_QUEUES: Final = "max-queues"


class VHostLimits:
    """Sets the limits of a broker's vhosts."""

    def __init__(self, parameters: Parameters, vhosts: Mapping[str, VHost]) -> None:
        self._parameters = parameters
        self._vhosts = vhosts
        self.of_new: Callable[[str], Mapping[str, int]] = lambda vhost: {}  # what a vhost that is made will be given

    # --- what operators call

    def limits(self, vhost: str) -> dict[str, int]:
        """The limits a vhost has been given."""
        try:
            found: dict[str, int] = dict(self._parameters.get(COMPONENT, vhost, NAME))
        except NoSuchObject:
            return {}
        return found

    def set(self, vhost: str, limit: str, value: Any) -> None:
        """Set one limit. Raises NoSuchObject when the vhost is missing, ValidationFailed for what is no limit."""
        self._parameters.set(COMPONENT, vhost, NAME, {**self.limits(vhost), limit: value})

    def give_new(self, vhost: str) -> None:
        """Give a vhost that was just made its limits."""
        limits = dict(self.of_new(vhost))
        if limits:
            self._parameters.set(COMPONENT, vhost, NAME, limits)

    def imagine(self, vhost: VHost) -> None:
        """Have one that is not there be limited as it will be."""
        _put(vhost, self.of_new(vhost.name))

    def clear(self, vhost: str, limit: str) -> None:
        """Lift one limit. Nothing happens when there is none; raises NoSuchObject when the vhost is missing."""
        if vhost not in self._vhosts:
            raise NoSuchObject(f"Virtual host '{vhost}' does not exist")
        limits = self.limits(vhost)
        if limits.pop(limit, None) is None:
            return
        if limits:
            self._parameters.set(COMPONENT, vhost, NAME, limits)
        else:
            self._parameters.clear(COMPONENT, vhost, NAME)

    # --- what parameters call

    def validate(self, vhost: str, name: str, value: Any) -> None:
        if name != NAME:
            raise ValidationFailed(f"the limits of a vhost are called '{NAME}', not '{name}'")
        check_members(
            name,
            value,
            {limit: lambda number, limit=limit: _fault(limit, number) for limit in (MAX_CONNECTIONS, MAX_QUEUES)},
        )

    def changed(self, vhost: str, name: str, value: Any) -> None:
        place = self._vhosts[vhost]
        _put(place, value)
        if place.events.listeners:
            place.events.tell("vhost.limits.set", name=name, vhost=vhost, **value)

    def cleared(self, vhost: str, name: str) -> None:
        place = self._vhosts.get(vhost)
        if place is None:
            return
        _put(place, {})
        if place.events.listeners:
            place.events.tell("vhost.limits.cleared", name=name, vhost=vhost)


def _put(vhost: VHost, limits: Mapping[str, int]) -> None:
    vhost.max_connections = _limit(limits.get(MAX_CONNECTIONS, -1))
    vhost.max_queues = _limit(limits.get(MAX_QUEUES, -1))


def _limit(value: int) -> int | None:
    return value if value >= 0 else None


def _fault(limit: str, value: Any) -> str | None:
    return None if is_integer(value) else f"{limit} should be a number, actually was {printed(value)}"
