"""Cutting input into commands."""

from __future__ import annotations

from collections.abc import Iterator

from inprocess import CHANNEL, FRAME_MAX, READ_SIZE
from timing import Case, show

from amqpd.testing.client import ClientSession
from amqpd.wire.methods import BasicAck, QueueDeclare
from amqpd.wire.reader import Reader

BODY_LIMIT = 128 << 20


def cases() -> Iterator[Case]:
    """Publishes of several sizes, and methods without content, with and without decoding their arguments."""
    session = ClientSession(FRAME_MAX)
    for label, size in (("16 B", 16), ("1 KB", 1024), ("64 KB", 65536), ("1 MB", 1 << 20)):
        yield _case(f"reader: publish {label}", session.encode_publish(CHANNEL, "", "load", bytes(size)))
    ack = session.encode(CHANNEL, BasicAck(1, multiple=False))
    yield _case("reader: ack", ack)
    yield _case("reader: ack, decoded", ack, decode=True)
    yield _case("reader: queue.declare, decoded", session.encode(CHANNEL, QueueDeclare(queue="load")), decode=True)


def _case(name: str, frames: bytes, *, decode: bool = False) -> Case:
    count = max(1, READ_SIZE // len(frames))
    data = frames * count
    pieces = [data[start : start + READ_SIZE] for start in range(0, len(data), READ_SIZE)]
    reader = Reader(FRAME_MAX, BODY_LIMIT)

    def work(_: None) -> None:
        for piece in pieces:
            reader.feed(piece)
            while reader.read():
                if decode:
                    reader.method()

    return Case(name, count, work)


if __name__ == "__main__":
    show(cases())
