"""`amqpd stop`: ends a broker by its pidfile or data folder, and says when it could not."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import PATIENCE, amqpd, popen, refused


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts brokers that are waited for, and kills them after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str | Path) -> subprocess.Popen[str]:
        process = popen("-p", "0", "--print-json", *options)
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline()
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


Start = Callable[..., subprocess.Popen[str]]


def test_by_pidfile(start: Start, tmp_path: Path) -> None:
    process = start("--memory", "--pidfile", tmp_path / "pid")
    done = amqpd("stop", "--pidfile", tmp_path / "pid")
    assert (done.returncode, done.stdout, done.stderr) == (os.EX_OK, f"process {process.pid} has stopped\n", "")
    assert process.wait(PATIENCE) == os.EX_OK


def test_by_data_folder(start: Start, tmp_path: Path) -> None:
    process = start("-D", tmp_path / "data")
    done = amqpd("stop", "-D", tmp_path / "data")
    assert (done.returncode, done.stdout) == (os.EX_OK, f"process {process.pid} has stopped\n")
    assert process.wait(PATIENCE) == os.EX_OK


def test_without_a_word_it_is_the_usual_data_folder(start: Start, tmp_path: Path) -> None:
    process = start("-D", tmp_path / ".amqpd")
    assert amqpd("stop", cwd=tmp_path).returncode == os.EX_OK
    assert process.wait(PATIENCE) == os.EX_OK


@pytest.mark.parametrize("content", [None, "", "1\n"])
def test_where_none_runs_it_says_so(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    if content is not None:
        file.write_text(content)  # of a process that is no broker, or not any more: nobody holds it
    assert refused("stop", "--pidfile", file) == (os.EX_UNAVAILABLE, f"amqpd: no broker runs with pidfile {file}")
    assert refused("stop", "-D", tmp_path) == (os.EX_UNAVAILABLE, f"amqpd: no broker runs with data folder {tmp_path}")


def test_one_that_takes_too_long_is_named(start: Start, tmp_path: Path) -> None:
    process = start("--memory", "--pidfile", tmp_path / "pid")
    process.send_signal(signal.SIGSTOP)
    code, line = refused("stop", "--pidfile", tmp_path / "pid", "-t", "0.1")
    assert code == os.EX_TEMPFAIL
    assert line == f"amqpd: process {process.pid} has not stopped within 0.1 s; it was told to"
    process.send_signal(signal.SIGCONT)
    assert process.wait(PATIENCE) == os.EX_OK


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    code, line = refused("stop", "--pidfile", tmp_path / "loop")
    assert (code, line) == (
        os.EX_NOINPUT,
        f"amqpd: cannot read {tmp_path}/loop: Too many levels of symbolic links",
    )


def test_a_pidfile_and_a_folder_are_one_too_many(tmp_path: Path) -> None:
    assert amqpd("stop", "--pidfile", "x", "-D", "y").returncode == os.EX_USAGE
