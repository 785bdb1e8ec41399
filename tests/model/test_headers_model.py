"""The headers exchange against its rules, for all bindings and messages of three headers and a few values."""

from __future__ import annotations

from itertools import product
from typing import Any

from amqpd.broker.exchanges.headers import HeadersExchange
from tests.broker.exchange_contract import bind, check_explanation, message

ABSENT = object()
NAMES = ("a", "b", "x-c")
MODES = (ABSENT, "all", "any", "all-with-x", "any-with-x")


def satisfied(arguments: dict[str, Any], headers: dict[str, Any]) -> bool:
    mode = arguments.get("x-match", "all")
    hits = []
    for name, wanted in arguments.items():
        if name == "x-match" or (name.startswith("x-") and not mode.endswith("-with-x")):
            continue
        hits.append(name in headers and (wanted is None or repr(wanted) == repr(headers[name])))
    return all(hits) if mode.startswith("all") else any(hits)


def tables(values: tuple[object, ...]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in zip(NAMES, chosen, strict=True) if value is not ABSENT}
        for chosen in product(values, repeat=len(NAMES))
    ]


BINDINGS = [
    table if mode is ABSENT else {"x-match": mode, **table}
    for mode in MODES
    for table in tables((ABSENT, None, 1, "1"))
]
MESSAGES = tables((ABSENT, None, 1, "1", True))


def test_every_message_matches_the_bindings_it_satisfies() -> None:
    exchange = HeadersExchange("x")
    bindings = [bind(exchange, "", arguments) for arguments in BINDINGS]
    for headers in MESSAGES:
        expected = {binding for binding in bindings if satisfied(binding.arguments, headers)}
        matched = list(exchange.match(message("", headers)))
        assert set(matched) == expected, headers
        assert len(matched) == len(expected), "each once"


def test_the_explanation_agrees_for_every_message() -> None:
    exchange = HeadersExchange("x")
    for arguments in BINDINGS:
        bind(exchange, "", arguments)
    for headers in MESSAGES[::5]:
        check_explanation(exchange, message("", headers))


def test_what_is_unbound_is_not_matched() -> None:
    exchange = HeadersExchange("x")
    bindings = [bind(exchange, "", arguments) for arguments in BINDINGS]
    while bindings:
        exchange.unbind(bindings.pop(len(bindings) // 2))
        for headers in MESSAGES[:: len(MESSAGES) // 7]:
            expected = {binding for binding in bindings if satisfied(binding.arguments, headers)}
            assert set(exchange.match(message("", headers))) == expected, headers
    assert (exchange._all, exchange._any) == ({}, {})
