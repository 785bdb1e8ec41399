"""Metrics for Prometheus, under the names that RabbitMQ's plug-in rabbitmq_prometheus has, so that its dashboards work.

All are read from the model when they are asked for. `/metrics` has sums over objects, `/metrics/per-object` each of
them, and `/metrics/detailed` those families, of those vhosts, that the query names; all are open to whoever can
connect, as RabbitMQ's are. The model is read in small steps, and what was read is written out in a thread of its own,
since that takes long where there are many objects.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from .. import __version__
from ..amqp.channel import Channel
from ..amqp.connection import Connection
from ..broker.exchanges import Exchange
from ..broker.queue import Queue
from ..broker.stream import AnyQueue
from ..broker.traffic import COUNTED
from ..broker.vhost import VHost
from .process import disk_free, file_descriptors, file_limit, resident_bytes
from .rates import depth_of, totals_of, unacked_of

if TYPE_CHECKING:
    from .server import Management

STEP: Final = 200
"""Objects to look at before others have their turn."""

Labels = tuple[str, ...]
Row = tuple[Labels, list[float]]
"""An object's labels, and its figures."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an object: its name after `rabbitmq_`, its meaning, how to read it, and whether it only grows."""

    name: str
    meaning: str
    read: Callable[[Any], float]
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers of all objects of a kind."""

    name: str  # by which /metrics/detailed knows it
    labels: Labels
    objects: Callable[[Management], Iterable[tuple[Labels, str, Any]]]  # with their labels and vhost
    figures: tuple[Figure, ...]
    of_cluster: bool = False  # RabbitMQ has it under /metrics/detailed alone, with another prefix


def _queues(management: Management) -> Iterable[tuple[Labels, str, AnyQueue]]:
    for vhost in list(management.broker.vhosts.values()):
        for queue in list(vhost.queues.values()):
            yield (vhost.name, queue.name), vhost.name, queue


def _exchanges(management: Management) -> Iterable[tuple[Labels, str, Exchange]]:
    for vhost in list(management.broker.vhosts.values()):
        for exchange in list(vhost.exchanges.values()):
            yield (vhost.name, exchange.name), vhost.name, exchange


def _typed_exchanges(management: Management) -> Iterable[tuple[Labels, str, Exchange]]:
    for labels, vhost, exchange in _exchanges(management):
        yield (*labels, exchange.type), vhost, exchange


def _connections(management: Management) -> Iterable[tuple[Labels, str, Connection]]:
    for connection in list(management.broker.connections.open):
        if isinstance(connection, Connection):
            yield (connection.name,), connection.vhost_name, connection


def _channels(management: Management) -> Iterable[tuple[Labels, str, Channel]]:
    for _, vhost, connection in _connections(management):
        for channel in connection.open_channels():
            yield (f"{connection.name} ({channel.number})",), vhost, channel


def _vhosts(management: Management) -> Iterable[tuple[Labels, str, VHost]]:
    for vhost in list(management.broker.vhosts.values()):
        yield (vhost.name,), vhost.name, vhost


def _ready_bytes(queue: AnyQueue) -> int:
    return queue.message_bytes


def _unacked_bytes(queue: AnyQueue) -> int:
    return queue.unacked_bytes if isinstance(queue, Queue) else 0


def _in_memory(queue: AnyQueue) -> int:
    return queue.ready.length + queue.unacked if isinstance(queue, Queue) else 0


def _in_memory_bytes(queue: AnyQueue) -> int:
    return queue.ready_bytes + queue.unacked_bytes if isinstance(queue, Queue) else 0


def _paged(queue: AnyQueue) -> int:
    return queue.paged if isinstance(queue, Queue) else queue.message_count


def _paged_bytes(queue: AnyQueue) -> int:
    return queue.paged_bytes if isinstance(queue, Queue) else queue.message_bytes


def _persistent(queue: AnyQueue) -> int:
    return depth_of(queue)[0] if queue.durable else 0


def _capacity(queue: AnyQueue) -> float:
    return 1.0 if isinstance(queue, Queue) and queue.consumers and queue.ready.length == 0 else 0.0


FAMILIES: Final = (
    Family(
        "queue_coarse_metrics",
        ("vhost", "queue"),
        _queues,
        (
            Figure("queue_messages_ready", "Messages ready to be delivered to consumers", lambda q: q.message_count),
            Figure("queue_messages_unacked", "Messages delivered to consumers but not yet acknowledged", unacked_of),
            Figure(
                "queue_messages",
                "Sum of ready and unacknowledged messages - total queue depth",
                lambda q: depth_of(q)[0],
            ),
        ),
    ),
    Family(
        "queue_consumer_count",
        ("vhost", "queue"),
        _queues,
        (Figure("queue_consumers", "Consumers on a queue", lambda q: len(q.consumers)),),
    ),
    Family(
        "queue_metrics",
        ("vhost", "queue"),
        _queues,
        (
            Figure("queue_consumer_capacity", "Consumer capacity", _capacity),
            Figure("queue_consumer_utilisation", "Same as consumer capacity", _capacity),
            Figure("queue_messages_ram", "Ready and unacknowledged messages stored in memory", _in_memory),
            Figure("queue_messages_ram_bytes", "Size of messages stored in memory", _in_memory_bytes),
            Figure(
                "queue_messages_bytes",
                "Size in bytes of ready and unacknowledged messages",
                lambda q: _ready_bytes(q) + _unacked_bytes(q),
            ),
            Figure("queue_messages_ready_bytes", "Size in bytes of ready messages", _ready_bytes),
            Figure("queue_messages_unacked_bytes", "Size in bytes of all unacknowledged messages", _unacked_bytes),
            Figure("queue_messages_persistent", "Persistent messages", _persistent),
            Figure("queue_messages_paged_out", "Messages paged out to disk", _paged),
            Figure("queue_messages_paged_out_bytes", "Size in bytes of messages paged out to disk", _paged_bytes),
        ),
    ),
    Family(
        "queue_delivery_metrics",
        ("vhost", "queue"),
        _queues,
        (
            Figure(
                "queue_messages_published_total", "Messages published to queues", lambda q: q.traffic.published, True
            ),
            Figure(
                "queue_get_ack_total", "Messages fetched with basic.get, to be acked", lambda q: q.traffic.got, True
            ),
            Figure("queue_get_total", "Messages fetched with basic.get", lambda q: q.traffic.got_no_ack, True),
            Figure(
                "queue_messages_delivered_ack_total",
                "Messages delivered in manual acknowledgement mode",
                lambda q: q.traffic.delivered,
                True,
            ),
            Figure(
                "queue_messages_delivered_total",
                "Messages delivered in automatic acknowledgement mode",
                lambda q: q.traffic.delivered_no_ack,
                True,
            ),
            Figure("queue_messages_redelivered_total", "Messages redelivered", lambda q: q.traffic.redelivered, True),
            Figure("queue_messages_acked_total", "Messages acknowledged", lambda q: q.traffic.acked, True),
            Figure("queue_get_empty_total", "basic.get that found no message", lambda q: q.traffic.got_empty, True),
        ),
    ),
    Family(
        "exchange_metrics",
        ("vhost", "exchange"),
        _exchanges,
        (
            Figure("exchange_messages_published_total", "Messages published in", lambda x: x.traffic.published, True),
            Figure("exchange_messages_published_out_total", "Messages routed out", lambda x: x.traffic.routed, True),
            Figure(
                "exchange_messages_unroutable_returned_total",
                "Returned as unroutable",
                lambda x: x.traffic.returned,
                True,
            ),
            Figure(
                "exchange_messages_unroutable_dropped_total", "Dropped as unroutable", lambda x: x.traffic.dropped, True
            ),
        ),
    ),
    Family(
        "exchange_bindings",
        ("vhost", "exchange", "type"),
        _typed_exchanges,
        (Figure("exchange_bindings", "Number of bindings for an exchange", lambda x: len(x.outgoing)),),
        of_cluster=True,
    ),
    Family(
        "exchange_names",
        ("vhost", "exchange", "type"),
        _typed_exchanges,
        (Figure("exchange_name", "Enumerates exchanges", lambda _: 1),),
        of_cluster=True,
    ),
    Family(
        "connection_coarse_metrics",
        ("connection",),
        _connections,
        (
            Figure("connection_incoming_bytes_total", "Bytes received", lambda c: c.bytes_received, True),
            Figure("connection_outgoing_bytes_total", "Bytes sent", lambda c: c.bytes_sent, True),
        ),
    ),
    Family(
        "connection_metrics",
        ("connection",),
        _connections,
        (
            Figure("connection_incoming_packets_total", "Packets received", lambda c: c.reads, True),
            Figure("connection_outgoing_packets_total", "Packets sent", lambda c: c.writes, True),
            Figure("connection_pending_packets", "Bytes waiting to be sent", lambda c: c.outlet.pending),
            Figure("connection_channels", "Channels on a connection", lambda c: len(c.open_channels())),
        ),
    ),
    Family(
        "channel_metrics",
        ("channel",),
        _channels,
        (
            Figure("channel_consumers", "Consumers on a channel", lambda c: len(c.consumers)),
            Figure(
                "channel_messages_unacked",
                "Delivered but not yet acknowledged messages",
                lambda c: c.deliveries.unacked.count,
            ),
            Figure(
                "channel_messages_unconfirmed",
                "Published but not yet confirmed messages",
                lambda c: c.confirms.unconfirmed if c.confirms is not None else 0,
            ),
            Figure(
                "channel_messages_uncommitted",
                "Messages received in a transaction but not yet committed",
                lambda c: c.transaction.publish_count if c.transaction is not None else 0,
            ),
            Figure(
                "channel_acks_uncommitted",
                "Acknowledgements in a transaction not yet committed",
                lambda c: c.transaction.settlement_count if c.transaction is not None else 0,
            ),
            Figure("consumer_prefetch", "Limit of unacknowledged messages for each consumer", lambda c: c.prefetch),
            Figure("channel_prefetch", "Limit over all consumers on a channel", lambda c: c.deliveries.window.limit),
        ),
    ),
    Family(
        "channel_exchange_metrics",
        ("channel",),
        _channels,
        (
            Figure("channel_messages_published_total", "Messages published", lambda c: c.traffic.published, True),
            Figure("channel_messages_confirmed_total", "Messages confirmed", lambda c: c.traffic.confirmed, True),
            Figure(
                "channel_messages_unroutable_returned_total",
                "Returned as unroutable",
                lambda c: c.traffic.returned,
                True,
            ),
            Figure(
                "channel_messages_unroutable_dropped_total", "Dropped as unroutable", lambda c: c.traffic.dropped, True
            ),
        ),
    ),
    Family(
        "channel_queue_metrics",
        ("channel",),
        _channels,
        (
            Figure("channel_get_ack_total", "Messages fetched, to be acked", lambda c: c.traffic.got, True),
            Figure("channel_get_total", "Messages fetched", lambda c: c.traffic.got_no_ack, True),
            Figure(
                "channel_messages_delivered_ack_total",
                "Messages delivered in manual acknowledgement mode",
                lambda c: c.traffic.delivered,
                True,
            ),
            Figure(
                "channel_messages_delivered_total",
                "Messages delivered in automatic acknowledgement mode",
                lambda c: c.traffic.delivered_no_ack,
                True,
            ),
            Figure("channel_messages_redelivered_total", "Messages redelivered", lambda c: c.traffic.redelivered, True),
            Figure("channel_messages_acked_total", "Messages acknowledged", lambda c: c.traffic.acked, True),
            Figure("channel_get_empty_total", "basic.get that found no message", lambda c: c.traffic.got_empty, True),
        ),
    ),
    Family(
        "vhost_status",
        ("vhost",),
        _vhosts,
        (Figure("vhost_status", "Whether a given vhost is running", lambda _: 1),),
        of_cluster=True,
    ),
)

GLOBAL: Final = {
    "published": ("messages_received_total", "Messages received from publishers"),
    "confirmable": (
        "messages_received_confirm_total",
        "Messages received from publishers that expect confirmations",
    ),
    "confirmed": ("messages_confirmed_total", "Messages confirmed to publishers"),
    "dropped": ("messages_unroutable_dropped_total", "Messages dropped as unroutable"),
    "returned": ("messages_unroutable_returned_total", "Messages returned to the publisher as unroutable"),
    "delivered": ("messages_delivered_consume_manual_ack_total", "Messages delivered with manual acknowledgment"),
    "delivered_no_ack": (
        "messages_delivered_consume_auto_ack_total",
        "Messages delivered with automatic acknowledgment",
    ),
    "got": ("messages_delivered_get_manual_ack_total", "Messages fetched with manual acknowledgment"),
    "got_no_ack": ("messages_delivered_get_auto_ack_total", "Messages fetched with automatic acknowledgment"),
    "got_empty": ("messages_get_empty_total", "basic.get that fetched no message"),
    "redelivered": ("messages_redelivered_total", "Messages redelivered to consumers"),
    "acked": ("messages_acknowledged_total", "Messages acknowledged by consumers"),
}
"""Counters that never go back, whatever closes."""


async def respond(management: Management, request: Request) -> Response:
    """The answer to a GET of one of the pages."""
    page = request.path_params.get("page", "").rstrip("/")
    if page not in ("", "per-object", "detailed"):
        return Response(status_code=404)
    if page == "detailed":
        wanted = request.query_params.getlist("family")
        vhosts = frozenset(request.query_params.getlist("vhost"))
        families = [family for family in FAMILIES if family.name in wanted]
        return await _answer(management, families, _about(management, "detailed"), per_object=True, vhosts=vhosts)
    per_object = page == "per-object" or management.options.per_object_metrics
    about = [*_about(management, "per-object" if per_object else "aggregated"), *_of_broker(management)]
    return await _answer(management, [each for each in FAMILIES if not each.of_cluster], about, per_object=per_object)


async def _answer(
    management: Management,
    families: Sequence[Family],
    about: Sequence[Metric],
    *,
    per_object: bool,
    vhosts: frozenset[str] | None = None,
) -> Response:
    """`vhosts`: those, or all when there are none, in the names of /metrics/detailed."""
    read = [(family, await _read(management, family, vhosts or frozenset())) for family in families]
    detailed = vhosts is not None

    def write() -> bytes:
        metrics = [metric for family, rows in read for metric in _metrics(family, rows, per_object, detailed)]
        return generate_latest(_Read([*about, *metrics]))

    text = await asyncio.get_running_loop().run_in_executor(None, write)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Read:
    """What was read, as the writer wants it."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


