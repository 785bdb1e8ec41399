"""What whoever starts a broker can ask of it: to say when it is ready and where, and to end with its parent."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amqpd import __version__
from amqpd.testing.client import Client
from tests.cli.command import CLEAN, PATIENCE, amqpd, popen, refused, runs, wait_until_gone


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes to be killed after the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def detached() -> Iterator[list[int]]:
    """Ids of processes to be killed after the test."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        if runs(pid):
            os.kill(pid, signal.SIGKILL)


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a broker started with --print-json says when it is."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return dict(json.loads(line))


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code and what more was printed, once it has ended by itself."""
    output, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, output, errors


# --- --print-json


def test_the_first_line_is_json_once_connections_are_accepted(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = popen("run", "-p", "0", "-D", "data", "--print-json", cwd=tmp_path)
    started.append(process)
    said = ready(process)
    port = said["ports"]["amqp"]
    assert said == {
        "pid": process.pid,
        "ports": {"amqp": port},
        "urls": {"amqp": f"amqp://guest:guest@127.0.0.1:{port}/%2F"},
        "data_dir": str(tmp_path / "data"),
        "version": __version__,
    }
    Client(said["urls"]["amqp"]).close()
    process.terminate()
    code, output, errors = ended(process)
    assert (code, output) == (os.EX_OK, "")
    assert "Server startup complete; 4 plugins started." in errors
    assert "Server stopped" in errors


def test_the_http_api_is_announced_where_it_is_served(started: list[subprocess.Popen[str]]) -> None:
    process = popen("--memory", "-p", "0", "--print-json", AMQPD_MANAGEMENT_ENABLED="true")
    started.append(process)
    said = ready(process)
    assert said["urls"]["http"] == f"http://127.0.0.1:{said['ports']['http']}/"
    socket.create_connection(("127.0.0.1", said["ports"]["http"])).close()
    process.terminate()
    assert "Server startup complete; 5 plugins started." in ended(process)[2]


def test_json_tells_no_password_but_guests(started: list[subprocess.Popen[str]]) -> None:
    process = popen("--memory", "-p", "0", "--print-json", AMQPD_DEFAULT_USER="ann", AMQPD_DEFAULT_PASS="secret")
    started.append(process)
    said = ready(process)
    assert said["urls"]["amqp"] == f"amqp://127.0.0.1:{said['ports']['amqp']}/%2F"
    assert said["data_dir"] is None


def test_a_reader_that_is_gone_does_not_keep_it_from_serving(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = popen("--memory", "-p", "0", "--print-json", "--log-level", "info")
    started.append(process)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    line = next(line for line in process.stderr if "connect to" in line)
    Client(re.search(r"amqp://\S+", line)[0]).close()  # type: ignore[index]


def test_the_log_can_go_to_a_file(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    file = tmp_path / "logs" / "amqpd.log"
    process = popen("--memory", "-p", "0", "--print-json", "--log-file", file)
    started.append(process)
    ready(process)
    process.terminate()
    assert ended(process) == (os.EX_OK, "", "")
    assert "Server startup complete" in file.read_text()
    assert file.read_text().endswith("Server stopped\n")


def test_a_log_file_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, line = refused("--memory", "-p", "0", "--log-file", tmp_path / "file" / "log")
    assert (code, line) == (
        os.EX_CANTCREAT,
        f"amqpd: cannot write log file {tmp_path}/file/log: File exists",
    )


# --- --write-url and --pidfile


def test_files_are_there_while_it_accepts_connections(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    url, pid = tmp_path / "url", tmp_path / "pid"
    url.write_text("amqp://somewhere:1/\n")
    process = popen("--memory", "-p", "0", "--print-json", "--write-url", url, "--pidfile", pid)
    started.append(process)
    said = ready(process)
    assert url.read_text() == said["urls"]["amqp"] + "\n"
    assert pid.read_text() == f"{process.pid}\n"
    process.terminate()
    assert ended(process)[0] == os.EX_OK
    assert list(tmp_path.iterdir()) == []


def test_a_url_file_that_cannot_be_is_named_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "url"
    code, line = refused("--memory", "-p", "0", "--write-url", file)
    assert (code, line) == (os.EX_CANTCREAT, f"amqpd: cannot write {file}: No such file or directory")


def test_a_pidfile_of_a_running_broker_is_refused(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    file = tmp_path / "pid"
    process = popen("--memory", "-p", "0", "--print-json", "--pidfile", file)
    started.append(process)
    ready(process)
    code, line = refused("--memory", "-p", "0", "--pidfile", file)
    assert code == os.EX_TEMPFAIL
    assert line == (
        f"amqpd: pidfile {file} is that of a running amqpd (process {process.pid}): stop that one, or choose another"
        " file"
    )
    assert file.read_text() == f"{process.pid}\n"


def test_a_pidfile_left_by_one_that_was_killed_is_taken_over(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    for _ in range(2):
        process = popen("--memory", "-p", "0", "--print-json", "--pidfile", file)
        started.append(process)
        ready(process)
        assert file.read_text() == f"{process.pid}\n"
        process.kill()
        process.wait(PATIENCE)


def test_a_pidfile_goes_when_it_does_not_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _ = refused("--memory", "-p", str(taken.getsockname()[1]), "--pidfile", tmp_path / "pid")
    assert code == os.EX_UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


# --- --detach


def test_detached_it_runs_on_by_itself(detached: list[int], tmp_path: Path) -> None:
    done = amqpd("-p", "0", "-D", tmp_path / "data", "--detach", "--wait")
    assert done.returncode == os.EX_OK, done.stderr
    said = re.fullmatch(r"amqpd runs as process (\d+) at (amqp://\S+); its log is (\S+)\n", done.stdout)
    assert said is not None
    pid, url, log = int(said[1]), said[2], Path(said[3])
    detached.append(pid)
    Client(url).close()
    assert os.getsid(pid) == pid
    assert log == tmp_path / "data" / "amqpd.log"
    assert "Server startup complete" in log.read_text()
    assert json.loads((tmp_path / "data" / "running.json").read_text())["pid"] == pid
    os.kill(pid, signal.SIGTERM)
    wait_until_gone(pid)
    assert not (tmp_path / "data" / "running.json").exists()
    assert log.read_text().endswith("Server stopped\n")


def test_detached_it_can_say_so_in_json(detached: list[int], tmp_path: Path) -> None:
    done = amqpd("--memory", "-p", "0", "--detach", "--print-json", "--log-file", tmp_path / "log")
    said = json.loads(done.stdout)
    detached.append(said["pid"])
    assert runs(said["pid"])
    Client(said["urls"]["amqp"]).close()


def test_without_waiting_it_returns_at_once_and_others_can_wait(detached: list[int], tmp_path: Path) -> None:
    done = amqpd("-p", "0", "-D", tmp_path, "--detach")
    said = re.fullmatch(r"amqpd starts as process (\d+); its log is (\S+)\n", done.stdout)
    assert said is not None
    detached.append(int(said[1]))
    assert amqpd("wait", "-D", tmp_path).returncode == os.EX_OK
    assert amqpd("stop", "-D", tmp_path).returncode == os.EX_OK


def test_in_memory_the_log_is_a_temporary_file(detached: list[int], tmp_path: Path) -> None:
    done = amqpd("--memory", "-p", "0", "--detach", "--wait", cwd=tmp_path, TMPDIR=str(tmp_path))
    detached.append(int(done.stdout.split()[4]))
    (log,) = tmp_path.iterdir()
    assert done.stdout.endswith(f"its log is {log}\n")


def test_one_that_does_not_start_leaves_its_code_and_its_last_lines(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = amqpd("-p", str(port), "-D", tmp_path, "--detach", "--wait")
    assert (done.returncode, done.stdout) == (os.EX_UNAVAILABLE, "")
    *_, why, last = done.stderr.splitlines()
    assert why.startswith(f"amqpd: cannot listen on 127.0.0.1:{port}: Address already in use;")
    assert last == f"amqpd: the broker did not start; its log is {tmp_path / 'amqpd.log'}"


def test_wrong_settings_are_refused_before_it_detaches() -> None:
    code, line = refused("--detach", AMQPD_HEARTBEAT="often")
    assert (code, line) == (os.EX_CONFIG, "amqpd: 'heartbeat' is 'often', but has to be a number")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--wait",), "--wait goes with --detach"),
        (("--detach", "--exit-with-parent"), "--detach is for a broker that outlives whoever starts it"),
        (("--detach", "--exit-on-stdin-eof"), "--detach is for a broker that outlives whoever starts it"),
        (("--memory", "ping"), "options of 'ping' come after that word"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_options_that_contradict_each_other_are_a_usage_error(options: tuple[str, ...], said: str) -> None:
    done = amqpd(*options)
    assert done.returncode == os.EX_USAGE
    assert said in done.stderr


# --- ending with whoever started it

PARENT = """
import subprocess, sys, threading

