"""rabbitmqctl and rabbitmq-diagnostics, as far as a broker can be judged from outside: it answers, and where.

Whatever asks for its inside (queues, users, alarms …) is not there, and leaves with 69.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from ...process.files import LOCK
from ..probe import (
    Silent,
    Target,
    announced,
    announced_url,
    await_start,
    connect,
    greet,
    locate,
    target_of,
    usual_folder,
)
from ..stop import end, holder
from .call import TIMEOUT, Call, Refused, Verb, answer, expect

LOOK_EVERY: Final = 0.05
STOP_PATIENCE: Final = 60.0


def main(name: str, arguments: Sequence[str]) -> int:
    """Carry out a command line; returns the exit code."""
    if name == "rabbitmqadmin":
        click.echo(f"*** {name} is not there: this version of amqpd does not speak its language", err=True)
        return os.EX_UNAVAILABLE
    return answer(name, arguments, VERBS, _unknown)


def _unknown(verb: str) -> Refused:
    return Refused(
        f"Error: '{verb}' is not there. This version of amqpd has {', '.join(sorted(VERBS))}.",
        os.EX_UNAVAILABLE,
    )


def _target() -> Target:
    try:
        return target_of(locate(None, None, os.environ))
    except ValueError as error:
        raise Refused(f"Error: {error}", os.EX_USAGE) from error


def _ask(call: Call, timeout: float = TIMEOUT) -> Target:
    """The broker, which answered."""
    target = _target()
    try:
        greet(target, call.timeout or timeout)
    except Silent as silent:
        raise Refused(
            f"Error: unable to perform an operation on node '{call.node}'. {silent}", silent.exit_code
        ) from silent
    return target


def _properties(call: Call) -> dict[str, Any]:
    from ...wire.methods import ConnectionStart  # noqa: PLC0415 - health checks do without

    _ask(call)
    return dict(ConnectionStart.decode(greet(_target(), call.timeout or TIMEOUT)).server_properties)


def _announced(target: Target) -> dict[str, Any] | None:
    """What this broker says of itself, if it is that of the usual data folder."""
    found = announced(usual_folder(os.environ))
    return found if found is not None and target_of(announced_url(found)).port == target.port else None


def _listeners(target: Target) -> list[tuple[str, int, str]]:
    """Address, port and protocol of what the broker listens on, as far as it says so."""
    found = _announced(target)
    ports = {"amqp": target.port} if found is None else found["ports"]
    return sorted((target.host, port, protocol) for protocol, port in ports.items())


def ping(call: Call) -> None:
    """Answers it?"""
    expect(call, 0, 0)
    timeout = call.timeout or TIMEOUT
    call.banner(
        f"Will ping {call.node}. This only checks if it accepts connections and speaks AMQP."
        f" Timeout: {int(timeout * 1000)} ms."
    )
    target = _target()
    try:
        greet(target, timeout)
    except Silent as silent:
        raise Refused(f"Error:\nFailed to connect to {call.node}: {silent}", os.EX_UNAVAILABLE) from silent
    click.echo("Ping succeeded")


def check_running(call: Call) -> None:
    """Is it there?"""
    expect(call, 0, 0)
    call.banner(f"Checking if RabbitMQ is running on node {call.node} ...")
    _ask(call)
    click.echo(f"RabbitMQ on node {call.node} is fully booted and running")


def check_port_connectivity(call: Call) -> None:
    """Do all its ports accept connections?"""
    expect(call, 0, 0)
    call.banner(f"Testing TCP connections to all active listeners on node {call.node} ...")
    target = _ask(call)
    listeners = _listeners(target)
    for host, port, protocol in listeners:
        if protocol in ("amqp", "amqps"):
            greet(Target(host, port, tls=protocol == "amqps", insecure=True), call.timeout or TIMEOUT)
        else:
            connect(Target(host, port), call.timeout or TIMEOUT).close()
    ports = ", ".join(str(port) for port in sorted(port for _, port, _ in listeners))
    click.echo(f"Successfully connected to ports {ports} on node {call.node}.")


def check_port_listener(call: Call) -> None:
    """Does it listen on that port?"""
    expect(call, 1, 1)
    wanted = call.arguments[0]
    if not wanted.isdigit():
        raise click.UsageError(f"'{wanted}' is not a port.")
    call.banner(f"Asking node {call.node} if there's an active listener on port {wanted} ...")
    ports = sorted(port for _, port, _ in _listeners(_ask(call)))
    if int(wanted) not in ports:
        raise Refused(
            f"No listener for port {wanted} is active on node {call.node}. Found listeners that use the following"
            f" ports: {', '.join(map(str, ports))}",
            os.EX_UNAVAILABLE,
        )
    click.echo(f"A listener for port {wanted} is running on node {call.node}.")


def check_protocol_listener(call: Call) -> None:
    """Does it speak that protocol?"""
    expect(call, 1, 1)
    wanted = call.arguments[0]
    call.banner(f"Asking node {call.node} if there's an active listener for protocol {wanted} ...")
    names = {"amqps": "amqp/ssl"}
    protocols = sorted(names.get(protocol, protocol) for _, _, protocol in _listeners(_ask(call)))
    if names.get(wanted, wanted) not in protocols:
        raise Refused(
            f"Error:\nNo listener for protocol {wanted} is active on node {call.node}. Found listeners for the"
            f" following protocols: {', '.join(protocols)}",
            os.EX_UNAVAILABLE,
        )
    click.echo(f"A listener for protocol {wanted} is running on node {call.node}.")


def listeners(call: Call) -> None:
    """Where it listens."""
    expect(call, 0, 0)
    call.banner(f"Asking node {call.node} to report its protocol listeners ...")
    _show_listeners(_ask(call))


def _show_listeners(target: Target) -> None:
    shown = {
        "amqp": ("amqp", "AMQP 0-9-1"),
        "amqps": ("amqp/ssl", "AMQP 0-9-1 over TLS"),
        "http": ("http", "HTTP API"),
        "http/prometheus": ("http/prometheus", "Prometheus exporter API over HTTP"),
    }
    for host, port, protocol in _listeners(target):
        name, purpose = shown.get(protocol, (protocol, protocol))
        interface = f"[{host}]" if ":" in host else host
        click.echo(f"Interface: {interface}, port: {port}, protocol: {name}, purpose: {purpose}")


def server_version(call: Call) -> None:
    """The version of RabbitMQ that it announces."""
    expect(call, 0, 0)
    call.banner(f"Asking node {call.node} for its RabbitMQ version...")
    click.echo(_properties(call)["version"])


def status(call: Call) -> None:
    """What can be said of it from outside."""
    expect(call, 0, 0)
    call.banner(f"Status of node {call.node} ...")
    target = _ask(call)
    properties = _properties(call)
    found = _announced(target) or {}
    runtime = {
        "OS PID": found.get("pid"),
        "OS": platform.system(),
        "RabbitMQ version": properties["version"],
        "amqpd version": properties.get("amqpd_version"),
        "Node name": properties.get("cluster_name"),
        "Runtime": properties["platform"],
    }
    click.echo("Runtime\n")
    for key, value in runtime.items():
        if value is not None:
            click.echo(f"{key}: {value}")
    if found.get("data_dir"):
        click.echo(f"\nData directory\n\nNode data directory: {found['data_dir']}")
    click.echo("\nListeners\n")
    _show_listeners(target)


def await_startup(call: Call) -> None:
    """Return when it answers."""
    expect(call, 0, 0)
    await_start(_target, call.timeout or TIMEOUT)


def wait(call: Call) -> None:
    """Return when the broker with that pidfile, or process id, answers."""
    expect(call, 0 if call.pid else 1, 1)
    timeout = call.timeout or TIMEOUT
    deadline = time.monotonic() + timeout
    timed_out = Refused(
        f"Error: operation wait on node {call.node} timed out. Timeout value used: {int(timeout * 1000)}",
        os.EX_TEMPFAIL,
    )
    pid = call.pid
    if pid is None:
        file = Path(call.arguments[0])
        click.echo(f"Waiting for pid file '{file}' to appear")
        while (pid := _pid_in(file)) is None:
            if time.monotonic() > deadline:
                raise timed_out
            time.sleep(LOOK_EVERY)
        click.echo(f"pid is {pid}")
    click.echo(f"Waiting for node '{call.node}' to accept connections while OS process '{pid}' is running")
    while True:
        if not _runs(pid):
            raise Refused(f"Error: process {pid} is not running", os.EX_UNAVAILABLE)
        try:
            await_start(_target, 2 * LOOK_EVERY)
        except Silent:
            if time.monotonic() > deadline:
                raise timed_out from None
        else:
            break
    click.echo(f"Node '{call.node}' accepts connections")


def stop(call: Call) -> None:
    """End it, and wait until it is gone."""
    expect(call, 0, 1)
    if call.arguments:
        call.banner(f"Stopping and halting node {call.node} (will monitor pid file {call.arguments[0]}) ...")
        end(Path(call.arguments[0]), f"pidfile {call.arguments[0]}", call.timeout or STOP_PATIENCE)
    else:
        call.banner(f"Stopping and halting node {call.node} ...")
        folder = Path(usual_folder(os.environ))
        end(folder / LOCK, f"data folder {folder}", call.timeout or STOP_PATIENCE)


def shutdown(call: Call) -> None:
    """End it, and say so."""
    expect(call, 0, 0)
    folder = Path(usual_folder(os.environ))
    pid = holder(folder / LOCK)
    if pid is not None:
        call.banner(f"Shutting down RabbitMQ node {call.node} running at PID {pid}\nWaiting for PID {pid} to terminate")
    pid = end(folder / LOCK, f"data folder {folder}", call.timeout or STOP_PATIENCE)
    call.banner(f"RabbitMQ node {call.node} running at PID {pid} successfully shut down")


def version(call: Call) -> None:
    """Which version's command this is."""
    from ...broker.compat import PROFILES  # noqa: PLC0415 - health checks do without

    expect(call, 0, 0)
    click.echo(PROFILES["default"].version)


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


VERBS: Final[dict[str, Verb]] = {
    "ping": ping,
    "check_running": check_running,
    "is_running": check_running,
    "check_port_connectivity": check_port_connectivity,
    "check_port_listener": check_port_listener,
    "check_protocol_listener": check_protocol_listener,
    "listeners": listeners,
    "server_version": server_version,
    "status": status,
    "await_startup": await_startup,
    "wait": wait,
    "stop": stop,
    "shutdown": shutdown,
    "version": version,
}
