"""kill -9 while an operator works: every step is kept as a whole or not at all, and in order.

A vhost with many queues is deleted little by little; whatever of it is left after a crash never comes back.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from operating import state, steps

from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore

ROUNDS = int(os.environ.get("AMQPD_CRASH_ROUNDS", "20"))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_what_an_operator_did_survives_kill_9(tmp_path: Path, seed: int) -> None:
    done = worked_and_killed(tmp_path / "store", seed, random.Random(seed).randrange(1, 150))
    store = LmdbStore(tmp_path / "store", map_size=256 << 20)
    found = settled(Broker(store, VirtualClock()))
    expected = Broker(MemoryStore(), VirtualClock())
    todo = steps(seed)
    for step in islice(todo, done):
        step(expected)
    if found != settled(expected):  # the next one may have become durable, and not been said to be
        next(todo)(expected)
    assert found == settled(expected)
    store.commit()
    left = store.recover()
    assert not [each for each in left.definitions.values() for one in each.values() if "deleted" in one]
    store.close()
    store = LmdbStore(tmp_path / "store", map_size=256 << 20)
    assert settled(Broker(store, VirtualClock())) == found
    store.close()


def settled(broker: Broker) -> dict[str, Any]:
    """All there is once what goes little by little is done."""
    assert isinstance(broker.clock, VirtualClock)
    broker.clock.advance(60)
    return state(broker)


def worked_and_killed(folder: Path, seed: int, count: int) -> int:
    """Have work done until so many steps are, then kill who does it. Returns how many were."""
    command = [sys.executable, str(Path(__file__).with_name("operating.py")), str(folder), str(seed)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            done = int(line)
            if done == count:
                process.kill()
    assert done >= count
    return done
