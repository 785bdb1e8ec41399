"""What the broker's counters and totals were over the last minutes, and are: an addition, for charts."""

from __future__ import annotations

from typing import Any

from ..call import Call
from ..errors import not_found
from ..rates import INTERVAL, NAMES, message_counts
from ..resources import Resource, Right


def show_history(call: Call) -> Any:
    """A list for each number, oldest first, with the moments (in milliseconds since 1970) they were taken at."""
    if call.without_stats:
        raise not_found()
    clock, rates = call.broker.clock, call.management.rates
    samples = [*rates.history, rates.sample()]
    offset = clock.time() - clock.now()
    counted = [message_counts(counts) for _, counts, _ in samples]
    return {
        "interval": INTERVAL,
        "times": [int((moment + offset) * 1000) for moment, _, _ in samples],
        "message_stats": {name: [counts[name] for counts in counted] for name in (*NAMES.values(), "deliver_get")},
        "queue_totals": {
            "messages": [ready + unacked for _, _, (ready, unacked) in samples],
            "messages_ready": [ready for _, _, (ready, _) in samples],
            "messages_unacknowledged": [unacked for _, _, (_, unacked) in samples],
        },
    }


RESOURCES = (Resource("/amqpd/history", Right.MONITORING, get=show_history),)
