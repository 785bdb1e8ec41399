"""Runs a workload: publishers in one process, consumers in another, this one keeping time."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe  # another kind of connection
from typing import Any

from .connection import Connection
from .consumer import Consumed, ConsumerGroup
from .cpu import cpu_nanoseconds, memory_bytes
from .frames import LoadError
from .publisher import Published, PublisherGroup
from .topology import Topology
from .workload import Workload

SECOND = 1_000_000_000
PERCENTILES = (
    ("min", 0.0),
    ("p50", 50.0),
    ("p75", 75.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p99.9", 99.9),
    ("max", 100.0),
)


@dataclass
class Phase:
    """What went through in how long. Without `drain`, publishing and consuming overlap."""

    messages: int
    seconds: float
    rate: float  # messages a second
    bytes_rate: float  # of bodies
    loader_cpu: float  # microseconds a message
    broker_cpu: float | None = None  # the same; None when not known, or when the other phase took part in it


@dataclass
class Result:
    """What came of a run. Times of latencies are in milliseconds."""

    published: Phase | None = None
    consumed: Phase | None = None
    broker_cpu: float | None = None  # microseconds for each message consumed, or else published
    latency: dict[str, float] = field(default_factory=dict)  # from publish to delivery
    confirm_latency: dict[str, float] = field(default_factory=dict)  # until a publish and all before it were confirmed
    broker_memory: int = 0  # bytes when all was done, pages of files apart
    returned: int = 0
    nacked: int = 0
    left: int = 0  # messages in the queues at the end


def run(
    url: str,
    workload: Workload,
    pids: Sequence[int] = (),
    progress: Callable[[float, int, int], None] | None = None,
    on_start: Callable[[], None] | None = None,
) -> Result:
    """Run a workload against the broker at `url`.

    `pids` are the broker's processes; `progress` is told seconds, messages sent and received about once a second;
    `on_start` is called when all is prepared and the load begins.
    Raises LoadError when the broker fails the workload.
    """
    with Topology(url, workload) as topology:
        expected = topology.left() if not workload.producers else -1
        result = _Run(url, workload, pids, progress).run(expected, on_start)
        result.left = topology.left()
    return result


class _Run:
    def __init__(
        self, url: str, workload: Workload, pids: Sequence[int], progress: Callable[[float, int, int], None] | None
    ) -> None:
        self._workload = workload
        self._pids = pids
        self._progress = progress
        context = multiprocessing.get_context("spawn")
        self._counts = context.RawArray("q", (0, 0, -1))  # sent, received, to be received
        self._publishers = _Worker(context, _publish, url, workload, self._counts) if workload.producers else None
        self._consumers = _Worker(context, _consume, url, workload, self._counts) if workload.consumers else None
        self._began = 0.0

    def run(self, expected: int, on_start: Callable[[], None] | None) -> Result:
        self._counts[2] = self._workload.cmessages * self._workload.consumers or expected
        workers = [worker for worker in (self._publishers, self._consumers) if worker is not None]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.expect(self._workload.limit)
            self._began = time.monotonic()
            if on_start is not None:
                on_start()
            return self._run()
        except BaseException:
            for worker in workers:
                worker.terminate()
            raise
        finally:
            for worker in workers:
                worker.end()

    def _run(self) -> Result:
        workload = self._workload
        result = Result()
        before = cpu_nanoseconds(self._pids)
        together = not workload.drains
        if self._consumers and together:
            self._consumers.go()
        published: Published | None = None
        if self._publishers:
            self._publishers.go()
            published = self._wait(self._publishers)
            if not workload.cmessages:
                self._counts[2] = (
                    published.messages - published.nacked
                ) * workload.deliveries_each - published.returned
            accepted, returned, cpu = self._wait(self._publishers)
            ended = published.sent if workload.confirm else accepted
            result.published = self._phase(published.messages, ended - published.started, cpu)
            result.returned, result.nacked = published.returned + returned, published.nacked
            result.confirm_latency = percentiles(published.latencies)
            if not together and self._pids:
                result.published.broker_cpu = (cpu_nanoseconds(self._pids) - before) / 1000 / published.messages
                before = cpu_nanoseconds(self._pids)
        if self._consumers:
            begun = published.started if published is not None and together else time.monotonic_ns()
            if not together:
                self._consumers.go()
            consumed: Consumed = self._wait(self._consumers)
            cpu = self._wait(self._consumers)
            result.consumed = self._phase(consumed.messages, consumed.last - begun, cpu)
            result.latency = percentiles(consumed.latencies)
        result.broker_memory = memory_bytes(self._pids)
        last = result.consumed or result.published
        if self._pids and last and last.messages:
            result.broker_cpu = (cpu_nanoseconds(self._pids) - before) / 1000 / last.messages
            if result.consumed and not together:
                result.consumed.broker_cpu = result.broker_cpu
        return result

    def _phase(self, messages: int, nanoseconds: int, cpu: int) -> Phase:
        seconds = max(nanoseconds, 1) / SECOND
        rate = messages / seconds
        return Phase(messages, seconds, rate, rate * self._workload.size, cpu / 1000 / max(1, messages))

    def _wait(self, worker: _Worker) -> Any:
        """What a worker says next, reporting progress meanwhile."""
        while not worker.says_something(1.0):
            if self._progress:
                self._progress(time.monotonic() - self._began, self._counts[0], self._counts[1])
            for other in (self._publishers, self._consumers):
                if other is not None and other is not worker:
                    other.check()
        return worker.expect(0)


class _Worker:
    """A process of the loader, and the pipe to it."""

    def __init__(self, context: Any, target: Callable[..., None], *arguments: Any) -> None:
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(target, self._theirs, *arguments), daemon=True)

    def start(self) -> None:
        self._process.start()
        self._theirs.close()

    def go(self) -> None:
        self._pipe.send("go")

    def says_something(self, seconds: float) -> bool:
        return bool(self._pipe.poll(seconds))

    def expect(self, seconds: float) -> Any:
        """What it says next. Raises LoadError when it failed, or says nothing in that time."""
        if not self._pipe.poll(seconds):
            raise LoadError("the loader's own process does not answer")
        try:
            kind, value = self._pipe.recv()
        except EOFError:
            raise LoadError("the loader's own process has ended") from None
        if kind == "failed":
            raise LoadError(value)
        return value

    def check(self) -> None:
        """Raise LoadError if it has failed."""
        if self._process.exitcode:
            self.expect(0)

    def terminate(self) -> None:
        if self._process.pid is not None:
            self._process.terminate()

    def end(self) -> None:
        """Wait for its end, and see to it."""
        self._pipe.close()
        if self._process.pid is not None:
            self._process.join(5.0)
            if self._process.is_alive():
                self.terminate()
                self._process.join(5.0)


def _work(target: Callable[..., None], pipe: Pipe, *arguments: Any) -> None:
    try:
        target(pipe, *arguments)
    except (EOFError, KeyboardInterrupt):
        return  # nobody waits for us any more
    except Exception as error:
        text = str(error) if isinstance(error, (LoadError, ValueError)) else f"{type(error).__name__}: {error}"
        with contextlib.suppress(OSError):
            pipe.send(("failed", text))
        sys.exit(1)


def _publish(pipe: Pipe, url: str, workload: Workload, counts: Any) -> None:
    connections = [Connection(url) for _ in range(workload.producers)]
    if workload.confirm:
        for connection in connections:
            connection.select_confirms()
    group = PublisherGroup(connections, workload, counts)
    pipe.send(("ready", None))
    pipe.recv()
    before = time.process_time_ns()
    published = group.publish()
    cpu = time.process_time_ns() - before
    pipe.send(("published", published))
    pipe.send(("accepted", (*group.wait_until_accepted(), cpu)))
    group.close()


def _consume(pipe: Pipe, url: str, workload: Workload, counts: Any) -> None:
    group = ConsumerGroup([Connection(url) for _ in range(workload.consumers)], workload, counts)
    if not workload.drains:
        group.subscribe()
    pipe.send(("ready", None))
    pipe.recv()
    before = time.process_time_ns()
    if workload.drains:
        for consumer in group.consumers:
            consumer.subscribe()
    consumed = group.consume()
    cpu = time.process_time_ns() - before
    group.finish()
    pipe.send(("consumed", consumed))
    pipe.send(("finished", cpu))


def percentiles(nanoseconds: array[int]) -> dict[str, float]:
    """The distribution of latencies, in milliseconds; empty when there are none."""
    if not nanoseconds:
        return {}
    ordered = sorted(nanoseconds)
    last = len(ordered) - 1
    return {name: ordered[round(share / 100 * last)] / 1e6 for name, share in PERCENTILES}
