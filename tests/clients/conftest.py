"""Fixtures for tests with real clients: connections of pika, and a way to the broker that can be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

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
