"""Checks that answer 200 when all is well, and 503 with a reason when it is not."""

from __future__ import annotations

import datetime as dt
import re
import ssl
from pathlib import Path
from typing import Any

from starlette.responses import Response

from ...auth.certificate import Certificate
from ...message import make_message
from ..call import Call
from ..errors import bad_request, not_found
from ..resources import Resource, Right, encode

OK = {"status": "ok"}

DAYS = {"days": 1, "weeks": 7, "months": 30, "years": 365}

_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def check_alarms(call: Call) -> Any:
    raised = call.broker.alarms.raised
    if not raised:
        return OK
    reason = call.broker.alarms.reason
    alarms = [{"node": call.broker.node, "resource": each.removeprefix("low on ")} for each in raised]
    return _failed(f"There are alarms in effect in the cluster: {reason}", alarms=alarms)


def check_port(call: Call) -> Any:
    try:
        port = int(call.path("port"))
    except ValueError:
        raise bad_request("Invalid port") from None
    ports = [listener.port for listener in call.management.listeners]
    return {**OK, "port": port} if port in ports else _failed("No active listener", missing=port, ports=ports)


def check_protocol(call: Call) -> Any:
    wanted = call.path("protocol")
    protocols = sorted({listener.protocol for listener in call.management.listeners})
    alias = {"amqp091": "amqp", "amqps": "amqp/ssl", "amqp1.0": "amqp", "https": "https"}.get(wanted, wanted)
    if alias in protocols:
        return {**OK, "protocol": wanted}
    return _failed("No active listener", missing=wanted, protocols=protocols)


def well(call: Call) -> Any:
    """What can only fail where there are several nodes, or a broker is half started."""
    return OK


def check_quorum(call: Call) -> Any:
    return {**OK, "reason": "single node cluster"}


async def aliveness(call: Call) -> Any:
    """Publish, and consume, a message in the vhost (RabbitMQ's aliveness-test)."""
    vhost = call.vhost
    queue = vhost.queues.get("aliveness-test") or vhost.declare_queue("aliveness-test")
    vhost.route(vhost.exchanges[""], message := make_message("", "aliveness-test", b"test_message")).deliver(message)
    entry = queue.get(True)
    if entry is None:
        raise not_found()
    return OK


def check_certificates(call: Call) -> Any:
    """Whether none that a listener shows, or trusts, ends before so many days, weeks, months or years are over."""
    within, unit = call.path("within"), call.path("unit").lower()
    if not re.fullmatch("-?[0-9]{1,9}", within):
        raise bad_request("Invalid expiration value.")
    if unit not in DAYS:
        raise bad_request("Time unit not recognised. Supported units: days, weeks, months, years.")
    end = call.broker.clock.time() + int(within) * DAYS[unit] * 86400
    expired = []
    for listener in call.management.listeners:
        ends = {name: _ends_before(getattr(listener, name), end) for name in ("certfile", "cacertfile")}
        if any(ends.values()):
            expired.append(
                {
                    "node": call.broker.node,
                    "protocol": listener.protocol,
                    "interface": listener.host,
                    "port": listener.port,
                    "certfile": listener.certfile,
                    "cacertfile": listener.cacertfile,
                    "certfile_expires_on": ends["certfile"],
                    "cacertfile_expires_on": ends["cacertfile"],
                }
            )
    return _failed("Certificates expiring", expired=expired) if expired else OK


def _ends_before(file: str, moment: float) -> Any:
    """When those certificates end that do so before; or why that is not known."""
    if not file:
        return []
    try:
        text = Path(file).read_text(encoding="latin-1")
        found = [Certificate.parse(ssl.PEM_cert_to_DER_cert(each)) for each in _PEM.findall(text)]
    except (OSError, ValueError) as error:
        return {"error": str(error)}
    ends = [dt.datetime.fromisoformat(each.validity.partition(" - ")[2]) for each in found]
    return [f"{end:%Y-%m-%d %H:%M:%S}" for end in ends if end.timestamp() < moment]


def _failed(reason: str, **further: Any) -> Response:
    body = encode({"status": "failed", "reason": reason, **further})
    return Response(body, status_code=503, media_type="application/json")


def check_node(call: Call) -> Any:
    if call.path("node") != call.broker.node:
        raise not_found()
    return check_alarms(call)


RESOURCES = (
    Resource("/aliveness-test/{vhost}", Right.VHOST, get=aliveness),
    Resource("/healthchecks/node", Right.USER, get=check_alarms),
    Resource("/healthchecks/node/{node}", Right.USER, get=check_node),
    Resource("/health/checks/alarms", Right.USER, get=check_alarms),
    Resource("/health/checks/local-alarms", Right.USER, get=check_alarms),
    Resource("/health/checks/port-listener/{port}", Right.USER, get=check_port),
    Resource("/health/checks/protocol-listener/{protocol}", Right.USER, get=check_protocol),
    Resource("/health/checks/virtual-hosts", Right.USER, get=well),
    Resource("/health/checks/node-is-mirror-sync-critical", Right.USER, get=check_quorum),
    Resource("/health/checks/node-is-quorum-critical", Right.USER, get=check_quorum),
    Resource("/health/checks/is-in-service", Right.ANYBODY, get=well),
    Resource("/health/checks/below-node-connection-limit", Right.ANYBODY, get=well),
    Resource("/health/checks/ready-to-serve-clients", Right.ANYBODY, get=well),
    Resource("/health/checks/certificate-expiration/{within}/{unit}", Right.USER, get=check_certificates),
    Resource("/health/checks/reached-target-cluster-size", Right.USER, get=well),
    Resource("/health/checks/metadata-store/initialized", Right.USER, get=well),
    Resource("/health/checks/metadata-store/initialized/with-data", Right.USER, get=well),
    Resource("/health/checks/quorum-queues-without-elected-leaders/all-vhosts", Right.USER, get=well),
    Resource("/health/checks/quorum-queues-without-elected-leaders/vhost/{vhost}", Right.VHOST, get=well),
)
