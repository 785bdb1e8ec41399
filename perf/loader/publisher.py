"""Publishers: one socket each, all in one loop."""

from __future__ import annotations

import select
import socket
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .connection import Connection
from .frames import Block, Confirms, LoadError, publish_block
from .workload import Workload

WINDOW_PARTS = 8
"""A publisher that waits for confirms goes on when one such part of its window is free, not for each message."""

SEND_BUFFER = 256 << 10
"""Bytes that may wait in a socket. Left to itself the kernel takes some megabytes, which, in small messages and from a
hundred publishers, keep a broker busy for a minute after the last publish. Below some 64 KB loopback TCP stalls."""

UNLIMITED = 1 << 50
SECOND = 1_000_000_000


class Publisher:
    """Publishes a block over and over, as far as confirms, rate and count allow."""

    def __init__(self, connection: Connection, block: Block, workload: Workload) -> None:
        self.connection = connection
        self.socket = connection.socket
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.block = block
        self.goal = workload.pmessages or UNLIMITED  # messages to publish altogether
        self.confirms = Confirms()
        self.waiting = False  # for room in the socket's buffer
        self.latencies = array("q")  # of confirms, in nanoseconds
        self._confirm = workload.confirm
        self._rate = workload.rate
        self._stamps = workload.measures_latency
        self._numbers = workload.numbered
        self._start = 0  # when the first message is due
        self._view = memoryview(block.data)
        self._sent_bytes = 0
        self._allowed = 0  # messages that may be sent now
        self._capped = False  # nothing but the length of the block keeps more from being sent
        self._times = array("q")  # when each message was sent, if confirm latency is measured
        self._buffer = memoryview(bytearray(1 << 16))

    @property
    def sent(self) -> int:
        """Messages sent whole."""
        return self._sent_bytes // self.block.stride

    @property
    def done(self) -> bool:
        """Whether all is sent and, where it has to be, confirmed."""
        if self._sent_bytes < self.goal * self.block.stride:
            return False
        return not self._confirm or self.confirms.confirmed >= self.goal

    def start(self, now: int, delay: float) -> None:
        """Begin, `delay` seconds from now if there is a rate."""
        self._start = now + int(delay * SECOND)

    def stop(self) -> None:
        """Publish no more than what is begun."""
        begun = self._allowed if self._rate else -(-self._sent_bytes // self.block.stride)
        self.goal = self._allowed = min(self.goal, begun)

    def receive(self) -> None:
        """Read confirms. Raises LoadError when the broker has closed the connection."""
        size = self.socket.recv_into(self._buffer)
        if not size:
            raise LoadError("the broker closed a publisher's connection")
        before = self.confirms.confirmed
        self.confirms.feed(self._buffer[:size])
        if self._times:
            now = time.monotonic_ns()
            self.latencies.extend([now - sent for sent in self._times[before : self.confirms.confirmed]])

    def send(self) -> None:
        """Send what may be sent, up to one turn of the block."""
        self._allow()
        data = self._view
        start = self._sent_bytes % len(data)
        stop = min(len(data), start + self._allowed * self.block.stride - self._sent_bytes)
        if stop <= start:
            self.waiting = self._capped
            return
        try:
            size = self.socket.send(data[start:stop])
        except BlockingIOError:
            size = 0
        self._sent_bytes += size
        # there is more to send at once when the end of the block or of the buffer came before that of what may be sent
        self.waiting = self._capped or self._sent_bytes < self._allowed * self.block.stride

    def due_in(self, now: int) -> float:
        """Seconds until the next message is due by the rate; a long time where other things decide."""
        window_full = self._confirm and self._allowed >= self.confirms.confirmed + self._confirm
        if self.waiting or window_full or self._allowed >= self.goal:
            return 1.0
        return max(0.0, (self._start + self._allowed * SECOND / self._rate - now) / SECOND)

    def _allow(self) -> None:
        allowed = self.goal
        self._capped = False
        if self._confirm:
            allowed = min(allowed, self.confirms.confirmed + self._confirm)
            part = max(1, self._confirm // WINDOW_PARTS)
            if not self._rate and allowed < self.goal and allowed < self._allowed + part:
                return
        if self._rate:
            now = time.monotonic_ns()
            allowed = min(allowed, int((now - self._start) * self._rate / SECOND) + 1 if now >= self._start else 0)
        if self._rate or self._numbers:
            # what is stamped must not be what is still being sent
            wanted, allowed = allowed, min(allowed, self.sent + len(self.block.data) // self.block.stride - 1)
            self._capped = self._numbers and allowed < wanted
        if self._numbers:
            for number in range(self._allowed, allowed):
                self.block.stamp(number, number)
        elif self._stamps and allowed > self._allowed:
            for number in range(self._allowed, allowed):
                self.block.stamp(number, now)
            if self._confirm:
                self._times.extend([now] * (allowed - self._allowed))
        self._allowed = max(self._allowed, allowed)


@dataclass
class Published:
    """What a group of publishers did."""

    messages: int
    started: int  # nanoseconds of the monotonic clock
    sent: int  # when the last was given to the socket or, with confirms, confirmed
    returned: int
    nacked: int
    latencies: array[int]  # of confirms


class PublisherGroup:
    """All producers of a workload."""

    def __init__(self, connections: Sequence[Connection], workload: Workload, progress: Any) -> None:
        self.workload = workload
        self.progress = progress  # an array whose first item is the number of messages sent so far
        self.publishers = [
            Publisher(connection, publish_block(workload, number, connection.frame_max), workload)
            for number, connection in enumerate(connections)
        ]

    def publish(self) -> Published:
        """Publish it all. Raises LoadError when the broker does not take part, or not in time."""
        started = time.monotonic_ns()
        for number, publisher in enumerate(self.publishers):
            publisher.connection.socket.setblocking(False)
            publisher.start(started, number / len(self.publishers) / self.workload.rate if self.workload.rate else 0)
        self._loop(started)
        sent = time.monotonic_ns()
        counters = [publisher.confirms for publisher in self.publishers]
        return Published(
            messages=sum(publisher.goal for publisher in self.publishers),
            started=started,
            sent=sent,
            returned=sum(counter.returned for counter in counters),
            nacked=sum(counter.nacked for counter in counters),
            latencies=array("q", [item for publisher in self.publishers for item in publisher.latencies]),
        )

    def wait_until_accepted(self) -> tuple[int, int]:
        """The time when the broker has handled all that was published, and what was returned while we asked.

        With confirms there is nothing to ask.
        """
        queues = self.workload.queues
        for number, publisher in enumerate(self.publishers):
            publisher.connection.take_back(publisher.confirms.rest)
            if not self.workload.confirm:
                for queue in queues if self.workload.exchange else [queues[number % len(queues)]]:
                    publisher.connection.message_count(queue)
        return time.monotonic_ns(), sum(publisher.connection.returned for publisher in self.publishers)

    def close(self) -> None:
        """Close all connections."""
        for publisher in self.publishers:
            publisher.connection.close()

    def _loop(self, started: int) -> None:
        epoll = select.epoll()
        running = {}
        for publisher in self.publishers:
            descriptor = publisher.socket.fileno()
            running[descriptor] = publisher
            publisher.waiting = True
            epoll.register(descriptor, select.EPOLLIN | select.EPOLLOUT)
        stop = started + int(self.workload.seconds * SECOND) if not self.workload.pmessages else UNLIMITED
        fail = started + int(self.workload.limit * SECOND)
        report = started
        now = started
        while running:
            if self.workload.rate:
                delay = min(publisher.due_in(now) for publisher in running.values())
                select.select([epoll], [], [], min(0.05, delay))  # finer than epoll's milliseconds
                events = dict(epoll.poll(0))
                ready = [(descriptor, events.get(descriptor, 0)) for descriptor in running]
            else:
                ready = epoll.poll(0.05)
            now = time.monotonic_ns()
            if now >= stop:
                stop = UNLIMITED
                for publisher in running.values():
                    publisher.stop()
                events = dict(ready)
                ready = [(descriptor, events.get(descriptor, 0)) for descriptor in running]
            for descriptor, event in ready:
                publisher = running[descriptor]
                waited = publisher.waiting
                if event & ~select.EPOLLOUT:
                    publisher.receive()
                publisher.send()
                if publisher.done:
                    epoll.unregister(descriptor)
                    del running[descriptor]
                elif publisher.waiting != waited:
                    wanted = select.EPOLLIN | (select.EPOLLOUT if publisher.waiting else 0)
                    epoll.modify(descriptor, wanted)
            if now >= report:
                self.progress[0] = sum(publisher.sent for publisher in self.publishers)
                report = now + SECOND // 20
                if now >= fail:
                    unfinished = ", ".join(str(publisher.sent) for publisher in running.values())
                    raise LoadError(f"publishing took longer than {self.workload.limit} seconds; sent: {unfinished}")
        self.progress[0] = sum(publisher.sent for publisher in self.publishers)
        epoll.close()
