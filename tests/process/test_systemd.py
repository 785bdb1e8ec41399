"""What a service manager is told, by sd_notify's protocol."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from amqpd.process.systemd import Systemd

from .running import Running


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.setblocking(False)
        yield listening


def said(manager: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.mark.parametrize("abstract", [False, True])
def test_it_is_told_that_the_broker_is_ready_and_that_it_stops(
    abstract: bool, manager: socket.socket, tmp_path: Path
) -> None:
    name = f"@amqpd-{secrets.token_hex(8)}" if abstract else str(tmp_path / "notify")
    manager.bind(name.replace("@", "\0"))
    attendant = Systemd({"NOTIFY_SOCKET": name})
    attendant.prepare()
    assert said(manager) == []
    running = Running()
    attendant.started(running)
    assert said(manager) == [f"READY=1\nSTATUS=amqp://127.0.0.1:1234/%2F\nMAINPID={os.getpid()}"]
    assert running.clock.deadline() is None
    attendant.stopping()
    assert said(manager) == ["STOPPING=1"]


def test_a_watchdog_hears_twice_in_its_interval(manager: socket.socket, tmp_path: Path) -> None:
    manager.bind(str(tmp_path / "notify"))
    running = Running()
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "10000000"}
    Systemd({**environment, "WATCHDOG_PID": str(os.getpid())}).started(running)
    assert said(manager)[1:] == ["WATCHDOG=1"]
    running.clock.advance(4.9)
    assert said(manager) == []
    running.clock.advance(10)
    assert said(manager) == ["WATCHDOG=1", "WATCHDOG=1"]


@pytest.mark.parametrize("more", [{"WATCHDOG_PID": "1", "WATCHDOG_USEC": "1000000"}, {"WATCHDOG_USEC": "soon"}])
def test_a_watchdog_of_others_is_none(more: dict[str, str], manager: socket.socket, tmp_path: Path) -> None:
    manager.bind(str(tmp_path / "notify"))
    running = Running()
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify"), **more}).started(running)
    assert running.clock.deadline() is None


def test_without_a_manager_nothing_is_said() -> None:
    running = Running()
    attendant = Systemd({"WATCHDOG_USEC": "1000000"})
    attendant.started(running)
    attendant.stopping()
    assert running.clock.deadline() is None


def test_a_manager_that_is_gone_is_no_fault_of_the_brokers(tmp_path: Path) -> None:
    attendant = Systemd({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    attendant.started(Running())
    attendant.stopping()
