"""Policies: settings for all queues and exchanges whose names match a pattern, whoever declared them.

Of the policies of a vhost, and of its operator policies, one each applies to an object: that of the highest priority
whose pattern is found in the name, that is for objects of this kind, and that sets nothing the object cannot have
(RabbitMQ's rabbit_policy). What both set together, joined with the arguments of the declaration, is in effect; see
`policy_settings`. It changes when a policy does: at once, or little by little where there are thousands of queues.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import OperatorError
from ..patterns import Pattern
from .arguments import CLASSIC, QUORUM, STREAM
from .parameters import OPERATOR_POLICY, POLICY, Parameters, check_members, printed
from .policy_settings import Definition, definition_fault, ineffective, merged, suits

if TYPE_CHECKING:
    from .vhost import VHost

ALL: Final = "all"
QUEUES: Final = "queues"
EXCHANGES: Final = "exchanges"

_APPLY_TO: Final = {CLASSIC: "classic_queues", QUORUM: "quorum_queues", STREAM: "streams"}

_KINDS: Final = {
    ALL: frozenset({CLASSIC, QUORUM, STREAM, EXCHANGES}),
    QUEUES: frozenset({CLASSIC, QUORUM, STREAM}),
    EXCHANGES: frozenset({EXCHANGES}),
    **{name: frozenset({queue_type}) for queue_type, name in _APPLY_TO.items()},
}
"""By what `apply-to` says: types of queues, and exchanges."""


class Policy:
    """A policy, or an operator policy."""

    def __init__(
        self, name: str, pattern: str, definition: Definition, priority: float = 0, apply_to: str = ALL
    ) -> None:
        self.name = name
        self.pattern = pattern
        self.definition = definition
        self.priority = priority
        self.apply_to = apply_to
        self._kinds = {kind for kind in _KINDS[apply_to] if kind == EXCHANGES or suits(definition, kind)}
        self._pattern = Pattern(pattern) if pattern else None  # an empty one fits all names

    def fits(self, kind: str, name: str) -> bool:
        """Whether it may apply to an object: a queue, by its type, or an exchange."""
        return kind in self._kinds and (self._pattern is None or self._pattern.matches(name))


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """What applies to an object: one of each at most, and what they set together."""

    policy: Policy | None
    operator_policy: Policy | None
    definition: Definition


def names_of(applied: Applied | None) -> tuple[str | None, str | None]:
    """The policy and the operator policy that apply to an object, by name."""
    if applied is None:
        return None, None
    policy, operator_policy = applied.policy, applied.operator_policy
    return (
        policy.name if policy is not None else None,
        operator_policy.name if operator_policy is not None else None,
    )


class Policies:
    """The policies of one vhost."""

    def __init__(self) -> None:
        self._ranked: dict[str, list[Policy]] = {POLICY: [], OPERATOR_POLICY: []}  # the one that wins first
        self._applied: dict[tuple[Policy | None, Policy | None], Applied] = {}  # every pair that applies is one object

    def put(self, component: str, policy: Policy) -> None:
        """Add a policy, in place of the one with its name."""
        ranked = [other for other in self._ranked[component] if other.name != policy.name]
        self._ranked[component] = sorted([*ranked, policy], key=lambda each: (-each.priority, each.name))
        self._applied.clear()

    def remove(self, component: str, name: str) -> None:
        """Forget a policy."""
        self._ranked[component] = [policy for policy in self._ranked[component] if policy.name != name]
        self._applied.clear()

    def find(self, kind: str, name: str, known: Applied | None = None) -> Applied | None:
        """What applies to an object; None when nothing does. `known` is what did before: the same, if it still does."""
        policy = self._first(POLICY, kind, name)
        operator_policy = self._first(OPERATOR_POLICY, kind, name)
        if policy is operator_policy:  # neither
            return None
        if known is not None and (known.policy, known.operator_policy) == (policy, operator_policy):
            return known
        pair = (policy, operator_policy)
        found = self._applied.get(pair)
        if found is None:
            definition = merged(
                policy.definition if policy is not None else {},
                operator_policy.definition if operator_policy is not None else {},
            )
            found = self._applied[pair] = Applied(policy, operator_policy, definition)
        return found

    def _first(self, component: str, kind: str, name: str) -> Policy | None:
        for policy in self._ranked[component]:
            if policy.fits(kind, name):
                return policy
        return None


class PolicyComponent:
    """All policies, or all operator policies, of a broker: a component of its parameters."""

    def __init__(self, component: str, parameters: Parameters, vhosts: Mapping[str, VHost]) -> None:
        self._component = component
        self._parameters = parameters
        self._vhosts = vhosts

    # --- what operators call

    def check(self, name: str, pattern: Any, definition: Any, priority: Any = 0, apply_to: Any = ALL) -> None:
        """Raises OperatorError for a policy that cannot be set in any vhost."""
        value = {"pattern": pattern, "definition": definition, "priority": priority, "apply-to": apply_to}
        self._parameters.check(self._component, "", name, value)

    def set(
        self, vhost: str, name: str, pattern: Any, definition: Any, priority: Any = 0, apply_to: Any = ALL
    ) -> list[str]:
        """Set a policy; returns what of it has no effect here, one line each.

        Raises NoSuchObject when the vhost is missing, ValidationFailed when the policy cannot be.
        """
        value = {"pattern": pattern, "definition": definition, "priority": priority, "apply-to": apply_to}
        self._parameters.set_any(self._component, vhost, name, value)
        return ineffective(definition)

    def clear(self, vhost: str, name: str) -> None:
        """Clear a policy. Raises NoSuchObject when it is not there."""
        self._parameters.clear_any(self._component, vhost, name)

    # --- what parameters call

    def validate(self, vhost: str, name: str, value: Any) -> None:
        operator = self._component == OPERATOR_POLICY
        checks = {
            "priority": _priority_fault,
            "pattern": _pattern_fault,
            "apply-to": _apply_to_fault,
            "definition": lambda definition: _definition_fault(name, definition, operator),
        }
        check_members(name, value, checks, mandatory=("priority", "pattern", "definition"))

    def changed(self, vhost: str, name: str, value: Any) -> None:
        place = self._vhosts[vhost]
        policy = Policy(name, value["pattern"], value["definition"], value["priority"], value.get("apply-to", ALL))
        place.policies.put(self._component, policy)
        place.apply_policies(policy)
        if place.events.listeners:
            place.events.tell("policy.set", name=name, vhost=vhost, **fields_of(policy))

    def cleared(self, vhost: str, name: str) -> None:
        place = self._vhosts.get(vhost)
        if place is None:
            return
        place.policies.remove(self._component, name)
        place.apply_policies(None)
        if place.events.listeners:
            event = "policy.cleared" if self._component == POLICY else "operator.policy.cleared"
            place.events.tell(event, name=name, vhost=vhost)


_PCRE: Final = {
    "missing ), unterminated subpattern": "missing )",
    "unterminated character set": "missing terminating ] for character class",
    "unbalanced parenthesis": "unmatched parentheses",
}
"""What RabbitMQ's regular expressions say where ours say otherwise; the first two name the end of the pattern."""


