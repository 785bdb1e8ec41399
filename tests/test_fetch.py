"""HTTP requests of the broker's own: against a real server that is well, slow, gone, or talks nonsense."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from amqpd.auth.http import Request, Response, Unanswered
from amqpd.auth.pending import Pending
from amqpd.fetch import MOST_BYTES, Fetcher
from tests.certificates import Authority
from tests.fakes import RecordingLog
from tests.listeners.harness import loop_factories, run
from tests.web import WebServer

pytestmark = pytest.mark.parametrize("factory", loop_factories())

Factory = Callable[[], asyncio.AbstractEventLoop]


async def answer_to(pending: Pending[Any]) -> Any:
    found = asyncio.get_running_loop().create_future()
    pending.then(found.set_result)
    return await found


def fetched(factory: Factory, *requests: Request, timeout: float = 5.0, tls: ssl.SSLContext | None = None) -> list[Any]:
    """What comes of requests that are made one after the other."""
    answers: list[Any] = []

    async def main() -> None:
        fetcher = Fetcher(RecordingLog(), timeout=timeout, connection_timeout=timeout, tls=tls)
        answers.extend([await answer_to(fetcher(request)) for request in requests])
        fetcher.close()
        await asyncio.sleep(0.01)

    run(factory, main)
    return answers


def spoken(factory: Factory, main: Callable[[Fetcher], Awaitable[None]], **options: Any) -> RecordingLog:
    log = RecordingLog()

    async def whole() -> None:
        fetcher = Fetcher(log, **{"timeout": 5.0, "connection_timeout": 5.0, **options})
        await main(fetcher)
        fetcher.close()
        await asyncio.sleep(0.01)

    run(factory, whole)
    return log


def test_requests_arrive_and_responses_come_back(factory: Factory) -> None:
    with WebServer(lambda path, parameters: (201, f"{path} {parameters['a']}")) as server:
        url = server.url("/x")
        found = fetched(factory, Request("GET", f"{url}?a=1%2B"), Request("POST", url, b"a=%C3%A4"))
        assert found == [Response(201, b"/x 1+"), Response(201, "/x ä".encode())]
        assert server.requests == [("GET", "/x", {"a": "1+"}), ("POST", "/x", {"a": "ä"})]
        assert server.headers[1]["Host"] == f"localhost:{server.port}"
        assert server.headers[1]["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_connection_is_used_again(factory: Factory) -> None:
    with WebServer(lambda path, parameters: "allow") as server:
        fetched(factory, *[Request("POST", server.url(), b"a=1")] * 5)
        assert server.connections == 1


def test_a_connection_that_was_closed_meanwhile_costs_nothing(factory: Factory) -> None:
    with WebServer(lambda path, parameters: "allow") as server:

        async def main(fetcher: Fetcher) -> None:
            for _ in range(3):
                assert await answer_to(fetcher(Request("GET", server.url()))) == Response(200, b"allow")
                server.hang_up()

        spoken(factory, main)
        assert len(server.requests) == 3
        assert server.connections == 3


def test_many_requests_share_so_many_connections(factory: Factory) -> None:
    with WebServer(lambda path, parameters: path) as server:

        async def main(fetcher: Fetcher) -> None:
            pending = [fetcher(Request("GET", server.url(f"/{number}"))) for number in range(200)]
            answers = await asyncio.gather(*map(answer_to, pending))
            assert [answer.body for answer in answers] == [f"/{number}".encode() for number in range(200)]

        spoken(factory, main)
        assert server.connections <= 32


def test_a_server_that_is_slow_is_not_waited_for_and_others_are_not_kept(factory: Factory) -> None:
    leave = threading.Event()

    def answer(path: str, parameters: dict[str, str]) -> str:
        if path == "/slow":
            leave.wait(10)
        return "allow"

    with WebServer(answer) as server:

        async def main(fetcher: Fetcher) -> None:
            slow = fetcher(Request("GET", server.url("/slow")))
            assert await answer_to(fetcher(Request("GET", server.url("/")))) == Response(200, b"allow")
            assert not slow.resolved
            assert await answer_to(slow) == Unanswered("timeout")
            leave.set()

        spoken(factory, main, timeout=0.5)


def test_a_server_that_is_down_is_a_failure(factory: Factory) -> None:
    with WebServer(lambda path, parameters: "allow") as server:
        url = server.url()
    log = spoken(factory, lambda fetcher: _is(fetcher, url, "failed_connect"))
    assert log.texts("error") == ["HTTP request failed"]


async def _is(fetcher: Fetcher, url: str, reason: str) -> None:
    assert await answer_to(fetcher(Request("GET", f"{url}?password=s3cret"))) == Unanswered(reason)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"allow", "bad_response"),
        (b"\x16\x03\x01\x00", "bad_response"),
        (b"", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nallow", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nallow!", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nallow", "bad_response"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "bad_response"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MOST_BYTES + 1), "bad_response"),
    ],
)
def test_nonsense_is_a_failure(factory: Factory, raw: bytes, reason: str) -> None:
    with WebServer(lambda path, parameters: raw) as server:
        log = spoken(factory, lambda fetcher: _is(fetcher, server.url(), reason))
        assert "s3cret" not in repr(log.lines)


def test_a_body_may_come_in_chunks_or_end_with_the_connection(factory: Factory) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nal\r\n3\r\nlow\r\n0\r\n\r\n"
    until_the_end = b"HTTP/1.0 200 OK\r\n\r\nallow"
    for raw in (chunked, until_the_end):
        with WebServer(lambda path, parameters, raw=raw: raw) as server:
            assert fetched(factory, Request("GET", server.url())) == [Response(200, b"allow")]


def test_a_redirection_is_not_followed(factory: Factory) -> None:
    with WebServer(lambda path, parameters: "allow") as other:
        location = f"HTTP/1.1 302 Found\r\nLocation: {other.url()}\r\nContent-Length: 0\r\n\r\n".encode()
        with WebServer(lambda path, parameters: location) as server:
            assert fetched(factory, Request("GET", server.url())) == [Response(302, b"")]
        assert not other.requests


@pytest.mark.parametrize("url", ["http://[::1", "http://localhost:99999/", "http:///x", "http://" + "x" * 300 + "/"])
def test_an_url_that_makes_no_sense_is_a_failure(factory: Factory, url: str) -> None:
    (answer,) = fetched(factory, Request("GET", url))
    assert isinstance(answer, Unanswered)


def test_who_waits_when_it_ends_is_answered(factory: Factory) -> None:
    leave = threading.Event()
    with WebServer(lambda path, parameters: str(leave.wait(10))) as server:
        found: list[Any] = []

        async def main(fetcher: Fetcher) -> None:
            fetcher(Request("GET", server.url())).then(found.append)
            await asyncio.sleep(0)
            fetcher.close()
            await asyncio.sleep(0.01)

        spoken(factory, main)
        assert found == [Unanswered("cancelled")]
        leave.set()


def test_a_server_s_certificate_has_to_be_one_that_is_trusted_and_its_own(factory: Factory, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=authority.file)
    lax = ssl.create_default_context()
    lax.check_hostname = False
    lax.verify_mode = ssl.CERT_NONE
    for certificate, context, trusted in (
        (authority.issue("localhost"), trusting, True),
        (stranger.issue("localhost"), trusting, False),
        (authority.issue("elsewhere.example"), trusting, False),
        (authority.issue("localhost", expired=True), trusting, False),
        (authority.issue("localhost"), None, False),
        (stranger.issue("localhost"), lax, True),
    ):
        with WebServer(lambda path, parameters: "allow", certificate) as server:
            answers = fetched(factory, *[Request("GET", server.url())] * 2, tls=context)
        wanted = Response(200, b"allow") if trusted else Unanswered("failed_connect")
        assert answers == [wanted] * 2
