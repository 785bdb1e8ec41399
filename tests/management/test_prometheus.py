"""Metrics, read back by Prometheus's own parser."""

from __future__ import annotations

import asyncio
import urllib.request
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from amqpd.management.prometheus import respond
from amqpd.management.server import Options
from amqpd.message import make_message
from tests.management.harness import Api

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Metrics(Api):
    """An API whose metrics are read."""

    def page(self, page: str = "", query: str = "") -> Samples:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": f"/metrics{page}",
            "query_string": query.encode(),
            "headers": [],
            "path_params": {"page": page.removeprefix("/")},
        }
        response = asyncio.run(respond(self.management, Request(scope)))
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
    assert {name for name, _ in found} == {
        "rabbitmq_detailed_queue_messages_ready",
        "rabbitmq_detailed_queue_messages_unacked",
        "rabbitmq_detailed_queue_messages",
    }
    assert {labels for _, labels in found} == {(("queue", "c"), ("vhost", "v"))}


def test_nothing_is_detailed_unless_asked_for(api: Metrics) -> None:
    assert api.page("/detailed") == {}


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
