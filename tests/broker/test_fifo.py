"""A line: what comes first goes first."""

from __future__ import annotations

import gc
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.broker.fifo import Fifo

steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 700)),
        st.tuples(st.just("popleft"), st.integers(1, 700)),
        st.tuples(st.just("prepend"), st.integers(0, 700)),
        st.tuples(st.just("empty"), st.integers(0, 700)),
        st.tuples(st.just("rotate"), st.integers(1, 3)),
        st.tuples(st.sampled_from(["clear", "replace"]), st.just(3)),
    ),
    max_size=30,
)


@given(steps)
def test_a_line_is_a_deque(steps: list[tuple[str, int]]) -> None:
    line, model = Fifo(), deque[int | None]()
    count = 0
    for step, number in steps:
        fresh = list(range(count, count + number))
        count += number
        if step == "append":
            for item in fresh:
                line.append(item)
            model.extend(fresh)
        elif step == "popleft":
            taken = min(number, len(model))
            assert [line.popleft() for _ in range(taken)] == [model.popleft() for _ in range(taken)]
        elif step == "prepend":
            line.prepend(fresh)
            model.extendleft(reversed(fresh))
        elif step == "empty" and number < len(model):
            line.empty(number)
            model[number] = None
        elif step == "rotate" and model:
            for _ in range(number):
                line.rotate()
            model.rotate(-number)
        elif step == "clear":
            line.clear()
            model.clear()
        elif step == "replace":
            line.replace(fresh)
            model = deque(fresh)
        assert line.length == len(line) == len(model)
        assert list(line) == list(model)
        if model:
            assert (line.at(0), line.at(len(model) - 1)) == (model[0], model[-1])


def test_a_line_that_moves_on_does_not_grow() -> None:
    line = Fifo(range(100))
    for number in range(100_000):
        line.append(number)
        line.popleft()
    (places,) = [held for held in gc.get_referents(line) if isinstance(held, list)]
    assert line.length == 100
    assert len(places) < 1000


def test_nothing_can_be_taken_from_an_empty_line() -> None:
    with pytest.raises(IndexError):
        Fifo().popleft()
