"""Topic patterns, with the corner cases as RabbitMQ decides them.

A key of no characters has no words; dots next to each other, or at an end, enclose an empty word.
"""

from __future__ import annotations

import pytest
from steps import Name, bind, declare_exchange, drain, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import QueueUnbind, QueueUnbindOk

KEYS = ["", "a", ".", "..", "a.", ".a", "a.b", "a..b", "a.b.c", "b", ".a.", "a*", "*", "#"]


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", [""]),
        ("*", ["a", "b", "a*", "*", "#"]),
        ("#", KEYS),
        ("*.*", [".", "a.", ".a", "a.b"]),
        ("#.#", KEYS),
        ("#.#.#", KEYS),
        ("a.*", ["a.", "a.b"]),
        ("*.a", [".a"]),
        ("a.#", ["a", "a.", "a.b", "a..b", "a.b.c"]),
        ("#.a", ["a", ".a"]),
        (".", ["."]),
        (".*", [".", ".a"]),
        ("*.", [".", "a."]),
        ("a..b", ["a..b"]),
        ("a.*.b", ["a..b"]),
        ("a.#.b", ["a.b", "a..b"]),
        ("#.*", KEYS[1:]),
        ("*.#", KEYS[1:]),
        ("#.*.#", KEYS[1:]),
        ("*.#.*", [".", "..", "a.", ".a", "a.b", "a..b", "a.b.c", ".a."]),
        ("#.b.#", ["a.b", "a..b", "a.b.c", "b"]),
        ("a*", ["a*"]),
        ("a#", []),
        (".#", [".", "..", ".a", ".a."]),
        ("#.", [".", "..", "a.", ".a."]),
        ("..", [".."]),
        ("A.B", []),
    ],
)
def test_a_pattern_matches_these_keys_and_no_others(
    client: Client, name: Name, pattern: str, matching: list[str]
) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    queue = own_queue(client)
    bind(client, queue, exchange, pattern)
    for key in KEYS:
        client.publish(1, exchange, key, key.encode())
    assert [body.decode() for body in drain(client, queue)] == matching


def test_patterns_are_told_apart_when_one_is_unbound(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    patterns = ["a.#", "a.*", "a.b", "#", "*.b"]
    queues = {pattern: own_queue(client) for pattern in patterns}
    for pattern, queue in queues.items():
        bind(client, queue, exchange, pattern)
    while queues:
        client.publish(1, exchange, "a.b", b"message")
        assert [drain(client, queue) for queue in queues.values()] == [[b"message"]] * len(queues)
        pattern, queue = queues.popitem()
        client.call(1, QueueUnbind(queue=queue, exchange=exchange, routing_key=pattern), QueueUnbindOk)
        client.publish(1, exchange, "a.b", b"unbound")
        assert drain(client, queue) == []
        assert [drain(client, queue) for queue in queues.values()] == [[b"unbound"]] * len(queues)


def test_a_hundred_words_are_fine(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    queue = own_queue(client)
    words = ["w"] * 100
    bind(client, queue, exchange, ".".join(["*"] * 100))
    bind(client, queue, exchange, "#.x.#.y.#.z.#")
    for key in (words, [*words, "w"], words[1:], ["x", *words, "y", "z"], ["z", "y", "x"]):
        client.publish(1, exchange, ".".join(key), b"%d" % len(key))
    assert drain(client, queue) == [b"100", b"103"]
