"""The management API of whichever broker is under test, over HTTP.

RabbitMQ serves it at the AMQP port plus 10000; of ours, one is started for these scenarios, in memory.
"""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess

PATIENCE = 20.0
"""Seconds until RabbitMQ's numbers have to be true: it gathers them every five."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> Any:
        """Why it was refused, in the words both have: RabbitMQ escapes some for HTML, and breaks some lines."""
        return plain(self.json["reason"])


def plain(reason: Any) -> Any:
    return re.sub(r",\n +", ",", html.unescape(reason)) if isinstance(reason, str) else reason


class Web:
    """One broker's API, and its AMQP port."""

    def __init__(self, api: str, amqp: str) -> None:
        self.api = api
        self.amqp = amqp

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        login: str | None = "guest:guest",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """`body` is bytes as they are, or a value for JSON; `path` goes on after /api."""
        request = urllib.request.Request(self.api + path, method=method)
        if login is not None:
            request.add_header("authorization", "Basic " + base64.b64encode(login.encode()).decode())
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, _lower(error.headers), error.read())

    def get(self, path: str, **options: Any) -> Answer:
        return self.ask("GET", path, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.ask("PUT", path, body, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.ask("POST", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.ask("DELETE", path, **options)

    def until(self, path: str, holds: Callable[[Any], bool], **options: Any) -> Any:
        """What a GET answers once something holds of it, as it does at once with ours."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.get(path, **options)
            if answer.status == 200 and holds(answer.json):
                return answer.json
            assert time.monotonic() < deadline, f"{path} is {answer}"
            time.sleep(0.2)

    def connect(self, vhost: str, **options: Any) -> Client:
        """An AMQP connection with channel 1 open."""
        client = Client(f"{self.amqp}{quote(vhost, '')}", **options)
        client.channel(1)
        return client


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture(scope="session")
def web(request: pytest.FixtureRequest) -> Iterator[Web]:
    """Of the broker given with `--broker`, or of one of ours."""
    url = request.config.getoption("--broker")
    if url is not None:
        parts = urlsplit(url)
        port = parts.port or 5672
        yield Web(f"http://{parts.hostname}:{port + 10000}/api", f"amqp://guest:guest@{parts.hostname}:{port}/")
        return
    with BrokerProcess("--memory", "--http-port", "0") as process:
        yield Web(f"http://127.0.0.1:{process.http_port}/api", process.url)


@pytest.fixture
def vhost(web: Web) -> Iterator[str]:
    """A vhost for one test, in which guest may do everything."""
    name = f"t.{secrets.token_hex(4)}"
    web.put(f"/vhosts/{name}")
    yield name
    web.delete(f"/vhosts/{name}")
