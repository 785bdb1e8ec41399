from __future__ import annotations

from steps import own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicGet, ConnectionClose, ConnectionCloseOk, QueueDeclare


def test_a_close_is_answered_with_close_ok(client: Client) -> None:
    client.call(0, ConnectionClose(200, "goodbye"), ConnectionCloseOk)


def test_any_reason_will_do(client: Client) -> None:
    client.call(0, ConnectionClose(65535, "ö" * 127, 60, 40), ConnectionCloseOk)


def test_what_follows_a_close_is_not_looked_at(client: Client) -> None:
    queue = own_queue(client)
    client.write(
        client.session.encode(0, ConnectionClose())
        + client.session.encode(1, QueueDeclare(queue=queue, passive=True), BasicGet(queue=queue))
    )
    client.expect(0, ConnectionCloseOk)
