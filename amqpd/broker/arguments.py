"""Arguments of declarations: which are known, what they may hold, and whether two declarations are equal.

The texts are RabbitMQ's, down to the Erlang terms inside them, because clients and test suites compare them.
Arguments that are not in the tables are accepted and kept, and never compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from decimal import Decimal
from typing import Any, Final

from ..errors import AmqpError, PreconditionFailed
from ..wire.fields import Timestamp, term, type_name

Arguments = Mapping[str, Any]
_Check = Callable[[Any, Arguments], object]

MAX_DURATION: Final = 315_360_000_000
"""The longest TTL or expiry RabbitMQ accepts, in milliseconds: ten years."""

CLASSIC: Final = "classic"
QUORUM: Final = "quorum"
STREAM: Final = "stream"

_AGE_UNITS: Final = {"Y": 31_536_000, "M": 2_592_000, "D": 86_400, "h": 3_600, "m": 60, "s": 1}
"""Seconds: of 365 days, 30 days, a day, and so on."""


_ABSENT: Final = object()
"""Equal to no value: an argument may be there and void."""

_PLAIN_ATOM: Final = re.compile(r"[a-z][A-Za-z0-9_@]*")


class _Invalid(Exception):
    """An argument's value is refused for this reason, worded as RabbitMQ prints it."""


def is_stream(arguments: Arguments) -> bool:
    """Whether a queue declared with these is a stream."""
    return arguments.get("x-queue-type") == STREAM


def age_in_ms(age: str) -> int:
    """Milliseconds of an age such as `7D` or `12h`: a number and one of Y M D h m s. Raises ValueError for another."""
    number, unit = age[:-1], age[-1:]
    if not (number.isascii() and number.isdecimal() and int(number) and unit in _AGE_UNITS):
        raise ValueError(f"'{age}' is no age")
    return int(number) * _AGE_UNITS[unit] * 1000


def check_queue_arguments(arguments: Arguments, described: str, *, quorum_4_3: bool = False) -> None:
    """Raises PreconditionFailed when a known queue argument holds what it must not; `described` names the queue.

    `quorum_4_3`: those are known that quorum queues have from 4.3 on.
    """
    _check_name(arguments, "x-dead-letter-exchange", f"in {described}")
    _check_values(arguments, {"x-queue-type": _queue_type}, described)
    queue_type = queue_type_of(arguments)
    known = _STREAM_ARGUMENTS if queue_type == STREAM else _QUEUE_ARGUMENTS
    foreign = _FOREIGN[queue_type]
    if quorum_4_3:
        known = known if queue_type == STREAM else _QUEUE_ARGUMENTS_4_3
        foreign = foreign if queue_type == QUORUM else foreign | _QUORUM_4_3.keys()
    _check_values({name: arguments[name] for name in arguments if name not in foreign}, known, described)
    _check_type(arguments, foreign, described, queue_type)


def queue_type_of(arguments: Arguments) -> str:
    """The type a queue with these arguments has."""
    queue_type: str = arguments.get("x-queue-type", CLASSIC)
    return queue_type


def check_exchange_arguments(arguments: Arguments, described: str) -> None:
    """Raises PreconditionFailed when the alternate exchange is no name."""
    _check_name(arguments, "alternate-exchange", f"in {described}")


def check_consumer_arguments(
    arguments: Arguments, described: str, queue_type: str = CLASSIC, *, quorum_4_3: bool = False
) -> None:
    """Raises PreconditionFailed when a known consumer argument holds what it must not; `described` names the queue."""
    known, foreign = _CONSUMER_ARGUMENTS, _STREAM_CONSUMERS_ONLY
    if quorum_4_3 and queue_type == QUORUM:
        known = known | _CONSUMER_4_3
    elif quorum_4_3:
        foreign = foreign | _CONSUMER_4_3.keys()
    _check_values(arguments, known, described)
    _check_type(arguments, foreign, described, queue_type)


def check_stream_consumer_arguments(arguments: Arguments, described: str, *, quorum_4_3: bool = False) -> None:
    """`check_consumer_arguments`, of a stream."""
    _check_values(arguments, {"x-stream-offset": _stream_offset}, described)
    foreign = _CONSUMER_ARGUMENTS | _CONSUMER_4_3 if quorum_4_3 else _CONSUMER_ARGUMENTS
    _check_type(arguments, foreign, described, STREAM)


def compare_queue_arguments(
    received: Arguments, current: Arguments, described: str, *, quorum_4_3: bool = False
) -> None:
    """Raises PreconditionFailed, naming the first difference among the known arguments."""
    known = _QUEUE_ARGUMENTS_4_3 if quorum_4_3 else _QUEUE_ARGUMENTS
    for name in _STREAM_ARGUMENTS if is_stream(current) else known:
        absent = CLASSIC if name == "x-queue-type" else _ABSENT
        if not equal_values(received.get(name, absent), current.get(name, absent)):
            raise _inequivalent(name, received, current, described)


