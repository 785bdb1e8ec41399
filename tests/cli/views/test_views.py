"""`amqpd peek`, `route`, `topology` and `stat`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

import pytest

from amqpd.cli.views.drawing import as_svg
from amqpd.cli.views.graph import Edge, Graph, Node, as_dot, as_mermaid, graph_of
from amqpd.cli.views.route import explained
from amqpd.cli.views.stat import figures
from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicGet,
    BasicGetOk,
    ExchangeBind,
    ExchangeBindOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)
from tests.cli.command import CLEAN, PATIENCE

Amqpd = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker with some topology, and three messages in the queue pdf."""
    with BrokerProcess("-D", str(tmp_path_factory.mktemp("own"))) as process:
        with Client(process.url) as client:
            client.channel(1)
            fallback = {"alternate-exchange": "rest"}
            for name, kind, arguments in (
                ("in", "topic", fallback),
                ("by-type", "headers", {}),
                ("rest", "fanout", {}),
            ):
                declare = ExchangeDeclare(exchange=name, type=kind, durable=True, arguments=arguments)
                client.call(1, declare, ExchangeDeclareOk)
            for name, arguments in (("pdf", {}), ("leftover", {}), ("dead", {"x-dead-letter-exchange": "rest"})):
                client.call(1, QueueDeclare(queue=name, durable=True, arguments=arguments), QueueDeclareOk)
            client.call(1, ExchangeBind(destination="by-type", source="in", routing_key="doc.#"), ExchangeBindOk)
            headers = {"x-match": "all", "format": "pdf"}
            client.call(1, QueueBind(queue="pdf", exchange="by-type", arguments=headers), QueueBindOk)
            client.call(1, QueueBind(queue="leftover", exchange="rest"), QueueBindOk)
            for body in (b"one", b"two", b"three"):
                client.publish(1, "", "pdf", body)
            client.call(1, QueueDeclare(queue="pdf", passive=True), QueueDeclareOk)
        yield process


@pytest.fixture
def amqpd(own: BrokerProcess) -> Amqpd:
    def amqpd(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "amqpd", *words], capture_output=True, text=True, timeout=PATIENCE,
            env={**CLEAN, "AMQPD_DATA_DIR": own.options[1]},
        )  # fmt: skip

    return amqpd


# --- peek


def test_messages_are_looked_at_and_left_as_they_are(own: BrokerProcess, amqpd: Amqpd) -> None:
    assert amqpd("peek", "-q", "pdf", "-n", "2").stdout == "0\t\tpdf\tone\n1\t\tpdf\ttwo\n"
    assert amqpd("peek", "-q", "pdf", "--offset", "2", "--body").stdout == "three\n"
    assert json.loads(amqpd("peek", "-q", "pdf", "-n", "1", "--json").stdout)["redelivered"] is False
    assert amqpd("peek", "-q", "pdf", "--unacked").returncode == 1
    with Client(own.url) as client:
        client.channel(1)
        assert not client.call(1, BasicGet(queue="pdf", no_ack=False), BasicGetOk).redelivered
        assert "one" in amqpd("peek", "-q", "pdf", "--unacked").stdout
        client.close()
    done = amqpd("peek", "-q", "nowhere")
    assert (done.returncode, done.stderr) == (os.EX_DATAERR, "amqpd: there is no queue 'nowhere' in vhost '/'\n")


# --- route


def test_a_route_is_explained_through_exchanges_to_the_end(amqpd: Amqpd) -> None:
    done = amqpd("route", "in", "doc.new", "-H", "format=pdf")
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "exchange in (topic)"
    assert lines[1].startswith("  → exchange by-type: ")
    assert lines[2] == "exchange by-type (headers), bound to exchange in"
    assert lines[3].startswith("  → queue pdf: ")
    assert lines[-1] == "reaches 1 queue: pdf"


def test_and_to_alternates_where_nothing_matches(amqpd: Amqpd) -> None:
    done = amqpd("route", "in", "other")
    assert done.returncode == os.EX_OK
    lines = done.stdout.splitlines()
    assert lines[1].startswith("  ✗ exchange by-type: ")
    assert "  → alternate exchange rest" in lines
    assert "exchange rest (fanout), alternate of exchange in" in lines
    assert lines[-1] == "reaches 1 queue: leftover"
    shown = amqpd("route", "in", "other", "--matching").stdout.splitlines()
    assert shown[:2] == ["exchange in (topic)", "  no binding matches"]


def test_what_reaches_nobody_leaves_with_1(amqpd: Amqpd) -> None:
    done = amqpd("route", "in", "doc.new", "-H", "format=ps")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "reaches no queue: it would be dropped, or returned if mandatory"
    assert amqpd("route", "", "pdf").returncode == os.EX_OK
    assert json.loads(amqpd("route", "", "nowhere", "--json").stdout)["routed"] is False
    assert amqpd("route", "nowhere", "x").stderr == "amqpd: there is no exchange 'nowhere' in vhost '/'\n"


