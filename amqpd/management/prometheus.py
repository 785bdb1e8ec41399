"""Metrics for Prometheus, under the names that RabbitMQ's plug-in rabbitmq_prometheus has, so that its dashboards work.

All are read from the model when they are asked for. `/metrics` has sums over objects, `/metrics/per-object` each of
them, `/metrics/detailed` those families, of those vhosts and queues, that the query names, and
`/metrics/memory-breakdown` where the memory goes; all are open to whoever can connect, as RabbitMQ's are. The model is
read in small steps, and what was read is written out in a thread of its own, since that takes long where there are many
objects.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from .. import __version__
from ..broker.traffic import COUNTED
from ..errors import OperatorError
from ..patterns import Pattern
from .families import Family, Labels, all_families, families
from .memory import PARTS, memory_parts
from .rates import totals_of

if TYPE_CHECKING:
    from .server import Management

STEP: Final = 200
"""Objects to look at before others have their turn."""

Row = tuple[Labels, list[float]]
"""An object's labels, and its figures."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Of which objects metrics are wanted."""

    vhosts: frozenset[str] = frozenset()  # none: of all
    is_wanted: Callable[[str], bool] | None = None  # of queues; None: all of them

    def has(self, vhost: str, queue: str | None) -> bool:
        """Whether an object is among them; what is in no vhost (empty), or of no queue (None), always is."""
        if vhost and self.vhosts and vhost not in self.vhosts:
            return False
        return queue is None or self.is_wanted is None or self.is_wanted(queue)


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
    query = request.query_params
    if page == "memory-breakdown":
        return await _answer(
            management, [], [*_about(management, page), *await _of_memory(management)], per_object=False
        )
    if page == "detailed":
        try:
            is_wanted = _queue_filter(query.getlist("queue"))
        except OperatorError as error:
            return Response(str(error), status_code=400)
        wanted = families(query.getlist("family"))
        choice = Choice(frozenset(query.getlist("vhost")), is_wanted)
        return await _answer(management, wanted, _about(management, page), per_object=True, choice=choice)
    if page not in ("", "per-object"):
        return Response("Unknown Registry", status_code=404)
    per_object = page == "per-object" or management.options.per_object_metrics
    about = [*_about(management, "per-object" if per_object else "aggregated"), *_of_broker(management)]
    return await _answer(management, all_families(per_object=per_object), about, per_object=per_object)


def _queue_filter(patterns: Sequence[str]) -> Callable[[str], bool] | None:
    """Whether a queue's name is wanted; None: all are. Raises OperatorError."""
    if len(patterns) > 1:
        raise OperatorError("Only one 'queue' query parameter is allowed")
    if not patterns or not patterns[0]:
        return None
    try:
        return Pattern(patterns[0]).matches
    except OperatorError as error:
        raise OperatorError(f"Invalid 'queue' regex: {error}") from None


async def _answer(
    management: Management,
    wanted: Sequence[Family],
    about: Sequence[Metric],
    *,
    per_object: bool,
    choice: Choice | None = None,
) -> Response:
    """`choice`: of which objects, in the names of /metrics/detailed; None: of all."""
    read = [(family, await _read(management, family, choice or Choice())) for family in wanted]
    detailed = choice is not None

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


async def _read(management: Management, family: Family, choice: Choice) -> list[Row]:
    rows: list[Row] = []
    place = family.labels.index("queue") if "queue" in family.labels else None
    for number, (labels, vhost, each) in enumerate(family.objects(management)):
        if choice.has(vhost, None if place is None else labels[place]):
            rows.append((labels, [figure.read(each) for figure in family.figures]))
        if number % STEP == STEP - 1:
            await asyncio.sleep(0)
    return rows


def _metrics(family: Family, rows: Sequence[Row], per_object: bool, detailed: bool) -> Iterable[Metric]:
    prefix = "rabbitmq_cluster_" if family.of_cluster else "rabbitmq_detailed_" if detailed else "rabbitmq_"
    each = per_object or not family.summed
    for place, figure in enumerate(family.figures):
        metric = _metric(prefix + figure.name, figure.meaning, family.labels if each else (), figure.grows)
        if each:
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


async def _of_memory(management: Management) -> list[Metric]:
    parts = await memory_parts(management.broker)
    metrics: list[Metric] = []
    for part, (name, meaning) in PARTS.items():
        gauge = GaugeMetricFamily(f"rabbitmq_memory_{name}_bytes", meaning)
        gauge.add_metric((), parts[part])
        metrics.append(gauge)
    return metrics


def _of_broker(management: Management) -> Iterable[Metric]:
    broker = management.broker
    queues = [queue for vhost in broker.vhosts.values() for queue in vhost.queues.values()]
    consuming = sum([len(queue.consumers) for queue in queues])
    channels = [channel for connection in broker.connections.open for channel in connection.open_channels()]
    for name, meaning, value in (
        ("connections", "Connections currently open", len(broker.connections.open)),
        ("channels", "Channels currently open", len(channels)),
        ("consumers", "Consumers currently connected", consuming),
        ("queues", "Queues available", len(queues)),
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
