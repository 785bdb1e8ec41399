"""The protocol table, against itself, against literal bytes, and against the table of another library."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings

from amqpd.wire.methods import (
    CONTENT_METHODS,
    METHODS,
    BasicConsume,
    BasicDeliver,
    BasicPublish,
    ConnectionTune,
    ExchangeUnbindOk,
    QueueDeclare,
    QueueDeclareOk,
    decode_method,
)
from amqpd.wire.schema import Method
from amqpd.wire.spec import ProtocolError
from tests.strategies import methods, same

LITERAL: list[tuple[Method, str]] = [
    (ConnectionTune(2047, 131072, 60), "000a001e 07ff 00020000 003c"),
    (QueueDeclare(queue="q", durable=True, arguments={"x": True}), "0032000a 0000 0171 02 00000004 01 78 7401"),
    (QueueDeclare(queue="q", passive=True, exclusive=True, nowait=True), "0032000a 0000 0171 15 00000000"),
    (QueueDeclareOk("q", 1, 2), "0032000b 0171 00000001 00000002"),
    (BasicPublish(0, "logs", "info", mandatory=True), "003c0028 0000 04 6c6f6773 04 696e666f 01"),
    (BasicDeliver("c", 7, True, "", "q"), "003c003c 0163 0000000000000007 01 00 0171"),
    (BasicConsume(0, "q", "c", no_ack=True, nowait=True), "003c0014 0000 0171 0163 0a 00000000"),
    (ExchangeUnbindOk(), "00280033"),
]


@pytest.mark.parametrize(("method", "payload"), LITERAL, ids=[method.name for method, _ in LITERAL])
def test_a_method_is_these_bytes(method: Method, payload: str) -> None:
    encoded = bytes.fromhex(payload)
    assert method.encode() == encoded
    assert decode_method(method.id, encoded[4:]) == method


@settings(max_examples=400)
@given(methods)
def test_a_method_comes_back_as_it_was(method: Method) -> None:
    payload = method.encode()
    assert struct.unpack_from(">I", payload)[0] == method.id
    decoded = decode_method(method.id, payload[4:])
    assert type(decoded) is type(method)
    for attribute, _ in method._fields:
        assert same(getattr(decoded, attribute), getattr(method, attribute)), attribute


def test_there_are_66_methods_each_with_an_id_of_its_own() -> None:
    declared = [
        cls for cls in Method.__subclasses__() if cls.__module__ == BasicPublish.__module__ and "id" in vars(cls)
    ]
    assert len(declared) == 66
    assert {cls.id for cls in declared} == set(METHODS)
    assert len({cls.name for cls in declared}) == 66


def test_four_methods_carry_content() -> None:
    assert {METHODS[method_id].name for method_id in CONTENT_METHODS} == {
        "basic.publish",
        "basic.return",
        "basic.deliver",
        "basic.get-ok",
    }


@pytest.mark.parametrize("cls", METHODS.values(), ids=lambda cls: cls.name)
def test_defaults_can_be_sent(cls: type[Method]) -> None:
    assert decode_method(cls.id, cls().encode()[4:]) == cls()


@pytest.mark.parametrize("method_id", [0, 60 << 16, 60 << 16 | 41, 99 << 16 | 10, 40 << 16 | 41])
def test_an_id_no_method_has_is_not_implemented(method_id: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_method(method_id, b"")
    assert caught.value.code == 540
    assert caught.value.explanation == f"unknown method, class {method_id >> 16} method {method_id & 0xFFFF}"
