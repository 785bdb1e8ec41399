"""SASL: what a client's response says of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.auth.base import Credentials
from amqpd.auth.sasl import MECHANISMS, amqplain, plain
from amqpd.errors import SyntaxInvalid
from amqpd.wire.fields import RawString, encode_table

names = st.text(max_size=20).filter(lambda name: "\x00" not in name)
passwords = st.binary(max_size=20).filter(lambda password: b"\x00" not in password)


def table(**fields: object) -> bytes:
    """An AMQPLAIN response: the fields of a table, without its length."""
    return encode_table(fields)[4:]


def test_two_mechanisms_are_offered_the_plain_one_first() -> None:
    assert list(MECHANISMS) == ["PLAIN", "AMQPLAIN"]


@given(names, passwords)
def test_plain_is_nul_name_nul_password(name: str, password: bytes) -> None:
    assert plain(b"\x00" + name.encode() + b"\x00" + password) == Credentials(name, password)


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
        plain(response)


@given(names, names)
def test_amqplain_is_the_fields_of_a_table(name: str, password: str) -> None:
    assert amqplain(table(LOGIN=name, PASSWORD=password)) == Credentials(name, password.encode())


def test_amqplain_fields_may_come_in_any_order_among_others() -> None:
    response = table(OTHER=5, PASSWORD="secret", LOGIN="guest")
    assert amqplain(response) == Credentials("guest", b"secret")


@pytest.mark.parametrize("password", [b"\x00\xff", RawString(b"\xff")])
def test_an_amqplain_password_may_be_bytes(password: bytes) -> None:
    credentials = amqplain(table(LOGIN="guest", PASSWORD=password))
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
        amqplain(response)


@pytest.mark.parametrize("response", [b"\x05LOGIN", b"nonsense", b"\xff" * 10, b"\x00guest\x00guest"])
def test_what_is_no_table_is_invalid(response: bytes) -> None:
    with pytest.raises(SyntaxInvalid, match="response invalid"):
        amqplain(response)


@given(st.binary(max_size=40))
def test_any_response_is_credentials_or_invalid(response: bytes) -> None:
    for mechanism in MECHANISMS.values():
        try:
            credentials = mechanism(response)
        except SyntaxInvalid:
            continue
        assert isinstance(credentials, Credentials)
