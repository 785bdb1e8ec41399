"""Metrics, read back by Prometheus's own parser."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import Response

from amqpd.management.prometheus import respond
from amqpd.management.server import Options
from amqpd.message import make_message
from tests.management.harness import Api

OVERVIEW = """
identity_info build_info connections channels queues consumers queue_messages_ready queue_messages_unacked
global_messages_received_total global_messages_received_confirm_total global_messages_confirmed_total
global_messages_routed_total global_messages_unroutable_dropped_total global_messages_unroutable_returned_total
global_messages_delivered_total global_messages_redelivered_total global_messages_acknowledged_total
global_messages_delivered_consume_auto_ack_total global_messages_delivered_consume_manual_ack_total
global_messages_delivered_get_auto_ack_total global_messages_delivered_get_manual_ack_total
global_messages_get_empty_total global_publishers global_consumers
queues_declared_total queues_created_total queues_deleted_total connections_opened_total connections_closed_total
channels_opened_total channels_closed_total resident_memory_limit_bytes process_resident_memory_bytes
disk_space_available_bytes disk_space_available_limit_bytes process_open_fds process_max_fds
process_open_tcp_sockets process_max_tcp_sockets channel_messages_published_total channel_messages_confirmed_total
channel_messages_redelivered_total channel_get_total channel_get_ack_total channel_get_empty_total
"""

INFO = {"rabbitmq_build_info", "rabbitmq_identity_info"}

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Metrics(Api):
    """An API whose metrics are read."""

    def answer(self, page: str = "", query: str = "") -> Response:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": f"/metrics{page}",
            "query_string": query.encode(),
            "headers": [],
            "path_params": {"page": page.removeprefix("/")},
        }
        return asyncio.run(respond(self.management, Request(scope)))

    def page(self, page: str = "", query: str = "") -> Samples:
        response = self.answer(page, query)
        assert response.status_code == 200
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(bytes(response.body).decode())
            for sample in family.samples
        }


@pytest.fixture
def api() -> Metrics:
    """Two queues, with two messages and one."""
    api = Metrics()
    for name, messages in (("a", 2), ("b", 1)):
        queue = api.vhost.declare_queue(name)
        for _ in range(messages):
            queue.push(make_message("", name, b"xyz"))
    return api


def test_sums_have_no_labels(api: Metrics) -> None:
    found = api.page()
    assert found["rabbitmq_queue_messages_ready", ()] == 3
    assert found["rabbitmq_queue_messages_bytes", ()] == 9
    assert found["rabbitmq_queues", ()] == 2
    assert found["rabbitmq_queue_messages_published_total", ()] == 3


def test_each_object_has_its_own(api: Metrics) -> None:
    found = api.page("/per-object")
    assert found["rabbitmq_queue_messages_ready", (("queue", "a"), ("vhost", "/"))] == 2
    assert found["rabbitmq_queue_messages_ready", (("queue", "b"), ("vhost", "/"))] == 1


def test_sums_can_be_of_each_object_by_configuration(api: Metrics) -> None:
    api.management.options = Options(per_object_metrics=True)
    assert ("rabbitmq_queue_messages_ready", (("queue", "a"), ("vhost", "/"))) in api.page()


def test_families_and_vhosts_can_be_chosen(api: Metrics) -> None:
    api.broker.add_vhost("v").declare_queue("c")
    found = api.page("/detailed", "family=queue_coarse_metrics&vhost=v")
    assert {name for name, _ in found} == INFO | {
        "rabbitmq_detailed_queue_messages_ready",
        "rabbitmq_detailed_queue_messages_unacked",
        "rabbitmq_detailed_queue_messages",
        "rabbitmq_detailed_queue_info",
    }
    queues = {(labels["vhost"], labels["queue"]) for labels in map(dict, [k[1] for k in found if k[0] not in INFO])}
    assert queues == {("v", "c")}


def test_queues_can_be_chosen_by_their_names(api: Metrics) -> None:
    found = api.page("/detailed", "family=queue_consumer_count&family=exchange_names&queue=^a")
    assert {dict(labels)["queue"] for name, labels in found if name == "rabbitmq_detailed_queue_consumers"} == {"a"}
    assert "rabbitmq_cluster_exchange_name" in {name for name, _ in found}
    for query, reason in (("queue=(", b"Invalid 'queue' regex"), ("queue=a&queue=b", b"Only one 'queue' query")):
        answer = api.answer("/detailed", f"family=queue_metrics&{query}")
        assert (answer.status_code, reason in bytes(answer.body)) == (400, True)


def test_each_number_of_a_queue_is_there_once(api: Metrics) -> None:
    answer = api.answer("/detailed", "family=queue_metrics&family=queue_consumer_count")
    assert bytes(answer.body).count(b"# TYPE rabbitmq_detailed_queue_consumers gauge") == 1


def test_queues_are_described(api: Metrics) -> None:
    labels = (("membership", "leader"), ("queue", "a"), ("queue_type", "rabbit_classic_queue"), ("vhost", "/"))
    assert api.page("/detailed", "family=queue_metrics")["rabbitmq_detailed_queue_info", labels] == 1
    assert ("rabbitmq_queue_info", labels) in api.page("/per-object")
    assert "rabbitmq_queue_info" not in {name for name, _ in api.page()}


FAMILIES = {
    "connection_churn_metrics": "queues_declared_total channels_opened_total",
    "node_coarse_metrics": "process_open_fds process_resident_memory_bytes disk_space_available_bytes",
    "node_metrics": "process_max_fds resident_memory_limit_bytes erlang_uptime_seconds",
    "node_persister_metrics": "io_read_bytes_total io_write_bytes_total",
    "auth_attempt_metrics": "auth_attempts_total auth_attempts_succeeded_total auth_attempts_failed_total",
    "queue_metrics": "queue_consumers queue_process_memory_bytes queue_messages_ready_ram",
    "channel_queue_exchange_metrics": "queue_messages_published_total",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_of_the_broker_as_a_whole(api: Metrics, family: str) -> None:
    api.management.attempts.count("amqp091", failed=True)
    found = {name for name, _ in api.page("/detailed", f"family={family}&vhost=/")}
    assert {f"rabbitmq_detailed_{name}" for name in FAMILIES[family].split()} - found == set()
    found = {name for name, _ in api.page()}
    assert {f"rabbitmq_{name}" for name in FAMILIES[family].split()} - found == set()


def test_logins_are_told_by_protocol_on_every_page(api: Metrics) -> None:
    api.management.attempts.count("amqp091", failed=True)
    labels = (("protocol", "amqp091"),)
    for page in ("", "/per-object"):
        found = api.page(page)
        assert (
            found["rabbitmq_auth_attempts_total", labels] == found["rabbitmq_auth_attempts_failed_total", labels] == 1
        )


def test_where_the_memory_goes(api: Metrics) -> None:
    api.vhost.declare_queue("s", durable=True, arguments={"x-queue-type": "stream"})
    found = api.page("/memory-breakdown")
    for part in ("classic_queue_erlang_process", "stream_erlang_process", "other_erlang_process"):
        assert found[f"rabbitmq_memory_{part}_bytes", ()] > 0
    assert found["rabbitmq_memory_quorum_queue_erlang_process_bytes", ()] == 0
    [identity] = [dict(labels) for name, labels in found if name == "rabbitmq_identity_info"]
    assert identity["rabbitmq_endpoint"] == "memory-breakdown"


def test_a_page_that_is_not_there(api: Metrics) -> None:
    assert api.answer("/nosuch").status_code == 404


def test_nothing_is_detailed_unless_asked_for(api: Metrics) -> None:
    assert {name for name, _ in api.page("/detailed")} == INFO


def test_what_is_of_the_cluster_is_among_the_details_alone(api: Metrics) -> None:
    found = api.page("/detailed", "family=vhost_status&family=exchange_bindings&family=exchange_names")
    assert found["rabbitmq_cluster_vhost_status", (("vhost", "/"),)] == 1
    labels = (("exchange", ""), ("type", "direct"), ("vhost", "/"))
    assert ("rabbitmq_cluster_exchange_bindings", labels) in found
    assert found["rabbitmq_cluster_exchange_name", labels] == 1
    assert not [name for name, _ in api.page() if name.startswith("rabbitmq_cluster_")]


@pytest.mark.parametrize(
    ("page", "endpoint"), [("", "aggregated"), ("/per-object", "per-object"), ("/detailed", "detailed")]
)
def test_a_dashboard_can_tell_the_pages_apart(api: Metrics, page: str, endpoint: str) -> None:
    [identity] = [dict(labels) for name, labels in api.page(page) if name == "rabbitmq_identity_info"]
    assert identity["rabbitmq_endpoint"] == endpoint


def test_what_the_overview_dashboard_asks_for_is_there(api: Metrics) -> None:
    """RabbitMQ-Overview (grafana.com, 10991), of RabbitMQ 3 and 4."""
    names = {name for name, _ in api.page()}
    assert {f"rabbitmq_{name}" for name in OVERVIEW.split()} - names == set()


def test_global_counters_never_go_back(api: Metrics) -> None:
    vhost = api.broker.add_vhost("v")
    exchange = vhost.declare_exchange("x", "fanout")
    vhost.traffic.published = vhost.traffic.confirmable = exchange.traffic.routed = 3
    labels = (("protocol", "amqp091"),)
    names = [f"rabbitmq_global_messages_{name}_total" for name in ("received", "received_confirm", "routed")]

    def totals() -> list[float]:
        found = api.page()
        return [found[name, labels] for name in names]

    assert totals() == [3, 3, 3]
    vhost.delete_exchange("x")
    assert totals() == [3, 3, 3]
    api.broker.delete_vhost("v")
    assert totals() == [3, 3, 3]


def test_names_with_odd_characters_are_told_as_they_are(api: Metrics) -> None:
    name = 'a"\\\nb'
    api.vhost.declare_queue(name)
    assert ("rabbitmq_queue_consumers", (("queue", name), ("vhost", "/"))) in api.page("/per-object")


def test_the_broker_says_who_it_is(api: Metrics) -> None:
    labels = {name: dict(labels) for name, labels in api.page() if name.endswith("_info")}
    assert labels["rabbitmq_identity_info"]["rabbitmq_node"] == api.broker.node
    assert labels["rabbitmq_build_info"]["rabbitmq_version"] == "4.2.9"


def test_churn_counts_what_came_and_went(api: Metrics) -> None:
    api.vhost.delete_queue(api.vhost.queues["a"])
    found = api.page()
    assert found["rabbitmq_queues_created_total", ()] == 2
    assert found["rabbitmq_queues_deleted_total", ()] == 1


def test_alarms_show(api: Metrics) -> None:
    assert api.page()["rabbitmq_alarms_free_disk_space_watermark", ()] == 0
    api.broker.alarms.raise_("low on disk")
    assert api.page()["rabbitmq_alarms_free_disk_space_watermark", ()] == 1


def test_metrics_need_no_password() -> None:
    from amqpd.testing.harness import BrokerProcess

    with BrokerProcess("--memory", "--http-port", "0") as broker:
        [line] = [line for line in broker.log if "started HTTP listener" in line]
        address = line.rsplit(" ", 1)[1]
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as response:
            assert b"rabbitmq_build_info" in response.read()
