"""The store on LMDB: one environment, seven named databases, one writing thread.

The loop thread fills the open batch and reads; `write` alone touches the write transaction and is called by the
committer's thread. LMDB's readers see the last committed state and never wait, so what is put and not yet written is
found in the batches.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import lmdb

from ..errors import StartupError
from ..message import Message
from . import records
from .base import MAX_SEQ, Counters, Definition, Kind, Place, Recovered, Returns
from .batch import Batch, QueueChanges

MAP_SIZE: Final = 1 << 40
"""Address space, in bytes, not disk: the file grows as it is used."""

NEVER: Final = 1 << 62

LEAST_ROOM: Final = 1 << 20
"""Bytes that a batch may take besides its bodies."""

PIECE_SIZE: Final = 1 << 20
"""Bytes of records that are encoded at a time."""

_READ_ALL: Final = """
import lmdb, os, sys
env = lmdb.open(sys.argv[1], readonly=True, lock=False, create=False)
env.copyfd(os.open(os.devnull, os.O_WRONLY), compact=True)
"""
"""A compacting copy visits every page in use, and no other."""

_SCHEMA_KEY: Final = b"schema"


class Space(NamedTuple):
    """Bytes there are for more."""

    spare: int  # in the file and in no use: LMDB writes there before it makes the file larger; it never shrinks
    left: int  # until the map is full
    map_size: int


class LmdbStore:
    """A `Store` in a folder. One process at a time may open it. `fresh`: what it held before is thrown away.

    Raises StartupError: 75 when another process has it open, 65 when it is damaged or was written by a newer version,
    73 when it cannot be created or written, 71 when there is no address space of that size.
    """

    def __init__(self, folder: Path, *, sync: bool = True, map_size: int = MAP_SIZE, fresh: bool = False) -> None:
        self.on_change: Callable[[], None] = lambda: None  # called when the open batch is due for a commit
        self.folder = folder
        self._lock = _lock_folder(folder)
        try:
            _prepare(folder, fresh)
            self._env = self._open(map_size, sync)
            with self._env.begin(db=self._messages) as txn, txn.cursor() as cursor:
                self._last_message_id = records.id_of(cursor.key()) if cursor.last() else 0
        except lmdb.MemoryError as error:
            os.close(self._lock)
            raise StartupError(
                f"cannot reserve {map_size} bytes of address space for data folder {folder}: lower store.map_size",
                os.EX_OSERR,
            ) from error
        except lmdb.Error as error:
            os.close(self._lock)
            raise _damaged(folder, error) from error
        except StartupError:
            os.close(self._lock)
            raise
        self._counters: dict[int, Counters] = {}  # written by the committer's thread alone, after `recover`
        self._returning: set[int] = set()  # queues in whose place messages ever came back; for the committer's thread
        self._batch = Batch()
        self._in_flight: Batch | None = None
        self._change_noted = False
        self._due_at = NEVER  # bytes in the open batch at which it waits for consumers no longer

    # --- what the model calls: the contract is in base.py

    def recover(self) -> Recovered:
        """See `Store.recover`. Raises StartupError 65 when a definition cannot be read."""
        recovered = Recovered()
        try:
            with self._env.begin(buffers=True) as txn:
                for key, record in txn.cursor(self._definitions):
                    kind, definition_id = records.kind_and_id(key)
                    recovered.definitions[kind][definition_id] = records.decode_definition(record)
                for key, record in txn.cursor(self._counters_db):
                    self._counters[records.id_of(key)] = records.decode_counters(record)
                for key, _ in txn.cursor(self._returns_db):
                    self._returning.add(records.seq_of(key)[0])
        except (lmdb.Error, ValueError, struct.error) as error:
            raise _damaged(self.folder, error) from error
        recovered.counters = {queue_id: replace(counters) for queue_id, counters in self._counters.items()}
        return recovered

    def new_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id

    def put(self, queue_id: int, seq: int, message: Message, deadline: int = 0) -> None:
        batch = self._batch
        batch.put(queue_id, seq, message, deadline)
        if not self._change_noted:
            self._note_change()
        elif batch.bytes >= self._due_at:
            self._due_at = NEVER
            self.on_change()

    def delete(self, queue_id: int, seq: int, message: Message) -> None:
        self._batch.delete(queue_id, seq, message)
        if not self._change_noted:
            self._note_change()

    def drop(self, queue_id: int, first: int = 0, last: int = MAX_SEQ) -> None:
        self._batch.drop(queue_id, first, last)
        self._note_change()

    def delivered(self, queue_id: int, seq: int) -> None:
        self._batch.delivered(queue_id, seq)

    def returned(self, queue_id: int, seq: int, returns: Returns) -> None:
        self._batch.returned(queue_id, seq, returns)
        self._note_change()

    def returns(self, queue_id: int, first: int, last: int) -> dict[int, Returns]:
        found: dict[int, Returns] = {}
        with self._env.begin(buffers=True) as txn, txn.cursor(self._returns_db) as cursor:
            if cursor.set_range(records.entry_key(queue_id, first)):
                for key, record in cursor:
                    owner, seq = records.seq_of(key)
                    if owner != queue_id or seq > last:
                        break
                    found[seq] = records.decode_returns(record)
        for batch in (self._in_flight, self._batch):
            if batch is not None:
                found.update(batch.returns(queue_id, first, last))
        return found

    def define(self, kind: Kind, definition_id: int, definition: Definition) -> None:
        self._batch.definitions[kind, definition_id] = definition
        self._note_change()

    def undefine(self, kind: Kind, definition_id: int) -> None:
        self._batch.definitions[kind, definition_id] = None
        self._note_change()

    @property
    def lag(self) -> int:
        waiting = self._batch.bytes if self._due_at == NEVER else 0  # else it is our choice that they wait
        return waiting + (self._in_flight.bytes if self._in_flight is not None else 0)

    def when_committed(self, callback: Callable[[], None]) -> None:
        if not self._batch.is_empty() or self._batch.callbacks:
            self._batch.callbacks.append(callback)
        elif self._in_flight is not None:
            self._in_flight.callbacks.append(callback)
        else:
            callback()

    def read(self, queue_id: int, first: int, limit: int) -> list[Place]:
        found: list[Place] = []
        with self._env.begin() as txn, txn.cursor(self._entries) as cursor:
            if cursor.set_range(records.entry_key(queue_id, first)):
                load = partial(self._load, txn)
                found = records.decode_entries(islice(cursor.iternext(), limit), queue_id, load)
        for batch in (self._in_flight, self._batch):
            if batch is not None and len(found) < limit:
                # an in-flight batch may be on the disk already, before its callbacks have run
                unread = found[-1][0] + 1 if found else first
                found += batch.puts(queue_id, unread)[: limit - len(found)]
        return found

    def space(self) -> Space:
        """How much may still be written."""
        env = self._env
        info = env.info()
        page = env.stat()["psize"]
        used = 2 + _pages(env.stat())  # with the two that say where all others are
        with env.begin() as txn:
            for database in self._databases:
                used += _pages(txn.stat(database))
        return Space(max(0, info["last_pgno"] + 1 - used) * page, info["map_size"] - used * page, info["map_size"])

    def close(self) -> None:
        self.commit()
        self._env.close()
        os.close(self._lock)

    # --- what the committer calls

    @property
    def has_changes(self) -> bool:
        """Whether the open batch holds anything that is due for a commit."""
        return self._change_noted or bool(self._batch.callbacks)

    @property
    def open_batch(self) -> Batch:
        """What the next `take_batch` takes."""
        return self._batch

    def wait_until(self, size: int) -> None:
        """Leave the open batch open; `on_change` is called when it holds so many bytes of bodies."""
        self._due_at = size

    def take_batch(self) -> Batch:
        """The open batch, now in flight; the next change opens another. One batch may be in flight at a time."""
        if self._in_flight is not None:
            raise RuntimeError("a batch is in flight already")
        batch = self._in_flight = self._batch
        self._batch = Batch()
        self._change_noted = False
        self._due_at = NEVER
        return batch

    def write(self, batch: Batch) -> None:
        """Make a batch durable: one transaction, one sync. Called in the committer's thread.

        Raises lmdb.Error or OSError when it could not; then nothing of the batch was kept.
        """
        if batch.is_empty():
            return
        changed: dict[int, Counters | None] = {}
        with self._env.begin(write=True, buffers=True) as txn:
            self._write_definitions(txn, batch)
            self._write_new_messages(txn, batch)
            released = dict(batch.released)
            for queue_id in sorted(batch.queues):
                changed[queue_id] = self._write_queue(txn, queue_id, batch.queues[queue_id], released)
            self._release(txn, released)
        for queue_id, counters in changed.items():
            if counters is None:
                self._counters.pop(queue_id, None)
            else:
                self._counters[queue_id] = counters

    def lacks_room(self, batch: Batch) -> bool:
        """Whether the file system has too little free space for a batch."""
        system = os.statvfs(self.folder)
        return system.f_bavail * system.f_frsize < 2 * batch.bytes + LEAST_ROOM

    def committed(self, batch: Batch) -> None:
        """Run the callbacks of a batch that was written, in the order they were asked for."""
        self._in_flight = None
        with ExitStack() as callbacks:  # which calls all of them, even when one fails
            for callback in reversed(batch.callbacks):
                callbacks.callback(callback)

    def commit(self) -> None:
        """Write and call back until nothing is open, in the calling thread."""
        while not self._batch.is_empty() or self._batch.callbacks:
            batch = self.take_batch()
            self.write(batch)
            self.committed(batch)

    # --- inside a transaction

    def _write_definitions(self, txn: lmdb.Transaction, batch: Batch) -> None:
        for (kind, definition_id), definition in batch.definitions.items():
            key = records.definition_key(kind, definition_id)
            if definition is None:
                txn.delete(key, db=self._definitions)
            else:
                txn.put(key, records.encode_definition(definition), db=self._definitions)

    def _write_new_messages(self, txn: lmdb.Transaction, batch: Batch) -> None:
        if not any(batch.shares.values()):
            return
        for changes in batch.queues.values():
            for message in changes.puts.values():
                copies = batch.shares.get(message.id)
                if copies:
                    key = records.id_key(message.id)
                    if txn.put(key, records.count_record(copies), db=self._shares, overwrite=False):
                        txn.put(key, records.encode_message(message), db=self._messages)

    def _write_queue(
        self, txn: lmdb.Transaction, queue_id: int, changes: QueueChanges, released: dict[int, int]
    ) -> Counters | None:
        """Returns the queue's counters as they are then; None when it is dropped."""
        counters = replace(self._counters.get(queue_id) or Counters())
        entry_key = records.entry_key
        with txn.cursor(self._entries) as cursor:
            for seq in changes.deletes:
                txn.delete(entry_key(queue_id, seq), db=self._entries)
            if changes.returns or queue_id in self._returning:
                self._write_returns(txn, queue_id, changes)
            counters.messages -= len(changes.deletes)
            counters.bytes -= changes.freed
            for first, last in changes.drops:
                self._drop_range(txn, cursor, queue_id, first, last, counters, released)
            dropped = (0, MAX_SEQ) in changes.drops
            if dropped:
                counters = Counters()
            if changes.puts:  # after the drops: what they dropped is not among the puts any more
                for entries in records.encode_entries(queue_id, changes.puts, changes.deadlines, PIECE_SIZE):
                    cursor.putmulti(entries)
                counters.messages += len(changes.puts)
                counters.bytes += sum([message.size for message in changes.puts.values()])
                counters.next_seq = next(reversed(changes.puts)) + 1
            counters.delivered = max(counters.delivered, changes.delivered)
            counters.next_seq = max(counters.next_seq, counters.delivered + 1)  # a put that was undone counts
        key = records.id_key(queue_id)
        if dropped and not changes.puts:
            txn.delete(key, db=self._counters_db)
            return None
        txn.put(key, records.encode_counters(counters), db=self._counters_db)
        return counters

    def _write_returns(self, txn: lmdb.Transaction, queue_id: int, changes: QueueChanges) -> None:
        self._returning.add(queue_id)
        entry_key = records.entry_key
        for seq in changes.deletes:
            txn.delete(entry_key(queue_id, seq), db=self._returns_db)
        with txn.cursor(self._returns_db) as cursor:
            for first, last in changes.drops:
                more = cursor.set_range(entry_key(queue_id, first))
                while more and entry_key(queue_id, first) <= bytes(cursor.key()) <= entry_key(queue_id, last):
                    cursor.delete()
                    more = bool(cursor.key())  # as in `_drop_range`
        for seq, returns in changes.returns.items():
            txn.put(entry_key(queue_id, seq), records.encode_returns(returns), db=self._returns_db)

    def _drop_range(
        self,
        txn: lmdb.Transaction,
        cursor: lmdb.Cursor,
        queue_id: int,
        first: int,
        last: int,
        counters: Counters,
        released: dict[int, int],
    ) -> None:
        more = cursor.set_range(records.entry_key(queue_id, first))
        while more:
            key, record = cursor.item()
            owner, seq = records.seq_of(key)
            if owner != queue_id or seq > last:
                break
            record = records.without_deadline(record)
            message_id = records.reference_of(record)
            if message_id:
                released[message_id] = released.get(message_id, 0) + 1
                record = self._content(txn, message_id)
            counters.messages -= 1
            counters.bytes -= records.body_size_of(record)
            cursor.delete()
            more = bool(cursor.key())  # delete says yes behind the last entry of the database, too

    def _release(self, txn: lmdb.Transaction, released: dict[int, int]) -> None:
        for message_id, copies in released.items():
            key = records.id_key(message_id)
            record = txn.get(key, db=self._shares)
            left = (records.count_of(record) if record is not None else 0) - copies
            if left > 0:
                txn.put(key, records.count_record(left), db=self._shares)
            else:
                txn.delete(key, db=self._shares)
                txn.delete(key, db=self._messages)

    def _load(self, txn: lmdb.Transaction, message_id: int) -> Message:
        """A message whose content several queues share."""
        message = records.decode_message(self._content(txn, message_id))
        message.id = message_id
        return message

    def _content(self, txn: lmdb.Transaction, message_id: int) -> bytes:
        content: Any = txn.get(records.id_key(message_id), db=self._messages)
        if content is None:
            raise ValueError(f"message {message_id} is missing from the store")
        return bytes(content)

    def _note_change(self) -> None:
        if not self._change_noted:
            self._change_noted = True
            self.on_change()

    def _open(self, map_size: int, sync: bool) -> lmdb.Environment:
        env = lmdb.open(str(self.folder), map_size=map_size, max_dbs=16, sync=sync, metasync=sync, meminit=False)
        try:
            # pages that a cut file lacks would be a bus error, not an exception, when they are read; but LMDB does
            # not write last pages that were taken and given back within one transaction, so it may be short and whole
            size, page = (self.folder / "data.mdb").stat().st_size, env.stat()["psize"]
            if size < (env.info()["last_pgno"] + 1) * page and (size % page or not _is_whole(self.folder)):
                raise _damaged(self.folder, "data.mdb is shorter than its content")  # noqa: TRY301
            self._meta = env.open_db(b"meta")
            self._check_schema(env)
            self._definitions = env.open_db(b"definitions")
            self._counters_db = env.open_db(b"counters")
            self._entries = env.open_db(b"entries")
            self._messages = env.open_db(b"messages")
            self._shares = env.open_db(b"shares")
            self._returns_db = env.open_db(b"returns")
            self._databases = (
                self._meta,
                self._definitions,
                self._counters_db,
                self._entries,
                self._messages,
                self._shares,
                self._returns_db,
            )
        except BaseException:
            env.close()
            raise
        return env

    def _check_schema(self, env: lmdb.Environment) -> None:
        with env.begin(write=True, db=self._meta) as txn:
            found = txn.get(_SCHEMA_KEY)
            if found is None:
                txn.put(_SCHEMA_KEY, str(records.SCHEMA).encode())
            elif found != str(records.SCHEMA).encode():
                raise StartupError(
                    f"data folder {self.folder} was written by another version of amqpd (store schema"
                    f" {bytes(found).decode(errors='replace')}, this version reads {records.SCHEMA}): start that"
                    " version, or choose another folder with -D",
                    os.EX_DATAERR,
                )


