"""Clients no broker wishes for, a crowd of them: a program of its own, so that it takes no time from whoever measures.

    python hostiles.py HOST PORT CONNECTIONS SECONDS [KIND...]

Each connection is of one kind, and begins anew when the broker has closed it. On an interrupt, or when time is
up, all sockets are closed without a word, and a line says how often each kind got connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from amqpd.testing.client import CAPABILITIES, ClientSession, raw_frame
from amqpd.wire.methods import (
    BasicConsume,
    BasicGet,
    BasicPublish,
    BasicRecover,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ConfirmSelect,
    ConnectionOpen,
    ConnectionStartOk,
    ConnectionTuneOk,
    QueueDeclare,
)
from amqpd.wire.properties import encode_header
from amqpd.wire.spec import FRAME_BODY, FRAME_HEADER, FRAME_METHOD, HEARTBEAT_FRAME, PROTOCOL_HEADER
from amqpd.wire.writer import method_frame

SESSION: Final = ClientSession()
FLOOD: Final = 1 << 20
"""Bytes of a flood that are made at a time."""

NOISE: Final = random.Random(1)


class Socket:
    """A connection to the broker, as raw as it gets."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, *data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, b"".join(data))

    async def read(self) -> bytes:
        """What has come; raises ConnectionError at the end."""
        data = await self._loop.sock_recv(self._sock, 1 << 16)
        if not data:
            raise ConnectionError
        return data

    async def wait(self) -> None:
        """Say nothing, until the broker has had enough."""
        while True:
            await self.read()

    async def never_read(self) -> None:
        await asyncio.sleep(3600)

    async def flood(self, piece: bytes) -> None:
        """Send the same over and over, and read nothing."""
        while True:
            await self.send(piece)


def login(password: bytes = b"guest") -> bytes:
    response = b"\0guest\0" + password
    return SESSION.encode(0, ConnectionStartOk({"capabilities": CAPABILITIES}, "PLAIN", response))


HELLO: Final = (
    PROTOCOL_HEADER
    + login()
    + SESSION.encode(0, ConnectionTuneOk(2047, 131072, 0), ConnectionOpen())
    + SESSION.encode(1, ChannelOpen())
)
"""Up to an open channel: the broker answers in order, so there is no need to wait."""


def nested(depth: int) -> bytes:
    """A table in a table in a table."""
    table = b""
    for _ in range(depth):
        table = b"\x01kF" + struct.pack(">I", len(table)) + table
    return struct.pack(">I", len(table)) + table


