"""What metrics there are of the broker and its objects: tables of families, each read from the model when asked for.

A family has RabbitMQ's name, by which `/metrics/detailed` is asked for it, and its figures have RabbitMQ's names and
labels (prometheus_rabbitmq_core_metrics_collector). Left out is what only Erlang's processes have, such as reductions.
"""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Final

from ..amqp.channel import Channel
from ..amqp.connection import Connection
from ..broker.arguments import queue_type_of
from ..broker.exchanges import Exchange
from ..broker.queue import Queue
from ..broker.stream import AnyQueue
from ..broker.vhost import VHost
from .memory import memory_of
from .process import disk_free, disk_traffic, file_descriptors, file_limit, resident_bytes
from .rates import depth_of, unacked_of

if TYPE_CHECKING:
    from .server import Management

Labels = tuple[str, ...]


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
    summed: bool = True  # where nobody asks for each object


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


def _broker(management: Management) -> Iterable[tuple[Labels, str, Management]]:
    yield (), "", management


def _logins(management: Management) -> Iterable[tuple[Labels, str, dict[str, int]]]:
    for attempts in management.attempts.described():
        yield (attempts["protocol"],), "", attempts


def _nobody(_: Management) -> Iterable[tuple[Labels, str, Any]]:
    """What RabbitMQ counts only when it is told to, and we do not."""
    return ()


def _described_queues(management: Management) -> Iterable[tuple[Labels, str, AnyQueue]]:
    for (vhost, name), _, queue in _queues(management):
        yield (vhost, name, f"rabbit_{queue_type_of(queue.arguments)}_queue", "leader"), vhost, queue


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


def _persistent_bytes(queue: AnyQueue) -> int:
    return _ready_bytes(queue) + _unacked_bytes(queue) if queue.durable else 0


def _ready_in_memory(queue: AnyQueue) -> int:
    return queue.ready.length if isinstance(queue, Queue) else 0


def _unacked_in_memory(queue: AnyQueue) -> int:
    return queue.unacked if isinstance(queue, Queue) else 0


def _switches(_: Management) -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_nvcsw + used.ru_nivcsw


def _collections(_: Management) -> int:
    return sum([generation["collections"] for generation in gc.get_stats()])


def _processes(management: Management) -> int:
    """What each would have a process of its own in Erlang, as the API has it."""
    broker = management.broker
    return len(broker.connections.open) + sum([len(vhost.queues) for vhost in broker.vhosts.values()])


def _capacity(queue: AnyQueue) -> float:
    return 1.0 if isinstance(queue, Queue) and queue.consumers and queue.ready.length == 0 else 0.0


CONSUMERS: Final = Figure("queue_consumers", "Consumers on a queue", lambda q: len(q.consumers))
"""In two families, of which RabbitMQ shows one when both are wanted."""


