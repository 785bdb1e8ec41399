"""Dramatiq: actors on workers of this process, its queues for delays (.DQ) and for what failed for good (.XQ)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
import pika
import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.middleware import AgeLimit, Retries, TimeLimit
from pika.adapters.blocking_connection import BlockingChannel

from .process import until

PATIENCE = 20.0

Name = Callable[..., str]


@pytest.fixture
def queue(name: Name, open_blocking: Callable[..., pika.BlockingConnection]) -> Iterator[str]:
    """A name for a queue. Those that dramatiq calls after it are deleted as well."""
    queue = name("queue")
    yield queue
    channel = open_blocking().channel()
    for suffix in ("DQ", "XQ"):
        channel.queue_delete(f"{queue}.{suffix}")


@pytest.fixture
def actors(broker_url: str) -> Iterator[RabbitmqBroker]:
    broker = RabbitmqBroker(
        url=broker_url, confirm_delivery=True, max_priority=10, middleware=[AgeLimit(), TimeLimit(), Retries()]
    )
    yield broker
    broker.close()


@contextmanager
def working(broker: RabbitmqBroker, threads: int = 2) -> Iterator[None]:
    """Workers, while the block lasts."""
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=20)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def test_actors_do_what_was_sent_to_them(actors: RabbitmqBroker, queue: str) -> None:
    done: list[int] = []

    @dramatiq.actor(broker=actors, queue_name=queue)
    def work(number: int) -> None:
        done.append(number)

    for number in range(100):
        work.send(number)
    assert actors.get_queue_message_counts(queue) == (100, 0, 0)
    with working(actors):
        actors.join(queue, min_successes=2, idle_time=20, timeout=20_000)
        until(lambda: sorted(done) == list(range(100)), "the work to be done")


def test_what_fails_is_tried_again_from_the_delay_queue(
    actors: RabbitmqBroker, queue: str, channel: BlockingChannel
) -> None:
    attempts: list[int] = []

    @dramatiq.actor(broker=actors, queue_name=queue, max_retries=3, min_backoff=10, max_backoff=20)
    def fail() -> None:
        attempts.append(len(attempts))
        raise ValueError("no luck")

    with working(actors):
        fail.send()
        until(lambda: actors.get_queue_message_counts(queue) == (0, 0, 1), "it to be given up")
    assert attempts == [0, 1, 2, 3]
    _, properties, _ = channel.basic_get(f"{queue}.XQ", auto_ack=True)
    assert properties.headers["x-death"][0]["reason"] == "rejected"


def test_a_delayed_message_waits_in_the_delay_queue(actors: RabbitmqBroker, queue: str) -> None:
    done = threading.Event()

    @dramatiq.actor(broker=actors, queue_name=queue)
    def work() -> None:
        done.set()

    work.send_with_options(delay=100)
    assert actors.get_queue_message_counts(queue) == (0, 1, 0)
    with working(actors):
        assert done.wait(PATIENCE)


def test_the_urgent_go_first(actors: RabbitmqBroker, queue: str) -> None:
    @dramatiq.actor(broker=actors, queue_name=queue)
    def work(priority: int) -> None:
        """Nobody does it here."""

    for priority in (0, 5, 9, 1, 5, 3):
        work.send_with_options(args=(priority,), broker_priority=priority)
    order: list[int] = []
    consumer = actors.consume(queue, prefetch=1, timeout=int(PATIENCE * 1000))
    for _ in range(6):
        message: Any = next(consumer)
        order.append(message.args[0])
        consumer.ack(message)
    consumer.close()
    assert order == [9, 5, 5, 3, 1, 0]


def test_a_queue_that_was_deleted_is_declared_again(
    actors: RabbitmqBroker, queue: str, channel: BlockingChannel
) -> None:
    done: list[int] = []

    @dramatiq.actor(broker=actors, queue_name=queue)
    def work(number: int) -> None:
        done.append(number)

    work.send(1)
    channel.queue_delete(queue)
    work.send(2)  # it is returned, and tried again
    with working(actors):
        until(lambda: done == [2], "the second message")


def test_messages_of_a_connection_that_went_away_come_again(actors: RabbitmqBroker, queue: str) -> None:
    @dramatiq.actor(broker=actors, queue_name=queue)
    def work() -> None:
        """Nobody does it here."""

    work.send()
    first = actors.consume(queue, prefetch=1, timeout=int(PATIENCE * 1000))
    message: Any = next(first)
    assert not message.redelivered
    first.close()
    second = actors.consume(queue, prefetch=1, timeout=int(PATIENCE * 1000))
    message = next(second)
    assert message.redelivered
    second.ack(message)
    second.close()
