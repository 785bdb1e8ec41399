"""How fast the load generator itself is: it publishes to, and consumes from, a peer that does next to nothing.

    .venv/bin/python perf/ceiling.py [seconds]

The peer swallows what is published and answers with one cumulative ack for all that one read brought, or sends
prepared deliveries and swallows the acks. What the loader reaches here is what no broker can be measured beyond; its
CPU a message is what it takes from a broker that it shares a machine with.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

from loader.connection import Connection
from loader.consumer import ConsumerGroup
from loader.frames import CHANNEL, Numbered, ack, publish_block
from loader.publisher import PublisherGroup
from loader.report import table
from loader.workload import Workload

from amqpd.wire.methods import BasicDeliver
from amqpd.wire.properties import encode_header
from amqpd.wire.writer import content_frames

FRAME_MAX = 131072
TAG = "0000"
TAG_OFFSET = 12 + len(TAG)
CASES = {
    "publish": Workload(consumers=0),
    "publish, confirms, window 2000": Workload(consumers=0, confirm=2000),
    "publish 1 KB": Workload(consumers=0, size=1024),
    "consume, automatic acks": Workload(producers=0, autoack=True),
    "consume, an ack for each 100": Workload(producers=0, multi_ack_every=100),
    "consume, each message acked alone": Workload(producers=0),
    "consume 1 KB, an ack for each 100": Workload(producers=0, size=1024, multi_ack_every=100),
}


def swallow(peer: socket.socket, stride: int) -> None:
    """Read until the end; with a stride, ack what came."""
    buffer = bytearray(1 << 20)
    total = 0
    with contextlib.suppress(OSError):
        while size := peer.recv_into(buffer):
            total += size
            if stride:
                peer.sendall(ack(total // stride, multiple=True))


def deliver(peer: socket.socket, workload: Workload, count: int) -> None:
    """Send deliveries."""
    header, body = encode_header(None, workload.size), bytes(workload.size)
    method = BasicDeliver(TAG, 0, redelivered=False, exchange="", routing_key=workload.queue)
    deliveries = Numbered(b"".join(content_frames(CHANNEL, method, header, body, FRAME_MAX)), TAG_OFFSET)
    threading.Thread(target=swallow, args=(peer, 0), daemon=True).start()
    number = 1
    while number <= count:
        frames, number = deliveries.cut(number, min(count, number + (1 << 20) // deliveries.stride))
        peer.sendall(frames)


def work_as_peer(pipe: Any, workload: Workload, count: int) -> None:
    """The peer's process: one connection, one case."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe.send(listener.getsockname()[1])
        peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with peer:
        if workload.producers:
            swallow(peer, publish_block(workload, 0, FRAME_MAX).stride if workload.confirm else 0)
        else:
            deliver(peer, workload, count)
            pipe.recv()


def measure(workload: Workload, count: int) -> tuple[int, float, float]:
    """Messages, seconds, and seconds of CPU of one case."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    peer = context.Process(target=work_as_peer, args=(theirs, workload, count), daemon=True)
    peer.start()
    with socket.create_connection(("127.0.0.1", pipe.recv())) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # all that publishers and consumers need of a connection once the load runs
        connection: Connection = SimpleNamespace(socket=connected, frame_max=FRAME_MAX)  # type: ignore[assignment]
        before, begun = time.process_time(), time.monotonic()
        if workload.producers:
            messages = PublisherGroup([connection], workload, [0, 0, -1]).publish().messages
        else:
            messages = ConsumerGroup([connection], workload, [0, 0, count]).consume().messages
            pipe.send("enough")
        seconds, cpu = time.monotonic() - begun, time.process_time() - before
    peer.join(10.0)
    return messages, seconds, cpu


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    rows = [["loader alone", "messages/s", "µs CPU a message"]]
    for name, workload in CASES.items():
        count = int(seconds * (3e7 if workload.size < 1000 else 2e6))
        limited = Workload(**{**vars(workload), "seconds": seconds})
        messages, taken, cpu = measure(limited, count)
        rows.append([name, f"{messages / taken:,.0f}", f"{cpu * 1e6 / messages:.3f}"])
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
