"""TCP knows no frames: they arrive in whatever pieces the network makes of them."""

from __future__ import annotations

from steps import delivered, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicConsume, BasicConsumeOk, BasicGet, BasicGetOk
from amqpd.wire.properties import Properties

PROPERTIES = Properties(content_type="text/plain", headers={"n": 1}, delivery_mode=1)


def test_commands_may_come_octet_by_octet(client: Client) -> None:
    queue = own_queue(client)
    data = client.session.encode_publish(1, "", queue, b"some body", PROPERTIES)
    data += client.session.encode(1, BasicGet(queue=queue, no_ack=True))
    for octet in data:
        client.write(bytes([octet]))
    got = client.expect_command(1, BasicGetOk)
    assert (got.body, got.properties) == (b"some body", PROPERTIES)


def test_commands_may_be_cut_at_any_place(client: Client) -> None:
    queue = own_queue(client)
    client.call(1, BasicConsume(queue=queue, no_ack=True), BasicConsumeOk)
    first = client.session.encode_publish(1, "", queue, b"first")
    second = client.session.encode_publish(1, "", queue, b"the second", PROPERTIES)
    for cut in range(len(second) + 1):
        client.write(first + second[:cut])
        assert delivered(client).body == b"first"
        client.write(second[cut:])
        got = delivered(client)
        assert (got.body, got.properties) == (b"the second", PROPERTIES)


def test_a_thousand_commands_may_come_together(client: Client) -> None:
    queue = own_queue(client)
    bodies = [b"%d" % number for number in range(1000)]
    client.write(b"".join([client.session.encode_publish(1, "", queue, body) for body in bodies]))
    assert drain(client, queue) == bodies
