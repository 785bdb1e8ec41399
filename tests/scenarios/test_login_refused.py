"""A login that fails says so only to clients that asked to be told, and never says why."""

from __future__ import annotations

import time

import pytest
from steps import Connect, expect_connection_error, greet

from amqpd.testing.client import Client
from amqpd.wire.fields import encode_table
from amqpd.wire.methods import ConnectionStartOk

TELL_ME = {"capabilities": {"authentication_failure_close": True}}


def log_in(connect: Connect, mechanism: str, response: bytes, properties: dict[str, object]) -> Client:
    client = greet(connect)
    client.send(0, ConnectionStartOk(properties, mechanism, response))
    return client


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [
        pytest.param("PLAIN", b"\0guest\0wrong", id="wrong password"),
        pytest.param("PLAIN", b"\0guest\0", id="empty password"),
        pytest.param("PLAIN", b"\0guest\0guest ", id="password with a space"),
        pytest.param("PLAIN", b"\0nobody\0guest", id="unknown user"),
        pytest.param("PLAIN", b"\0Guest\0guest", id="name in other case"),
        pytest.param("PLAIN", b"\0\0guest", id="empty name"),
        pytest.param("AMQPLAIN", encode_table({"LOGIN": "guest", "PASSWORD": "x"})[4:], id="AMQPLAIN"),
    ],
)
def test_a_client_that_asked_for_it_is_told(connect: Connect, mechanism: str, response: bytes) -> None:
    client = log_in(connect, mechanism, response, TELL_ME)
    expect_connection_error(
        client,
        403,
        f"Login was refused using authentication mechanism {mechanism}. For details see the broker logfile.",
    )


def test_others_and_those_who_talk_nonsense_see_the_socket_closed_after_a_while(connect: Connect) -> None:
    began = time.monotonic()
    clients = [
        log_in(connect, mechanism, response, properties)
        for mechanism, response, properties in [
            ("PLAIN", b"\0guest\0wrong", {}),
            ("PLAIN", b"\0guest\0wrong", {"capabilities": {"authentication_failure_close": False}}),
            ("AMQPLAIN", encode_table({"LOGIN": "guest", "PASSWORD": "x"})[4:], {}),
            ("PLAIN", b"guest\0guest\0guest", TELL_ME),  # an authorization identity
            ("PLAIN", b"guest\0guest", TELL_ME),
            ("PLAIN", b"\0guest\0gu\0est", TELL_ME),
            ("PLAIN", b"", TELL_ME),
            ("AMQPLAIN", encode_table({"LOGIN": "guest"})[4:], TELL_ME),
            ("AMQPLAIN", b"xx", TELL_ME),
            ("AMQPLAIN", b"", TELL_ME),
            ("EXTERNAL", b"", TELL_ME),
            ("FOO", b"", TELL_ME),
            ("plain", b"\0guest\0guest", TELL_ME),
            ("", b"\0guest\0guest", TELL_ME),
        ]
    ]
    for client in clients:
        client.expect_closed()
    assert time.monotonic() - began > 2
