"""The queue: ready entries in order, entries out with consumers, and consumers taking turns.

An entry is a message's place in one queue (see `entry`). Its `seq` says where it belongs, for good:

    publish ─► ready ──deliver──► unacked ──ack──► gone
                 ▲  │no_ack          │ │
                 │  └───► gone       │ └─reject─► gone
                 └──requeue (redelivered)

Consumers that may take a delivery stand in the `rotation`; one that may not is parked, and unparked when its limit or
its peer lets it. So while anything is ready the rotation is empty, and while somebody waits there nothing is ready:
every method leaves it that way, which is what "dispatch" means. Where one consumer at a time is active, the others
neither stand in the rotation nor are parked until it has left.

Beyond the memory budget a queue pages: what arrives is only stored, and read back in order when the entries in memory
are used up. Stored seqs in between may be missing, never out of order. A durable message goes where it must be kept
anyway; any other goes to the pager, a store that lasts as long as the process.

A priority queue has its ready entries in order of priority (see `priorities`), which is not the order of a store: it
does not page, and reads what an earlier run left all at once, when it is first asked for a message. A quorum queue has
a line for each priority, with a place of its own in the store (see `levels`), and pages each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..message import Message
from ..store.base import Counters, Store
from .arguments import QUORUM, Arguments
from .binding import Binding, BindingKey
from .consumer import Consumer
from .entry import Entry, enter
from .fifo import Fifo
from .levels import NORMAL_LANE, Level, Levels, home
from .memory import ENTRY_COST, Memory
from .priorities import RankedConsumers, RankedEntries
from .traffic import Traffic

if TYPE_CHECKING:
    from .policies import Applied

_ENTRY_COST: Final = ENTRY_COST

PAGE_FLOOR: Final = 1 << 20
"""Bytes each queue may keep in memory whatever the others hold, so that none has to page for every message."""

PAGE_SIZE: Final = 1 << 20
"""Bytes to read back at a time."""

PAGE_LENGTH: Final = 1024
"""Messages to read back at a time, at most."""


STORED: Final = 1
"""Of `Queue.push`: the message was stored, and a confirm has to wait for the commit."""

REFUSED: Final = 2
"""The queue is full and does not take it."""

_STORED: Final = STORED

PURGED_AT_ONCE: Final = 500
"""Messages that a step of `Queue.purging` removes from the store."""


class Limits(Protocol):
    """What watches over a queue whose length or lifetimes are limited, or that has a place for dead letters.

    Plain queues have none, and pay nothing. It works on its queue by `admit`, `first` and `drop_first`.
    """

    def push(self, message: Message) -> int:
        """In place of `Queue.push`."""
        ...

    def expire(self, patient: bool = False) -> bool:
        """Called before the first entry is handed out, and after: what has expired, or is too much, is to go.

        False when that is not done yet, and the first entry may not be handed out: it dispatches when it is. When
        `patient` it may take longer, since somebody waits for an answer.
        """
        ...

    def returned(self, entries: list[Entry], counted: bool) -> list[Entry]:
        """Called with unacked entries that are to be requeued, in order: those that may be.

        The others are for it to settle, or to hold (`Queue.hold`). `counted`: that they came back counts against them.
        """
        ...

    def recovered(self, deadline: int) -> None:
        """Called after a restart with the deadline of the first message."""
        ...

    def read_back(self, entries: list[Entry]) -> list[Entry]:
        """Called with what was read from the store if it has deadlines, or stems from an earlier run.

        Returns those that are ready; the others are held, to be handed back by `Queue.resume`.
        """
        ...

    def release_held(self) -> list[Entry]:
        """Called when the queue is purged or deleted: what was held is held no longer, and returned."""
        ...

    def rejected(self, entry: Entry) -> None:
        """Called before an entry is settled because a consumer does not want it."""
        ...

    def used(self) -> None:
        """Called when somebody declares the queue, gets from it, subscribes or leaves."""
        ...

    def close(self) -> None:
        """Called when the queue is deleted."""
        ...


class Queue:
    """A queue of messages. It knows its bindings but does not route; deleting it is its vhost's business."""

    is_queue = True

    __slots__ = (
        "_delivered_before",
        "_keeps_all",
        "_make_limits",
        "_next_paged",
        "_pager_used",
        "active",
        "arguments",
        "auto_delete",
        "consumers",
        "deleted",
        "durable",
        "effective",
        "had_consumer",
        "held",
        "held_bytes",
        "id",
        "incoming",
        "levels",
        "limits",
        "memory",
        "name",
        "next_seq",
        "owner",
        "paged",
        "paged_bytes",
        "pager",
        "policies",
        "prioritized",
        "ready",
        "ready_bytes",
        "rotation",
        "single_active",
        "store",
        "traffic",
        "unacked",
        "unacked_bytes",
    )

    def __init__(
        self,
        name: str,
        queue_id: int,
        store: Store,
        pager: Store | None,
        memory: Memory,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        owner: object | None = None,
        arguments: Arguments | None = None,
        recovered: Counters | None = None,
        make_limits: Callable[[Queue], Limits] | None = None,
    ) -> None:
        self.name = name
        self.id = queue_id  # in the store, whether or not it is durable
        self.store = store
        self.pager = pager  # None: transient messages stay in memory
        self.memory = memory
        self.durable = durable
        self.auto_delete = auto_delete  # deleted with its last consumer
        self.owner = owner  # of an exclusive queue: the connection that declared it
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.effective = self.arguments  # joined with what policies set
        self.policies: Applied | None = None  # those that apply to it
        self.incoming: dict[BindingKey, Binding] = {}
        self.deleted = False
        self.traffic = Traffic()
        self._keeps_all = self.arguments.get("x-queue-type") == QUORUM  # transient messages, too
        self._make_limits = make_limits
        self.limits: Limits | None = None  # what watches over it, if anything has to

        self.prioritized = "x-max-priority" in self.arguments
        # entries in memory, ascending by seq; of a priority queue, within each priority
        self.ready: Fifo = RankedEntries(self.arguments["x-max-priority"]) if self.prioritized else Fifo()
        self.levels: Levels | None = None  # where priorities have lines of their own: `ready`
        self.ready_bytes = 0  # of their bodies
        self.held = 0  # entries that came back, and are not to be handed out yet
        self.held_bytes = 0
        self.unacked = 0
        self.unacked_bytes = 0
        self.consumers: list[Consumer] = []  # in order of subscription
        self.rotation: Fifo = Fifo()  # consumers that may take a delivery; the next in turn first
        self.had_consumer = False
        self.single_active: bool = self.arguments.get("x-single-active-consumer", False)
        self.active: Consumer | None = None  # if so, the one that gets deliveries; the others wait for its end

        recovered = recovered or Counters()
        self.next_seq = recovered.next_seq
        self.paged = recovered.messages  # ready, behind all that are in memory, and only stored
        self.paged_bytes = recovered.bytes
        self._next_paged = 0  # no paged message has a lower seq
        self._pager_used = False
        self._delivered_before = recovered.delivered  # entries of an earlier run up to this seq may have been out

    # --- counts

    @property
    def message_count(self) -> int:
        """How many messages are ready."""
        return self.ready.length + self.paged

    @property
    def message_bytes(self) -> int:
        """Bytes of the bodies that are ready."""
        return self.ready_bytes + self.paged_bytes

    @property
    def exclusive_consumer(self) -> bool:
        """Whether a consumer has the queue to itself."""
        return any(consumer.exclusive for consumer in self.consumers)

    # --- messages in

    def push(self, message: Message) -> int:
        """Take a message in and hand it on if a consumer waits.

        Returns STORED when it was stored, so that a confirm has to wait; REFUSED when it was not taken; else 0.
        """
        if self.limits is not None or message.ttl >= 0:
            if self.limits is None and self._make_limits is not None:
                self.limits = self._make_limits(self)
            if self.limits is not None:
                return self.limits.push(message)
        return self.admit(message, 0)

    def admit(self, message: Message, deadline: int) -> int:
        """Take a message in whatever the limits say; see `push`. `deadline` is an entry's."""
        seq = self.next_seq
        self.next_seq = seq + 1
        self.traffic.published += 1
        memory = self.memory
        stored = self.durable and (message.persistent or self._keeps_all)
        if stored:
            if deadline:
                self.store.put(self.id, seq, message, deadline)
            else:
                self.store.put(self.id, seq, message)
        outcome = _STORED if stored else 0
        if (self.paged or memory.used >= memory.limit) and self._page_out(seq, message, stored, deadline):
            return outcome
        entry = enter(seq, message, stored)
        entry.deadline = deadline
        if self.ready.length == 0:
            consumer = self._next_consumer()
            if consumer is not None:
                self._deliver(consumer, entry)
                return outcome
        if self.consumers:
            memory.overtaken += 1
        self.ready.append(entry)
        self.ready_bytes += message.size
        memory.used += message.size + _ENTRY_COST
        return outcome

    def admit_to(self, line: Level, message: Message, deadline: int) -> int:
        """`admit`, to one of the lines that `line` makes: in a quorum queue, which stores all."""
        self.traffic.published += 1
        if self.ready.length == 0 and self.paged:
            self._page_in()
        seq = self.next_seq
        self.next_seq = seq + 1
        memory = self.memory
        self.store.put(home(self.id, line.lane), seq, message, deadline)
        crowded = memory.used >= memory.limit and self.pager is not None and line.length > 0
        if line.paged or (crowded and self.ready_bytes + self.ready.length * ENTRY_COST >= PAGE_FLOOR):
            if not line.paged:
                line.next_paged = seq
            line.paged += 1
            line.paged_bytes += message.size
            self.paged += 1
            self.paged_bytes += message.size
            return STORED
        entry = enter(seq, message, True)
        entry.lane = line.lane
        entry.deadline = deadline
        if self.ready.length == 0:
            consumer = self._next_consumer()
            if consumer is not None:
                self._deliver(consumer, entry)
                return STORED
        if self.consumers:
            memory.overtaken += 1
        self.ready.append(entry)
        self.ready_bytes += message.size
        memory.used += message.size + ENTRY_COST
        return STORED

    def line(self, lane: int, shared: bool) -> Level:
        """The line of a lane. The first other than the normal one makes the queue one of `Levels`."""
        levels = self.levels
        if levels is None:
            levels = self.levels = Levels(shared)
            for entry in self.ready:
                levels.append(entry)
            normal = levels.line(NORMAL_LANE)
            normal.paged = self.paged
            normal.paged_bytes = self.paged_bytes
            normal.next_paged = self._next_paged
            normal.delivered_before = self._delivered_before
            self.ready = levels
        return levels.line(lane)

    def recover_line(self, lane: int, shared: bool, recovered: Counters) -> None:
        """Called after a restart with what is known of each lane but the normal one."""
        line = self.line(lane, shared)
        line.paged = recovered.messages
        line.paged_bytes = recovered.bytes
        line.delivered_before = recovered.delivered
        self.paged += recovered.messages
        self.paged_bytes += recovered.bytes
        self.next_seq = max(self.next_seq, recovered.next_seq)

    def requeue(self, entries: Iterable[Entry], counted: bool = True) -> None:
        """Put unacked entries back in their old places, marked redelivered. They must be this queue's.

        `counted`: it counts against them where the number of returns is limited.
        """
        returned = sorted(entries, key=lambda entry: entry.seq)
        touched = dict.fromkeys([entry.consumer for entry in returned if entry.consumer is not None])
        if self.limits is not None and not self.deleted:
            returned = self.limits.returned(returned, counted)
        for entry in returned:
            self._release(entry)
            entry.redelivered = True
        if self.deleted:
            return
        self._put_back(returned)
        for consumer in touched:
            self._unpark(consumer)
        self.dispatch()

    def hold(self, entry: Entry) -> None:
        """An unacked entry came back that is not to be handed out before `resume`."""
        self._release(entry)
        entry.redelivered = True
        self._count_held([entry], 1)

    def take_back(self, entries: list[Entry], counted: bool = True) -> list[Entry]:
        """Do with unacked entries, which no consumer has, as `requeue` does, but hold those that are to come back.

        Those are returned. So a great many can be requeued a few at a time: all at once with `resume`, in the end.
        """
        if self.limits is not None and not self.deleted:
            entries = self.limits.returned(entries, counted)
        for entry in entries:
            self.hold(entry)
        return entries

    def resume(self, entries: list[Entry]) -> None:
        """Entries that were held may be handed out; they come in order of seq."""
        size = 0
        for entry in entries:
            size += entry.message.size
        self.held -= len(entries)
        self.held_bytes -= size
        if self.deleted:
            self.memory.used -= size + len(entries) * ENTRY_COST
            return
        self.ready_bytes += size
        self._line_up(entries)
        self.dispatch()

    # --- messages out

    def get(self, no_ack: bool) -> Entry | None:
        """The first ready entry, for basic.get; unacked from now on, unless `no_ack`. None when there is none."""
        traffic = self.traffic
        if self.limits is not None:
            self.limits.used()
        found = self.first() is not None
        if found and self.limits is not None:
            found = self.limits.expire(True) and self.first() is not None
        if not found:
            traffic.got_empty += 1
            return None
        entry = self._take()
        if entry.redelivered:
            traffic.redelivered += 1
        if no_ack:
            traffic.got_no_ack += 1
            if entry.stored:
                self._unstore(entry)
        else:
            traffic.got += 1
            self._retain(entry)
        if self.limits is not None:
            self.limits.expire()
        return entry

    def first(self) -> Entry | None:
        """The first ready entry, which stays where it is."""
        while self.ready.length == 0:
            if not self.paged:
                return None
            self._page_in()
        entry: Entry = self.ready.at(0)
        return entry

    def drop_first(self) -> Entry:
        """Remove the first ready entry for good; there must be one."""
        self.first()
        entry = self._take()
        if entry.stored:
            self._unstore(entry)
        return entry

    def settle(self, entry: Entry) -> None:
        """An unacked entry was acked, or rejected for good. Follow with `unpark` for its consumer."""
        if entry.stored and not self.deleted:
            self._unstore(entry)
        self._release(entry)

    def dispatch(self) -> None:
        """Hand ready entries to consumers until one side has none."""
        while self.ready.length or self.paged:
            if self.limits is not None and (not self.limits.expire() or (self.ready.length == 0 and not self.paged)):
                return
            consumer = self._next_consumer()
            if consumer is None:
                return
            if self.ready.length == 0:
                self._page_in()
                if self.limits is not None:
                    continue  # what was read may have expired
            self._deliver(consumer, self._take())

    def purge(self) -> int:
        """Drop all messages but the unacked ones. Returns how many there were."""
        return sum(self.purging())

    def purging(self) -> Iterator[int]:
        """`purge`, in steps: with the first all are out of the queue, and with the last out of the store."""
        count = self.message_count
        gone = list(self.ready)
        if self.paged:
            self._drop_paged()
        self._forget_ready()
        if self.held and self.limits is not None:
            held = self.limits.release_held()
            self._count_held(held, -1)
            gone += held
            count += len(held)
        gone.reverse()
        yield count
        while gone:
            for _ in range(min(PURGED_AT_ONCE, len(gone))):
                entry = gone.pop()
                if entry.stored and not self.deleted:
                    self._unstore(entry)
            yield 0

    def close(self) -> None:
        """The queue is deleted: forget everything, and tell the consumers. Entries still out may be settled."""
        self.deleted = True
        if self.limits is not None:
            self._count_held(self.limits.release_held(), -1)
            self.limits.close()
            self.limits = None
        if self.durable:
            self.store.drop(self.id)
            for line in self.levels.lines if self.levels is not None else ():
                if line.lane:
                    self.store.drop(home(self.id, line.lane))
        if self._pager_used and self.pager is not None:
            self.pager.drop(self.id)
        self.paged = self.paged_bytes = 0
        self._forget_ready()
        consumers, self.consumers = self.consumers, []
        self.active = None
        self.rotation.clear()
        for consumer in consumers:
            consumer.sink.cancelled(consumer)

    # --- consumers

    def add_consumer(self, consumer: Consumer) -> None:
        """Subscribe. Deliveries start with the next `dispatch`."""
        self.consumers.append(consumer)
        self.had_consumer = True
        if self.limits is not None:
            self.limits.used()
        consumer.parked = False
        if consumer.priority and not isinstance(self.rotation, RankedConsumers):
            self.rotation = RankedConsumers(self.rotation)
        if not self.single_active:
            self.rotation.append(consumer)
        elif self.active is None:
            self._activate(consumer)

    def remove_consumer(self, consumer: Consumer) -> None:
        """Unsubscribe; entries that are out with the consumer stay so. Does nothing when it is not there.

        Another may be active then: let deliveries go on with `dispatch`.
        """
        if consumer in self.consumers:
            self.consumers.remove(consumer)
        self.rotation.replace([other for other in self.rotation if other is not consumer])
        consumer.parked = False
        if consumer is self.active:
            self.active = None
            if self.consumers:
                self._activate(max(self.consumers, key=lambda other: other.priority))
        if self.limits is not None:
            self.limits.used()

    def unpark(self, consumer: Consumer) -> None:
        """A limit of the consumer may have eased: give it its turn again, and deliver."""
        if consumer.parked and consumer.can_take():
            self._unpark(consumer)
            self.dispatch()

    def _activate(self, consumer: Consumer) -> None:
        self.active = consumer
        self.rotation.append(consumer)

    def _unpark(self, consumer: Consumer) -> None:
        if consumer.parked:
            consumer.parked = False
            self.rotation.append(consumer)

    def _next_consumer(self) -> Consumer | None:
        rotation = self.rotation
        while rotation.length:
            consumer: Consumer = rotation.at(0)
            if consumer.can_take():
                if rotation.length > 1:
                    rotation.rotate()
                return consumer
            rotation.popleft()
            consumer.parked = True
        return None

    # --- an entry's way

    def _take(self) -> Entry:
        entry: Entry = self.ready.popleft()
        size = entry.message.size
        self.ready_bytes -= size
        self.memory.used -= size + _ENTRY_COST
        if self.levels is not None and self.paged:
            self._page_in()
        return entry

    def _deliver(self, consumer: Consumer, entry: Entry) -> None:
        self.memory.delivered += 1
        if entry.redelivered:
            self.traffic.redelivered += 1
        if consumer.no_ack:
            self.traffic.delivered_no_ack += 1
            consumer.sink.deliver(consumer, entry)
            if entry.stored:
                self._unstore(entry)
        else:
            self.traffic.delivered += 1
            entry.consumer = consumer
            consumer.unacked += 1
            consumer.window.used += 1
            self._retain(entry)
            consumer.sink.deliver(consumer, entry)

    def _unstore(self, entry: Entry) -> None:
        message = entry.message
        self.store.delete(self.id if entry.lane == 0 else home(self.id, entry.lane), entry.seq, message)
        # of a message with an id other queues may have copies, which are still to be written
        if message.receipt is not None and message.id == 0:
            message.receipt.consumed(message.number)

    def _retain(self, entry: Entry) -> None:
        entry.queue = self
        size = entry.message.size
        self.unacked += 1
        self.unacked_bytes += size
        self.memory.used += size + _ENTRY_COST
        if entry.stored:
            self.store.delivered(self.id if entry.lane == 0 else home(self.id, entry.lane), entry.seq)

    def _release(self, entry: Entry) -> None:
        size = entry.message.size
        self.unacked -= 1
        self.unacked_bytes -= size
        self.memory.used -= size + _ENTRY_COST
        consumer = entry.consumer
        if consumer is not None:
            consumer.unacked -= 1
            consumer.window.used -= 1
            entry.consumer = None
        entry.queue = None

    def _put_back(self, entries: list[Entry]) -> None:
        """Let entries, in order of seq, stand where they were."""
        for entry in entries:
            self.ready_bytes += entry.message.size
            self.memory.used += entry.message.size + ENTRY_COST
        self._line_up(entries)

    def _line_up(self, entries: list[Entry]) -> None:
        one_line = not self.prioritized and self.levels is None
        if one_line and entries and self.ready.length and entries[-1].seq > self.ready.at(0).seq:
            self.ready.replace(sorted([*entries, *self.ready], key=lambda entry: entry.seq))
        else:
            self.ready.prepend(entries)

    def _count_held(self, entries: list[Entry], sign: int) -> None:
        for entry in entries:
            self.held += sign
            self.held_bytes += sign * entry.message.size
            self.memory.used += sign * (entry.message.size + ENTRY_COST)

    def _forget_ready(self) -> None:
        self.memory.used -= self.ready_bytes + self.ready.length * ENTRY_COST
        self.ready.clear()
        self.ready_bytes = 0

    # --- paging

    def _page_out(self, seq: int, message: Message, stored: bool, deadline: int) -> bool:
        """Leave a new message to its store alone; false when it has to stay in memory after all."""
        pager = self.pager
        if self.prioritized or (pager is None and not (stored and self.paged)):
            while self.paged:  # recovered messages, which come first
                self._page_in()
            return False
        if not self.paged:
            if self.ready.length == 0 or self.ready_bytes + self.ready.length * ENTRY_COST < PAGE_FLOOR:
                return False
            self._next_paged = seq
        if pager is not None and not stored:
            pager.put(self.id, seq, message, deadline)
            self._pager_used = True
            self.memory.paged_out += 1
        self.paged += 1
        self.paged_bytes += message.size
        return True

    def read_paged(self, first: int, limit: int, line: Level | None = None) -> list[Entry]:
        """Paged messages, of a line where there are several, from a seq on; they stay where they are.

        In order, and as they will be when they are read back.
        """
        if line is not None:
            return self._read_line(line, first, limit)
        if not self.paged:
            return []
        first = max(first, self._next_paged)
        entries = [_paged_in(place, True) for place in (self.store.read(self.id, first, limit) if self.durable else ())]
        if self._pager_used and self.pager is not None:
            entries += [_paged_in(place, False) for place in self.pager.read(self.id, first, limit)]
            entries = sorted(entries, key=lambda entry: entry.seq)[:limit]
        for entry in entries:
            entry.redelivered = entry.seq <= self._delivered_before
        return entries

    def _read_line(self, line: Level, first: int, limit: int) -> list[Entry]:
        if not line.paged:
            return []
        places = self.store.read(home(self.id, line.lane), max(first, line.next_paged), limit)
        entries = [_paged_in(place, True) for place in places]
        for entry in entries:
            entry.lane = line.lane
            entry.redelivered = entry.seq <= line.delivered_before
        return entries

    def _page_in(self) -> None:
        """Read the next paged messages, to stand behind all that are ready."""
        if self.levels is not None:
            for line in self.levels.lines:
                while line.length == 0 and line.paged:
                    self._page_in_line(line)
            return
        limit = max(1, min(PAGE_LENGTH, PAGE_SIZE * self.paged // (self.paged_bytes + 1)))
        if self.prioritized:
            limit = self.paged
        entries = self.read_paged(self._next_paged, limit)
        if entries and self._pager_used and self.pager is not None:
            self.pager.drop(self.id, self._next_paged, entries[-1].seq)
        self._next_paged = self._take_back(entries)

    def _page_in_line(self, line: Level) -> None:
        limit = max(1, min(PAGE_LENGTH, PAGE_SIZE * line.paged // (line.paged_bytes + 1)))
        entries = self.read_paged(line.next_paged, limit, line)
        for entry in entries:
            line.paged -= 1
            line.paged_bytes -= entry.message.size
        line.next_paged = self._take_back(entries)

    def _take_back(self, entries: list[Entry]) -> int:
        """Let entries stand in line that were only stored. Returns the least seq the next may have."""
        if not entries:
            raise RuntimeError(f"queue '{self.name}' counts {self.paged} paged messages, but its store has none")
        unread = entries[-1].seq + 1
        size = 0
        mortal = False
        for entry in entries:
            size += entry.message.size
            mortal = mortal or entry.deadline != 0
        self.paged -= len(entries)
        self.paged_bytes -= size
        if mortal and self.limits is None and self._make_limits is not None:
            self.limits = self._make_limits(self)
        if self.limits is not None and (mortal or entries[0].redelivered):
            ready = self.limits.read_back(entries)
            if len(ready) < len(entries):
                self._count_held(list(set(entries).difference(ready)), 1)
                entries = ready
        for entry in entries:
            self.ready.append(entry)
            self.ready_bytes += entry.message.size
            self.memory.used += entry.message.size + ENTRY_COST
        return unread

    def _drop_paged(self) -> None:
        last = self.next_seq - 1  # the next message may share a batch with this
        if self.levels is not None:
            for line in self.levels.lines:
                if line.paged:
                    self.store.drop(home(self.id, line.lane), line.next_paged, last)
                line.paged = line.paged_bytes = 0
        elif self.durable:
            self.store.drop(self.id, self._next_paged, last)
        if self._pager_used and self.pager is not None:
            self.pager.drop(self.id, self._next_paged, last)
        self._next_paged = self.next_seq
        self.paged = self.paged_bytes = 0


def _paged_in(place: tuple[int, Message, int], stored: bool) -> Entry:
    seq, message, deadline = place
    entry = enter(seq, message, stored)
    entry.deadline = deadline
    return entry
