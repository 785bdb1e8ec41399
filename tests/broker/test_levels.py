"""Levels of priority in quorum queues: whose turn it is, paging each line, and what a restart finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amqpd.broker.compat import PROFILES
from amqpd.broker.entry import Entry
from amqpd.broker.fifo import Fifo
from amqpd.broker.levels import HIGHEST, NORMAL_LANE, Levels, home, lane_at, lane_of
from amqpd.broker.queue import PAGE_FLOOR, Queue
from amqpd.message import make_message
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties
from tests.broker.steps import Stage, consume, drain, make, messages, reject, take

LARGE = PAGE_FLOOR // 3


def staged(version: str = "default", **options: Any) -> Stage:
    return Stage(compat=PROFILES[version], **options)


def quorum(stage: Stage, **arguments: Any) -> Queue:
    return stage.queue(durable=True, queue_type="quorum", **arguments)


def publish(stage: Stage, *messages: tuple[bytes, int | None], size: int = 0) -> None:
    for body, priority in messages:
        stage.publish(body + bytes(size), priority=priority)


def names(bodies: list[bytes]) -> str:
    """Messages by their first letters."""
    return b"".join([body[:1] for body in bodies]).decode()


# --- lanes


@pytest.mark.parametrize(
    ("levels", "lanes"),
    [
        (1, {None: 0, 0: 0, 4: 0, 5: 0, 255: 0}),
        (2, {None: 0, 0: 0, 4: 0, 5: 6, 31: 6, 255: 6}),
        (32, {None: 0, 0: 1, 3: 4, 4: 0, 5: 6, 31: 32, 32: 32, 255: 32}),
    ],
)
def test_the_lane_of_a_priority(levels: int, lanes: dict[int | None, int]) -> None:
    for priority, lane in lanes.items():
        message = make_message("", "q", b"", Properties(priority=priority, headers={"a": 1}, message_id="m"))
        assert lane_of(message, levels) == lane


def test_the_store_knows_a_lane_by_an_id_of_its_own() -> None:
    assert home(7, NORMAL_LANE) == 7
    ids = {home(queue_id, lane) for queue_id in (1, 2, 1 << 40) for lane in range(HIGHEST + 2)}
    assert len(ids) == 3 * (HIGHEST + 2)
    assert max(ids) < 1 << 63
    assert lane_at(home(1 << 40, 6)) == (1 << 40, 6)


def test_places_in_line_are_in_order_of_priority() -> None:
    levels = Levels(False)
    for seq, lane in enumerate((0, 6, 1, 6)):
        entry = Entry(seq, make_message("", "q", b""), True)
        entry.lane = lane
        levels.append(entry)
    assert [levels.at(place).seq for place in range(4)] == [entry.seq for entry in levels] == [1, 3, 0, 2]
    with pytest.raises(IndexError):
        levels.at(4)
    with pytest.raises(IndexError):
        Levels(True).at(0)


# --- whose turn it is


def test_a_queue_without_priorities_has_a_plain_line() -> None:
    stage = staged()
    queue = quorum(stage)
    publish(stage, (b"a", None), (b"b", 0), (b"c", 4))
    assert queue.levels is None
    assert type(queue.ready) is Fifo
    assert drain(queue) == [b"a", b"b", b"c"]


def test_the_higher_of_two_levels_gets_two_turns_in_three() -> None:
    stage = staged()
    queue = quorum(stage)
    publish(stage, *[(b"n", 4)] * 4, *[(b"h", 5)] * 5)
    assert names(drain(queue)) == "hhnhhnhnn"


def test_all_above_the_normal_priority_are_alike_and_all_up_to_it_too() -> None:
    stage = staged()
    queue = quorum(stage)
    publish(stage, (b"a", 0), (b"b", 4), (b"C", 5), (b"d", None), (b"E", 255), (b"F", 6))
    assert names(drain(queue)) == "CEaFbd"


def test_a_turn_is_not_given_away_to_what_came_later() -> None:
    stage = staged()
    queue = quorum(stage)
    publish(stage, *[(b"h", 9)] * 4, (b"n", 1))
    assert names(drain(queue)) == "hhhhn"


def test_thirty_two_levels_are_strict() -> None:
    stage = staged("4.3")
    queue = quorum(stage)
    publish(stage, (b"a", None), (b"b", 4), (b"c", 3), (b"d", 5), (b"e", 31), (b"f", 200), (b"g", 0), (b"h", 3))
    assert names(drain(queue)) == "efdabchg"


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_older_versions_know_no_priorities(version: str) -> None:
    stage = staged(version)
    queue = quorum(stage)
    publish(stage, (b"a", 1), (b"b", 9))
    assert queue.levels is None
    assert drain(queue) == [b"a", b"b"]


def test_what_was_ready_before_the_first_priority_came_keeps_its_place() -> None:
    stage = staged()
    queue = quorum(stage)
    publish(stage, (b"a", None), (b"b", None), (b"H", 9))
    assert queue.message_count == 3
    assert queue.first().message.body == b"H"  # type: ignore[union-attr]
    assert names(drain(queue)) == "Hab"


def test_a_consumer_that_waits_gets_whatever_comes() -> None:
    stage = staged("4.3")
    queue = quorum(stage)
    _, sink = consume(queue)
    publish(stage, (b"a", 1), (b"b", 9), (b"c", None))
    assert sink.bodies == [b"a", b"b", b"c"]
    assert queue.message_count == 0


@pytest.mark.parametrize("version", ["4.2", "4.3"])
def test_what_comes_back_goes_to_its_old_place_among_its_priority(version: str) -> None:
    stage = staged(version)
    queue = quorum(stage)
    publish(stage, (b"a", 1), (b"b", 9), (b"c", 1), (b"d", 9))
    entries = [take(queue) for _ in range(3)]
    assert names([entry.message.body for entry in entries]) == ("bda")
    queue.requeue(entries)
    assert [(entry.message.body, entry.redelivered) for entry in (take(queue), take(queue))] == [
        (b"b", True),
        (b"d", True),
    ]
    assert names(drain(queue)) == "ac"


def test_what_comes_back_stands_before_what_is_behind_it_in_its_line() -> None:
    stage = staged("4.3")
    queue = quorum(stage)
    publish(stage, (b"a", 9), (b"b", 9), (b"c", 9), (b"d", None))
    first, second = take(queue), take(queue)
    queue.requeue([second])
    queue.requeue([first])
    assert names(drain(queue)) == "abcd"


def test_a_limited_length_drops_what_would_be_next() -> None:
    stage = staged("4.3")
    queue = quorum(stage, max_length=2)
    publish(stage, (b"a", 0), (b"b", 9), (b"c", 0))
    assert names(drain(queue)) == "ac"


def test_what_expired_is_not_handed_out_whatever_its_priority() -> None:
    stage = staged("4.3")
    queue = quorum(stage)
    stage.publish(b"a", ttl=1000, priority=9)
    stage.publish(b"b", ttl=1000, priority=1)
    stage.publish(b"c", priority=1)
    stage.clock.advance(1)
    assert names(drain(queue)) == "c"


def test_settling_and_rejecting_leave_nothing_in_the_store() -> None:
    stage = staged("4.3")
    queue = quorum(stage, dead_letter_exchange="", dead_letter_routing_key="dead")
    dead = stage.queue("dead", durable=True)
    publish(stage, (b"a", 9), (b"b", 1), (b"c", None))
    queue.settle(take(queue))
    reject(take(queue))
    reject(take(queue))
    assert [stage.store.read(home(queue.id, lane), 0, 1) for lane in (0, 2, 10)] == [[], [], []]
    assert [message.body for message in messages(dead)] == [b"c", b"b"]


def test_purging_drops_all_lines() -> None:
    stage = staged(memory_limit=0, pager=MemoryStore())
    queue = quorum(stage)
    publish(stage, *[(b"n", None), (b"h", 9)] * 6, size=LARGE)
    assert queue.paged
    out = take(queue)
    assert queue.purge() == 11
    assert (queue.message_count, queue.message_bytes) == (0, 0)
    queue.settle(out)
    stage.restart()
    queue = stage.vhost.queues["q"]  # type: ignore[assignment]
    assert queue.message_count == 0
    publish(stage, (b"a", None), (b"b", 9))
    assert names(drain(queue)) == "ba"


def test_deleting_leaves_nothing_of_any_line() -> None:
    stage = staged("4.3")
    queue = quorum(stage)
    publish(stage, *[(b"a", priority) for priority in range(10)])
    stage.vhost.delete_queue(queue)
    assert stage.store.recover().counters == {}
    assert stage.broker.memory.used == 0


# --- more than memory holds


@pytest.mark.parametrize("version", ["4.2", "4.3"])
def test_each_line_pages_and_keeps_its_order(version: str) -> None:
    stage = staged(version, memory_limit=0, pager=MemoryStore())
    queue = quorum(stage)
    bodies = [bytes((number,)) for number in range(60)]
    publish(stage, *[(body, number % 3 * 4) for number, body in enumerate(bodies)], size=LARGE)
    assert queue.paged > 30
    assert stage.broker.memory.used < 4 * PAGE_FLOOR
    assert (queue.message_count, queue.message_bytes) == (60, 60 * (LARGE + 1))
    found = [body[:1] for body in drain(queue)]
    assert sorted(found) == bodies
    for lane in range(3) if version == "4.3" else ():
        assert found[20 * lane : 20 * lane + 20] == bodies[2 - lane :: 3]
    if version == "4.2":
        high = [body for body in found if body[0] % 3 == 2]
        assert high == bodies[2::3]
        assert [body for body in found if body not in high] == [body for body in bodies if body not in high]
        assert found[:3] == [bodies[2], bodies[5], bodies[0]]
    assert (queue.paged, queue.paged_bytes, stage.broker.memory.used) == (0, 0, 0)


def test_a_consumer_gets_what_is_paged_by_turns() -> None:
    stage = staged(memory_limit=0, pager=MemoryStore())
    queue = quorum(stage)
    publish(stage, *[(b"n", 1)] * 10, *[(b"h", 9)] * 10, size=LARGE)
    consumer, sink = consume(queue, prefetch=1)
    while len(sink.entries) < 20:
        queue.settle(sink.entries[-1])
        queue.unpark(consumer)
    assert names(sink.bodies) == "hhn" * 5 + "nnnnn"


def test_a_line_begun_while_another_is_paged_is_served_at_once() -> None:
    stage = staged("4.3", memory_limit=0, pager=MemoryStore())
    queue = quorum(stage)
    publish(stage, *[(b"n", None)] * 12, size=LARGE)
    assert queue.paged
    publish(stage, (b"h", 9))
    assert names(drain(queue)) == "h" + "n" * 12


# --- after a restart


@pytest.fixture(params=["memory", "lmdb"])
def restartable(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A stage whose store is closed and opened again with `again`."""

    def open_store() -> Any:
        if request.param == "memory":
            return MemoryStore()
        return LmdbStore(tmp_path / "store", sync=False, map_size=64 << 20)

    class Again(Stage):
        def again(self, version: str = "4.3") -> Queue:
            self._options["compat"] = PROFILES[version]
            if request.param == "lmdb":
                self.store.close()
                self.store = open_store()
            self.restart()
            return self.vhost.queues["q"]  # type: ignore[return-value]

    stage = Again(open_store(), compat=PROFILES["4.3"], pager=MemoryStore())
    yield stage
    stage.store.close()


