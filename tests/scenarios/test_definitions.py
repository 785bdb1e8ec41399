"""Definitions go from this broker to RabbitMQ and back, and are on either side what they were on the other.

Without `--broker` it is another broker of ours, over HTTP, that plays RabbitMQ's part.
"""

from __future__ import annotations

import base64
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from amqpd.auth.internal import InternalUsers
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.definitions import About, export_all, export_vhost, import_all
from amqpd.store.memory import MemoryStore
from amqpd.testing.harness import BrokerProcess

TOPOLOGY = ("queues", "exchanges", "bindings", "policies")


class Elsewhere:
    """The HTTP API of another broker."""

    def __init__(self, address: str) -> None:
        self._address = address

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(f"http://{self._address}/api/{path}", method=method)
        request.add_header("authorization", "Basic " + base64.b64encode(b"guest:guest").decode())
        request.add_header("content-type", "application/json")
        request.data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None


class Mine:
    """A broker of ours, to export from and import into."""

    def __init__(self) -> None:
        self.broker = Broker(MemoryStore(), VirtualClock())
        self.users = InternalUsers(self.broker)

    def give(self) -> dict[str, Any]:
        return export_all(self.broker, self.users, About("4.2.9"))


@pytest.fixture(scope="module")
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Elsewhere]:
    url = request.config.getoption("--broker")
    if url is not None:
        parts = urlsplit(url)
        yield Elsewhere(f"{parts.hostname}:{(parts.port or 5672) + 10000}")
        return
    with BrokerProcess("--memory", "--http-port", "0") as broker:
        (line,) = [line for line in broker.log if "started HTTP listener on " in line]
        yield Elsewhere(line.rpartition(" ")[2])


@pytest.fixture
def name(elsewhere: Elsewhere) -> Iterator[str]:
    """Of a vhost and a user that are gone after the test."""
    name = f"t.{secrets.token_hex(4)}"
    yield name
    for path in (f"vhosts/{name}", f"users/{name}"):
        try:
            elsewhere.call("DELETE", path)
        except urllib.error.HTTPError as error:  # not there
            error.close()


def definitions(name: str) -> dict[str, Any]:
    """Something of everything that both brokers can have."""
    return complete(
        {
            "users": [{"name": name, "password": "secret", "tags": "monitoring,odd", "limits": {"max-channels": 7}}],
            "vhosts": [{"name": name}],
            "permissions": [{"user": name, "vhost": name, "configure": "^a", "write": r"^(a|b)\.", "read": ".*"}],
            "topic_permissions": [{"user": name, "vhost": name, "exchange": "e", "write": "^{username}", "read": ".*"}],
            "parameters": [
                {"vhost": name, "component": "vhost-limits", "name": "limits", "value": {"max-queues": 3}},
                {
                    "vhost": name,
                    "component": "operator_policy",
                    "name": "o",
                    "value": {"pattern": "^q", "definition": {"expires": 9}, "priority": 2, "apply-to": "queues"},
                },
            ],
            "policies": [
                {
                    "vhost": name,
                    "name": "p",
                    "pattern": "^x",
                    "definition": {"max-length": 5, "dead-letter-exchange": "e"},
                    "priority": -3,
                    "apply-to": "queues",
                }
            ],
            "exchanges": [
                {"name": "e", "vhost": name, "type": "topic", "arguments": {"alternate-exchange": "ü"}},
                {"name": "ü", "vhost": name, "type": "headers", "durable": False, "auto_delete": True},
            ],
            "queues": [
                {"name": "x1", "vhost": name, "arguments": {"x-max-length": 7, "x-overflow": "reject-publish"}},
                {
                    "name": "x2",
                    "vhost": name,
                    "durable": False,
                    "auto_delete": True,
                    "arguments": {"a": [1, {"b": True}]},
                },
                {"name": "x3", "vhost": name, "arguments": {"x-queue-type": "quorum", "x-delivery-limit": 4}},
                {"name": "x4", "vhost": name, "arguments": {"x-queue-type": "stream", "x-max-age": "1D"}},
            ],
            "bindings": [
                {"source": "e", "vhost": name, "destination": "x1", "routing_key": "#"},
                {
                    "source": "e",
                    "vhost": name,
                    "destination": "ü",
                    "destination_type": "exchange",
                    "routing_key": "a.*",
                },
                {"source": "ü", "vhost": name, "destination": "x2", "arguments": {"x-match": "any", "n": 1, "s": "t"}},
                {"source": "amq.fanout", "vhost": name, "destination": "x4"},
            ],
        }
    )


def complete(file: dict[str, Any]) -> dict[str, Any]:
    """With all the fields that RabbitMQ wants; we do without most."""
    defaults = {
        "queues": {"durable": True, "auto_delete": False, "arguments": {}},
        "exchanges": {"durable": True, "auto_delete": False, "internal": False, "arguments": {}},
        "bindings": {"destination_type": "queue", "routing_key": "", "arguments": {}},
    }
    return {section: [{**defaults.get(section, {}), **entry} for entry in entries] for section, entries in file.items()}


