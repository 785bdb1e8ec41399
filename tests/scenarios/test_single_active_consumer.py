"""Queues with x-single-active-consumer deliver to one consumer at a time; the others wait for its end."""

from __future__ import annotations

import pytest
from steps import (
    Connect,
    Name,
    consume,
    declare,
    delivered,
    deliveries,
    drain,
    expect_channel_error,
    expect_ready,
    own_queue,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicCancelOk,
    BasicConsume,
    BasicDeliver,
    BasicGet,
    BasicQos,
    BasicQosOk,
    ChannelClose,
    ChannelCloseOk,
    QueueDeclare,
    QueueDelete,
    QueueDeleteOk,
)

SINGLE = {"x-single-active-consumer": True}


def publish(client: Client, queue: str, count: int) -> list[str]:
    """Publish messages; returns who got them, in order."""
    for _ in range(count):
        client.publish(1, "", queue)
    return [delivered(client).method.consumer_tag for _ in range(count)]


def test_the_first_gets_all_and_the_others_are_counted(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    for tag in ("a", "b", "c"):
        consume(client, queue, tag)
    assert publish(client, queue, 6) == ["a"] * 6
    assert declare(client, queue, passive=True).consumer_count == 3


def test_the_next_in_order_takes_over_when_it_is_cancelled(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    for tag in ("a", "b", "c"):
        consume(client, queue, tag)
    for first, second in (("a", "b"), ("b", "c")):
        assert publish(client, queue, 2) == [first] * 2
        client.call(1, BasicCancel(first), BasicCancelOk)
        assert publish(client, queue, 2) == [second] * 2


def test_one_that_waits_may_leave(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    for tag in ("a", "b", "c"):
        consume(client, queue, tag)
    client.call(1, BasicCancel("b"), BasicCancelOk)
    assert publish(client, queue, 2) == ["a"] * 2
    client.call(1, BasicCancel("a"), BasicCancelOk)
    assert publish(client, queue, 2) == ["c"] * 2


@pytest.mark.ours("3.10 leaves it until something else happens to the queue, such as a publish")
def test_what_is_ready_goes_to_the_next_after_cancel_ok(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    client.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    consume(client, queue, "a")
    consume(client, queue, "b")
    for body in (b"1", b"2"):
        client.publish(1, "", queue, body)
    assert deliveries(client, 1) == [b"1"]
    assert client.silence()  # a has its fill, and b waits nevertheless
    client.send(1, BasicCancel("a"))
    client.expect(1, BasicCancelOk)
    command = delivered(client)
    assert (command.method.consumer_tag, command.body) == ("b", b"2")


def test_what_the_former_one_holds_is_still_its_own(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    consume(client, queue, "a")
    consume(client, queue, "b")
    assert publish(client, queue, 1) == ["a"]
    client.call(1, BasicCancel("a"), BasicCancelOk)
    assert publish(client, queue, 1) == ["b"]
    client.send(1, BasicAck(2, multiple=True))
    assert client.silence()


def test_what_was_unacked_comes_first_when_the_channel_of_the_active_one_closes(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    for channel in (2, 3):
        client.channel(channel)
    client.call(2, BasicQos(prefetch_count=2), BasicQosOk)
    consume(client, queue, "a", 2)
    consume(client, queue, "b", 3)
    for body in (b"1", b"2", b"3"):
        client.publish(1, "", queue, body)
    assert deliveries(client, 2, channel=2) == [b"1", b"2"]
    client.send(2, ChannelClose())
    came = [client.receive() for _ in range(4)]
    assert sum(isinstance(command.method, ChannelCloseOk) for command in came) == 1
    redeliveries = [command for command in came if isinstance(command.method, BasicDeliver)]
    assert [(each.body, each.method.redelivered) for each in redeliveries] == [
        (b"1", True),
        (b"2", True),
        (b"3", False),
    ]


@pytest.mark.parametrize("politely", [True, False])
def test_another_connection_takes_over(client: Client, connect: Connect, name: Name, politely: bool) -> None:
    queue = name("queue")
    declare(client, queue, arguments=SINGLE)
    first, second = connect(), connect()
    for other in (first, second):
        other.channel(1)
        consume(other, queue)
    client.publish(1, "", queue, b"message")
    assert deliveries(first, 1) == [b"message"]
    first.close() if politely else first.drop()
    again = delivered(second)
    assert (again.body, again.method.redelivered) == (b"message", True)


def test_its_limit_holds_for_the_active_one(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    client.call(1, BasicQos(prefetch_count=1), BasicQosOk)
    consume(client, queue, "a")
    consume(client, queue, "b")
    for body in (b"1", b"2"):
        client.publish(1, "", queue, body)
    assert deliveries(client, 1) == [b"1"]
    client.send(1, BasicAck(1))
    command = delivered(client)
    assert (command.method.consumer_tag, command.body) == ("a", b"2")


def test_a_priority_does_not_take_the_place_of_the_active_one_but_comes_next(client: Client) -> None:
    queue = own_queue(client, arguments=SINGLE)
    consume(client, queue, "a")
    consume(client, queue, "b")
    consume(client, queue, "high", arguments={"x-priority": 5})
    assert publish(client, queue, 2) == ["a"] * 2
    client.call(1, BasicCancel("a"), BasicCancelOk)
    assert publish(client, queue, 2) == ["high"] * 2
    client.call(1, BasicCancel("high"), BasicCancelOk)
    assert publish(client, queue, 2) == ["b"] * 2


@pytest.mark.parametrize("others", [0, 1])
def test_it_cannot_be_exclusive_as_well(client: Client, others: int) -> None:
    queue = own_queue(client, arguments=SINGLE)
    client.channel(2)
    for _ in range(others):
        consume(client, queue, channel=2)
    client.send(1, BasicConsume(queue=queue, exclusive=True))
    expect_channel_error(client, 403, f"queue '{queue}' in vhost '/' in exclusive use", BasicConsume)


def test_an_auto_delete_queue_goes_with_the_last(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, auto_delete=True, arguments=SINGLE)
    consume(client, queue, "a")
    consume(client, queue, "b")
    client.call(1, BasicCancel("a"), BasicCancelOk)
    declare(client, queue, passive=True)
    client.call(1, BasicCancel("b"), BasicCancelOk)
    client.send(1, QueueDeclare(queue=queue, passive=True))
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", QueueDeclare)


def test_all_are_told_when_the_queue_is_deleted(client: Client, connect: Connect, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments=SINGLE)
    other = connect()
    other.channel(1)
    for tag in ("a", "b"):
        consume(other, queue, tag)
    client.call(1, QueueDelete(queue=queue), QueueDeleteOk)
    assert {other.expect(1, BasicCancel).consumer_tag for _ in range(2)} == {"a", "b"}


def test_false_is_as_good_as_absent_but_not_the_same(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, arguments={"x-single-active-consumer": False})
    consume(client, queue, "a")
    consume(client, queue, "b")
    assert publish(client, queue, 2) == ["a", "b"]
    client.send(1, QueueDeclare(queue=queue, arguments=SINGLE))
    text = (
        f"inequivalent arg 'x-single-active-consumer' for queue '{queue}' in vhost '/':"
        " received 'true' but current is 'false'"
    )
    expect_channel_error(client, 406, text, QueueDeclare)


def test_a_quorum_queue_has_nothing_to_get(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True, arguments={**SINGLE, "x-queue-type": "quorum"})
    client.send(1, BasicGet(queue=queue))
    text = (
        f"cannot obtain access to locked queue '{queue}' in vhost '/'. basic.get operations are not supported by quorum"
        " queues with single active consumer"
    )
    expect_channel_error(client, 405, text, BasicGet)
    own = own_queue(client, arguments=SINGLE)
    client.publish(1, "", own, b"a")
    expect_ready(client, own, 1)
    assert drain(client, own) == [b"a"]
