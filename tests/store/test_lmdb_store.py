"""The store on LMDB: the contract, and what a folder on a disk adds to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import lmdb
import pytest

from amqpd.errors import StartupError
from amqpd.message import make_message
from amqpd.store import records
from amqpd.store.base import Kind, Store
from amqpd.store.batch import PUT_COST
from amqpd.store.lmdb_store import LmdbStore
from tests.store.contract import Opened, StoreContract

MAP_SIZE = 64 << 20


def open_store(folder: Path, **options: object) -> LmdbStore:
    return LmdbStore(folder, **{"sync": False, "map_size": MAP_SIZE, **options})  # type: ignore[arg-type]


def recovered_store(folder: Path, **options: object) -> LmdbStore:
    store = open_store(folder, **options)
    store.recover()
    return store


def stay_open(store: Store) -> None:
    """Leave the changes in the open batch."""


def take_off(store: Store) -> None:
    """Put the changes in flight, as far as the disk; what was in flight lands."""
    assert isinstance(store, LmdbStore)
    land(store)
    store.take_batch()


def write_unacknowledged(store: Store) -> None:
    """The batch is on the disk, but the loop thread has not heard of it."""
    take_off(store)
    assert isinstance(store, LmdbStore)
    assert store._in_flight is not None
    store.write(store._in_flight)


def commit(store: Store) -> None:
    assert isinstance(store, LmdbStore)
    store.commit()


def land(store: LmdbStore) -> None:
    if store._in_flight is not None:
        store.write(store._in_flight)
        store.committed(store._in_flight)


class LandingStore(LmdbStore):
    """Closed as a committer and its store are: the batch in flight lands first. May be closed twice."""

    closed = False

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            land(self)
            super().close()


@pytest.fixture(params=[stay_open, take_off, commit], ids=["open", "in flight", "committed"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    advance: Callable[[Store], None] = request.param
    opened = Opened(lambda: LandingStore(tmp_path / "store", sync=False, map_size=MAP_SIZE), advance)
    yield opened
    opened.store.close()


class TestLmdbStore(StoreContract):
    pass


# --- what is on the disk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


def content(store: LmdbStore, name: bytes) -> dict[bytes, bytes]:
    """One of the named databases."""
    with store._env.begin() as txn:
        return dict(txn.cursor(store._env.open_db(name, txn=txn, create=False)))


def commits(store: LmdbStore) -> int:
    """How many transactions were ever written."""
    number: int = store._env.info()["last_txnid"]
    return number


def test_a_store_writes_the_records_it_is_said_to(folder: Path) -> None:
    store = recovered_store(folder)
    message = make_message("x", "k", b"body")
    store.put(1, 2, message)
    store.define(Kind.QUEUE, 3, {"name": "q"})
    store.commit()
    assert content(store, b"entries") == {records.entry_key(1, 2): records.encode_message(message)}
    assert content(store, b"definitions") == {
        records.definition_key(Kind.QUEUE, 3): records.encode_definition({"name": "q"})
    }
    assert content(store, b"counters") == {
        records.id_key(1): bytes.fromhex("0000000000000001 0000000000000004")
        + bytes.fromhex("0000000000000003 0000000000000000")
    }
    assert content(store, b"meta") == {b"schema": b"1"}
    store.close()


def test_content_that_queues_share_is_kept_once_and_as_long_as_one_has_it(folder: Path) -> None:
    store = recovered_store(folder)
    message = make_message("x", "k", bytes(10_000))
    message.id = store.new_message_id()
    for queue_id in (1, 2, 3):
        store.put(queue_id, 0, message)
    store.commit()
    assert content(store, b"messages") == {records.id_key(message.id): records.encode_message(message)}
    assert content(store, b"shares") == {records.id_key(message.id): records.count_record(3)}
    store.delete(1, 0, message)
    store.commit()
    assert content(store, b"shares") == {records.id_key(message.id): records.count_record(2)}
    store.drop(2)
    store.delete(3, 0, message)
    store.commit()
    assert content(store, b"messages") == content(store, b"shares") == content(store, b"entries") == {}
    store.close()


def test_a_delete_that_meets_its_put_keeps_both_from_the_disk(folder: Path) -> None:
    store = recovered_store(folder)
    called: list[str] = []
    before = commits(store)
    message = make_message("x", "k", b"body")
    store.put(1, 0, message)
    store.when_committed(lambda: called.append("committed"))
    store.delete(1, 0, message)
    assert store.lag == 0
    store.commit()
    assert called == ["committed"]
    assert commits(store) == before
    store.close()


def test_all_changes_of_a_batch_are_one_transaction(folder: Path) -> None:
    store = recovered_store(folder)
    before = commits(store)
    for seq in range(100):
        store.put(seq % 3, seq, make_message("x", "k", b"body"))
        store.define(Kind.QUEUE, seq, {})
    store.commit()
    assert commits(store) == before + 1
    store.close()


def test_deliveries_alone_are_not_worth_a_write(folder: Path) -> None:
    store = recovered_store(folder)
    store.put(1, 0, make_message("x", "k", b"body"))
    store.commit()
    before = commits(store)
    store.delivered(1, 0)
    store.commit()
    assert commits(store) == before
    store.close()


def test_a_batch_is_written_whole_or_not_at_all(folder: Path) -> None:
    store = recovered_store(folder, map_size=1 << 20)
    store.put(1, 0, make_message("x", "k", b"small"))
    store.commit()
    store.define(Kind.QUEUE, 1, {"name": "q"})
    store.put(2, 0, make_message("x", "k", b"small"))
    store.put(2, 1, make_message("x", "k", bytes(4 << 20)))
    batch = store.take_batch()
    with pytest.raises(lmdb.MapFullError):
        store.write(batch)
    assert list(content(store, b"entries")) == [records.entry_key(1, 0)]
    assert content(store, b"definitions") == {}
    assert list(content(store, b"counters")) == [records.id_key(1)]


def test_a_batch_that_failed_can_be_written_when_there_is_room(folder: Path) -> None:
    store = recovered_store(folder, map_size=1 << 20)
    store.put(1, 0, make_message("x", "k", bytes(4 << 20)))
    batch = store.take_batch()
    with pytest.raises(lmdb.MapFullError):
        store.write(batch)
    store._env.set_mapsize(MAP_SIZE)
    store.write(batch)
    store.committed(batch)
    store.close()
    again = open_store(folder)
    assert again.recover().counters[1].messages == 1
    again.close()


def test_one_batch_is_in_flight_at_a_time(folder: Path) -> None:
    store = recovered_store(folder)
    store.put(1, 0, make_message("x", "k", b"body"))
    batch = store.take_batch()
    with pytest.raises(RuntimeError, match="in flight already"):
        store.take_batch()
    store.write(batch)
    store.committed(batch)
    store.close()


def test_what_was_written_but_not_acknowledged_is_read_once(folder: Path) -> None:
    store = LandingStore(folder, sync=False, map_size=MAP_SIZE)
    store.recover()
    store.put(1, 0, make_message("x", "k", b"a"))
    store.put(1, 1, make_message("x", "k", b"b"))
    write_unacknowledged(store)
    store.put(1, 2, make_message("x", "k", b"c"))
    assert [seq for seq, _, _ in store.read(1, 0, 10)] == [0, 1, 2]
    assert [seq for seq, _, _ in store.read(1, 1, 1)] == [1]
    store.close()


def test_what_lags_is_what_was_put_and_is_not_committed(folder: Path) -> None:
    store = recovered_store(folder)
    store.put(1, 0, make_message("x", "k", bytes(10)))
    batch = store.take_batch()
    store.put(1, 1, make_message("x", "k", bytes(5)))
    assert store.lag == 15 + 2 * PUT_COST
    store.write(batch)
    store.committed(batch)
    assert store.lag == 5 + PUT_COST
    store.close()
    assert store.lag == 0


def test_a_change_is_announced_once_until_its_batch_is_taken(folder: Path) -> None:
    store = recovered_store(folder)
    announced: list[str] = []
    store.on_change = lambda: announced.append("change")
    store.put(1, 0, make_message("x", "k", b"a"))
    store.put(1, 1, make_message("x", "k", b"b"))
    store.define(Kind.QUEUE, 1, {})
    assert announced == ["change"]
    store.commit()
    store.drop(1)
    assert announced == ["change", "change"]
    store.close()


def test_a_fresh_store_throws_away_what_was_there(folder: Path) -> None:
    store = recovered_store(folder)
    store.put(1, 0, make_message("x", "k", b"old"))
    store.close()
    again = open_store(folder, fresh=True)
    assert again.recover().counters == {}
    assert again.read(1, 0, 10) == []
    again.close()


def test_a_store_of_many_messages_is_recovered_without_reading_them(folder: Path) -> None:
    store = recovered_store(folder)
    for seq in range(5000):
        store.put(1, seq, make_message("x", "k", b"body"))
    store.close()
    again = open_store(folder)
    before = again._env.info()["num_readers"]
    assert again.recover().counters[1].messages == 5000
    assert again._env.info()["num_readers"] <= before + 1
    again.close()


# --- folders that cannot be used: an exit code, one line with the remedy, and nothing changed


def refused(folder: Path) -> StartupError:
    with pytest.raises(StartupError) as caught:
        open_store(folder).recover()
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def written_folder(folder: Path, messages: int = 50) -> Path:
    store = recovered_store(folder)
    for seq in range(messages):
        store.put(1, seq, make_message("x", "k", bytes(1000)))
    store.define(Kind.QUEUE, 1, {"name": "q"})
    store.close()
    return folder / "data.mdb"


def test_a_folder_is_created_with_its_parents(tmp_path: Path) -> None:
    recovered_store(tmp_path / "a" / "b" / "c").close()
    assert (tmp_path / "a" / "b" / "c" / "data.mdb").exists()


def test_a_folder_in_use_is_refused_and_names_the_process(folder: Path) -> None:
    store = recovered_store(folder)
    error = refused(folder)
    assert error.exit_code == os.EX_TEMPFAIL
    assert f"is in use by another amqpd (process {os.getpid()})" in str(error)
    assert "-D" in str(error)
    store.put(1, 0, make_message("x", "k", b"still works"))
    store.close()
    recovered_store(folder).close()


def test_a_folder_in_use_by_another_process_is_refused(folder: Path) -> None:
    code = f"""
