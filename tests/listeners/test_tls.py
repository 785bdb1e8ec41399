"""TLS: what is made of files, how they are replaced, and clients on sockets."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from amqpd.amqp.connection import ConnectionSettings
from amqpd.auth.sasl import External, on_offer
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.errors import StartupError
from amqpd.listeners.tls import WATCH_INTERVAL, TlsFiles, TlsOptions
from amqpd.store.memory import MemoryStore
from amqpd.testing.client import ClientSession
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicGetOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionStart,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.spec import PROTOCOL_HEADER
from tests.certificates import Authority, split
from tests.fakes import RecordingLog
from tests.listeners.harness import AsyncClient, Listening, listening, loop_factories, run, until

Factory = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=loop_factories())
def factory(request: pytest.FixtureRequest) -> Factory:
    made: Factory = request.param
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def new_broker() -> Broker:
    return Broker(MemoryStore(), VirtualClock())


# --- files


def refusal(**options: Any) -> StartupError:
    with pytest.raises(StartupError) as caught:
        TlsFiles(TlsOptions(**options), RecordingLog())
    assert "\n" not in str(caught.value)
    return caught.value


def test_certificate_and_key_are_in_one_file_or_in_two(authority: Authority) -> None:
    together = authority.issue()
    TlsFiles(TlsOptions(together), RecordingLog())
    certfile, keyfile = split(together)
    TlsFiles(TlsOptions(certfile, keyfile), RecordingLog())


@pytest.mark.parametrize("setting", ["certfile", "keyfile", "cacertfile", "sni_certfiles"])
def test_a_file_that_is_not_there_is_named(authority: Authority, setting: str) -> None:
    value: Any = ("/no/such.pem",) if setting == "sni_certfiles" else "/no/such.pem"
    error = refusal(**{"certfile": authority.issue(), setting: value})
    assert error.exit_code == os.EX_NOINPUT
    assert str(error) == f"cannot read ssl_options.{setting} /no/such.pem: No such file or directory"


def test_a_file_that_is_something_else_is_named(authority: Authority, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_bytes(b"\xff\x00 nonsense")
    good = authority.issue()
    certfile, keyfile = split(good)
    for options, text in (
        ({"certfile": str(nonsense)}, f"ssl_options.certfile {nonsense} is not a certificate in PEM"),
        ({"certfile": keyfile}, f"ssl_options.certfile {keyfile} is not a certificate in PEM"),
        ({"certfile": certfile, "keyfile": str(nonsense)}, f"ssl_options.keyfile {nonsense} is not a key in PEM"),
        ({"certfile": certfile}, f"ssl_options.keyfile {certfile} is not a key in PEM"),
        ({"certfile": good, "cacertfile": keyfile}, f"ssl_options.cacertfile {keyfile} has no certificates in PEM"),
        ({"certfile": good, "sni_certfiles": (keyfile,)}, f"sni_certfiles {keyfile} is not a certificate in PEM"),
    ):
        error = refusal(**options)
        assert error.exit_code == os.EX_CONFIG
        assert text in str(error)


def test_a_key_of_another_certificate_is_refused(authority: Authority) -> None:
    certfile, _ = split(authority.issue())
    _, keyfile = split(authority.issue())
    assert str(refusal(certfile=certfile, keyfile=keyfile)) == (
        f"the key in {keyfile} is not that of the certificate in {certfile}"
    )


def test_a_key_may_have_a_password_which_has_to_be_right(authority: Authority) -> None:
    certfile, keyfile = split(authority.issue())
    key = serialization.load_pem_private_key(Path(keyfile).read_bytes(), None)
    Path(keyfile).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    TlsFiles(TlsOptions(certfile, keyfile, "secret"), RecordingLog())
    assert str(refusal(certfile=certfile, keyfile=keyfile, password="wrong")) == (
        f"ssl_options.password does not open the key in {keyfile}"
    )
    assert str(refusal(certfile=certfile, keyfile=keyfile)) == (
        f"ssl_options.password is needed to open the key in {keyfile}"
    )


def test_whoever_verifies_needs_to_know_with_what(authority: Authority) -> None:
    assert "verify_peer needs ssl_options.cacertfile" in str(refusal(certfile=authority.issue(), verify_peer=True))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ciphers": ("NONSENSE",)}, "'ssl_options.ciphers' has NONSENSE, which OpenSSL does not know"),
        (
            {"ciphers": ("ECDHE-RSA-AES256-GCM-SHA384", "NONSENSE")},
            "'ssl_options.ciphers' has NONSENSE, which OpenSSL does not know",
        ),
        (
            {"ciphers": ("ECDHE-RSA-AES256-GCM-SHA384",), "versions": ("tlsv1.3",)},
            "'ssl_options.ciphers' has none for tlsv1.3",
        ),
        ({"ciphers": ("TLS_AES_256_GCM_SHA384",), "versions": ("tlsv1.2",)}, "has none for tlsv1.2"),
    ],
)
def test_ciphers_that_make_no_sense_are_refused(authority: Authority, options: Any, text: str) -> None:
    assert text in str(refusal(certfile=authority.issue(), **options))


@pytest.mark.skipif(hasattr(ssl.SSLContext, "set_ciphersuites"), reason="this Python can choose")
def test_what_cannot_be_limited_is_not_said_to_be(authority: Authority) -> None:
    error = refusal(certfile=authority.issue(), ciphers=("TLS_AES_256_GCM_SHA384",))
    assert "leaves out TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256" in str(error)
    suites = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")
    TlsFiles(TlsOptions(authority.issue(), ciphers=suites), RecordingLog())


# --- replacing them


class Replaceable:
    """A certificate in a file, and what new clients would be shown."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.authority = authority
        self.file = folder / "server.pem"
        self.put(authority.issue("localhost", "one.example"))
        self.log = RecordingLog()
        self.clock = VirtualClock()
        self.tls = TlsFiles(TlsOptions(str(self.file)), self.log)
        self.tls.watch(self.clock)

    def put(self, certificate: str) -> None:
        fresh = self.file.with_suffix(".new")
        shutil.copy(certificate, fresh)
        fresh.replace(self.file)

    def shown(self) -> list[str]:
        """The host names of the certificate that a new client sees."""
        return shown(self.tls.context, self.authority)