def test_an_alternate_that_is_not_there_is_said_so() -> None:
    step = {"name": "x", "type": "direct", "reached_by": "publish", "reached_from": None, "bindings": [],
            "alternate_exchange": "gone", "alternate_exchange_exists": False}  # fmt: skip
    assert list(explained({"exchanges": [step], "queues": []}))[:3] == [
        "exchange x (direct)", "  no bindings", "  → alternate exchange gone, which is not there",
    ]  # fmt: skip


# --- topology


def test_a_topology_is_drawn_in_each_format(amqpd: Amqpd) -> None:
    mermaid = amqpd("topology").stdout.splitlines()
    assert mermaid[0] == "flowchart LR"
    assert '    n0(["by-type [headers]"])' in mermaid
    assert any('|"doc.#"|' in line for line in mermaid)
    assert sum("-.->" in line for line in mermaid) == 2  # an alternate, and dead letters
    assert '"e:in" -> "e:by-type" [label="doc.#"];' in amqpd("topology", "-f", "dot").stdout
    found = json.loads(amqpd("topology", "--format", "json").stdout)
    assert {"source": "e:by-type", "target": "q:pdf", "label": "(x-match=all, format=pdf)", "kind": "binding"} in (
        found["edges"]
    )
    root = ET.fromstring(amqpd("topology", "-f", "svg").stdout)
    assert len(root.findall("{*}rect")) == 6
    assert len(json.loads(amqpd("topology", "-f", "json", "--all").stdout)["nodes"]) > 10


def test_its_format_is_that_of_the_file(amqpd: Amqpd, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("out") / "t.svg"
    assert amqpd("topology", "-o", str(file)).returncode == os.EX_OK
    assert file.read_text().startswith("<svg")
    assert amqpd("topology", "-o", "/nonexistent/t.svg").returncode == os.EX_CANTCREAT


def test_names_of_any_kind_are_drawn() -> None:
    strange = '<"q">\\ & `x`\n'
    graph = Graph("/", [Node("e:x", strange, "exchange", "direct"), Node("q:q", strange, "queue", "classic", 3)],
                  [Edge("e:x", "q:q", strange)])  # fmt: skip
    assert ET.fromstring(as_svg(graph)) is not None
    assert '"<\\"q\\">' in as_dot(graph)
    assert "#quot;" in as_mermaid(graph)


def test_a_circle_of_exchanges_is_drawn() -> None:
    nodes = [Node(f"e:{name}", name, "exchange", "fanout") for name in "abc"]
    edges = [Edge("e:a", "e:b", ""), Edge("e:b", "e:c", ""), Edge("e:c", "e:a", ""), Edge("e:a", "e:a", "itself")]
    assert len(ET.fromstring(as_svg(Graph("/", nodes, edges))).findall("{*}rect")) == 3
    assert ET.fromstring(as_svg(Graph("/", [], []))) is not None


def test_exchanges_that_are_always_there_are_left_out_until_somebody_uses_them() -> None:
    exchanges = [{"name": name, "type": "direct"} for name in ("", "amq.direct", "own")]
    queues = [{"name": "q", "type": "classic", "messages": 2}]
    implicit = {"source": "", "destination": "q", "destination_type": "queue", "routing_key": "q"}
    assert [node.name for node in graph_of("/", exchanges, queues, [implicit]).nodes] == ["own", "q"]
    bound = {**implicit, "source": "amq.direct"}
    graph = graph_of("/", exchanges, queues, [implicit, bound])
    assert [node.name for node in graph.nodes] == ["amq.direct", "own", "q"]
    assert len(graph_of("/", exchanges, queues, [implicit], everything=True).edges) == 1


# --- stat


def test_what_the_broker_does_is_a_line_each_time(amqpd: Amqpd) -> None:
    lines = amqpd("stat", "-n", "2", "--interval", "10ms").stdout.splitlines()
    assert lines[0].split() == [
        "publish/s", "deliver/s", "ack/s", "ready", "unacked", "conns", "chans", "queues", "consumers",
    ]  # fmt: skip
    assert lines[1].split()[3:] == ["3", "0", "0", "0", "3", "0"]
    assert len(lines) == 3
    assert json.loads(amqpd("stat", "-n", "1", "--interval", "1ms", "--json").stdout)["ready"] == 3


def test_rates_are_what_was_counted_meanwhile() -> None:
    overview = {"object_totals": {"connections": 1, "channels": 2, "queues": 3, "consumers": 4}, "queue_totals": {}}
    before, after = {"publish": 10, "deliver": 0, "ack": 0}, {"publish": 30, "deliver": 5, "ack": 5}
    found = figures(overview, before, after, 2.0)
    assert (found["publish/s"], found["deliver/s"], found["ready"], found["chans"]) == (10, 2, 0, 2)
