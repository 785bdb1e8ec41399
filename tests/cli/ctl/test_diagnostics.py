"""rabbitmqctl and rabbitmq-diagnostics: the words and exit codes that scripts go by."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from amqpd.broker.compat import PROFILES
from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import QueueDeclare, QueueDeclareOk
from tests.cli.command import PATIENCE

from .conftest import Call

VERSION = PROFILES["default"].version


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, call: Call) -> int:
    """A port where nobody listens, and all calls go to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    monkeypatch.setenv("RABBITMQ_NODE_PORT", str(port))
    monkeypatch.setenv("AMQPD_DATA_DIR", "/nonexistent")
    return port


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (
            ["ping"],
            (
                "Will ping rabbit@here. This only checks if it accepts connections and speaks AMQP."
                " Timeout: 60000 ms.\n"
                "Ping succeeded\n"
            ),
        ),
        (["-q", "ping"], "Ping succeeded\n"),
        (["ping", "-q"], "Ping succeeded\n"),
        (["-s", "ping", "-t", "5", "-n", "rabbit@there"], "Ping succeeded\n"),
        (
            ["check_running"],
            (
                "Checking if RabbitMQ is running on node rabbit@here ...\n"
                "RabbitMQ on node rabbit@here is fully booted and running\n"
            ),
        ),
        (["-q", "is_running"], "RabbitMQ on node rabbit@here is fully booted and running\n"),
        (
            ["-q", "--node", "rabbit@there", "check_running"],
            "RabbitMQ on node rabbit@there is fully booted and running\n",
        ),
        (
            ["check_port_connectivity"],
            (
                "Testing TCP connections to all active listeners on node rabbit@here ...\n"
                "Successfully connected to ports PORT on node rabbit@here.\n"
            ),
        ),
        (
            ["check_port_listener", "PORT"],
            (
                "Asking node rabbit@here if there's an active listener on port PORT ...\n"
                "A listener for port PORT is running on node rabbit@here.\n"
            ),
        ),
        (
            ["check_protocol_listener", "amqp"],
            (
                "Asking node rabbit@here if there's an active listener for protocol amqp ...\n"
                "A listener for protocol amqp is running on node rabbit@here.\n"
            ),
        ),
        (
            ["listeners"],
            (
                "Asking node rabbit@here to report its protocol listeners ...\n"
                "Interface: 127.0.0.1, port: PORT, protocol: amqp, purpose: AMQP 0-9-1\n"
            ),
        ),
        (["server_version"], f"Asking node rabbit@here for its RabbitMQ version...\n{VERSION}\n"),
        (["-q", "server_version"], f"{VERSION}\n"),
        (["await_startup"], ""),
        (["version"], f"{VERSION}\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_be_seen_from_outside(arguments: list[str], output: str, call: Call, broker: BrokerProcess) -> None:
    port = str(broker.port)
    found = call("rabbitmq-diagnostics", *(argument.replace("PORT", port) for argument in arguments))
    assert found == (os.EX_OK, output.replace("PORT", port), "")


def test_a_status_says_what_there_is(call: Call, broker: BrokerProcess) -> None:
    code, output, errors = call("rabbitmqctl", "-q", "status")
    assert (code, errors) == (os.EX_OK, "")
    assert output.startswith(f"Runtime\n\nOS PID: {broker.pid}\nOS: Linux\n")
    assert f"RabbitMQ version: {VERSION}\n" in output
    assert f"\nData directory\n\nNode data directory: {broker.options[1]}\n" in output
    assert "\nAlarms\n\n(none)\n" in output
    assert output.endswith(
        f"Listeners\n\nInterface: 127.0.0.1, port: {broker.port}, protocol: amqp, purpose: AMQP 0-9-1\n"
    )


def test_a_status_for_programs_is_one_object(call: Call, broker: BrokerProcess) -> None:
    _, output, _ = call("rabbitmqctl", "status", "--formatter", "json")
    found = json.loads(output)
    assert found["pid"] == broker.pid
    assert found["alarms"] == []
    assert found["listeners"][0]["port"] == broker.port


def test_without_an_api_what_listens_is_what_the_broker_says_in_its_data_folder(
    call: Call, broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AMQPD_DATA_DIR", str(tmp_path))
    said = {"pid": 77, "ports": {"amqp": broker.port, "mqtt": 1}, "urls": {"amqp": broker.url}}
    (tmp_path / "running.json").write_text(json.dumps(said))
    _, output, _ = call("rabbitmqctl", "-q", "listeners")
    assert output == (
        f"Interface: 127.0.0.1, port: {broker.port}, protocol: amqp, purpose: AMQP 0-9-1\n"
        "Interface: 127.0.0.1, port: 1, protocol: mqtt, purpose: MQTT\n"
    )


@pytest.mark.parametrize("verb", ["check_running", "is_running", "listeners", "server_version"])
def test_where_nobody_listens_it_leaves_with_69(verb: str, call: Call, nobody: int) -> None:
    code, output, errors = call("rabbitmqctl", "-q", verb)
    assert (code, output) == (os.EX_UNAVAILABLE, "")
    assert errors.startswith(
        "Error: unable to perform an operation on node 'rabbit@here'. Please see diagnostics information and"
        f" suggestions below.\n\ncannot connect to 127.0.0.1:{nobody}: Connection refused\n"
    )


def test_where_no_api_listens_it_leaves_with_69(call: Call, nobody: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQPCTL_URL", f"http://127.0.0.1:{nobody}")
    code, output, errors = call("rabbitmqctl", "-q", "status")
    assert (code, output) == (os.EX_UNAVAILABLE, "")
    assert f"\n\ncannot connect to 127.0.0.1:{nobody}: Connection refused\n" in errors


def test_a_ping_that_fails_says_so_as_rabbitmqs(call: Call, nobody: int) -> None:
    code, _, errors = call("rabbitmqctl", "ping")
    assert code == os.EX_UNAVAILABLE
    assert errors.startswith("Error:\nFailed to connect to rabbit@here: ")


def test_a_port_where_it_does_not_listen_is_told(call: Call, broker: BrokerProcess) -> None:
    code, _, errors = call("rabbitmq-diagnostics", "check_port_listener", "1")
    assert code == os.EX_UNAVAILABLE
    assert errors == (
        "No listener for port 1 is active on node rabbit@here. Found listeners that use the following ports:"
        f" {broker.port}\n"
    )


def test_a_protocol_that_it_does_not_speak_is_told(call: Call) -> None:
    code, _, errors = call("rabbitmq-diagnostics", "check_protocol_listener", "stomp")
    assert code == os.EX_UNAVAILABLE
    assert errors == (
        "Error:\nNo listener for protocol stomp is active on node rabbit@here. Found listeners for the following"
        " protocols: amqp\n"
    )


def test_waiting_for_a_start_has_an_end(call: Call, nobody: int) -> None:
    code, _, errors = call("rabbitmqctl", "await_startup", "--timeout", "0.2")
    assert code == os.EX_TEMPFAIL
    assert "\n\nno broker after 0.2 s: " in errors


def test_waiting_for_a_pidfile_has_an_end(call: Call, tmp_path: Path) -> None:
    found = call("rabbitmqctl", "wait", str(tmp_path / "pid"), "--timeout", "0.2")
    assert found == (
        os.EX_TEMPFAIL,
        f"Waiting for pid file '{tmp_path / 'pid'}' to appear\n",
        "Error: operation wait on node rabbit@here timed out. Timeout value used: 200\n",
    )


def test_waiting_for_a_process_that_is_gone_ends_at_once(call: Call, nobody: int, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait(PATIENCE)
    code, _, errors = call("rabbitmqctl", "wait", "--pid", str(gone.pid))
    assert (code, errors) == (os.EX_UNAVAILABLE, f"Error: process {gone.pid} is not running\n")


def test_waiting_for_a_process_that_does_not_listen_has_an_end(call: Call, nobody: int) -> None:
    code, _, errors = call("rabbitmqctl", "wait", "--pid", str(os.getpid()), "--timeout", "0.2")
    assert code == os.EX_TEMPFAIL
    assert "timed out. Timeout value used: 200" in errors


def test_stopping_what_does_not_run_leaves_with_69(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQPD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RABBITMQ_NODE_PORT", "1")
    assert call("rabbitmqctl", "stop")[0] == os.EX_UNAVAILABLE
    assert call("rabbitmqctl", "shutdown")[0] == os.EX_UNAVAILABLE
    assert call("rabbitmqctl", "stop", "--idempotent")[0] == os.EX_OK


def test_a_pidfile_of_nobody_is_no_reason_to_stop_another(call: Call, tmp_path: Path, nobody: int) -> None:
    assert call("rabbitmqctl", "stop", str(tmp_path / "pid"))[0] == os.EX_UNAVAILABLE


def test_it_can_be_shut_down(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BrokerProcess("-D", str(tmp_path / "data")) as other:
        monkeypatch.setenv("AMQPD_DATA_DIR", str(tmp_path / "data"))
        assert call("rabbitmqctl", "shutdown") == (
            os.EX_OK,
            (
                f"Shutting down RabbitMQ node rabbit@here running at PID {other.pid}\n"
                f"Waiting for PID {other.pid} to terminate\n"
                f"RabbitMQ node rabbit@here running at PID {other.pid} successfully shut down\n"
            ),
            "",
        )


@pytest.mark.parametrize(
    "arguments",
    [["ping", "--nonsense"], ["ping", "more"], ["check_port_listener"],
     ["ping", "-t", "soon"], ["wait"], ["stop", "a", "b"]],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_is_a_usage_error(arguments: list[str], call: Call) -> None:
    code, _, errors = call("rabbitmqctl", *arguments)
    assert code == os.EX_USAGE
    assert errors.startswith("Error (argument validation): ")


def test_a_url_in_the_environment_that_cannot_be_is_a_usage_error(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URL", "http://localhost/")
    assert call("rabbitmqctl", "ping")[0] == os.EX_USAGE


# --- a broker that shows no statistics over HTTP

NO_STATISTICS = "Error:\nthe broker shows no statistics over HTTP (management.disable_stats)\n"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    file = tmp_path_factory.mktemp("quiet") / "amqpd.toml"
    file.write_text("[management]\ndisable_stats = true\n")
    with BrokerProcess("--memory", "--http-port", "0", "-c", str(file)) as broker:
        yield broker


def test_without_statistics_commands_say_what_they_can(call: Call, quiet: BrokerProcess) -> None:
    url = ("--url", f"http://guest:guest@127.0.0.1:{quiet.http_port}", "-q")
    reported = "Node rabbit@here reported no alarms, local or clusterwide\n"
    for command, output in (
        (("alarms",), reported),
        (("check_alarms",), reported),
        (("check_local_alarms",), "Node rabbit@here reported no local alarms\n"),
        (
            ("check_port_listener", str(quiet.port)),
            f"A listener for port {quiet.port} is running on node rabbit@here.\n",
        ),
        (("check_protocol_listener", "amqp"), "A listener for protocol amqp is running on node rabbit@here.\n"),
    ):
        assert call("rabbitmq-diagnostics", *command, *url) == (os.EX_OK, output, "")
    for command in (("check_port_listener", "1"), ("check_protocol_listener", "mqtt")):
        code, _, errors = call("rabbitmq-diagnostics", *command, *url)
        assert (code, "is active on node rabbit@here. Found listeners" in errors) == (os.EX_UNAVAILABLE, True)


@pytest.mark.parametrize("command", ["status", "cluster_status", "listeners", "check_port_connectivity", "report"])
def test_without_statistics_the_others_say_why_not(call: Call, quiet: BrokerProcess, command: str) -> None:
    url = f"http://guest:guest@127.0.0.1:{quiet.http_port}"
    code, _, errors = call("rabbitmq-diagnostics", command, "--url", url, "-q")
    assert (code, errors) == (os.EX_UNAVAILABLE, NO_STATISTICS)


def test_without_statistics_columns_are_empty_not_0(call: Call, quiet: BrokerProcess) -> None:
    with Client(quiet.url) as client:
        client.channel(1)
        arguments = {"x-queue-type": "stream"}
        client.call(1, QueueDeclare(queue="s", durable=True, arguments=arguments), QueueDeclareOk)
        url = ("--url", f"http://guest:guest@127.0.0.1:{quiet.http_port}", "-q")
        assert call("rabbitmqctl", "list_queues", "name", "messages", "type", *url)[1] == (
            "name\tmessages\ttype\ns\t\tstream\n"
        )
        assert call("rabbitmq-streams", "stream_status", "s", "--formatter", "json", *url)[1].count('"readers":""') == 1
        code, output, _ = call("rabbitmqctl", "list_connections", "name", "recv_oct", *url)
        assert (code, output.splitlines()[1].endswith("\t")) == (os.EX_OK, True)