def shown(context: ssl.SSLContext, authority: Authority, host: str = "localhost") -> list[str]:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = authority.client().wrap_bio(to_client, to_server, server_hostname=host)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    certificate = client.getpeercert()
    assert certificate is not None
    return [str(name) for kind, name in certificate["subjectAltName"] if kind == "DNS"]


def test_a_new_file_is_found_in_time(authority: Authority, tmp_path: Path) -> None:
    made = Replaceable(authority, tmp_path)
    made.put(authority.issue("localhost", "two.example"))
    made.clock.advance(WATCH_INTERVAL - 0.1)
    assert made.shown() == ["localhost", "one.example"]
    made.clock.advance(0.1)
    assert made.shown() == ["localhost", "two.example"]
    assert made.log.texts("info") == ["TLS certificates replaced"]
    made.clock.advance(3 * WATCH_INTERVAL)
    assert made.log.texts("info") == ["TLS certificates replaced"]


def test_or_at_once_when_told(authority: Authority, tmp_path: Path) -> None:
    made = Replaceable(authority, tmp_path)
    made.put(authority.issue("localhost", "two.example"))
    assert made.tls.reload()
    assert made.shown() == ["localhost", "two.example"]


def test_a_file_that_does_not_work_leaves_the_former_in_use(authority: Authority, tmp_path: Path) -> None:
    made = Replaceable(authority, tmp_path)
    made.file.write_text("broken")
    made.clock.advance(3 * WATCH_INTERVAL)
    assert made.shown() == ["localhost", "one.example"]
    assert made.log.texts("error") == ["TLS certificates cannot be replaced, the former stay in use"]
    assert str(made.file) in made.log.lines[-1][2]["reason"]
    assert not made.tls.reload()
    made.file.unlink()
    made.clock.advance(WATCH_INTERVAL)
    assert "No such file" in made.log.lines[-1][2]["reason"]
    made.put(authority.issue("localhost", "two.example"))
    made.clock.advance(WATCH_INTERVAL)
    assert made.shown() == ["localhost", "two.example"]


def test_a_client_may_ask_for_a_host_name(authority: Authority) -> None:
    options = TlsOptions(
        authority.issue("localhost", "*.else.example"),
        sni_certfiles=(authority.issue("a.example"), authority.issue("b.example", "*.b.example")),
    )
    context = TlsFiles(options, RecordingLog()).context
    assert shown(context, authority) == ["localhost", "*.else.example"]
    assert shown(context, authority, "a.example") == ["a.example"]
    assert shown(context, authority, "A.EXAMPLE") == ["a.example"]
    assert shown(context, authority, "x.b.example") == ["b.example", "*.b.example"]
    assert shown(context, authority, "any.else.example") == ["localhost", "*.else.example"]


