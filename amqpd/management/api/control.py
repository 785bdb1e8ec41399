"""What operators do to a broker beyond RabbitMQ's HTTP API, for `amqpctl`: below /api/amqpd, administrators only.

The API shows and changes the model; this reaches the process around it, which answers as `Control`.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from ...auth.base import Credentials, Peer, User
from ..call import Call, field_of
from ..committed import committed
from ..errors import HttpError, bad_request
from ..resources import Resource, Right

LEVELS: Final = ("debug", "info", "warning", "error", "critical", "none")
"""Of the log."""


class Control(Protocol):
    """The process a broker runs in."""

    def request_stop(self, reason: str) -> None:
        """Stop soon."""
        ...

    def suspend(self, *, send_away: bool) -> None:
        """Accept none until `resume`. Those there are may be closed; what is not durable goes with them."""
        ...

    async def resume(self) -> None:
        """Accept connections again. Raises StartupError when an address is somebody else's by now."""
        ...

    def reset(self) -> None:
        """Be as at the first start: no vhost, user or message but the defaults."""
        ...

    def collect(self) -> None:
        """Look for garbage now."""
        ...

    def set_log_level(self, level: str) -> None:
        """Log from this level up, one of `LEVELS`, until the end or until another is set."""
        ...


def _control(call: Call) -> Control:
    control = call.management.control
    if control is None:
        raise HttpError(503, "not_available", "this broker is part of another process")
    return control


def authenticate(call: Call) -> Any:
    """Whether a password would let a user in from this machine. It counts as an attempt, as any other."""
    name, password = field_of(call.body, "name", str), field_of(call.body, "password", str)
    here = Peer("127.0.0.1", 0, "127.0.0.1", 0, True)
    found = call.management.authenticator.authenticate(Credentials(name, password.encode(errors="replace")), here)
    if isinstance(found, User):
        return {"ok": True, "name": found.name, "tags": sorted(found.tags)}
    return {"ok": False, "reason": f"user '{name}' - invalid credentials"}


def stop(call: Call) -> None:
    _control(call).request_stop(field_of(call.body, "reason", str, "asked to over HTTP"))


def suspend(call: Call) -> None:
    kept = field_of(call.body, "connections", str, "close")
    if kept not in ("close", "keep"):
        raise bad_request("connections are to be one of close, keep")
    _control(call).suspend(send_away=kept == "close")


async def resume(call: Call) -> None:
    await _control(call).resume()


async def reset(call: Call) -> None:
    _control(call).reset()
    await committed(call.broker.store)


def collect(call: Call) -> None:
    _control(call).collect()


def set_log_level(call: Call) -> None:
    level = field_of(call.body, "level", str)
    if level not in LEVELS:
        raise bad_request(f"level {level} is not supported. Try one of {', '.join(LEVELS)}")
    _control(call).set_log_level(level)


def set_memory_limit(call: Call) -> None:
    watermarks = call.management.watermarks
    if watermarks is None:
        raise HttpError(503, "not_available", "nobody watches the memory of this broker")
    watermarks.set_vm_memory_high_watermark(_threshold(call))


def set_disk_limit(call: Call) -> None:
    watermarks = call.management.watermarks
    if watermarks is None:
        raise HttpError(503, "not_available", "nobody watches the disk of this broker")
    watermarks.set_disk_free_limit(_threshold(call))


def _threshold(call: Call) -> int | float:
    """Bytes, or a share of the memory there is. Raises HttpError 400."""
    body = call.body
    if ("absolute" in body) is ("fraction" in body):
        raise bad_request("give either absolute, in bytes, or fraction")
    if "absolute" in body:
        size: int = field_of(body, "absolute", int)
        return size
    return float(field_of(body, "fraction", (int, float)))


RESOURCES = (
    Resource("/amqpd/authenticate", Right.ADMINISTRATOR, post=authenticate),
    Resource("/amqpd/stop", Right.ADMINISTRATOR, post=stop),
    Resource("/amqpd/suspend", Right.ADMINISTRATOR, post=suspend),
    Resource("/amqpd/resume", Right.ADMINISTRATOR, post=resume),
    Resource("/amqpd/reset", Right.ADMINISTRATOR, post=reset),
    Resource("/amqpd/collect", Right.ADMINISTRATOR, post=collect),
    Resource("/amqpd/log-level", Right.ADMINISTRATOR, put=set_log_level),
    Resource("/amqpd/memory-limit", Right.ADMINISTRATOR, put=set_memory_limit),
    Resource("/amqpd/disk-limit", Right.ADMINISTRATOR, put=set_disk_limit),
)