def of(name: str, file: dict[str, Any]) -> dict[str, list[Any]]:
    """What a file of a whole broker has of one vhost, and of the user called like it; whatever its version writes."""
    found = {
        section: [each for each in file[section] if name in (each.get("vhost"), each["name"] if "tags" in each else "")]
        for section in ("users", "permissions", "topic_permissions", "parameters", *TOPOLOGY)
    }
    for section in ("queues", "exchanges"):
        found[section] = [
            {key: value for key, value in each.items() if key not in ("type", "internal") or section == "exchanges"}
            for each in found[section]
        ]
    for exchange in found["exchanges"]:
        exchange.pop("internal", None)
    for queue in found["queues"]:  # RabbitMQ 4 stores the type with every queue
        queue["arguments"] = {"x-queue-type": "classic", **queue["arguments"]}
    return {section: sorted(each, key=lambda one: json.dumps(one, sort_keys=True)) for section, each in found.items()}


def test_what_we_export_is_the_same_elsewhere(elsewhere: Elsewhere, name: str) -> None:
    mine = Mine()
    mine.users.add("guest", "guest")
    assert import_all(mine.broker, mine.users, definitions(name), user="guest").warnings == []
    file = mine.give()
    for section in ("users", "vhosts"):
        file[section] = [each for each in file[section] if each["name"] == name]
    elsewhere.call("POST", "definitions", file)
    assert of(name, elsewhere.call("GET", "definitions")) == of(name, file)
    limits = elsewhere.call("GET", f"definitions/{quote(name, '')}")["parameters"]
    assert {"max-queues": 3} in [parameter["value"] for parameter in limits]


def test_what_is_exported_elsewhere_is_the_same_here(elsewhere: Elsewhere, name: str) -> None:
    elsewhere.call("POST", "definitions", definitions(name))
    theirs = elsewhere.call("GET", "definitions")
    of_name = {"vhosts": [vhost for vhost in theirs["vhosts"] if vhost["name"] == name], **of(name, theirs)}
    mine = Mine()
    mine.users.add("guest", "guest")
    assert import_all(mine.broker, mine.users, {**theirs, **of_name}).warnings == []
    assert of(name, mine.give()) == of(name, theirs)


def test_the_file_of_a_vhost_goes_either_way(elsewhere: Elsewhere, name: str) -> None:
    elsewhere.call("POST", "definitions", definitions(name))
    theirs = elsewhere.call("GET", f"definitions/{name}")
    mine = Mine()
    vhost = mine.broker.add_vhost("other")
    import_all(mine.broker, mine.users, {"vhosts": [{"name": name}]})
    for section in TOPOLOGY:
        for each in theirs[section]:
            each["vhost"] = "other"
    import_all(mine.broker, mine.users, {section: theirs[section] for section in TOPOLOGY})
    file = export_vhost(mine.broker, vhost, About("4.2.9"))
    before = of(name, elsewhere.call("GET", "definitions"))
    elsewhere.call("POST", f"definitions/{name}", file)
    assert of(name, elsewhere.call("GET", "definitions")) == before


@pytest.mark.parametrize(
    "content",
    [
        {"queues": [{"name": "q", "vhost": "nowhere-at-all", "durable": True, "auto_delete": False, "arguments": {}}]},
        {"permissions": [{"user": "nobody-at-all", "vhost": "/", "configure": "", "write": "", "read": ""}]},
        {"exchanges": [{"name": "t.e", "vhost": "/", "type": "nonsense", "durable": True, "auto_delete": False}]},
        {"policies": [{"name": "t.p", "vhost": "/", "pattern": "(", "definition": {"max-length": 1}, "priority": 0}]},
        {"parameters": [{"name": "t.p", "vhost": "/", "component": "nonsense", "value": {}}]},
    ],
    ids=lambda content: next(iter(content)),
)
def test_what_cannot_be_is_refused(elsewhere: Elsewhere, content: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        elsewhere.call("POST", "definitions", content)
    refused.value.close()
    assert refused.value.code == 400


def test_a_binding_without_its_end_is_let_pass(elsewhere: Elsewhere, name: str) -> None:
    file = definitions(name)
    file["bindings"].append({"source": "e", "vhost": name, "destination": "gone", "destination_type": "queue",
                             "routing_key": "", "arguments": {}})  # fmt: skip
    elsewhere.call("POST", "definitions", file)
    found = elsewhere.call("GET", f"definitions/{name}")["bindings"]
    assert {binding["destination"] for binding in found} == {"x1", "x2", "x4", "ü"}


def test_the_example_can_be_imported_by_both(elsewhere: Elsewhere, name: str) -> None:
    text = (Path(__file__).parents[2] / "conf" / "definitions.json").read_text()
    file = json.loads(text)
    file["users"], file["vhosts"] = [], [{**file["vhosts"][1], "name": name}]
    for section in ("permissions", "topic_permissions", *TOPOLOGY):
        file[section] = [{**each, "vhost": name} for each in file[section] if each["vhost"] == "shop"]
    file["permissions"] = file["topic_permissions"] = []
    elsewhere.call("POST", "definitions", file)
    assert len(elsewhere.call("GET", f"definitions/{name}")["queues"]) == 3
