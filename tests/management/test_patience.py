"""Clients of the API that are slow, on sockets and by a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import base64
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from amqpd.management.patience import PatientProtocol
from amqpd.management.server import ManagementServer
from amqpd.message import make_message
from tests.management.harness import Api

LOGIN = f"Authorization: Basic {base64.b64encode(b'guest:guest').decode()}\r\n"
LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def head(method: str, path: str, *lines: str) -> bytes:
    more = "".join([line + "\r\n" for line in lines])
    return f"{method} /api{path} HTTP/1.1\r\nHost: x\r\n{LOGIN}{more}\r\n".encode()


class Slow:
    """A client, the API it talks to, and the clock of that."""

    def __init__(self, api: Api, server: ManagementServer, address: tuple[str, int]) -> None:
        self.api = api
        self.server = server
        self.address = address

    async def connect(self, receive_buffer: int = 0) -> None:
        ours = socket.socket()
        if receive_buffer:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_connect(ours, self.address)
        limit = receive_buffer or 1 << 16
        self.reader, self.writer = await asyncio.open_connection(sock=ours, limit=limit)
        await until(lambda: len(self.connections) > 0)

    @property
    def connections(self) -> list[PatientProtocol]:
        [(server, _)] = self.server._servers
        return list(server.server_state.connections)  # type: ignore[arg-type]

    async def send(self, data: bytes) -> None:
        """Have the server see it."""
        [connection] = self.connections
        seen = asyncio.Event()
        received = connection.data_received

        def receive(piece: bytes) -> None:
            received(piece)
            seen.set()

        connection.data_received = receive  # type: ignore[method-assign]
        self.writer.write(data)
        await asyncio.wait_for(seen.wait(), 10)
        del connection.data_received

    async def answer(self) -> bytes:
        """One that has a body."""
        beginning = await self.reader.readuntil(b"\r\n\r\n")
        length = int(beginning.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return beginning + await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """What comes until the server closes."""
        return await asyncio.wait_for(self.reader.read(), 10)

    async def is_kept(self) -> bool:
        """Whether the connection is there still, once the server had a turn."""
        await asyncio.sleep(0)
        return (
            not any(connection.transport.is_closing() for connection in self.connections) and not self.reader.at_eof()
        )

    def wait(self, seconds: float) -> None:
        self.api.clock.advance(seconds)


async def until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.002)


@pytest.fixture
def run() -> Callable[[Callable[[Slow], Awaitable[None]]], None]:
    """Runs a scenario with a server of its own."""

    def run(scenario: Callable[[Slow], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            api = Api()
            server = ManagementServer(api.management)
            slow = Slow(api, server, await server.start("127.0.0.1", 0))
            try:
                await scenario(slow)
            finally:
                if hasattr(slow, "writer"):
                    slow.writer.close()
                await server.stop()

        asyncio.run(main())

    return run  # type: ignore[return-value]


Run = Callable[[Callable[[Slow], Coroutine[Any, Any, None]]], None]


@pytest.mark.parametrize("beginning", [b"", b"GET /api/over"])
def test_who_does_not_ask_for_anything_is_left_without_a_word(run: Run, beginning: bytes) -> None:
    async def scenario(slow: Slow) -> None:
        await slow.connect()
        if beginning:
            await slow.send(beginning)
        slow.wait(4.9)
        assert await slow.is_kept()
        slow.wait(0.2)
        assert await slow.rest() == b""

    run(scenario)


def test_a_request_has_to_come_in_time_however_it_trickles(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        await slow.connect()
        await slow.send(b"GET /api/overview HTTP/1.1\r\n")
        for _ in range(4):
            slow.wait(1)
            await slow.send(b"X: y\r\n")
        assert await slow.is_kept()
        slow.wait(1)
        assert await slow.rest() == LATE

    run(scenario)


def test_so_has_each_that_follows_on_the_same_connection(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        await slow.connect()
        await slow.send(head("GET", "/whoami"))
        assert b"guest" in await slow.answer()
        slow.wait(59)
        await slow.send(b"GET /api/whoami HTTP/1.1\r\n")
        slow.wait(4.9)
        assert await slow.is_kept()
        slow.wait(0.2)
        assert await slow.rest() == LATE

    run(scenario)


def test_a_connection_is_kept_for_a_minute_between_requests(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        await slow.connect()
        for _ in range(2):
            await slow.send(head("GET", "/whoami"))
            assert b"guest" in await slow.answer()
            slow.wait(59)
            assert await slow.is_kept()
        slow.wait(1.1)
        assert await slow.rest() == b""

    run(scenario)


def test_a_body_may_not_pause_for_a_minute(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        await slow.connect()
        await slow.send(head("PUT", "/queues/%2F/q", "Content-Length: 100") + b"{")
        slow.wait(59)
        await slow.send(b" ")
        slow.wait(59)
        assert await slow.is_kept()
        slow.wait(1.1)
        assert await slow.rest() == LATE
        assert "q" not in slow.api.vhost.queues

    run(scenario)


def test_a_body_may_not_trickle_for_ever(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        await slow.connect()
        await slow.send(head("PUT", "/queues/%2F/q", "Content-Length: 100") + b"{")
        for _ in range(7):
            slow.wait(40)
            await slow.send(b" ")
        assert await slow.is_kept()
        slow.wait(21)
        assert await slow.rest() == LATE

    run(scenario)


def test_a_body_that_came_slowly_is_read(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        await slow.connect()
        await slow.send(head("PUT", "/queues/%2F/q", "Content-Length: 10") + b"{")
        for _ in range(8):
            slow.wait(30)
            await slow.send(b" ")
        await slow.send(b"}")
        assert b"201" in (await slow.reader.readuntil(b"\r\n\r\n"))

    run(scenario)


def test_while_it_is_our_turn_clients_may_wait(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        queue = slow.api.vhost.declare_queue("q")
        await slow.connect()
        await slow.send(head("GET", "/queues/%2F/q?wait=messages%3E=1&timeout=30"))
        slow.wait(10_000)
        assert await slow.is_kept()
        queue.push(make_message("", "q", b""))
        assert b'"messages":1,' in await slow.answer()

    run(scenario)


def test_an_answer_has_to_be_read(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        for number in range(3000):
            slow.api.vhost.declare_queue(f"q{number}")
        await slow.connect(receive_buffer=4096)
        [connection] = slow.connections
        ours = connection.transport.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # or the kernel would take all of it
        await slow.send(head("GET", "/queues"))
        await until(lambda: connection.flow.write_paused)
        slow.wait(59)
        assert await slow.is_kept()
        await slow.reader.readexactly(200_000)  # slowly, but so
        slow.wait(59)
        assert await slow.is_kept()
        await until(lambda: connection.flow.write_paused)
        slow.wait(121)
        await until(lambda: not slow.connections)

    run(scenario)


def test_nobody_reads_on_after_a_body_that_is_too_large(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        slow.api.management.body_limit = 10
        await slow.connect()
        await slow.send(head("PUT", "/queues/%2F/q", "Content-Length: 100"))
        answer = await slow.rest()
        assert answer.startswith(b"HTTP/1.1 400 Bad Request")
        assert b"connection: close" in answer.lower()
        assert answer.endswith(b'{"error":"bad_request","reason":"Exceeded HTTP request body size limit"}')

    run(scenario)


def test_limits_may_be_lifted(run: Run) -> None:
    async def scenario(slow: Slow) -> None:
        slow.api.management.patience = slow.api.management.patience._replace(request=0)
        server = ManagementServer(slow.api.management)
        patient = Slow(slow.api, server, await server.start("127.0.0.1", 0))
        try:
            await patient.connect()
            patient.wait(10_000)
            assert await patient.is_kept()
            patient.writer.close()
        finally:
            await server.stop()

    run(scenario)