from pathlib import Path
from amqpd.store.lmdb_store import LmdbStore
store = LmdbStore(Path({str(folder)!r}))
print("open", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        assert f"process {process.pid}" in str(refused(folder))
        process.kill()
    # the kernel let go of the lock with the process
    recovered_store(folder).close()


@pytest.mark.parametrize("garbage", [b"garbage" * 2000, bytes(8192), b"x", bytes(3 * 4096)], ids=len)
def test_a_file_of_something_else_is_refused_and_left_alone(folder: Path, garbage: bytes) -> None:
    folder.mkdir()
    (folder / "data.mdb").write_bytes(garbage)
    error = refused(folder)
    assert error.exit_code == os.EX_DATAERR
    assert "nothing in it was changed" in str(error)
    assert (folder / "data.mdb").read_bytes() == garbage


@pytest.mark.parametrize("kept", [100, 4096, 8192, 12288, 0.3, 0.5, 0.9, -1])
def test_a_file_that_was_cut_is_refused_and_left_alone(folder: Path, kept: float) -> None:
    file = written_folder(folder)
    whole = file.read_bytes()
    size = len(whole) - 1 if kept < 0 else int(len(whole) * kept) if kept < 1 else int(kept)
    file.write_bytes(whole[:size])
    error = refused(folder)
    assert error.exit_code == os.EX_DATAERR
    assert "restore it from a backup" in str(error)
    assert file.read_bytes() == whole[:size]


@pytest.mark.parametrize(("count", "stride"), [(1034, 7), (3000, 3)])
def test_a_file_whose_last_pages_were_given_back_unwritten_is_whole(folder: Path, count: int, stride: int) -> None:
    message = make_message("x", "key", b"1")
    store = recovered_store(folder)
    for seq in range(count):
        store.put(2, seq, message)
    store.close()
    store = recovered_store(folder)
    for seq in sorted(range(count), key=lambda seq: (seq % stride, seq)):
        store.delete(2, seq, message)
    store.close()

    env = lmdb.open(str(folder), map_size=MAP_SIZE, readonly=True)
    announced = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
    env.close()
    assert (folder / "data.mdb").stat().st_size < announced, "not the case this is about"

    for round_ in range(3):
        store = recovered_store(folder)
        assert len(store.read(2, 0, 10)) == round_
        store.put(2, count + round_, message)
        store.close()


@pytest.mark.parametrize("version", [b"2", b"0", b"17.5", b"\xff"])
def test_a_store_of_another_version_is_refused_and_left_alone(folder: Path, version: bytes) -> None:
    file = written_folder(folder)
    env = lmdb.open(str(folder), max_dbs=8, map_size=MAP_SIZE)
    with env.begin(write=True) as txn:
        txn.put(b"schema", version, db=env.open_db(b"meta", txn=txn))
    env.close()
    before = file.read_bytes()
    error = refused(folder)
    assert error.exit_code == os.EX_DATAERR
    assert "was written by another version of amqpd" in str(error)
    assert "this version reads 1" in str(error)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("database", "key", "record"),
    [
        (b"definitions", records.definition_key(Kind.QUEUE, 1), b"\xc1"),
        (b"definitions", records.definition_key(Kind.QUEUE, 1), b"\x83\xa4name"),
        (b"definitions", records.definition_key(Kind.QUEUE, 1), b"\x05"),
        (b"definitions", records.definition_key(Kind.QUEUE, 1), b""),
        (b"definitions", b"\x63" + bytes(8), b"\x80"),
        (b"definitions", b"short", b"\x80"),
        (b"counters", records.id_key(1), b"short"),
        (b"counters", b"short", bytes(32)),
    ],
    ids=["not msgpack", "cut", "no table", "empty", "unknown kind", "short key", "short counters", "short queue id"],
)
def test_damaged_records_are_refused(folder: Path, database: bytes, key: bytes, record: bytes) -> None:
    written_folder(folder)
    env = lmdb.open(str(folder), max_dbs=8, map_size=MAP_SIZE)
    with env.begin(write=True) as txn:
        txn.put(key, record, db=env.open_db(database, txn=txn))
    env.close()
    error = refused(folder)
    assert error.exit_code == os.EX_DATAERR
    assert "cannot be read" in str(error)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        error = refused(folder)
        assert error.exit_code == os.EX_CANTCREAT
        assert "choose another folder with -D" in str(error)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_map_larger_than_the_address_space_names_the_setting(folder: Path) -> None:
    with pytest.raises(
        StartupError, match=r"cannot reserve 1152921504606846976 bytes .* lower store\.map_size"
    ) as caught:
        open_store(folder, map_size=1 << 60)
    assert caught.value.exit_code == os.EX_OSERR
    recovered_store(folder).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(folder: Path) -> None:
    written_folder(folder)
    (folder / "amqpd.lock").unlink()
    folder.chmod(0o555)
    try:
        error = refused(folder)
    finally:
        folder.chmod(0o755)
    assert error.exit_code == os.EX_CANTCREAT


