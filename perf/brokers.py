"""The brokers a benchmark runs on: amqpd, RabbitMQ where it is installed, or one that is running already.

Those started here listen on loopback only, on free ports, keep their data in a temporary folder, and are stopped, by
their process ids, when the benchmark ends.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from loader.cpu import listening_pids

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess

LOOPBACK = "127.0.0.1"


class Broker:
    """One that is running, and was not started here."""

    ours = False
    """Whether it was started here, so that it can be started again, or afresh."""

    def __init__(self, name: str, url: str = "", pids: list[int] | None = None) -> None:
        self.name = name
        self.url = url
        self.pids = pids or []
        self.http_port = 0  # of the management API, if there is one

    def start(self) -> None:
        """Make sure that it runs. Raises RuntimeError when it does not."""
        self.pids = self.pids or listening_pids(self.url)

    def halt(self) -> None:
        """Stop it, if it was started here; `start` then continues with its data."""

    def stop(self) -> None:
        """Stop it, if it was started here, and forget its data."""

    def version(self) -> str:
        """The product, version and platform it announces to clients."""
        with Client(self.url) as client:
            assert client.start is not None
            announced = client.start.server_properties
        return f"{announced.get('product', '?')} {announced.get('version', '?')}, {announced.get('platform', '?')}"

    def settings(self) -> str:
        """How it is set up, in words."""
        return "running already, settings unknown"


class Amqpd(Broker):
    """amqpd from this source tree, or from another."""

    ours = True

    def __init__(self, name: str, environment: Mapping[str, str] | None = None, tree: Path | None = None) -> None:
        super().__init__(name)
        self._environment = dict(environment or {})
        if tree is not None:
            self._environment |= {"PYTHONPATH": str(tree.resolve()), "PYTHONSAFEPATH": "1"}
        self._process: BrokerProcess | None = None
        self._data: tempfile.TemporaryDirectory[str] | None = None

    def variant(self, environment: Mapping[str, str]) -> Amqpd:
        """The same with other variables in its environment, as a process of its own."""
        return Amqpd(self.name, {**self._environment, **environment})

    def start(self) -> None:
        if self._running:
            return
        if self._data is None or self._process is None:
            self._data = tempfile.TemporaryDirectory(prefix="amqpd-bench-")
            self._process = BrokerProcess("-D", self._data.name, environment=self._environment)
        self._process.start()
        self.url = self._process.url
        self.http_port = self._process.http_port
        self.pids = [self._process.pid]

    def version(self) -> str:
        command = [sys.executable, "-m", "amqpd", "--version"]
        environment = {**os.environ, **self._environment}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def settings(self) -> str:
        ours = {name: value for name, value in self._environment.items() if not name.startswith("PYTHON")}
        changed = ", ".join(f"{name}={value}" for name, value in ours.items())
        return changed or "defaults, every commit synced"

    def halt(self) -> None:
        if self._running:
            assert self._process is not None
            self._process.stop()
            self._process.log.clear()

    def stop(self) -> None:
        self.halt()
        self._process = None
        if self._data is not None:
            self._data.cleanup()
        self._data = None

    @property
    def _running(self) -> bool:
        return self._process is not None and self._process.process is not None and self._process.process.poll() is None


class RabbitMQ(Broker):
    """A RabbitMQ node of our own: as installed, without plugins."""

    ours = True
    PLACES = ("/usr/lib/rabbitmq/bin", "/usr/lib/rabbitmq/sbin", "/opt/rabbitmq/sbin", "/usr/local/sbin")
    START_TIMEOUT = 90.0
    STOP_TIMEOUT = 30.0

    def __init__(self, name: str = "rabbitmq") -> None:
        super().__init__(name)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._ports = [0, 0, 0]  # for clients, for other nodes, of epmd
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    @classmethod
    def command(cls) -> str | None:
        """The command that starts it; None when it is not installed."""
        path = os.pathsep.join((*cls.PLACES, os.environ.get("PATH", "")))
        return shutil.which("rabbitmq-server", path=path)

    def start(self) -> None:
        if self._node is not None and self._node.poll() is None:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="rabbitmq-bench-")
            self._ports = _free_ports(3)
        port, _, epmd_port = self._ports
        environment = self._environment(Path(self._folder.name), *self._ports)
        self._epmd = self._spawn([_epmd(), "-address", LOOPBACK, "-port", str(epmd_port)], environment)
        command = self.command()
        assert command is not None
        self._node = self._spawn([command], environment)
        self.url = f"amqp://guest:guest@{LOOPBACK}:{port}/"
        self._wait_until_it_accepts(port)
        self.pids = listening_pids(self.url) or [self._node.pid]

    def settings(self) -> str:
        return "as installed, without plugins"

    def halt(self) -> None:
        for process in (self._node, self._epmd):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(self.STOP_TIMEOUT)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._node = self._epmd = None

    def stop(self) -> None:
        self.halt()
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = None

    def _environment(self, folder: Path, port: int, dist_port: int, epmd_port: int) -> dict[str, str]:
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.default = {LOOPBACK}:{port}\n")
        (folder / "enabled_plugins").write_text("[].\n")
        ours = {
            "HOME": str(folder),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(epmd_port),
            "RABBITMQ_NODENAME": f"amqpd-bench-{os.getpid()}@localhost",
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_BASE": str(folder),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        return others | ours

    def _spawn(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """A process in a session of its own: an interrupt of the benchmark must not reach it before `stop` does."""
        assert self._folder is not None
        with (Path(self._folder.name) / "output").open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=self._folder.name,
                start_new_session=True,
            )

    def _wait_until_it_accepts(self, port: int) -> None:
        deadline = time.monotonic() + self.START_TIMEOUT
        assert self._node is not None
        assert self._folder is not None
        while time.monotonic() < deadline and self._node.poll() is None:
            try:
                with socket.create_connection((LOOPBACK, port), 1.0):
                    pass
                self.version()
                return
            except (OSError, TimeoutError):
                time.sleep(0.1)
        output = (Path(self._folder.name) / "output").read_text(errors="replace")
        self.stop()
        raise RuntimeError(f"RabbitMQ did not start:\n{output[-2000:]}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _epmd() -> str:
    if found := shutil.which("epmd"):
        return found
    return str(next(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"), "epmd"))