# --- on sockets


@pytest.mark.parametrize("size", [0, 100, 5_000_000])
def test_bodies_go_both_ways(factory: Factory, authority: Authority, size: int) -> None:
    async def main() -> None:
        async with listening(new_broker(), tls=TlsOptions(authority.issue())) as made:
            client = await made.connect(tls=authority.client())
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            await client.call(1, ConfirmSelect(), ConfirmSelectOk)
            body = bytes(range(256)) * (size // 256)
            for _ in range(3):
                client.write(client.session.encode_publish(1, "", "q", body))
                await client.writer.drain()
                await client.expect(BasicAck)
            for _ in range(3):
                client.send(1, BasicGet(queue="q", no_ack=True))
                command = await client.receive()
                assert command is not None
                assert isinstance(command.method, BasicGetOk)
                assert command.body == body
            await client.leave()
            await until(lambda: not made.protocols)

    run(factory, main)


def test_a_client_that_does_not_read_is_not_written_to_without_end(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        async with listening(new_broker(), tls=TlsOptions(authority.issue())) as made:
            publisher = await made.connect(tls=authority.client())
            await publisher.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            consumer = await made.connect(tls=authority.client(), receive_buffer=1 << 16)
            await consumer.call(1, BasicConsume(queue="q", no_ack=True), BasicConsumeOk)
            for _ in range(20):
                publisher.write(publisher.session.encode_publish(1, "", "q", bytes(1_000_000)))
                await publisher.writer.drain()
            queue = made.broker.vhosts["/"].queue("q", None)
            await until(lambda: queue.message_count > 5)
            for _ in range(20):
                command = await consumer.receive()
                assert command is not None
                assert isinstance(command.method, BasicDeliver)
                assert len(command.body) == 1_000_000
            assert queue.message_count == 0
            await publisher.leave()
            await consumer.leave()

    run(factory, main)


@pytest.mark.parametrize("farewell", [True, False])
def test_a_client_that_closes_its_side_gets_what_is_on_the_way(
    factory: Factory, authority: Authority, farewell: bool
) -> None:
    async def main() -> None:
        async with listening(new_broker(), tls=TlsOptions(authority.issue())) as made:
            reader, writer = await asyncio.open_connection(*made.address)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = authority.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
            shaken = False
            while not shaken:
                try:
                    client.do_handshake()
                    shaken = True
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(1 << 16))
            client.write(PROTOCOL_HEADER)
            if farewell:
                with pytest.raises(ssl.SSLWantReadError):
                    client.unwrap()
            writer.write(outgoing.read())
            writer.write_eof()
            while data := await reader.read(1 << 16):
                incoming.write(data)
            session = ClientSession()
            if farewell:  # OpenSSL reads no more after its own
                assert incoming.pending > 0
            else:
                session.feed(client.read(1 << 16))
                command = session.next()
                assert command is not None
                assert isinstance(command.method, ConnectionStart)
                assert client.read(1) == b""  # and a farewell
            writer.close()
            await until(lambda: not made.protocols)
            assert made.log.texts("exception") == []

    run(factory, main)


def test_clients_are_told_of_the_end(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        async with listening(new_broker(), tls=TlsOptions(authority.issue())) as made:
            client = await made.connect(tls=authority.client())
            stranger = await AsyncClient.connect(made.address, log_in=False)
            await until(lambda: len(made.protocols) == 2)
            closing = asyncio.create_task(made.listener.close_connections("shutdown", 15.0))
            assert (await client.expect(ConnectionClose)).reply_code == 320
            client.send(0, ConnectionCloseOk())
            await closing
            assert await client.receive() is None
            assert await stranger.receive() is None
            await client.drop()
            await stranger.drop()

    run(factory, main)


def test_amqp_without_tls_ends_with_a_line_in_the_log(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        async with listening(new_broker(), tls=TlsOptions(authority.issue())) as made:
            client = await AsyncClient.connect(made.address, log_in=False)
            client.write(PROTOCOL_HEADER)
            assert await client.reader.read() == b""
            await client.drop()
            await until(lambda: not made.protocols)
            (line,) = [line for line in made.log.lines if line[0] == "warning"]
            assert line[1] == "TLS handshake failed"
            assert line[2]["reason"] == "the client speaks AMQP without TLS"
            assert line[2]["peer"].startswith("127.0.0.1:")

    run(factory, main)


def test_tls_where_there_is_none_ends_with_a_line_in_the_log(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await made.connect(tls=authority.client())
            await until(lambda: not made.protocols)
            (line,) = [line for line in made.log.lines if line[0] == "warning"]
            assert (line[1], line[2]["header"]) == ("bad protocol header", "of TLS, on a port without it")

    run(factory, main)


def test_a_handshake_that_stalls_is_dropped_in_time_and_disturbs_nobody(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        async with listening(new_broker(), tls=TlsOptions(authority.issue()), tls_timeout=3.0) as made:
            silent = await AsyncClient.connect(made.address, log_in=False)
            stalled = await AsyncClient.connect(made.address, log_in=False)
            stalled.write(b"\x16\x03\x01\x02\x00\x01")
            good = await made.connect(tls=authority.client())
            made.clock.advance(3.0)
            assert await silent.receive() is None
            assert await stalled.receive() is None
            await good.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            assert [line[2]["reason"] for line in made.log.lines if line[0] == "warning"] == ["time is up"] * 2
            for client in (silent, stalled):
                await client.drop()
            await good.leave()

    run(factory, main)


def test_after_tls_the_handshake_of_amqp_has_its_own_time(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        settings = ConnectionSettings(handshake_timeout=10.0)
        async with listening(new_broker(), settings, tls=TlsOptions(authority.issue()), tls_timeout=3.0) as made:
            client = await made.connect(tls=authority.client(), log_in=False)
            client.write(PROTOCOL_HEADER)
            await client.expect(ConnectionStart)
            made.clock.advance(9.9)
            assert made.log.texts("warning") == []
            made.clock.advance(0.1)
            assert await client.receive() is None
            assert made.log.texts("warning") == ["handshake timed out"]
            await client.drop()

    run(factory, main)


def test_connections_that_are_reset_in_the_handshake_do_no_harm(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        async with listening(new_broker(), tls=TlsOptions(authority.issue())) as made:
            for hello in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"AMQP") * 5:
                with socket.create_connection(made.address) as client:
                    client.sendall(hello)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            await (await made.connect(tls=authority.client())).leave()
            await until(lambda: not made.protocols)
        assert reported == []
        assert made.log.texts("exception") == []

    run(factory, main)


def test_connections_keep_what_they_have_and_new_ones_get_what_is_new(
    factory: Factory, authority: Authority, tmp_path: Path
) -> None:
    def names(client: AsyncClient) -> list[str]:
        certificate = client.writer.get_extra_info("ssl_object").getpeercert()
        return [name for kind, name in certificate["subjectAltName"] if kind == "DNS"]

    async def main() -> None:
        file = tmp_path / "server.pem"
        shutil.copy(authority.issue("localhost", "one.example"), file)
        async with listening(new_broker(), tls=TlsOptions(str(file))) as made:
            old = await made.connect(tls=authority.client())
            shutil.copy(authority.issue("localhost", "two.example"), file)
            assert made.tls is not None
            made.tls.reload()
            new = await made.connect(tls=authority.client())
            assert (names(old)[1], names(new)[1]) == ("one.example", "two.example")
            await old.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            await old.leave()
            await new.leave()

    run(factory, main)


async def external(made: Listening, client: ssl.SSLContext) -> AsyncClient:
    return await made.connect(tls=client, mechanism="EXTERNAL")


def test_a_certificate_is_enough_to_log_in(factory: Factory, authority: Authority) -> None:
    async def main() -> None:
        settings = ConnectionSettings(
            mechanisms=on_offer(("PLAIN", "EXTERNAL"), encrypted=True, external=External("common_name"))
        )
        tls = TlsOptions(authority.issue(), cacertfile=authority.file, verify_peer=True)
        async with listening(new_broker(), settings, tls=tls) as made:
            client = await external(made, authority.client(authority.issue(name="guest")))
            (connection,) = made.broker.connections.open
            assert connection.username == "guest"
            await client.leave()
            for context, reason in (
                (authority.client(authority.issue(name="bob")), "user 'bob' - invalid credentials"),
                (authority.client(), "connection peer presented no TLS (x.509) certificate"),
            ):
                made.log.lines.clear()
                refused = await made.connect(tls=context, log_in=False)
                with pytest.raises(AssertionError, match="Login was refused using authentication mechanism EXTERNAL"):
                    await refused.log_in(mechanism="EXTERNAL")
                assert [line[2]["reason"] for line in made.log.lines if line[1] == "login refused"] == [reason]
                await refused.drop()

    run(factory, main)
