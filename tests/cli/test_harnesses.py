"""What test harnesses for RabbitMQ do with its commands, done with ours: pytest-rabbitmq and Testcontainers."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
)
from tests.cli.command import CLEAN, PATIENCE, amqpd

RABBITMQ = {name: value for name, value in CLEAN.items() if name != "AMQPD_MANAGEMENT_ENABLED"}
"""An environment in which the HTTP API is on or off as RabbitMQ's files say."""


@pytest.fixture(scope="module")
def shims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shims")
    assert amqpd("shims", folder).returncode == os.EX_OK
    return folder


def started(command: list[str | Path], environment: dict[str, str]) -> subprocess.Popen[str]:
    """The process, once its log has the line that harnesses wait for."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if re.fullmatch(r".*Server startup complete.*", line.rstrip("\n")):
            return process
    process.kill()
    raise AssertionError("".join(seen))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


# --- pytest-rabbitmq


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As pytest-rabbitmq sets it, for the server and for rabbitmqctl."""
    port = free_port()
    return {
        **RABBITMQ,
        "RABBITMQ_LOG_BASE": str(tmp_path / f"rabbit-server.{port}.log"),
        "RABBITMQ_MNESIA_BASE": str(tmp_path / "mnesia"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(tmp_path / "plugins"),
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": "0",
        "RABBITMQ_NODENAME": f"rabbitmq-test-{port}",
    }


def test_pytest_rabbitmq_finds_and_clears_what_a_test_leaves(shims: Path, environment: dict[str, str]) -> None:
    def listed(what: str) -> list[str]:
        output = subprocess.check_output([shims / "rabbitmqctl", what, "name"], env=environment, text=True)
        return [line for line in output.split("\n") if line and not line.lower().startswith(("listing", "timeout:"))]

    process = started([shims / "rabbitmq-server"], environment)
    try:
        with Client(f"amqp://127.0.0.1:{environment['RABBITMQ_NODE_PORT']}/") as client:
            client.channel(1)
            client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            client.call(1, ExchangeDeclare(exchange="x", type="topic"), ExchangeDeclareOk)
            assert "q" in listed("list_queues")
            assert "x" in listed("list_exchanges")
            for name in listed("list_exchanges"):  # the header is taken for one
                if not name.startswith("amq."):
                    client.call(1, ExchangeDelete(exchange=name), ExchangeDeleteOk)
            for name in listed("list_queues"):
                client.call(1, QueueDelete(queue=name), QueueDeleteOk)
            assert listed("list_queues") == []
            assert "x" not in listed("list_exchanges")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


USE = """
def test_first(rabbitmq, rabbitmq_proc):
    rabbitmq.channel().queue_declare("q")
    assert "q" in rabbitmq_proc.list_queues()


def test_second(rabbitmq, rabbitmq_proc):
    assert "q" not in rabbitmq_proc.list_queues()
"""


def test_pytest_rabbitmq_itself_runs(shims: Path, tmp_path: Path) -> None:
    (tmp_path / "test_use.py").write_text(USE)
    options = [f"--rabbitmq-server={shims / 'rabbitmq-server'}", f"--rabbitmq-ctl={shims / 'rabbitmqctl'}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_use.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, env=RABBITMQ,
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout


# --- Testcontainers


@pytest.fixture
def container(shims: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What its commands run in: a server with the image's variables."""
    (tmp_path / "enabled_plugins").write_text("[rabbitmq_management].\n")
    environment = {
        **RABBITMQ,
        "AMQPD_DATA_DIR": str(tmp_path / "data"),
        "AMQPD_MANAGEMENT_TCP_PORT": "0",
        "RABBITMQ_NODE_PORT": str(free_port()),
        "RABBITMQ_DEFAULT_USER": "test",
        "RABBITMQ_DEFAULT_PASS": "secret",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(tmp_path / "enabled_plugins"),
    }
    process = started([shims / "rabbitmq-server"], environment)
    yield environment
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)


def test_testcontainers_prepares_a_broker(shims: Path, container: dict[str, str]) -> None:
    for line in (
        "rabbitmq-plugins enable rabbitmq_shovel rabbitmq_random_exchange",
        "rabbitmqadmin declare vhost name=vhost1 tracing=true",
        "rabbitmqadmin declare vhost_limit vhost=vhost1 name=max-connections value=1",
        "rabbitmqadmin declare user name=user1 password=password1 tags=administrator",
        "rabbitmqadmin declare permission vhost=vhost1 user=user1 configure=.* write=.* read=.*",
        "rabbitmqadmin declare queue name=queue1 auto_delete=false durable=true arguments={}",
        (
            "rabbitmqadmin --vhost=vhost1 declare queue name=queue2 auto_delete=true durable=false"
            ' arguments={"x-message-ttl":1000}'
        ),
        (
            "rabbitmqadmin declare exchange name=direct-exchange type=direct auto_delete=false internal=false"
            " durable=true arguments={}"
        ),
        (
            "rabbitmqadmin declare binding source=direct-exchange destination=queue1 routing_key=ss arguments={}"
            " destination_type=queue"
        ),
        (
            'rabbitmqadmin declare policy name=max-length-policy pattern=^dog definition={"max-length":1}'
            " apply-to=queues priority=1"
        ),
        (
            'rabbitmqadmin declare operator_policy name=op pattern=^op1 definition={"expires":2} apply-to=queues'
            " priority=2"
        ),
    ):
        name, *words = line.split(" ")
        done = subprocess.run([shims / name, *words], capture_output=True, text=True, timeout=PATIENCE, env=container)
        assert done.returncode == os.EX_OK, (line, done.stderr)
    for line, expected in (
        ("rabbitmqctl list_queues name arguments", "queue1\t["),
        ("rabbitmqctl list_queues -p vhost1 name arguments", 'queue2\t[{"x-message-ttl",1000}'),
        ("rabbitmqctl list_exchanges name type", "direct-exchange\tdirect\n"),
        ("rabbitmqctl list_bindings", "direct-exchange\texchange\tqueue1\tqueue\tss\t[]\n"),
        ("rabbitmqctl list_users", "user1\t[administrator]\n"),
        ("rabbitmqctl list_permissions -p vhost1", "user1\t.*\t.*\t.*\n"),
        ("rabbitmqctl list_policies", '/\tmax-length-policy\t^dog\tqueues\t{"max-length":1}\t1\n'),
        ("rabbitmqctl list_operator_policies", '/\top\t^op1\tqueues\t{"expires":2}\t2\n'),
        ("rabbitmqctl authenticate_user test secret", "Success"),
        ("rabbitmq-diagnostics check_port_connectivity", "Successfully connected to ports "),
        ("rabbitmq-diagnostics -q check_local_alarms", "reported no local alarms"),
        ("rabbitmq-diagnostics -q check_virtual_hosts", "reported all vhosts as running"),
    ):
        name, *words = line.split(" ")
        done = subprocess.run([shims / name, *words], capture_output=True, text=True, timeout=PATIENCE, env=container)
        assert expected in done.stdout, (line, done.stdout, done.stderr)
