"""From a message to its bindings, asked of the exchange; and to its queues, as the vhost remembers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inprocess import Client, new_broker
from timing import Case, show

from amqpd.broker.broker import Broker
from amqpd.message import Message, make_message
from amqpd.wire.methods import ExchangeDeclare, QueueBind, QueueDeclare
from amqpd.wire.properties import Properties

KEYS = [f"a{first}.b{second}.c{third}" for first in range(10) for second in range(10) for third in range(10)]
BODY = bytes(16)

Bindings = list[tuple[str, str, Mapping[str, Any]]]
"""Queue, binding key, arguments."""


def cases() -> Iterator[Case]:
    """All exchange types; topics with tables of two sizes, of which five bindings match each key."""
    yield from _cases("direct, 1,000 keys", "direct", [("q1", key, {}) for key in KEYS], _messages())
    yield from _cases("fanout, 50 queues", "fanout", [(f"q{number}", "", {}) for number in range(50)], _messages())
    for size in (100, 10_000):
        yield from _cases(f"topic, {size:,} bindings", "topic", _patterns(size), _messages())
    shops: Bindings = [
        (f"q{shop}", "", {"x-match": "all", "shop": f"s{shop}", "number": f"n{number:02}"})
        for shop in range(10)
        for number in range(100)
    ]
    orders = [{"shop": f"s{number % 10}", "number": f"n{number % 100:02}"} for number in range(1000)]
    yield from _cases("headers, 1,000 bindings", "headers", shops, [_message("", order) for order in orders])


def _cases(name: str, kind: str, bindings: Bindings, messages: list[Message]) -> Iterator[Case]:
    broker = _broker(kind, bindings)
    vhost = broker.vhosts["/"]
    exchange = vhost.exchange("x")

    def match(_: None) -> None:
        for message in messages:
            exchange.match(message)

    def route(_: None) -> None:
        for message in messages:
            vhost.route(exchange, message)

    if kind == "headers":  # each message asks anew
        messages = messages[:100]
    yield Case(f"match: {name}", len(messages), match)
    yield Case(f"route: {name}", len(messages), route)


def _broker(kind: str, bindings: Bindings) -> Broker:
    broker = new_broker()
    client = Client(broker)
    client.send(ExchangeDeclare(exchange="x", type=kind))
    for queue in {queue: None for queue, _, _ in bindings}:
        client.send(QueueDeclare(queue=queue))
    for queue, key, arguments in bindings:
        client.send(QueueBind(queue=queue, exchange="x", routing_key=key, arguments=dict(arguments)))
    return broker


def _patterns(size: int) -> Bindings:
    """Fifty that match, five of them each key; the others share words with keys, and match none."""
    digits = range(10)
    matching: Bindings = [
        *(("q1", f"a{digit}.*.*", {}) for digit in digits),
        *(("q2", f"*.b{digit}.*", {}) for digit in digits),
        *(("q3", f"*.*.c{digit}", {}) for digit in digits),
        *(("q4", f"a{digit}.#", {}) for digit in digits),
        *(("q5", f"#.c{digit}", {}) for digit in digits),
    ]
    others: Bindings = [
        (
            f"q{number % 5 + 1}",
            (f"a{number % 10}.*.x{number}", f"#.x{number}", f"*.b{number % 10}.x{number}")[number % 3],
            {},
        )
        for number in range(size - len(matching))
    ]
    return [*matching, *others]


def _messages() -> list[Message]:
    return [_message(key) for key in KEYS]


def _message(key: str, headers: dict[str, Any] | None = None) -> Message:
    return make_message("x", key, BODY, Properties(headers=headers))


if __name__ == "__main__":
    show(cases())
