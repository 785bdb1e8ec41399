"""An operator at work beside the clients: vhosts, policies, limits and parameters, set on either broker.

`RabbitOperator` asks RabbitMQ's management API, at the AMQP port + 10000. `OwnOperator` runs a broker of ours in a
thread of this process, and calls what our management will call. Both take what the API takes, and raise `Refused` with
what it says.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlsplit

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.policies import names_of
from amqpd.config import Config
from amqpd.config.addresses import Address
from amqpd.daemon import Daemon
from amqpd.errors import OperatorError
from amqpd.testing.client import Client

_T = TypeVar("_T")


class Refused(Exception):
    """The broker does not do it, and says why."""


class Operator(Protocol):
    """What both can do."""

    url: str

    def put_vhost(self, name: str, **metadata: Any) -> None: ...

    def delete_vhost(self, name: str) -> None: ...

    def put_policy(self, vhost: str, name: str, policy: Mapping[str, Any], *, operator: bool = False) -> None:
        """`policy` as in the API: pattern, definition, and maybe priority and apply-to."""
        ...

    def delete_policy(self, vhost: str, name: str, *, operator: bool = False) -> None: ...

    def put_parameter(self, component: str, vhost: str, name: str, value: Any) -> None: ...

    def delete_parameter(self, component: str, vhost: str, name: str) -> None: ...

    def queue(self, vhost: str, name: str) -> dict[str, Any]:
        """What the API says of a queue: policy, operator_policy, effective_policy_definition."""
        ...

    def close(self) -> None:
        """Remove what was put."""
        ...


class RabbitOperator:
    """RabbitMQ's management API, as guest."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self._api = f"http://{parts.hostname}:{(parts.port or 5672) + 10000}/api"
        self._vhosts: set[str] = set()

    def put_vhost(self, name: str, **metadata: Any) -> None:
        self._vhosts.add(name)
        self._call("PUT", f"vhosts/{quote(name, '')}", metadata)
        self._call("PUT", f"permissions/{quote(name, '')}/guest", {"configure": ".*", "write": ".*", "read": ".*"})

    def delete_vhost(self, name: str) -> None:
        self._vhosts.discard(name)
        self._call("DELETE", f"vhosts/{quote(name, '')}")

    def put_policy(self, vhost: str, name: str, policy: Mapping[str, Any], *, operator: bool = False) -> None:
        self._call("PUT", f"{_policies(operator)}/{quote(vhost, '')}/{quote(name, '')}", policy)

    def delete_policy(self, vhost: str, name: str, *, operator: bool = False) -> None:
        self._call("DELETE", f"{_policies(operator)}/{quote(vhost, '')}/{quote(name, '')}")

    def put_parameter(self, component: str, vhost: str, name: str, value: Any) -> None:
        self._call("PUT", f"parameters/{component}/{quote(vhost, '')}/{quote(name, '')}", {"value": value})

    def delete_parameter(self, component: str, vhost: str, name: str) -> None:
        self._call("DELETE", f"parameters/{component}/{quote(vhost, '')}/{quote(name, '')}")

    def queue(self, vhost: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("GET", f"queues/{quote(vhost, '')}/{quote(name, '')}")
        return found

    def close(self) -> None:
        for vhost in list(self._vhosts):
            self.delete_vhost(vhost)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(f"{self._api}/{path}", method=method)
        request.add_header("authorization", "Basic " + base64.b64encode(b"guest:guest").decode())
        request.add_header("content-type", "application/json")
        request.data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(_reason(error.read())) from None
        return json.loads(content) if content else None


class OwnOperator:
    """A broker of ours in this process; settings as `Config` has them."""

    def __init__(self, **settings: Any) -> None:
        self.daemon = Daemon(
            Config(
                tcp_listeners=(Address("127.0.0.1", 0),), memory=True, management=False, log_level="error", **settings
            )
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.daemon.start(), self._loop).result(30)
        self.url = self.daemon.url

    def put_vhost(self, name: str, **metadata: Any) -> None:
        def put(broker: Broker) -> None:
            broker.add_vhost(name, **metadata)
            self.daemon.users.set_permissions("guest", name, configure=".*", write=".*", read=".*")

        self._do(put)

    def delete_vhost(self, name: str) -> None:
        self._do(lambda broker: broker.delete_vhost(name))

    def put_policy(self, vhost: str, name: str, policy: Mapping[str, Any], *, operator: bool = False) -> None:
        def put(broker: Broker) -> None:
            component = broker.operator_policies if operator else broker.policies
            component.set(
                vhost,
                name,
                policy["pattern"],
                policy["definition"],
                policy.get("priority", 0),
                policy.get("apply-to", "all"),
            )

        self._do(put)

    def delete_policy(self, vhost: str, name: str, *, operator: bool = False) -> None:
        self._do(lambda broker: (broker.operator_policies if operator else broker.policies).clear(vhost, name))

    def put_parameter(self, component: str, vhost: str, name: str, value: Any) -> None:
        self._do(lambda broker: broker.parameters.set(component, vhost, name, value))

    def delete_parameter(self, component: str, vhost: str, name: str) -> None:
        self._do(lambda broker: broker.parameters.clear(component, vhost, name))

    def queue(self, vhost: str, name: str) -> dict[str, Any]:
        def look(broker: Broker) -> dict[str, Any]:
            applied = broker.vhosts[vhost].queues[name].policies
            policy, operator_policy = names_of(applied)
            return {
                "policy": policy,
                "operator_policy": operator_policy,
                "effective_policy_definition": dict(applied.definition) if applied is not None else {},
            }

        return self._do(look)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.daemon.stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Callable[[Broker], _T]) -> _T:
        """Have it done in the broker's thread."""

        async def worked() -> _T:
            return work(self.daemon.broker)

        try:
            return asyncio.run_coroutine_threadsafe(worked(), self._loop).result(30)
        except OperatorError as error:
            raise Refused(str(error)) from None


