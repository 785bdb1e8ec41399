"""An operator at work beside the clients: vhosts, policies, limits and parameters, over the management API.

What the API refuses is raised as `Refused`, with what it says.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from web import Web

from amqpd.testing.client import Client


class Refused(Exception):
    """The broker does not do it, and says why."""


class Operator:
    """Somebody who may do everything, as guest."""

    def __init__(self, web: Web) -> None:
        self.url = web.amqp
        self._web = web
        self._vhosts: set[str] = set()

    def put_vhost(self, name: str, **metadata: Any) -> None:
        self._vhosts.add(name)
        self._ask("PUT", f"vhosts/{quote(name, '')}", metadata)

    def delete_vhost(self, name: str) -> None:
        self._vhosts.discard(name)
        self._ask("DELETE", f"vhosts/{quote(name, '')}")

    def put_policy(self, vhost: str, name: str, policy: Mapping[str, Any], *, operator: bool = False) -> None:
        """`policy` as in the API: pattern, definition, and maybe priority and apply-to."""
        self._ask("PUT", f"{_policies(operator)}/{quote(vhost, '')}/{quote(name, '')}", policy)

    def delete_policy(self, vhost: str, name: str, *, operator: bool = False) -> None:
        self._ask("DELETE", f"{_policies(operator)}/{quote(vhost, '')}/{quote(name, '')}")

    def put_parameter(self, component: str, vhost: str, name: str, value: Any) -> None:
        self._ask("PUT", f"parameters/{component}/{quote(vhost, '')}/{quote(name, '')}", {"value": value})

    def delete_parameter(self, component: str, vhost: str, name: str) -> None:
        self._ask("DELETE", f"parameters/{component}/{quote(vhost, '')}/{quote(name, '')}")

    def queue(self, vhost: str, name: str) -> dict[str, Any]:
        """What the API says of a queue: policy, operator_policy, effective_policy_definition."""
        found: dict[str, Any] = self._ask("GET", f"queues/{quote(vhost, '')}/{quote(name, '')}")
        return found

    def close(self) -> None:
        """Remove what was put."""
        for vhost in list(self._vhosts):
            self.delete_vhost(vhost)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._web.ask(method, f"/{path}", body)
        if answer.status >= 400:
            reason = str(answer.reason) if answer.body else "no reason given"
            raise Refused(reason.removeprefix("Validation failed\n\n").rstrip("\n"))
        return answer.json if answer.body else None


def _policies(operator: bool) -> str:
    return "operator-policies" if operator else "policies"


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
def operator(web: Web) -> Iterator[Operator]:
    """Of the broker given with `--broker`, or of one of ours."""
    operator = Operator(web)
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
