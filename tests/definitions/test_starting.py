"""What becomes of definitions when a broker starts: with its vhost and user, or without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amqpd.auth.internal import InternalUsers
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.config import Config
from amqpd.definitions.starting import DIGEST
from amqpd.errors import StartupError
from amqpd.provisions import import_definitions, read_definitions
from amqpd.store.base import Store
from amqpd.store.lmdb_store import LmdbStore
from amqpd.store.memory import MemoryStore
from tests.fakes import RecordingLog

QUEUE = '{"queues": [{"name": "q", "vhost": "/"}]}'


class Started:
    """A broker that was started with definitions, as the daemon does it."""

    def __init__(self, text: str, store: Store | None = None, **settings: Any) -> None:
        config = Config(definitions_json=text, **settings)
        definitions = read_definitions(config)
        assert definitions is not None
        self.store = store or MemoryStore()
        recovered = self.store.recover()
        self.broker = Broker(
            self.store,
            VirtualClock(),
            recovered=recovered,
            default_vhost=config.default_vhost,
            make_default_vhost=False,
            event_exchange=config.event_exchange,
        )
        self.users = InternalUsers(self.broker, recovered)
        self.log = RecordingLog()
        import_definitions(self.broker, self.users, definitions, config, self.log)

    def permissions(self) -> set[tuple[str, str]]:
        return {(each.user, each.vhost) for each in self.users.permissions}


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[[], LmdbStore]:
    return lambda: LmdbStore(tmp_path / "store", map_size=64 << 20)


def test_definitions_without_users_and_vhosts_leave_the_default_ones() -> None:
    started = Started(QUEUE, default_user="ann", default_pass="secret")
    assert set(started.users.all) == {"ann"}
    assert started.permissions() == {("ann", "/")}
    assert "q" in started.broker.vhosts["/"].queues
    (line,) = started.log.texts("info")
    assert line.startswith("imported definitions: 1 user, 1 vhost, 1 permission, 1 queue; they have no users")
    assert line.endswith("'ann'")


def test_definitions_with_users_and_vhosts_have_no_others() -> None:
    started = Started('{"users": [{"name": "bob", "password": "x"}], "vhosts": [{"name": "v"}]}')
    assert set(started.users.all) == {"bob"}
    assert set(started.broker.vhosts) == {"v"}
    assert started.log.texts("info") == ["imported definitions: 1 user, 1 vhost"]


def test_a_default_user_without_the_default_vhost_may_enter_those_there_are() -> None:
    started = Started('{"vhosts": [{"name": "a"}, {"name": "b"}]}')
    assert started.permissions() == {("guest", "a"), ("guest", "b")}


def test_the_definitions_may_give_the_default_user_other_permissions() -> None:
    started = Started('{"permissions": [{"user": "guest", "vhost": "/", "configure": "", "write": "w", "read": ".*"}]}')
    permission = started.users.permissions.find("guest", "/")
    assert permission is not None
    assert permission.write.text == "w"


def test_strict_is_as_in_rabbitmq() -> None:
    started = Started('{"vhosts": [{"name": "v"}]}', strict_definitions=True)
    assert not started.users.all
    assert set(started.broker.vhosts) == {"v"}
    assert started.log.texts("warning") == [
        "nobody can log in: the definitions have no users, and definitions.strict is set"
    ]
    with pytest.raises(StartupError, match="Virtual host '/' does not exist"):
        Started(QUEUE, strict_definitions=True)


def test_what_was_deleted_is_not_made_again_by_default(open_store: Callable[[], LmdbStore]) -> None:
    started = Started(QUEUE, open_store())
    started.users.delete("guest")
    started.users.add("ann", "x")
    started.store.close()
    started = Started(QUEUE, open_store())
    assert set(started.users.all) == {"ann"}
    started.store.close()


def test_a_second_start_is_quiet_and_writes_nothing(open_store: Callable[[], LmdbStore]) -> None:
    text = '{"users": [{"name": "ann", "password": "x"}], "vhosts": [{"name": "/", "description": "d"}],' + QUEUE[1:]
    Started(text, open_store()).store.close()
    store = open_store()
    started = Started(text, store)
    assert not store.has_changes
    assert [level for level, _, _ in started.log.lines] == ["debug"]
    store.close()


def test_a_bad_file_leaves_a_first_start_a_first_start(open_store: Callable[[], LmdbStore]) -> None:
    store = open_store()
    with pytest.raises(StartupError, match=r"cannot import the definitions: definitions_json: queues\[1\] \('5'"):
        Started('{"queues": [{"name": "q", "vhost": "/"}, {"name": 5, "vhost": "/"}]}', store)
    assert not store.has_changes
    store.close()
    started = Started(QUEUE, open_store())
    assert set(started.users.all) == {"guest"}
    started.store.close()


def test_what_was_imported_is_skipped_if_asked_for(open_store: Callable[[], LmdbStore]) -> None:
    started = Started(QUEUE, open_store(), skip_definitions=True)
    vhost = started.broker.vhosts["/"]
    vhost.delete_queue(vhost.queues["q"])
    started.store.close()
    started = Started(QUEUE, open_store(), skip_definitions=True)
    assert not started.broker.vhosts["/"].queues
    assert started.log.texts("info") == []
    started.store.close()
    started = Started(QUEUE.replace('"q"', '"other"'), open_store(), skip_definitions=True)
    assert set(started.broker.vhosts["/"].queues) == {"other"}
    assert DIGEST in started.broker.parameters.globals
    started.store.close()
    started = Started(QUEUE, open_store())  # not asked for: all is made again
    assert set(started.broker.vhosts["/"].queues) == {"q", "other"}
    started.store.close()


def test_events_are_told_in_a_default_vhost_that_comes_with_definitions() -> None:
    started = Started(QUEUE, event_exchange=True)
    assert "amq.rabbitmq.event" in started.broker.vhosts["/"].exchanges
    assert len(started.broker.events.listeners) == 1


def test_many_warnings_are_counted() -> None:
    bindings = ",".join(['{"source": "amq.fanout", "destination": "gone"}'] * 30)
    started = Started(f'{{"bindings": [{bindings}]}}')
    warnings = started.log.texts("warning")
    assert len(warnings) == 21
    assert warnings[-1] == "and 10 more such lines"
