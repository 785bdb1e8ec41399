"""TLS around a session, without sockets: what goes in and out, who the client is, and what ends it."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from amqpd.auth.certificate import Encryption
from amqpd.clock import VirtualClock
from amqpd.listeners.encrypted import ENCRYPT_SIZE, EncryptedSession
from amqpd.listeners.tls import TlsFiles, TlsOptions
from amqpd.wire.spec import ReplyCode
from tests.certificates import Authority
from tests.fakes import RecordingLog

TIMEOUT = 5.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class Within:
    """The session within: sends what it is given, and writes down what happens to it."""

    def __init__(self, encryption: Encryption) -> None:
        self.encryption = encryption
        self.closed = False
        self.reading = True
        self.hasty = False
        self.backlog = False
        self.expecting = 0
        self.received = b""
        self.pieces: list[int] = []
        self.chunks: list[bytes | memoryview] = []
        self.events: list[Any] = []

    def receive_data(self, data: bytes) -> None:
        self.received += data
        self.pieces.append(len(data))

    def go_on(self) -> bool:
        self.events.append("go on")
        return self.backlog

    def receive_eof(self) -> None:
        self.events.append("eof")
        self.closed = True

    def data_to_send(self) -> Sequence[bytes | memoryview]:
        chunks, self.chunks = self.chunks, []
        return chunks

    def deadline(self) -> float | None:
        return 42.0

    def tick(self, now: float) -> None:
        self.events.append(("tick", now))

    def set_writable(self, writable: bool) -> None:
        self.events.append(("writable", writable))

    def close(self, code: ReplyCode, explanation: str) -> None:
        self.events.append((code, explanation))


class Ends:
    """Both ends of an encrypted connection; the client's is OpenSSL's."""

    def __init__(self, authority: Authority, client: ssl.SSLContext | None = None, **options: Any) -> None:
        self.log = RecordingLog()
        self.clock = VirtualClock()
        self.wakes = 0
        self.within: Within | None = None
        files = TlsFiles(TlsOptions(**{"certfile": authority.issue(), **options}), self.log)
        self.server = EncryptedSession(
            files, self._made, self.clock, TIMEOUT, memoryview(bytearray(50_000)), self.log, self._woken
        )
        self.to_client, self.to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = (client or authority.client()).wrap_bio(
            self.to_client, self.to_server, server_hostname="localhost"
        )

    def _made(self, encryption: Encryption) -> Within:
        self.within = Within(encryption)
        return self.within

    def _woken(self) -> None:
        self.wakes += 1

    @property
    def session(self) -> Within:
        assert self.within is not None
        return self.within

    @property
    def failure(self) -> str:
        """Why it failed, as logged."""
        ((_, _, fields),) = [line for line in self.log.lines if line[0] == "warning"]
        reason: str = fields["reason"]
        return reason

    def carry(self, cut: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        """Carry once what the ends have to send."""
        data = self.to_server.read()
        for piece in cut(data) if data else []:
            self.server.receive_data(piece)
        self.to_client.write(b"".join(self.server.data_to_send()))

    def shake_hands(self, cut: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        for _ in range(10):
            try:
                self.client.do_handshake()
            except ssl.SSLWantReadError:
                self.carry(cut)
            else:
                self.carry(cut)
                return
        raise AssertionError("no handshake")

    def read(self) -> bytes:
        """What the client finds."""
        data = b""
        try:
            while piece := self.client.read(1 << 16):
                data += piece
        except ssl.SSLWantReadError:
            pass
        return data


def test_bytes_go_both_ways(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.client.write(b"ping")
    ends.session.chunks = [b"po", b"", memoryview(b"ng")]
    ends.carry()
    assert ends.session.received == b"ping"
    assert ends.read() == b"pong"


def test_they_may_come_byte_by_byte(authority: Authority) -> None:
    def singly(data: bytes) -> list[bytes]:
        return [data[place : place + 1] for place in range(len(data))]

    ends = Ends(authority)
    ends.shake_hands(singly)
    ends.client.write(b"ping")
    ends.carry(singly)
    assert ends.session.received == b"ping"


def test_what_comes_with_the_end_of_the_handshake_is_not_lost(authority: Authority) -> None:
    ends = Ends(authority)
    with pytest.raises(ssl.SSLWantReadError):
        ends.client.do_handshake()
    ends.carry()
    ends.client.do_handshake()
    ends.client.write(b"early")
    ends.carry()
    assert ends.session.received == b"early"


def test_the_session_within_is_handed_pieces_of_bounded_size(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.client.write(bytes(16384))
    for _ in range(9):
        ends.client.write(bytes(16384))
    ends.carry()
    assert len(ends.session.received) == 163840
    assert max(ends.session.pieces) == 50_000


def test_the_session_within_learns_how_it_is_encrypted_and_by_whom(authority: Authority) -> None:
    client = authority.client(authority.issue("a.example", name="alice"))
    ends = Ends(authority, client, cacertfile=authority.file, verify_peer=True)
    ends.shake_hands()
    encryption = ends.session.encryption
    assert (encryption.protocol, encryption.cipher) == ("tlsv1.3", "aes_256_gcm")
    assert encryption.certificate is not None
    assert encryption.certificate.common_names == ("alice",)
    assert encryption.certificate.alternative_names == (("dns", "a.example"),)


def test_a_client_need_not_have_a_certificate_unless_told(authority: Authority) -> None:
    for options in ({}, {"cacertfile": authority.file, "verify_peer": True}):
        ends = Ends(authority, **options)
        ends.shake_hands()
        assert ends.session.encryption.certificate is None


def test_its_wishes_are_those_of_the_session_within(authority: Authority) -> None:
    ends = Ends(authority)
    server = ends.server
    assert (server.reading, server.hasty, server.expecting, server.closed) == (True, False, 0, False)
    assert server.deadline() == ends.clock.now() + TIMEOUT
    ends.shake_hands()
    session = ends.session
    assert (server.backlog, server.go_on(), session.events.pop()) == (False, False, "go on")
    session.reading, session.hasty, session.expecting, session.backlog = False, True, 7, True
    assert (server.backlog, server.go_on(), session.events.pop()) == (True, True, "go on")
    assert (server.reading, server.hasty, server.expecting, server.deadline()) == (False, True, 7, 42.0)
    server.tick(43.0)
    server.set_writable(False)
    server.close(ReplyCode.CONNECTION_FORCED, "bye")
    assert session.events == [("tick", 43.0), ("writable", False), (320, "bye")]


# --- much to send


def test_much_is_encrypted_in_several_turns(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.session.chunks = [bytes(3 * ENCRYPT_SIZE)]
    first = b"".join(ends.server.data_to_send())
    assert ENCRYPT_SIZE <= len(first) < ENCRYPT_SIZE + 20_000
    assert ends.wakes == 1
    ends.session.chunks = [b"next"]
    rest = b""
    while ends.wakes:
        ends.wakes = 0
        rest += b"".join(ends.server.data_to_send())
    rest += b"".join(ends.server.data_to_send())
    ends.to_client.write(first + rest)
    assert ends.read() == bytes(3 * ENCRYPT_SIZE) + b"next"


def test_while_the_socket_takes_no_more_nothing_is_encrypted(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.session.chunks = [bytes(3 * ENCRYPT_SIZE)]
    ends.server.data_to_send()
    ends.server.set_writable(False)
    ends.wakes = 0
    assert ends.server.data_to_send() == []
    assert ends.wakes == 0
    ends.server.set_writable(True)
    assert ends.wakes == 1
    assert ends.server.data_to_send() != []


def test_the_session_within_is_asked_again_once_all_is_encrypted(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.session.chunks = [bytes(2 * ENCRYPT_SIZE)]
    ends.carry()
    ends.session.chunks = [b"more"]  # it does not wake anybody: it has not been asked since it did
    ends.wakes = 0
    ends.carry()
    assert ends.wakes == 1
    ends.carry()
    assert ends.read() == bytes(2 * ENCRYPT_SIZE) + b"more"


@pytest.mark.parametrize("writable", [True, False])
def test_its_last_words_are_not_forgotten(authority: Authority, writable: bool) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.session.chunks = [bytes(3 * ENCRYPT_SIZE)]
    ends.carry()
    ends.server.set_writable(writable)
    ends.session.chunks = [b"last words"]
    ends.session.closed = True
    ends.carry()
    assert ends.server.closed
    assert ends.read() == bytes(3 * ENCRYPT_SIZE) + b"last words"


def test_a_session_that_is_closed_sends_all_it_has_and_says_goodbye(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.session.chunks = [bytes(3 * ENCRYPT_SIZE)]
    ends.server.set_writable(False)
    ends.session.closed = True
    ends.carry()
    assert ends.server.closed
    assert len(ends.read()) == 3 * ENCRYPT_SIZE
    assert ends.client.read(1) == b""  # a farewell, and not just the end
    assert ends.server.data_to_send() == []


# --- the end


def test_a_farewell_is_the_end_of_the_session_within(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.client.write(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        ends.client.unwrap()
    ends.carry()
    assert (ends.session.received, ends.session.events) == (b"last words", ["eof"])


def test_so_is_the_end_of_the_socket(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.server.receive_eof()
    assert ends.session.events == ["eof"]


def test_what_was_tampered_with_ends_it(authority: Authority) -> None:
    ends = Ends(authority)
    ends.shake_hands()
    ends.client.write(b"transfer 10")
    record = bytearray(ends.to_server.read())
    record[-1] ^= 1
    ends.server.receive_data(bytes(record))
    assert ends.server.closed
    assert (ends.session.received, ends.session.events) == (b"", ["eof"])
    assert "bad record mac" in ends.failure
    ends.server.receive_data(b"more")


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (b"AMQP\x00\x00\x09\x01", "the client speaks AMQP without TLS"),
        (b"GET / HTTP/1.1\r\n\r\n", "the client does not speak TLS"),
        (b"\x00", "the client does not speak TLS"),
        (b"\x16\x03\x01\x00\x05nonsense", None),
        (b"\x16\xff\xff\xff\xff\xff", None),
    ],
)
def test_what_is_no_tls_is_not_answered_in_amqp(authority: Authority, hello: bytes, reason: str | None) -> None:
    ends = Ends(authority)
    ends.server.receive_data(hello)
    assert ends.server.closed
    assert ends.within is None
    assert reason in (None, ends.failure)
    assert not b"".join(ends.server.data_to_send()).startswith(b"AMQP")


def test_a_handshake_that_stalls_ends_in_time(authority: Authority) -> None:
    ends = Ends(authority)
    with pytest.raises(ssl.SSLWantReadError):
        ends.client.do_handshake()
    ends.server.receive_data(ends.to_server.read()[:100])
    ends.clock.advance(TIMEOUT - 0.1)
    ends.server.tick(ends.clock.now())
    assert not ends.server.closed
    ends.clock.advance(0.1)
    ends.server.tick(ends.clock.now())
    assert ends.server.closed
    assert ends.failure == "time is up"


def test_leaving_during_the_handshake_is_nobodys_fault(authority: Authority) -> None:
    ends = Ends(authority)
    ends.server.receive_eof()
    assert ends.server.closed
    assert ends.log.texts("warning") == []
    ends = Ends(authority)
    ends.server.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert ends.server.closed


# --- who is refused


def refusal(ends: Ends) -> str:
    """Why the broker refuses; the client hears of it."""
    with pytest.raises(ssl.SSLError):  # noqa: PT012 - with TLS 1.3 the client learns it after its handshake
        ends.shake_hands()
        ends.read()
    assert ends.within is None
    assert ends.server.closed
    return ends.failure


def test_a_client_without_a_certificate_is_refused_when_it_needs_one(authority: Authority) -> None:
    ends = Ends(authority, cacertfile=authority.file, verify_peer=True, fail_if_no_peer_cert=True)
    assert refusal(ends) == "the client has no certificate"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_another_authority_is_refused(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    client = authority.client(Authority(tmp_path).issue(name="alice"))
    client.maximum_version = version
    reason = refusal(Ends(authority, client, cacertfile=authority.file, verify_peer=True))
    assert reason.startswith("the client's certificate is refused: ")


def test_a_certificate_that_has_expired_is_refused(authority: Authority) -> None:
    client = authority.client(authority.issue(name="alice", expired=True))
    ends = Ends(authority, client, cacertfile=authority.file, verify_peer=True)
    assert refusal(ends) == "the client's certificate is refused: certificate has expired"


def test_a_client_that_does_not_trust_ours_is_told_of(authority: Authority, tmp_path: Path) -> None:
    ends = Ends(authority, Authority(tmp_path).client())
    with pytest.raises(ssl.SSLCertVerificationError):
        ends.shake_hands()
    ends.carry()
    assert ends.failure == "the client does not trust our certificate"


def test_a_version_that_is_not_wanted_is_refused(authority: Authority) -> None:
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert refusal(Ends(authority, client, versions=("tlsv1.3",))) == "no version of TLS that both sides take"
    client = authority.client()
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    assert refusal(Ends(authority, client, versions=("tlsv1.2",))) == "no version of TLS that both sides take"


def test_ciphers_are_those_that_are_wanted(authority: Authority) -> None:
    wanted = ("ECDHE-ECDSA-AES128-GCM-SHA256",)
    ends = Ends(authority, ciphers=wanted)  # which is TLS 1.2, and so nothing else
    ends.shake_hands()
    assert (ends.session.encryption.protocol, ends.session.encryption.cipher) == ("tlsv1.2", "aes_128_gcm")
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    assert refusal(Ends(authority, client, ciphers=wanted)) == "no cipher that both sides take"


@pytest.mark.parametrize("honor", [True, False])
def test_the_order_of_ciphers_is_ours_or_the_clients(authority: Authority, honor: bool) -> None:
    small, large = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(f"{large}:{small}")
    ends = Ends(authority, client, ciphers=(small, large), honor_cipher_order=honor)
    ends.shake_hands()
    assert ends.session.encryption.cipher == ("aes_128_gcm" if honor else "aes_256_gcm")


def test_versions_that_are_not_safe_any_more_are_there_for_those_who_ask(authority: Authority) -> None:
    client = authority.client()
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    ends = Ends(authority, client, versions=("tlsv1.2", "tlsv1.1"))
    ends.shake_hands()
    assert ends.session.encryption.protocol == "tlsv1.1"
    assert "no version" in refusal(Ends(authority, client))


def test_a_certificate_may_be_only_so_far_from_the_root(authority: Authority) -> None:
    certificate = authority.below().below().issue(name="alice")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = authority.client(certificate)
        client.maximum_version = version
        options = {"cacertfile": authority.file, "verify_peer": True}
        ends = Ends(authority, client, depth=2, **options)
        ends.shake_hands()
        ends = Ends(authority, client, depth=1, **options)
        with contextlib.suppress(AssertionError):  # with TLS 1.2 the client's handshake never ends
            ends.shake_hands()
        assert ends.within is None
        assert ends.failure == "the client's certificate is further from the root than 'depth'"
        assert ends.server.closed
        assert ends.server.data_to_send() == []


def test_nothing_is_resumed(authority: Authority) -> None:
    certificate = authority.issue()
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    ends = Ends(authority, client, certfile=certificate)
    ends.shake_hands()
    assert ends.client.session is None or not ends.client.session.has_ticket
