from __future__ import annotations

from steps import Name, bind, bind_exchange, declare_exchange, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicPublish


def test_clients_cannot_publish_to_it(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), internal=True)
    client.publish(1, exchange, "key")
    expect_channel_error(client, 403, f"cannot publish to internal exchange '{exchange}' in vhost '/'", BasicPublish)


def test_other_exchanges_lead_to_it(client: Client, name: Name) -> None:
    exchange, entrance = name("exchange"), name("entrance")
    queue = own_queue(client)
    declare_exchange(client, exchange, "fanout", internal=True)
    declare_exchange(client, entrance, "fanout")
    bind_exchange(client, exchange, entrance)
    bind(client, queue, exchange)
    client.publish(1, entrance, "", b"by the way")
    assert drain(client, queue) == [b"by the way"]


def test_it_may_be_an_alternate_exchange(client: Client, name: Name) -> None:
    exchange, entrance = name("exchange"), name("entrance")
    queue = own_queue(client)
    declare_exchange(client, exchange, "fanout", internal=True)
    declare_exchange(client, entrance, arguments={"alternate-exchange": exchange})
    bind(client, queue, exchange)
    client.publish(1, entrance, "nobody", b"by the way")
    assert drain(client, queue) == [b"by the way"]
