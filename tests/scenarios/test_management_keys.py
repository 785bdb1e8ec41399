"""The names in the JSON of each object: RabbitMQ 3.10's, and where amqpd's are others, which and why.

`RABBITMQ` was read off a RabbitMQ 3.10.8; run against one, each test says whether it still is so. Numbers that
RabbitMQ gathers every five seconds are waited for; `message_stats` are compared in a test of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from web import Web

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicConsume,
    BasicConsumeOk,
    BasicGet,
    BasicGetOk,
    BasicQos,
    BasicQosOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)


class Difference(NamedTuple):
    """What amqpd has more, and has not."""

    more: str = ""
    less: str = ""


def words(text: str) -> set[str]:
    return set(text.split())


def rated(text: str) -> str:
    """Numbers, each with its rate."""
    return " ".join([f"{word} {word}_details" for word in text.split()])


DEPTH = rated("messages messages_ready messages_unacknowledged")

QUEUE = f"""
    arguments auto_delete consumers durable effective_policy_definition exclusive garbage_collection memory {DEPTH}
    message_stats name node operator_policy policy {rated("reductions")} state type vhost
"""
DETAILS = "consumer_details deliveries incoming"
CLASSIC = f"""
    {QUEUE} backing_queue_status consumer_capacity consumer_utilisation exclusive_consumer_tag head_message_timestamp
    idle_since message_bytes message_bytes_paged_out message_bytes_persistent message_bytes_ram message_bytes_ready
    message_bytes_unacknowledged messages_paged_out messages_persistent messages_ram messages_ready_ram
    messages_unacknowledged_ram recoverable_slaves single_active_consumer_tag
"""
QUORUM = f"""
    {QUEUE} {DETAILS} consumer_capacity consumer_utilisation leader members message_bytes message_bytes_dlx
    message_bytes_persistent message_bytes_ram message_bytes_ready message_bytes_unacknowledged messages_dlx
    messages_persistent messages_ram online open_files single_active_consumer_ctag
