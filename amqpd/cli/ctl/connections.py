"""Sending clients away."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ..http import Refusal, name
from .call import Call
from .formats import Done


def close_connection(call: Call) -> None:
    """By its name, which stands for its process id as well, or by a pattern that names match whole."""
    wanted, *reason = call.arguments
    explanation = " ".join(reason)
    call.banner(f"Closing connection {wanted}, reason: {explanation}...")
    connections = call.api.get("/connections", columns="name")
    found = [each for each in connections if each["name"] == wanted] or _matching(wanted, connections)
    if not found and not wanted.startswith("<"):
        call.deny(f'Error:\n{{:invalid_pid_syntax, "{wanted}"}}')
    _close(call, found, explanation)


def close_all_connections(call: Call) -> Done:
    (explanation,) = call.arguments
    everywhere = call.flag("global")
    limit = call.options.get("limit", 0)
    where = f"to node {call.node} (across all vhosts)" if everywhere else f"in vhost {call.vhost}"
    call.banner(f"Closing {limit or 'all'} connections {where}, reason: {explanation}...")
    found = call.api.get("/connections", columns="name,vhost")
    chosen = [each for each in found if everywhere or each.get("vhost") == call.vhost]
    chosen = chosen[:limit] if limit else chosen
    _close(call, chosen, explanation, call.options.get("per_connection_delay", 0) / 1000)
    return Done(f"Closed {len(chosen)} connections")


def close_all_user_connections(call: Call) -> None:
    user, explanation = call.arguments
    call.banner(f"Closing connections of user {user}, reason: {explanation}...")
    found = call.api.get("/connections", columns="name,user")
    _close(call, [each for each in found if each.get("user") == user], explanation)


def _matching(pattern: str, connections: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    try:
        expression = re.compile(pattern)
    except re.error:
        return []
    return [each for each in connections if expression.fullmatch(each["name"])]


def _close(call: Call, connections: Iterable[Mapping[str, Any]], explanation: str, delay: float = 0) -> None:
    for number, each in enumerate(connections):
        if number and delay:
            time.sleep(delay)
        try:
            call.api.call("DELETE", "/connections" + name(each["name"]), headers={"X-Reason": _header(explanation)})
        except Refusal as refusal:
            if refusal.status != 404:  # gone by itself
                raise


def _header(text: str) -> str:
    """On one line, and as HTTP has it."""
    return " ".join(text.split()).encode("ascii", "replace").decode()