FAMILIES: Final = (
    Family(
        "connection_churn_metrics",
        (),
        _broker,
        tuple(
            [
                Figure(name, meaning, attrgetter(f"broker.churn.{counted}"), True)
                for name, counted, meaning in (
                    ("connections_opened_total", "connection_created", "Total number of connections opened"),
                    (
                        "connections_closed_total",
                        "connection_closed",
                        "Total number of connections closed or terminated",
                    ),
                    ("channels_opened_total", "channel_created", "Total number of channels opened"),
                    ("channels_closed_total", "channel_closed", "Total number of channels closed"),
                    ("queues_declared_total", "queue_declared", "Total number of queues declared"),
                    ("queues_created_total", "queue_created", "Total number of queues created"),
                    ("queues_deleted_total", "queue_deleted", "Total number of queues deleted"),
                )
            ]
        ),
    ),
    Family(
        "node_coarse_metrics",
        (),
        _broker,
        (
            Figure("process_open_fds", "Open file descriptors", lambda _: file_descriptors()),
            Figure("process_open_tcp_sockets", "Open TCP sockets", lambda m: len(m.broker.connections.open)),
            Figure("process_resident_memory_bytes", "Memory used in bytes", lambda _: resident_bytes()),
            Figure("disk_space_available_bytes", "Disk space available in bytes", lambda m: disk_free(m.data_dir)),
            Figure("erlang_processes_used", "Connections and queues", _processes),
            Figure("erlang_gc_runs_total", "Total number of garbage collector runs, Python's", _collections, True),
            Figure("erlang_scheduler_context_switches_total", "Context switches of the process", _switches, True),
        ),
    ),
    Family(
        "node_metrics",
        (),
        _broker,
        (
            Figure("process_max_fds", "Open file descriptors limit", lambda _: file_limit()),
            Figure("process_max_tcp_sockets", "Open TCP sockets limit", lambda _: file_limit()),
            Figure("resident_memory_limit_bytes", "Memory high watermark in bytes", lambda m: m.memory_limit()),
            Figure(
                "disk_space_available_limit_bytes", "Free disk space low watermark in bytes", lambda m: m.disk_limit()
            ),
            Figure("erlang_processes_limit", "Connections and queues, as far as there is a limit", lambda _: 1 << 20),
            Figure("erlang_scheduler_run_queue", "There is none here", lambda _: 0),
            Figure("erlang_net_ticktime_seconds", "There are no other nodes here", lambda _: 60),
            Figure("erlang_uptime_seconds", "Node uptime", lambda m: m.broker.clock.now() - m.started_at),
        ),
    ),
    Family(
        "node_persister_metrics",
        (),
        _broker,
        (
            Figure("io_read_bytes_total", "Total number of I/O bytes read", lambda _: disk_traffic()[0], True),
            Figure("io_write_bytes_total", "Total number of I/O bytes written", lambda _: disk_traffic()[1], True),
        ),
    ),
    Family(
        "auth_attempt_metrics",
        ("protocol",),
        _logins,
        tuple(
            [
                Figure(f"{name}_total", f"Total number of {which} attempts", itemgetter(name), True)
                for name, which in (
                    ("auth_attempts", "authentication"),
                    ("auth_attempts_succeeded", "successful authentication"),
                    ("auth_attempts_failed", "failed authentication"),
                )
            ]
        ),
        summed=False,
    ),
    Family(
        "auth_attempt_detailed_metrics",
        ("remote_address", "username", "protocol"),
        _nobody,
        tuple(
            [
                Figure(f"auth_attempts_detailed{name}_total", f"{which} attempts with source info", lambda _: 0, True)
                for name, which in (
                    ("", "Authentication"),
                    ("_succeeded", "Successful authentication"),
                    ("_failed", "Failed authentication"),
                )
            ]
        ),
        summed=False,
    ),
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
        (CONSUMERS,),
    ),
    Family(
        "queue_metrics",
        ("vhost", "queue"),
        _queues,
        (
            CONSUMERS,
            Figure("queue_consumer_capacity", "Consumer capacity", _capacity),
            Figure("queue_consumer_utilisation", "Same as consumer capacity", _capacity),
            Figure("queue_process_memory_bytes", "Estimated memory in bytes used by the queue", memory_of),
            Figure("queue_messages_ram", "Ready and unacknowledged messages stored in memory", _in_memory),
            Figure("queue_messages_ram_bytes", "Size of messages stored in memory", _in_memory_bytes),
            Figure(
                "queue_messages_bytes",
                "Size in bytes of ready and unacknowledged messages",
                lambda q: _ready_bytes(q) + _unacked_bytes(q),
            ),
            Figure("queue_messages_ready_bytes", "Size in bytes of ready messages", _ready_bytes),
            Figure("queue_messages_unacked_bytes", "Size in bytes of all unacknowledged messages", _unacked_bytes),
            Figure("queue_messages_ready_ram", "Ready messages stored in memory", _ready_in_memory),
            Figure("queue_messages_unacked_ram", "Unacknowledged messages stored in memory", _unacked_in_memory),
            Figure("queue_messages_persistent", "Persistent messages", _persistent),
            Figure("queue_messages_persistent_bytes", "Size in bytes of persistent messages", _persistent_bytes),
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
        "channel_queue_exchange_metrics",  # by queue alone: who published is not counted for each
        ("vhost", "queue"),
        _queues,
        (
            Figure(
                "queue_messages_published_total", "Messages published to queues", lambda q: q.traffic.published, True
            ),
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

QUEUE_INFO: Final = Family(
    "queue_info",
    ("vhost", "queue", "queue_type", "membership"),
    _described_queues,
    (
        Figure(
            "queue_info", "A metric with a constant '1' value and labels that provide some queue details", lambda _: 1
        ),
    ),
)
"""Comes with each queue's own figures, as of RabbitMQ 4."""

_NAMES_OF_QUEUES: Final = frozenset({"queue_coarse_metrics", "queue_consumer_count", "queue_metrics"})


def families(names: Container[str]) -> list[Family]:
    """Those that are wanted by these names, for /metrics/detailed."""
    found = [family for family in FAMILIES if family.name in names]
    if any(family.name == "queue_metrics" for family in found):
        found = [family for family in found if family.name != "queue_consumer_count"]
    if any(family.name in _NAMES_OF_QUEUES for family in found):
        found.append(QUEUE_INFO)
    return found


def all_families(*, per_object: bool) -> list[Family]:
    """Those of the pages that nobody chooses from."""
    names = [
        family.name
        for family in FAMILIES
        if not family.of_cluster and (per_object or family.name != "auth_attempt_detailed_metrics")  # the same, summed
    ]
    return [family for family in families(names) if per_object or family is not QUEUE_INFO]