def fields_of(policy: Policy) -> dict[str, Any]:
    """A policy as events tell it."""
    return {
        "pattern": policy.pattern,
        "definition": dict(policy.definition),
        "priority": policy.priority,
        "apply-to": policy.apply_to,
    }


def _priority_fault(value: Any) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None
    return f"priority should be a number, actually was {printed(value)}"


def _pattern_fault(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"pattern should be a binary but was {printed(value)}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(value)  # says where, in words that RabbitMQ's are known for
    except re.error as error:
        place = len(value) if error.msg.startswith(("missing )", "unterminated character")) else error.pos or 0
        reason = _PCRE.get(error.msg, error.msg)
        return f'pattern should be regular expression but is invalid: {{"{reason}",{place}}}'
    except (OverflowError, RecursionError) as error:
        return f'pattern should be regular expression but is invalid: {{"{error}",0}}'
    try:
        Pattern(value)
    except OperatorError as error:
        return f"pattern should be regular expression but is invalid: {error}"
    return None


def _apply_to_fault(value: Any) -> str | None:
    if isinstance(value, str) and value in _KINDS:
        return None
    text = value if isinstance(value, str) else printed(value)
    return (
        f"apply-to '{text}' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams',"
        " 'exchanges', or 'all'"
    )


def _definition_fault(name: str, value: Any, operator: bool) -> str | None:
    if not isinstance(value, Mapping):
        if value == []:
            return "no policy provided"
        return f"parse error while reading policy {name}: {printed(value)}."
    return definition_fault(value, operator=operator)