def _policies(operator: bool) -> str:
    return "operator-policies" if operator else "policies"


def _reason(answer: bytes) -> str:
    """What is wrong, without the words the API puts around it."""
    try:
        reason = str(json.loads(answer)["reason"])
    except ValueError:
        return "no reason given"
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&"), ("&#39;", "'")):
        reason = reason.replace(entity, char)
    reason = re.sub(r",\n +", ",", reason)
    return reason.removeprefix("Validation failed\n\n").rstrip("\n")


class Place:
    """A vhost of a test's own, an operator who may do anything to it, and connections to it."""

    def __init__(self, operator: Operator, vhost: str) -> None:
        self.operator = operator
        self.vhost = vhost
        self._clients: list[Client] = []

    @property
    def url(self) -> str:
        """Where clients of this vhost connect."""
        return self.operator.url.rpartition("/")[0] + "/" + quote(self.vhost, "")

    def connect(self, **options: Any) -> Client:
        """A connection; with channel 1 open, unless it is not to be opened at all."""
        client = Client(self.url, **options)
        self._clients.append(client)
        if options.get("handshake", True):
            client.channel(1)
        return client

    def put_policy(self, name: str, pattern: str, definition: Mapping[str, Any], **more: Any) -> None:
        operator = more.pop("operator", False)
        policy = {"pattern": pattern, "definition": definition, **{key.replace("_", "-"): more[key] for key in more}}
        self.operator.put_policy(self.vhost, name, policy, operator=operator)

    def delete_policy(self, name: str, *, operator: bool = False) -> None:
        self.operator.delete_policy(self.vhost, name, operator=operator)

    def limit(self, **limits: int) -> None:
        """Set the limits of the vhost: max_connections, max_queues."""
        value = {key.replace("_", "-"): number for key, number in limits.items()}
        self.operator.put_parameter("vhost-limits", self.vhost, "limits", value)

    def expect_policies(self, queue: str, policy: str | None, operator_policy: str | None = None) -> dict[str, Any]:
        """So they apply to a queue, now or soon; returns what they set together."""
        deadline = time.monotonic() + 15
        while True:
            found = self.operator.queue(self.vhost, queue)
            applied = (found.get("policy"), found.get("operator_policy"))
            if applied == (policy, operator_policy) and "effective_policy_definition" in found:
                definition: dict[str, Any] = found["effective_policy_definition"]
                return definition
            assert time.monotonic() < deadline, f"{applied} apply to '{queue}', not {(policy, operator_policy)}"
            time.sleep(0.1)

    def leave(self) -> None:
        for client in self._clients:
            client.drop()


@pytest.fixture(scope="session")
def operator(request: pytest.FixtureRequest) -> Iterator[Operator]:
    """Of the broker given with `--broker`, or of one of ours."""
    url = request.config.getoption("--broker")
    operator: Operator = OwnOperator() if url is None else RabbitOperator(url)
    yield operator
    operator.close()


@pytest.fixture
def place(operator: Operator) -> Iterator[Place]:
    """A vhost for one test."""
    name = f"t.{secrets.token_hex(4)}"
    operator.put_vhost(name)
    place = Place(operator, name)
    yield place
    place.leave()
    with contextlib.suppress(Refused):  # the test has
        operator.delete_vhost(name)