def compare_exchange_arguments(received: Arguments, current: Arguments, described: str) -> None:
    """Raises PreconditionFailed when the alternate exchanges differ; other arguments are not compared."""
    name = "alternate-exchange"
    if not equal_values(received.get(name, _ABSENT), current.get(name, _ABSENT)):
        raise _inequivalent(name, received, current, described)


def compare_property(name: str, received: bool | str, current: bool | str, described: str) -> None:
    """Raises PreconditionFailed when a property that every declaration has differs."""
    if received != current:
        raise PreconditionFailed(
            f"inequivalent arg '{name}' for {described}: received '{_atom(received)}' but current is '{_atom(current)}'"
        )


def equal_values(one: Any, other: Any) -> bool:
    """Whether two field values are the same to RabbitMQ: integers of all widths compare, other types keep apart."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, Decimal)) and isinstance(other, (int, Decimal)):
        return one == other
    if isinstance(one, float) and isinstance(other, float):
        return one == other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal_values, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal_values(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


def _inequivalent(name: str, received: Arguments, current: Arguments, described: str) -> AmqpError:
    # RabbitMQ prints types only when one side is absent; clients parse both forms
    if name in received and name in current:
        difference = f"received {_bare(received[name])} but current is {_bare(current[name])}"
    else:
        difference = f"received {_typed(name, received)} but current is {_typed(name, current)}"
    return PreconditionFailed(f"inequivalent arg '{name}' for {described}: {difference}")


def _typed(name: str, arguments: Arguments) -> str:
    if name not in arguments:
        return "none"
    return f"the value '{_printed(arguments[name])}' of type '{type_name(arguments[name])}'"


def _bare(value: Any) -> str:
    return "none" if value is None else f"'{_printed(value)}'"


def _atom(value: bool | str) -> str:
    """As Erlang prints it: a name with a dash has quotes of its own."""
    name = str(value).lower() if isinstance(value, bool) else value
    return name if _PLAIN_ATOM.fullmatch(name) else f"'{name}'"


def _printed(value: Any) -> str:
    """Strings as they are, everything else as a term."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else term(value)


def _check_values(arguments: Arguments, checks: Mapping[str, _Check], described: str) -> None:
    for name, check in checks.items():  # their order decides which of several faults is named
        if name in arguments:
            try:
                check(arguments[name], arguments)
            except _Invalid as invalid:
                raise PreconditionFailed(f"invalid arg '{name}' for {described}: {invalid}") from None


def _check_type(arguments: Arguments, foreign: Container[str], described: str, queue_type: str) -> None:
    for name in arguments:
        if name in foreign:
            raise PreconditionFailed(f"invalid arg '{name}' for {described} of queue type rabbit_{queue_type}_queue")


def _check_name(arguments: Arguments, name: str, where: str) -> None:
    value = arguments.get(name)
    if name in arguments and not isinstance(value, str):
        raise PreconditionFailed(f"invalid type '{type_name(value)}' for arg '{name}' {where}")


def _integer(value: Any, _: Arguments) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or isinstance(value, Timestamp):
        raise _Invalid(f'"expected integer, got {type_name(value)}"')
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Invalid(f"{{unacceptable_type,{type_name(value)}}}")
    return value


def _natural(value: Any, arguments: Arguments) -> None:
    number = _integer(value, arguments)
    if number < 0:
        raise _Invalid(f"{{value_negative,{number}}}")


def _duration(value: Any, arguments: Arguments) -> None:
    _natural(value, arguments)
    if value > MAX_DURATION:
        raise _Invalid(f"{{value_too_large,{value}}}")


def _expiry(value: Any, arguments: Arguments) -> None:
    if _integer(value, arguments) == 0:
        raise _Invalid("{value_zero,0}")
    _duration(value, arguments)


def _priorities(value: Any, arguments: Arguments) -> None:
    _natural(value, arguments)
    if value > 255:
        raise _Invalid(f"{{max_value_exceeded,{value}}}")


def _boolean(value: Any, _: Arguments) -> None:
    if not isinstance(value, bool):
        raise _Invalid(f"{{unacceptable_type,{type_name(value)}}}")


def _dead_letter_exchange(value: Any, _: Arguments) -> None:
    """Its type was checked before, with a text of its own."""


def _dead_letter_routing_key(value: Any, arguments: Arguments) -> None:
    _string(value)
    if "x-dead-letter-exchange" not in arguments:
        raise _Invalid("routing_key_but_no_dlx_defined")


def _overflow(value: Any, _: Arguments) -> None:
    if _string(value) not in ("drop-head", "reject-publish", "reject-publish-dlx"):
        raise _Invalid("invalid_overflow")


def _dead_letter_strategy(value: Any, _: Arguments) -> None:
    if _string(value) not in ("at-most-once", "at-least-once"):
        raise _Invalid("invalid_dlx_strategy")


def _group_size(value: Any, arguments: Arguments) -> None:
    if _integer(value, arguments) == 0:
        raise _Invalid("{value_zero,0}")
    _natural(value, arguments)


