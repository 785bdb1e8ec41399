"""`amqpd exec`: a command with a broker of its own, its exit code, its signals, and nothing left behind."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amqpd.cli.exec import environment
from amqpd.config import Config
from amqpd.process import Announcement
from amqpd.testing.client import Client
from tests.certificates import Authority
from tests.cli.command import CLEAN, PATIENCE, amqpd, popen, runs, wait_until_gone

SHOW = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes to be killed after the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def execute(
    started: list[subprocess.Popen[str]], script: str = SHOW, *options: str | Path, **environment: str
) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A Python script run with a broker, and the environment that it printed first."""
    process = popen("exec", *options, "--", sys.executable, "-c", script, **environment)
    started.append(process)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()
    return process, dict(json.loads(line))


def test_the_command_finds_the_broker_under_the_usual_names(started: list[subprocess.Popen[str]]) -> None:
    process, found = execute(started)
    port = found["AMQPD_PORT"]
    for name in ("AMQP_URL", "RABBITMQ_URL", "CELERY_BROKER_URL"):
        assert found[name] == f"amqp://guest:guest@127.0.0.1:{port}/%2F"
    assert (found["RABBITMQ_HOST"], found["RABBITMQ_PORT"]) == ("127.0.0.1", port)
    assert found["RABBITMQ_USER"] == found["RABBITMQ_USERNAME"] == found["RABBITMQ_PASSWORD"] == "guest"
    assert found["RABBITMQ_VHOST"] == "/"
    Client(found["AMQP_URL"]).close()
    assert process.communicate(timeout=PATIENCE) == ("", "")
    assert process.returncode == os.EX_OK
    assert not runs(int(found["AMQPD_PID"]))


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_the_exit_code_is_the_commands(code: int) -> None:
    done = amqpd("exec", "--", "sh", "-c", f"exit {code}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_command_that_a_signal_ended_has_128_and_its_number() -> None:
    assert amqpd("exec", "--", "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_a_command_that_is_not_there_is_told_from_one_that_cannot_be_run(tmp_path: Path) -> None:
    done = amqpd("exec", "--", "no-such-command")
    assert (done.returncode, done.stderr) == (127, "amqpd: cannot run no-such-command: No such file or directory\n")
    done = amqpd("exec", "--", tmp_path)
    assert (done.returncode, done.stderr) == (126, f"amqpd: cannot run {tmp_path}: Permission denied\n")


def test_without_a_command_there_is_nothing_to_do() -> None:
    assert amqpd("exec").returncode == os.EX_USAGE


def test_the_commands_options_are_its_own() -> None:
    assert amqpd("exec", "echo", "-p", "--help").stdout == "-p --help\n"


def test_input_and_output_are_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "amqpd", "exec", "--", "cat"],
        input="through\n", capture_output=True, text=True, timeout=PATIENCE, env=CLEAN,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (os.EX_OK, "through\n", "")


def test_nothing_is_left_on_disk(tmp_path: Path) -> None:
    assert amqpd("exec", "--", "true", cwd=tmp_path, TMPDIR=str(tmp_path)).returncode == os.EX_OK
    assert list(tmp_path.iterdir()) == []


def test_the_broker_takes_its_options(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    log = tmp_path / "log"
    process, _ = execute(started, SHOW, "-D", tmp_path / "data", "--log-level", "debug", "--log-file", log)
    assert (tmp_path / "data" / "store" / "data.mdb").exists()
    process.communicate(timeout=PATIENCE)
    assert log.read_text().endswith("Server stopped\n")


def test_settings_are_heard_and_logins_are_passed_on(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    file = tmp_path / "amqpd.toml"
    file.write_text('default_user = "ann"\ndefault_pass = "p@ss/word"\n')
    _, found = execute(started, SHOW, "-c", file)
    assert found["AMQP_URL"] == f"amqp://ann:p%40ss%2Fword@127.0.0.1:{found['AMQPD_PORT']}/%2F"
    assert (found["RABBITMQ_USER"], found["RABBITMQ_PASSWORD"]) == ("ann", "p@ss/word")
    Client(found["AMQP_URL"]).close()


@pytest.mark.parametrize(
    "setting", [{"AMQPD_DEFAULT_VHOST": "sh/op"}, {"AMQPD_DEFINITIONS_JSON": '{"vhosts": [{"name": "sh/op"}]}'}]
)
def test_the_vhost_there_is_is_passed_on(started: list[subprocess.Popen[str]], setting: dict[str, str]) -> None:
    _, found = execute(started, SHOW, **setting)
    assert found["AMQP_URL"] == f"amqp://guest:guest@127.0.0.1:{found['AMQPD_PORT']}/sh%2Fop"
    assert found["RABBITMQ_VHOST"] == "sh/op"
    Client(found["AMQP_URL"]).close()


def test_with_tls_alone_there_is_no_other_way_in(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    certificate = Authority(tmp_path).issue("localhost", "127.0.0.1")
    settings = {"AMQPD_LISTENERS_TCP_DEFAULT": "none", "AMQPD_LISTENERS_SSL_DEFAULT": "127.0.0.1:0"}
    _, found = execute(started, SHOW, **settings, AMQPD_SSL_OPTIONS_CERTFILE=certificate)
    assert found["AMQP_URL"] == f"amqps://guest:guest@127.0.0.1:{found['AMQPD_PORT']}/%2F"


def test_what_listens_on_ipv6_is_named_with_brackets() -> None:
    said = Announcement.of(Config(), {"amqp": [("::", 1234)]})
    found = environment(Config(), said, {"HOME": "/"})
    assert found["AMQP_URL"] == "amqp://guest:guest@[::1]:1234/%2F"
    assert (found["RABBITMQ_HOST"], found["HOME"]) == ("::1", "/")


def test_a_broker_that_does_not_start_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = amqpd("exec", "-p", str(port), "--", "echo", "not run")
    assert (done.returncode, done.stdout) == (os.EX_UNAVAILABLE, "")
    first, *_, last = done.stderr.splitlines()
    assert first == "amqpd: the broker did not start:"
    assert last.startswith(f"amqpd: cannot listen on 127.0.0.1:{port}: ")


def test_a_broker_that_ended_early_is_told(started: list[subprocess.Popen[str]]) -> None:
    process, found = execute(started)
    os.kill(int(found["AMQPD_PID"]), signal.SIGTERM)
    wait_until_gone(int(found["AMQPD_PID"]))
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == os.EX_OK
    assert errors.startswith("amqpd: the broker had ended by itself:\n")
    assert errors.endswith("Server stopped\n")


# --- signals

TRAPPING = """
import json, os, signal, sys, time
def trapped(number, _):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())  # the print below may not be over
    sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, trapped)
print(json.dumps(dict(os.environ)), flush=True)
while True:
    time.sleep(0.01)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_go_to_the_command(started: list[subprocess.Popen[str]], number: signal.Signals) -> None:
    process, found = execute(started, TRAPPING)
    process.send_signal(number)
    assert process.communicate(timeout=PATIENCE) == (f"{number.name}\n", "")
    assert process.returncode == 7
    assert not runs(int(found["AMQPD_PID"]))


def test_a_command_that_does_not_mind_a_signal_ends_by_it(started: list[subprocess.Popen[str]]) -> None:
    process, found = execute(started, SHOW)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM
    assert not runs(int(found["AMQPD_PID"]))


def test_the_broker_goes_when_exec_is_killed(started: list[subprocess.Popen[str]]) -> None:
    process, found = execute(started)
    pid = int(found["AMQPD_PID"])
    assert runs(pid)
    process.kill()
    wait_until_gone(pid)


COUNTING = """
import json, os, signal, sys, time
def seen(number, _):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())  # the print below may not be over
    if number == signal.SIGTERM:
        sys.exit(0)
signal.signal(signal.SIGINT, seen)
signal.signal(signal.SIGTERM, seen)
print(json.dumps(dict(os.environ)), flush=True)
while True:
    time.sleep(0.01)
"""


def test_a_key_in_a_terminal_reaches_the_command_once(started: list[subprocess.Popen[str]]) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "amqpd", "exec", "--", sys.executable, "-c", COUNTING],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    started.append(process)
    os.close(theirs)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())
    os.write(ours, b"\x03")
    assert process.stdout.readline() == "SIGINT\n"
    process.terminate()  # a SIGINT that was passed on would come first
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors) == (os.EX_OK, "SIGTERM\n", "")
    os.close(ours)