def test_priorities_places_and_counts_survive(restartable: Any) -> None:
    stage = restartable
    queue = quorum(stage)
    publish(stage, (b"a", 1), (b"b", 9), (b"c", 1), (b"d", 9), (b"e", None))
    first = take(queue)
    queue.requeue([take(queue)])
    queue = stage.again()
    assert (queue.message_count, queue.message_bytes) == (5, 5)
    entries = [take(queue) for _ in range(5)]
    assert [(entry.message.body, entry.redelivered, entry.returns) for entry in entries] == [
        (b"b", True, 0),  # was out when the broker stopped
        (b"d", True, 1),
        (b"e", False, 0),
        (b"a", False, 0),
        (b"c", False, 0),
    ]
    assert first.message.body == b"b"
    queue.requeue(entries[:1])
    for entry in entries[1:]:
        queue.settle(entry)
    queue = stage.again()
    assert [message.headers["x-delivery-count"] for message in messages(queue)] == [1]


def test_what_was_published_under_one_version_is_served_under_another(restartable: Any) -> None:
    stage = restartable
    quorum(stage)
    publish(stage, (b"a", 1), (b"b", 9), (b"c", None))
    queue = stage.again("4.2")
    publish(stage, (b"d", 9), (b"e", 1))
    assert names(drain(queue)) in ("bdaec", "bdcea", "bdcae")
    publish(stage, (b"f", 9), (b"g", 1))
    queue = stage.again("3.13")
    publish(stage, (b"h", 9))
    assert sorted(names(drain(queue))) == ["f", "g", "h"]
    queue = stage.again("4.3")
    assert (queue.message_count, queue.first()) == (0, None)


def test_ids_go_on_where_they_were(restartable: Any) -> None:
    stage = restartable
    queue = quorum(stage)
    publish(stage, (b"a", 9))
    stage.again()
    assert stage.queue("other", durable=True).id < queue.id + 10


def test_seqs_are_not_given_twice(restartable: Any) -> None:
    stage = restartable
    queue = quorum(stage)
    publish(stage, (b"a", None), (b"b", 9))
    last = queue.next_seq
    queue = stage.again()
    assert queue.next_seq == last
    publish(stage, (b"c", None))
    assert names(drain(queue)) == "bac"


def test_the_first_of_each_line_expires_in_time_after_a_restart() -> None:
    stage = staged("4.3")
    quorum(stage)
    for priority in (9, 1):
        stage.send(make(b"a", ttl=1000, priority=priority))
    stage.restart()
    stage.clock.advance(2)
    assert stage.vhost.queues["q"].message_count == 0
