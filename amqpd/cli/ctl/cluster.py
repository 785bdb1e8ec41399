"""What belongs to a cluster: amqpd is one node, and says so politely."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from ..http import Refusal, name
from .call import Call
from .checks import alarm_lines, alarms_of, ask, listening
from .formats import Done, Rows, Value, title
from .lists import Column, chosen, rows_of

ALONE = "amqpd is one node, and there are no clusters of it"


def cluster_status(call: Call) -> Value:
    call.banner(f"Cluster status of node {call.node} ...")
    overview, (node, *_) = call.api.get("/overview"), call.api.get("/nodes")
    flags = call.api.get("/feature-flags")
    here, alarms = node["name"], alarms_of(call)
    found = [{**each, "node": here} for each in listening(call)]
    lines = [title("Basics"), "", f"Cluster name: {overview['cluster_name']}"]
    lines += ["", title("Disk Nodes"), "", here, "", title("Running Nodes"), "", here]
    version = f"{here}: RabbitMQ {overview['rabbitmq_version']} on {overview['erlang_full_version']}"
    lines += ["", title("Versions"), "", version]
    lines += ["", title("Maintenance status"), "", f"Node: {here}, status: not under maintenance"]
    lines += ["", title("Alarms"), "", *(alarm_lines(call, alarms) or ["(none)"])]
    lines += ["", title("Network Partitions"), "", "(none)", "", title("Listeners"), ""]
    lines += [
        f"Node: {here}, interface: {each['interface']}, port: {each['port']}, protocol: {each['protocol']},"
        f" purpose: {each['purpose']}"
        for each in found
    ]
    lines += ["", title("Feature flags"), "", *[f"Flag: {each['name']}, state: {each['state']}" for each in flags]]
    data = {
        "alarms": [{"resource_limit": alarm, "node": here} for alarm in alarms],
        "cluster_name": overview["cluster_name"],
        "disk_nodes": [here],
        "feature_flags": flags,
        "listeners": {here: found},
        "maintenance_status": {here: "not under maintenance"},
        "partitions": {},
        "ram_nodes": [],
        "running_nodes": [here],
        "versions": {
            here: {
                "erlang_version": overview["erlang_full_version"],
                "rabbitmq_name": "RabbitMQ",
                "rabbitmq_version": overview["rabbitmq_version"],
            }
        },
    }
    return Value("\n".join(lines), data)


def set_cluster_name(call: Call) -> None:
    (cluster,) = call.arguments
    call.banner(f"Setting cluster name to {cluster} ...")
    call.api.put("/cluster-name", {"name": cluster})


def join(call: Call) -> NoReturn:
    (other,) = call.arguments
    call.banner(f"Clustering node {call.node} with {other}")
    call.deny(f"{ALONE}: {other} cannot be joined")


def forget(call: Call) -> NoReturn:
    (other,) = call.arguments
    call.banner(f"Removing node {other} from the cluster")
    call.deny("{:not_a_cluster_node, 'The node selected is not in the cluster.'}")


def alone(call: Call) -> NoReturn:
    """For changes to a cluster that there is none of."""
    call.deny(ALONE)


def nothing(call: Call) -> None:
    """Where a single node has nothing to do, and all is well."""
    call.banner(f"Nothing to do: {ALONE}.")


def await_plus_one(call: Call) -> Done:
    """For `rabbitmq-upgrade`, before a node goes: there is no other."""
    what = {
        "await_online_quorum_plus_one": "quorum + 1 of nodes to be online for all quorum queues",
        "await_online_synchronized_mirror": "synchronised mirror be online for all classic mirrored queues",
    }[call.verb.name]
    call.banner(f"Will wait for a {what} for {call.timeout or 120:g} seconds...")
    ask(call)
    return Done(always="Target node seems to be the only one in a single node cluster, the command does not apply")


def post_upgrade(call: Call) -> None:
    call.banner("Executing post upgrade tasks...\nNothing to do: there is one node, and queues do not move.")


def drain(call: Call) -> None:
    """As well as one node can: nobody else takes over."""
    call.banner(f"Will put node {call.node} into maintenance mode. The node will no longer serve any client traffic!")
    call.api.post("/amqpd/suspend")


def revive(call: Call) -> None:
    call.banner(f"Will put node {call.node} back into normal operating mode. The node will again serve client traffic.")
    call.api.post("/amqpd/resume")


def discover_peers(call: Call) -> Value:
    call.banner("Discovering peers nodes ...")
    return Value("No peers discovered", [])


# --- feature flags

FLAG: dict[str, Column] = {each: each for each in ("name", "state", "desc", "doc_url", "provided_by", "stability")}


def list_feature_flags(call: Call) -> Rows:
    columns = chosen(call, FLAG, ("name", "state"))
    call.banner("Listing feature flags ...")
    return rows_of(columns, FLAG, call.api.get("/feature-flags"))


def list_deprecated_features(call: Call) -> Rows:
    call.banner("Listing deprecated features ...")
    try:
        found: list[Any] = call.api.get("/deprecated-features")
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        found = []
    return rows_of(call.columns or ("name", "state"), {**FLAG, "deprecation_phase": "deprecation_phase"}, found)


def enable_feature_flag(call: Call) -> None:
    (flag,) = call.arguments
    call.banner("Enabling all feature flags ..." if flag == "all" else f'Enabling feature flag "{flag}" ...')
    try:
        call.api.put("/feature-flags" + name(flag) + "/enable", {"name": flag})
    except Refusal as refusal:
        if refusal.status in (400, 404):
            call.deny(f"This feature flag is not supported by node {call.node}", os.EX_USAGE)
        raise
