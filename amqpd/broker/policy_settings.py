"""What a policy may set: its keys, what they may hold, and how they join with arguments and operator policies.

Policies say `message-ttl` where arguments say `x-message-ttl`. The texts are RabbitMQ's (rabbit_policies,
rabbit_quorum_queue), down to the Erlang terms in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from .arguments import CLASSIC, MAX_DURATION, QUORUM, STREAM, Arguments, age_in_ms, queue_type_of
from .parameters import printed, printed_pairs

Definition = Mapping[str, Any]
"""What a policy sets, as JSON values by key."""

MAX_SEGMENT_SIZE: Final = 3_000_000_000
"""The largest `stream-max-segment-size-bytes` RabbitMQ accepts."""

_DURATIONS: Final = ("message-ttl", "expires")


def is_integer(value: Any) -> bool:
    """Whether it is a JSON number without a fraction."""
    return isinstance(value, int) and not isinstance(value, bool)


def _at_least(least: int) -> Callable[[Any], bool]:
    return lambda value: is_integer(value) and value >= least


def _between(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: is_integer(value) and least <= value <= most


def _one_of(*choices: Any) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, bool) and value in choices


def _string(value: Any) -> bool:
    return isinstance(value, str)


def _age(value: Any) -> bool:
    try:
        return isinstance(value, str) and age_in_ms(value) > 0
    except ValueError:
        return False


def _anything(value: Any) -> bool:
    return True


# what becomes of two values; the policy's comes first, or the user's before the operator's


def _policy(one: Any, _: Any) -> Any:
    return one


def _argument(_: Any, other: Any) -> Any:
    return other


def _limit(one: int, other: int) -> int:
    """The stricter of two delivery limits; one below 0 is none, and RabbitMQ takes the larger then."""
    return max(one, other) if one < 0 or other < 0 else min(one, other)


class Setting(NamedTuple):
    """One key."""

    check: Callable[[Any], bool]
    refusal: str  # what follows the value
    types: frozenset[str]  # queues it may be set for; a policy with a key that is not for a queue passes it by
    join: Callable[[Any, Any], Any] | None = None  # with the argument of that name; None: there is none
    operator: Callable[[Any, Any], Any] | None = None  # with an operator policy; None: those cannot set it
    needs: str = ""  # what there has to be for it to have an effect, if we have none


_ALL: Final = frozenset({CLASSIC, QUORUM, STREAM})
_QUEUES: Final = frozenset({CLASSIC, QUORUM})
_CLASSIC: Final = frozenset({CLASSIC})
_QUORUM: Final = frozenset({QUORUM})
_STREAM: Final = frozenset({STREAM})
_CLUSTER: Final = "a cluster"
_FEDERATION: Final = "federation"

SETTINGS: Final[dict[str, Setting]] = {
    "alternate-exchange": Setting(_string, "is not a valid alternate exchange name", _ALL),
    "consumer-timeout": Setting(_at_least(0), "is not a valid consumer timeout", _ALL, min),
    "dead-letter-exchange": Setting(_string, "is not a valid dead letter exchange name", _QUEUES, _argument),
    "dead-letter-routing-key": Setting(_string, "is not a valid dead letter routing key", _QUEUES, _argument),
    "dead-letter-strategy": Setting(
        _one_of("at-most-once", "at-least-once"), "is not a valid dead letter strategy", _QUORUM, _argument
    ),
    "message-ttl": Setting(_at_least(0), "is not a valid message TTL", _QUEUES, min, min),
    "expires": Setting(_at_least(1), "is not a valid queue expiry", _QUEUES, min, min),
    "max-length": Setting(_at_least(0), "is not a valid maximum length", _QUEUES, min, min),
    "max-length-bytes": Setting(_at_least(0), "is not a valid maximum length in bytes", _ALL, min, min),
    "max-in-memory-length": Setting(_at_least(0), "is not a valid maximum memory in bytes", _QUORUM, min, min),
    "max-in-memory-bytes": Setting(_at_least(0), "is not a valid maximum memory in bytes", _QUORUM, min, min),
    "queue-mode": Setting(_one_of("default", "lazy"), "is not a valid queue-mode value", _CLASSIC, _argument),
    "queue-version": Setting(_one_of(1, 2), "is not a valid queue-version value", _ALL, _argument, _argument),
    "overflow": Setting(
        _one_of("drop-head", "reject-publish", "reject-publish-dlx"),
        "is not a valid overflow value",
        _QUEUES,
        _argument,
        _argument,
    ),
    "delivery-limit": Setting(is_integer, "is not a valid delivery limit", _QUORUM, _limit, _limit),
    "max-age": Setting(_age, "is not a valid max age", _STREAM, _policy),
    "stream-max-segment-size-bytes": Setting(
        _between(0, MAX_SEGMENT_SIZE), "is not a valid segment size", _STREAM, _policy
    ),
    "stream-filter-size-bytes": Setting(
        _between(16, 255), "is not a valid filter size. Valid range is 16-255", _ALL, _policy
    ),
    "queue-leader-locator": Setting(
        _one_of("client-local", "balanced", "random", "least-leaders"),
        "is not a valid queue leader locator value",
        _ALL,
        _argument,
        needs=_CLUSTER,
    ),
    "queue-master-locator": Setting(
        _one_of("client-local", "balanced", "random", "least-leaders", "min-masters"),
        "is not a valid master locator",
        _CLASSIC,
        _argument,
        needs=_CLUSTER,
    ),
    "initial-cluster-size": Setting(_at_least(0), "is not a valid cluster size", _STREAM, _policy, needs=_CLUSTER),
    "target-group-size": Setting(
        _at_least(1), "is not a valid qq target count value", _QUORUM, operator=max, needs=_CLUSTER
    ),
    **{
        f"ha-{name}": Setting(_anything, "", _CLASSIC, needs=_CLUSTER)
        for name in ("mode", "params", "sync-mode", "sync-batch-size", "promote-on-shutdown", "promote-on-failure")
    },
    **{
        f"federation-upstream{ending}": Setting(_string, "is not a valid name", _ALL, needs=_FEDERATION)
        for ending in ("", "-set", "-pattern")
    },
}
"""Every key there is."""

_PRECEDENCE: Final[dict[str, dict[str, Callable[[Any, Any], Any]]]] = {
    CLASSIC: {},
    QUORUM: {"overflow": _policy},
    STREAM: {"max-length-bytes": _policy},
}
"""What joins differently for a type of queue."""


def definition_fault(definition: Definition, *, operator: bool) -> str | None:
    """Why a policy cannot set this; None when it can."""
    if not definition:
        return "no policy provided"
    known = {key: value for key, value in definition.items() if _may_set(key, operator)}
    for key in sorted(known):
        if not SETTINGS[key].check(known[key]):
            return f"{printed(known[key])} {SETTINGS[key].refusal}"
    unknown = {key: value for key, value in definition.items() if key not in known}
    if unknown:
        return f"{printed_pairs(unknown)} are not recognised policy settings"
    return None


def ineffective(definition: Definition) -> list[str]:
    """What of a definition that can be set has no effect here, one line each."""
    return [
        f"'{key}' has no effect: it needs {SETTINGS[key].needs}" for key in sorted(definition) if SETTINGS[key].needs
    ]


def suits(definition: Definition, queue_type: str) -> bool:
    """Whether all it sets is for queues of this type."""
    return all(queue_type in SETTINGS[key].types for key in definition)


def merged(definition: Definition, operator: Definition) -> Definition:
    """What a policy and an operator policy set together."""
    joined = {**definition, **operator}
    for key in definition.keys() & operator.keys():
        join = SETTINGS[key].operator
        assert join is not None
        joined[key] = join(definition[key], operator[key])
    return {key: joined[key] for key in sorted(joined)}


def effective(arguments: Arguments, definition: Definition) -> dict[str, Any]:
    """The arguments of a queue that was declared with some, under policies that set this together."""
    found = dict(arguments)
    queue_type = queue_type_of(arguments)
    for key, value in definition.items():
        setting = SETTINGS[key]
        if setting.join is None or queue_type not in setting.types:
            continue
        name = f"x-{key}"
        set_to = min(value, MAX_DURATION) if key in _DURATIONS else value  # what the store and timers can hold
        if name in found:
            set_to = _PRECEDENCE[queue_type].get(key, setting.join)(set_to, found[name])
        found[name] = set_to
    return found


def _may_set(key: str, operator: bool) -> bool:
    return key in SETTINGS and (not operator or SETTINGS[key].operator is not None)
