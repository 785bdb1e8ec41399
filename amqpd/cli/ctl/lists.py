"""Lists of queues, exchanges, bindings, connections, channels and consumers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..http import Refusal, name
from .call import TIMEOUT, Call
from .formats import Arguments, Rows, Word, Words

Column = str | Callable[[Mapping[str, Any]], Any]
"""Where a column's value is in the API's JSON: a name, dotted for what is inside, or what works it out."""


def rows_of(columns: Sequence[str], places: Mapping[str, Column], objects: Sequence[Mapping[str, Any]]) -> Rows:
    """Those columns of the API's objects."""
    wanted = [(column, places[column]) for column in columns]
    return Rows(columns, [{column: value(each, place) for column, place in wanted} for each in objects], streamed=True)


def value(shown: Mapping[str, Any], place: Column) -> Any:
    """One column of an object; nothing where it has none."""
    if not isinstance(place, str):
        return place(shown)
    if place in shown:
        return "" if shown[place] is None else shown[place]
    found: Any = shown
    for part in place.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return ""
        found = found[part]
    return "" if found is None else found


def chosen(call: Call, places: Mapping[str, Column], default: Sequence[str]) -> Sequence[str]:
    """The columns asked for. Leaves with 64 when one of them is none."""
    columns = call.columns or list(default)
    unknown = sorted({column for column in columns if column not in places})
    if unknown:
        call.invalid(f"Info key(s) {','.join(unknown)} are not supported")
    return columns


def _same(*names: str) -> dict[str, Column]:
    return {each: each for each in names}


def _arguments(shown: Mapping[str, Any]) -> Arguments:
    found = shown.get("arguments")
    return Arguments(found) if isinstance(found, Mapping) else Arguments()


def _needed(places: Mapping[str, Column], columns: Sequence[str], also: Mapping[str, str]) -> str:
    """What the API is to show, for these columns."""
    needed: dict[str, None] = {}
    for column in columns:
        place = places[column]
        needed[place.split(".")[0] if isinstance(place, str) else also[column]] = None
    return ",".join(needed)


# --- queues


def _single_active(shown: Mapping[str, Any]) -> Any:
    return shown.get("single_active_consumer_tag") or ""


QUEUE: Final[dict[str, Column]] = {
    **_same(
        "auto_delete", "consumer_capacity", "consumer_utilisation", "consumers", "durable",
        "exclusive", "exclusive_consumer_tag", "head_message_timestamp", "leader", "memory", "message_bytes",
        "message_bytes_persistent", "message_bytes_ram", "message_bytes_ready", "message_bytes_unacknowledged",
        "messages", "messages_persistent", "messages_ram", "messages_ready", "messages_ready_ram",
        "messages_unacknowledged", "messages_unacknowledged_ram", "name", "policy", "state", "type", "vhost",
        "operator_policy", "effective_policy_definition", "single_active_consumer_tag",
    ),
    "arguments": _arguments,
    "disk_reads": lambda shown: 0,
    "disk_writes": lambda shown: 0,
    "members": lambda shown: Words(shown.get("members") or ()) or "",
    "online": lambda shown: Words(shown.get("online") or ()) or "",
    "owner_pid": "owner_pid_details.name",
    "exclusive_consumer_pid": lambda shown: "",
    "single_active_consumer_pid": lambda shown: "",
    "pid": lambda shown: "",
    "slave_pids": lambda shown: "",
    "synchronised_slave_pids": lambda shown: "",
    "mirror_pids": lambda shown: "",
    "synchronised_mirror_pids": lambda shown: "",
}  # fmt: skip

_QUEUE_FROM: Final = {
    "arguments": "arguments",
    "members": "members",
    "online": "online",
    **dict.fromkeys(
        ("exclusive_consumer_pid", "single_active_consumer_pid", "pid", "slave_pids", "synchronised_slave_pids",
         "mirror_pids", "synchronised_mirror_pids", "disk_reads", "disk_writes"),
        "name",
    ),
}  # fmt: skip


def list_queues(call: Call) -> Rows:
    columns = chosen(call, QUEUE, ("name", "messages"))
    call.banner(f"Timeout: {float(call.timeout or TIMEOUT)} seconds ...\nListing queues for vhost {call.vhost} ...")
    if call.flag("offline") and not (call.flag("online") or call.flag("local")):
        return Rows(columns, [])
    found = _of_vhost(call, "/queues", columns=_needed(QUEUE, columns, _QUEUE_FROM))
    return rows_of(columns, QUEUE, found)