"""
STREAM = f"{QUEUE} {DETAILS} members online readers"

RABBITMQ = {
    "overview": """
        churn_rates cluster_name contexts disable_stats enable_queue_totals erlang_full_version erlang_version
        exchange_types listeners management_version message_stats node object_totals product_name product_version
        queue_totals rabbitmq_version rates_mode release_series_support_status sample_retention_policies
        statistics_db_event_queue
    """,
    "node": f"""
        applications auth_mechanisms cluster_links config_files contexts db_dir {rated("disk_free")}
        disk_free_alarm disk_free_limit enabled_plugins exchange_types fd_total {rated("fd_used")} log_files mem_alarm
        mem_calculation_strategy mem_limit {rated("mem_used")} metrics_gc_queue_length name net_ticktime os_pid
        partitions proc_total {rated("proc_used")} processors rates_mode run_queue running sockets_total
        {rated("sockets_used")} type uptime
        {rated("channel_closed channel_created connection_closed connection_created")}
        {rated("queue_created queue_declared queue_deleted")}
        ra_open_file_metrics
        {rated("context_switches gc_num gc_bytes_reclaimed")}
        {rated("io_read_avg_time io_read_bytes io_read_count io_reopen_count io_seek_avg_time io_seek_count")}
        {rated("io_sync_avg_time io_sync_count io_write_avg_time io_write_bytes io_write_count")}
        {rated("mnesia_disk_tx_count mnesia_ram_tx_count msg_store_read_count msg_store_write_count")}
        {rated("queue_index_read_count queue_index_write_count")}
    """,
    "connection": f"""
        auth_mechanism channel_max channels client_properties connected_at frame_max garbage_collection host name node
        peer_cert_issuer peer_cert_subject peer_cert_validity peer_host peer_port port protocol recv_cnt
        {rated("recv_oct")} {rated("reductions")} send_cnt {rated("send_oct")} send_pend ssl ssl_cipher ssl_hash
        ssl_key_exchange ssl_protocol state timeout type user user_who_performed_action vhost
    """,
    "channel": f"""
        acks_uncommitted confirm connection_details consumer_count garbage_collection global_prefetch_count idle_since
        message_stats messages_unacknowledged messages_uncommitted messages_unconfirmed name node number
        pending_raft_commands prefetch_count {rated("reductions")} state transactional user user_who_performed_action
        vhost
    """,
    "consumer": """
        ack_required active activity_status arguments channel_details consumer_tag exclusive prefetch_count queue
    """,
    "exchange": "arguments auto_delete durable internal message_stats name type user_who_performed_action vhost",
    "exchange with policy": """
        arguments auto_delete durable incoming internal name outgoing policy type user_who_performed_action vhost
    """,
    "classic queue": f"{CLASSIC} {DETAILS}",
    "classic queue in a list": CLASSIC,
    "exclusive queue": f"{CLASSIC} {DETAILS} owner_pid_details",
    "quorum queue": QUORUM,
    "stream": STREAM,
    "queue without statistics": "arguments auto_delete durable exclusive name node state type vhost",
    "queue with totals": """
        arguments auto_delete durable exclusive messages messages_ready messages_unacknowledged name node state type
        vhost
    """,
    "binding": "arguments destination destination_type properties_key routing_key source vhost",
    "vhost": f"""
        cluster_state default_queue_type description message_stats {DEPTH} metadata name {rated("recv_oct send_oct")}
        tags tracing
    """,
    "user": "hashing_algorithm limits name password_hash tags",
    "policy": "apply-to definition name pattern priority vhost",
    "permission": "configure read user vhost write",
}

DIFFERENCES = {
    "overview": Difference(
        "amqpd_version cluster_tags crypto_lib_version default_queue_type is_op_policy_updating_enabled node_tags"
    ),
    "node": Difference(
        "being_drained",
        f"""
            ra_open_file_metrics {rated("context_switches gc_num gc_bytes_reclaimed")}
            {rated("io_read_avg_time io_read_bytes io_read_count io_reopen_count io_seek_avg_time io_seek_count")}
            {rated("io_sync_avg_time io_sync_count io_write_avg_time io_write_bytes io_write_count")}
            {rated("mnesia_disk_tx_count mnesia_ram_tx_count msg_store_read_count msg_store_write_count")}
            {rated("queue_index_read_count queue_index_write_count")}
        """,
    ),
    "consumer": Difference("consumer_timeout"),
    "classic queue": Difference("storage_version"),
    "classic queue in a list": Difference("storage_version"),
    "exclusive queue": Difference("storage_version"),
    "queue with totals": Difference("effective_policy_definition operator_policy policy"),
    "quorum queue": Difference("exclusive_consumer_tag idle_since single_active_consumer_tag"),
    "stream": Difference("idle_since leader message_bytes"),
    "vhost": Difference("protected_from_deletion", rated("recv_oct send_oct")),
}
"""Where the names are others: those of RabbitMQ 4, and of Erlang's inner life."""


class Premises:
    """A vhost with one of each, and a client that does something with them."""

    def __init__(self, web: Web, vhost: str) -> None:
        self.web = web
        self.vhost = vhost
        self.client: Client = web.connect(vhost)
        self.ours = "amqpd_version" in web.get("/overview").json
        client = self.client
        for name, arguments in (
            ("cq", {}),
            ("qq", {"x-queue-type": "quorum"}),
            ("sq", {"x-queue-type": "stream"}),
        ):
            client.call(1, QueueDeclare(queue=name, durable=True, arguments=arguments), QueueDeclareOk)
        client.call(1, QueueDeclare(queue="eq", exclusive=True), QueueDeclareOk)
        client.call(1, QueueBind(queue="cq", exchange="amq.direct", routing_key="k"), QueueBindOk)
        for name in ("cq", "qq", "sq", "eq"):
            client.publish(1, "", name, b"x")
        client.call(1, BasicGet(queue="cq"), BasicGetOk)
        client.call(1, BasicQos(prefetch_count=5), BasicQosOk)
        for name in ("cq", "qq"):
            client.call(1, BasicConsume(queue=name, consumer_tag=name), BasicConsumeOk)
        web.put(f"/policies/{vhost}/p", {"pattern": "^amq.direct", "definition": {"alternate-exchange": "x"}})

    def compare(self, kind: str, path: str, wanted: dict[str, Any] | None = None) -> None:
        """What is at a path, or that in the list there which has this, has the names that are expected."""
        expected = words(RABBITMQ[kind])
        if self.ours:
            difference = DIFFERENCES.get(kind, Difference())
            assert not words(difference.more) & expected
            assert words(difference.less) <= expected
            expected = (expected | words(difference.more)) - words(difference.less)

        def find(found: Any) -> Any:
            if wanted is None:
                return found
            return next((each for each in found if wanted.items() <= each.items()), {})

        def complete(found: Any) -> bool:
            return expected <= find(found).keys()

        if not self.ours:
            with contextlib.suppress(AssertionError):  # the next one tells more
                self.web.until(path, complete)
        assert find(self.web.get(path).json).keys() == expected


