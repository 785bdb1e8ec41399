"""The store on LMDB against the one in memory: the same changes, batches at all stages, and restarts in between."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from amqpd.message import Message, make_message
from amqpd.store.base import MAX_SEQ, Kind, Returns
from amqpd.store.batch import Batch
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore

QUEUES = (1, 2, 3)


class DiskAgainstMemory(RuleBasedStateMachine):
    """A batch is open, in flight, or written and not acknowledged; `settled` when none is."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.memory = MemoryStore()
        self.disk = self.open()
        self.in_flight: Batch | None = None
        self.written = False
        self.next_seq = dict.fromkeys(QUEUES, 0)
        self.messages: dict[tuple[int, int], Message] = {}
        self.gone_up_to = dict.fromkeys(QUEUES, -1)  # the highest seq that was deleted or dropped and may be readable
        self.owed = 0
        self.called = 0

    def open(self) -> LmdbStore:
        store = LmdbStore(Path(self.folder.name) / "store", sync=False, map_size=1 << 28)
        self.recovered = store.recover()
        return store

    # --- changes

    @rule(
        queues=st.sets(st.sampled_from(QUEUES), min_size=1), size=st.sampled_from([0, 1, 5000]), times=st.integers(1, 3)
    )
    def put(self, queues: set[int], size: int, times: int) -> None:
        for _ in range(times):
            self.put_one(queues, size)

    def put_one(self, queues: set[int], size: int) -> None:
        message = make_message("x", "k", bytes(size))
        if len(queues) > 1:
            message.id = self.disk.new_message_id()
        for queue_id in sorted(queues):
            seq = self.next_seq[queue_id]
            self.next_seq[queue_id] = seq + 1
            self.messages[queue_id, seq] = message
            for store in (self.memory, self.disk):
                store.put(queue_id, seq, message)

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        queue_id, seq = data.draw(st.sampled_from(sorted(self.messages)))
        message = self.messages.pop((queue_id, seq))
        for store in (self.memory, self.disk):
            store.delete(queue_id, seq, message)
        self.gone_up_to[queue_id] = max(seq, self.gone_up_to[queue_id])

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), times=st.integers(1, 20))
    def come_back(self, data: st.DataObject, times: int) -> None:
        queue_id, seq = data.draw(st.sampled_from(sorted(self.messages)))
        for store in (self.memory, self.disk):
            store.returned(queue_id, seq, Returns(times, times + 1, times << 40))

    @rule(queue_id=st.sampled_from(QUEUES), data=st.data())
    def drop(self, queue_id: int, data: st.DataObject) -> None:
        last = self.next_seq[queue_id] - 1
        if data.draw(st.booleans()):
            self.drop_all(queue_id)
        elif last >= 0:
            first = data.draw(st.integers(0, last))
            last = data.draw(st.integers(first, last))
            for store in (self.memory, self.disk):
                store.drop(queue_id, first, last)
            self.forget(queue_id, first, last)

    def drop_all(self, queue_id: int) -> None:
        for store in (self.memory, self.disk):
            store.drop(queue_id)
        self.forget(queue_id, 0, self.next_seq[queue_id] - 1)

    def forget(self, queue_id: int, first: int, last: int) -> None:
        for place in [place for place in self.messages if place[0] == queue_id and first <= place[1] <= last]:
            del self.messages[place]
        self.gone_up_to[queue_id] = max(last, self.gone_up_to[queue_id])

    @rule(number=st.integers(1, 3), name=st.none() | st.text(max_size=3))
    def define(self, number: int, name: str | None) -> None:
        for store in (self.memory, self.disk):
            if name is None:
                store.undefine(Kind.QUEUE, number)
            else:
                store.define(Kind.QUEUE, number, {"name": name})

    @rule()
    def ask(self) -> None:
        self.owed += 1
        number = self.owed

        def call() -> None:
            self.called += 1
            assert self.called == number, "out of order"

        self.disk.when_committed(call)

    # --- the way to the disk

    @rule()
    def take_off(self) -> None:
        if self.in_flight is None:
            self.in_flight, self.written = self.disk.take_batch(), False

    @rule()
    def write(self) -> None:
        self.take_off()
        assert self.in_flight is not None
        if not self.written:
            self.disk.write(self.in_flight)
            self.written = True

    @rule()
    def land(self) -> None:
        if self.in_flight is not None:
            self.write()
            self.disk.committed(self.in_flight)
            self.in_flight = None

    @rule()
    def settle(self) -> None:
        self.land()
        self.disk.commit()
        assert self.called == self.owed
        self.gone_up_to = dict.fromkeys(QUEUES, -1)

    @rule()
    def restart(self) -> None:
        self.settle()
        self.disk.close()
        self.disk = self.open()
        expected = self.memory.recover()
        assert self.recovered.definitions == expected.definitions
        for queue_id in QUEUES:
            found, wanted = self.recovered.counters.get(queue_id), expected.counters.get(queue_id)
            counted = (found.messages, found.bytes) if found else (0, 0)
            assert counted == ((wanted.messages, wanted.bytes) if wanted else (0, 0))
            assert self.disk.returns(queue_id, 0, MAX_SEQ) == self.memory.returns(queue_id, 0, MAX_SEQ)
            stored = [seq for owner, seq in self.messages if owner == queue_id]
            if stored:
                assert found is not None
                assert found.next_seq > max(stored)
        self.check_shares()

    def check_shares(self) -> None:
        """Content is kept for exactly the messages that queues have."""
        with self.disk._env.begin() as txn:
            kept = [int.from_bytes(key, "big") for key, _ in txn.cursor(self.disk._messages)]
            shares = [int.from_bytes(record, "big") for _, record in txn.cursor(self.disk._shares)]
        ids = sorted({message.id for message in self.messages.values() if message.id})
        assert kept == ids
        assert sum(shares) == sum(1 for message in self.messages.values() if message.id)

    # --- what is always so

    @invariant()
    def the_same_is_read(self) -> None:
        for queue_id in QUEUES:
            first = self.gone_up_to[queue_id] + 1
            for limit in (1, 3, 1000):
                expected = self.memory.read(queue_id, first, limit)
                found = self.disk.read(queue_id, first, limit)
                assert [(seq, deadline) for seq, _, deadline in found] == [(seq, until) for seq, _, until in expected]
                for (_, one, _), (_, other, _) in zip(found, expected, strict=True):
                    assert (one.body, one.id) == (other.body, other.id)

    @invariant()
    def nothing_is_called_back_too_often(self) -> None:
        assert self.called <= self.owed

    def teardown(self) -> None:
        self.restart()
        for queue_id in QUEUES:
            self.drop_all(queue_id)
        self.settle()
        self.check_shares()
        with self.disk._env.begin() as txn:
            assert not txn.stat(self.disk._returns_db)["entries"]
        self.disk.close()
        self.folder.cleanup()


def test_a_disk_holds_what_memory_holds() -> None:
    run_state_machine_as_test(DiskAgainstMemory, settings=settings(max_examples=150, stateful_step_count=40))
