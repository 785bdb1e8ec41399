"""The API on sockets: with TLS, and what it shows of certificates."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest

from amqpd.listeners.tls import TlsFiles, TlsOptions
from amqpd.management.server import Listener, ManagementServer
from tests.certificates import Authority
from tests.fakes import RecordingLog
from tests.management.harness import Api


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def ask(host: str, port: int, path: str, context: ssl.SSLContext | None = None) -> tuple[int, Any, Any]:
    """Status, JSON, and the certificate the server showed."""
    reader, writer = await asyncio.open_connection(
        host, port, ssl=context, server_hostname="localhost" if context else None
    )
    login = base64.b64encode(b"guest:guest").decode()
    head = f"GET /api{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), 30)
    shown = writer.get_extra_info("peercert") if context else None
    writer.close()
    head_of_answer, _, body = answer.partition(b"\r\n\r\n")
    return int(head_of_answer.split()[1]), json.loads(body), shown


def name_of(certificate: Any) -> str:
    return str(dict(pair for part in certificate["subject"] for pair in part)["commonName"])


def test_the_api_is_served_plain_and_with_tls(authority: Authority) -> None:
    async def main() -> None:
        server = ManagementServer(Api().management)
        files = TlsFiles(TlsOptions(authority.issue(name="one")), RecordingLog())
        plain = await server.start("127.0.0.1", 0)
        encrypted = await server.start("127.0.0.1", 0, files.standing_context())
        try:
            status, answer, _ = await ask(*plain, "/whoami")
            assert (status, answer["name"]) == (200, "guest")
            status, _, shown = await ask(*encrypted, "/whoami", authority.client())
            assert (status, name_of(shown)) == (200, "one")
        finally:
            await server.stop()

    asyncio.run(main())


def test_a_new_certificate_is_shown_to_those_who_connect_then(authority: Authority, tmp_path: Path) -> None:
    used = tmp_path / "used.pem"
    shutil.copyfile(authority.issue(name="one"), used)
    files = TlsFiles(TlsOptions(str(used)), RecordingLog())

    async def main() -> None:
        server = ManagementServer(Api().management)
        address = await server.start("127.0.0.1", 0, files.standing_context())
        try:
            shutil.copyfile(authority.issue(name="two"), used)
            assert files.reload()
            assert name_of((await ask(*address, "/whoami", authority.client()))[2]) == "two"
        finally:
            await server.stop()

    asyncio.run(main())


def test_certificates_that_end_soon_are_told(authority: Authority) -> None:
    api = Api()
    place = "/health/checks/certificate-expiration"
    assert api.get(f"{place}/1/days").json == {"status": "ok"}
    api.management.listeners.append(Listener("https", "127.0.0.1", 15671, authority.issue(), authority.file))
    assert api.get(f"{place}/-1000/weeks").status == 200
    answer = api.get(f"{place}/999999/years")
    assert (answer.status, answer.json["reason"]) == (503, "Certificates expiring")
    (found,) = answer.json["expired"]
    assert (found["protocol"], found["port"]) == ("https", 15671)
    assert found["certfile_expires_on"]
    assert found["cacertfile_expires_on"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("x/days", "Invalid expiration value."),
        ("1/foo", "Time unit not recognised. Supported units: days, weeks, months, years."),
    ],
)
def test_a_span_of_time_has_a_number_and_a_unit(path: str, reason: str) -> None:
    answer = Api().get(f"/health/checks/certificate-expiration/{path}")
    assert (answer.status, answer.json["reason"]) == (400, reason)


def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    api = Api()
    api.management.listeners.append(Listener("https", "127.0.0.1", 15671, str(tmp_path / "none.pem")))
    answer = api.get("/health/checks/certificate-expiration/1/days")
    assert (answer.status, "none.pem" in answer.json["expired"][0]["certfile_expires_on"]["error"]) == (503, True)