def list_unresponsive_queues(call: Call) -> Rows:
    columns = chosen(call, QUEUE, ("name",))
    call.banner(f"Listing unresponsive queues for vhost {call.vhost} ...")
    return Rows(columns, [])  # they live in the process that answers


# --- exchanges and bindings

EXCHANGE: Final[dict[str, Column]] = {
    **_same("name", "durable", "auto_delete", "internal", "policy", "user_who_performed_action"),
    "type": lambda shown: Word(shown["type"]),
    "arguments": _arguments,
}


def list_exchanges(call: Call) -> Rows:
    columns = chosen(call, EXCHANGE, ("name", "type"))
    call.banner(f"Listing exchanges for vhost {call.vhost} ...")
    found = _of_vhost(
        call, "/exchanges", columns=_needed(EXCHANGE, columns, {"arguments": "arguments", "type": "type"})
    )
    return rows_of(columns, EXCHANGE, found)


BINDING: Final[dict[str, Column]] = {
    "source_name": "source",
    "source_kind": lambda shown: "exchange",
    "destination_name": "destination",
    "destination_kind": "destination_type",
    "routing_key": "routing_key",
    "arguments": _arguments,
}


def list_bindings(call: Call) -> Rows:
    columns = chosen(call, BINDING, tuple(BINDING))
    call.banner(f"Listing bindings for vhost {call.vhost}...")
    return rows_of(columns, BINDING, _of_vhost(call, "/bindings"))


# --- connections, channels, consumers

CONNECTION: Final[dict[str, Column]] = {
    **_same(
        "name", "port", "host", "peer_port", "peer_host", "ssl", "ssl_protocol", "ssl_key_exchange", "ssl_cipher",
        "ssl_hash", "peer_cert_subject", "peer_cert_issuer", "peer_cert_validity", "state", "channels", "protocol",
        "auth_mechanism", "user", "vhost", "timeout", "frame_max", "channel_max", "recv_oct", "recv_cnt", "send_oct",
        "send_cnt", "send_pend", "connected_at", "type", "user_provided_name", "node",
    ),
    "pid": "name",
    "client_properties": lambda shown: Arguments(shown.get("client_properties") or {}),
}  # fmt: skip


def list_connections(call: Call) -> Rows:
    columns = chosen(call, CONNECTION, ("user", "peer_host", "peer_port", "state"))
    call.banner("Listing connections ...")
    return rows_of(columns, CONNECTION, call.api.get("/connections"))


CHANNEL: Final[dict[str, Column]] = {
    **_same(
        "name", "number", "user", "vhost", "transactional", "confirm", "consumer_count", "messages_unacknowledged",
        "messages_uncommitted", "acks_uncommitted", "messages_unconfirmed", "prefetch_count", "global_prefetch_count",
        "state", "node",
    ),
    "pid": "name",
    "connection": "connection_details.name",
}  # fmt: skip


def list_channels(call: Call) -> Rows:
    columns = chosen(call, CHANNEL, ("pid", "user", "consumer_count", "messages_unacknowledged"))
    call.banner("Listing channels ...")
    return rows_of(columns, CHANNEL, call.api.get("/channels"))


CONSUMER: Final[dict[str, Column]] = {
    "queue_name": "queue.name",
    "channel_pid": "channel_details.name",
    **_same("consumer_tag", "ack_required", "prefetch_count", "active"),
    "arguments": _arguments,
    "activity_status": "activity_status",
}


def list_consumers(call: Call) -> Rows:
    columns = chosen(call, CONSUMER, tuple(CONSUMER)[:-1])
    call.banner(f"Listing consumers in vhost {call.vhost} ...")
    return rows_of(columns, CONSUMER, _of_vhost(call, "/consumers"))


def list_mqtt_connections(call: Call) -> Rows:
    call.banner("Listing MQTT connections ...")
    connections = call.api.get("/connections")
    found = [each for each in connections if "MQTT" in str(each.get("protocol", ""))]
    return rows_of(
        call.columns or ("client_id", "conn_name"),
        {"client_id": "variable_map.client_id", "conn_name": "name", **CONNECTION},
        found,
    )


def _of_vhost(call: Call, path: str, **query: Any) -> list[Mapping[str, Any]]:
    """A list of one vhost; as in RabbitMQ, one that is not there has nothing."""
    try:
        found: list[Mapping[str, Any]] = call.api.get(path + name(call.vhost), **query)
    except Refusal as refusal:
        if refusal.status == 404:
            return []
        raise
    return found
