"""Is it well? Health checks: 0 when it is, 69 with a reason when it is not.

Those that only ask whether a broker answers do so over AMQP, without a login, and load next to nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from ..probe import Silent, Target, announced, connect, greet, locate, target_of, usual_folder
from .call import TIMEOUT, Call, Misused, NoStatistics, Refused
from .formats import Done, Rows, Value

PURPOSES: Final = {
    "amqp": "AMQP 0-9-1",
    "amqp/ssl": "AMQP 0-9-1 over TLS",
    "http": "HTTP API",
    "https": "HTTP API over TLS (HTTPS)",
    "mqtt": "MQTT",
    "mqtt/ssl": "MQTT over TLS",
    "http/prometheus": "Prometheus exporter API over HTTP",
}


def target(call: Call) -> Target:
    """Where the broker speaks AMQP."""
    try:
        return target_of(locate(None, call.options.get("data_dir"), os.environ))
    except ValueError as error:
        raise Misused(f"Error: {error}") from error


def unreachable(call: Call, reason: object, code: int = os.EX_UNAVAILABLE) -> Refused:
    """The broker cannot be asked."""
    return Refused(
        f"Error: unable to perform an operation on node '{call.node}'. Please see diagnostics information and"
        f" suggestions below.\n\n{reason}\n\n"
        " * Is the broker running? 'amqpd ping' asks for a sign of life, 'amqpd' runs one\n"
        " * Is it asked in the right place? -D names its data folder, --url its HTTP API",
        code,
    )


def ask(call: Call) -> Target:
    """The broker, which answered."""
    place = target(call)
    try:
        greet(place, call.timeout or TIMEOUT)
    except Silent as silent:
        raise unreachable(call, silent, silent.exit_code) from silent
    return place


def _well(text: str) -> Done:
    """The check was passed."""
    return Done(always=text, data={"result": "ok"}, hushed=True)


# --- does it answer


def ping(call: Call) -> Done:
    timeout = call.timeout or TIMEOUT
    call.banner(
        f"Will ping {call.node}. This only checks if it accepts connections and speaks AMQP."
        f" Timeout: {int(timeout * 1000)} ms."
    )
    try:
        greet(target(call), timeout)
    except Silent as silent:
        raise Refused(f"Error:\nFailed to connect to {call.node}: {silent}", os.EX_UNAVAILABLE) from silent
    return Done(always="Ping succeeded", data={"message": "Ping succeeded"})


def check_running(call: Call) -> Done:
    call.banner(f"Checking if RabbitMQ is running on node {call.node} ...")
    return _runs(call)


def is_running(call: Call) -> Done:
    call.banner(f"Asking node {call.node} for its status ...")
    return _runs(call, result=True)


def _runs(call: Call, **data: Any) -> Done:
    ask(call)
    text = f"RabbitMQ on node {call.node} is fully booted and running"
    return Done(always=text, data={"message": text, **data})


def is_booting(call: Call) -> Done:
    call.banner(f"Asking node {call.node} for its boot status ...")
    ask(call)
    text = (
        f"RabbitMQ on node {call.node} is fully booted (check with is_running), stopped or has not started booting yet"
    )
    return Done(always=text, data={"message": text, "result": False})


def node_health_check(call: Call) -> Done:
    timeout = call.timeout or 70
    call.banner(
        "This command is DEPRECATED and will be removed in a future version.\n"
        "It performs intrusive, opinionated health checks and requires a fully booted node.\n"
        "Use one of the options covered in https://www.rabbitmq.com/monitoring.html#health-checks instead.\n"
        f"Timeout: {timeout:g} seconds ...\n"
        f"Checking health of node {call.node} ..."
    )
    ask(call)
    return Done(always="Health check passed")


# --- listeners


def listening(call: Call) -> list[dict[str, Any]]:
    """What the broker listens on, as RabbitMQ lists it. Where no HTTP API can be asked: as far as it is seen."""
    from ..http import Unreachable  # noqa: PLC0415 - a plain ping does without

    try:
        found = call.statistic(call.api.get("/overview"), "listeners")
    except Unreachable:
        found = _seen(call)
    return [
        {
            "interface": _interface(each["ip_address"]),
            "node": each["node"],
            "port": each["port"],
            "protocol": each["protocol"],
            "purpose": PURPOSES.get(each["protocol"], each["protocol"]),
        }
        for each in sorted(found, key=lambda each: (each["protocol"], each["port"]))
    ]


def _seen(call: Call) -> list[dict[str, Any]]:
    """Where the broker answers over AMQP; and the rest of what it says in its data folder, if that is its own."""
    place = ask(call)
    said = announced(call.options.get("data_dir") or usual_folder(os.environ))
    ports = {"amqp": place.port}
    if said is not None and said["ports"].get("amqp") == place.port:
        ports = said["ports"]
    return [
        {"node": call.node, "ip_address": place.host, "port": port, "protocol": {"amqps": "amqp/ssl"}.get(each, each)}
        for each, port in ports.items()
    ]


def listener_line(each: Mapping[str, Any]) -> str:
    return (
        f"Interface: {each['interface']}, port: {each['port']}, protocol: {each['protocol']},"
        f" purpose: {each['purpose']}"
    )


def listeners(call: Call) -> Value:
    call.banner(f"Asking node {call.node} to report its protocol listeners ...")
    found = listening(call)
    lines = [listener_line(each) for each in found]
    return Value("\n".join(lines), {"listeners": found, "node": call.node, "result": "ok"})


def check_port_connectivity(call: Call) -> Done:
    """Do all ports accept connections, from here?"""
    call.banner(f"Testing TCP connections to all active listeners on node {call.node} ...")
    found = listening(call)
    timeout = call.timeout or TIMEOUT
    failed = []
    for each in found:
        host = _from_here(each["interface"])
        try:
            if each["protocol"].startswith("amqp"):
                greet(Target(host, each["port"], tls=each["protocol"].endswith("ssl"), insecure=True), timeout)
            else:
                connect(Target(host, each["port"]), timeout).close()
        except Silent:
            failed.append(each)
    if failed:
        lines = "\n".join([listener_line(each) for each in failed])
        call.deny(f"Connection to ports of the following listeners on node {call.node} failed: \n{lines}")
    ports = sorted({each["port"] for each in found})
    text = f"Successfully connected to ports {', '.join(map(str, ports))} on node {call.node}."
    return Done(always=text, data={"listeners": found, "node": call.node, "result": "ok"})


def check_port_listener(call: Call) -> Done:
    (wanted,) = call.arguments
    if not wanted.isdigit() or int(wanted) < 1:
        call.bad_argument("Argument must be a positive integer")
    call.banner(f"Asking node {call.node} if there's an active listener on port {wanted} ...")
    try:
        found = listening(call)
        ports = sorted({each["port"] for each in found})
    except NoStatistics:
        found = []
        ports = [int(wanted)] if _health(call, f"port-listener/{wanted}", {})["status"] == "ok" else []
    if int(wanted) not in ports:
        call.fail(
            f"No listener for port {wanted} is active on node {call.node}. Found listeners that use the following"
            f" ports: {', '.join(map(str, ports))}",
            listeners=found, missing=wanted, ports=ports, result="error",
        )  # fmt: skip
    text = f"A listener for port {wanted} is running on node {call.node}."
    return Done(always=text, data={"node": call.node, "port": wanted, "result": "ok"})


_ALIASES: Final = {"amqps": "amqp/ssl", "amqp10": "amqp", "amqp091": "amqp", "amqp1.0": "amqp", "mqtts": "mqtt/ssl"}


def check_protocol_listener(call: Call) -> Done:
    (wanted,) = call.arguments
    call.banner(f"Asking node {call.node} if there's an active listener for protocol {wanted} ...")
    protocol = _ALIASES.get(wanted, wanted)
    try:
        found = listening(call)
        protocols = sorted({each["protocol"] for each in found})
    except NoStatistics:
        from ..http import name  # noqa: PLC0415

        found = []
        protocols = [protocol] if _health(call, f"protocol-listener{name(protocol)}", {})["status"] == "ok" else []
    if protocol not in protocols:
        call.fail(
            f"Error:\nNo listener for protocol {wanted} is active on node {call.node}. Found listeners for the"
            f" following protocols: {', '.join(protocols)}",
            listeners=found, missing=wanted, protocols=protocols, result="error",
        )  # fmt: skip
    text = f"A listener for protocol {wanted} is running on node {call.node}."
    return Done(always=text, data={"node": call.node, "protocol": wanted, "result": "ok"})


def check_certificate_expiration(call: Call) -> Done:
    within, unit = call.options.get("within", 4), call.options.get("unit", "weeks")
    if unit not in ("days", "weeks", "months", "years"):
        call.invalid(f"\"unit '{unit}' is not supported. Please use one of: days, weeks, months, years\"")
    call.banner(f"Checking certificate expiration on node {call.node} ...")
    answer = _health(call, f"certificate-expiration/{within}/{unit}", {"status": "ok"})
    if answer["status"] != "ok":
        call.deny(str(answer.get("reason")))
    return Done(always=f"No certificates are expiring within {within} {unit}.", data={"result": "ok"})


# --- alarms and vhosts


def alarms_of(call: Call) -> list[str]:
    """The resources that are short: memory, disk."""
    node = call.api.get("/nodes")[0]
    if "mem_alarm" not in node and _health(call, "local-alarms", {})["status"] == "ok":
        return []  # at least that there is none can be said without statistics
    call.statistic(node, "mem_alarm")
    return [name for name, raised in (("memory", node["mem_alarm"]), ("disk", node["disk_free_alarm"])) if raised]


def alarm_lines(call: Call, alarms: list[str]) -> list[str]:
    said = {"memory": "Memory alarm on node {}", "disk": "Free disk space alarm on node {}"}
    return [said[alarm].format(call.node) for alarm in alarms]


def check_alarms(call: Call) -> Done:
    call.banner(f"Asking node {call.node} to report any local resource alarms ...")
    found = alarms_of(call)
    if found:
        lines = "\n".join(alarm_lines(call, found))
        call.deny(f"Node {call.node} reported alarms, local or clusterwide:\n{lines}")
    return _well(f"Node {call.node} reported no alarms, local or clusterwide")


def check_local_alarms(call: Call) -> Done:
    call.banner(f"Asking node {call.node} to report any local resource alarms ...")
    found = alarms_of(call)
    if found:
        call.deny(f"Node {call.node} reported local alarms:\n" + "\n".join(alarm_lines(call, found)))
    return _well(f"Node {call.node} reported no local alarms")


def alarms(call: Call) -> Value:
    call.banner(f"Asking node {call.node} to report any known resource alarms ...")
    found = alarms_of(call)
    text = f"Node {call.node} reported no alarms, local or clusterwide"
    if found:
        text = f"Node {call.node} reported alarms:\n\n" + "\n".join(alarm_lines(call, found))
    data = [{"resource_limit": alarm, "node": call.node} for alarm in found]
    return Value(text, {"alarms": data, "node": call.node, "result": "ok"})


def check_virtual_hosts(call: Call) -> Done:
    call.banner(f"Checking if all vhosts are running on node {call.node} ...")
    down = [
        each["name"]
        for each in call.api.get("/vhosts")
        if any(state != "running" for state in each.get("cluster_state", {}).values())
    ]
    if down:
        call.deny(f"Some virtual hosts on node {call.node} are down: {', '.join(down)}")
    return _well(f"Node {call.node} reported all vhosts as running")


def check_if_node_is_quorum_critical(call: Call) -> Done:
    return _alone(call, "quorum of any quorum queues")


def check_if_node_is_mirror_sync_critical(call: Call) -> Done:
    return _alone(call, "data safety of any classic mirrored queues")


def _alone(call: Call, of_what: str) -> Done:
    call.banner(f"Checking if node {call.node} is critical for {of_what} ...")
    ask(call)
    alone = "seems to be the only one in a single node cluster, the check does not apply"
    return Done(
        always=f"Node {call.node} {alone}", data={"message": f"Target node {alone}", "result": "ok"}, hushed=True
    )


def list_node_auth_attempt_stats(call: Call) -> Rows:
    call.banner(f'Listing authentication\n attempts for node "{call.node}" ...')
    from ..http import Refusal, name  # noqa: PLC0415

    columns = ("protocol", "auth_attempts", "auth_attempts_failed", "auth_attempts_succeeded")
    try:
        return Rows(columns, call.api.get("/auth/attempts" + name(call.api.get("/nodes")[0]["name"])))
    except Refusal as refusal:
        if refusal.status == 404:
            return Rows(columns, [])
        raise


def _health(call: Call, check: str, otherwise: dict[str, Any]) -> dict[str, Any]:
    """The answer of one of the API's own checks."""
    from ..http import Refusal  # noqa: PLC0415

    try:
        answer: dict[str, Any] = call.api.get(f"/health/checks/{check}")
    except Refusal as refusal:
        if refusal.status == 404:
            return otherwise
        if refusal.status == 503:
            return {"status": "failed", "reason": refusal.text}
        raise
    return answer


def _interface(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _from_here(interface: str) -> str:
    host = interface.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound to
