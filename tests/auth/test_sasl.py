"""SASL: what a client's response says of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.auth.base import Credentials, Peer
from amqpd.auth.certificate import Certificate, Encryption
from amqpd.auth.sasl import Anonymous, External, LoginRefused, amqplain, on_offer, plain
from amqpd.errors import SyntaxInvalid
from amqpd.wire.fields import RawString, encode_table
from tests.fakes import LOCAL

names = st.text(max_size=20).filter(lambda name: "\x00" not in name)
passwords = st.binary(max_size=20).filter(lambda password: b"\x00" not in password)


def table(**fields: object) -> bytes:
    """An AMQPLAIN response: the fields of a table, without its length."""
    return encode_table(fields)[4:]


# --- which are on offer

SOMEBODY = Anonymous(Credentials("guest", b"guest"))
ALL = ("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS")


def test_those_named_are_offered_in_the_order_they_are_named() -> None:
    assert list(on_offer(("PLAIN", "AMQPLAIN"))) == ["PLAIN", "AMQPLAIN"]
    assert list(on_offer(("AMQPLAIN", "PLAIN"))) == ["AMQPLAIN", "PLAIN"]
    assert list(on_offer(("PLAIN",), encrypted=True, anonymous=SOMEBODY)) == ["PLAIN"]


def test_external_is_offered_over_tls_alone() -> None:
    assert list(on_offer(ALL)) == ["PLAIN", "AMQPLAIN"]
    assert list(on_offer(ALL, encrypted=True)) == ["PLAIN", "AMQPLAIN", "EXTERNAL"]


def test_anonymous_is_offered_when_there_is_somebody_to_be() -> None:
    assert list(on_offer(ALL, anonymous=SOMEBODY)) == ["PLAIN", "AMQPLAIN", "ANONYMOUS"]


# --- PLAIN


@given(names, passwords)
def test_plain_is_nul_name_nul_password(name: str, password: bytes) -> None:
    assert plain(b"\x00" + name.encode() + b"\x00" + password, LOCAL) == Credentials(name, password)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"\x00",
        b"guest",
        b"guest\x00guest",
        b"\x00guest",
        b"zid\x00guest\x00guest",
        b"\x00guest\x00guest\x00more",
        b"\x00\xff\x00guest",
    ],
)
def test_any_other_plain_response_is_invalid(response: bytes) -> None:
    with pytest.raises(SyntaxInvalid, match="response invalid"):
        plain(response, LOCAL)


# --- AMQPLAIN


@given(names, names)
def test_amqplain_is_the_fields_of_a_table(name: str, password: str) -> None:
    assert amqplain(table(LOGIN=name, PASSWORD=password), LOCAL) == Credentials(name, password.encode())


def test_amqplain_fields_may_come_in_any_order_among_others() -> None:
    response = table(OTHER=5, PASSWORD="secret", LOGIN="guest")
    assert amqplain(response, LOCAL) == Credentials("guest", b"secret")


@pytest.mark.parametrize("password", [b"\x00\xff", RawString(b"\xff")])
def test_an_amqplain_password_may_be_bytes(password: bytes) -> None:
    credentials = amqplain(table(LOGIN="guest", PASSWORD=password), LOCAL)
    assert credentials == Credentials("guest", bytes(password))
    assert type(credentials.password) is bytes


@pytest.mark.parametrize(
    "response",
    [
        b"",
        table(LOGIN="guest"),
        table(PASSWORD="guest"),
        table(login="guest", password="guest"),
        table(LOGIN=5, PASSWORD="guest"),
        table(LOGIN="guest", PASSWORD=5),
        table(LOGIN=RawString(b"\xff"), PASSWORD="guest"),
    ],
)
def test_amqplain_needs_a_name_and_a_password(response: bytes) -> None:
    with pytest.raises(SyntaxInvalid, match="AMQPLAIN auth info is missing LOGIN or PASSWORD field"):
        amqplain(response, LOCAL)


@pytest.mark.parametrize("response", [b"\x05LOGIN", b"nonsense", b"\xff" * 10, b"\x00guest\x00guest"])
def test_what_is_no_table_is_invalid(response: bytes) -> None:
    with pytest.raises(SyntaxInvalid, match="response invalid"):
        amqplain(response, LOCAL)


# --- EXTERNAL

CERTIFICATE = Certificate(
    subject="CN=alice,O=Acme",
    issuer="CN=CA",
    validity="",
    common_names=("alice", "smith"),
    alternative_names=(("dns", "a.example"), ("email", "a@example"), ("dns", "b.example")),
)


def peer(certificate: Certificate | None) -> Peer:
    return replace(LOCAL, encryption=Encryption("tlsv1.3", "any", "aes_256_gcm", "aead", certificate))


@pytest.mark.parametrize(
    ("external", "name"),
    [
        (External(), "CN=alice,O=Acme"),
        (External("common_name"), "alice,smith"),
        (External("subject_alternative_name"), "a.example"),
        (External("subject_alternative_name", "dns", 1), "b.example"),
        (External("subject_alternative_name", "email"), "a@example"),
    ],
)
def test_external_is_a_name_of_the_certificate_whatever_the_response(external: External, name: str) -> None:
    for response in (b"", b"bob", b"\x00guest\x00guest"):
        assert external(response, peer(CERTIFICATE)) == Credentials(name, None)


@pytest.mark.parametrize(
    ("external", "certificate", "reason"),
    [
        (External(), None, "connection peer presented no TLS (x.509) certificate"),
        (External("subject_alternative_name", "dns", 2), CERTIFICATE, "no name found"),
        (External("subject_alternative_name", "uri"), CERTIFICATE, "no name found"),
        (External("common_name"), Certificate("O=Acme", "", ""), "no name found"),
        (External(), Certificate("", "", ""), "no name found"),
    ],
)
def test_without_that_name_a_login_is_refused(external: External, certificate: Certificate | None, reason: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        external(b"", peer(certificate))
    assert str(caught.value) == reason


def test_without_tls_there_is_nothing_external() -> None:
    with pytest.raises(LoginRefused, match="not a TLS-enabled connection"):
        External()(b"", LOCAL)


# --- ANONYMOUS


def test_anonymous_is_the_configured_user_whatever_the_response() -> None:
    for response in (b"", b"sirhc@example.org"):
        assert SOMEBODY(response, LOCAL) == Credentials("guest", b"guest")


@given(st.binary(max_size=40))
def test_any_response_is_credentials_or_invalid(response: bytes) -> None:
    for mechanism in on_offer(ALL, encrypted=True, anonymous=SOMEBODY).values():
        try:
            credentials = mechanism(response, peer(CERTIFICATE))
        except SyntaxInvalid:
            continue
        assert isinstance(credentials, Credentials)
