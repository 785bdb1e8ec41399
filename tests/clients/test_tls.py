"""TLS and EXTERNAL, with pika and aio-pika, against a broker that listens with and without it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pika
import pika.exceptions
import pytest

from amqpd.testing.harness import BrokerProcess
from tests.certificates import Authority

PATIENCE = 10


class Site:
    """A broker, and the authority of its certificates."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.certfile = folder / "server.pem"
        shutil.copy(self.authority.issue("localhost", "one.example"), self.certfile)
        self.broker = BrokerProcess(
            "--memory",
            environment={
                "AMQPD_LISTENERS_SSL_DEFAULT": "127.0.0.1:0",
                "AMQPD_SSL_OPTIONS_CERTFILE": str(self.certfile),
                "AMQPD_SSL_OPTIONS_CACERTFILE": self.authority.file,
                "AMQPD_SSL_OPTIONS_VERIFY": "verify_peer",
                "AMQPD_AUTH_MECHANISMS": "PLAIN,AMQPLAIN,EXTERNAL,ANONYMOUS",
                "AMQPD_ANONYMOUS_LOGIN_USER": "guest",
                "AMQPD_ANONYMOUS_LOGIN_PASS": "guest",
                "AMQPD_SSL_CERT_LOGIN_FROM": "common_name",
            },
        )

    def parameters(
        self, context: ssl.SSLContext | None, credentials: pika.credentials.PlainCredentials | None = None
    ) -> pika.ConnectionParameters:
        return pika.ConnectionParameters(
            "localhost" if context else "127.0.0.1",
            self.broker.tls_port if context else self.broker.port,
            credentials=credentials or pika.PlainCredentials("guest", "guest"),
            ssl_options=pika.SSLOptions(context, "localhost") if context else None,
            socket_timeout=PATIENCE,
        )

    def wait_for(self, text: str, since: int = 0) -> str:
        """Until the log has a line with this, after so many lines."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in self.broker.log[since:]:
                if text in line:
                    return line
            time.sleep(0.01)
        raise AssertionError(f"nothing of {text} was logged: {self.broker.log[since:]}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    with made.broker:
        yield made


def round_trip(parameters: pika.ConnectionParameters, body: bytes) -> None:
    """A message there and back."""
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.confirm_delivery()
        channel.basic_publish("", queue, body)
        method, _, received = channel.basic_get(queue, auto_ack=True)
        assert method is not None
        assert received == body


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_with_tls_and_without_side_by_side(site: Site, size: int) -> None:
    round_trip(site.parameters(None), bytes(size))
    round_trip(site.parameters(site.authority.client()), bytes(size))


def test_aio_pika_over_tls(site: Site) -> None:
    async def main() -> None:
        url = f"amqps://guest:guest@localhost:{site.broker.tls_port}/"
        async with await aio_pika.connect(url, ssl_context=site.authority.client()) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("", exclusive=True)
            for number in range(100):
                await channel.default_exchange.publish(aio_pika.Message(b"%d" % number * 10_000), queue.name)
            async with queue.iterator() as messages:
                for number in range(100):
                    async with (await anext(messages)).process() as message:
                        assert message.body == b"%d" % number * 10_000

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_aio_pika_by_certificate(site: Site) -> None:
    async def main() -> None:
        context = site.authority.client(site.authority.issue(name="guest"))
        url = f"amqps://localhost:{site.broker.tls_port}/?auth=EXTERNAL"
        async with await aio_pika.connect(url, ssl_context=context) as connection:
            await (await connection.channel()).declare_queue("", exclusive=True)

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_a_certificate_is_enough_to_log_in(site: Site) -> None:
    context = site.authority.client(site.authority.issue(name="guest"))
    round_trip(site.parameters(context, pika.credentials.ExternalCredentials()), b"body")


@pytest.mark.parametrize("named", [True, False])
def test_a_certificate_of_a_stranger_or_none_is_not(site: Site, named: bool) -> None:
    since = len(site.broker.log)
    context = site.authority.client(site.authority.issue(name="stranger") if named else None)
    with pytest.raises(pika.exceptions.ProbableAuthenticationError, match="authentication mechanism EXTERNAL"):
        pika.BlockingConnection(site.parameters(context, pika.credentials.ExternalCredentials()))
    line = site.wait_for("login refused", since)
    assert ("user 'stranger' - invalid credentials" if named else "presented no TLS (x.509) certificate") in line


def test_external_is_not_on_offer_without_tls(site: Site) -> None:
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(site.parameters(None, pika.credentials.ExternalCredentials()))


@pytest.mark.parametrize("fault", ["expired", "another authority"])
def test_a_certificate_that_is_no_good_gets_no_further(site: Site, fault: str, tmp_path: Path) -> None:
    since = len(site.broker.log)
    issuer = site.authority if fault == "expired" else Authority(tmp_path)
    context = site.authority.client(issuer.issue(name="guest", expired=fault == "expired"))
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(site.parameters(context, pika.credentials.ExternalCredentials()))
    assert "the client's certificate is refused" in site.wait_for("TLS handshake failed", since)


def test_a_client_without_tls_on_the_port_with_it_is_told_of_in_the_log(site: Site) -> None:
    since = len(site.broker.log)
    plain = site.parameters(None)
    plain.port = site.broker.tls_port
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(plain)
    assert "the client speaks AMQP without TLS" in site.wait_for("TLS handshake failed", since)


def test_a_new_certificate_is_taken_without_a_restart(site: Site) -> None:
    with pika.BlockingConnection(site.parameters(site.authority.client())) as connection:
        since = len(site.broker.log)
        shutil.copy(site.authority.issue("localhost", "two.example"), site.certfile)
        os.kill(site.broker.pid, signal.SIGHUP)
        site.wait_for("TLS certificates replaced", since)
        names = ssl.get_server_certificate(("127.0.0.1", site.broker.tls_port))
        assert names.strip() in site.certfile.read_text()
        since = len(site.broker.log)
        site.certfile.write_text("broken")
        os.kill(site.broker.pid, signal.SIGHUP)
        site.wait_for("TLS certificates cannot be replaced, the former stay in use", since)
        round_trip(site.parameters(site.authority.client()), b"body")
        connection.channel().queue_declare("", exclusive=True)
