"""`amqpd shims`: scripts with the names of RabbitMQ's commands."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from amqpd.cli.rabbitmq import SCRIPTS
from amqpd.testing.harness import BrokerProcess
from tests.cli.command import CLEAN, PATIENCE, amqpd, refused


def call(folder: Path, name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / name, *arguments], capture_output=True, text=True, timeout=PATIENCE, env={**CLEAN, **environment}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scripts, with a space in its name."""
    made = tmp_path_factory.mktemp("with a space") / "bin"
    done = amqpd("shims", made)
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    assert done.stdout.splitlines() == [str(made / name) for name in SCRIPTS]
    return made


def test_each_can_be_called(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == sorted(SCRIPTS)
    assert all(os.access(file, os.X_OK) for file in folder.iterdir())


def test_they_ask_the_broker(folder: Path, broker: BrokerProcess) -> None:
    port = str(broker.port)
    done = call(folder, "rabbitmq-diagnostics", "-q", "ping", RABBITMQ_NODE_PORT=port)
    assert (done.returncode, done.stdout, done.stderr) == (os.EX_OK, "Ping succeeded\n", "")
    assert call(folder, "rabbitmqctl", "await_startup", RABBITMQ_NODE_PORT=port).returncode == os.EX_OK
    assert call(folder, "rabbitmq-plugins", "list", "-m", RABBITMQ_NODE_PORT=port).returncode == os.EX_OK
    assert call(folder, "rabbitmq-queues", "quorum_status", "q").returncode == os.EX_UNAVAILABLE
    assert call(folder, "rabbitmqadmin", "help", "subcommands").returncode == os.EX_OK


def test_what_lies_in_the_current_folder_is_not_taken_for_ours(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise SystemExit('taken')")
    done = subprocess.run([folder / "rabbitmqctl", "version"], capture_output=True, text=True, cwd=tmp_path, env=CLEAN)
    assert done.returncode == os.EX_OK, done.stderr


def test_the_server_runs_and_is_stopped_by_the_others(folder: Path, tmp_path: Path) -> None:
    environment = {
        "AMQPD_DATA_DIR": str(tmp_path / "data"),
        "AMQPD_LISTENERS_TCP_DEFAULT": "127.0.0.1:0",
        "RABBITMQ_PID_FILE": str(tmp_path / "pid"),
        "RABBITMQ_LOG_BASE": str(tmp_path / "log"),
    }
    assert call(folder, "rabbitmq-server", "-detached", **environment).returncode == os.EX_OK
    done = call(folder, "rabbitmqctl", "wait", str(tmp_path / "pid"), "--timeout", "30", **environment)
    assert done.returncode == os.EX_OK, done.stderr
    pid = (tmp_path / "pid").read_text().strip()
    assert f"pid is {pid}\n" in done.stdout
    done = call(folder, "rabbitmqctl", "status", **environment)
    assert f"OS PID: {pid}\n" in done.stdout
    assert f"Node data directory: {tmp_path / 'data'}\n" in done.stdout
    done = call(folder, "rabbitmqctl", "stop", str(tmp_path / "pid"), **environment)
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    assert not (tmp_path / "pid").exists()
    assert "Server stopped" in (tmp_path / "log" / "amqpd.log").read_text()
    assert call(folder, "rabbitmqctl", "stop", **environment).returncode == os.EX_UNAVAILABLE


def test_they_are_written_again_and_again(folder: Path) -> None:
    assert amqpd("shims", folder).returncode == os.EX_OK


def test_what_is_something_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "rabbitmqctl").write_text("#!/bin/sh\n# the real one\n")
    code, line = refused("shims", tmp_path)
    assert code == os.EX_CANTCREAT
    assert line == f"amqpd: {tmp_path / 'rabbitmqctl'} is something else; --force replaces it"
    assert [file.name for file in tmp_path.iterdir()] == ["rabbitmqctl"]
    assert amqpd("shims", "--force", tmp_path).returncode == os.EX_OK
    assert "amqpd" in (tmp_path / "rabbitmqctl").read_text()


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, line = refused("shims", tmp_path / "file" / "bin")
    assert (code, line) == (os.EX_CANTCREAT, f"amqpd: cannot write to {tmp_path}/file/bin: Not a directory")
