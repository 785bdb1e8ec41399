"""Making messages durable: filling a batch, and writing it. The disk is that of the temporary folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from timing import Case, show

from amqpd.message import make_message
from amqpd.store.batch import Batch
from amqpd.store.lmdb_store import LmdbStore
from amqpd.wire.properties import PERSISTENT, Properties

QUEUE_ID = 1
SIZES = (100, 1_000, 10_000)


def cases() -> Iterator[Case]:
    """Batches of three sizes, of 1 KB messages; written with a sync, and without."""
    with tempfile.TemporaryDirectory(prefix="amqpd-micro-") as folder:
        for sync in (True, False):
            store = LmdbStore(Path(folder) / f"sync-{sync}", sync=sync)
            filler = _Filler(store)
            how = "write, sync" if sync else "write, no sync"
            for size in SIZES:
                yield Case(f"commit: {how}: {size:,} puts of 1 KB", size, filler.write, partial(filler.puts, size))
            for size in SIZES:
                yield Case(f"commit: {how}: {size:,} deletes", size, filler.write, partial(filler.deletes, size))
            if not sync:
                yield Case("commit: into the batch: put", 1_000, lambda put: put(1_000), filler.empty)
            store.close()


class _Filler:
    """Keeps the store small: what one call put is gone before the next."""

    def __init__(self, store: LmdbStore) -> None:
        self._store = store
        self._message = make_message("", "load", bytes(1024), Properties(delivery_mode=PERSISTENT))
        self._seq = 0  # the next
        self._batch: Batch | None = None  # written, and not acknowledged yet

    def empty(self) -> Callable[[int], None]:
        """`put`, with nothing there."""
        self.forget()
        return self.put

    def put(self, count: int) -> None:
        """Into the open batch."""
        for seq in range(self._seq, self._seq + count):
            self._store.put(QUEUE_ID, seq, self._message)
        self._seq += count

    def puts(self, count: int) -> Batch:
        """A batch that puts so many, when there are none."""
        self.forget()
        self.put(count)
        return self._take()

    def deletes(self, count: int) -> Batch:
        """A batch that deletes so many, which are all there are."""
        self.forget()
        self.put(count)
        self._store.commit()
        for seq in range(self._seq - count, self._seq):
            self._store.delete(QUEUE_ID, seq, self._message)
        return self._take()

    def write(self, batch: Batch) -> None:
        self._store.write(batch)

    def forget(self) -> None:
        """Everything stored, and what is in the open batch."""
        if self._batch is not None:
            self._store.committed(self._batch)
            self._batch = None
        self._store.drop(QUEUE_ID)
        self._store.commit()

    def _take(self) -> Batch:
        self._batch = self._store.take_batch()
        return self._batch


if __name__ == "__main__":
    show(cases())
