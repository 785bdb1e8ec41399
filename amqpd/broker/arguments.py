"""Arguments of declarations: which are known, what they may hold, and whether two declarations are equal.

The texts are RabbitMQ's, down to the Erlang terms inside them, because clients and test suites compare them.
Arguments that are not in the tables are accepted and kept, and never compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from ..errors import AmqpError, PreconditionFailed
from ..wire.fields import Timestamp, type_name

Arguments = Mapping[str, Any]

MAX_DURATION: Final = 315_360_000_000
"""The longest TTL or expiry RabbitMQ accepts, in milliseconds: ten years."""

CLASSIC: Final = "classic"


class _Invalid(Exception):
    """An argument's value is refused for this reason, worded as RabbitMQ prints it."""


def check_queue_arguments(arguments: Arguments, described: str) -> None:
    """Raises PreconditionFailed when a known queue argument holds what it must not; `described` names the queue."""
    _check_name(arguments, "x-dead-letter-exchange", f"in {described}")
    for name, value in arguments.items():
        check = _QUEUE_ARGUMENTS.get(name)
        if check is None:
            if name in _OTHER_QUEUE_TYPES:
                raise PreconditionFailed(f"invalid arg '{name}' for {described} of queue type rabbit_classic_queue")
            continue
        try:
            check(value, arguments)
        except _Invalid as invalid:
            raise PreconditionFailed(f"invalid arg '{name}' for {described}: {invalid}") from None


def check_exchange_arguments(arguments: Arguments, described: str) -> None:
    """Raises PreconditionFailed when the alternate exchange is no name."""
    _check_name(arguments, "alternate-exchange", f"in {described}")


def check_consumer_arguments(arguments: Arguments, described: str) -> None:
    """Raises PreconditionFailed when the consumer's priority is no integer; `described` names the queue."""
    if "x-priority" in arguments:
        try:
            _integer(arguments["x-priority"])
        except _Invalid as invalid:
            raise PreconditionFailed(f"invalid arg 'x-priority' for {described}: {invalid}") from None


def compare_queue_arguments(received: Arguments, current: Arguments, described: str) -> None:
    """Raises PreconditionFailed, naming the first difference among the known arguments."""
    for name in _QUEUE_ARGUMENTS:
        if name != "x-queue-type":
            _compare(name, received.get(name), current.get(name), described)
        elif received.get(name, CLASSIC) != current.get(name, CLASSIC):
            raise _inequivalent(name, received.get(name), current.get(name), described)


def compare_exchange_arguments(received: Arguments, current: Arguments, described: str) -> None:
    """Raises PreconditionFailed when the alternate exchanges differ; other arguments are not compared."""
    _compare("alternate-exchange", received.get("alternate-exchange"), current.get("alternate-exchange"), described)


def compare_property(name: str, received: bool | str, current: bool | str, described: str) -> None:
    """Raises PreconditionFailed when a property that every declaration has differs."""
    if received != current:
        raise PreconditionFailed(
            f"inequivalent arg '{name}' for {described}: received '{_printed(received)}'"
            f" but current is '{_printed(current)}'"
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


def _compare(name: str, received: Any, current: Any, described: str) -> None:
    if (received is None) != (current is None) or not equal_values(received, current):
        raise _inequivalent(name, received, current, described)


def _inequivalent(name: str, received: Any, current: Any, described: str) -> AmqpError:
    # RabbitMQ prints types only when one side is absent; clients parse both forms
    if received is None:
        difference = f"received none but current is {_typed(current)}"
    elif current is None:
        difference = f"received {_typed(received)} but current is none"
    else:
        difference = f"received '{_printed(received)}' but current is '{_printed(current)}'"
    return PreconditionFailed(f"inequivalent arg '{name}' for {described}: {difference}")


def _typed(value: Any) -> str:
    return f"the value '{_printed(value)}' of type '{type_name(value)}'"


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _check_name(arguments: Arguments, name: str, where: str) -> None:
    value = arguments.get(name)
    if name in arguments and not isinstance(value, str):
        raise PreconditionFailed(f"invalid type '{type_name(value)}' for arg '{name}' {where}")


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or isinstance(value, Timestamp):
        raise _Invalid(f'"expected integer, got {type_name(value)}"')
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Invalid(f'"expected string, got {type_name(value)}"')
    return value


def _natural(value: Any, _: Arguments) -> None:
    number = _integer(value)
    if number < 0:
        raise _Invalid(f"{{value_negative,{number}}}")


def _duration(value: Any, arguments: Arguments) -> None:
    _natural(value, arguments)
    if value > MAX_DURATION:
        raise _Invalid(f"{{value_too_large,{value}}}")


def _expiry(value: Any, arguments: Arguments) -> None:
    if _integer(value) == 0:
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
    if not isinstance(value, str):
        raise _Invalid(f"{{unacceptable_type,{type_name(value)}}}")
    if "x-dead-letter-exchange" not in arguments:
        raise _Invalid("routing_key_but_no_dlx_defined")


def _overflow(value: Any, _: Arguments) -> None:
    if not isinstance(value, str):
        raise _Invalid(f"{{unacceptable_type,{type_name(value)}}}")
    if value not in ("drop-head", "reject-publish", "reject-publish-dlx"):
        raise _Invalid("invalid_overflow")


def _queue_mode(value: Any, _: Arguments) -> None:
    if _string(value) not in ("default", "lazy"):
        raise _Invalid(f"\"unsupported queue mode '{value}'\"")


def _queue_version(value: Any, _: Arguments) -> None:
    if _integer(value) not in (1, 2):
        raise _Invalid(f"\"unsupported queue version '{value}'\"")


def _queue_type(value: Any, _: Arguments) -> None:
    if _string(value) != CLASSIC:
        raise _Invalid(f"\"unsupported queue type '{value}'\"")


def _any_string(value: Any, _: Arguments) -> None:
    _string(value)


_QUEUE_ARGUMENTS: Final[dict[str, Callable[[Any, Arguments], None]]] = {
    "x-expires": _expiry,
    "x-message-ttl": _duration,
    "x-dead-letter-exchange": _dead_letter_exchange,
    "x-dead-letter-routing-key": _dead_letter_routing_key,
    "x-max-length": _natural,
    "x-max-length-bytes": _natural,
    "x-max-priority": _priorities,
    "x-overflow": _overflow,
    "x-queue-mode": _queue_mode,
    "x-queue-version": _queue_version,
    "x-single-active-consumer": _boolean,
    "x-queue-type": _queue_type,
    "x-queue-master-locator": _any_string,
    "x-queue-leader-locator": _any_string,
}

_OTHER_QUEUE_TYPES: Final = frozenset(
    {
        "x-dead-letter-strategy",
        "x-delivery-limit",
        "x-max-age",
        "x-max-in-memory-length",
        "x-max-in-memory-bytes",
        "x-quorum-initial-group-size",
        "x-stream-max-segment-size-bytes",
        "x-initial-cluster-size",
    }
)
"""Arguments of quorum queues and streams, which a classic queue refuses."""