def _pages(stat: Any) -> int:
    return int(stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"])


def _lock_folder(folder: Path) -> int:
    """Create the folder and hold its lock file open; the kernel lets go of the lock however the process ends."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # messages and password hashes are its owner's business
        lock = os.open(folder / "amqpd.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _not_writable(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise StartupError(
            f"data folder {folder} is in use by another amqpd (process {holder}): stop that one, or choose another"
            " folder with -D",
            os.EX_TEMPFAIL,
        ) from error
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _prepare(folder: Path, fresh: bool) -> None:
    """Remove what an earlier process left, or see that it may be written."""
    for name in ("data.mdb", "lock.mdb"):
        try:
            if fresh:
                (folder / name).unlink(missing_ok=True)
            elif (folder / name).exists():
                os.close(os.open(folder / name, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            raise _not_writable(folder / name, error) from error


def _is_whole(folder: Path) -> bool:
    """Whether all pages in use can be read. Another process reads them, since a missing one is the end of it."""
    command = [sys.executable, "-c", _READ_ALL, str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own


def _not_writable(path: Path, error: OSError) -> StartupError:
    kind = "file" if path.suffix else "folder"
    return StartupError(
        f"cannot write to data {kind} {path}: {error.strerror}; choose another folder with -D", os.EX_CANTCREAT
    )


def _damaged(folder: Path, error: Exception | str) -> StartupError:
    return StartupError(
        f"data folder {folder} cannot be read: {error}; nothing in it was changed: restore it from a backup, or choose"
        " another folder with -D",
        os.EX_DATAERR,
    )