def start():
    broker = subprocess.Popen([sys.executable, "-m", "amqpd", "--memory", "-p", "0", "--print-json", *sys.argv[2:]],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(broker.stdout.readline().decode(), end="", flush=True)

if sys.argv[1] == "thread":
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    print("joined", flush=True)
else:
    start()
sys.stdin.read()
"""


def parent(*arguments: str) -> subprocess.Popen[str]:
    """A process that starts a broker, passes on what that says, and lives until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=CLEAN,
    )


@pytest.mark.parametrize("option", ["--exit-with-parent", "--exit-on-stdin-eof"])
def test_it_ends_when_its_parent_is_killed(started: list[subprocess.Popen[str]], option: str) -> None:
    process = parent("here", option)
    started.append(process)
    said = ready(process)
    with Client(said["urls"]["amqp"]):
        process.kill()
        wait_until_gone(said["pid"])


def test_it_stays_when_only_the_thread_ends_that_started_it(started: list[subprocess.Popen[str]]) -> None:
    process = parent("thread", "--exit-with-parent")
    started.append(process)
    said = ready(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "joined\n"
    for _ in range(5):
        Client(said["urls"]["amqp"]).close()
    assert runs(said["pid"])
    process.kill()
    wait_until_gone(said["pid"])


def test_it_ends_with_its_input_whatever_comes_in(started: list[subprocess.Popen[str]]) -> None:
    process = popen("--memory", "-p", "0", "--print-json", "--exit-on-stdin-eof")
    started.append(process)
    said = ready(process)
    assert process.stdin is not None
    process.stdin.write("anything\n")
    process.stdin.flush()
    Client(said["urls"]["amqp"]).close()
    code, _, errors = ended(process)  # closes its input
    assert code == os.EX_OK
    assert "stopping: standard input has ended" in errors


@pytest.mark.parametrize("file", [os.devnull, __file__])
def test_input_that_is_no_pipe_has_ended_already(file: str) -> None:
    with open(file, "rb") as stdin:
        done = amqpd("--memory", "-p", "0", "--exit-on-stdin-eof", stdin=stdin.fileno())
    assert done.returncode == os.EX_OK
    assert "stopping: standard input has ended" in done.stdout


# --- a service manager


def test_a_service_manager_is_told(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(PATIENCE)
        process = popen("--memory", "-p", "0", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="40000")
        started.append(process)
        assert b"READY=1" in notified.recv(4096).split(b"\n")
        assert notified.recv(4096) == b"WATCHDOG=1"
        assert notified.recv(4096) == b"WATCHDOG=1"
        process.terminate()
        while (said := notified.recv(4096)) != b"STOPPING=1":
            assert said == b"WATCHDOG=1"
        assert ended(process)[0] == os.EX_OK
