"""Fixtures for tests with real clients: connections of pika, and a way to the broker that can be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from amqpd.testing.harness import BrokerProcess

from .proxy import Proxy


@pytest.fixture
def open_blocking(broker_url: str, name: Callable[..., str]) -> Iterator[Callable[..., pika.BlockingConnection]]:
    """Opens pika's BlockingConnections, which are closed after the test, before `name` deletes what they made."""
    opened: list[pika.BlockingConnection] = []

    def open_blocking(url: str = broker_url) -> pika.BlockingConnection:
        opened.append(pika.BlockingConnection(pika.URLParameters(url)))
        return opened[-1]

    yield open_blocking
    for connection in opened:
        if connection.is_open:
            connection.close()


@pytest.fixture
def channel(open_blocking: Callable[..., pika.BlockingConnection]) -> BlockingChannel:
    """A channel of a connection of its own."""
    return open_blocking().channel()


@pytest.fixture
def proxy(broker_url: str) -> Iterator[Proxy]:
    with Proxy(broker_url) as proxy:
        yield proxy


@dataclass(frozen=True)
class Served:
    """A broker with its management API."""

    amqp: str  # URL
    http_port: int


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """The broker given with `--broker`, whose API is at its port plus 10000; or one of ours, in memory."""
    url = request.config.getoption("--broker")
    if url is not None:
        yield Served(url, (urlsplit(url).port or 5672) + 10000)
        return
    with BrokerProcess("--memory", "--http-port", "0") as process:
        yield Served(process.url, process.http_port)
