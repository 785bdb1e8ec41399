"""Publish numbers: nothing is acked before it is committed, everything is acked in the end, and in order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.amqp.confirms import Confirms


def acked(confirms: Confirms) -> list[tuple[int, bool]]:
    """The acks that are due."""
    return [(number, multiple) for number, multiple, acked in confirms.take() if acked]


def test_numbers_count_from_one() -> None:
    confirms = Confirms()
    assert confirms.published == 0
    confirms.count(stored=False)
    assert (confirms.published, confirms.unconfirmed) == (1, 1)


def test_what_stored_nothing_is_acked_at_once() -> None:
    confirms = Confirms()
    confirms.count(stored=False)
    assert confirms.mark() is False
    assert acked(confirms) == [(1, False)]
    assert confirms.unconfirmed == 0


def test_several_are_acked_together() -> None:
    confirms = Confirms()
    for _ in range(3):
        confirms.count(stored=False)
    confirms.mark()
    assert acked(confirms) == [(3, True)]


def test_what_was_stored_is_acked_when_it_is_committed() -> None:
    confirms = Confirms()
    confirms.count(stored=True)
    assert confirms.mark() is True
    assert acked(confirms) == []
    confirms.committed()
    assert acked(confirms) == [(1, False)]


def test_a_stored_publish_holds_back_what_comes_behind_it() -> None:
    confirms = Confirms()
    for stored in (False, True, False):
        confirms.count(stored)
    assert confirms.mark() is True
    assert acked(confirms) == [(1, False)]
    confirms.committed()
    assert acked(confirms) == [(3, True)]


def test_what_comes_behind_something_uncommitted_waits_for_it() -> None:
    confirms = Confirms()
    confirms.count(stored=True)
    confirms.mark()
    confirms.count(stored=False)
    assert confirms.mark() is False
    assert acked(confirms) == []
    confirms.committed()
    assert acked(confirms) == [(2, True)]


def test_batches_are_acked_one_after_the_other() -> None:
    confirms = Confirms()
    for _ in range(2):
        confirms.count(stored=True)
        confirms.mark()
    confirms.committed()
    assert acked(confirms) == [(1, False)]
    confirms.committed()
    assert acked(confirms) == [(2, False)]


def test_what_is_not_marked_yet_is_not_acked_by_an_earlier_commit() -> None:
    confirms = Confirms()
    confirms.count(stored=True)
    confirms.mark()
    confirms.count(stored=True)
    confirms.committed()
    assert acked(confirms) == [(1, False)]
    confirms.mark()
    confirms.committed()
    assert acked(confirms) == [(2, False)]


def test_without_publishes_nothing_is_due() -> None:
    confirms = Confirms()
    assert confirms.mark() is False
    assert acked(confirms) == []


def test_what_was_consumed_before_it_was_written_is_due_at_once() -> None:
    told: list[str] = []
    confirms = Confirms(lambda: told.append("told"))
    for _ in range(4):
        confirms.count(stored=True)
    confirms.mark()
    confirms.consumed(2)
    assert (acked(confirms), told) == ([], [])
    confirms.consumed(1)
    assert (acked(confirms), told) == ([(2, True)], ["told"])
    confirms.consumed(3)
    confirms.consumed(4)
    assert (acked(confirms), told) == ([(4, True)], ["told"] * 2)
    confirms.committed()
    assert acked(confirms) == []


def test_what_was_consumed_behind_something_uncommitted_is_due_with_it() -> None:
    confirms = Confirms()
    confirms.count(stored=True)
    confirms.mark()
    for _ in range(2):
        confirms.count(stored=True)
    confirms.mark()
    confirms.consumed(2)
    assert acked(confirms) == []
    confirms.committed()
    assert acked(confirms) == [(2, True)]


def test_what_is_consumed_after_it_was_acked_changes_nothing() -> None:
    confirms = Confirms()
    for _ in range(3):
        confirms.count(stored=True)
    confirms.mark()
    confirms.committed()
    assert acked(confirms) == [(3, True)]
    confirms.consumed(2)
    confirms.count(stored=True)
    confirms.mark()
    confirms.consumed(3)
    assert acked(confirms) == []
    confirms.consumed(4)
    assert acked(confirms) == [(4, False)]


def test_what_was_consumed_while_it_was_published_never_waits() -> None:
    confirms = Confirms()
    confirms.consumed(1)
    confirms.count(stored=True)
    assert confirms.mark() is False
    assert acked(confirms) == [(1, False)]


def test_what_a_queue_refused_is_nacked_in_its_turn() -> None:
    confirms = Confirms()
    for refused in (False, False, True, False, True):
        confirms.count(stored=False)
        if refused:
            confirms.refuse()
    assert confirms.take() == [(2, True, True), (3, False, False), (4, False, True), (5, False, False)]
    assert confirms.unconfirmed == 0
    assert confirms.take() == []


def test_a_nack_waits_for_what_was_published_before() -> None:
    confirms = Confirms()
    confirms.count(stored=True)
    confirms.mark()
    confirms.count(stored=False)
    confirms.refuse()
    assert confirms.take() == []
    confirms.committed()
    assert confirms.take() == [(1, False, True), (2, False, False)]


def test_what_one_queue_stored_and_another_refused_is_nacked_when_it_is_committed() -> None:
    confirms = Confirms()
    confirms.count(stored=True)
    confirms.refuse()
    confirms.mark()
    assert confirms.take() == []
    confirms.committed()
    assert confirms.take() == [(1, False, False)]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(["stored", "transient", "mark", "commit", "ack", "consume", "early"]), max_size=60))
def test_acks_are_honest_complete_and_in_order(steps: list[str]) -> None:
    confirms = Confirms()
    uncommitted: list[list[int]] = []  # the stored numbers of each batch that is on its way
    open_batch: list[int] = []
    marked = True
    last = 0
    for step in [*steps, "mark", *["commit"] * 60, "ack"]:
        if step in ("stored", "transient"):
            confirms.count(stored=step == "stored")
            if step == "stored":
                open_batch.append(confirms.published)
                marked = False
        elif step == "early":
            confirms.consumed(confirms.published + 1)
            confirms.count(stored=True)
        elif step == "consume" and open_batch:
            confirms.consumed(open_batch.pop(len(open_batch) // 2))
        elif step == "mark":
            assert confirms.mark() is not marked
            if not marked:
                uncommitted.append(open_batch)
                open_batch = []
            marked = True
        elif step == "commit" and uncommitted:
            uncommitted.pop(0)
            confirms.committed()
        elif step == "ack":
            for number, multiple in acked(confirms):
                waiting = [each for batch in [*uncommitted, open_batch] for each in batch]
                assert number > last
                assert multiple is (number - last > 1)
                assert all(each > number for each in waiting), "acked before it was committed"
                last = number
        assert confirms.unconfirmed == confirms.published - last
    assert last == confirms.published
