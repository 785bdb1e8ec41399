"""The store in memory, by the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from amqpd.message import make_message
from amqpd.store.memory import MemoryStore
from tests.store.contract import Opened, StoreContract


@pytest.fixture
def opened() -> Opened:
    store = MemoryStore()
    return Opened(lambda: store, lambda store: None)


class TestMemoryStore(StoreContract):
    pass


class CountingDict(dict[int, Any]):
    """Counts how many of its keys were looked at."""

    looked_at = 0

    def __iter__(self) -> Iterator[int]:
        for key in super().__iter__():
            self.looked_at += 1
            yield key

    def __contains__(self, key: object) -> bool:
        self.looked_at += 1
        return super().__contains__(key)


def test_dropping_a_few_of_many_looks_at_those_alone() -> None:
    store = MemoryStore()
    messages = store._messages[1] = CountingDict()
    for seq in range(10_000):
        store.put(1, seq, make_message("", "", b""))
    messages.looked_at = 0
    store.drop(1, 0, 99)
    assert messages.looked_at == 100
    assert [seq for seq, _, _ in store.read(1, 0, 2)] == [100, 101]


def test_dropping_all_that_is_left_of_many_looks_at_what_is_left() -> None:
    store = MemoryStore()
    messages = store._messages[1] = CountingDict()
    for seq in (5, 1_000_000):
        store.put(1, seq, make_message("", "", b""))
    messages.looked_at = 0
    store.drop(1, 0, 2_000_000)
    assert messages.looked_at <= 4
    assert store.read(1, 0, 2) == []


def test_everything_is_committed_at_once() -> None:
    called: list[str] = []
    opened = Opened(MemoryStore, lambda store: None)
    opened.put(1, 0, b"a")
    opened.store.when_committed(lambda: called.append("now"))
    assert called == ["now"]
    assert opened.store.lag == 0
