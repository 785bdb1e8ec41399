"""Logins: how many there were, and what to keep of a password."""

from __future__ import annotations

from typing import Any

from ...auth.passwords import hash_password
from ..call import Call
from ..errors import not_found
from ..resources import Resource, Right


def show_attempts(call: Call) -> Any:
    """By protocol."""
    _check_node(call)
    return call.management.attempts.described()


def show_attempts_by_source(call: Call) -> Any:
    """None, as RabbitMQ has it unless it is told to keep them: names and addresses of all who ever tried."""
    _check_node(call)
    return []


def forget_attempts(call: Call) -> None:
    _check_node(call)
    call.management.attempts.forget()


def _check_node(call: Call) -> None:
    if call.path("node") != call.broker.node:
        raise not_found()


def show_hash(call: Call) -> Any:
    return {"ok": hash_password(call.path("password").encode())}


RESOURCES = (
    Resource(
        "/auth/attempts/{node}", Right.ADMINISTRATOR, get=show_attempts, delete=forget_attempts, read=Right.MONITORING
    ),
    Resource(
        "/auth/attempts/{node}/source",
        Right.ADMINISTRATOR,
        get=show_attempts_by_source,
        delete=forget_attempts,
        read=Right.MONITORING,
    ),
    Resource("/auth/hash_password/{password}", Right.ADMINISTRATOR, get=show_hash),
)
