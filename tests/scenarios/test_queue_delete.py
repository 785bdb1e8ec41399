from __future__ import annotations

from steps import (
    Name,
    bind,
    consume,
    declare,
    declare_exchange,
    delete,
    delivered,
    drain,
    expect_channel_error,
    fill,
    own_queue,
    take,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicCancelOk,
    BasicGet,
    BasicQos,
    BasicQosOk,
    BasicReturn,
    QueueDelete,
)


def test_ready_messages_are_counted(client: Client) -> None:
    queue = own_queue(client)
    for _ in range(3):
        client.publish(1, "", queue)
    take(client, queue)
    assert delete(client, queue) == 2


def test_a_deleted_queue_is_gone(client: Client) -> None:
    queue = own_queue(client)
    delete(client, queue)
    client.send(1, BasicGet(queue=queue))
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", BasicGet)


def test_its_messages_and_bindings_go_with_it(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queue = name("queue")
    declare(client, queue)
    bind(client, queue, exchange)
    client.publish(1, exchange, "", b"gone")
    delete(client, queue)
    declare(client, queue)
    client.publish(1, exchange, "", mandatory=True)
    client.expect(1, BasicReturn)
    assert drain(client, queue) == []


def test_a_missing_queue_can_be_deleted(client: Client) -> None:
    assert delete(client, "nope") == 0
    assert delete(client, "nope", if_unused=True, if_empty=True) == 0


def test_if_unused_keeps_a_queue_with_a_consumer(client: Client) -> None:
    queue = own_queue(client)
    consume(client, queue)
    client.send(1, QueueDelete(queue=queue, if_unused=True))
    expect_channel_error(client, 406, f"queue '{queue}' in vhost '/' in use", QueueDelete)
    assert delete(client, queue, if_unused=True) == 0  # the consumer went with its channel


def test_if_unused_does_not_mind_messages(client: Client) -> None:
    queue = own_queue(client)
    tag = consume(client, queue)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    client.publish(1, "", queue)
    assert delete(client, queue, if_unused=True) == 1


def test_if_empty_keeps_a_queue_with_messages(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"kept")
    client.send(1, QueueDelete(queue=queue, if_empty=True))
    expect_channel_error(client, 406, f"queue '{queue}' in vhost '/' not empty", QueueDelete)
    assert drain(client, queue) == [b"kept"]
    assert delete(client, queue, if_empty=True) == 0


def test_if_empty_does_not_mind_unacked_messages(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue)
    tag = take(client, queue)
    assert delete(client, queue, if_empty=True) == 0
    client.send(1, BasicAck(tag))
    own_queue(client)


def test_emptiness_is_looked_at_before_use(client: Client) -> None:
    queue = own_queue(client)
    fill(client, queue, b"one", b"two")
    client.channel(2)
    client.call(2, BasicQos(prefetch_count=1), BasicQosOk)
    consume(client, queue, channel=2)
    delivered(client, channel=2)
    client.send(1, QueueDelete(queue=queue, if_unused=True, if_empty=True))
    expect_channel_error(client, 406, f"queue '{queue}' in vhost '/' not empty", QueueDelete)


def test_nowait_is_not_answered(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    client.send(1, QueueDelete(queue=queue, nowait=True), BasicGet(queue=queue))
    expect_channel_error(client, 404, f"no queue '{queue}' in vhost '/'", BasicGet)


def test_nowait_does_not_hide_errors(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue)
    client.send(1, QueueDelete(queue=queue, if_empty=True, nowait=True))
    expect_channel_error(client, 406, f"queue '{queue}' in vhost '/' not empty", QueueDelete)
