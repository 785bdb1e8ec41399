"""Fixtures shared by all tests.

Scenario tests talk to `broker_url`: a broker of ours, started once for the whole run, or the one given with
`--broker amqp://…`, so that the same tests judge both. They use names of their own (`name`) and leave nothing behind.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import ExchangeDelete, ExchangeDeleteOk, QueueDelete, QueueDeleteOk


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker", help="URL of a broker to test instead of our own, such as amqp://guest:guest@host:5672/"
    )
    parser.addoption("--rabbitmqctl", help="command line of a real rabbitmqctl, to compare amqpctl with")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ours(reason): behaviour that real RabbitMQ does not share, and why")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--broker"):
        for item in items:
            ours = item.get_closest_marker("ours")
            if ours is not None:
                item.add_marker(pytest.mark.skip(reason=f"differs from RabbitMQ: {ours.args[0]}"))


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker of ours, shared by the whole run."""
    folder: Path = tmp_path_factory.mktemp("broker")
    with BrokerProcess("-D", str(folder), "--log-level", "debug") as process:
        yield process


@pytest.fixture(scope="session")
def broker_url(request: pytest.FixtureRequest) -> str:
    url: str | None = request.config.getoption("--broker")
    if url is None:
        url = request.getfixturevalue("broker").url
    return url


@pytest.fixture
def connect(broker_url: str) -> Iterator[Callable[..., Client]]:
    """Opens connections to the broker, with `Client`'s options; they are dropped after the test."""
    clients: list[Client] = []

    def connect(**options: object) -> Client:
        client = Client(broker_url, **options)  # type: ignore[arg-type]
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.drop()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """A connection with channel 1 open."""
    client = connect()
    client.channel(1)
    return client


@contextmanager
def names(broker_url: str) -> Iterator[Callable[[str], str]]:
    """Makes names nobody else uses; queues and exchanges called so are deleted at the end."""
    used: list[str] = []
    run = secrets.token_hex(4)
    numbers = itertools.count()

    def name(stem: str = "thing") -> str:
        used.append(f"t.{run}.{next(numbers)}.{stem}")
        return used[-1]

    yield name
    if used:
        with Client(broker_url) as client:
            client.channel(1)
            for each in used:
                client.call(1, QueueDelete(queue=each), QueueDeleteOk)
                client.call(1, ExchangeDelete(exchange=each), ExchangeDeleteOk)
            client.close()


@pytest.fixture
def name(broker_url: str) -> Iterator[Callable[[str], str]]:
    """Names for one test."""
    with names(broker_url) as name:
        yield name