@pytest.fixture(scope="module")
def premises(web: Web) -> Iterator[Premises]:
    name = "t.keys"
    web.put(f"/vhosts/{name}")
    premises = Premises(web, name)
    yield premises
    premises.client.drop()
    web.delete(f"/vhosts/{name}")


def test_overview(premises: Premises) -> None:
    premises.compare("overview", "/overview")


def test_nodes(premises: Premises) -> None:
    name = premises.web.get("/overview").json["node"]
    premises.compare("node", f"/nodes/{name}")
    premises.compare("node", "/nodes", {"name": name})


def test_connections(premises: Premises) -> None:
    premises.compare("connection", f"/vhosts/{premises.vhost}/connections", {"vhost": premises.vhost})


def test_channels(premises: Premises) -> None:
    premises.compare("channel", f"/vhosts/{premises.vhost}/channels", {"vhost": premises.vhost})


def test_consumers(premises: Premises) -> None:
    premises.compare("consumer", f"/consumers/{premises.vhost}", {"consumer_tag": "cq"})


def test_exchanges(premises: Premises) -> None:
    premises.compare("exchange", f"/exchanges/{premises.vhost}", {"name": ""})
    premises.compare("exchange with policy", f"/exchanges/{premises.vhost}/amq.direct")


@pytest.mark.parametrize(
    ("kind", "name"), [("classic queue", "cq"), ("exclusive queue", "eq"), ("quorum queue", "qq"), ("stream", "sq")]
)
def test_queues(premises: Premises, kind: str, name: str) -> None:
    premises.compare(kind, f"/queues/{premises.vhost}/{name}")


def test_lists_of_queues(premises: Premises) -> None:
    place = f"/queues/{premises.vhost}"
    premises.compare("classic queue in a list", place, {"name": "cq"})
    premises.compare("queue without statistics", f"{place}?disable_stats=true", {"name": "cq"})
    premises.compare("queue with totals", f"{place}?disable_stats=true&enable_queue_totals=true", {"name": "cq"})


def test_bindings(premises: Premises) -> None:
    premises.compare("binding", f"/bindings/{premises.vhost}", {"source": "amq.direct"})


def test_vhosts(premises: Premises) -> None:
    premises.compare("vhost", f"/vhosts/{premises.vhost}")
    premises.compare("vhost", "/vhosts", {"name": premises.vhost})


def test_users_and_permissions(premises: Premises) -> None:
    premises.compare("user", "/users/guest")
    premises.compare("user", "/users", {"name": "guest"})
    premises.compare("permission", f"/permissions/{premises.vhost}/guest")


def test_policies(premises: Premises) -> None:
    premises.compare("policy", f"/policies/{premises.vhost}/p")
    premises.compare("policy", "/policies", {"vhost": premises.vhost})


STATS = {
    "/queues/{}/cq": "publish get deliver_get",
    "/queues/{}/qq": "publish deliver deliver_get",
    "/queues/{}/sq": "publish",
    "/exchanges/{}": "publish_in publish_out",
    "/vhosts/{}/channels": "publish get deliver deliver_get",
}


