"""Calls of RabbitMQ's commands, in this process, to the broker of the run unless said otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module

import pytest

from amqpd.cli.rabbitmq import SCRIPTS
from amqpd.testing.harness import BrokerProcess

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Exit code, output and errors of a command line."""
    for name in os.environ:
        if name.startswith(("AMQPD_", "AMQP_", "RABBITMQ_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RABBITMQ_NODE_PORT", str(broker.port))
    monkeypatch.setenv("RABBITMQ_NODENAME", "rabbit@here")

    def call(name: str, *arguments: str) -> tuple[int, str, str]:
        code = import_module(f"amqpd.cli.rabbitmq.{SCRIPTS[name]}").main(name, arguments)
        output, errors = capsys.readouterr()
        return code, output, errors

    return call
