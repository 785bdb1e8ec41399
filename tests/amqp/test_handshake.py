"""The handshake: what is expected in each state, and what happens to everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from amqpd.amqp.connection import SILENT_DELAY, ConnectionSettings
from amqpd.auth.base import Credentials, Peer, User
from amqpd.auth.certificate import Certificate, Encryption
from amqpd.auth.sasl import Anonymous, External, amqplain, on_offer
from amqpd.broker.compat import PROFILES
from amqpd.testing.client import CAPABILITIES
from amqpd.wire.fields import encode_table
from amqpd.wire.methods import (
    METHODS,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionStartOk,
    ConnectionTune,
    ConnectionTuneOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.schema import Method
from amqpd.wire.spec import FRAME_METHOD, HEARTBEAT_FRAME, PROTOCOL_HEADER
from amqpd.wire.writer import method_frame
from tests.amqp.pair import Pair, new_broker
from tests.fakes import LOCAL, REMOTE, Permissive

RESPONSE = b"\x00guest\x00guest"
START_OK = ConnectionStartOk({"capabilities": {}}, "PLAIN", RESPONSE)
TUNE_OK = ConnectionTuneOk(2047, 131072, 0)


def starting(**options: Any) -> Pair:
    """A connection that waits for start-ok."""
    pair = Pair(handshake=False, **options)
    pair.write(PROTOCOL_HEADER)
    pair.expect(0, ConnectionStart)
    return pair


def tuning(**options: Any) -> Pair:
    """A connection that waits for tune-ok."""
    pair = starting(**options)
    pair.call(0, pair.start_ok(), ConnectionTune)
    return pair


def opening(**options: Any) -> Pair:
    """A connection that waits for connection.open."""
    pair = tuning(**options)
    pair.send(0, TUNE_OK)
    return pair


def running(**options: Any) -> Pair:
    """A connection that is open."""
    pair = opening(**options)
    pair.call(0, ConnectionOpen(), ConnectionOpenOk)
    return pair


def refused_silently(pair: Pair) -> bool:
    """Nothing is said, nothing more is heard, and after a while the socket is closed."""
    quiet = pair.silent() and not pair.closed
    pair.send(0, ConnectionCloseOk(), START_OK, TUNE_OK, ConnectionOpen())
    quiet = quiet and pair.silent()
    pair.advance(SILENT_DELAY - 0.01)
    quiet = quiet and not pair.closed
    pair.advance(0.01)
    return quiet and pair.closed and pair.silent()


def refused(pair: Pair) -> tuple[int, str]:
    """The connection.close that was sent."""
    close = pair.expect(0, ConnectionClose)
    return close.reply_code, close.reply_text


# --- the protocol header


@pytest.mark.parametrize("header", [b"AMQP\x00\x00\x09\x01", b"AMQP\x01\x01\x00\x09"])
def test_a_known_header_is_answered_with_start(header: bytes) -> None:
    pair = Pair(handshake=False)
    pair.write(header)
    start = pair.expect(0, ConnectionStart)
    assert (start.version_major, start.version_minor) == (0, 9)
    assert (start.mechanisms, start.locales) == (b"PLAIN AMQPLAIN", b"en_US")


def test_start_carries_the_servers_properties() -> None:
    properties = {"capabilities": {"basic.nack": True}, "product": "RabbitMQ"}
    pair = Pair(handshake=False, settings=ConnectionSettings(server_properties=properties))
    pair.write(PROTOCOL_HEADER)
    assert pair.expect(0, ConnectionStart).server_properties == properties


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "of TLS, on a port without it"),
        (b"GET / HTTP/1.1", "of HTTP"),
        (b"AMQP\x00\x01\x00\x00", "AMQP\\x00\\x01\\x00\\x00"),
    ],
)
def test_the_log_is_told_of_other_headers(header: bytes, shown: str) -> None:
    pair = Pair(handshake=False)
    pair.write(header)
    assert [line[2]["header"] for line in pair.log.lines if line[:2] == ("warning", "bad protocol header")] == [shown]


def test_the_header_may_come_byte_by_byte_and_be_followed_by_more() -> None:
    pair = Pair(handshake=False)
    for octet in PROTOCOL_HEADER[:-1]:
        pair.write(bytes((octet,)))
        assert pair.silent()
    pair.write(PROTOCOL_HEADER[-1:] + method_frame(0, START_OK))
    assert [type(method) for method in pair.methods()] == [ConnectionStart, ConnectionTune]


@pytest.mark.parametrize(
    "header",
    [
        b"AMQP\x00\x01\x00\x00",
        b"AMQP\x03\x01\x00\x00",
        b"AMQP\x02\x00\x00\x00",
        b"AMQP\x00\x00\x08\x00",
        b"AMQP\x00\x00\x09\x00",
        b"amqp\x00\x00\x09\x01",
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        bytes(8),
        b"AMQP\x00\x00\x09\x02" + method_frame(0, START_OK),
    ],
)
def test_any_other_header_is_answered_with_ours_and_the_end(header: bytes) -> None:
    pair = Pair(handshake=False)
    pair.write(header)
    assert pair.closed
    assert bytes(pair.sent) == PROTOCOL_HEADER
    pair.write(method_frame(0, START_OK))
    assert bytes(pair.sent) == PROTOCOL_HEADER


# --- who comes next: every method in every state

STATES: list[tuple[str, Callable[[], Pair], set[type[Method]]]] = [
    ("starting", starting, {ConnectionStartOk}),
    ("tuning", tuning, {ConnectionTuneOk, ConnectionClose}),
    ("opening", opening, {ConnectionOpen, ConnectionClose}),
]


@pytest.mark.parametrize(("reach", "expected"), [state[1:] for state in STATES], ids=[state[0] for state in STATES])
def test_a_method_out_of_turn_ends_it_without_an_answer(reach: Callable[[], Pair], expected: set[type[Method]]) -> None:
    for cls in METHODS.values():
        if cls in expected:
            continue
        pair = reach()
        pair.write(method_frame(0, cls()))
        assert refused_silently(pair), cls.name


@pytest.mark.parametrize("reach", [tuning, opening])
def test_a_client_may_close_once_it_is_logged_in(reach: Callable[[], Pair]) -> None:
    pair = reach()
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)
    assert pair.closed


@pytest.mark.parametrize("reach", [starting, tuning, opening])
def test_heartbeats_are_welcome_at_any_time(reach: Callable[[], Pair]) -> None:
    pair = reach()
    pair.write(HEARTBEAT_FRAME)
    assert pair.silent()
    assert not pair.closed


def test_a_channels_frame_before_the_login_ends_it_without_an_answer() -> None:
    pair = starting()
    pair.send(1, ChannelOpen())
    assert refused_silently(pair)


@pytest.mark.parametrize("reach", [tuning, opening])
def test_a_channels_frame_after_the_login_is_a_channel_error(reach: Callable[[], Pair]) -> None:
    pair = reach()
    pair.send(1, ChannelOpen())
    assert refused(pair)[0] == 504


def test_an_unknown_method_ends_it_without_an_answer() -> None:
    pair = starting()
    pair.write(b"\x01\x00\x00\x00\x00\x00\x04\x00\x63\x00\x01\xce")
    assert refused_silently(pair)


def test_broken_framing_before_the_login_ends_it_without_an_answer() -> None:
    pair = starting()
    pair.write(method_frame(0, START_OK)[:-1] + b"\x00")
    assert refused_silently(pair)


def test_everything_may_be_sent_at_once() -> None:
    pair = Pair(handshake=False)
    pair.write(
        PROTOCOL_HEADER
        + pair.session.encode(0, START_OK, TUNE_OK, ConnectionOpen())
        + pair.session.encode(1, ChannelOpen(), QueueDeclare(queue="q"))
    )
    assert [type(method) for method in pair.methods()] == [
        ConnectionStart,
        ConnectionTune,
        ConnectionOpenOk,
        ChannelOpenOk,
        QueueDeclareOk,
    ]


# --- logging in


def test_amqplain_is_a_way_to_log_in() -> None:
    pair = starting()
    response = encode_table({"LOGIN": "guest", "PASSWORD": "guest"})[4:]
    assert amqplain(response, REMOTE).name == "guest"
    pair.call(0, ConnectionStartOk({}, "AMQPLAIN", response), ConnectionTune)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_refused_login_is_told_to_clients_that_can_hear_it(password: str) -> None:
    pair = starting()
    pair.send(0, pair.start_ok(password))
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.failing_class_id, close.failing_method_id) == (403, 0, 0)
    assert close.reply_text == (
        "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile."
    )
    (refusal,) = [line[2] for line in pair.log.lines if line[:2] == ("warning", "login refused")]
    assert (refusal["mechanism"], refusal["reason"]) == ("PLAIN", "user 'guest' - invalid credentials")
    pair.send(0, ConnectionCloseOk())
    assert pair.closed
    assert pair.silent()


def test_a_client_that_was_refused_has_to_answer_soon() -> None:
    pair = starting()
    pair.send(0, pair.start_ok("wrong"))
    pair.expect(0, ConnectionClose)
    pair.advance(SILENT_DELAY)
    assert pair.closed


@pytest.mark.parametrize(
    "capabilities", [{}, {"authentication_failure_close": False}, {"authentication_failure_close": "yes"}]
)
def test_other_clients_find_the_socket_closed_after_a_while(capabilities: dict[str, Any]) -> None:
    pair = starting(capabilities=capabilities)
    pair.send(0, pair.start_ok("wrong"))
    assert refused_silently(pair)


def test_the_guest_is_refused_from_elsewhere_in_the_same_words() -> None:
    pair = starting(peer=REMOTE)
    pair.send(0, pair.start_ok())
    assert refused(pair)[1].startswith("ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.")


@pytest.mark.parametrize(
    "start_ok",
    [
        ConnectionStartOk({}, "EXTERNAL", b""),
        ConnectionStartOk({}, "plain", RESPONSE),
        ConnectionStartOk({}, "PLAIN", b"guest"),
        ConnectionStartOk({}, "AMQPLAIN", RESPONSE),
    ],
    ids=["unknown mechanism", "another case", "malformed", "not a table"],
)
def test_a_login_that_is_malformed_ends_it_without_an_answer(start_ok: ConnectionStartOk) -> None:
    pair = starting()
    pair.send(0, start_ok)
    assert refused_silently(pair)


@pytest.mark.parametrize(
    ("mechanism", "text"),
    [
        ("EXTERNAL", "invalid authentication mechanism 'EXTERNAL'"),
        ("ANONYMOUS", "invalid authentication mechanism 'ANONYMOUS'"),
        ("plain", "unknown authentication mechanism 'plain'"),
    ],
)
def test_the_log_is_told_of_a_mechanism_that_is_not_on_offer(mechanism: str, text: str) -> None:
    pair = starting()
    pair.send(0, ConnectionStartOk({"capabilities": CAPABILITIES}, mechanism, b""))
    assert refused_silently(pair)
    assert [line[2]["reason"] for line in pair.log.lines if line[1] == "handshake failed"] == [text]


def test_what_is_on_offer_is_announced_and_taken() -> None:
    offered = on_offer(("ANONYMOUS", "PLAIN"), anonymous=Anonymous(Credentials("guest", b"guest")))
    pair = Pair(handshake=False, settings=ConnectionSettings(mechanisms=offered))
    pair.write(PROTOCOL_HEADER)
    assert pair.expect(0, ConnectionStart).mechanisms == b"ANONYMOUS PLAIN"
    pair.call(0, ConnectionStartOk({}, "ANONYMOUS", b"me"), ConnectionTune)
    pair = starting(settings=ConnectionSettings(mechanisms=offered))
    pair.send(0, ConnectionStartOk({}, "AMQPLAIN", RESPONSE))
    assert refused_silently(pair)


def test_a_certificate_is_the_login_of_external() -> None:
    offered = on_offer(("EXTERNAL",), encrypted=True, external=External("common_name"))
    certificate = Certificate("CN=guest", "CN=CA", "", ("guest",))
    encrypted = replace(LOCAL, encryption=Encryption("tlsv1.3", "any", "aes_256_gcm", "aead", certificate))
    settings = ConnectionSettings(mechanisms=offered)
    starting(peer=encrypted, settings=settings).call(0, ConnectionStartOk({}, "EXTERNAL", b""), ConnectionTune)
    pair = starting(settings=settings)
    pair.send(0, ConnectionStartOk({"capabilities": CAPABILITIES}, "EXTERNAL", b""))
    code, text = refused(pair)
    assert code == 403
    assert text.startswith("ACCESS_REFUSED - Login was refused using authentication mechanism EXTERNAL.")
    assert [line[2]["reason"] for line in pair.log.lines if line[1] == "login refused"] == [
        "not a TLS-enabled connection"
    ]


def test_capabilities_that_are_no_table_are_none() -> None:
    pair = starting()
    pair.send(0, ConnectionStartOk({"capabilities": "all"}, "PLAIN", b"\x00guest\x00wrong"))
    assert refused_silently(pair)


# --- tuning


def test_tune_proposes_the_settings() -> None:
    pair = starting(settings=ConnectionSettings(channel_max=10, frame_max=8192, heartbeat=30))
    assert pair.call(0, pair.start_ok(), ConnectionTune) == ConnectionTune(10, 8192, 30)


@pytest.mark.parametrize(
    ("ours", "asked"),
    [
        ((2047, 131072), (2047, 131072)),
        ((2047, 131072), (1, 4096)),
        ((0, 0), (0, 0)),
        ((0, 0), (65535, 1 << 20)),
        ((0, 0), (1, 4096)),
    ],
)
def test_a_client_may_ask_for_less(ours: tuple[int, int], asked: tuple[int, int]) -> None:
    pair = tuning(settings=ConnectionSettings(channel_max=ours[0], frame_max=ours[1]))
    pair.send(0, ConnectionTuneOk(*asked, 0), ConnectionOpen())
    pair.expect(0, ConnectionOpenOk)
    assert (pair.connection.channel_max, pair.connection.outbox.frame_max) == asked


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ((0, 131072), "negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"),
        ((2048, 131072), "negotiated channel_max = 2048 is higher than the maximum allowed value (2047)"),
        ((2047, 0), "negotiated frame_max = 0 (no limit) is higher than the maximum allowed value (131072)"),
        ((2047, 131073), "negotiated frame_max = 131073 is higher than the maximum allowed value (131072)"),
        ((2047, 4095), "negotiated frame_max = 4095 is lower than the minimum allowed value (4096)"),
        ((2047, 1), "negotiated frame_max = 1 is lower than the minimum allowed value (4096)"),
    ],
)
def test_a_client_may_not_ask_for_more_or_for_too_little(asked: tuple[int, int], text: str) -> None:
    pair = tuning()
    pair.send(0, ConnectionTuneOk(*asked, 0))
    assert refused(pair) == (530, f"NOT_ALLOWED - {text}")
    pair.send(0, ConnectionOpen())
    assert pair.silent()
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


def test_newer_versions_ask_for_larger_frames() -> None:
    pair = tuning(settings=ConnectionSettings(frame_min=PROFILES["4.2"].frame_min))
    pair.send(0, ConnectionTuneOk(2047, 4096, 0))
    assert refused(pair)[1] == (
        "NOT_ALLOWED - negotiated frame_max = 4096 is lower than the minimum allowed value (8192)"
    )


@pytest.mark.parametrize(("asked", "deadline"), [(0, None), (10, 5.0), (600, 300.0)])
def test_the_client_has_the_last_word_on_heartbeats(asked: int, deadline: float | None) -> None:
    pair = tuning(settings=ConnectionSettings(heartbeat=60))
    pair.send(0, ConnectionTuneOk(2047, 131072, asked), ConnectionOpen())
    pair.expect(0, ConnectionOpenOk)
    found = pair.connection.deadline()
    assert (None if found is None else found - pair.clock.now()) == deadline


def test_frames_are_small_before_tuning_and_as_agreed_after() -> None:
    pair = starting()
    pair.write(method_frame(0, ConnectionStartOk({"a": "x" * 8192}, "PLAIN", RESPONSE)))
    assert refused_silently(pair)
    pair = opening()
    pair.send(0, ConnectionOpen("x" * 200))
    assert refused(pair)[0] == 530
    pair = running()
    pair.channel()
    pair.send(1, QueueDeclare(queue="q", arguments={"a": "x" * 100_000}))
    pair.expect(1, QueueDeclareOk)
    pair.write(bytes((FRAME_METHOD,)) + b"\x00\x01" + (131073).to_bytes(4, "big") + b"\x00")
    assert refused(pair) == (
        501,
        "FRAME_ERROR - type 1, all octets = <<>>: {frame_too_large,131073,131064}",
    )


def test_a_start_ok_of_the_largest_size_is_taken() -> None:
    pair = starting()
    fits = ConnectionStartOk({"a": ""}, "PLAIN", RESPONSE)
    padding = 8192 - len(fits.encode())
    pair.call(0, ConnectionStartOk({"a": "x" * padding}, "PLAIN", RESPONSE), ConnectionTune)


# --- opening


def test_a_vhost_that_is_not_there_is_refused() -> None:
    pair = opening()
    pair.send(0, ConnectionOpen("nope"))
    assert refused(pair) == (530, "NOT_ALLOWED - vhost nope not found")


def test_a_broker_takes_so_many_connections() -> None:
    first = Pair(settings=ConnectionSettings(max_connections=1))
    second = opening(broker=first.broker, settings=first.settings)
    first.broker.vhost_limits.set("/", "max-connections", 0)
    second.send(0, ConnectionOpen("nope"))
    close = second.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (
        530,
        "NOT_ALLOWED - connection refused for user 'guest': node connection limit (1) is reached",
    )
    first.send(0, ConnectionClose(200, "bye"))
    first.broker.vhost_limits.clear("/", "max-connections")
    third = opening(broker=first.broker, settings=first.settings)
    third.call(0, ConnectionOpen(), ConnectionOpenOk)


def test_a_vhost_takes_so_many_connections_of_its_own() -> None:
    first = Pair()
    first.broker.add_vhost("other")
    first.broker.vhost_limits.set("/", "max-connections", 1)
    opening(broker=first.broker).call(0, ConnectionOpen("other"), ConnectionOpenOk)
    pair = opening(broker=first.broker)
    pair.send(0, ConnectionOpen())
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (
        530,
        "NOT_ALLOWED - access to vhost '/' refused for user 'guest': connection limit (1) is reached",
    )
    assert divmod(ConnectionOpen.id, 1 << 16) == (close.failing_class_id, close.failing_method_id)


def test_a_vhost_is_entered_by_name() -> None:
    broker = new_broker()
    broker.add_vhost("other")
    pair = opening(broker=broker)
    pair.call(0, ConnectionOpen("other"), ConnectionOpenOk)
    pair.channel()
    pair.queue("q")
    assert set(broker.vhosts["other"].queues) == {"q"}


class Doorkeeper(Permissive):
    """Lets nobody in."""

    def may_enter(self, user: User, vhost: str, peer: Peer) -> bool:
        return False


def test_a_user_who_may_not_enter_is_told() -> None:
    pair = opening(authorizer=Doorkeeper())
    pair.send(0, ConnectionOpen())
    assert refused(pair) == (530, "NOT_ALLOWED - access to vhost '/' refused for user 'guest'")


def test_an_open_connection_is_logged_with_its_peer_and_user() -> None:
    pair = running()
    level, text, fields = pair.log.lines[-1]
    assert (level, text) == ("info", "connection opened")
    assert fields == {"peer": "127.0.0.1:50000 -> 127.0.0.1:5672", "user": "guest", "vhost": "/"}


# --- taking too long


@pytest.mark.parametrize("reach", [lambda: Pair(handshake=False), starting, tuning, opening])
def test_a_handshake_has_to_be_over_in_time(reach: Callable[[], Pair]) -> None:
    pair = reach()
    pair.advance(9.99)
    assert not pair.closed
    pair.write(b"")
    pair.advance(0.01)
    assert pair.closed
    assert pair.silent()
    assert pair.log.texts("warning") == ["handshake timed out"]


def test_the_time_for_the_handshake_is_a_setting() -> None:
    pair = Pair(handshake=False, settings=ConnectionSettings(handshake_timeout=2.5))
    pair.advance(2.5)
    assert pair.closed


def test_an_open_connection_has_all_the_time_in_the_world() -> None:
    pair = running()
    pair.advance(1_000_000)
    assert not pair.closed


def test_being_refused_does_not_buy_time() -> None:
    pair = starting()
    pair.advance(9)
    pair.send(0, pair.start_ok("wrong"))
    pair.expect(0, ConnectionClose)
    pair.advance(SILENT_DELAY)
    assert pair.closed
