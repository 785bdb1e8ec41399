"""The broker as a whole: overview, nodes, who is asking, and what clients ask about the product."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qsl

from ... import __version__
from ...auth.base import Credentials
from ...broker.alarms import LOW_ON_DISK, LOW_ON_MEMORY
from ...broker.exchanges import type_names
from ...broker.parameters import CLUSTER_NAME
from ..call import Call, field_of
from ..committed import once_committed
from ..errors import not_found
from ..memory import memory_parts
from ..process import disk_free, file_descriptors, file_limit, resident_bytes
from ..rates import depth_of
from ..resources import Resource, Right

STEP: Final = 1000
"""Queues to count before others have their turn."""


async def show_overview(call: Call) -> Any:
    broker, options = call.broker, call.management.options
    properties = call.management.server_properties
    version = str(properties.get("version", __version__))
    shown = {
        "management_version": version,
        "rates_mode": options.rates_mode,
        "sample_retention_policies": {"global": [600], "basic": [600], "detailed": [600]},
        "exchange_types": exchange_types(),
        "product_version": version,
        "product_name": str(properties.get("product", "amqpd")),
        "rabbitmq_version": version,
        "amqpd_version": __version__,
        "cluster_name": str(properties.get("cluster_name", broker.node)),
        "cluster_tags": dict(options.cluster_tags),
        "node_tags": dict(options.node_tags),
        "erlang_version": "",
        "erlang_full_version": f"Python {platform.python_version()}",
        "crypto_lib_version": "",
        "release_series_support_status": "supported",
        "disable_stats": call.without_stats,
        "enable_queue_totals": call.with_totals,
        "default_queue_type": "classic",
        "is_op_policy_updating_enabled": True,
        "node": broker.node,
    }
    return shown | (_object_totals(call) if call.without_stats else await _statistics(call))


def _object_totals(call: Call) -> dict[str, Any]:
    """What there is to count without statistics."""
    vhosts = call.vhosts()
    counts = {
        "queues": sum([len(vhost.queues) for vhost in vhosts]),
        "exchanges": sum([len(vhost.exchanges) for vhost in vhosts]),
    }
    if call.sees_all:
        counts["connections"] = len(call.broker.connections.open)
    return {"object_totals": counts}


async def _statistics(call: Call) -> dict[str, Any]:
    management, broker = call.management, call.broker
    rates = management.rates
    totals = [0, 0, 0]
    counts = {"channels": 0, "connections": 0, "consumers": 0, "exchanges": 0, "queues": 0}
    for vhost in call.vhosts():
        counts["exchanges"] += len(vhost.exchanges)
        counts["queues"] += len(vhost.queues)
        for number, queue in enumerate(list(vhost.queues.values()), 1):
            totals = [before + more for before, more in zip(totals, depth_of(queue), strict=True)]
            counts["consumers"] += len(queue.consumers)
            if number % STEP == 0:
                await asyncio.sleep(0)
    counts["connections"] = len(broker.connections.open)
    counts["channels"] = sum([len(connection.open_channels()) for connection in broker.connections.open])
    return {
        "message_stats": rates.totals(),
        "churn_rates": rates.details("churn", asdict(broker.churn)),
        "queue_totals": rates.depths(call.vhosts(), (totals[0], totals[1], totals[2])),
        "object_totals": counts,
        "statistics_db_event_queue": 0,
        "listeners": [
            {
                "node": broker.node,
                "protocol": listener.protocol,
                "ip_address": listener.host,
                "port": listener.port,
                "socket_opts": {},
            }
            for listener in management.listeners
        ],
        "contexts": _contexts(call),
    }


def exchange_types() -> list[dict[str, Any]]:
    return [{"name": name, "description": "", "enabled": True} for name in type_names()]


MEMORY_PARTS: Final = (
    "connection_readers", "connection_writers", "connection_channels", "connection_other", "queue_procs",
    "queue_slave_procs", "quorum_queue_procs", "quorum_queue_dlx_procs", "stream_queue_procs",
    "stream_queue_replica_reader_procs", "stream_queue_coordinator_procs", "plugins", "metadata_store", "other_proc",
    "metrics", "mgmt_db", "mnesia", "quorum_ets", "metadata_store_ets", "other_ets", "binary", "msg_index", "code",
    "atom", "other_system", "allocated_unused", "reserved_unallocated",
)  # fmt: skip
"""What RabbitMQ's memory goes to. Strict clients miss each that is not there; most of them are Erlang's."""


def list_nodes(call: Call) -> Any:
    return [_node(call)]


def show_node(call: Call) -> Any:
    _check_node(call)
    return _node(call)


async def show_memory(call: Call) -> Any:
    _check_node(call)
    used = resident_bytes()
    parts = await memory_parts(call.broker)
    return {"memory": {**parts, "strategy": "rss", "total": {"rss": used, "allocated": used, "erlang": used}}}


async def show_memory_shares(call: Call) -> Any:
    """The same in hundredths; what is there at all is one at least."""
    _check_node(call)
    used = resident_bytes()
    parts = await memory_parts(call.broker)
    shares = {name: max(1, round(100 * size / used)) if size else 0 for name, size in parts.items()}
    return {"memory": {"total": 100, **shares}}


def who_am_i(call: Call) -> Any:
    shown = {"name": call.user.name, "tags": sorted(call.user.tags), "is_internal_user": True}
    timeout = call.management.options.login_session_timeout
    return {**shown, "login_session_timeout": timeout} if timeout else shown


def show_cluster_name(call: Call) -> Any:
    return {"name": str(call.management.server_properties.get("cluster_name", call.broker.node))}


def put_cluster_name(call: Call) -> Any:
    """Clients that connect from now on are told this one."""
    name = field_of(call.body, "name", str)
    call.broker.parameters.set_global(CLUSTER_NAME, name)
    call.management.server_properties[CLUSTER_NAME] = name
    call.management.announce(cluster_name=name)
    return once_committed(call.broker.store, None)


def show_version(call: Call) -> Any:
    return str(call.management.server_properties.get("version", __version__))


async def log_in(call: Call) -> Any:
    """For pages that want to know whether a password is right, which may be sent as a form."""
    form = dict(parse_qsl(call.raw_body.decode(errors="replace"), keep_blank_values=True))
    sent = "username" in form and "password" in form
    await call.authenticate(Credentials(form["username"], form["password"].encode()) if sent else None)
    return "ok"


def _node(call: Call) -> dict[str, Any]:
    management, broker = call.management, call.broker
    basics = {
        "name": broker.node,
        "type": "disc" if management.data_dir else "ram",
        "running": True,
        "being_drained": False,
    }
    if call.without_stats:
        return basics
    used = resident_bytes()
    raised = broker.alarms.raised
    free = disk_free(management.data_dir)
    return {
        **basics,
        "os_pid": str(os.getpid()),
        "uptime": int((broker.clock.now() - management.started_at) * 1000),
        "run_queue": 0,
        "processors": os.cpu_count() or 1,
        "rates_mode": management.options.rates_mode,
        **management.rates.details(
            "node",
            {
                "fd_used": file_descriptors(),
                "sockets_used": len(broker.connections.open),
                "proc_used": len(broker.connections.open) + sum([len(each.queues) for each in broker.vhosts.values()]),
                "mem_used": used,
                "disk_free": free,
            },
        ),
        "fd_total": file_limit(),
        "sockets_total": file_limit(),
        "proc_total": 1 << 20,
        "mem_limit": management.memory_limit(),
        "mem_alarm": LOW_ON_MEMORY in raised,
        "mem_calculation_strategy": "rss",
        "disk_free_limit": management.disk_limit(),
        "disk_free_alarm": LOW_ON_DISK in raised,
        "partitions": [],
        "exchange_types": exchange_types(),
        "auth_mechanisms": [{"name": name, "description": "", "enabled": True} for name in management.mechanisms],
        "applications": [
            {"name": "amqpd", "description": "AMQP 0-9-1 broker", "version": __version__},
            {"name": "python", "description": sys.implementation.name, "version": platform.python_version()},
        ],
        "enabled_plugins": list(management.plugins),
        "contexts": _contexts(call),
        "log_files": list(management.log_files),
        "config_files": [],
        "db_dir": management.data_dir,
        "net_ticktime": 60,
        "cluster_links": [],
        "metrics_gc_queue_length": {},
        **management.rates.details("churn", asdict(broker.churn)),
    }


def _contexts(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "node": call.broker.node,
            "description": "RabbitMQ Management" if listener.protocol == "http" else "RabbitMQ Prometheus",
            "path": "/",
            "ip": listener.host,
            "port": str(listener.port),
            "ssl_opts": [],
        }
        for listener in call.management.listeners
        if listener.protocol.startswith("http")
    ]


def _check_node(call: Call) -> None:
    if call.path("node") != call.broker.node:
        raise not_found()


def rebalance(call: Call) -> None:
    """Nothing to do with one node."""


def reset(call: Call) -> None:
    """Forget what rates were made of. The counters go on: clients take them for ever growing."""
    if call.has("node"):
        _check_node(call)
    call.management.rates.forget()


def show_settings(call: Call) -> Any:
    return call.management.settings


def show_extensions(call: Call) -> Any:
    return []


def show_auth(call: Call) -> Any:
    return {"oauth_enabled": False, "enable_uaa": False, "uaa_client_id": "", "uaa_location": ""}


RESOURCES = (
    Resource("/overview", Right.USER, get=show_overview),
    Resource("/nodes", Right.MONITORING, get=list_nodes),
    Resource("/nodes/{node}", Right.MONITORING, get=show_node),
    Resource("/nodes/{node}/memory", Right.MONITORING, get=show_memory),
    Resource("/nodes/{node}/memory/relative", Right.MONITORING, get=show_memory_shares),
    Resource("/whoami", Right.USER, get=who_am_i),
    Resource("/login", Right.ANYBODY, get=who_am_i, post=log_in, read=Right.USER),
    Resource("/auth", Right.ANYBODY, get=show_auth),
    Resource("/cluster-name", Right.ADMINISTRATOR, get=show_cluster_name, put=put_cluster_name, read=Right.USER),
    Resource("/extensions", Right.USER, get=show_extensions),
    Resource("/config/effective", Right.ADMINISTRATOR, get=show_settings),
    Resource("/reset", Right.ADMINISTRATOR, delete=reset),
    Resource("/reset/{node}", Right.ADMINISTRATOR, delete=reset),
    Resource("/version", Right.USER, get=show_version),
    Resource("/rebalance/queues", Right.ADMINISTRATOR, post=rebalance, put=rebalance),
)