def many(piece: bytes) -> bytes:
    return piece * (FLOOD // len(piece))


def declare_with(table: bytes) -> bytes:
    bare = method_frame(1, QueueDeclare(queue="nested", exclusive=True))
    payload = bare[7:-1].removesuffix(bytes(4))  # without the empty table
    return raw_frame(FRAME_METHOD, 1, payload + table)


# --- before they log in


async def says_nothing(peer: Socket) -> None:
    await peer.wait()


async def talks_nonsense(peer: Socket) -> None:
    await peer.send(NOISE.randbytes(NOISE.randrange(1, 5000)))
    await peer.wait()


async def talks_nonsense_after_the_header(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER, NOISE.randbytes(5000))
    await peer.wait()


async def speaks_http(peer: Socket) -> None:
    await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await peer.wait()


async def stops_in_the_header(peer: Socket) -> None:
    await peer.send(b"AMQP\x00")
    await peer.wait()


async def stops_after_the_header(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER)
    await peer.wait()


async def stops_after_the_login(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER, login())
    await peer.wait()


async def drips(peer: Socket) -> None:
    for octet in HELLO * 100:
        await peer.send(bytes((octet,)))
        await asyncio.sleep(0.2)


async def announces_a_huge_frame(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER, b"\x01\x00\x00\xff\xff\xff\xff", bytes(1000))
    await peer.wait()


async def sends_the_largest_frame_without_end(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER, b"\x01\x00\x00\x00\x00\x1f\xff", bytes(8191))
    await peer.wait()


async def announces_a_huge_table(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER, raw_frame(FRAME_METHOD, 0, b"\x00\x0a\x00\x0b\xff\xff\xff\xff" + bytes(500)))
    await peer.wait()


async def nests_tables_before_the_login(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER, raw_frame(FRAME_METHOD, 0, b"\x00\x0a\x00\x0b" + nested(1000)))
    await peer.wait()


async def guesses_passwords(peer: Socket) -> None:
    await peer.send(PROTOCOL_HEADER, login(b"secret"))
    await peer.wait()


async def comes_and_goes(peer: Socket) -> None:
    await peer.send(HELLO)
    await peer.read()


# --- afterwards


async def never_finishes_a_body(peer: Socket) -> None:
    publish = method_frame(1, BasicPublish(0, "", "nowhere"))
    header = raw_frame(FRAME_HEADER, 1, encode_header(None, 100 << 20))
    await peer.send(HELLO, publish, header, raw_frame(FRAME_BODY, 1, bytes(100_000)))
    await peer.wait()


async def sends_endless_empty_bodies(peer: Socket) -> None:
    publish = method_frame(1, BasicPublish(0, "", "nowhere"))
    header = raw_frame(FRAME_HEADER, 1, encode_header(None, 100))
    await peer.send(HELLO, publish, header)
    await peer.flood(many(raw_frame(FRAME_BODY, 1, b"")))


async def sends_endless_headers(peer: Socket) -> None:
    header = raw_frame(FRAME_HEADER, 1, encode_header(None, 100))
    await peer.send(HELLO, method_frame(1, BasicPublish(0, "", "nowhere")))
    await peer.flood(many(header))


async def nests_tables(peer: Socket) -> None:
    await peer.send(HELLO)
    await peer.flood(declare_with(nested(10_000)))


async def fills_tables(peer: Socket) -> None:
    entries = b"".join([b"\x04%04xV" % number for number in range(20_000)])
    await peer.send(HELLO)
    await peer.flood(declare_with(struct.pack(">I", len(entries)) + entries))


async def opens_and_closes_channels(peer: Socket) -> None:
    await peer.send(HELLO)
    await peer.flood(many(method_frame(2, ChannelOpen()) + method_frame(2, ChannelClose())))


async def opens_all_channels(peer: Socket) -> None:
    await peer.send(HELLO, *[method_frame(number, ChannelOpen()) for number in range(2, 2047)])
    await peer.never_read()


async def makes_errors(peer: Socket) -> None:
    get = method_frame(2, BasicGet(queue="there is none"))
    await peer.send(HELLO)
    await peer.flood(many(method_frame(2, ChannelOpen()) + get + method_frame(2, ChannelCloseOk())))


async def declares_queues(peer: Socket) -> None:
    await peer.send(HELLO)
    declares = [method_frame(1, QueueDeclare(queue="", exclusive=True)) for _ in range(1000)]
    await peer.send(*declares)
    await peer.flood(many(method_frame(1, QueueDeclare(queue="again", auto_delete=True))))


LARGE: Final = SESSION.encode_publish(1, "", "", bytes(100_000))


async def gets_and_does_not_read(peer: Socket) -> None:
    await peer.send(HELLO, method_frame(1, QueueDeclare(queue="", exclusive=True)), LARGE * 100)
    await peer.flood(many(method_frame(1, BasicGet(queue=""))))


async def consumes_and_does_not_read(peer: Socket) -> None:
    await peer.send(HELLO, method_frame(1, QueueDeclare(queue="", exclusive=True)))
    await peer.send(method_frame(1, BasicConsume(queue="", no_ack=True)), LARGE * 100)
    await peer.never_read()


async def recovers_without_end(peer: Socket) -> None:
    small = SESSION.encode_publish(1, "", "", b"x")
    await peer.send(HELLO, method_frame(1, QueueDeclare(queue="", exclusive=True)), small * 20_000)
    await peer.send(method_frame(1, BasicConsume(queue="")))
    await peer.flood(many(method_frame(1, BasicRecover(requeue=True))))


async def is_handed_everything_back(peer: Socket) -> None:
    returned = SESSION.encode_publish(1, "", "nowhere", bytes(10_000), mandatory=True)
    await peer.send(HELLO, method_frame(1, ConfirmSelect()))
    await peer.flood(many(returned))


async def sends_heartbeats_only(peer: Socket) -> None:
    await peer.send(HELLO)
    await peer.flood(many(HEARTBEAT_FRAME))


Kind = Callable[[Socket], Awaitable[None]]

STRANGERS: Final[tuple[Kind, ...]] = (
    says_nothing,
    talks_nonsense,
    talks_nonsense_after_the_header,
    speaks_http,
    stops_in_the_header,
    stops_after_the_header,
    stops_after_the_login,
    drips,
    announces_a_huge_frame,
    sends_the_largest_frame_without_end,
    announces_a_huge_table,
    nests_tables_before_the_login,
    guesses_passwords,
)
"""Most of the crowd: they cannot log in, or do not try."""

USERS: Final[tuple[Kind, ...]] = (
    comes_and_goes,
    never_finishes_a_body,
    sends_endless_empty_bodies,
    sends_endless_headers,
    nests_tables,
    fills_tables,
    opens_and_closes_channels,
    opens_all_channels,
    makes_errors,
    declares_queues,
    gets_and_does_not_read,
    consumes_and_does_not_read,
    recovers_without_end,
    is_handed_everything_back,
    sends_heartbeats_only,
)
"""One in SHARE: they may do what they do."""

SHARE: Final = 50

RETURNS: Final = 2000
"""Connections a second that the crowd makes anew, at most."""


async def attack(address: tuple[str, int], kind: Kind, number: int, connected: Counter[str], pause: float) -> None:
    """Be one of the crowd for good."""
    loop = asyncio.get_running_loop()
    while True:
        sock = socket.socket()
        try:
            sock.setblocking(False)
            sock.bind((f"127.0.1.{number % 250 + 1}", 0) if address[0] == "127.0.0.1" else ("", 0))
            await loop.sock_connect(sock, address)
            connected[kind.__name__] += 1
            await kind(Socket(sock))
        except OSError:
            pass
        finally:
            sock.close()
        await asyncio.sleep(pause * (0.5 + random.random()))


async def main(host: str, port: int, connections: int, seconds: float, names: list[str]) -> None:
    connected: Counter[str] = Counter()
    chosen = [kind for kind in (*STRANGERS, *USERS) if kind.__name__ in names]
    strangers, users = itertools.cycle(chosen or STRANGERS), itertools.cycle(chosen or USERS)
    with contextlib.suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for number in range(connections):
                kind = next(strangers if number % SHARE else users)
                group.create_task(attack((host, port), kind, number, connected, connections / RETURNS))
                if number % 50 == 49:
                    await asyncio.sleep(0.01)
    print(*[f"{kind}={count}" for kind, count in connected.items()], flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:]))
