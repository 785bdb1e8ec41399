"""Group commit: one thread writes one batch at a time, and the next one fills meanwhile.

A change wakes the committer; at the end of the loop's turn it hands the open batch to its thread
if that is idle. While the thread writes and syncs, changes pile up in a new batch, which goes out as soon as the
thread is back. A lone change is thus on its way at once, and a flood is written in a few large transactions.

Where consumers keep up with a large flow, a batch waits for them a moment before it goes out; see `patience`.

A write that fails is never confirmed. Where the disk or the map is full, it is tried again until there is room, and
`on_trouble` and `on_relief` tell the broker to hold publishers meanwhile; `on_written` hears of the bytes of messages
that went to the disk, so that somebody looks in time how much more it takes. After any other failure nothing is written
any more: `on_failure` has to stop the process, since no confirm could be honest.
"""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

import lmdb

from .batch import Batch
from .lmdb_store import LmdbStore
from .patience import MOST, Patience

RETRY_INTERVAL: Final = 1.0
"""Seconds between attempts to write when there is no room."""


class Committer:
    """Commits a store's batches from a thread of its own, on behalf of an event loop.

    All callbacks run in the loop.
    """

    def __init__(
        self,
        store: LmdbStore,
        loop: asyncio.AbstractEventLoop,
        *,
        on_trouble: Callable[[BaseException], None],
        on_relief: Callable[[], None],
        on_failure: Callable[[BaseException], None],
        on_written: Callable[[int], None] = lambda size: None,
        retry_interval: float = RETRY_INTERVAL,
    ) -> None:
        self._store = store
        self._loop = loop
        self._on_trouble = on_trouble
        self._on_relief = on_relief
        self._on_failure = on_failure
        self._on_written = on_written
        self._retry_interval = retry_interval
        self._jobs: SimpleQueue[Batch | None] = SimpleQueue()
        self._batch: Batch | None = None  # in the thread's hands, or back and not yet acknowledged
        self._patience = Patience()
        self._timer: asyncio.TimerHandle | None = None  # while the open batch waits for consumers
        self._failure: BaseException | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Commit from now on whatever changes."""
        self._store.on_change = self._wake
        self._thread.start()

    def stop(self) -> bool:
        """Wait for the batch in flight. What is open stays open, for `Store.close` to commit.

        Returns whether everything submitted was written.
        """
        self._store.on_change = lambda: None
        self._stopping.set()
        self._jobs.put(None)
        self._thread.join()
        if self._failure is None:
            self._acknowledge()
        return self._failure is None

    def _wake(self) -> None:
        if self._batch is None:
            self._loop.call_soon(self._submit)

    def _submit(self) -> None:
        if self._batch is not None or self._failure is not None or self._stopping.is_set():
            return
        store = self._store
        waited = self._timer is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif wait := self._patience.seconds(store.open_batch):
            self._timer = self._loop.call_later(wait, self._submit)
            store.wait_until(MOST)
            return
        batch = store.take_batch()
        self._patience.learn(batch, waited=waited)
        if batch.is_empty():
            store.committed(batch)
            return
        self._batch = batch
        self._jobs.put(batch)

    def _acknowledge(self) -> None:
        if self._failure is not None:
            self._on_failure(self._failure)
        elif self._batch is not None:
            batch, self._batch = self._batch, None
            try:
                self._store.committed(batch)
                self._on_written(batch.bytes)
            finally:
                if self._store.has_changes:
                    self._submit()

    def _run(self) -> None:
        while (batch := self._jobs.get()) is not None:
            try:
                self._write(batch)
            except BaseException as error:  # noqa: BLE001 - handed to the loop, which stops the process
                self._failure = error
            self._tell(self._acknowledge)

    def _write(self, batch: Batch) -> None:
        in_trouble = False
        while True:
            try:
                self._store.write(batch)
            except Exception as error:
                full = _may_heal(error) or (_may_be_cut_short(error) and self._store.lacks_room(batch))
                if not full or self._stopping.is_set():
                    raise
                if not in_trouble:
                    in_trouble = True
                    self._tell(self._on_trouble, error)
                self._stopping.wait(self._retry_interval)
            else:
                if in_trouble:
                    self._tell(self._on_relief)
                return

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:  # the loop is closed: `stop` will look for itself
            return


def _may_be_cut_short(error: BaseException) -> bool:
    """Whether the disk may have become full in the middle of a write: LMDB says then what it says of a broken one.

    If so, the write may be tried again: the next attempt writes all of its pages anew.
    """
    return isinstance(error, lmdb.Error) and os.strerror(errno.EIO) in str(error)


def _may_heal(error: BaseException) -> bool:
    """Whether a write may succeed once somebody makes room."""
    return isinstance(error, (lmdb.MapFullError, lmdb.DiskError)) or getattr(error, "errno", 0) in (
        errno.ENOSPC,
        errno.EDQUOT,
    )