def _queue_mode(value: Any, _: Arguments) -> None:
    if _string(value) not in ("default", "lazy"):
        raise _Invalid(f"\"unsupported queue mode '{value}'\"")


def _queue_version(value: Any, arguments: Arguments) -> None:
    _natural(value, arguments)
    if value not in (1, 2):
        raise _Invalid(f"\"unsupported queue version '{value}'\"")


def _queue_type(value: Any, _: Arguments) -> None:
    if _string(value) not in _FOREIGN:
        raise _Invalid(f"\"unsupported queue type '{value}'\"")


def _leader_locator(value: Any, _: Arguments) -> None:
    if _string(value) not in ("client-local", "balanced", "random", "least-leaders", "min-masters"):
        raise _Invalid("invalid_queue_locator_arg")


def _age(value: Any, _: Arguments) -> None:
    try:
        age_in_ms(_string(value))
    except ValueError:
        raise _Invalid("invalid_max_age") from None


def _cluster_size(value: Any, arguments: Arguments) -> None:
    if _integer(value, arguments) == 0:
        raise _Invalid("{value_zero,0}")
    _natural(value, arguments)


def _stream_offset(value: Any, arguments: Arguments) -> None:
    try:
        if isinstance(value, str):
            if value not in ("first", "last", "next"):
                age_in_ms(value)
        elif not isinstance(value, Timestamp):
            _integer(value, arguments)
    except (ValueError, _Invalid):
        raise _Invalid(f"{{invalid_stream_offset_arg,{{{type_name(value)},{term(value)}}}}}") from None


def _anything(value: Any, _: Arguments) -> None:
    """Not checked, but compared."""


_QUEUE_ARGUMENTS: Final[dict[str, _Check]] = {
    "x-expires": _expiry,
    "x-message-ttl": _duration,
    "x-dead-letter-exchange": _dead_letter_exchange,
    "x-dead-letter-routing-key": _dead_letter_routing_key,
    "x-dead-letter-strategy": _dead_letter_strategy,
    "x-max-length": _natural,
    "x-max-length-bytes": _natural,
    "x-max-in-memory-length": _natural,
    "x-max-in-memory-bytes": _natural,
    "x-max-priority": _priorities,
    "x-overflow": _overflow,
    "x-queue-mode": _queue_mode,
    "x-queue-version": _queue_version,
    "x-single-active-consumer": _boolean,
    "x-queue-type": _queue_type,
    "x-quorum-initial-group-size": _group_size,
    "x-delivery-limit": _integer,
    "x-queue-master-locator": _anything,
    "x-queue-leader-locator": _leader_locator,
}

_QUORUM_4_3: Final[dict[str, _Check]] = {
    "x-consumer-timeout": _natural,
    "x-consumer-disconnected-timeout": _natural,
    "x-delayed-retry-type": _anything,
    "x-delayed-retry-min": _anything,
    "x-delayed-retry-max": _anything,
}
"""Arguments of quorum queues from 4.3 on. Before, nobody knew them, and a queue of any type could have them."""

_QUEUE_ARGUMENTS_4_3: Final = _QUEUE_ARGUMENTS | _QUORUM_4_3

_STREAM_ARGUMENTS: Final[dict[str, _Check]] = {
    "x-max-length-bytes": _natural,
    "x-queue-type": _queue_type,
    "x-max-age": _age,
    "x-stream-max-segment-size-bytes": _natural,
    "x-stream-filter-size-bytes": _natural,
    "x-initial-cluster-size": _cluster_size,
    "x-queue-leader-locator": _leader_locator,
}

_STREAM_ONLY: Final = frozenset(
    {"x-max-age", "x-stream-max-segment-size-bytes", "x-stream-filter-size-bytes", "x-initial-cluster-size"}
)
_QUORUM_ONLY: Final = frozenset(
    {
        "x-dead-letter-strategy",
        "x-delivery-limit",
        "x-max-in-memory-length",
        "x-max-in-memory-bytes",
        "x-quorum-initial-group-size",
    }
)

_FOREIGN: Final[dict[str, frozenset[str]]] = {
    CLASSIC: _STREAM_ONLY | _QUORUM_ONLY,
    QUORUM: _STREAM_ONLY | {"x-max-priority", "x-queue-mode"},
    STREAM: frozenset(_QUEUE_ARGUMENTS.keys() | _QUORUM_ONLY) - _STREAM_ARGUMENTS.keys(),
}
"""The types of queues there are, and which known arguments each refuses because they are another type's."""

QUEUE_TYPES: Final = tuple(_FOREIGN)

_CONSUMER_ARGUMENTS: Final[dict[str, _Check]] = {"x-priority": _integer, "x-cancel-on-ha-failover": _boolean}
_CONSUMER_4_3: Final[dict[str, _Check]] = {"x-consumer-timeout": _natural}
_STREAM_CONSUMERS_ONLY: Final = frozenset({"x-stream-offset"})
