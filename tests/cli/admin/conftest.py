"""Calls of amqpadmin, in this process, to a broker of its own."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amqpd.cli.admin.main import answer
from amqpd.testing.harness import BrokerProcess

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker with the HTTP API on a port, which `http_port` tells."""
    with BrokerProcess("-D", str(tmp_path_factory.mktemp("own")), "--http-port", "0") as process:
        yield process


@pytest.fixture
def http_port(own: BrokerProcess) -> str:
    line = next(line for line in own.log if "started HTTP listener" in line)
    return line.rpartition(":")[2]


@pytest.fixture
def call(
    own: BrokerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Exit code, output and errors of a command line."""
    for name in os.environ:
        if name.startswith(("AMQPD_", "AMQPCTL_", "RABBITMQ")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AMQPD_DATA_DIR", own.options[1])
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = answer("amqpadmin", words)
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def vhost(call: Call) -> Iterator[str]:
    """A vhost for one test."""
    assert call("declare", "vhost", "name=v")[0] == os.EX_OK
    yield "v"
    assert call("delete", "vhost", "name=v")[0] == os.EX_OK
