"""Feature flags and deprecated features: what RabbitMQ switches as a cluster is upgraded, and what it will drop."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from ...amqp.channel import Channel
from ...broker.broker import Broker
from ..call import Call
from ..errors import bad_request
from ..resources import Resource, Right

FLAGS: Final = (
    "classic_mirrored_queue_version",
    "classic_queue_type_delivery_support",
    "direct_exchange_routing_v2",
    "drop_unroutable_metric",
    "empty_basic_get_metric",
    "feature_flags_v2",
    "implicit_default_bindings",
    "listener_records_in_ets",
    "maintenance_mode_status",
    "message_containers",
    "quorum_queue",
    "restart_streams",
    "stream_filtering",
    "stream_queue",
    "stream_single_active_consumer",
    "tracking_records_in_ets",
    "user_limits",
    "virtual_host_metadata",
)
"""RabbitMQ's feature flags that clients look for: all are enabled, and none can be turned off."""


class Deprecated(NamedTuple):
    """A feature that can be forbidden, and may be in later versions."""

    name: str
    description: str
    permitted: bool
    used: bool


def list_flags(call: Call) -> Any:
    return [
        {
            "name": name,
            "desc": "",
            "doc_url": "",
            "state": "enabled",
            "stability": "stable",
            "provided_by": "rabbit",
        }
        for name in FLAGS
    ]


def enable_flag(call: Call) -> None:
    if call.path("name") not in (*FLAGS, "all"):
        raise bad_request(f"unsupported feature flag: {call.path('name')}")


def list_deprecated(call: Call) -> Any:
    return [_shown(each) for each in _deprecated(call.broker)]


def list_used(call: Call) -> Any:
    return [_shown(each) for each in _deprecated(call.broker) if each.used]


def _shown(feature: Deprecated) -> dict[str, Any]:
    return {
        "name": feature.name,
        "desc": feature.description,
        "deprecation_phase": "permitted_by_default" if feature.permitted else "denied_by_default",
        "state": "permitted" if feature.permitted else "denied",
        "doc_url": "",
        "provided_by": "rabbit",
    }


def _deprecated(broker: Broker) -> list[Deprecated]:
    queues = [queue for vhost in broker.vhosts.values() for queue in list(vhost.queues.values())]
    channels = [channel for connection in broker.connections.open for channel in connection.open_channels()]
    return [
        Deprecated(
            "global_qos",
            "basic.qos with global set, for all consumers of a channel together",
            broker.compat.global_qos,
            any(isinstance(channel, Channel) and channel.deliveries.window.limit for channel in channels),
        ),
        Deprecated(
            "transient_nonexcl_queues",
            "Queues that are neither durable nor exclusive",
            broker.compat.transient_queues,
            any(not queue.durable and queue.owner is None for queue in queues),
        ),
    ]


RESOURCES = (
    Resource("/feature-flags", Right.USER, get=list_flags),
    Resource("/feature-flags/{name}/enable", Right.ADMINISTRATOR, put=enable_flag),
    Resource("/deprecated-features", Right.USER, get=list_deprecated),
    Resource("/deprecated-features/used", Right.USER, get=list_used),
)
