"""Celery: real workers, each a process of its own, and what applications do with them.

Two workers run all the while: `steady` as `celery worker` is by default (prefork), and `slow`, which takes one message
at a time. Some queues are consumed only when a test says so, through Celery's remote control.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, chain, chord, group
from celery.exceptions import TaskRevokedError
from celery.result import AsyncResult
from kombu import Queue

from amqpd.testing.harness import BrokerProcess
from tests.conftest import names

from .celery_workers import Settings, celery_client, celery_worker, settings_for
from .process import PythonProgram, until

PATIENCE = 20.0

Name = Callable[..., str]


@pytest.fixture(scope="module")
def module_name(broker_url: str) -> Iterator[Name]:
    with names(broker_url) as name:
        yield name


@pytest.fixture(scope="module")
def settings(broker_url: str, module_name: Name) -> Settings:
    topic, dead = module_name("topic"), module_name("dead")
    by_key = {"exchange": topic, "exchange_type": "topic"}
    queues = {
        "urgent": {"queue_arguments": {"x-max-priority": 10}},
        "late": {},
        "soft": {},
        "picky": {"queue_arguments": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}},
        "sports": {**by_key, "routing_key": "*.sport.#"},
        "news": {**by_key, "routing_key": "news.weather"},
    }
    return settings_for(
        broker_url,
        module_name,
        task_queues={module_name(each): arguments for each, arguments in queues.items()},
        broadcast=module_name("everyone"),
    )


@pytest.fixture(scope="module")
def queues(settings: Settings) -> dict[str, str]:
    """The names of queues, by what they are called here."""
    return {name.rpartition(".")[2]: name for name in (*settings["task_queues"], settings["broadcast"])}


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Celery]:
    with celery_client(settings) as app:
        yield app


@pytest.fixture(scope="module")
def steady(settings: Settings, queues: dict[str, str]) -> Iterator[PythonProgram]:
    consumes = [settings["task_default_queue"], queues["sports"], queues["news"], queues["everyone"]]
    options = ("-c", "2", "-E", "--without-mingle", "-Q", ",".join(consumes))
    with celery_worker(settings, "steady@here", *options) as program:
        yield program


@pytest.fixture(scope="module")
def slow(settings: Settings, queues: dict[str, str], steady: PythonProgram) -> Iterator[PythonProgram]:
    with celery_worker(settings, "slow@here", "-P", "solo", "-Q", queues["everyone"]) as program:
        yield program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def consume(app: Celery, queue: str, node: str) -> None:
    assert app.control.add_consumer(queue, destination=[node], reply=True, timeout=PATIENCE, limit=1) == [
        {node: {"ok": f"add consumer {queue}"}}
    ]


def test_a_task_has_a_result(app: Celery, steady: PythonProgram) -> None:
    assert app.tasks["add"].delay(2, 3).get(timeout=PATIENCE) == 5


def test_an_exception_in_a_task_reaches_the_caller(app: Celery, steady: PythonProgram) -> None:
    with pytest.raises(ValueError, match="too bad"):
        app.tasks["fail"].delay("too bad").get(timeout=PATIENCE)


def test_a_group_has_all_its_results_in_order(app: Celery, steady: PythonProgram) -> None:
    add = app.tasks["add"]
    assert group(add.s(number, number) for number in range(100))().get(timeout=PATIENCE) == list(range(0, 200, 2))


def test_a_chain_hands_results_on(app: Celery, steady: PythonProgram) -> None:
    add = app.tasks["add"]
    assert chain(add.s(1, 2), add.s(3), add.s(4))().get(timeout=PATIENCE) == 10


def test_a_failed_task_is_retried_until_it_succeeds(app: Celery, steady: PythonProgram) -> None:
    assert app.tasks["flaky"].delay(3, countdown=0.01).get(timeout=PATIENCE) == 3


def test_a_task_with_a_countdown_is_not_executed_before(app: Celery, steady: PythonProgram) -> None:
    begin = time.time()
    result = app.tasks["where"].apply_async(countdown=0.3)
    assert result.get(timeout=PATIENCE)["at"] >= begin + 0.3


def test_a_message_of_a_megabyte_is_a_task_like_any(app: Celery, steady: PythonProgram) -> None:
    numbers = list(range(150_000))
    assert app.tasks["total"].delay(numbers).get(timeout=PATIENCE) == sum(numbers)


def test_topic_routing_keys_choose_the_queue(app: Celery, steady: PythonProgram, settings: Settings) -> None:
    exchange = next(q["exchange"] for q in settings["task_queues"].values() if "exchange" in q)
    for key in ("world.sport", "world.sport.tennis.women", "news.weather"):
        came = app.tasks["where"].apply_async(exchange=exchange, routing_key=key).get(timeout=PATIENCE)
        assert (came["exchange"], came["routing_key"], came["redelivered"]) == (exchange, key, False)


def test_each_worker_gets_what_is_broadcast(
    app: Celery, steady: PythonProgram, slow: PythonProgram, queues: dict[str, str], folder: Path
) -> None:
    app.tasks["tell"].apply_async((str(folder),), queue=queues["everyone"])
    until(lambda: len(list(folder.iterdir())) == 2, "both workers to tell")
    assert {path.name for path in folder.iterdir()} == {"steady@here", "slow@here"}


def test_the_urgent_go_first(app: Celery, slow: PythonProgram, queues: dict[str, str]) -> None:
    priorities = [0, 5, 9, 1, 5, 3]
    results = [app.tasks["where"].apply_async(queue=queues["urgent"], priority=each) for each in priorities]
    consume(app, queues["urgent"], "slow@here")
    came = sorted((result.get(timeout=PATIENCE) for result in results), key=lambda came: came["at"])
    assert [each["priority"] for each in came] == sorted(priorities, reverse=True)


def test_workers_answer_a_ping(app: Celery, steady: PythonProgram, slow: PythonProgram) -> None:
    answers = app.control.ping(timeout=PATIENCE, limit=2)
    assert sorted(answers, key=str) == [{"slow@here": {"ok": "pong"}}, {"steady@here": {"ok": "pong"}}]


def test_a_worker_can_be_inspected(app: Celery, steady: PythonProgram, queues: dict[str, str]) -> None:
    inspect = app.control.inspect(destination=["steady@here"], timeout=PATIENCE, limit=1)
    assert {"add", "hold"} <= set(inspect.registered()["steady@here"])
    stats = inspect.stats()["steady@here"]
    assert stats["broker"]["transport"] == "amqp"
    assert stats["pool"]["max-concurrency"] == 2
    consumed = {queue["name"] for queue in inspect.active_queues()["steady@here"]}
    assert {queues["sports"], queues["news"]} <= consumed


def test_workers_find_each_other(slow: PythonProgram) -> None:
    slow.wait_for("mingle: sync with 1 nodes")


def test_events_tell_the_life_of_a_task(app: Celery, steady: PythonProgram) -> None:
    seen: list[tuple[str, str | None]] = []

    def tell(event: dict[str, Any]) -> None:
        seen.append((event["type"], event.get("uuid")))

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": tell})
        with receiver.consumer_context() as (events, _, _):
            result = app.tasks["add"].delay(1, 1)
            while ("task-succeeded", result.id) not in seen:
                events.drain_events(timeout=PATIENCE)
    assert [kind for kind, task in seen if task == result.id] == ["task-received", "task-started", "task-succeeded"]


def test_a_revoked_task_is_not_executed(app: Celery, steady: PythonProgram) -> None:
    result = app.tasks["add"].apply_async((1, 1), countdown=0.2)
    answers = app.control.revoke(result.id, reply=True, destination=["steady@here"], timeout=PATIENCE, limit=1)
    assert "ok" in answers[0]["steady@here"]
    with pytest.raises(TaskRevokedError):
        result.get(timeout=PATIENCE)


def test_a_task_can_be_terminated(app: Celery, steady: PythonProgram, folder: Path) -> None:
    result = app.tasks["hold"].delay(str(folder))
    until((folder / "begun.steady@here").exists, "the task to begin")
    app.control.revoke(result.id, terminate=True)
    with pytest.raises(TaskRevokedError):
        result.get(timeout=PATIENCE)


def test_a_rejected_task_is_requeued(app: Celery, steady: PythonProgram) -> None:
    assert app.tasks["turn_away"].delay(requeue=True).get(timeout=PATIENCE) == "redelivered"


def test_a_rejected_task_is_dead_lettered(
    app: Celery, slow: PythonProgram, queues: dict[str, str], settings: Settings
) -> None:
    dead = settings["task_queues"][queues["picky"]]["queue_arguments"]["x-dead-letter-routing-key"]
    with app.connection_for_read() as connection:
        dead_letters = Queue(dead, exchange="", routing_key=dead, channel=connection.default_channel)
        dead_letters.declare()
        result = app.tasks["turn_away"].apply_async((), {"requeue": False}, queue=queues["picky"])
        consume(app, queues["picky"], "slow@here")
        found: list[Any] = []

        def there_is_one() -> bool:
            found.append(dead_letters.get(no_ack=True))
            return found[-1] is not None

        until(there_is_one, "a dead letter")
        message = found[-1]
        assert message.headers["id"] == result.id
        (death,) = message.headers["x-death"]
        assert (death["reason"], death["queue"]) == ("rejected", queues["picky"])


def test_the_task_of_a_killed_worker_is_done_by_another(
    app: Celery, settings: Settings, steady: PythonProgram, queues: dict[str, str], folder: Path
) -> None:
    result = app.tasks["hold"].apply_async((str(folder),), queue=queues["late"])
    with celery_worker(settings, "killed@here", "-P", "solo", "--without-mingle", "-Q", queues["late"]) as killed:
        until((folder / "begun.killed@here").exists, "the task to begin")
        killed.kill()
    finish_elsewhere(app, result, queues["late"], folder)


def test_a_worker_that_leaves_softly_gives_back_what_it_cannot_end(
    app: Celery, settings: Settings, steady: PythonProgram, queues: dict[str, str], folder: Path
) -> None:
    result = app.tasks["hold"].apply_async((str(folder),), queue=queues["soft"])
    soft = {**settings, "worker_soft_shutdown_timeout": 0.1}
    with celery_worker(soft, "leaving@here", "-c", "1", "--without-mingle", "-Q", queues["soft"]) as leaving:
        until((folder / "begun.leaving@here").exists, "the task to begin")
        asked = app.control.inspect(["leaving@here"])
        until(lambda: any((asked.active() or {}).values()), "the worker to know that it has begun")
        leaving.signal(signal.SIGQUIT)
        leaving.wait_for("Initiating Soft Shutdown")
        leaving.wait()
    finish_elsewhere(app, result, queues["soft"], folder)


def finish_elsewhere(app: Celery, result: AsyncResult, queue: str, folder: Path) -> None:
    """Have the steady worker take over a task from a queue, and see that it was somebody else's before."""
    consume(app, queue, "steady@here")
    until((folder / "begun.steady@here").exists, "the task to begin again")
    (folder / "go").touch()
    came = result.get(timeout=PATIENCE)
    assert (came["worker"], came["redelivered"]) == ("steady@here", True)


