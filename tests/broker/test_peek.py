"""Looking at messages without disturbing them."""

from __future__ import annotations

from pathlib import Path

import pytest

from amqpd.broker.arguments import Arguments
from amqpd.broker.entry import Entry
from amqpd.broker.memory import ENTRY_COST
from amqpd.broker.peek import Place, is_of, look, ready_count
from amqpd.broker.queue import PAGE_FLOOR
from amqpd.broker.stream import AnyQueue
from amqpd.store.lmdb_store import LmdbStore
from tests.broker.steps import Stage, consume, take

LARGE = PAGE_FLOOR // 4


def seen(queue: AnyQueue, offset: int = 0, count: int = 1 << 30) -> list[tuple[int, bytes]]:
    """Positions and beginnings of bodies, looked at in as many steps as it takes."""
    found: list[tuple[int, Entry]] = []
    place: Place | None = Place()
    while place is not None and len(found) < count:
        some = look(queue, place, offset, count - len(found))
        found += some.found
        place = some.next
    return [(position, entry.message.body[:2]) for position, entry in found]


def test_ready_messages_are_seen_in_their_order_and_stay() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.publish(b"a", b"b", b"c")
    assert seen(queue) == [(0, b"a"), (1, b"b"), (2, b"c")]
    assert seen(queue, 1, 1) == [(1, b"b")]
    assert seen(queue, 3) == []
    assert seen(queue, 0, 0) == []
    entry = take(queue)
    assert (entry.message.body, entry.redelivered, queue.message_count) == (b"a", False, 2)
    assert queue.traffic.got == 1


def test_what_is_out_is_not_among_the_ready() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.publish(b"a", b"b")
    entry = take(queue)
    assert seen(queue) == [(0, b"b")]
    assert is_of(entry, queue)
    queue.settle(entry)
    assert not is_of(entry, queue)


def test_a_priority_queue_shows_what_comes_next_first() -> None:
    stage = Stage()
    queue = stage.queue(max_priority=5)
    stage.publish(b"a", priority=1)
    stage.publish(b"b", priority=3)
    stage.publish(b"c", priority=1)
    assert seen(queue) == [(0, b"b"), (1, b"a"), (2, b"c")]
    assert seen(queue, 1, 1) == [(1, b"a")]


@pytest.mark.parametrize("durable", [True, False])
def test_paged_messages_are_read_and_stay_where_they_are(tmp_path: Path, durable: bool) -> None:
    store, pager = [LmdbStore(tmp_path / name, sync=False, map_size=1 << 30) for name in ("store", "pager")]
    try:
        stage = Stage(store, pager=pager, memory_limit=0)
        queue = stage.queue(durable=durable)
        for number in range(20):
            stage.publish(b"%02d" % number + bytes(LARGE), delivery_mode=2 - number % 2)  # both in the store and paged
        paged, used, length = queue.paged, stage.broker.memory.used, queue.ready.length
        assert paged > 10
        everything = [(number, b"%02d" % number) for number in range(20)]
        assert seen(queue) == everything
        assert seen(queue, 15) == everything[15:]
        assert seen(queue, length - 1, 2) == everything[length - 1 : length + 1]
        assert (queue.paged, stage.broker.memory.used, queue.ready.length) == (paged, used, length)
        assert used == length * (LARGE + 2 + ENTRY_COST)
        assert [take(queue).message.body[:2] for _ in range(20)] == [body for _, body in everything]
    finally:
        store.close()
        pager.close()


def test_messages_of_an_earlier_run_are_shown_redelivered_as_they_will_be() -> None:
    stage = Stage()
    queue = stage.queue(durable=True)
    stage.publish(b"a", b"b", delivery_mode=2)
    take(queue)
    stage.publish(b"c", delivery_mode=2)  # what was out is kept with the next change
    stage.restart()
    queue = stage.vhost.queues["q"]  # type: ignore[assignment]
    found = look(queue, Place(), 0, 10).found
    assert [(entry.message.body, entry.redelivered) for _, entry in found] == [
        (b"a", True),
        (b"b", False),
        (b"c", False),
    ]
    assert queue.ready.length == 0


def test_a_priority_queue_of_an_earlier_run_is_read_to_know_its_order() -> None:
    stage = Stage()
    stage.queue(durable=True, max_priority=5)
    stage.publish(b"a", priority=1, delivery_mode=2)
    stage.publish(b"b", priority=3, delivery_mode=2)
    stage.restart()
    assert seen(stage.vhost.queues["q"]) == [(0, b"b"), (1, b"a")]


def test_lines_that_take_turns_are_shown_one_after_the_other(tmp_path: Path) -> None:
    store, pager = [LmdbStore(tmp_path / name, sync=False, map_size=1 << 30) for name in ("store", "pager")]
    try:
        stage = Stage(store, pager=pager, memory_limit=0)
        queue = stage.queue(durable=True, queue_type="quorum")
        for number in range(20):
            stage.publish(b"%02d" % number + bytes(LARGE), priority=number % 2 * 9, delivery_mode=2)
        assert queue.levels is not None
        assert queue.paged
        order = [*range(1, 20, 2), *range(0, 20, 2)]
        everything = list(enumerate([b"%02d" % number for number in order]))
        assert seen(queue) == everything
        for offset in range(20):
            assert seen(queue, offset, 3) == everything[offset : offset + 3]
        assert {take(queue).message.body[:2] for _ in range(20)} == {body for _, body in everything}
    finally:
        store.close()
        pager.close()


def test_a_stream_shows_what_is_left_of_it() -> None:
    stage = Stage()
    arguments: Arguments = {"x-queue-type": "stream"}
    stream = stage.vhost.declare_queue("s", durable=True, arguments=arguments)
    stage.publish(b"a", b"b", b"c", to="s")
    consume(stream.open_cursor({}))  # type: ignore[union-attr]
    assert ready_count(stream) == 3
    assert seen(stream) == [(0, b"a"), (1, b"b"), (2, b"c")]
    assert seen(stream, 2, 5) == [(2, b"c")]
