"""AMQP's values in JSON, and back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from amqpd.definitions.values import table_from_json, table_to_json
from amqpd.errors import OperatorError
from amqpd.wire.fields import Float32, Int32, RawString, Timestamp


def test_numbers_lose_their_width() -> None:
    found = table_to_json({"a": Int32(5), "b": Float32(0.5), "c": Timestamp(7), "d": [True, None]})
    assert found == {"a": 5, "b": 0.5, "c": 7, "d": [True, None]}
    assert [type(value) for value in found.values()] == [int, float, int, list]


def test_what_json_has_no_word_for_is_text() -> None:
    found = table_to_json({"a": b"x", "b": RawString(b"\xff"), "c": float("inf"), "d": {"e": Decimal("1.5")}})
    assert found == {"a": "x", "b": "\ufffd", "c": "inf", "d": {"e": "1.5"}}


def test_json_is_a_table_unless_no_table_holds_it() -> None:
    values = {"a": [1, {"b": None}], "c": 1.5}
    assert table_from_json(values) == values
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    deeper = deep
    for _ in range(100_000):
        deeper = [deeper]
    for wrong in ({"a": 1 << 63}, {"a" * 256: 1}, {"a": deep}, {"a": deeper}):
        with pytest.raises(OperatorError, match="cannot be an AMQP table"):
            table_from_json(wrong)
