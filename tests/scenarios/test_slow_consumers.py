"""A peer that does not read harms nobody else, and misses nothing."""

from __future__ import annotations

from steps import Connect, Name, consume, declare, delivered, drain, fill, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck

PIECE = b"x" * (64 << 10)


def test_deliveries_wait_for_a_consumer_that_does_not_read(client: Client, connect: Connect, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    slow = connect()
    slow.channel(1)
    consume(slow, queue, no_ack=True)
    bodies = [b"%d " % number + PIECE for number in range(200)]
    for body in bodies:
        client.publish(1, "", queue, body)
    own = own_queue(client)
    fill(client, own, b"meanwhile")
    assert drain(client, own) == [b"meanwhile"]
    for body in bodies:
        assert delivered(slow).body == body


def test_other_consumers_of_the_queue_get_the_messages(client: Client, connect: Connect, name: Name) -> None:
    queue = name("queue")
    declare(client, queue)
    slow, quick = connect(), connect()
    for other in (slow, quick):
        other.channel(1)
        consume(other, queue)
    total = 400
    for number in range(total):
        client.publish(1, "", queue, b"%d " % number + PIECE)
    seen = set()
    while len(seen) < total // 2:
        delivery = delivered(quick)
        seen.add(delivery.body.split()[0])
        quick.send(1, BasicAck(delivery.method.delivery_tag))
    slow.drop()
    while len(seen) < total:
        delivery = delivered(quick)
        seen.add(delivery.body.split()[0])
        quick.send(1, BasicAck(delivery.method.delivery_tag))