def test_a_chord_is_finished_when_all_its_tasks_are(broker_url: str, module_name: Name, folder: Path) -> None:
    """Chords need a backend that keeps results, which rpc:// does not; files do where there is no database."""
    settings = settings_for(
        broker_url, module_name, result_backend=f"file://{folder}", result_chord_retry_interval=0.02
    )
    with celery_client(settings) as app, celery_worker(settings, "chorus@here", "-P", "solo", "--without-mingle") as w:
        add, total = app.tasks["add"], app.tasks["total"]
        assert chord([add.s(number, 1) for number in range(10)])(total.s()).get(timeout=PATIENCE) == 55
        app.control.shutdown(destination=["chorus@here"])
        assert w.wait() == 0


@pytest.mark.ours("kills its broker")
def test_a_worker_comes_back_when_the_broker_does(tmp_path: Path) -> None:
    with BrokerProcess("-D", str(tmp_path / "data")) as broker:
        confirmed = {"confirm_publish": True}  # else what was just sent may die with the broker
        settings = settings_for(
            broker.url, str, result_backend=f"file://{tmp_path}", broker_transport_options=confirmed
        )
        with (
            celery_client(settings) as app,
            celery_worker(settings, "back@here", "-P", "solo", "--without-mingle") as w,
        ):
            app.tasks["hold"].delay(str(tmp_path))
            until((tmp_path / "begun.back@here").exists, "the task to begin")
            waiting = app.tasks["where"].delay()
            broker.kill()
            broker.start()
            (tmp_path / "go").touch()
            w.wait_for("Connection to broker lost")
            assert waiting.get(timeout=PATIENCE)["worker"] == "back@here"
            assert app.tasks["add"].delay(2, 3).get(timeout=PATIENCE) == 5
