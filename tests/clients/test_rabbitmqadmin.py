"""The script rabbitmqadmin of RabbitMQ's management plug-in, command by command.

It is Debian's: of the package rabbitmq-server where that is installed, or else out of the package's file.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amqpd.testing.client import Client
from amqpd.wire.methods import ConnectionClose

from .conftest import Served
from .process import until

INSTALLED = "lib/rabbitmq/lib/rabbitmq_server-*/plugins/rabbitmq_management-*/priv/www/cli/rabbitmqadmin"

VHOST = "t.rabbitmqadmin"

Run = Callable[..., str]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for found in Path("/usr").glob(INSTALLED):
        return found
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip("rabbitmq-server is not installed, and this is no Debian to fetch it from")
    folder = tmp_path_factory.mktemp("package")
    fetched = subprocess.run(
        ["apt-get", "download", "-q", "rabbitmq-server"], cwd=folder, check=False, capture_output=True, timeout=300
    )
    packages = list(folder.glob("*.deb"))
    if fetched.returncode or not packages:
        pytest.skip("rabbitmq-server is not installed, and apt-get cannot download it")
    subprocess.run(["dpkg-deb", "-x", str(packages[0]), str(folder)], check=True, timeout=300)
    return next((folder / "usr").glob(INSTALLED))


@pytest.fixture(scope="module")
def admin(script: Path, served: Served) -> Iterator[Run]:
    """Runs the script in a vhost of its own; returns what it prints."""

    def run(*arguments: str, error: bool = False, everywhere: bool = False, stdin: str | None = None) -> str:
        place = [] if everywhere else ["-V", VHOST]
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(script), "-P", str(served.http_port), *place, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            input=stdin,
        )
        assert bool(done.returncode) is error, done
        return done.stdout + done.stderr

    run("declare", "vhost", f"name={VHOST}", everywhere=True)
    yield run
    run("delete", "vhost", f"name={VHOST}", everywhere=True)


def listed(admin: Run, *arguments: str, **options: Any) -> Any:
    return json.loads(admin("-f", "raw_json", *arguments, **options))


def test_queues_exchanges_and_bindings(admin: Run) -> None:
    assert admin("declare", "queue", "name=q", "durable=true", 'arguments={"x-max-length":9}') == "queue declared\n"
    assert admin("declare", "exchange", "name=x", "type=topic") == "exchange declared\n"
    assert admin("declare", "binding", "source=x", "destination=q", "routing_key=a.#") == "binding declared\n"
    assert [queue["name"] for queue in listed(admin, "list", "queues", "name", "messages")] == ["q"]
    assert "x" in [exchange["name"] for exchange in listed(admin, "list", "exchanges")]
    bindings = listed(admin, "list", "bindings")
    assert [binding["routing_key"] for binding in bindings if binding["source"] == "x"] == ["a.#"]
    assert admin("list", "bindings", "source", "routing_key").startswith("+")
    deleting = ("source=x", "destination_type=queue", "destination=q", "properties_key=a.%23")
    assert admin("delete", "binding", *deleting) == "binding deleted\n"
    assert admin("delete", "exchange", "name=x") == "exchange deleted\n"
    assert admin("delete", "queue", "name=q") == "queue deleted\n"
    assert admin("list", "queues") == "No items\n"
    assert admin("delete", "queue", "name=q", error=True).startswith("*** Not found: /api/queues/")


def test_messages(admin: Run, tmp_path: Path) -> None:
    admin("declare", "queue", "name=m", "durable=true")
    properties = 'properties={"content_type":"text/plain","headers":{"n":1}}'
    assert admin("publish", "routing_key=m", "payload=hello", properties) == "Message published\n"
    assert admin("publish", "routing_key=m", stdin="from standard input") == "Message published\n"
    assert admin("publish", "routing_key=nowhere", "payload=x") == "Message published but NOT routed\n"
    (first,) = listed(admin, "get", "queue=m")
    assert (first["payload"], first["properties"]["headers"]) == ("hello", {"n": 1})
    found = listed(admin, "get", "queue=m", "count=5", "ackmode=ack_requeue_false")
    assert [(each["payload"], each["redelivered"]) for each in found] == [
        ("hello", True),
        ("from standard input", False),
    ]
    admin("publish", "routing_key=m", "payload=to a file")
    file = tmp_path / "payload"
    admin("get", "queue=m", f"payload_file={file}")
    assert file.read_text() == "to a file"
    assert admin("purge", "queue", "name=m") == "queue purged\n"
    assert admin("get", "queue=m") == "No items\n"
    admin("delete", "queue", "name=m")


def test_users_permissions_and_limits(admin: Run) -> None:
    user = "t.rabbitmqadmin.user"
    assert admin("declare", "user", f"name={user}", "password=x", "tags=management") == "user declared\n"
    permission = (f"vhost={VHOST}", f"user={user}", "configure=", "write=.*", "read=.*")
    assert admin("declare", "permission", *permission) == "permission declared\n"
    assert user in [each["name"] for each in listed(admin, "list", "users", everywhere=True)]
    found = [each for each in listed(admin, "list", "permissions", everywhere=True) if each["user"] == user]
    assert found == [{"user": user, "vhost": VHOST, "configure": "", "write": ".*", "read": ".*"}]
    assert admin("-u", user, "-p", "x", "list", "queues") == "No items\n"
    assert admin("-u", user, "-p", "wrong", "list", "queues", error=True).startswith("*** Access refused")
    limit = (f"vhost={VHOST}", "name=max-queues", "value=7")
    assert admin("declare", "vhost_limit", *limit) == "vhost_limit declared\n"
    limits = listed(admin, "list", "vhost_limits", everywhere=True)
    assert {"vhost": VHOST, "value": {"max-queues": 7}} in limits
    assert admin("delete", "vhost_limit", *limit[:2]) == "vhost_limit deleted\n"
    assert admin("delete", "permission", *permission[:2]) == "permission deleted\n"
    assert admin("delete", "user", f"name={user}") == "user deleted\n"


def test_policies_and_parameters(admin: Run) -> None:
    policy = ("name=p", "pattern=^a", 'definition={"max-length":3}', "priority=1", "apply-to=queues")
    for kind, kinds in (("policy", "policies"), ("operator_policy", "operator_policies")):
        assert admin("declare", kind, *policy) == f"{kind} declared\n"
        (found,) = [each for each in listed(admin, "list", kinds) if each["vhost"] == VHOST]
        assert (found["name"], found["definition"], found["apply-to"]) == ("p", {"max-length": 3}, "queues")
        assert admin("delete", kind, "name=p") == f"{kind} deleted\n"
    parameter = ("component=vhost-limits", "name=limits", 'value={"max-queues":9}')
    assert admin("declare", "parameter", *parameter) == "parameter declared\n"
    assert [each["value"] for each in listed(admin, "list", "parameters") if each["vhost"] == VHOST] == [
        {"max-queues": 9}
    ]
    assert admin("delete", "parameter", *parameter[:2]) == "parameter deleted\n"


def test_the_broker_and_its_clients(admin: Run, served: Served) -> None:
    assert listed(admin, "show", "overview", everywhere=True)[0]["node"]
    assert listed(admin, "list", "nodes", everywhere=True)[0]["running"] is True
    assert VHOST in [each["name"] for each in listed(admin, "list", "vhosts", everywhere=True)]
    client = Client(f"{served.amqp.rstrip('/')}/{VHOST}")
    client.channel(1)

    def connections() -> list[str]:
        found = listed(admin, "list", "connections", everywhere=True)
        return [each["name"] for each in found if each.get("vhost") == VHOST]

    def channels() -> list[str]:
        return [each["vhost"] for each in listed(admin, "list", "channels", everywhere=True)]

    until(lambda: len(connections()) == 1, "the connection")
    until(lambda: VHOST in channels(), "its channel")
    assert admin("list", "consumers", everywhere=True)
    assert admin("close", "connection", f"name={connections()[0]}", everywhere=True) == "connection closed\n"
    assert client.expect(0, ConnectionClose).reply_text == "CONNECTION_FORCED - Closed via management plugin"
    client.drop()


def test_definitions(admin: Run, tmp_path: Path) -> None:
    admin("declare", "queue", "name=kept", "durable=true")
    file = tmp_path / "definitions.json"
    assert admin("export", str(file)) == f'Exported definitions for localhost to "{file}"\n'
    assert [queue["name"] for queue in json.loads(file.read_text())["queues"]] == ["kept"]
    admin("delete", "queue", "name=kept")
    assert admin("import", str(file)).startswith('Uploaded definitions from "localhost" to ')
    until(lambda: [queue["name"] for queue in listed(admin, "list", "queues")] == ["kept"], "the queue")
    admin("delete", "queue", "name=kept")
