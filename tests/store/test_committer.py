"""Group commit, with a real event loop and a real thread.

A `GatedStore` writes when its gate is open, so that a test can hold a batch in flight; and fails when told to.
"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from amqpd.message import make_message
from amqpd.store.base import Kind
from amqpd.store.batch import PUT_COST, Batch
from amqpd.store.committer import Committer
from amqpd.store.lmdb_store import LmdbStore

PATIENCE = 20.0


class GatedStore(LmdbStore):
    """A store on a disk with a gate in front."""

    def __init__(self, folder: Path, map_size: int = 64 << 20) -> None:
        super().__init__(folder, sync=False, map_size=map_size)
        self.recover()
        self.gate = threading.Event()
        self.gate.set()
        self.knocked = threading.Event()  # somebody wanted to write
        self.faults: list[BaseException] = []  # to be raised by the next writes
        self.sizes: list[int] = []  # of the batches written: how many puts
        self.threads: set[int] = set()
        self.grow_to = 0  # bytes to enlarge the map to before the next write

    def write(self, batch: Batch) -> None:
        self.threads.add(threading.get_ident())
        self.knocked.set()
        assert self.gate.wait(PATIENCE)
        if self.faults:
            raise self.faults.pop(0)
        if self.grow_to:
            self._env.set_mapsize(self.grow_to)
        super().write(batch)
        self.sizes.append(sum(len(changes.puts) for changes in batch.queues.values()))

    def put_one(self, seq: int, size: int = 10) -> None:
        self.put(1, seq, make_message("x", "k", bytes(size)))


class Observed:
    """A committer at work, and what it said."""

    def __init__(self, store: GatedStore) -> None:
        self.store = store
        self.said: list[str] = []
        self.errors: list[BaseException] = []
        self._heard = asyncio.Event()
        self.committer = Committer(
            store,
            asyncio.get_running_loop(),
            on_trouble=lambda error: self._hear("trouble", error),
            on_relief=lambda: self._hear("relief"),
            on_failure=lambda error: self._hear("failure", error),
            retry_interval=0.001,
        )
        self.committer.start()

    def note(self, word: str) -> Callable[[], None]:
        return lambda: self._hear(word)

    async def hear(self, word: str) -> None:
        """Wait until the word was said."""
        async with asyncio.timeout(PATIENCE):
            while word not in self.said:
                self._heard.clear()
                await self._heard.wait()

    async def knock(self) -> None:
        """Wait until a batch is at the gate."""
        assert await asyncio.to_thread(self.store.knocked.wait, PATIENCE)
        self.store.knocked.clear()

    def _hear(self, word: str, *errors: BaseException) -> None:
        self.said.append(word)
        self.errors += errors
        self._heard.set()


@pytest.fixture
def store(tmp_path: Path) -> GatedStore:
    return GatedStore(tmp_path / "store")


def test_a_change_is_committed_without_being_asked(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.put_one(0)
        store.when_committed(observed.note("committed"))
        await observed.hear("committed")
        assert observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == [1]


def test_callbacks_run_in_the_loops_thread_and_writes_do_not(store: GatedStore) -> None:
    callbacks: list[int] = []

    async def run() -> None:
        observed = Observed(store)
        store.put_one(0)
        store.when_committed(lambda: callbacks.append(threading.get_ident()))
        store.when_committed(observed.note("committed"))
        await observed.hear("committed")
        observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert callbacks == [threading.get_ident()]
    assert threading.get_ident() not in store.threads


def test_changes_of_one_turn_of_the_loop_are_one_batch(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        for seq in range(100):
            store.put_one(seq)
        store.when_committed(observed.note("committed"))
        await observed.hear("committed")
        observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == [100]


def test_what_comes_while_a_batch_is_written_is_the_next_batch(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.gate.clear()
        store.put_one(0)
        store.when_committed(observed.note("first"))
        await observed.knock()
        for seq in range(1, 50):
            store.put_one(seq)
            await asyncio.sleep(0)
        store.when_committed(observed.note("second"))
        assert observed.said == []
        store.gate.set()
        await observed.hear("second")
        assert observed.said == ["first", "second"]
        observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == [1, 49]


def test_nothing_is_confirmed_before_it_is_written(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.gate.clear()
        store.put_one(0)
        store.when_committed(observed.note("committed"))
        await observed.knock()
        for _ in range(10):
            await asyncio.sleep(0)
        assert observed.said == []
        store.gate.set()
        await observed.hear("committed")
        observed.committer.stop()
        store.close()

    asyncio.run(run())


def test_callbacks_keep_their_order_over_many_batches(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        for seq in range(200):
            store.put_one(seq)
            store.when_committed(observed.note(f"{seq}"))
            if seq % 7 == 0:
                await asyncio.sleep(0)
        await observed.hear("199")
        assert observed.said == [str(seq) for seq in range(200)]
        observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert sum(store.sizes) == 200
    assert len(store.sizes) < 100


def test_a_batch_whose_changes_undid_each_other_is_not_written_but_confirmed(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        message = make_message("x", "k", b"body")
        store.put(1, 0, message)
        store.when_committed(observed.note("committed"))
        store.delete(1, 0, message)
        await observed.hear("committed")
        observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == []


def test_a_batch_that_became_empty_is_confirmed_after_the_one_before_it(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.gate.clear()
        store.put_one(0)
        store.when_committed(observed.note("first"))
        await observed.knock()
        message = make_message("x", "k", b"body")
        store.put(1, 1, message)
        store.when_committed(observed.note("second"))
        store.delete(1, 1, message)
        await asyncio.sleep(0)
        store.gate.set()
        await observed.hear("second")
        assert observed.said == ["first", "second"]
        observed.committer.stop()
        store.close()

    asyncio.run(run())


def test_a_callback_may_make_the_next_change(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)

        def more() -> None:
            store.put_one(1)
            store.when_committed(observed.note("second"))

        store.put_one(0)
        store.when_committed(more)
        await observed.hear("second")
        observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == [1, 1]


def test_a_callback_that_fails_keeps_nobody_else_from_being_called(store: GatedStore) -> None:
    reported: list[object] = []

    def fail() -> None:
        raise ValueError("a bug in a callback")

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        observed = Observed(store)
        store.gate.clear()
        store.put_one(0)
        store.when_committed(fail)
        store.when_committed(observed.note("second"))
        store.when_committed(fail)
        store.when_committed(observed.note("fourth"))
        await observed.knock()
        store.put_one(1)
        store.when_committed(observed.note("next batch"))
        store.gate.set()
        await observed.hear("next batch")
        assert observed.said == ["second", "fourth", "next batch"]
        assert observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert [type(error) for error in reported] == [ValueError]
    assert store.sizes == [1, 1]


def test_stopping_waits_for_the_batch_in_flight_and_closing_writes_the_rest(store: GatedStore, tmp_path: Path) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.gate.clear()
        store.put_one(0)
        store.when_committed(observed.note("first"))
        await observed.knock()
        store.put_one(1)
        store.when_committed(observed.note("second"))
        store.gate.set()
        assert observed.committer.stop()
        assert observed.said == ["first"]
        store.close()
        assert observed.said == ["first", "second"]

    asyncio.run(run())
    again = LmdbStore(tmp_path / "store")
    assert again.recover().counters[1].messages == 2
    again.close()


def test_stopping_an_idle_committer_is_quick_and_right(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        assert observed.committer.stop()
        assert observed.said == []
        store.close()

    asyncio.run(run())


# --- when a write fails


@pytest.mark.parametrize(
    "fault",
    [
        lmdb.MapFullError("full"),
        lmdb.DiskError("input/output"),
        OSError(errno.ENOSPC, "no space left on device"),
        OSError(errno.EDQUOT, "disk quota exceeded"),
    ],
    ids=lambda fault: type(fault).__name__ + str(getattr(fault, "errno", "")),
)
def test_without_room_a_write_is_tried_until_there_is_some(store: GatedStore, fault: BaseException) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.faults = [fault, fault, fault]
        store.put_one(0)
        store.when_committed(observed.note("committed"))
        await observed.hear("committed")
        assert observed.said == ["trouble", "relief", "committed"]
        assert observed.errors == [fault]
        assert observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == [1]


def test_a_full_map_is_trouble_until_it_is_made_larger(tmp_path: Path) -> None:
    store = GatedStore(tmp_path / "store", map_size=1 << 20)

    async def run() -> None:
        observed = Observed(store)
        store.put_one(0, size=4 << 20)
        store.when_committed(observed.note("committed"))
        await observed.hear("trouble")
        assert isinstance(observed.errors[0], lmdb.MapFullError)
        assert store.lag == (4 << 20) + PUT_COST
        store.grow_to = 64 << 20
        await observed.hear("committed")
        assert observed.said == ["trouble", "relief", "committed"]
        assert store.lag == 0
        observed.committer.stop()
        store.close()

    asyncio.run(run())


CUT_SHORT = lmdb.Error("mdb_txn_commit: Input/output error")
"""What LMDB makes of a write that the disk took only a part of."""


def test_a_write_cut_short_by_a_full_disk_is_trouble(store: GatedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        observed = Observed(store)
        monkeypatch.setattr(store, "lacks_room", lambda batch: True)
        store.faults = [CUT_SHORT, CUT_SHORT]
        store.put_one(0)
        store.when_committed(observed.note("committed"))
        await observed.hear("committed")
        assert observed.said == ["trouble", "relief", "committed"]
        observed.committer.stop()
        store.close()

    asyncio.run(run())


def test_the_same_error_of_a_disk_with_room_is_a_failure(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.faults = [CUT_SHORT]
        store.put_one(0)
        await observed.hear("failure")
        assert observed.committer.stop() is False

    asyncio.run(run())


def test_changes_during_trouble_are_written_after_it(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.faults = [lmdb.MapFullError("full")] * 5
        store.put_one(0)
        await observed.hear("trouble")
        store.put_one(1)
        store.define(Kind.QUEUE, 1, {"name": "q"})
        store.when_committed(observed.note("committed"))
        await observed.hear("committed")
        assert observed.said == ["trouble", "relief", "committed"]
        observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == [1, 1]


@pytest.mark.parametrize(
    "fault", [lmdb.CorruptedError("bad page"), OSError(errno.EIO, "input/output error"), ValueError("a bug of ours")]
)
def test_after_any_other_failure_nothing_is_written_or_confirmed(store: GatedStore, fault: BaseException) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.faults = [fault]
        store.put_one(0)
        store.when_committed(observed.note("committed"))
        await observed.hear("failure")
        store.put_one(1)
        store.when_committed(observed.note("committed"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert observed.committer.stop() is False
        assert observed.said == ["failure"]
        assert observed.errors == [fault]

    asyncio.run(run())
    assert store.sizes == []


def test_stopping_ends_the_waiting_for_room(store: GatedStore) -> None:
    async def run() -> None:
        observed = Observed(store)
        store.faults = [lmdb.MapFullError("full")] * 1_000_000
        store.put_one(0)
        store.when_committed(observed.note("committed"))
        await observed.hear("trouble")
        assert observed.committer.stop() is False
        assert observed.said == ["trouble"]

    asyncio.run(run())
    assert store.sizes == []


def test_a_loop_that_is_gone_does_not_keep_the_thread(store: GatedStore) -> None:
    async def run() -> Observed:
        observed = Observed(store)
        store.gate.clear()
        store.put_one(0)
        store.when_committed(observed.note("committed"))
        await observed.knock()
        return observed

    observed = asyncio.run(run())
    store.gate.set()
    assert observed.committer.stop()
    assert observed.said == ["committed"]
    store.close()


def consumed_at_once(store: GatedStore, first: int, count: int, size: int) -> None:
    """Messages that are gone before they can be written."""
    message = make_message("x", "k", bytes(size))
    for seq in range(first, first + count):
        store.put(1, seq, message)
        store.delete(1, seq, message)


def test_a_batch_waits_for_consumers_that_keep_up(store: GatedStore) -> None:
    message = make_message("x", "k", bytes(10_000))

    async def run() -> None:
        observed = Observed(store)
        consumed_at_once(store, 0, 100, 10_000)
        store.put(1, 100, message)
        store.when_committed(observed.note("first"))
        await observed.hear("first")
        store.delete(1, 100, message)
        store.when_committed(observed.note("second"))
        await observed.hear("second")
        consumed_at_once(store, 200, 100, 10_000)
        await asyncio.sleep(0)
        # two batches whose messages were all consumed: the next waits, so that nothing of it is written
        store.put(1, 300, message)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        store.delete(1, 300, message)
        store.when_committed(observed.note("third"))
        await observed.hear("third")
        assert observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert sum(store.sizes) == 1


def test_a_batch_that_waits_is_written_when_it_has_grown_large(
    store: GatedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amqpd.store.patience.LONGEST", 1e9)
    monkeypatch.setattr("amqpd.store.patience.STEP", 1e9)
    monkeypatch.setattr("amqpd.store.committer.MOST", 100_000)

    async def run() -> None:
        observed = Observed(store)
        consumed_at_once(store, 0, 100, 10_000)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        store.put_one(200, 50_000)
        store.when_committed(observed.note("written"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert store.lag == 0, "what waits for consumers does not lag behind"
        assert observed.said == []
        store.put_one(201, 50_000)
        store.put_one(202, 1)
        await observed.hear("written")
        assert observed.committer.stop()
        store.close()

    asyncio.run(run())
    assert store.sizes == [3]
