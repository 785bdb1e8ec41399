"""The broker as a whole: its state, its life, its limits."""

from __future__ import annotations

import collections
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from ..probe import Silent, await_start, usual_folder
from .call import TIMEOUT, Call, NoStatistics, Refused
from .checks import ask, listener_line, listening, target
from .formats import Done, Value, term, title

LOOK_EVERY: Final = 0.05
STOP_PATIENCE: Final = 60.0
UNITS: Final = {"bytes": 1, "mb": 1_000_000, "gb": 1_000_000_000}


# --- how it is


def status(call: Call) -> Value:
    unit = call.options.get("unit", "gb").lower()
    if unit not in UNITS:
        call.invalid(f"\"unit '{call.options['unit']}' is not supported. Please use one of: bytes, mb, gb\"")
    call.banner(f"Status of node {call.node} ...")
    overview, (node, *_) = call.api.get("/overview"), call.api.get("/nodes")
    if overview.get("disable_stats"):
        raise NoStatistics
    found = _status(call, overview, node)
    return Value("\n".join(_status_lines(found, unit)), found)


def _status(call: Call, overview: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    memory = call.api.get(f"/nodes/{node['name']}/memory").get("memory")
    return {
        "pid": int(node["os_pid"]),
        "os": os.uname().sysname,
        "uptime": node["uptime"] // 1000,
        "is_under_maintenance": False,
        "rabbitmq_version": overview["rabbitmq_version"],
        "product_name": overview.get("product_name"),
        "amqpd_version": overview.get("amqpd_version"),
        "release_series_support_status": "supported",
        "node": node["name"],
        "erlang_version": overview["erlang_full_version"],
        "processes": {"limit": node["proc_total"], "used": node["proc_used"]},
        "run_queue": node["run_queue"],
        "net_ticktime": node.get("net_ticktime", 60),
        "enabled_plugin_file": os.environ.get("RABBITMQ_ENABLED_PLUGINS_FILE", ""),
        "active_plugins": node["enabled_plugins"],
        "data_directory": node.get("db_dir", ""),
        "config_files": node.get("config_files", []),
        "log_files": node.get("log_files", []),
        "alarms": [
            each
            for each, raised in (("memory", node["mem_alarm"]), ("file_descriptor_limit", False),
                                 ("disk", node["disk_free_alarm"]))
            if raised
        ],
        "memory": memory if isinstance(memory, dict) else {},
        "vm_memory_calculation_strategy": node.get("mem_calculation_strategy", "rss"),
        "vm_memory_high_watermark_limit": node["mem_limit"],
        "file_descriptors": {
            "total_used": node["fd_used"],
            "total_limit": node["fd_total"],
            "sockets_used": node["sockets_used"],
            "sockets_limit": node["sockets_total"],
        },
        "disk_free_limit": node["disk_free_limit"],
        "disk_free": node["disk_free"],
        "totals": {
            "connection_count": overview["object_totals"]["connections"],
            "queue_count": overview["object_totals"]["queues"],
            "virtual_host_count": len(call.api.get("/vhosts", columns="name")),
        },
        "listeners": listening(call),
    }  # fmt: skip


def _status_lines(found: Mapping[str, Any], unit: str) -> list[str]:
    used = found["memory"].get("total", {})
    total = used.get("rss", 0) if isinstance(used, dict) else used
    lines = [
        title("Runtime"),
        "",
        f"OS PID: {found['pid']}",
        f"OS: {found['os']}",
        f"Uptime (seconds): {found['uptime']}",
        "Is under maintenance?: false",
        f"RabbitMQ version: {found['rabbitmq_version']}",
        *([f"amqpd version: {found['amqpd_version']}"] if found["amqpd_version"] else []),
        "RabbitMQ release series support status: supported",
        f"Node name: {found['node']}",
        f"Erlang configuration: {found['erlang_version']}",
        f"Erlang processes: {found['processes']['used']} used, {found['processes']['limit']} limit",
        f"Scheduler run queue: {found['run_queue']}",
        f"Cluster heartbeat timeout (net_ticktime): {found['net_ticktime']}",
        "",
        title("Plugins"),
        "",
        f"Enabled plugin file: {found['enabled_plugin_file']}",
        "Enabled plugins:",
        "",
        *[f" * {plugin}" for plugin in found["active_plugins"]],
    ]
    if found["data_directory"]:
        lines += ["", title("Data directory"), "", f"Node data directory: {found['data_directory']}"]
    lines += ["", title("Config files"), "", *([f" * {file}" for file in found["config_files"]] or ["(none)"])]
    lines += ["", title("Log file(s)"), "", *([f" * {file}" for file in found["log_files"]] or ["(none)"])]
    said = {"memory": f"Memory alarm on node {found['node']}", "disk": f"Free disk space alarm on node {found['node']}"}
    lines += ["", title("Alarms"), "", *([said[alarm] for alarm in found["alarms"] if alarm in said] or ["(none)"])]
    limit = _amount(found["vm_memory_high_watermark_limit"], unit)
    lines += [
        "",
        title("Memory"),
        "",
        f"Total memory used: {_amount(total, unit)}",
        f"Calculation strategy: {found['vm_memory_calculation_strategy']}",
        f"Memory high watermark setting: computed to: {limit}",
        "",
        *_memory_lines(found["memory"], unit, " "),
    ]
    files = found["file_descriptors"]
    lines += [
        "",
        title("File Descriptors"),
        "",
        f"Total: {files['total_used']}, limit: {files['total_limit']}",
        f"Sockets: {files['sockets_used']}, limit: {files['sockets_limit']}",
        "",
        title("Free Disk Space"),
        "",
        f"Low free disk space watermark: {_amount(found['disk_free_limit'], unit)}",
        f"Free disk space: {_amount(found['disk_free'], unit)}",
        "",
        title("Totals"),
        "",
        f"Connection count: {found['totals']['connection_count']}",
        f"Queue count: {found['totals']['queue_count']}",
        f"Virtual host count: {found['totals']['virtual_host_count']}",
        "",
        title("Listeners"),
        "",
        *[listener_line(each) for each in found["listeners"]],
    ]
    return lines


def memory_breakdown(call: Call) -> Value:
    unit = call.options.get("unit", "gb").lower()
    if unit not in UNITS:
        call.invalid(f"\"unit '{call.options['unit']}' is not supported. Please use one of: bytes, mb, gb\"")
    call.banner(f"Reporting memory breakdown on node {call.node}...")
    memory = call.api.get(f"/nodes/{call.api.get('/nodes')[0]['name']}/memory")["memory"]
    total = _total(memory)
    data = {name: {"bytes": used, "percentage": _share(used, total)} for name, used in _parts(memory)}
    return Value("\n".join(_memory_lines(memory, unit, "")) + "\n", data)


def _memory_lines(memory: Mapping[str, Any], unit: str, blank: str) -> list[str]:
    total = _total(memory)
    return [f"{name}: {_amount(used, unit)} ({_share(used, total)}{blank}%)" for name, used in _parts(memory)]


def _parts(memory: Mapping[str, Any]) -> list[tuple[str, int]]:
    parts = [(name, used) for name, used in memory.items() if isinstance(used, int)]
    return sorted(parts, key=lambda part: -part[1])


def _total(memory: Mapping[str, Any]) -> int:
    total = memory.get("total")
    return int(total["rss"] if isinstance(total, Mapping) else sum(used for _, used in _parts(memory)))


def _share(used: int, total: int) -> float:
    return round(100 * used / total, 2) if total else 0.0


def _amount(count: Any, unit: str) -> str:
    if not isinstance(count, (int, float)):
        return str(count)
    return f"{round(count / UNITS[unit], 4) if unit != 'bytes' else count} {unit}"


def server_version(call: Call) -> Value:
    """The version of RabbitMQ that it announces, to anybody."""
    from ...wire.methods import ConnectionStart  # noqa: PLC0415 - health checks do without
    from ..probe import greet  # noqa: PLC0415

    call.banner(f"Asking node {call.node} for its RabbitMQ version...")
    place = ask(call)
    said = ConnectionStart.decode(greet(place, call.timeout or TIMEOUT)).server_properties["version"]
    return Value(str(said), {"result": "ok", "value": said})


def erlang_version(call: Call) -> Value:
    call.banner(f"Asking node {call.node} for its Erlang/OTP version...")
    found = call.api.get("/overview")["erlang_full_version"]
    return Value(found, {"result": "ok", "value": found})


def version(call: Call) -> Value:
    """Which version's command this is."""
    from ...broker.compat import PROFILES  # noqa: PLC0415

    number = PROFILES["default"].version
    return Value(number, {"node": call.node, "result": "ok", "value": {"version": number}})


def environment(call: Call) -> Value:
    call.banner(f"Application environment of node {call.node} ...")
    settings = call.api.get("/config/effective")
    lines = [f"{{{_key(key)},{term(value)}}}" for key, value in settings.items()]
    return Value("[{amqpd,\n     [" + ",\n      ".join(lines) + "]}]", settings)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[a-z][a-z0-9_]*", key) else f"'{key}'"


def os_env(call: Call) -> Value:
    call.banner(f"Listing RabbitMQ-specific environment variables defined on node {call.node}...")
    found = {name: value for name, value in sorted(os.environ.items()) if name.startswith(("RABBITMQ_", "AMQPD_"))}
    return Value("\n".join([f"{name}={value}" for name, value in found.items()]), found)


def log_location(call: Call) -> Value:
    call.banner(f"Log file location(s) on node {call.node} ...")
    files = call.api.get("/nodes")[0].get("log_files") or []
    paths = files or ["<stdout>"]
    return Value("\n".join(paths), {"node_name": call.node, "paths": paths, "result": "ok"})


def log_tail(call: Call) -> Value:
    """The end of its log file; where there is none, the log is with whoever started the broker."""
    number = call.options.get("number", 50)
    call.banner(f"Last {number} log lines on node {call.node} ...")
    files = [each for each in call.api.get("/nodes")[0].get("log_files") or [] if not each.startswith("<")]
    if not files:
        call.deny("the log is not in a file: it goes to the console of the broker (see the setting log.file)")
    try:
        with Path(files[0]).open(errors="replace") as file:
            lines = list(collections.deque(file, number))
    except OSError as error:
        call.deny(f"cannot read {files[0]}: {error.strerror}", os.EX_NOINPUT)
    return Value("".join(lines).rstrip("\n"), [line.rstrip("\n") for line in lines])


def report(call: Call) -> Value:
    """All that a bug report should have."""
    call.banner(f"Reporting server status of node {call.node} ...")
    parts: dict[str, Any] = {"status": status(_quietly(call)).text, "environment": environment(_quietly(call)).text}
    for what in ("vhosts", "connections", "channels", "exchanges", "queues", "bindings", "consumers", "policies",
                 "parameters", "permissions"):  # fmt: skip
        found = call.api.get(f"/{what}")
        parts[what] = "\n".join([json.dumps(each, ensure_ascii=False) for each in found])
    text = "\n\n".join([f"{title(name.capitalize())}\n\n{said}" for name, said in parts.items()])
    return Value(text, parts)


def _quietly(call: Call) -> Call:
    return Call(call.tool, call.verb, call.words, call.arguments, {**call.options, "quiet": True}, call.api)


# --- its life


def await_startup(call: Call) -> None:
    await_start(lambda: target(call), call.timeout or TIMEOUT)


def await_online_nodes(call: Call) -> None:
    (count,) = call.arguments
    if not count.isdigit() or int(count) < 1:
        call.bad_argument()
    timeout = call.timeout or 300
    call.banner(
        f"Will wait for at least {count} nodes to join the cluster of {call.node}. Timeout: {int(timeout)} seconds."
    )
    if int(count) > 1:
        call.deny(f"amqpd is one node: {count} will never be there", os.EX_TEMPFAIL)
    await_start(lambda: target(call), timeout)


def wait(call: Call) -> None:
    """Return when the broker with that pidfile, or process id, answers."""
    pid: int | None = call.options.get("pid")
    if pid is None and not call.arguments:
        call.invalid('"No pid or pidfile specified"')
    if pid is not None and call.arguments:
        call.invalid('"Cannot specify both pid and pidfile"')
    timeout = call.timeout or TIMEOUT
    deadline = time.monotonic() + timeout
    timed_out = Refused(
        f"Error: operation wait on node {call.node} timed out. Timeout value used: {int(timeout * 1000)}",
        os.EX_TEMPFAIL,
    )
    if pid is None:
        file = Path(call.arguments[0])
        call.banner(f"Waiting for pid file '{file}' to appear")
        while (pid := _pid_in(file)) is None:
            if time.monotonic() > deadline:
                raise timed_out
            time.sleep(LOOK_EVERY)
        call.banner(f"pid is {pid}")
    call.banner(f"Waiting for erlang distribution on node '{call.node}' while OS process '{pid}' is running")
    while True:
        if not _runs(pid):
            raise Refused(f"Error: process {pid} is not running", os.EX_UNAVAILABLE)
        try:
            await_start(lambda: target(call), 2 * LOOK_EVERY)
        except Silent:
            if time.monotonic() > deadline:
                raise timed_out from None
        else:
            break
    call.banner(
        f"Waiting for applications 'rabbit_and_plugins' to start on node '{call.node}'\n"
        f"Applications 'rabbit_and_plugins' are running on node '{call.node}'"
    )


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


def stop(call: Call) -> None:
    """End it, and wait until it is gone where that can be seen."""
    from ...errors import StartupError  # noqa: PLC0415
    from ...process.files import LOCK  # noqa: PLC0415 - loads the settings
    from ..stop import end, holder  # noqa: PLC0415

    file = Path(call.arguments[0]) if call.arguments else _lock(call, LOCK)
    monitored = f" (will monitor pid file {file})" if call.arguments else ""
    call.banner(f"Stopping and halting node {call.node}{monitored} ...")
    patience = call.timeout or STOP_PATIENCE
    try:
        if file is not None and holder(file) is not None:
            end(file, f"{'pidfile' if call.arguments else 'lock file'} {file}", patience)
        else:
            call.api.post("/amqpd/stop", {"reason": "amqpctl stop"})
    except StartupError:
        if not call.flag("idempotent"):
            raise


def shutdown(call: Call) -> None:
    """End it, wait until it is gone, and say so."""
    from ...process.files import LOCK  # noqa: PLC0415 - loads the settings
    from ..stop import end, holder  # noqa: PLC0415

    file = _lock(call, LOCK)
    pid = None if file is None else holder(file)
    if pid is None:
        pid = call.api.get("/nodes")[0].get("os_pid", "unknown")
        call.banner(f"Shutting down RabbitMQ node {call.node} running at PID {pid}")
        call.api.post("/amqpd/stop", {"reason": "amqpctl shutdown"})
        return
    call.banner(f"Shutting down RabbitMQ node {call.node} running at PID {pid}\nWaiting for PID {pid} to terminate")
    assert file is not None
    end(file, f"lock file {file}", call.timeout or STOP_PATIENCE)
    call.banner(f"RabbitMQ node {call.node} running at PID {pid} successfully shut down")


def _lock(call: Call, lock: Path) -> Path | None:
    """The file that the broker of a data folder on this machine holds; None for one that is asked over TCP."""
    if call.options.get("url"):
        return None
    return Path(call.options.get("data_dir") or usual_folder(os.environ)) / lock


def stop_app(call: Call) -> None:
    call.banner(f"Stopping rabbit application on node {call.node} ...")
    call.api.post("/amqpd/suspend")


def start_app(call: Call) -> None:
    call.banner(f"Starting node {call.node} ...")
    call.api.post("/amqpd/resume")


def suspend_listeners(call: Call) -> None:
    call.banner(
        f"Will suspend client connection listeners on node {call.node}. The node will no longer accept client"
        " connections!"
    )
    call.api.post("/amqpd/suspend", {"connections": "keep"})


def resume_listeners(call: Call) -> None:
    call.banner(
        f"Will resume client connection listeners on node {call.node}. The node will now accept client connections"
    )
    call.api.post("/amqpd/resume")


def reset(call: Call) -> None:
    call.banner(f"Resetting node {call.node} ...")
    call.api.post("/amqpd/reset")


def force_reset(call: Call) -> None:
    call.banner(f"Forcefully resetting node {call.node} ...")
    call.api.post("/amqpd/reset")


def rotate_logs(call: Call) -> NoReturn:
    call.deny("This command does not rotate logs anymore [deprecated]")


_LOG_LEVELS: Final = {
    **{level: level for level in ("debug", "info", "warning", "error", "critical", "none")},
    "notice": "warning",
    "alert": "critical",
    "emergency": "critical",
}
"""RabbitMQ's, and what they are here."""


def set_log_level(call: Call) -> None:
    (level,) = call.arguments
    if level not in _LOG_LEVELS:
        call.deny(f"level {level} is not supported. Try one of debug, info, warning, error, critical, none")
    call.banner(f'Setting log level to "{level}" ...')
    call.api.put("/amqpd/log-level", {"level": _LOG_LEVELS[level]})


def force_gc(call: Call) -> None:
    call.banner(f"Will ask all processes on node {call.node} to schedule a full sweep GC")
    call.api.post("/amqpd/collect")


def hipe_compile(call: Call) -> Done:
    return Done(always="This command is a no-op. HiPE is no longer supported by modern Erlang versions")


# --- its limits

_SUFFIXES: Final = {
    "": 1, "k": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gib": 1 << 30, "kb": 10**3,
    "mb": 10**6, "gb": 10**9, "t": 1 << 40, "tib": 1 << 40, "tb": 10**12,
}  # fmt: skip


def bytes_of(text: str) -> int | None:
    """RabbitMQ's information units, such as 1GB; None for what is none."""
    match = re.fullmatch(r"(\d+)\s*([a-zA-Z]*)", text.strip())
    factor = None if match is None else _SUFFIXES.get(match[2].lower())
    return None if match is None or factor is None else int(match[1]) * factor


def set_vm_memory_high_watermark(call: Call) -> None:
    kind, *rest = call.arguments
    if kind == "absolute":
        size = bytes_of(_only(call, rest))
        if size is None:
            call.bad_argument()
        call.banner(f"Setting memory threshold on {call.node} to {rest[0]} bytes ...")
        call.api.put("/amqpd/memory-limit", {"absolute": size})
        return
    if rest:
        call.invalid("too many arguments.")
    fraction = _number(kind)
    if fraction is None:
        call.bad_argument()
    if not 0 <= fraction <= 1:
        call.bad_argument("The threshold should be a fraction between 0.0 and 1.0")
    call.banner(f"Setting memory threshold on {call.node} to {kind} ...")
    call.api.put("/amqpd/memory-limit", {"fraction": fraction})


def set_disk_free_limit(call: Call) -> None:
    kind, *rest = call.arguments
    if kind == "mem_relative":
        fraction = _number(_only(call, rest))
        if fraction is None or fraction < 0:
            call.bad_argument()
        call.banner(f"Setting disk free limit on {call.node} to {rest[0]} times the total RAM ...")
        call.api.put("/amqpd/disk-limit", {"fraction": fraction})
        return
    if rest:
        call.invalid("too many arguments.")
    size = bytes_of(kind)
    if size is None:
        call.bad_argument()
    call.banner(f"Setting disk free limit on {call.node} to {kind} bytes ...")
    call.api.put("/amqpd/disk-limit", {"absolute": size})


def _only(call: Call, rest: Sequence[str]) -> str:
    if not rest:
        call.invalid("not enough arguments.")
    return rest[0]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def eval_(call: Call) -> NoReturn:
    call.deny(
        "there is no Erlang to evaluate: amqpd is written in Python, and lets nobody run code in it. What is set with"
        " eval elsewhere may be a setting here: see 'amqpd config keys'"
    )


def observer(call: Call) -> NoReturn:
    call.deny("there is no Erlang VM to look into; 'amqpd stat' shows what the broker is doing")


def absent(call: Call) -> NoReturn:
    """Part of RabbitMQ's commands, and of nothing here."""
    call.deny(f"'{call.verb.name}' is not there. {call.verb.about}.")
