"""What the HTTP API says of connections."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from amqpd.auth.certificate import Certificate, Encryption
from tests.amqp.pair import Pair
from tests.fakes import LOCAL
from tests.management.harness import Api

TLS = ("ssl_protocol", "ssl_key_exchange", "ssl_cipher", "ssl_hash")
CERTIFICATE = ("peer_cert_subject", "peer_cert_issuer", "peer_cert_validity")


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_connection_without_tls_says_so(api: Api) -> None:
    Pair(api.broker)
    (shown,) = api.get("/connections").json
    assert shown["ssl"] is False
    assert [shown[name] for name in (*TLS, *CERTIFICATE)] == [None] * 7


def test_a_connection_with_tls_says_how_and_by_whom(api: Api) -> None:
    certificate = Certificate("CN=alice", "CN=CA", "2026-11-26T04:22:57Z - 2027-11-26T04:22:57Z")
    encryption = Encryption("tlsv1.3", "any", "aes_256_gcm", "aead", certificate)
    Pair(api.broker, peer=replace(LOCAL, encryption=encryption))
    (shown,) = api.get("/connections").json
    assert shown["ssl"] is True
    assert [shown[name] for name in TLS] == ["tlsv1.3", "any", "aes_256_gcm", "aead"]
    assert [shown[name] for name in CERTIFICATE] == [certificate.subject, certificate.issuer, certificate.validity]


def test_of_others_some_see_nothing_and_only_administrators_close_them(api: Api) -> None:
    for name, tag in (("u", "management"), ("m", "monitoring")):
        api.put(f"/users/{name}", {"password": "x", "tags": tag})
        api.put(f"/permissions/%2F/{name}", {"configure": "", "write": "", "read": ""})
    pair = Pair(api.broker)  # guest's
    pair.channel(1)
    pair.queue()
    pair.consume()
    (connection,), (channel,) = api.get("/connections").json, api.get("/channels").json
    path, of_channel = f"/connections/{quote(connection['name'])}", f"/channels/{quote(channel['name'])}"
    for login, seen in (("u:x", 0), ("m:x", 1), ("guest:guest", 1)):
        for each in ("/connections", "/channels", "/consumers", "/consumers/%2F"):
            assert len(api.get(each, login=login).json) == seen, (each, login)
        for each in (path, of_channel, f"{path}/channels"):
            assert api.get(each, login=login).status == (200 if seen else 401), (each, login)
    refused = api.delete(path, login="m:x")
    assert (refused.status, refused.json["reason"]) == (401, "User not authorised to access object")
    assert api.delete(path, login="u:x").status == 401
    assert api.delete(path).status == 204


def test_sessions_are_another_protocols(api: Api) -> None:
    Pair(api.broker)
    (connection,) = api.get("/connections").json
    answer = api.get(f"/connections/{quote(connection['name'])}/sessions")
    assert (answer.status, answer.json["reason"]) == (400, "connection does not use AMQP 1.0")
