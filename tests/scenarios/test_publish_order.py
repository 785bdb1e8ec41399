"""Messages from one channel arrive in a queue in the order they were published."""

from __future__ import annotations

from steps import Name, bind, consume, declare, deliveries, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.properties import Properties

BODIES = [b"%d" % number for number in range(500)]


def test_gets_return_them_in_order(client: Client) -> None:
    queue = own_queue(client)
    for body in BODIES:
        client.publish(1, "", queue, body)
    assert drain(client, queue) == BODIES


def test_a_consumer_receives_them_in_order(client: Client) -> None:
    queue = own_queue(client)
    for body in BODIES[:250]:
        client.publish(1, "", queue, body)
    consume(client, queue, no_ack=True)
    for body in BODIES[250:]:
        client.publish(1, "", queue, body)
    assert deliveries(client, len(BODIES)) == BODIES


def test_whichever_way_they_take_to_the_queue(client: Client) -> None:
    queue = own_queue(client)
    bind(client, queue, "amq.direct", queue)
    bind(client, queue, "amq.topic", f"{queue}.#")
    for number, body in enumerate(BODIES):
        if number % 3 == 0:
            client.publish(1, "", queue, body)
        elif number % 3 == 1:
            client.publish(1, "amq.direct", queue, body)
        else:
            client.publish(1, "amq.topic", queue, body)
    assert drain(client, queue) == BODIES


def test_transient_and_persistent_messages_keep_one_order(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True)
    for number, body in enumerate(BODIES):
        client.publish(1, "", queue, body, Properties(delivery_mode=1 + number % 2))
    assert drain(client, queue) == BODIES
