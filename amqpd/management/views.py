"""The JSON shape of each object, with RabbitMQ's names (rabbit_mgmt_format, rabbit_mgmt_db)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from ..amqp.channel import Channel
from ..amqp.connection import Connection
from ..broker.arguments import QUORUM, queue_type_of
from ..broker.binding import Binding
from ..broker.consumer import Consumer
from ..broker.exchanges import Exchange
from ..broker.exchanges.delayed import DelayedMessageExchange
from ..broker.policies import names_of
from ..broker.queue import Queue
from ..broker.stream import AnyQueue, Stream
from ..broker.vhost import VHost
from ..definitions.values import table_to_json as table
from ..wire.fields import encode_table
from .memory import memory_of
from .rates import DEPTH, EXCHANGE_NAMES, depth_of, unacked_of

if TYPE_CHECKING:
    from .server import Management

GARBAGE_COLLECTION: Final = {
    "fullsweep_after": 65535,
    "max_heap_size": 0,
    "min_bin_vheap_size": 46422,
    "min_heap_size": 233,
    "minor_gcs": 0,
}
"""Of Erlang's processes, of which there are none here; strict clients want it there."""


class Views:
    """Shows objects of the model."""

    def __init__(self, management: Management) -> None:
        self._broker = management.broker
        self._rates = management.rates
        self._node = management.broker.node

    # --- queues

    def queue(self, vhost: VHost, queue: AnyQueue) -> dict[str, Any]:
        """As in a list."""
        total, ready, unacked = depth_of(queue)
        shown: dict[str, Any] = {
            **self.queue_basics(vhost, queue),
            **self._policies(queue),
            **self._rates.details((queue, "depth"), dict(zip(DEPTH, (total, ready, unacked), strict=True))),
            "consumers": len(queue.consumers),
            "garbage_collection": GARBAGE_COLLECTION,
            "memory": memory_of(queue),
            "message_bytes": queue.message_bytes,
            "reductions": 0,
            "reductions_details": {"rate": 0.0},
        }
        stats = self._rates.stats(queue.traffic)
        if stats:
            shown["message_stats"] = stats
        idle = self._rates.idle_since(queue.traffic)
        if idle is not None:
            shown["idle_since"] = moment(idle)
        if isinstance(queue, Stream):
            return {**shown, **self._members(), "readers": {self._node: len(queue.consumers)}}
        return {**shown, **self._queue_alone(queue, total, ready, unacked)}

    def _queue_alone(self, queue: Queue, total: int, ready: int, unacked: int) -> dict[str, Any]:
        """What streams have not."""
        size = queue.message_bytes + queue.unacked_bytes
        active = _tag(queue.active)
        shown: dict[str, Any] = {
            "consumer_capacity": _capacity(queue),
            "consumer_utilisation": _capacity(queue),
            "exclusive_consumer_tag": _tag(next((each for each in queue.consumers if each.exclusive), None)),
            "single_active_consumer_tag": active,
            "message_bytes": size,
            "message_bytes_ready": queue.message_bytes,
            "message_bytes_unacknowledged": queue.unacked_bytes,
            "message_bytes_ram": _in_memory(queue),
            "message_bytes_persistent": size if queue.durable else 0,
            "messages_ram": total - queue.paged,
            "messages_persistent": total if queue.durable else 0,
        }
        if queue_type_of(queue.arguments) == QUORUM:
            return {
                **shown,
                **self._members(),
                "open_files": {self._node: 0},
                "single_active_consumer_ctag": active,
                "messages_dlx": 0,
                "message_bytes_dlx": 0,
            }
        return {
            **shown,
            "head_message_timestamp": None,
            "message_bytes_paged_out": size - _in_memory(queue),
            "messages_paged_out": queue.paged,
            "messages_ready_ram": ready - queue.paged,
            "messages_unacknowledged_ram": unacked,
            "backing_queue_status": {"len": ready, "mode": "default", "next_seq_id": queue.next_seq, "version": 2},
            "recoverable_slaves": None,
            "storage_version": 2,
        }

    def _members(self) -> dict[str, Any]:
        return {"leader": self._node, "members": [self._node], "online": [self._node]}

    def queue_basics(self, vhost: VHost, queue: AnyQueue) -> dict[str, Any]:
        """What a queue is, without numbers."""
        shown = {
            "name": queue.name,
            "vhost": vhost.name,
            "type": queue_type_of(queue.arguments),
            "durable": queue.durable,
            "auto_delete": queue.auto_delete,
            "exclusive": queue.owner is not None,
            "arguments": table(queue.arguments),
            "node": self._node,
            "state": "running",
        }
        owner = queue.owner
        if isinstance(owner, Connection):
            shown["owner_pid_details"] = self._ends(owner)
        return shown

    def queue_details(self, vhost: VHost, queue: AnyQueue) -> dict[str, Any]:
        """As by itself."""
        return {
            **self.queue(vhost, queue),
            "consumer_details": [self.consumer(vhost, queue, consumer) for consumer in list(queue.consumers)],
            "deliveries": [],
            "incoming": [],
        }

    # --- exchanges and bindings

    def exchange(self, vhost: VHost, exchange: Exchange) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": exchange.name,
            "vhost": vhost.name,
            "type": exchange.type,
            "durable": exchange.durable,
            "auto_delete": exchange.auto_delete,
            "internal": exchange.internal,
            "arguments": table(exchange.arguments),
            "policy": names_of(exchange.policies)[0],
            "user_who_performed_action": exchange.declared_by,
        }
        if shown["policy"] is None:
            del shown["policy"]
        stats = self._rates.stats(exchange.traffic, EXCHANGE_NAMES)
        if stats:
            shown["message_stats"] = stats
        if isinstance(exchange, DelayedMessageExchange):
            shown["messages_delayed"] = exchange.messages_delayed
        return shown

    def exchange_details(self, vhost: VHost, exchange: Exchange) -> dict[str, Any]:
        return {**self.exchange(vhost, exchange), "incoming": [], "outgoing": []}

    def binding(self, vhost: VHost, binding: Binding) -> dict[str, Any]:
        return {
            "source": binding.source.name,
            "vhost": vhost.name,
            "destination": binding.destination.name,
            "destination_type": "queue" if binding.to_queue else "exchange",
            "routing_key": binding.routing_key,
            "arguments": table(binding.arguments),
            "properties_key": properties_key(binding.routing_key, binding.arguments),
        }

    def implicit_binding(self, vhost: VHost, queue: AnyQueue) -> dict[str, Any]:
        """By which the default exchange reaches a queue."""
        return {
            "source": "",
            "vhost": vhost.name,
            "destination": queue.name,
            "destination_type": "queue",
            "routing_key": queue.name,
            "arguments": {},
            "properties_key": properties_key(queue.name, {}),
        }

    # --- connections, channels, consumers

    def connection(self, connection: Connection) -> dict[str, Any]:
        peer = connection.peer
        received, sent = connection.bytes_received, connection.bytes_sent
        return {
            "name": connection.name,
            "node": self._node,
            "vhost": connection.vhost_name,
            "user": connection.username,
            "user_who_performed_action": connection.username,
            "protocol": "AMQP 0-9-1",
            "type": "network",
            "state": connection.state,
            "channels": len(connection.open_channels()),
            "channel_max": connection.channel_max,
            "frame_max": connection.outbox.frame_max,
            "timeout": connection.heartbeat,
            "connected_at": int(connection.connected_at * 1000),
            "host": peer.local_host,
            "port": peer.local_port,
            "peer_host": peer.host,
            "peer_port": peer.port,
            "auth_mechanism": connection.mechanism,
            "client_properties": table(connection.client_properties),
            "recv_cnt": connection.reads,
            "recv_oct": received,
            "recv_oct_details": {"rate": self._rates.rate((connection, "received"), received)},
            "send_cnt": connection.writes,
            "send_oct": sent,
            "send_oct_details": {"rate": self._rates.rate((connection, "sent"), sent)},
            "send_pend": connection.outlet.pending,
            "garbage_collection": GARBAGE_COLLECTION,
            "reductions": 0,
            "reductions_details": {"rate": 0.0},
            **_tls(connection),
            **connection.given_name,
        }

    def channel(self, channel: Channel) -> dict[str, Any]:
        traffic = channel.traffic
        confirms, transaction = channel.confirms, channel.transaction
        shown: dict[str, Any] = {
            "name": f"{channel.connection.name} ({channel.number})",
            "number": channel.number,
            "node": self._node,
            "vhost": channel.vhost.name,
            "user": channel.user.name,
            "user_who_performed_action": channel.user.name,
            "state": "running",
            "connection_details": self._ends(channel.connection),
            "consumer_count": len(channel.consumers),
            "confirm": confirms is not None,
            "transactional": transaction is not None,
            "prefetch_count": channel.prefetch,
            "global_prefetch_count": channel.deliveries.window.limit,
            "messages_unacknowledged": channel.deliveries.unacked.count,
            "messages_unconfirmed": confirms.unconfirmed if confirms is not None else 0,
            "messages_uncommitted": transaction.publish_count if transaction is not None else 0,
            "acks_uncommitted": transaction.settlement_count if transaction is not None else 0,
            "pending_raft_commands": 0,
            "garbage_collection": GARBAGE_COLLECTION,
            "reductions": 0,
            "reductions_details": {"rate": 0.0},
        }
        stats = self._rates.stats(traffic)
        if stats:
            shown["message_stats"] = stats
        idle = self._rates.idle_since(traffic)
        if idle is not None:
            shown["idle_since"] = moment(idle)
        return shown

    def channel_details(self, vhost: VHost, channel: Channel) -> dict[str, Any]:
        """As by itself."""
        consumers = [
            self.consumer(vhost, vhost.queues[each.queue.name], each)
            for each in channel.consumers.values()
            if each.queue.name in vhost.queues
        ]
        return {**self.channel(channel), "consumer_details": consumers, "deliveries": [], "publishes": []}

    def consumer(self, vhost: VHost, queue: AnyQueue, consumer: Consumer) -> dict[str, Any]:
        channel = getattr(consumer.sink, "channel", None)
        details: Any = []
        if isinstance(channel, Channel):
            details = {
                "name": f"{channel.connection.name} ({channel.number})",
                "number": channel.number,
                "connection_name": channel.connection.name,
                "node": self._node,
                "peer_host": channel.connection.peer.host,
                "peer_port": channel.connection.peer.port,
                "user": channel.user.name,
            }
        single = not isinstance(queue, Stream) and queue.single_active
        active = not single or (not isinstance(queue, Stream) and queue.active is consumer)
        return {
            "consumer_tag": consumer.tag,
            "active": active,
            "activity_status": "up" if not single else "single_active" if active else "waiting",
            "ack_required": not consumer.no_ack,
            "prefetch_count": consumer.prefetch,
            "exclusive": consumer.exclusive,
            "arguments": table(consumer.arguments),
            "consumer_timeout": 0 if isinstance(queue, Stream) else self._broker.timeouts.timeout_of(queue),
            "queue": {"name": queue.name, "vhost": vhost.name},
            "channel_details": details,
        }

    # --- vhosts

    def vhost(self, vhost: VHost) -> dict[str, Any]:
        totals = [0, 0, 0]
        for queue in list(vhost.queues.values()):
            totals = [before + more for before, more in zip(totals, depth_of(queue), strict=True)]
        shown: dict[str, Any] = {
            "name": vhost.name,
            "description": vhost.description,
            "tags": list(vhost.tags),
            "default_queue_type": vhost.default_queue_type or "classic",
            "tracing": vhost.tracing,
            "protected_from_deletion": vhost.protected,
            "metadata": {
                "description": vhost.description,
                "tags": list(vhost.tags),
                "default_queue_type": vhost.default_queue_type or "classic",
            },
            "cluster_state": {self._node: "running"},
            **self._rates.depths([vhost], (totals[0], totals[1], totals[2])),
        }
        stats = self._rates.vhost_stats(vhost)
        if stats:
            shown["message_stats"] = stats
        return shown

    # --- parts

    def _ends(self, connection: Connection) -> dict[str, Any]:
        return {"name": connection.name, "peer_host": connection.peer.host, "peer_port": connection.peer.port}

    def _policies(self, queue: AnyQueue) -> dict[str, Any]:
        policy, operator_policy = names_of(queue.policies)
        return {
            "policy": policy,
            "operator_policy": operator_policy,
            "effective_policy_definition": dict(queue.policies.definition) if queue.policies is not None else {},
        }

    def queue_totals(self, vhost: VHost, queue: AnyQueue) -> dict[str, Any]:
        """What a queue is, and how many messages are in it."""
        return {
            **self.queue_basics(vhost, queue),
            **self._policies(queue),
            **dict(zip(DEPTH, depth_of(queue), strict=True)),
        }


