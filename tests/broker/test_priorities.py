"""A ranked line, against a sorted list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.broker.consumer import Consumer, Outlet, Sink, Window
from amqpd.broker.entry import Entry
from amqpd.broker.memory import Memory
from amqpd.broker.priorities import RankedConsumers, RankedEntries
from amqpd.broker.queue import Queue
from amqpd.message import make_message
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties

HIGHEST = 4


def entry(seq: int, priority: int | None) -> Entry:
    return Entry(seq, make_message("", "q", b"", Properties(priority=priority)), False)


def rank(entry: Entry) -> tuple[int, int]:
    return -min(entry.message.properties.priority or 0, HIGHEST), entry.seq


steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(st.sampled_from([None, 0, 1, 3, 4, 9]), max_size=8)),
        st.tuples(st.just("popleft"), st.integers(0, 8)),
        st.tuples(st.just("return"), st.lists(st.integers(0, 99), max_size=5, unique=True)),
        st.tuples(st.sampled_from(["clear", "replace"]), st.none()),
    ),
    max_size=30,
)


@given(steps)
def test_entries_stand_by_priority_and_then_by_place(steps: list[tuple[str, object]]) -> None:
    line = RankedEntries(HIGHEST)
    model: list[Entry] = []
    out: list[Entry] = []
    seq = 0
    for step, what in steps:
        if isinstance(what, list) and step == "append":
            for priority in what:
                seq += 1
                model.append(entry(seq, priority))
                line.append(model[-1])
        elif isinstance(what, int):
            for _ in range(min(what, len(model))):
                out.append(line.popleft())
                assert out[-1] is model.pop(0)
        elif isinstance(what, list):
            returned = sorted([out[place] for place in what if place < len(out)], key=lambda each: each.seq)
            line.prepend(returned)
            out = [each for each in out if each not in returned]
            model += returned
        elif step == "clear":
            line.clear()
            model = []
        else:
            line.replace(sorted(model, key=lambda each: each.seq))
        model.sort(key=rank)
        assert line.length == len(line) == len(model)
        assert list(line) == model
        assert [line.at(place) for place in range(len(model))] == model


def test_there_is_no_place_beyond_the_last() -> None:
    line = RankedEntries(HIGHEST)
    line.append(entry(1, 2))
    with pytest.raises(IndexError):
        line.at(1)
    line.popleft()
    with pytest.raises(IndexError):
        line.popleft()


def test_consumers_take_turns_with_their_equals() -> None:
    queue = Queue("q", 1, MemoryStore(), None, Memory(0))
    made = {
        tag: Consumer(tag, queue, Sink(), Outlet(), Window(), arguments={"x-priority": priority})
        for tag, priority in (("a", 0), ("b", 1 << 40), ("c", 1 << 40), ("d", -(1 << 63)))
    }
    line = RankedConsumers(made.values())
    turns = []
    for _ in range(3):
        turns.append([each.tag for each in line])
        line.rotate()
    assert turns == [["b", "c", "a", "d"], ["c", "b", "a", "d"], ["b", "c", "a", "d"]]
    line.popleft()
    line.popleft()
    assert [each.tag for each in line] == ["a", "d"]
