"""Calls of `amqpctl` under RabbitMQ's names, in this process, to the broker of the run unless said otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from amqpd.cli.ctl.main import answer
from amqpd.testing.harness import BrokerProcess

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Exit code, output and errors of a command line."""
    for name in os.environ:
        if name.startswith(("AMQPD_", "AMQP_", "AMQPCTL_", "RABBITMQ_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RABBITMQ_NODE_PORT", str(broker.port))
    monkeypatch.setenv("RABBITMQ_NODENAME", "rabbit@here")
    monkeypatch.setenv("AMQPD_DATA_DIR", broker.options[1])

    def call(name: str, *arguments: str) -> tuple[int, str, str]:
        code = answer(name, arguments)
        output, errors = capsys.readouterr()
        return code, output, errors

    return call
