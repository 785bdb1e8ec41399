"""The ring of unacked deliveries, against a dict."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.amqp.unacked import Unacked
from amqpd.broker.entry import Entry
from amqpd.errors import PreconditionFailed
from amqpd.message import make_message

MESSAGE = make_message("", "q", b"")


def filled(*tags: int) -> tuple[Unacked, dict[int, Entry]]:
    unacked = Unacked()
    entries = {tag: Entry(tag, MESSAGE, False) for tag in tags}
    for tag, entry in entries.items():
        unacked.add(tag, entry)
    return unacked, entries


def test_a_delivery_is_taken_by_its_tag_once() -> None:
    unacked, entries = filled(1, 2, 3)
    assert unacked.take(2, multiple=False) == [entries[2]]
    assert unacked.count == 2
    with pytest.raises(PreconditionFailed, match="unknown delivery tag 2"):
        unacked.take(2, multiple=False)


def test_multiple_takes_all_up_to_the_tag_in_order() -> None:
    unacked, entries = filled(1, 2, 3, 4)
    unacked.take(2, multiple=False)
    assert unacked.take(3, multiple=True) == [entries[1], entries[3]]
    assert unacked.count == 1


def test_the_tag_of_multiple_has_to_be_outstanding_itself() -> None:
    unacked, _ = filled(1, 2, 3)
    unacked.take(2, multiple=False)
    for tag in (2, 4):
        with pytest.raises(PreconditionFailed, match=f"unknown delivery tag {tag}"):
            unacked.take(tag, multiple=True)
    assert unacked.count == 2


def test_tag_0_stands_for_all_with_multiple_and_for_none_without() -> None:
    unacked, entries = filled(1, 2)
    with pytest.raises(PreconditionFailed, match="unknown delivery tag 0"):
        unacked.take(0, multiple=False)
    assert unacked.take(0, multiple=True) == list(entries.values())
    assert unacked.take(0, multiple=True) == []


def test_the_first_is_the_oldest_that_is_outstanding() -> None:
    unacked, entries = filled(1, 3, 4)
    assert unacked.first() is entries[1]
    unacked.take(3, multiple=False)
    unacked.take(1, multiple=False)
    assert unacked.first() is entries[4]
    unacked.take_all()
    assert unacked.first() is None


def test_what_one_consumer_has_can_be_taken_at_once() -> None:
    unacked, entries = filled(1, 2, 3, 4)
    consumer = object()
    for tag in (2, 4):
        entries[tag].consumer = consumer  # type: ignore[assignment]
    assert unacked.take_of(consumer) == [entries[2], entries[4]]
    assert unacked.take_all() == [entries[1], entries[3]]


@pytest.mark.parametrize("tag", [1, 5, 1 << 63])
@pytest.mark.parametrize("multiple", [True, False])
def test_a_tag_that_was_never_given_out_is_unknown(tag: int, multiple: bool) -> None:
    with pytest.raises(PreconditionFailed, match=f"unknown delivery tag {tag}"):
        Unacked().take(tag, multiple)


def test_tags_of_deliveries_that_need_no_ack_are_left_out() -> None:
    unacked, entries = filled(3, 7)
    for tag in (1, 2, 4, 6, 8):
        with pytest.raises(PreconditionFailed):
            unacked.take(tag, multiple=False)
    assert unacked.take(7, multiple=True) == [entries[3], entries[7]]


def test_an_entry_knows_its_tag() -> None:
    _, entries = filled(3, 7)
    assert [entry.tag for entry in entries.values()] == [3, 7]


def test_what_was_taken_can_be_put_back_under_its_tag() -> None:
    unacked, entries = filled(1, 2, 3, 4)
    taken = [*unacked.take(3, multiple=True), *unacked.take(4, multiple=False)]
    unacked.add(5, Entry(5, MESSAGE, False))
    unacked.restore(taken)
    assert unacked.count == 5
    assert unacked.take(2, multiple=False) == [entries[2]]
    assert [entry.tag for entry in unacked.take_all()] == [1, 3, 4, 5]


def test_what_was_settled_takes_no_room() -> None:
    unacked, _ = filled(*range(1, 101))
    for tag in (*range(2, 101, 2), *range(99, 0, -2)):
        unacked.take(tag, multiple=False)
    assert (unacked.count, len(unacked._line)) == (0, 0)
    unacked.add(101, Entry(101, MESSAGE, False))
    assert len(unacked._line) == 1


def test_taking_all_leaves_nothing() -> None:
    unacked, entries = filled(1, 2)
    assert unacked.take_all() == list(entries.values())
    assert unacked.count == 0
    unacked.add(9, Entry(9, MESSAGE, False))
    assert [entry.tag for entry in unacked.take_all()] == [9]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 4), st.booleans()),
        st.tuples(st.just("take"), st.integers(0, 30), st.booleans()),
        st.tuples(st.just("all"), st.just(0), st.booleans()),
        st.tuples(st.just("restore"), st.integers(0, 3), st.booleans()),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(steps)
def test_the_ring_is_a_dict(steps: list[tuple[str, int, bool]]) -> None:
    unacked = Unacked()
    model: dict[int, Entry] = {}
    taken: list[Entry] = []
    next_tag = 1
    for step, number, multiple in steps:
        if step == "add":
            next_tag += number - 1  # tags in between went to deliveries that need no ack
            model[next_tag] = Entry(next_tag, MESSAGE, False)
            unacked.add(next_tag, model[next_tag])
            next_tag += 1
        elif step == "take":
            if multiple and number == 0:
                expected = list(model.values())
            elif number not in model:
                with pytest.raises(PreconditionFailed):
                    unacked.take(number, multiple)
                continue
            else:
                expected = [entry for tag, entry in model.items() if tag == number or (multiple and tag < number)]
            assert unacked.take(number, multiple) == expected
            taken += expected
            model = {tag: entry for tag, entry in model.items() if entry not in expected}
        elif step == "all":
            assert unacked.take_all() == list(model.values())
            taken += model.values()
            model = {}
        else:
            back, taken = taken[number:], taken[:number]
            unacked.restore(back)
            model = dict(sorted([*model.items(), *((entry.tag, entry) for entry in back)]))
        assert unacked.count == len(model)
    assert unacked.take_all() == list(model.values())
