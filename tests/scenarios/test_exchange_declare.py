from __future__ import annotations

import pytest
from steps import Name, declare_exchange, expect_channel_error

from amqpd.testing.client import Client
from amqpd.wire.fields import Int32
from amqpd.wire.methods import ExchangeDeclare, ExchangeDeclareOk, ExchangeDelete, ExchangeDeleteOk


@pytest.mark.parametrize("kind", ["direct", "fanout", "topic", "headers"])
@pytest.mark.parametrize(
    "flags", [{}, {"durable": True}, {"auto_delete": True}, {"internal": True}, {"durable": True, "internal": True}]
)
def test_an_exchange_may_be_declared_twice_alike(client: Client, name: Name, kind: str, flags: dict[str, bool]) -> None:
    exchange = name("exchange")
    declare_exchange(client, exchange, kind, **flags)
    declare_exchange(client, exchange, kind, **flags)


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [
        ({"type": "direct"}, {"type": "topic"}, "'type': received 'topic' but current is 'direct'"),
        ({"durable": True}, {}, "'durable': received 'false' but current is 'true'"),
        ({}, {"durable": True}, "'durable': received 'true' but current is 'false'"),
        ({}, {"auto_delete": True}, "'auto_delete': received 'true' but current is 'false'"),
        ({"auto_delete": True}, {}, "'auto_delete': received 'false' but current is 'true'"),
        ({}, {"internal": True}, "'internal': received 'true' but current is 'false'"),
        (
            {"arguments": {"alternate-exchange": "a"}},
            {"arguments": {"alternate-exchange": "b"}},
            "'alternate-exchange': received 'b' but current is 'a'",
        ),
        (
            {"arguments": {"alternate-exchange": "a"}},
            {},
            "'alternate-exchange': received none but current is the value 'a' of type 'longstr'",
        ),
        (
            {},
            {"arguments": {"alternate-exchange": "b"}},
            "'alternate-exchange': received the value 'b' of type 'longstr' but current is none",
        ),
    ],
)
def test_another_declaration_has_to_be_equivalent(
    client: Client, name: Name, first: dict[str, object], second: dict[str, object], difference: str
) -> None:
    exchange = name("exchange")
    client.call(1, ExchangeDeclare(exchange=exchange, **first), ExchangeDeclareOk)
    client.send(1, ExchangeDeclare(exchange=exchange, **second))
    name_of_argument, _, values = difference.partition(":")
    expect_channel_error(
        client,
        406,
        f"inequivalent arg {name_of_argument} for exchange '{exchange}' in vhost '/':{values}",
        ExchangeDeclare,
    )


def test_the_first_difference_is_named_type_before_durable_before_auto_delete(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "direct")
    different = {"durable": True, "auto_delete": True, "internal": True, "arguments": {"alternate-exchange": "a"}}
    for argument, received, current in [
        ("type", "fanout", "direct"),
        ("durable", "true", "false"),
        ("auto_delete", "true", "false"),
        ("internal", "true", "false"),
    ]:
        kind = "fanout" if argument == "type" else "direct"
        client.send(1, ExchangeDeclare(exchange=exchange, type=kind, **different))
        text = f"inequivalent arg '{argument}' for exchange '{exchange}' in vhost '/'"
        expect_channel_error(client, 406, f"{text}: received '{received}' but current is '{current}'", ExchangeDeclare)
        different.pop(argument, None)


def test_arguments_nobody_knows_are_not_compared(client: Client, name: Name) -> None:
    exchange = name("exchange")
    declare_exchange(client, exchange, arguments={"x-whatever": "one", "other": 1})
    declare_exchange(client, exchange, arguments={"x-whatever": "two"})
    declare_exchange(client, exchange)


@pytest.mark.parametrize(("value", "kind"), [(5, "long"), (Int32(5), "signedint"), (True, "bool"), ([], "array")])
def test_an_alternate_exchange_is_given_by_name(client: Client, name: Name, value: object, kind: str) -> None:
    exchange = name("exchange")
    client.send(1, ExchangeDeclare(exchange=exchange, arguments={"alternate-exchange": value}))
    text = f"invalid type '{kind}' for arg 'alternate-exchange' in exchange '{exchange}' in vhost '/'"
    expect_channel_error(client, 406, text, ExchangeDeclare)


@pytest.mark.ours("3.10 closes the connection with 503")
@pytest.mark.parametrize("kind", ["nope", "", "x-nope", "Direct"])
def test_an_unknown_type_closes_the_channel(client: Client, name: Name, kind: str) -> None:
    client.send(1, ExchangeDeclare(exchange=name("exchange"), type=kind))
    expect_channel_error(client, 406, f"unknown exchange type '{kind}'", ExchangeDeclare)


@pytest.mark.parametrize("exchange", ["ünïcode 漢字", "with spaces and !§$%&/()", "x" * 255, ".", "#"])
def test_any_name_of_255_octets_will_do(client: Client, exchange: str) -> None:
    declare_exchange(client, exchange, auto_delete=True)
    declare_exchange(client, exchange, passive=True)
    client.call(1, ExchangeDelete(exchange=exchange), ExchangeDeleteOk)


def test_line_ends_in_names_do_not_count(client: Client, name: Name) -> None:
    exchange = name("exchange")
    declare_exchange(client, f"\r\n{exchange[:5]}\n\r{exchange[5:]}\n", "fanout")
    declare_exchange(client, exchange, "fanout")


def test_nowait_is_not_answered(client: Client, name: Name) -> None:
    exchange = name("exchange")
    client.send(1, ExchangeDeclare(exchange=exchange, nowait=True), ExchangeDeclare(exchange=exchange, passive=True))
    client.expect(1, ExchangeDeclareOk)
    assert client.silence()


def test_a_type_with_a_dash_is_quoted_twice(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    client.send(1, ExchangeDeclare(exchange=exchange, type="x-consistent-hash"))
    text = f"exchange '{exchange}' in vhost '/': received ''x-consistent-hash'' but current is 'direct'"
    expect_channel_error(client, 406, f"inequivalent arg 'type' for {text}", ExchangeDeclare)


def test_nowait_does_not_hide_errors(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    client.send(1, ExchangeDeclare(exchange=exchange, type="topic", nowait=True))
    text = f"inequivalent arg 'type' for exchange '{exchange}' in vhost '/': received 'topic' but current is 'direct'"
    expect_channel_error(client, 406, text, ExchangeDeclare)
