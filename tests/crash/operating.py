"""An operator's work on a stored broker, one step after another, to be killed in the middle of.

Run as `python operating.py FOLDER SEED`, it says after each step that it is durable. The steps follow from the seed, so
that whoever started it knows what there has to be.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from amqpd.broker.broker import Broker
from amqpd.clock import Clock
from amqpd.message import make_message
from amqpd.store.lmdb_store import LmdbStore
from amqpd.wire.properties import Properties

Step: TypeAlias = Callable[[Broker], object]

MANY = 2500
"""Queues that are not deleted all at once."""


def steps(seed: int) -> Iterator[Step]:
    """What is done, without end."""
    rng = random.Random(seed)
    while True:
        vhost = f"v{rng.randrange(3)}"
        name = f"p{rng.randrange(3)}"
        value = rng.randrange(1, 100)
        choice = rng.randrange(10)
        if choice == 0:
            yield lambda broker, vhost=vhost: vhost in broker.vhosts and broker.delete_vhost(vhost)
        elif choice in (1, 2):
            yield lambda broker, vhost=vhost, value=value: broker.add_vhost(vhost, description=f"d{value}")
        elif choice == 3:
            yield lambda broker, vhost=vhost, value=value: _fill(broker, vhost, MANY if value < 30 else 3)
        elif choice in (4, 5):
            yield (
                lambda broker, vhost=vhost, name=name, value=value: (
                    vhost in broker.vhosts
                    and broker.policies.set(vhost, name, f"^q{value % 3}", {"max-length": value}, value % 4)
                )
            )
        elif choice == 6:
            yield (
                lambda broker, vhost=vhost, name=name, value=value: (
                    vhost in broker.vhosts and broker.operator_policies.set(vhost, name, "", {"expires": 10**9 + value})
                )
            )
        elif choice == 7:
            yield lambda broker, vhost=vhost, name=name: _clear(broker, vhost, name)
        elif choice == 8:
            yield (
                lambda broker, vhost=vhost, value=value: (
                    vhost in broker.vhosts and broker.vhost_limits.set(vhost, "max-connections", value)
                )
            )
        else:
            yield lambda broker, name=name, value=value: broker.parameters.set_global(name, [value])


def state(broker: Broker) -> dict[str, Any]:
    """All there is, to compare."""
    return {
        "globals": broker.parameters.globals,
        "parameters": [*broker.parameters.list(), *broker.parameters.list("policy")],
        "vhosts": {
            vhost.name: (
                vhost.description,
                vhost.max_connections,
                sorted(vhost.exchanges),
                {name: (queue.effective, queue.message_count) for name, queue in vhost.queues.items()},
            )
            for vhost in broker.vhosts.values()
        },
    }


def _fill(broker: Broker, name: str, count: int) -> None:
    vhost = broker.vhosts.get(name)
    if vhost is None:
        return
    vhost.declare_exchange("x", "direct", durable=True)
    for number in range(count):
        queue = vhost.declare_queue(f"q{number}", durable=True)
        vhost.bind("x", queue.name, "", {}, to_queue=True)
    message = make_message("", "q0", b"a", Properties(delivery_mode=2))
    vhost.route(vhost.exchange(""), message).deliver(message)


def _clear(broker: Broker, vhost: str, name: str) -> None:
    if any(found.name == name for found in broker.parameters.list("policy", vhost)):
        broker.policies.clear(vhost, name)


def main(folder: str, seed: str) -> None:
    store = LmdbStore(Path(folder), map_size=256 << 20)
    clock = Clock()
    broker = Broker(store, clock)
    store.commit()
    for number, step in enumerate(steps(int(seed)), 1):
        step(broker)
        store.commit()
        print(number, flush=True)
        time.sleep(0.001)
        clock.run_due()  # deletions go on
        store.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
