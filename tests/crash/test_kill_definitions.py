"""kill -9 while a broker imports definitions at its start: it has all of them or none, and all when it starts again."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from amqpd.auth.internal import InternalUsers
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.definitions import About, export_all
from amqpd.store.base import Kind
from amqpd.store.lmdb_store import LmdbStore
from amqpd.testing.harness import BrokerProcess

ROUNDS = int(os.environ.get("AMQPD_CRASH_ROUNDS", "20"))
MANY = 3000


def definitions() -> dict[str, object]:
    return {
        "users": [{"name": "guest", "password": "guest", "tags": ["administrator"]}],
        "vhosts": [{"name": "/"}, {"name": "v", "limits": {"max-queues": 10}}],
        "permissions": [{"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
        "policies": [{"vhost": "/", "name": "p", "pattern": "^q1", "definition": {"max-length": 5}}],
        "queues": [{"name": f"q{number}", "vhost": "/"} for number in range(MANY)],
        "bindings": [{"source": "amq.topic", "vhost": "/", "destination": f"q{number}"} for number in range(MANY)],
    }


def kept(folder: Path) -> int:
    """How many definitions are stored."""
    with contextlib.closing(LmdbStore(folder / "store", map_size=256 << 20)) as store:
        return sum(len(found) for found in store.recover().definitions.values())


@pytest.mark.parametrize("seed", range(max(1, ROUNDS // 4)))
def test_definitions_survive_kill_9_at_the_start_as_a_whole(tmp_path: Path, seed: int) -> None:
    file, data = tmp_path / "d.json", tmp_path / "data"
    file.write_text(json.dumps(definitions()))
    rng = random.Random(seed)
    complete = 0
    for _ in range(3):
        command = [sys.executable, "-m", "amqpd", "-p", "0", "--no-http", "-D", str(data), "--definitions", str(file)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not (data / "store").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.5))
        process.kill()
        process.wait()
        found = kept(data)
        complete = complete or found
        assert found == complete, "all of it, or nothing"
    with BrokerProcess("-D", str(data), "--definitions", str(file)):
        pass
    assert complete in (0, kept(data))
    with contextlib.closing(LmdbStore(data / "store", map_size=256 << 20)) as store:
        recovered = store.recover()
        assert len(recovered.definitions[Kind.QUEUE]) == len(recovered.definitions[Kind.BINDING]) == MANY
        broker = Broker(store, VirtualClock(), recovered=recovered)
        exported = export_all(broker, InternalUsers(broker, recovered), About("4.2.9"))
    assert [vhost["name"] for vhost in exported["vhosts"]] == ["/", "v"]
    assert len(exported["parameters"]) == len(exported["policies"]) == len(exported["permissions"]) == 1