@pytest.mark.parametrize("path", STATS)
def test_message_stats(premises: Premises, path: str) -> None:
    """Those that counted are there, with their rates; RabbitMQ shows some more, with 0."""
    wanted = words(rated(STATS[path]))

    def stats(found: Any) -> Any:
        if isinstance(found, list):
            found = next((each for each in found if each["name"] == "" or "number" in each), {})
        return found.get("message_stats", {})

    def counted(found: Any) -> bool:
        return all(stats(found).get(name) for name in STATS[path].split())

    found = stats(premises.web.until(path.format(premises.vhost), counted))
    assert wanted <= found.keys()
    assert all("rate" in found[name] for name in wanted if name.endswith("_details"))


# --- types that strict clients insist on (features H54 to H59)


def check(found: dict[str, Any], expected: str) -> None:
    """`expected` is lines of a type and the names that have it."""
    for line in expected.strip().splitlines():
        kind, _, names = line.strip().partition(": ")
        for name in names.split():
            assert type(found[name]).__name__ in kind.split("|"), f"{name} is {found[name]!r}"


def test_types_of_queues(premises: Premises) -> None:
    found = premises.web.until(f"/queues/{premises.vhost}/cq", lambda queue: "messages" in queue)
    check(
        found,
        """
        str: name vhost type node state
        bool: durable auto_delete exclusive
        dict: arguments effective_policy_definition
        int: messages messages_ready messages_unacknowledged message_bytes consumers memory
        NoneType: policy operator_policy
        int|float: consumer_utilisation consumer_capacity
        """,
    )


def test_types_of_connections_and_channels(premises: Premises) -> None:
    place = f"/vhosts/{premises.vhost}"
    (connection,) = premises.web.until(f"{place}/connections", lambda each: bool(each) and "recv_oct" in each[0])
    check(
        connection,
        """
        str: name node vhost user protocol type state host peer_host auth_mechanism
        int: channels channel_max frame_max timeout connected_at port peer_port recv_oct send_oct recv_cnt send_cnt
        bool: ssl
        dict: client_properties
        """,
    )
    assert (connection["protocol"], connection["type"]) == ("AMQP 0-9-1", "network")
    (channel,) = premises.web.until(f"{place}/channels", lambda each: bool(each) and "consumer_count" in each[0])
    check(
        channel,
        """
        str: name vhost user node state
        int: number consumer_count prefetch_count global_prefetch_count messages_unacknowledged messages_unconfirmed
        int: messages_uncommitted acks_uncommitted
        bool: confirm transactional
        dict: connection_details
        """,
    )
    assert channel["name"] == f"{connection['name']} (1)"
    assert channel["connection_details"].keys() == {"name", "peer_host", "peer_port"}


def test_types_of_consumers(premises: Premises) -> None:
    found = premises.web.until(f"/consumers/{premises.vhost}", lambda consumers: len(consumers) > 1)
    (consumer,) = [each for each in found if each["consumer_tag"] == "cq"]
    assert consumer["queue"] == {"name": "cq", "vhost": premises.vhost}
    names = "name number connection_name node peer_host peer_port user"
    assert consumer["channel_details"].keys() == words(names)
    check(consumer, "bool: active ack_required exclusive\ndict: arguments\nint: prefetch_count\nstr: activity_status")


def test_types_of_nodes_and_overview(premises: Premises) -> None:
    (node,) = premises.web.until("/nodes", lambda nodes: "mem_used" in nodes[0])
    check(
        node,
        """
        str: name os_pid rates_mode type
        int: uptime run_queue processors fd_total proc_total mem_limit disk_free_limit mem_used fd_used sockets_used
        bool: mem_alarm disk_free_alarm running
        list: enabled_plugins partitions exchange_types auth_mechanisms applications
        """,
    )
    overview = premises.web.get("/overview").json
    check(
        overview,
        """
        str: cluster_name node erlang_version erlang_full_version rabbitmq_version product_name product_version
        int: statistics_db_event_queue
        dict: churn_rates queue_totals object_totals message_stats
        list: listeners exchange_types contexts
        """,
    )
    assert overview["object_totals"].keys() == {"channels", "connections", "consumers", "exchanges", "queues"}
    assert overview["listeners"][0].keys() == {"node", "protocol", "ip_address", "port", "socket_opts"}
    churn = "channel_closed channel_created connection_closed connection_created"
    churn += " queue_created queue_declared queue_deleted"
    assert overview["churn_rates"].keys() == words(rated(churn))
