"""Where the memory goes, as far as that is known, under RabbitMQ's names (rabbit_vm:memory)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ..broker.arguments import CLASSIC, QUORUM, STREAM, queue_type_of
from ..broker.memory import ENTRY_COST
from ..broker.stream import AnyQueue, Stream
from .process import resident_bytes
from .rates import depth_of

if TYPE_CHECKING:
    from ..broker.broker import Broker

QUEUE_COST: Final = 1300
"""Estimated bytes of a queue without messages."""

CONNECTION_COST: Final = 7000
"""Estimated bytes of a connection without channels."""

CHANNEL_COST: Final = 1700
"""Estimated bytes of a channel at rest."""

STEP: Final = 200
"""Objects to look at before others have their turn."""

PARTS: Final = {
    "connection_readers": ("client_connection_reader", "Client connection reader processes footprint in bytes"),
    "connection_writers": ("client_connection_writer", "Client connection writer processes footprint in bytes"),
    "connection_channels": ("client_connection_channel", "Client connection channel processes footprint in bytes"),
    "connection_other": ("client_connection_other", "Client connection other processes footprint in bytes"),
    "queue_procs": ("classic_queue_erlang_process", "Classic queue processes footprint in bytes"),
    "quorum_queue_procs": ("quorum_queue_erlang_process", "Quorum queue processes footprint in bytes"),
    "quorum_queue_dlx_procs": (
        "quorum_queue_dlx_erlang_process",
        "Quorum queue DLX worker processes footprint in bytes",
    ),
    "stream_queue_procs": ("stream_erlang_process", "Stream processes footprint in bytes"),
    "stream_queue_replica_reader_procs": (
        "stream_replica_reader_erlang_process",
        "Stream replica reader processes footprint in bytes",
    ),
    "stream_queue_coordinator_procs": (
        "stream_coordinator_erlang_process",
        "Stream coordinator processes footprint in bytes",
    ),
    "plugins": ("plugin", "Total plugin footprint in bytes"),
    "metadata_store": ("modern_metadata_store", "Modern metadata store footprint in bytes"),
    "other_proc": ("other_erlang_process", "Other processes footprint in bytes"),
    "metrics": ("metrics", "Metric table footprint in bytes"),
    "mgmt_db": ("management_stats_db", "Management stats database footprint in bytes"),
    "mnesia": ("classic_metadata_store", "Classic metadata store footprint in bytes"),
    "quorum_ets": ("quorum_queue_ets_table", "Quorum queue ETS tables footprint in bytes"),
    "metadata_store_ets": ("modern_metadata_store_ets_table", "Modern metadata store ETS tables footprint in bytes"),
    "other_ets": ("other_ets_table", "Other ETS tables footprint in bytes"),
    "binary": ("binary_heap", "Binary heap size in bytes"),
    "msg_index": ("message_index", "Message index footprint in bytes"),
    "code": ("code_module", "Code module memory footprint"),
    "atom": ("atom_table", "Atom table size in bytes"),
    "other_system": ("other_system", "Other runtime footprint in bytes"),
    "allocated_unused": ("runtime_allocated_unused", "Runtime allocated but unused blocks size in bytes"),
    "reserved_unallocated": ("runtime_reserved_unallocated", "Runtime reserved but unallocated blocks size in bytes"),
}
"""RabbitMQ's names, and those of its metrics (between `rabbitmq_memory_` and `_bytes`) with what they mean.

Most are of Erlang, and 0 here: tools want to find all of them.
"""

_QUEUE_PARTS: Final = {CLASSIC: "queue_procs", QUORUM: "quorum_queue_procs", STREAM: "stream_queue_procs"}


def memory_of(queue: AnyQueue) -> int:
    """Estimated bytes of a queue and its messages that are in memory."""
    if isinstance(queue, Stream):
        return QUEUE_COST  # its messages are in the store
    entries = depth_of(queue)[0] - queue.paged
    return QUEUE_COST + entries * ENTRY_COST + queue.ready_bytes + queue.unacked_bytes


async def memory_parts(broker: Broker) -> dict[str, int]:
    """What each part takes; `other_proc` is what is not known to be anything else. Others have turns meanwhile."""
    parts = dict.fromkeys(PARTS, 0)
    seen = 0
    for vhost in list(broker.vhosts.values()):
        for queue in list(vhost.queues.values()):
            parts[_QUEUE_PARTS[queue_type_of(queue.arguments)]] += memory_of(queue)
            seen += 1
            if seen % STEP == 0:
                await asyncio.sleep(0)
    connections = list(broker.connections.open)
    parts["connection_other"] = len(connections) * CONNECTION_COST
    parts["connection_channels"] = sum([len(each.open_channels()) for each in connections]) * CHANNEL_COST
    parts["other_proc"] = max(0, resident_bytes() - sum(parts.values()))
    return parts
