"""What is done to queues, and what rabbitmq-queues has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

from ..http import Refusal, name
from .call import Call
from .formats import Done, Rows, Value


def find(call: Call, queue: str) -> Mapping[str, Any] | None:
    """A queue as the API has it; None when there is none."""
    try:
        found: Mapping[str, Any] = call.api.get("/queues" + name(call.vhost, queue))
    except Refusal as refusal:
        if refusal.status == 404:
            return None
        raise
    return found


def purge_queue(call: Call) -> None:
    (queue,) = call.arguments
    call.banner(f"Purging queue '{queue}' in vhost '{call.vhost}' ...")
    try:
        call.api.delete("/queues" + name(call.vhost, queue) + "/contents")
    except Refusal as refusal:
        if refusal.status == 404:
            call.deny("not_found")
        call.deny(refusal.text)


def delete_queue(call: Call) -> Done:
    (queue,) = call.arguments
    conditions = [
        words
        for option, words in (("if_empty", "if queue is empty"), ("if_unused", "if queue is unused"))
        if call.flag(option)
    ]
    said = f" {' and '.join(conditions)}" if conditions else ""
    call.banner(f"Deleting queue '{queue}' on vhost '{call.vhost}'{said} ...")
    found = find(call, queue)
    if found is None:
        call.deny("Queue not found", os.EX_USAGE)
    try:
        call.api.delete(
            "/queues" + name(call.vhost, queue),
            **{"if-empty": "true" if call.flag("if_empty") else None},
            **{"if-unused": "true" if call.flag("if_unused") else None},
        )
    except Refusal as refusal:
        if "not empty" in refusal.text or refusal.text.endswith("empty"):
            call.deny("Queue is not empty", os.EX_USAGE)
        if "in use" in refusal.text:
            call.deny("Queue is in use", os.EX_USAGE)
        call.deny(refusal.text)
    return Done(f"Queue was successfully deleted with {found.get('messages_ready', 0)} ready messages")


def create_queue(call: Call) -> None:
    """As lavinmqctl has it."""
    (queue,) = call.arguments
    call.banner(f"Creating queue '{queue}' in vhost '{call.vhost}' ...")
    arguments = {
        f"x-{option.replace('_', '-')}": call.options[option]
        for option in (
            "expires", "max_length", "message_ttl", "delivery_limit", "reject_on_overflow", "dead_letter_exchange",
            "dead_letter_routing_key", "queue_type",
        )
        if option in call.options
    }  # fmt: skip
    if arguments.pop("x-reject-on-overflow", False):
        arguments["x-overflow"] = "reject-publish"
    body = {"durable": call.flag("durable"), "auto_delete": call.flag("auto_delete"), "arguments": arguments}
    call.api.put("/queues" + name(call.vhost, queue), body)


def sync_queue(call: Call) -> NoReturn:
    (queue,) = call.arguments
    call.banner(f"Synchronising queue '{queue}' in vhost '{call.vhost}' ...")
    call.deny("not_found" if find(call, queue) is None else "not_mirrored")


def cancel_sync_queue(call: Call) -> Done:
    (queue,) = call.arguments
    call.banner(f"Stopping synchronising queue '{queue}' in vhost '{call.vhost}' ...")
    if find(call, queue) is None:
        call.deny("not_found")
    return Done(always="not_syncing")


# --- quorum queues and streams, of which all members are here


def quorum_status(call: Call) -> Rows:
    (queue,) = call.arguments
    call.banner(f"Status of quorum queue {queue} on node {call.node} ...")
    found = _of_type(call, queue, "quorum", "Cannot get quorum status of a {} queue")
    columns = ("Node Name", "Raft State", "Log Index", "Commit Index", "Snapshot Index", "Term", "Machine Version")
    return Rows(columns, [{"Node Name": found["node"], "Raft State": "leader"}])  # there is no log of Raft's


def stream_status(call: Call) -> Rows:
    (stream,) = call.arguments
    call.banner(f"Status of stream {stream} on node {call.node} ...")
    found = _of_type(call, stream, "stream", "Cannot get stream status of a {} queue")
    columns = ("role", "node", "epoch", "offset", "committed_offset", "first_offset", "readers", "segments")
    return Rows(columns, [{"role": "writer", "node": found["node"], "readers": found.get("consumers", "")}])


def peek(call: Call) -> Rows:
    """Without disturbing it; of any queue, not only of quorum queues."""
    queue, position = call.arguments
    if not position.isdigit() or int(position) < 1:
        call.invalid('"position value must be a positive integer"')
    call.banner(f"Peeking at quorum queue {queue} at position {position} on node {call.node} ...")
    if find(call, queue) is None:
        call.deny(f"Target queue was not found in virtual host '{call.vhost}'")
    found = call.api.get(f"/amqpd/queues{name(call.vhost, queue)}/messages", offset=int(position) - 1, count=1)
    if not found["items"]:
        call.deny("no_message_at_pos")
    message = found["items"][0]
    keys = ("exchange", "routing_key", "payload", "properties", "redelivered")
    return Rows(("keys", "values"), [{"keys": key, "values": message.get(key, "")} for key in keys])


def reclaim_quorum_memory(call: Call) -> None:
    (queue,) = call.arguments
    call.banner(f"Will flush Raft WAL of quorum queue {queue} ...")
    if find(call, queue) is None:
        call.deny(f"Target queue was not found in virtual host '{call.vhost}'")
    _of_type(call, queue, "quorum", "Operation is not supported for {} queues")


def set_stream_retention_policy(call: Call) -> NoReturn:
    stream, period = call.arguments
    call.banner(f"Setting retention policy of stream queue {stream} to {period} ...")
    if find(call, stream) is None:
        call.deny("not_found")
    call.deny("a stream's retention is an argument or a policy here, too: see set_policy, with max-age")


def rebalance(call: Call) -> Done:
    (kind,) = call.arguments
    if kind not in ("all", "classic", "quorum", "stream"):
        call.deny(f"type {kind} is not supported. Try one of all, classic, quorum.")
    call.banner(f"Re-balancing leaders of {kind} queues...")
    return Done()


def member(call: Call) -> NoReturn:
    queue, node = call.arguments
    what = "Adding a replica for" if call.verb.name.startswith("add") else "Removing a replica of"
    call.banner(f"{what} queue {queue} on node {node}...")
    if find(call, queue) is None:
        call.deny("not_found")
    call.deny(f"node {node} is not there: amqpd is one node, on which queues are all they need")


def grow(call: Call) -> Rows:
    strategy = call.arguments[1]
    if strategy not in ("all", "even"):
        call.invalid(f"\"strategy '{strategy}' is not recognised.\"")
    call.banner(f"Growing all quorum queues on {call.arguments[0]}...")
    return Rows(("vhost", "name", "size", "result"), [])


def shrink(call: Call) -> Rows:
    call.banner(f"Shrinking quorum queues on {call.arguments[0]}...")
    return Rows(("vhost", "name", "size", "result"), [])


def ring_state(call: Call) -> Value:
    (exchange,) = call.arguments
    call.banner(f"Inspecting consistent hashing ring state for exchange {exchange} in virtual host '{call.vhost}'...")
    try:
        found = call.api.get("/exchanges" + name(call.vhost, exchange) + "/bindings/source")
    except Refusal as refusal:
        if refusal.status == 404:
            call.deny("Exchange does not exist, is of another type, or has no bindings", os.EX_DATAERR)
        raise
    lines = [f"{each['destination']}: weight {each['routing_key']}" for each in found]
    return Value("\n".join(lines), found)


def _of_type(call: Call, queue: str, kind: str, otherwise: str) -> Mapping[str, Any]:
    found = find(call, queue)
    if found is None:
        call.deny("not_found")
    if found.get("type") != kind:
        call.deny(otherwise.format(found.get("type")))
    return found
