"""What to publish and consume, as data; names and meaning follow RabbitMQ's PerfTest where it has the option."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

STAMP_SIZE = 8
"""Bytes at the start of a body that hold the time it was sent, in rate-limited runs, or its number."""

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


@dataclass(frozen=True)
class Workload:
    """One run of the load generator.

    Text with ranges in braces stands for several, as in a shell: `a{1..3}` for a1, a2 and a3, `{00..99}` for a hundred
    numbers of two digits.
    """

    producers: int = 1
    consumers: int = 1
    size: int = 16  # of a body, in bytes
    seconds: float = 3.0  # how long to publish, unless pmessages says otherwise
    pmessages: int = 0  # messages for each producer to publish; 0 = as many as go into `seconds`
    cmessages: int = 0  # deliveries for each consumer; 0 = all that was published
    confirm: int = 0  # publishes that may be unconfirmed; 0 = no confirms
    rate: float = 0.0  # messages a second for each producer; 0 = flat out. With a rate, latency is measured
    qos: int = 0  # prefetch count; 0 = no limit
    autoack: bool = False
    multi_ack_every: int = 1  # deliveries settled by one ack
    flags: tuple[str, ...] = ()  # persistent (and the queues durable), mandatory
    exchange: str = ""  # the default exchange leads to the queues by their names
    type: str = "direct"
    routing_key: str = ""  # of messages; empty = the name of the producer's queue
    headers: str = ""  # of messages, as name=value,name=value
    queue: str = "load"  # producers and consumers go round these
    queue_args: Mapping[str, Any] = field(default_factory=dict)
    bindings: tuple[tuple[int, str], ...] = ()  # queue (counted from 1) and binding key, or name=value,…
    deliveries: int = 0  # queues each message reaches; 0 = 1, or all of them for a fanout exchange
    numbered: bool = False  # bodies hold their number, and have to be delivered in that order; for one queue
    drain: bool = False  # consume when all is published, not meanwhile
    keep: bool = False  # take the topology as it is, and leave it
    limit: float = 120.0  # seconds after which a run has failed

    def __post_init__(self) -> None:
        for name, least in (("producers", 0), ("consumers", 0), ("size", 0), ("seconds", 0), ("multi_ack_every", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} has to be at least {least}")
        if unknown := set(self.flags) - {"persistent", "mandatory"}:
            raise ValueError(f"unknown flag {', '.join(sorted(unknown))}: there are persistent and mandatory")
        if not self.autoack and 0 < self.qos < self.multi_ack_every:
            raise ValueError("with a prefetch count below multi_ack_every no ack would ever be due")
        if self.rate and 0 < self.size < STAMP_SIZE:
            raise ValueError(f"a body has to have {STAMP_SIZE} bytes to carry the time")
        if self.numbered and (self.rate or self.size < STAMP_SIZE or max(self.producers, self.consumers) > 1):
            raise ValueError(f"numbers take {STAMP_SIZE} bytes, one producer, one consumer, and no rate")
        if len({len(key) for key in expand(self.routing_key)}) != 1 or len({len(name) for name in self.queues}) != 1:
            raise ValueError("queue names and routing keys have to be of one length each: write {00..99}, not {0..99}")

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Self:
        """From a table as TOML has it: lists instead of tuples. Raises ValueError for a name that is no option."""
        if unknown := set(table) - {option.name for option in fields(cls)}:
            raise ValueError(f"unknown option {', '.join(sorted(unknown))}")
        values = dict(table)
        for name in ("flags", "bindings"):
            if name in values:
                values[name] = tuple(tuple(item) if isinstance(item, list) else item for item in values[name])
        return cls(**values)

    @property
    def queues(self) -> list[str]:
        """The names of the queues."""
        return list(expand(self.queue))

    @property
    def persistent(self) -> bool:
        return "persistent" in self.flags

    @property
    def mandatory(self) -> bool:
        return "mandatory" in self.flags

    @property
    def measures_latency(self) -> bool:
        """Whether bodies carry the time they were sent."""
        return self.rate > 0 and self.size >= STAMP_SIZE

    @property
    def drains(self) -> bool:
        """Whether consumers come when all is published already."""
        return self.drain or not self.producers

    @property
    def deliveries_each(self) -> int:
        """How many queues a message reaches."""
        return self.deliveries or (len(self.queues) if self.type == "fanout" and self.exchange else 1)

    def binding_keys(self) -> Iterator[tuple[str, str]]:
        """Queue and binding key of each binding that the exchange gets."""
        queues = self.queues
        if self.bindings:
            for number, pattern in self.bindings:
                for key in expand(pattern):
                    yield queues[number - 1], key
        else:
            for queue in queues:
                for key in expand(self.routing_key or queue):
                    yield queue, key

    def keys_of_producer(self, number: int) -> list[str]:
        """The routing keys a producer (counted from 0) publishes with, in turn."""
        queues = self.queues
        return list(expand(self.routing_key)) if self.routing_key else [queues[number % len(queues)]]

    def queues_of_consumer(self, number: int) -> list[str]:
        """The queues a consumer (counted from 0) consumes from: they are dealt out until each has a consumer."""
        queues = self.queues
        if self.consumers >= len(queues):
            return [queues[number % len(queues)]]
        return queues[number :: self.consumers]


def expand(text: str) -> Iterator[str]:
    """All that a text with ranges stands for."""
    parts = _RANGE.split(text)  # text, first, last, text, first, last, … text
    ranges = []
    for first, last in zip(parts[1::3], parts[2::3], strict=True):
        width = len(first) if len(first) == len(last) else 0
        ranges.append([f"{number:0{width}}" for number in range(int(first), int(last) + 1)])
    texts = parts[0::3]
    for chosen in itertools.product(*ranges):
        yield "".join(itertools.chain(*zip(texts, (*chosen, ""), strict=True)))


def parse_table(text: str) -> dict[str, Any]:
    """`name=value,name=value` as a table; numbers become numbers, true and false booleans.

    Raises ValueError for an item without `=`.
    """
    table: dict[str, Any] = {}
    for item in filter(None, text.split(",")):
        name, separator, value = item.partition("=")
        if not separator:
            raise ValueError(f"'{item}' is not name=value")
        if value in ("true", "false"):
            table[name] = value == "true"
        elif re.fullmatch(r"-?(0|[1-9]\d*)", value):
            table[name] = int(value)
        else:
            table[name] = value
    return table
