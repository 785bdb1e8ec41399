"""What the commands of rabbitmqadmin v2 do."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..http import Refusal, name
from .v2 import Call, Fault

# --- lists


class Listed(NamedTuple):
    """A list: where it is, and which columns it shows, under which names."""

    path: str
    columns: tuple[str, ...]
    by_vhost: bool = False


LISTS: Final = {
    "queues": Listed(
        "/queues",
        ("name", "vhost", "queue_type", "durable", "auto_delete", "exclusive", "state", "message_count",
         "unacknowledged_message_count", "consumer_count", "memory", "policy", "arguments"),
        True,
    ),
    "exchanges": Listed(
        "/exchanges", ("name", "vhost", "exchange_type", "durable", "auto_delete", "internal", "arguments"), True
    ),
    "bindings": Listed(
        "/bindings",
        ("vhost", "source", "destination", "destination_type", "routing_key", "arguments", "properties_key"),
        True,
    ),
    "connections": Listed(
        "/connections", ("name", "node", "state", "protocol", "username", "connected_at", "server_hostname",
                         "server_port", "client_hostname", "client_port", "channel_max", "channel_count")
    ),
    "channels": Listed(
        "/channels", ("id", "name", "vhost", "state", "consumer_count", "has_publisher_confirms_enabled",
                      "prefetch_count", "unacknowledged_message_count", "unconfirmed_message_count")
    ),
    "consumers": Listed(
        "/consumers", ("consumer_tag", "active", "manual_ack", "prefetch_count", "exclusive", "arguments", "queue"),
        True,
    ),
    "users": Listed("/users", ("name", "tags", "password_hash")),
    "vhosts": Listed("/vhosts", ("name", "tags", "description", "default_queue_type", "tracing")),
    "permissions": Listed("/permissions", ("user", "vhost", "configure", "read", "write")),
    "nodes": Listed("/nodes", ("name", "uptime", "run_queue", "processors", "os_pid", "fd_total", "mem_used",
                               "mem_limit", "mem_alarm", "disk_free", "disk_free_limit", "disk_free_alarm")),
    "policies": Listed("/policies", ("name", "vhost", "pattern", "apply-to", "priority", "definition"), True),
    "operator_policies": Listed(
        "/operator-policies", ("name", "vhost", "pattern", "apply-to", "priority", "definition"), True
    ),
    "parameters": Listed("/parameters", ("name", "vhost", "component", "value")),
    "global_parameters": Listed("/global-parameters", ("name", "value")),
    "vhost_limits": Listed("/vhost-limits", ("vhost", "value")),
    "user_limits": Listed("/user-limits", ("user", "value")),
    "feature_flags": Listed("/feature-flags", ("name", "state", "stability", "desc", "provided_by")),
    "deprecated_features": Listed("/deprecated-features", ("name", "state", "deprecation_phase", "desc")),
    "deprecated_features_in_use": Listed(
        "/deprecated-features/used", ("name", "state", "deprecation_phase", "desc")
    ),
    "shovels": Listed("/shovels", ("name", "vhost", "state", "type")),
    "federation_links": Listed("/federation-links", ("upstream", "vhost", "type", "status")),
}  # fmt: skip

_NAMES: Final = {
    "queue_type": "type", "exchange_type": "type", "message_count": "messages",
    "unacknowledged_message_count": "messages_unacknowledged", "consumer_count": "consumers", "username": "user",
    "server_hostname": "host", "server_port": "port", "client_hostname": "peer_host", "client_port": "peer_port",
    "channel_count": "channels", "id": "number", "has_publisher_confirms_enabled": "confirm",
    "unconfirmed_message_count": "messages_unconfirmed", "manual_ack": "ack_required", "limits": "value",
}  # fmt: skip
"""Names that v2 has for what the API calls otherwise."""


def _value(item: Mapping[str, Any], column: str) -> Any:
    found: Any = item
    for part in [column] if column in item else [_NAMES.get(column, column)]:
        if part not in item and "." in part:
            for step in part.split("."):
                found = found.get(step) if isinstance(found, Mapping) else None
            return found
        found = item.get(part)
    return found


def _show(call: Call, items: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    chosen = [each for each in str(call["columns"] or "").split(",") if each] or columns
    call.table(chosen, [[_value(item, column) for column in chosen] for item in items])


def list_(call: Call) -> None:
    listed = LISTS[call.noun]
    path = listed.path
    if listed.by_vhost and call.settings.get("vhost"):
        path += name(call.vhost)
    if call["page"] or call["page-size"]:
        page = {"page": call["page"] or "1", "page_size": call["page-size"]}
        found = call.api.get(path, **page)
        found = found["items"] if isinstance(found, Mapping) else found
    else:
        found = call.api.get(path)
    if call["component"]:
        found = [each for each in found if each.get("component") == call["component"]]
    if call["username"]:
        found = [each for each in found if call["username"] in (each.get("user"), each.get("username"))]
    _show(call, found, listed.columns)


def list_streams(call: Call) -> None:
    path = "/queues" + (name(call.vhost) if call.settings.get("vhost") else "")
    _show(call, [each for each in call.api.get(path) if each.get("type") == "stream"], LISTS["queues"].columns)


def show_queue(call: Call) -> None:
    found = call.api.get("/queues" + name(call.vhost, call["name"]))
    _pairs(call, found, [each for each in str(call["columns"] or "").split(",") if each] or LISTS["queues"].columns)


def _pairs(call: Call, found: Mapping[str, Any], keys: Sequence[str]) -> None:
    call.table(("key", "value"), [(key, _value(found, key)) for key in keys])


# --- what is declared and deleted


def declare_queue(call: Call) -> None:
    kind = call["type"]
    arguments = {**call.json("arguments"), **({} if kind == "classic" else {"x-queue-type": kind})}
    body = {"durable": call.flag("durable", True), "auto_delete": call.flag("auto-delete", False),
            "arguments": arguments}  # fmt: skip
    call.api.put("/queues" + name(call.vhost, call["name"]), body)


def declare_stream(call: Call) -> None:
    arguments = {**call.json("arguments"), "x-queue-type": "stream", "x-max-age": call["expiration"]}
    for option in ("max-length-bytes", "stream-max-segment-size-bytes"):
        if call[option]:
            arguments[f"x-{option}"] = number(call, option)
    body = {"durable": True, "auto_delete": False, "arguments": arguments}
    call.api.put("/queues" + name(call.vhost, call["name"]), body)


def delete_queue(call: Call) -> None:
    call.api.delete("/queues" + name(call.vhost, call["name"]))


def purge_queue(call: Call) -> None:
    call.api.delete("/queues" + name(call.vhost, call["name"]) + "/contents")


def declare_exchange(call: Call) -> None:
    body = {
        "type": call["type"] or "direct",
        "durable": call.flag("durable", True),
        "auto_delete": call.flag("auto-delete", False),
        "arguments": call.json("arguments"),
    }
    call.api.put("/exchanges" + name(call.vhost, call["name"]), body)


def delete_exchange(call: Call) -> None:
    call.api.delete("/exchanges" + name(call.vhost, call["name"]))


def _binding_path(call: Call) -> str:
    kind = str(call["destination-type"])
    if kind not in ("queue", "exchange"):
        raise Fault(f"error: invalid value '{kind}' for '--destination-type': queue or exchange", os.EX_USAGE)
    source, destination = name(call.vhost), name(call["source"])
    return f"/bindings{source}/e{destination}/{kind[0]}{name(call['destination'])}"


def declare_binding(call: Call) -> None:
    body = {"routing_key": call["routing-key"], "arguments": call.json("arguments")}
    call.api.post(_binding_path(call), body)


def delete_binding(call: Call) -> None:
    path, arguments = _binding_path(call), call.json("arguments")
    for each in call.api.get(path):
        if each["routing_key"] == call["routing-key"] and each.get("arguments", {}) == arguments:
            call.api.delete(path + name(each["properties_key"]))
            return
    if not call["idempotently"]:
        raise Fault("no such binding", os.EX_DATAERR)


def declare_user(call: Call) -> None:
    secret = {"password_hash": call["password-hash"], "hashing_algorithm": _ALGORITHMS[_algorithm(call)]}
    if not call["password-hash"]:
        if not call["password"]:
            raise Fault("error: please provide either --password or --password-hash", os.EX_USAGE)
        secret = {"password": call["password"]}
    call.api.put("/users" + name(call["name"]), {**secret, "tags": call["tags"]})


def delete_user(call: Call) -> None:
    call.api.delete("/users" + name(call["name"]))


def declare_vhost(call: Call) -> None:
    wanted = {
        "default_queue_type": call["default-queue-type"],
        "description": call["description"],
        "tracing": True if call["tracing"] else None,
    }
    call.api.put("/vhosts" + name(call["name"]), {key: value for key, value in wanted.items() if value is not None})


def delete_vhost(call: Call) -> None:
    call.api.delete("/vhosts" + name(call["name"]))


def protect_vhost(call: Call) -> None:
    call.api.post("/vhosts" + name(call["name"]) + "/deletion/protection")


def unprotect_vhost(call: Call) -> None:
    call.api.delete("/vhosts" + name(call["name"]) + "/deletion/protection")


def declare_permissions(call: Call) -> None:
    body = {what: call[what] for what in ("configure", "write", "read")}
    call.api.put("/permissions" + name(call.vhost, call["username"]), body)


def delete_permissions(call: Call) -> None:
    call.api.delete("/permissions" + name(call.vhost, call["username"]))


def _policy(path: str) -> tuple[Callable[[Call], None], Callable[[Call], None]]:
    def declare(call: Call) -> None:
        body = {
            "pattern": call["pattern"],
            "apply-to": call["apply-to"],
            "priority": number(call, "priority"),
            "definition": call.json("definition"),
        }
        call.api.put(path + name(call.vhost, call["name"]), body)

    def delete(call: Call) -> None:
        call.api.delete(path + name(call.vhost, call["name"]))

    return declare, delete


declare_policy, delete_policy = _policy("/policies")
declare_operator_policy, delete_operator_policy = _policy("/operator-policies")


def set_parameter(call: Call) -> None:
    call.api.put("/parameters" + name(call["component"], call.vhost, call["name"]), {"value": call.json("value")})


def clear_parameter(call: Call) -> None:
    call.api.delete("/parameters" + name(call["component"], call.vhost, call["name"]))


def set_global_parameter(call: Call) -> None:
    call.api.put("/global-parameters" + name(call["name"]), {"value": call.json("value")})


def clear_global_parameter(call: Call) -> None:
    call.api.delete("/global-parameters" + name(call["name"]))


def declare_vhost_limit(call: Call) -> None:
    call.api.put("/vhost-limits" + name(call.vhost, call["name"]), {"value": number(call, "value")})


def delete_vhost_limit(call: Call) -> None:
    call.api.delete("/vhost-limits" + name(call.vhost, call["name"]))


def declare_user_limit(call: Call) -> None:
    call.api.put("/user-limits" + name(call["username"], call["name"]), {"value": number(call, "value")})


def delete_user_limit(call: Call) -> None:
    call.api.delete("/user-limits" + name(call["username"], call["name"]))


# --- messages


def publish(call: Call) -> None:
    if call["payload-file"]:
        try:
            content = Path(call["payload-file"]).read_bytes()
        except OSError as error:
            raise Fault(f"cannot read {call['payload-file']}: {error.strerror}", os.EX_NOINPUT) from error
    else:
        content = call["payload"].encode()
    body = {
        "routing_key": call["routing-key"],
        "properties": call.json("properties"),
        "payload": base64.b64encode(content).decode(),
        "payload_encoding": "base64",
    }
    exchange = call["exchange"] or "amq.default"
    answer = call.api.post("/exchanges" + name(call.vhost, exchange) + "/publish", body)
    call.table(("key", "value"), [("Message published and routed", answer["routed"])])


def get(call: Call) -> None:
    body = {"count": number(call, "count"), "ackmode": call["ack-mode"], "encoding": "auto"}
    found = call.api.post("/queues" + name(call.vhost, call["queue"]) + "/get", body)
    columns = ("payload_bytes", "redelivered", "exchange", "routing_key", "message_count", "properties", "payload")
    _show(call, found, columns)


# --- connections


def close_connection(call: Call) -> None:
    call.api.delete("/connections" + name(call["name"]))


def close_user_connections(call: Call) -> None:
    call.api.delete("/connections/username" + name(call["username"]))


def user_connections(call: Call) -> None:
    _show(call, call.api.get("/connections/username" + name(call["username"])), LISTS["connections"].columns)


# --- definitions


def export(call: Call) -> None:
    _export(call, "/definitions")


def export_vhost(call: Call) -> None:
    _export(call, "/definitions" + name(call.vhost))


def _export(call: Call, path: str) -> None:
    found = call.api.get(path)
    for each in [part for part in str(call["transformations"] or "").split(",") if part]:
        if each not in TRANSFORMATIONS:
            known = ", ".join(TRANSFORMATIONS)
            raise Fault(f"error: unknown transformation '{each}'; there are {known}", os.EX_USAGE)
        TRANSFORMATIONS[each](found)
    content = json.dumps(found, indent=2, ensure_ascii=False)
    if call["stdout"] or call["file"] == "-":
        print(content)
        return
    try:
        Path(call["file"]).write_text(content + "\n")
    except OSError as error:
        raise Fault(f"cannot write {call['file']}: {error.strerror}", os.EX_CANTCREAT) from error


def import_(call: Call) -> None:
    _import(call, "/definitions")


def import_vhost(call: Call) -> None:
    _import(call, "/definitions" + name(call.vhost))


def _import(call: Call, path: str) -> None:
    if call["stdin"] or call["file"] == "-":
        content = sys.stdin.buffer.read()
    elif not call["file"]:
        raise Fault("error: give either --file <path> or --stdin", os.EX_USAGE)
    else:
        try:
            content = Path(call["file"]).read_bytes()
        except OSError as error:
            raise Fault(f"cannot read {call['file']}: {error.strerror}", os.EX_NOINPUT) from error
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        raise Fault("the definitions are no valid JSON", os.EX_DATAERR) from None
    call.api.raw("POST", path, content)


def _drop(*parts: str) -> Callable[[dict[str, Any]], None]:
    def transform(definitions: dict[str, Any]) -> None:
        for part in parts:
            definitions[part] = []

    return transform


_MIRRORING: Final = frozenset(
    {"ha-mode", "ha-params", "ha-promote-on-failure", "ha-promote-on-shutdown", "ha-sync-batch-size", "ha-sync-mode"}
)


def _strip_mirroring(definitions: dict[str, Any]) -> None:
    for policy in definitions.get("policies", []):
        policy["definition"] = {key: value for key, value in policy["definition"].items() if key not in _MIRRORING}


def _drop_empty_policies(definitions: dict[str, Any]) -> None:
    definitions["policies"] = [policy for policy in definitions.get("policies", []) if policy["definition"]]


TRANSFORMATIONS: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "no_op": lambda definitions: None,
    "exclude_users": _drop("users"),
    "exclude_permissions": _drop("permissions", "topic_permissions"),
    "exclude_runtime_parameters": _drop("parameters"),
    "exclude_policies": _drop("policies"),
    "strip_cmq_keys_from_policies": _strip_mirroring,
    "drop_empty_policies": _drop_empty_policies,
}
"""Changes that an export may be put through, by the names that v2 has for them."""


# --- what it is, and how it is


def overview(call: Call) -> None:
    found = call.api.get("/overview")
    totals, objects = found.get("queue_totals", {}), found.get("object_totals", {})
    rows = [
        ("Product name", found.get("product_name")),
        ("Product version", found.get("product_version")),
        ("RabbitMQ version", found.get("rabbitmq_version")),
        ("Erlang version", found.get("erlang_version")),
        ("Erlang details", found.get("erlang_full_version")),
        ("Connections (total)", objects.get("connections")),
        ("AMQP 0-9-1 channels (total)", objects.get("channels")),
        ("Queues and streams (total)", objects.get("queues")),
        ("Consumers (total)", objects.get("consumers")),
        ("Messages (total)", totals.get("messages")),
        ("Messages ready for delivery (total)", totals.get("messages_ready")),
        ("Messages delivered but unacknowledged by consumers (total)", totals.get("messages_unacknowledged")),
        *[
            (f"{said} rate (global)", found.get("message_stats", {}).get(f"{key}_details", {}).get("rate"))
            for said, key in (
                ("Publishing (ingress)", "publish"),
                ("Publishing confirm", "confirm"),
                ("Consumer delivery (egress)", "deliver"),
                ("Consumer delivery in automatic acknowledgement mode", "deliver_no_ack"),
                ("Consumer acknowledgement", "ack"),
                ("Unroutable messages: returned-to-publisher", "return_unroutable"),
                ("Unroutable messages: dropped", "drop_unroutable"),
            )
        ],
        ("Cluster tags", found.get("cluster_tags")),
        ("Node tags", found.get("node_tags")),
    ]
    call.table(("key", "value"), rows)


def churn(call: Call) -> None:
    found = call.api.get("/overview").get("churn_rates", {})
    call.table(("key", "value"), [(key, found[key]) for key in sorted(found) if not key.endswith("_details")])


def endpoint(call: Call) -> None:
    place = call.api.place
    scheme = "unix:" if place.socket else "https://" if place.tls else "http://"
    call.table(("key", "value"), [("Using endpoint", f"{scheme}{place}{place.prefix}/api")])


def memory_in_bytes(call: Call) -> None:
    _memory(call, lambda used, total: used)


def memory_in_percent(call: Call) -> None:
    _memory(call, lambda used, total: f"{100 * used / (total or 1):.2f}%")


def _memory(call: Call, shown: Callable[[int, int], Any]) -> None:
    memory = call.api.get("/nodes" + name(call["node"]) + "/memory")["memory"]
    total = int(memory.get("total", {}).get("rss", 0))
    parts = sorted(((key, used) for key, used in memory.items() if isinstance(used, int)), key=lambda part: -part[1])
    call.table(("key", "value"), [("total", shown(total, total)), *((key, shown(used, total)) for key, used in parts)])


def plugins(call: Call) -> None:
    rows = [
        (node["name"], plugin)
        for node in call.api.get("/nodes")
        if call["node"] in (None, node["name"])
        for plugin in node.get("enabled_plugins", [])
    ]
    call.table(("node", "name"), rows)


def auth_attempts(call: Call) -> None:
    found = call.api.get("/auth/attempts" + name(call["node"]))
    _show(call, found, ("protocol", "auth_attempts", "auth_attempts_failed", "auth_attempts_succeeded"))


def check(path: str) -> Callable[[Call], None]:
    def ask(call: Call) -> None:
        place = path.format(port=call["port"], protocol=call["protocol"])
        try:
            call.api.get(f"/health/checks/{place}")
        except Refusal as refusal:
            if refusal.status != 503:
                raise
            raise Fault(f"health check failed: {refusal.text}", os.EX_UNAVAILABLE) from None
        if not call.quiet:
            print("health check passed")

    return ask


def enable_flag(call: Call) -> None:
    call.api.put("/feature-flags" + name(call["name"]) + "/enable", {"name": call["name"]})


def enable_flags(call: Call) -> None:
    for each in call.api.get("/feature-flags"):
        if each["state"] != "enabled":
            call.api.put("/feature-flags" + name(each["name"]) + "/enable", {"name": each["name"]})


def rebalance(call: Call) -> None:
    call.api.post("/rebalance/queues")


_ALGORITHMS: Final = {"SHA256": "rabbit_password_hashing_sha256", "SHA512": "rabbit_password_hashing_sha512"}


def _algorithm(call: Call) -> str:
    algorithm = str(call["hashing-algorithm"]).upper().replace("-", "")
    if algorithm not in _ALGORITHMS:
        raise Fault(f"error: unknown algorithm '{call['hashing-algorithm']}': SHA256 or SHA512", os.EX_USAGE)
    return algorithm


def salt_and_hash(call: Call) -> None:
    import hashlib  # noqa: PLC0415
    import secrets  # noqa: PLC0415

    salt = secrets.token_bytes(4)
    digest = hashlib.new(_algorithm(call).lower(), salt + call["password"].encode()).digest()
    call.table(("key", "value"), [("password hash", base64.b64encode(salt + digest).decode())])


def number(call: Call, option: str) -> int:
    try:
        return int(call[option])
    except ValueError:
        raise Fault(f"error: invalid value '{call[option]}' for '--{option}': a number", os.EX_USAGE) from None