def test_what_is_left_over_and_cannot_be_removed_is_refused_and_named(folder: Path) -> None:
    (folder / "data.mdb").mkdir(parents=True)
    with pytest.raises(StartupError, match=r"cannot write to data file .*data\.mdb: ") as caught:
        open_store(folder, fresh=True)
    assert caught.value.exit_code == os.EX_CANTCREAT
    (folder / "data.mdb").rmdir()
    open_store(folder, fresh=True).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_refused_and_named(folder: Path) -> None:
    file = written_folder(folder)
    file.chmod(0o444)
    with pytest.raises(StartupError, match=r"cannot write to data file .*data\.mdb: Permission denied"):
        open_store(folder)


def test_a_folder_refused_once_can_be_opened_when_it_is_right(folder: Path) -> None:
    file = written_folder(folder)
    whole = file.read_bytes()
    file.write_bytes(b"garbage" * 1000)
    refused(folder)
    file.write_bytes(whole[: len(whole) // 2])
    refused(folder)
    file.write_bytes(whole)
    store = open_store(folder)
    assert store.recover().counters[1].messages == 50
    store.close()


def test_a_copy_of_a_folder_is_the_same_store(folder: Path, tmp_path: Path) -> None:
    written_folder(folder)
    shutil.copytree(folder, tmp_path / "copy")
    store = open_store(tmp_path / "copy")
    assert store.recover().counters[1].messages == 50
    store.close()


def test_what_is_deleted_leaves_room_in_the_file(folder: Path) -> None:
    store = recovered_store(folder)
    before = store.space()
    messages = [make_message("x", "k", bytes(1000)) for _ in range(2000)]
    for seq, message in enumerate(messages, 1):
        store.put(1, seq, message)
    store.commit()
    full = store.space()
    assert full.spare < 1 << 20
    assert before.left - full.left > 2_000_000
    for seq, message in enumerate(messages, 1):
        store.delete(1, seq, message)
    store.commit()
    after = store.space()
    assert before.spare + 2_000_000 < after.spare < (folder / "data.mdb").stat().st_size
    assert after.left - full.left > 2_000_000
    assert after.map_size == MAP_SIZE
    store.close()


def test_a_folder_it_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "data" / "store", map_size=1 << 20)
    assert (tmp_path / "data" / "store").stat().st_mode & 0o777 == 0o700
    store.close()
