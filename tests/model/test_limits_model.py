"""A queue at its limits, against a list: lengths, lifetimes, returns and restarts in any order.

Whatever is done, what is ready is what a list says; each message that left otherwise than by an ack died once, for the
right reason, in order; and the store holds what is ready or out, and nothing else. Large bodies make the queue page.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from amqpd.broker.entry import Entry
from amqpd.broker.queue import REFUSED, STORED
from amqpd.store.memory import MemoryStore
from tests.broker.steps import Stage, consume, messages, reject

UNLIMITED = 1 << 30
CREDIT = 2


@dataclass
class Place:
    """A message in the model."""

    number: int
    size: int
    deadline: float  # in seconds
    returns: int = 0


class LimitsAgainstAList(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.places: list[Place] = []  # ready, in order
        self.got: dict[int, Entry] = {}  # numbers of those that basic.get took out
        self.held: dict[int, Entry] = {}  # and of those out with the consumer
        self.out: dict[int, Place] = {}
        self.expected: list[tuple[int, str]] = []  # deaths since the last look
        self.published = 0

    @initialize(
        quorum=st.booleans(),
        ttl=st.none() | st.integers(0, 3),
        length=st.none() | st.integers(0, 4),
        limit=st.integers(-1, 2),
        refuses=st.booleans(),
        pages=st.booleans(),
    )
    def set_up(self, quorum: bool, ttl: int | None, length: int | None, limit: int, refuses: bool, pages: bool) -> None:
        self.large = 1 << 19 if pages else 3
        self.ttl = UNLIMITED if ttl is None else ttl
        self.length = UNLIMITED if length is None else length
        self.refuses = refuses
        self.limit = limit if quorum and limit >= 0 else UNLIMITED
        arguments = {
            "message_ttl": None if ttl is None else 1000 * ttl,
            "max_length": length,
            "overflow": "reject-publish-dlx" if refuses else "drop-head",
            "delivery_limit": limit if quorum else None,
            "queue_type": "quorum" if quorum else None,
        }
        self.counts = quorum
        self.stage = Stage(MemoryStore(), pager=MemoryStore(), memory_limit=1 if pages else 1 << 30)
        self.stage.queue("dead")
        self.stage.queue(
            durable=True,
            dead_letter_exchange="",
            dead_letter_routing_key="dead",
            **{key: value for key, value in arguments.items() if value is not None},
        )
        self.find_queue()

    def find_queue(self) -> None:
        self.queue = self.stage.vhost.queues["q"]
        self.sink = None
        self.seen = 0

    @property
    def now(self) -> float:
        return self.stage.clock.now()

    # --- in

    @rule(ttl=st.none() | st.integers(0, 3), large=st.booleans(), times=st.integers(1, 4))
    def publish(self, ttl: int | None, large: bool, times: int) -> None:
        for _ in range(times):
            self.publish_one(ttl, self.large if large else 1)

    def publish_one(self, ttl: int | None, size: int) -> None:
        number = self.published
        self.published += 1
        lifetime = min(self.ttl, UNLIMITED if ttl is None else ttl)
        options = {} if ttl is None else {"ttl": 1000 * ttl}
        headers = {"number": number}
        (outcome,) = self.stage.publish(bytes(size), headers=headers, delivery_mode=2, **options)  # type: ignore[arg-type]
        if self.refuses and len(self.places) >= self.length:
            assert outcome == REFUSED
            self.expected.append((number, "maxlen"))
            return
        assert outcome == STORED
        self.places.append(Place(number, size, self.now + lifetime))
        if len(self.places) == 1:
            self.dispatch(fresh=True)
        self.tidy()

    def tidy(self) -> None:
        while self.places and not self.refuses and len(self.places) > self.length:
            self.expected.append((self.places.pop(0).number, "maxlen"))
        while self.places and self.places[0].deadline <= self.now:
            self.expected.append((self.places.pop(0).number, "expired"))

    def dispatch(self, *, fresh: bool = False) -> None:
        """What the consumer gets now; a fresh message goes to it whatever its limits."""
        while self.sink is not None:
            if not fresh:
                self.tidy()
            if not self.places or len(self.held) >= CREDIT:
                break
            place = self.places.pop(0)
            self.out[place.number] = place
            entry = self.sink.entries[self.seen]
            self.seen += 1
            self.held[place.number] = entry
        if self.sink is not None:
            assert len(self.sink.entries) == self.seen

    # --- out

    @rule()
    def subscribe(self) -> None:
        if self.sink is None:
            self.seen = 0
            self.consumer, self.sink = consume(self.queue, prefetch=CREDIT)
            self.dispatch()

    @rule()
    def leave(self) -> None:
        if self.sink is not None:
            self.queue.remove_consumer(self.consumer)
            self.sink = None
            self.got.update(self.held)
            self.held = {}

    @rule()
    def get(self) -> None:
        entry = self.queue.get(no_ack=False)
        assert (entry is None) == (not self.places)
        if entry is not None:
            place = self.places.pop(0)
            assert entry.message.headers["number"] == place.number
            assert (entry.message.headers.get("x-delivery-count") or 0) == place.returns
            self.out[place.number] = place
            self.got[place.number] = entry
            self.tidy()

    def take(self, data: st.DataObject) -> tuple[Place, Entry]:
        number = data.draw(st.sampled_from(sorted(self.out)))
        entry = self.got.pop(number, None) or self.held.pop(number)
        return self.out.pop(number), entry

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        _, entry = self.take(data)
        consumer = entry.consumer
        self.queue.settle(entry)
        if consumer is not None:
            self.queue.unpark(consumer)
        self.dispatch()

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        place, entry = self.take(data)
        consumer = entry.consumer
        reject(entry)
        self.expected.append((place.number, "rejected"))
        if consumer is not None:
            self.queue.unpark(consumer)
        self.dispatch()

    @precondition(lambda self: self.out)
    @rule(data=st.data(), counted=st.booleans())
    def requeue(self, data: st.DataObject, counted: bool) -> None:
        taken = [self.take(data)]
        if self.out and data.draw(st.booleans()):
            taken.append(self.take(data))
        self.queue.requeue([entry for _, entry in taken], counted=counted)
        for place, _ in sorted(taken, key=lambda pair: pair[0].number):
            place.returns += counted and self.counts
            if place.returns > self.limit:
                self.expected.append((place.number, "delivery_limit"))
            else:
                self.places.append(place)
        self.places.sort(key=lambda place: place.number)
        self.dispatch()
        self.tidy()

    @rule()
    def purge(self) -> None:
        assert self.queue.purge() == len(self.places)
        self.places = []

    # --- time and restarts

    @rule(seconds=st.sampled_from([0.5, 1, 2]))
    def wait(self, seconds: float) -> None:
        target = self.now + seconds
        while self.now < target:
            self.stage.clock.advance(0.5)
            self.tidy()

    @rule()
    def restart(self) -> None:
        self.look()
        self.stage.restart()
        self.stage.queue("dead")
        self.find_queue()
        self.places = sorted([*self.places, *self.out.values()], key=lambda place: place.number)
        self.out, self.got, self.held = {}, {}, {}
        self.stage.clock.advance(0)
        self.tidy()

    # --- what is always so

    @invariant()
    def as_many_are_ready(self) -> None:
        if self.published:
            assert self.queue.message_count == len(self.places)
            assert self.queue.message_bytes == sum(place.size for place in self.places)
            assert self.queue.unacked == len(self.out)

    @invariant()
    def each_died_once(self) -> None:
        if self.published:
            self.look()

    def look(self) -> None:
        letters = messages(self.stage.vhost.queues["dead"])
        deaths = [(letter.headers["number"], letter.headers["x-death"][0]["reason"]) for letter in letters]
        assert deaths == self.expected
        assert all("x-delivery-count" not in letter.headers for letter in letters)
        self.expected = []

    def teardown(self) -> None:
        if self.published:
            alive = sorted([*(place.number for place in self.places), *self.out])
            stored = [message.headers["number"] for _, message, _ in self.stage.store.read(self.queue.id, 0, 1 << 30)]
            assert stored == alive
            returns = self.stage.store.returns(self.queue.id, 0, 1 << 30)
            assert {each.counted for each in returns.values()} <= {1, 2} or self.limit == UNLIMITED


def test_a_queue_at_its_limits_holds_what_a_list_holds() -> None:
    run_state_machine_as_test(LimitsAgainstAList, settings=settings(max_examples=200, stateful_step_count=40))
