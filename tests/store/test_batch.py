"""A batch: changes in the making, some of which undo each other."""

from __future__ import annotations

from amqpd.message import Message, make_message
from amqpd.store.base import MAX_SEQ, Kind
from amqpd.store.batch import PUT_COST, Batch


def message(body: bytes = b"body", message_id: int = 0) -> Message:
    made = make_message("x", "k", body)
    made.id = message_id
    return made


def test_a_new_batch_is_empty() -> None:
    batch = Batch()
    assert batch.is_empty()
    assert batch.bytes == 0
    assert batch.puts(1, 0) == []


def test_puts_are_kept_by_queue_in_order() -> None:
    batch = Batch()
    one, two = message(b"one"), message(b"three")
    batch.put(1, 5, one)
    batch.put(2, 5, two)
    batch.put(1, 7, two)
    assert batch.puts(1, 0) == [(5, one, 0), (7, two, 0)]
    assert batch.puts(1, 6) == [(7, two, 0)]
    assert batch.puts(3, 0) == []
    assert batch.bytes == 13 + 3 * PUT_COST


def test_a_delete_meets_its_put_and_both_vanish() -> None:
    batch = Batch()
    kept = message()
    batch.put(1, 5, kept)
    batch.delete(1, 5, kept)
    assert batch.is_empty()
    assert batch.bytes == 0


def test_a_delete_of_something_stored_earlier_is_a_change() -> None:
    batch = Batch()
    batch.delete(1, 5, message())
    assert not batch.is_empty()
    assert (batch.queues[1].deletes, batch.queues[1].freed) == ([5], 4)


def test_a_delete_meets_the_put_of_its_own_queue_alone() -> None:
    batch = Batch()
    shared = message(message_id=9)
    batch.put(1, 5, shared)
    batch.put(2, 5, shared)
    batch.delete(1, 5, shared)
    assert batch.puts(2, 0) == [(5, shared, 0)]
    assert batch.shares == {9: 1}
    assert batch.released == {}


def test_shared_content_counts_its_puts_and_its_releases() -> None:
    batch = Batch()
    batch.put(1, 0, message(message_id=9))
    batch.put(2, 0, message(message_id=9))
    batch.delete(3, 0, message(message_id=4))
    batch.delete(4, 0, message(message_id=4))
    assert batch.shares == {9: 2}
    assert batch.released == {4: 2}


def test_a_drop_takes_out_the_puts_in_its_range() -> None:
    batch = Batch()
    for seq in range(5):
        batch.put(1, seq, message(message_id=9))
    batch.drop(1, 1, 3)
    assert [seq for seq, _, _ in batch.puts(1, 0)] == [0, 4]
    assert batch.shares == {9: 2}
    assert batch.bytes == 8 + 2 * PUT_COST
    assert batch.queues[1].drops == [(1, 3)]


def test_a_drop_is_a_change_even_when_it_meets_all_puts() -> None:
    batch = Batch()
    batch.put(1, 0, message())
    batch.drop(1, 0, MAX_SEQ)
    assert not batch.is_empty(), "there may be more of the queue on the disk"


def test_marks_of_delivery_alone_are_no_change() -> None:
    batch = Batch()
    batch.delivered(1, 7)
    batch.delivered(1, 3)
    assert batch.is_empty()
    assert batch.queues[1].delivered == 7


def test_a_definition_is_a_change_and_so_is_its_end() -> None:
    batch = Batch()
    batch.definitions[Kind.QUEUE, 1] = None
    assert not batch.is_empty()
