"""Counters of messages."""

from __future__ import annotations

from amqpd.broker.traffic import COUNTED, Traffic


def test_nothing_is_counted_at_first() -> None:
    assert {getattr(Traffic(), name) for name in COUNTED} == {0}


def test_what_another_counted_can_be_added() -> None:
    total, other = Traffic(), Traffic()
    total.published = other.published = 2
    other.acked = 1
    total.add(other)
    assert (total.published, total.acked, other.published) == (4, 1, 2)
