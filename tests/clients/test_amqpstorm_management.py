"""AMQPStorm's client of the management API, method by method."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from amqpstorm import Connection
from amqpstorm.management import ApiError, ManagementApi

from .conftest import Served
from .process import until


@pytest.fixture
def api(served: Served) -> ManagementApi:
    return ManagementApi(f"http://127.0.0.1:{served.http_port}", "guest", "guest", timeout=60)


@pytest.fixture
def vhost(api: ManagementApi) -> Iterator[str]:
    name = f"t.{secrets.token_hex(4)}"
    api.virtual_host.create(name)
    yield name
    api.virtual_host.delete(name)


def test_the_broker_is_there(api: ManagementApi) -> None:
    assert api.aliveness_test() == {"status": "ok"}
    assert api.healthchecks.get()["status"] == "ok"
    assert api.whoami()["name"] == "guest"
    node = api.overview()["node"]
    assert api.node(node)["name"] == api.nodes()[0]["name"] == node
    assert api.cluster_name()["name"]


def test_queues_and_messages(api: ManagementApi, vhost: str) -> None:
    api.queue.declare("q", virtual_host=vhost, durable=True)
    api.queue.declare("q", virtual_host=vhost, passive=True)
    assert api.basic.publish("hello", "q", virtual_host=vhost, properties={"content_type": "text/plain"})
    (message,) = api.basic.get("q", virtual_host=vhost)
    assert (message.body, message.properties["content_type"]) == ("hello", "text/plain")
    assert api.basic.publish("hello", "q", virtual_host=vhost)
    (again,) = api.basic.get("q", virtual_host=vhost, requeue=True, to_dict=True)
    assert again["redelivered"] is False
    api.queue.purge("q", virtual_host=vhost)
    assert api.basic.get("q", virtual_host=vhost) == []
    assert [queue["name"] for queue in api.queue.list(virtual_host=vhost)] == ["q"]
    assert api.queue.get("q", virtual_host=vhost)["durable"] is True
    api.queue.delete("q", virtual_host=vhost)
    with pytest.raises(ApiError) as refused:
        api.queue.get("q", virtual_host=vhost)
    assert refused.value.error_code == 404


def test_exchanges_and_bindings(api: ManagementApi, vhost: str) -> None:
    api.exchange.declare("x", exchange_type="topic", virtual_host=vhost, durable=True)
    api.exchange.declare("y", exchange_type="fanout", virtual_host=vhost, durable=True)
    api.queue.declare("q", virtual_host=vhost, durable=True)
    api.queue.bind("q", "x", "a.#", virtual_host=vhost)
    api.exchange.bind("y", "x", "b.#", virtual_host=vhost)
    bound = [(each["destination_type"], each["routing_key"]) for each in api.exchange.bindings("x", virtual_host=vhost)]
    assert sorted(bound) == [("exchange", "b.#"), ("queue", "a.#")]
    assert [each["source"] for each in api.queue.bindings("q", virtual_host=vhost)] == ["", "x"]
    api.queue.unbind("q", "x", "a.#", virtual_host=vhost, properties_key="a.%23")
    api.exchange.unbind("y", "x", "b.#", virtual_host=vhost, properties_key="b.%23")
    assert api.exchange.bindings("x", virtual_host=vhost) == []
    assert "x" in [each["name"] for each in api.exchange.list(virtual_host=vhost)]
    api.exchange.delete("x", virtual_host=vhost)


def test_users_and_permissions(api: ManagementApi, vhost: str) -> None:
    names = [f"u.{secrets.token_hex(4)}" for _ in range(2)]
    for name in names:
        api.user.create(name, "secret", tags="management")
        api.user.set_permission(name, vhost, configure_regex=".*", write_regex=".*", read_regex="^q")
    assert api.user.get(names[0])["tags"] == ["management"]
    assert set(names) <= {user["name"] for user in api.user.list()}
    assert api.user.get_permission(names[0], vhost)["read"] == "^q"
    assert [each["vhost"] for each in api.user.get_permissions(names[0])] == [vhost]
    assert {each["user"] for each in api.virtual_host.get_permissions(vhost)} == {"guest", *names}
    api.user.delete_permission(names[0], vhost)
    api.user.delete(names)
    assert not set(names) & {user["name"] for user in api.user.list()}


def test_connections_and_channels(api: ManagementApi, served: Served, vhost: str) -> None:
    port = int(served.amqp.rpartition(":")[2].rstrip("/"))
    connection = Connection("127.0.0.1", "guest", "guest", port=port, virtual_host=vhost)
    connection.channel()

    def ours() -> list[str]:
        return [each["name"] for each in api.connection.list() if each.get("vhost") == vhost]

    until(lambda: len(ours()) == 1, "the connection")
    (name,) = ours()
    assert api.connection.get(name)["user"] == "guest"
    until(lambda: any(each["vhost"] == vhost for each in api.channel.list()), "its channel")
    (channel,) = [each for each in api.channel.list() if each["vhost"] == vhost]
    assert api.channel.get(channel["name"])["number"] == 1
    api.connection.close(name, reason="enough")
    until(lambda: connection.is_closed, "the client to notice")
    connection.close()  # its socket, which it keeps else
