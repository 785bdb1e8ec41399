"""Celery on quorum queues: countdowns are kept by the broker, in a ladder of queues that expire into the next.

Celery names the ladder itself: 28 queues, `celery_delayed_0` for one second to `celery_delayed_27`, the exchange of the
same name before each, and `celery_delayed_delivery` at its foot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from celery import Celery, group

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    ExchangeDelete,
    ExchangeDeleteOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
)
from tests.conftest import names

from .celery_workers import Settings, celery_client, celery_worker, settings_for
from .process import PythonProgram

PATIENCE = 20.0
LADDER = [f"celery_delayed_{level}" for level in range(28)]


@pytest.fixture(scope="module")
def ladder(broker_url: str) -> Iterator[list[str]]:
    """The names of Celery's queues for delays, which are gone afterwards."""
    yield LADDER
    with Client(broker_url) as client:
        client.channel(1)
        for name in LADDER:
            client.call(1, QueueDelete(queue=name), QueueDeleteOk)
        for name in (*LADDER, "celery_delayed_delivery"):
            client.call(1, ExchangeDelete(exchange=name), ExchangeDeleteOk)
        client.close()


@pytest.fixture(scope="module")
def settings(broker_url: str, ladder: list[str]) -> Iterator[Settings]:
    with names(broker_url) as name:
        yield settings_for(
            broker_url,
            name,
            task_default_queue_type="quorum",
            task_default_exchange_type="topic",  # as delays need
            worker_detect_quorum_queues=True,
            broker_transport_options={"confirm_publish": True},
            task_acks_late=True,
            task_reject_on_worker_lost=True,
        )


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Celery]:
    with celery_client(settings) as app:
        yield app


@pytest.fixture(scope="module")
def worker(settings: Settings) -> Iterator[PythonProgram]:
    with celery_worker(settings, "quorum@here", "-P", "threads", "-c", "4", "--without-mingle") as program:
        yield program


def test_the_workers_queue_is_a_quorum_queue(
    worker: PythonProgram, settings: Settings, connect: Callable[..., Client]
) -> None:
    client = connect()
    client.channel(1)
    queue = settings["task_default_queue"]
    arguments = {"x-queue-type": "quorum"}
    client.call(1, QueueDeclare(queue=queue, durable=True, arguments=arguments), QueueDeclareOk)


def test_tasks_have_their_results(app: Celery, worker: PythonProgram) -> None:
    add = app.tasks["add"]
    assert group(add.s(number, number) for number in range(100))().get(timeout=PATIENCE) == list(range(0, 200, 2))


def test_delays_are_kept_by_the_broker(app: Celery, worker: PythonProgram, client: Client, ladder: list[str]) -> None:
    """Countdowns and a retry's at once, while a longer one stays where it is."""
    begin = time.time()
    an_hour, two_seconds, a_second = (app.tasks["where"].apply_async(countdown=each) for each in (3600, 2, 1))
    retried = app.tasks["flaky"].delay(1, countdown=1)
    assert a_second.get(timeout=PATIENCE)["at"] >= begin + 1
    assert retried.get(timeout=PATIENCE) == 1
    assert two_seconds.get(timeout=PATIENCE)["at"] >= begin + 2
    counts = [client.call(1, QueueDeclare(queue=name, passive=True), QueueDeclareOk).message_count for name in ladder]
    assert counts == [0] * 11 + [1] + [0] * 16  # an hour waits 2048 seconds first
    assert not any(an_hour.id in line for line in worker.log)


def test_a_rejected_task_comes_again(app: Celery, worker: PythonProgram) -> None:
    assert app.tasks["turn_away"].delay(requeue=True).get(timeout=PATIENCE) == "redelivered"
