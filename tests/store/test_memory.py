"""The store in memory, by the contract."""

from __future__ import annotations

import pytest

from amqpd.store.memory import MemoryStore
from tests.store.contract import Opened, StoreContract


@pytest.fixture
def opened() -> Opened:
    store = MemoryStore()
    return Opened(lambda: store, lambda store: None)


class TestMemoryStore(StoreContract):
    pass


def test_everything_is_committed_at_once() -> None:
    called: list[str] = []
    opened = Opened(MemoryStore, lambda store: None)
    opened.put(1, 0, b"a")
    opened.store.when_committed(lambda: called.append("now"))
    assert called == ["now"]
    assert opened.store.lag == 0
