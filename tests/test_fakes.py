"""The fakes keep the contracts they stand in for."""

from __future__ import annotations

import pytest

from amqpd.auth.base import Action, Credentials, Refusal, User
from amqpd.broker.consumer import Consumer, Outlet, Window
from amqpd.broker.memory import Memory
from amqpd.broker.queue import Queue
from amqpd.message import make_message
from amqpd.store.base import Kind
from amqpd.store.memory import MemoryStore
from tests.fakes import LOCAL, REMOTE, Guests, ManualStore, RecordingLog, RecordingSink


def test_a_recording_sink_remembers_deliveries_by_consumer() -> None:
    sink = RecordingSink()
    queue = Queue("q", 1, MemoryStore(), None, Memory(1 << 20))
    for tag in ("one", "two"):
        queue.add_consumer(Consumer(tag, queue, sink, Outlet(), Window()))
    for body in (b"a", b"b", b"c"):
        queue.push(make_message("", "q", body))
    assert sink.bodies == [b"a", b"b", b"c"]
    assert sink.bodies_of("one") == [b"a", b"c"]
    assert sink.bodies_of("two") == [b"b"]


def test_a_recording_sink_remembers_who_was_cancelled() -> None:
    sink = RecordingSink()
    queue = Queue("q", 1, MemoryStore(), None, Memory(1 << 20))
    queue.add_consumer(Consumer("one", queue, sink, Outlet(), Window()))
    queue.close()
    assert sink.cancellations == ["one"]


def test_a_manual_store_calls_back_when_it_is_told_to_commit() -> None:
    store = ManualStore()
    called: list[str] = []
    store.put(1, 0, make_message("", "q", b"body"))
    store.when_committed(lambda: called.append("first"))
    store.when_committed(lambda: called.append("second"))
    assert called == []
    assert store.lag == 4
    store.commit()
    assert called == ["first", "second"]
    assert store.lag == 0


def test_a_manual_store_with_nothing_to_commit_calls_back_at_once() -> None:
    store = ManualStore()
    called: list[str] = []
    store.when_committed(lambda: called.append("now"))
    assert called == ["now"]


@pytest.mark.parametrize("change", ["put", "delete", "drop", "define", "undefine"])
def test_every_change_makes_a_manual_store_wait(change: str) -> None:
    store = ManualStore()
    message = make_message("", "q", b"body")
    store.put(1, 0, message)
    store.commit()
    match change:
        case "put":
            store.put(1, 1, message)
        case "delete":
            store.delete(1, 0, message)
        case "drop":
            store.drop(1)
        case "define":
            store.define(Kind.VHOST, 1, {"name": "/"})
        case "undefine":
            store.undefine(Kind.VHOST, 1)
    called: list[str] = []
    store.when_committed(lambda: called.append("later"))
    assert called == []
    store.commit()
    assert called == ["later"]


def test_a_change_made_by_a_callback_waits_for_the_next_commit() -> None:
    store = ManualStore()
    called: list[str] = []

    def change() -> None:
        store.put(1, 1, make_message("", "q", b"second"))
        store.when_committed(lambda: called.append("second"))

    store.put(1, 0, make_message("", "q", b"first"))
    store.when_committed(change)
    store.commit()
    assert called == []
    store.commit()
    assert called == ["second"]


def test_closing_a_manual_store_commits() -> None:
    store = ManualStore()
    called: list[str] = []
    store.put(1, 0, make_message("", "q", b"body"))
    store.when_committed(lambda: called.append("closed"))
    store.close()
    assert called == ["closed"]


def test_guests_know_one_user_on_this_machine_who_may_do_everything() -> None:
    guests = Guests()
    guest = guests.authenticate(Credentials("guest", b"guest"), LOCAL)
    assert guest == User("guest")
    for refused, peer in (("guest", REMOTE), ("alice", LOCAL)):
        assert isinstance(guests.authenticate(Credentials(refused, b"guest"), peer), Refusal)
    assert guests.update_secret(guest, b"x", LOCAL) is guest
    assert guests.may_enter(guest, "/", LOCAL)
    assert guests.may(guest, Action.READ, "/", "queue", "q")
    assert guests.may_use_topic(guest, Action.READ, "/", "x", "key")
    assert not guests.checks_topics(guest, "/", "x")
    assert guests.limit(guest, "max-channels") is None


def test_a_recording_log_keeps_what_was_bound() -> None:
    log = RecordingLog()
    log.bind(peer="here").bind(vhost="/").warning("watch out", queue="q")
    assert log.lines == [("warning", "watch out", {"peer": "here", "vhost": "/", "queue": "q"})]
    assert log.texts("warning") == ["watch out"]
    assert log.texts("error") == []
