"""What the HTTP API says of connections."""

from __future__ import annotations

from dataclasses import replace

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
