"""Consumers: one socket each, all in one loop."""

from __future__ import annotations

import select
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amqpd.wire.methods import BasicConsume, BasicQos, BasicQosOk

from .connection import Connection
from .frames import CHANNEL, Acks, LoadError, StampedDeliveries, deliveries_of
from .workload import Workload

SECOND = 1_000_000_000
BUFFER_SIZE = 1 << 20


class Consumer:
    """Consumes from one or more queues on one channel, and acks."""

    def __init__(self, connection: Connection, queues: list[str], workload: Workload, buffer: memoryview) -> None:
        self.connection = connection
        self.socket = connection.socket
        self.unsent = b""  # acks that the socket did not take
        self.deliveries = deliveries_of(workload)
        self.queues = queues
        self._acks = None if workload.autoack else Acks(workload.multi_ack_every)
        self._buffer = buffer
        if workload.qos:
            connection.call(BasicQos(prefetch_count=workload.qos), BasicQosOk)

    def subscribe(self) -> None:
        """Ask for deliveries: without answers, so that nothing but deliveries comes in from here on."""
        no_ack = self._acks is None
        tags = [f"{number:04}" for number in range(len(self.queues))]
        self.connection.client.send(
            CHANNEL,
            *(
                BasicConsume(queue=queue, consumer_tag=tag, no_ack=no_ack, nowait=True)
                for queue, tag in zip(self.queues, tags, strict=True)
            ),
        )

    def receive(self) -> int:
        """Read deliveries, and ack those that are due; returns how many came. Raises LoadError at the broker's end."""
        deliveries = self.deliveries
        before = deliveries.count
        size = self.socket.recv_into(self._buffer)
        if not size:
            raise LoadError("the broker closed a consumer's connection")
        if isinstance(deliveries, StampedDeliveries):
            deliveries.now = time.monotonic_ns()
        count = deliveries.feed(self._buffer[:size])
        acks = self._acks
        if acks is not None and count >= acks.acked + acks.every:
            self._ack(acks, count)
        return count - before

    def send(self) -> None:
        """Send acks that the socket did not take before."""
        try:
            size = self.socket.send(self.unsent)
        except BlockingIOError:
            return
        self.unsent = self.unsent[size:]

    def finish(self) -> None:
        """Ack the rest, and close. Without automatic acks the broker has then handled all acks."""
        self.socket.setblocking(True)
        rest = self._acks.rest(self.deliveries.count) if self._acks else b""
        self.socket.sendall(self.unsent + rest)
        if self.deliveries.whole:
            self.connection.message_count(self.queues[0])
            self.connection.close()
        else:  # more was delivered than was asked for
            self.connection.drop()

    def _ack(self, acks: Acks, count: int) -> None:
        while data := acks.due(count):
            if self.unsent:
                self.unsent += bytes(data)
                continue
            try:
                size = self.socket.send(data)
            except BlockingIOError:
                size = 0
            if size < len(data):
                self.unsent = bytes(data[size:])


@dataclass
class Consumed:
    """What a group of consumers did."""

    messages: int
    first: int  # nanoseconds of the monotonic clock, when the first deliveries came
    last: int  # when the last came
    latencies: array[int]  # nanoseconds from publish to delivery


class ConsumerGroup:
    """All consumers of a workload."""

    def __init__(self, connections: Sequence[Connection], workload: Workload, progress: Any) -> None:
        self.workload = workload
        self.progress = progress  # an array: item 1 is the number received so far, item 2 that to be expected or -1
        buffer = memoryview(bytearray(BUFFER_SIZE))  # one for all: what is read is counted at once
        self.consumers = [
            Consumer(connection, workload.queues_of_consumer(number), workload, buffer)
            for number, connection in enumerate(connections)
        ]

    def subscribe(self) -> None:
        """Subscribe to queues that are empty as yet; returns when the broker has done it."""
        for consumer in self.consumers:
            consumer.subscribe()
            consumer.connection.message_count(consumer.queues[0])

    def consume(self) -> Consumed:
        """Receive all there is to be. Raises LoadError when it does not come in time, or more does."""
        first, last = self._loop()
        latencies = array("q")
        for consumer in self.consumers:
            if isinstance(consumer.deliveries, StampedDeliveries):
                latencies.extend(consumer.deliveries.latencies)
        return Consumed(sum(consumer.deliveries.count for consumer in self.consumers), first, last, latencies)

    def finish(self) -> None:
        """Ack what is left to ack, and close all connections."""
        for consumer in self.consumers:
            consumer.finish()

    def _loop(self) -> tuple[int, int]:
        epoll = select.epoll()
        consumers = {}
        for consumer in self.consumers:
            consumer.socket.setblocking(False)
            consumers[consumer.socket.fileno()] = consumer
            epoll.register(consumer.socket.fileno(), select.EPOLLIN)
        progress = self.progress
        count = first = last = 0
        fail = time.monotonic_ns() + int(self.workload.limit * SECOND)
        while True:
            ready = epoll.poll(0.05)
            for descriptor, event in ready:
                consumer = consumers[descriptor]
                unsent = bool(consumer.unsent)
                if event & select.EPOLLOUT:
                    consumer.send()
                if event & ~select.EPOLLOUT:
                    count += consumer.receive()
                if unsent != bool(consumer.unsent):
                    wanted = select.EPOLLIN | (0 if unsent else select.EPOLLOUT)
                    epoll.modify(descriptor, wanted)
            now = time.monotonic_ns()
            if ready:
                first = first or now
                last = now
            progress[1] = count
            if 0 <= progress[2] <= count:
                break
            if now >= fail:
                raise LoadError(f"consuming took longer than {self.workload.limit} seconds; received: {count}")
        epoll.close()
        if progress[2] < count and not self.workload.cmessages:
            raise LoadError(f"{count} messages were delivered, {progress[2]} were published")
        return first, last
