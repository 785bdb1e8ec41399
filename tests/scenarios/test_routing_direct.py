from __future__ import annotations

from steps import Name, bind, declare_exchange, drain, own_queue

from amqpd.testing.client import Client


def test_keys_have_to_be_equal(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, "a.b")
    for key in ("a.b", "a", "A.B", "a.b ", "a.b.c", "", "*", "#", "a.*"):
        client.publish(1, exchange, key, key.encode())
    assert drain(client, queue) == [b"a.b"]


def test_wildcards_are_letters_like_others(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, "#")
    for key in ("#", "a", ""):
        client.publish(1, exchange, key, key.encode())
    assert drain(client, queue) == [b"#"]


def test_the_empty_key_is_a_key(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queue = own_queue(client)
    bind(client, queue, exchange, "")
    client.publish(1, exchange, "", b"empty")
    client.publish(1, exchange, "a", b"other")
    assert drain(client, queue) == [b"empty"]


def test_many_queues_may_share_a_key_and_a_queue_have_many(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    one, other = own_queue(client), own_queue(client)
    bind(client, one, exchange, "shared")
    bind(client, other, exchange, "shared")
    bind(client, one, exchange, "own")
    for key in ("shared", "own"):
        client.publish(1, exchange, key, key.encode())
    assert drain(client, one) == [b"shared", b"own"]
    assert drain(client, other) == [b"shared"]
