from __future__ import annotations

import re

import pytest
from steps import Name, declare, delete, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import QueueDeclare


def test_the_broker_makes_up_a_name_when_none_is_given(client: Client) -> None:
    one, other = own_queue(client), own_queue(client)
    assert re.fullmatch(r"amq\.gen-[A-Za-z0-9_-]{22}", one)
    assert one != other


def test_a_made_up_name_works_like_any_other(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"message")
    assert drain(client, queue) == [b"message"]
    assert declare(client, queue, passive=True).queue == queue


def test_queues_of_all_kinds_may_have_made_up_names(client: Client) -> None:
    for options in ({}, {"durable": True}, {"auto_delete": True}):
        queue = declare(client, "", **options).queue
        assert queue.startswith("amq.gen-")
        delete(client, queue)


@pytest.mark.parametrize("queue", ["amq.nope", "amq.gen-AAAAAAAAAAAAAAAAAAAAAA", "amq."])
def test_names_like_the_brokers_are_reserved(client: Client, queue: str) -> None:
    client.send(1, QueueDeclare(queue=queue))
    expect_channel_error(client, 403, f"queue name '{queue}' contains reserved prefix 'amq.*'", QueueDeclare)


def test_even_a_queue_that_is_there_cannot_be_declared_by_a_reserved_name(client: Client) -> None:
    queue = own_queue(client)
    client.send(1, QueueDeclare(queue=queue, exclusive=True))
    expect_channel_error(client, 403, f"queue name '{queue}' contains reserved prefix 'amq.*'", QueueDeclare)


@pytest.mark.parametrize("queue", ["ünïcode 漢字", "with spaces and !§$%&/()", "x" * 255, "amqp", "#", "\t"])
def test_any_name_of_255_octets_will_do(client: Client, queue: str) -> None:
    assert declare(client, queue, exclusive=True).queue == queue
    client.publish(1, "", queue, b"message")
    assert drain(client, queue) == [b"message"]


def test_line_ends_in_names_do_not_count(client: Client, name: Name) -> None:
    queue = name("queue")
    with_line_ends = f"\r\n{queue[:5]}\n\r{queue[5:]}\n"
    assert declare(client, with_line_ends).queue == queue
    assert declare(client, with_line_ends, passive=True).queue == queue
    assert delete(client, with_line_ends) == 0
    client.send(1, QueueDeclare(queue=queue, passive=True))
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", QueueDeclare)


def test_a_name_of_line_ends_is_no_name(client: Client) -> None:
    assert declare(client, "\r\n", exclusive=True).queue.startswith("amq.gen-")
