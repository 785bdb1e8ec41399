"""The code of Testcontainers for Python starts the broker and waits for it, with a stand-in for Docker alone."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pika
import pytest
from testcontainers.core import container as containers
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.cli.command import CLEAN, PATIENCE, amqpd

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it warns of what it uses itself
    from testcontainers.community.rabbitmq import RabbitMqContainer

LOG_LINE = re.compile(r"^.*Server startup complete.*$", re.MULTILINE)
"""What Testcontainers for Java and for Node wait for."""


class Container:
    """A process in place of a container."""

    id = short_id = "amqpd"

    def __init__(self, command: Path, environment: dict[str, str], folder: Path) -> None:
        self._command = command
        self._environment = {**CLEAN, **environment, "AMQPD_DATA_DIR": str(folder / "data")}
        self._output = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [self._command], stdout=output, stderr=subprocess.STDOUT, env=self._environment
            )

    @property
    def status(self) -> str:
        return "running" if self._process is not None and self._process.poll() is None else "exited"

    def reload(self) -> None:
        """The status is always that of now."""

    def logs(self, *, stdout: bool = True, stderr: bool = True) -> bytes:
        return self._output.read_bytes() if stdout else b""

    def remove(self, **options: Any) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE)


class Docker:
    """A client of Docker, without Docker."""

    command: Path
    folder: Path

    def __init__(self, **options: Any) -> None:
        self.client = self

    def create(self, image: str, *, environment: dict[str, Any], **options: Any) -> Container:
        return Container(self.command, {name: str(value) for name, value in environment.items()}, self.folder)

    def start(self, container: Container) -> None:
        container.start()

    def get_connection_mode(self) -> ConnectionMode:
        return ConnectionMode.docker_host

    def host(self) -> str:
        return "127.0.0.1"

    def port(self, container: str, port: int) -> int:
        return port  # there is no other network to map it to

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A free one, for a container that is none."""
    assert amqpd("shims", tmp_path / "shims").returncode == os.EX_OK
    monkeypatch.setattr(Docker, "command", tmp_path / "shims" / "rabbitmq-server", raising=False)
    monkeypatch.setattr(Docker, "folder", tmp_path, raising=False)
    monkeypatch.setattr(containers, "DockerClient", Docker)
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        free: int = server.getsockname()[1]
    return free


def test_its_readiness_probe_ends_with_a_broker_that_answers(port: int) -> None:
    with RabbitMqContainer("rabbitmq", port=port, username="u", password="x", vhost="v") as container:
        with pika.BlockingConnection(container.get_connection_params()) as connection:
            connection.channel().queue_declare("q")
        other = container.get_connection_params()
        other.credentials = pika.PlainCredentials("guest", "guest")
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            pika.BlockingConnection(other)


def test_the_line_of_the_log_that_others_wait_for_comes_once(port: int) -> None:
    container = RabbitMqContainer("rabbitmq", port=port)
    container.waiting_for(LogMessageWaitStrategy(LOG_LINE).with_startup_timeout(int(PATIENCE)))
    with container:
        assert len(LOG_LINE.findall(container.get_logs()[0].decode())) == 1
        with pika.BlockingConnection(container.get_connection_params()):
            pass  # it listened when the line was there