_STATISTICS: Final = frozenset(
    {
        "message_stats",
        "messages_delayed",
        *DEPTH,
        *("recv_cnt", "recv_oct", "send_cnt", "send_oct", "send_pend", "channels", "state"),
        *("consumer_count", "prefetch_count", "global_prefetch_count", "confirm", "transactional"),
        *("messages_unconfirmed", "messages_uncommitted", "acks_uncommitted", "pending_raft_commands", "idle_since"),
        *("garbage_collection", "reductions", "consumer_details", "deliveries", "incoming", "outgoing", "publishes"),
    }
)
"""What is counted for an exchange, a connection, a channel or a vhost, or changes as often."""


def without_stats(shown: dict[str, Any]) -> dict[str, Any]:
    """An exchange, a connection, a channel or a vhost as it was when it was made."""
    counted = {f"{name}_details" for name in _STATISTICS}
    return {name: value for name, value in shown.items() if name not in _STATISTICS and name not in counted}


def properties_key(routing_key: str, arguments: Mapping[str, Any]) -> str:
    """What tells apart the bindings between two objects, in a path (rabbit_mgmt_format:pack_binding_props)."""
    key = quote_plus(routing_key, safe="").replace("~", "%7E") or "~"
    if not arguments:
        return key
    digest = hashlib.md5(encode_table(dict(sorted(arguments.items()))), usedforsecurity=False).digest()
    return f"{key}~{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def moment(seconds: float) -> str:
    """A point in time as the API writes it: `2026-01-01T10:00:00.000+00:00`."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")


def _tag(consumer: Consumer | None) -> str | None:
    return consumer.tag if consumer is not None else None


def _capacity(queue: AnyQueue) -> float:
    """Whether messages could be delivered at once if there were any."""
    if isinstance(queue, Queue) and queue.ready.length == 0 and queue.consumers:
        return 1.0
    return 0.0


def _in_memory(queue: AnyQueue) -> int:
    return 0 if isinstance(queue, Stream) else queue.ready_bytes + queue.unacked_bytes


def _tls(connection: Connection) -> dict[str, Any]:
    """What is known of the encryption; nothing for plain connections."""
    names = ("ssl_protocol", "ssl_key_exchange", "ssl_cipher", "ssl_hash")
    certificate = ("peer_cert_subject", "peer_cert_issuer", "peer_cert_validity")
    encryption = connection.peer.encryption
    fields = encryption.fields if encryption is not None else {}
    return {"ssl": encryption is not None, **dict.fromkeys(names), **dict.fromkeys(certificate), **fields}


__all__ = ["Views", "moment", "properties_key", "unacked_of"]