async def _read(management: Management, family: Family, vhosts: frozenset[str]) -> list[Row]:
    rows: list[Row] = []
    for number, (labels, vhost, each) in enumerate(family.objects(management)):
        if not vhosts or vhost in vhosts:
            rows.append((labels, [figure.read(each) for figure in family.figures]))
        if number % STEP == STEP - 1:
            await asyncio.sleep(0)
    return rows


def _metrics(family: Family, rows: Sequence[Row], per_object: bool, detailed: bool) -> Iterable[Metric]:
    prefix = "rabbitmq_cluster_" if family.of_cluster else "rabbitmq_detailed_" if detailed else "rabbitmq_"
    for place, figure in enumerate(family.figures):
        metric = _metric(prefix + figure.name, figure.meaning, family.labels if per_object else (), figure.grows)
        if per_object:
            for labels, values in rows:
                metric.add_metric(labels, values[place])
        else:
            metric.add_metric((), sum([values[place] for _, values in rows]))
        yield metric


def _about(management: Management, endpoint: str) -> list[Metric]:
    """Who the broker is. Dashboards join all else with it, and choose one of the pages they may be read from."""
    broker, properties = management.broker, management.server_properties
    identity = {
        "rabbitmq_node": broker.node,
        "rabbitmq_cluster": str(properties.get("cluster_name", broker.node)),
        "rabbitmq_cluster_permanent_id": f"amqpd-{broker.node}",
        "rabbitmq_endpoint": endpoint,
    }
    build = {
        "rabbitmq_version": str(properties.get("version", __version__)),
        "product_name": "amqpd",
        "product_version": __version__,
        "prometheus_plugin_version": __version__,
        "prometheus_client_version": __version__,
        "erlang_version": f"Python {platform.python_version()}",
    }
    return [
        _info("build_info", "RabbitMQ & Erlang/OTP version info", build),
        _info("identity_info", "RabbitMQ node & cluster identity info", identity),
    ]


