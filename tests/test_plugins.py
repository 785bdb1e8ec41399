"""RabbitMQ's plug-ins, and those whose work is built in."""

from __future__ import annotations

import re

from amqpd.broker.exchanges import find_type
from amqpd.plugins import BUILT_IN, EVENT_EXCHANGE, KNOWN, running

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


def test_the_event_exchange_runs_when_it_is_switched_on() -> None:
    assert EVENT_EXCHANGE not in running(event_exchange=False)
    assert set(running(event_exchange=True)) - set(running(event_exchange=False)) == {EVENT_EXCHANGE}
