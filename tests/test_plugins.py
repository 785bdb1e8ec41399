"""RabbitMQ's plug-ins, and those whose work is built in."""

from __future__ import annotations

import re

from amqpd.broker.exchanges import find_type
from amqpd.plugins import BUILT_IN, EVENT_EXCHANGE, KNOWN, MANAGEMENT, running

TYPES = {
    "rabbitmq_consistent_hash_exchange": "x-consistent-hash",
    "rabbitmq_delayed_message_exchange": "x-delayed-message",
    "rabbitmq_random_exchange": "x-random",
    "rabbitmq_recent_history_exchange": "x-recent-history",
}


def test_names_are_named_once() -> None:
    assert len(set(KNOWN)) == len(KNOWN)
    assert all(re.fullmatch("rabbitmq_[a-z0-9_]+", name) for name in KNOWN)


def test_what_is_said_to_be_built_in_is() -> None:
    assert set(TYPES) == set(BUILT_IN)
    for exchange_type in TYPES.values():
        assert find_type(exchange_type) is not None


def test_what_can_be_switched_runs_when_it_is_on() -> None:
    assert running(event_exchange=False, management=False) == BUILT_IN
    assert running(event_exchange=True, management=False) == (*BUILT_IN, EVENT_EXCHANGE)
    assert running(event_exchange=False, management=True) == (*BUILT_IN, *MANAGEMENT)
    assert {*BUILT_IN, EVENT_EXCHANGE, *MANAGEMENT} < set(KNOWN)