def _of_broker(management: Management) -> Iterable[Metric]:
    broker = management.broker
    churn = broker.churn
    queues = [queue for vhost in broker.vhosts.values() for queue in vhost.queues.values()]
    consuming = sum([len(queue.consumers) for queue in queues])
    channels = [channel for connection in broker.connections.open for channel in connection.open_channels()]
    for name, meaning, value in (
        ("connections", "Connections currently open", len(broker.connections.open)),
        ("channels", "Channels currently open", len(channels)),
        ("consumers", "Consumers currently connected", consuming),
        ("queues", "Queues available", len(queues)),
        ("process_open_fds", "Open file descriptors", file_descriptors()),
        ("process_max_fds", "Open file descriptors limit", file_limit()),
        ("process_open_tcp_sockets", "Open TCP sockets", len(broker.connections.open)),
        ("process_max_tcp_sockets", "Open TCP sockets limit", file_limit()),
        ("process_resident_memory_bytes", "Memory used in bytes", resident_bytes()),
        ("resident_memory_limit_bytes", "Memory high watermark in bytes", management.memory_limit()),
        ("disk_space_available_bytes", "Disk space available in bytes", disk_free(management.data_dir)),
        ("disk_space_available_limit_bytes", "Free disk space low watermark in bytes", management.disk_limit()),
        ("erlang_uptime_seconds", "Node uptime", broker.clock.now() - management.started_at),
        (
            "alarms_memory_used_watermark",
            "is 1 if VM memory watermark alarm is in effect",
            "memory" in broker.alarms.reason,
        ),
        (
            "alarms_free_disk_space_watermark",
            "is 1 if free disk space watermark alarm is in effect",
            "disk" in broker.alarms.reason,
        ),
        ("alarms_file_descriptor_limit", "is 1 if file descriptor limit alarm is in effect", 0),
    ):
        gauge = GaugeMetricFamily(f"rabbitmq_{name}", meaning)
        gauge.add_metric((), value)
        yield gauge
    for name, meaning, value in (
        ("connections_opened_total", "Total number of connections opened", churn.connection_created),
        ("connections_closed_total", "Total number of connections closed or terminated", churn.connection_closed),
        ("channels_opened_total", "Total number of channels opened", churn.channel_created),
        ("channels_closed_total", "Total number of channels closed", churn.channel_closed),
        ("queues_declared_total", "Total number of queues declared", churn.queue_declared),
        ("queues_created_total", "Total number of queues created", churn.queue_created),
        ("queues_deleted_total", "Total number of queues deleted", churn.queue_deleted),
    ):
        counter = CounterMetricFamily(f"rabbitmq_{name}", meaning)
        counter.add_metric((), value)
        yield counter
    totals = dict(zip(COUNTED, totals_of(broker), strict=True))
    for counted, (name, meaning) in GLOBAL.items():
        counter = CounterMetricFamily(f"rabbitmq_global_{name}", meaning, labels=("protocol",))
        counter.add_metric(("amqp091",), totals[counted])
        yield counter
    delivered = sum([totals[name] for name in ("delivered", "delivered_no_ack", "got", "got_no_ack")])
    vhosts = [*broker.vhosts.values(), *broker.falling.values()]
    routed = totals["routed"] + sum([x.traffic.routed for vhost in vhosts for x in vhost.exchanges.values()])
    for name, meaning, value in (
        ("messages_delivered_total", "Messages delivered to consumers", delivered),
        ("messages_routed_total", "Messages routed to queues or streams", routed),
    ):
        counter = CounterMetricFamily(f"rabbitmq_global_{name}", meaning, labels=("protocol",))
        counter.add_metric(("amqp091",), value)
        yield counter
    publishers = GaugeMetricFamily("rabbitmq_global_publishers", "Publishers currently connected", labels=("protocol",))
    publishers.add_metric(("amqp091",), sum([channel.traffic.published > 0 for channel in channels]))
    yield publishers
    consumers = GaugeMetricFamily("rabbitmq_global_consumers", "Consumers currently connected", labels=("protocol",))
    consumers.add_metric(("amqp091",), consuming)
    yield consumers


def _metric(name: str, meaning: str, labels: Labels, grows: bool) -> GaugeMetricFamily | CounterMetricFamily:
    return (CounterMetricFamily if grows else GaugeMetricFamily)(name, meaning, labels=labels)


def _info(name: str, meaning: str, values: Mapping[str, str]) -> Metric:
    metric = GaugeMetricFamily(f"rabbitmq_{name}", meaning, labels=list(values))
    metric.add_metric(list(values.values()), 1)
    return metric
