"""Field values: every type letter there and back, and what is no table."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.wire import fields
from amqpd.wire.fields import (
    MAX_DEPTH,
    Float32,
    Int8,
    Int16,
    Int32,
    RawString,
    Timestamp,
    UInt8,
    UInt16,
    UInt32,
    decode_table,
    decode_value,
    encode_table,
    encode_value,
    skip_table,
    term,
    type_name,
)
from amqpd.wire.spec import ProtocolError
from tests.strategies import same, tables, values

LETTERS: list[tuple[str, Any, str]] = [
    ("74 01", True, "bool"),
    ("74 00", False, "bool"),
    ("62 fe", Int8(-2), "byte"),
    ("42 fe", UInt8(254), "unsignedbyte"),
    ("73 fffe", Int16(-2), "short"),
    ("75 fffe", UInt16(65534), "unsignedshort"),
    ("49 fffffffe", Int32(-2), "signedint"),
    ("69 fffffffe", UInt32(4294967294), "unsignedint"),
    ("6c fffffffffffffffe", -2, "long"),
    ("66 3fc00000", Float32(1.5), "float"),
    ("64 3ff8000000000000", 1.5, "double"),
    ("44 02 0000013a", Decimal("3.14"), "decimal"),
    ("44 02 fffffec6", Decimal("-3.14"), "decimal"),
    ("44 00 00000007", Decimal(7), "decimal"),
    ("53 00000002 c3a9", "é", "longstr"),
    ("53 00000001 ff", RawString(b"\xff"), "longstr"),
    ("78 00000002 00ff", b"\x00\xff", "binary"),
    ("41 00000005 7401 7400 56", [True, False, None], "array"),
    ("46 00000004 01 61 7401", {"a": True}, "table"),
    ("54 0000000065920080", Timestamp(1704067200), "timestamp"),
    ("56", None, "void"),
]


@pytest.mark.parametrize(("encoded", "value", "name"), LETTERS, ids=[f"{name}-{raw[:8]}" for raw, _, name in LETTERS])
def test_a_value_is_these_bytes_and_has_this_name(encoded: str, value: Any, name: str) -> None:
    raw = bytes.fromhex(encoded)
    assert encode_value(value) == raw
    decoded, end = decode_value(b"??" + raw + b"rest", 2)
    assert end == 2 + len(raw)
    assert same(decoded, value)
    assert type_name(value) == name


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (True, "true"),
        (Int32(-5), "-5"),
        (Timestamp(5), "5"),
        (None, "undefined"),
        ("text", '<<"text">>'),
        ("ü", "<<195,188>>"),
        (RawString(b"\xff"), "<<255>>"),
        (b"", "<<>>"),
        (1.0, "1.0"),
        (Float32(0.5), "0.5"),
        (1e30, "1.0e30"),
        (1.5e-7, "1.5e-7"),
        (Decimal("1.5"), "{1,15}"),
        (Decimal(-7), "{0,4294967289}"),
        ({"a": Int32(1), "b": "x"}, '[{<<"a">>,signedint,1},{<<"b">>,longstr,<<"x">>}]'),
        ([Int32(1), None, []], "[{signedint,1},{void,undefined},{array,[]}]"),
        ({}, "[]"),
    ],
)
def test_a_value_is_printed_as_an_erlang_term(value: Any, printed: str) -> None:
    assert term(value) == printed


@given(values)
def test_every_value_can_be_printed(value: Any) -> None:
    assert term(value)


def test_both_letters_of_long_are_read_and_the_small_one_is_written() -> None:
    raw = bytes.fromhex("4c fffffffffffffffe")
    assert decode_value(raw, 0) == (-2, 9)
    assert encode_value(-2) == b"l" + raw[1:]


def test_any_octet_but_zero_is_true() -> None:
    assert decode_value(b"t\x07", 0) == (True, 2)


@settings(max_examples=300)
@given(values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    raw = encode_value(value)
    decoded, end = decode_value(raw, 0)
    assert end == len(raw)
    assert same(decoded, value)
    assert encode_value(decoded) == raw


@given(tables, st.binary(max_size=5), st.binary(max_size=5))
def test_a_table_comes_back_as_it_was_from_anywhere(table: dict[str, Any], before: bytes, after: bytes) -> None:
    raw = encode_table(table)
    decoded, end = decode_table(before + raw + after, len(before))
    assert end == len(before) + len(raw)
    assert same(decoded, table)


def test_integers_of_all_widths_are_integers() -> None:
    same_number: list[object] = [Int8(5), UInt32(5), Timestamp(5), 5]
    assert all(number == 5 for number in same_number)
    assert Float32(1.5) == 1.5
    assert RawString(b"\xff") == b"\xff"


def test_the_last_of_two_fields_with_one_name_counts() -> None:
    assert decode_table(bytes.fromhex("00000008 01 61 7401 01 61 7400"))[0] == {"a": False}


def test_a_field_name_may_be_any_bytes_and_is_written_back_so() -> None:
    raw = bytes.fromhex("00000004 01 ff 7401")
    table, _ = decode_table(raw)
    assert encode_table(table) == raw


def test_a_field_name_may_be_empty() -> None:
    assert decode_table(encode_table({"": 1}))[0] == {"": 1}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "truncated table"),
        ("000000", "truncated table"),
        ("00000001", "table runs past its frame"),
        ("00000001 01", "truncated table"),
        ("00000002 01 61", "truncated table"),
        ("00000003 01 61 74", "truncated table"),
        ("00000003 01 61 74 01", "table entry runs past its table"),
        ("00000003 05 6161616161 7401", "table entry runs past its table"),
        ("00000003 01 61 00", "unknown field type 0"),
        ("00000003 01 61 5a", "unknown field type 90"),
        ("00000004 01 61 6c 00", "truncated table"),
        ("00000007 01 61 53 00000001", "long string runs past its table"),
        ("00000007 01 61 78 00000001", "byte array runs past its table"),
        ("00000007 01 61 41 00000001", "array runs past its table"),
        ("00000007 01 61 46 00000001", "table runs past its frame"),
        ("00000006 01 61 53 000000", "truncated table"),
        ("00000008 01 61 41 00000001 73 0000", "array item runs past its array"),
        ("00000006 01 61 44 02 0000", "truncated table"),
    ],
)
def test_what_is_no_table_is_a_syntax_error(raw: str, reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_table(bytes.fromhex(raw))
    assert (caught.value.code, caught.value.explanation) == (502, reason)


@settings(max_examples=500)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_a_syntax_error(data: bytes) -> None:
    try:
        table, end = decode_table(struct.pack(">I", len(data)) + data)
    except ProtocolError as error:
        outcome: object = error.code
    else:
        outcome = end
        encode_table(table)
    assert outcome in (502, 4 + len(data))


@settings(max_examples=300)
@given(tables.filter(bool), st.data())
def test_a_table_cut_anywhere_is_a_syntax_error(table: dict[str, Any], data: st.DataObject) -> None:
    raw = encode_table(table)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(ProtocolError) as caught:
        decode_table(raw[:cut])
    assert caught.value.code == 502


@st.composite
def damaged_tables(draw: st.DrawFn) -> bytes:
    raw = bytearray(encode_table(draw(tables)))
    for _ in range(draw(st.integers(0, 2))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw) + draw(st.binary(max_size=8))


@settings(max_examples=1000)
@given(damaged_tables())
def test_skipping_a_table_is_like_decoding_it(raw: bytes) -> None:
    try:
        expected: int | None = decode_table(raw)[1]
    except ProtocolError:
        expected = None
    try:
        found: int | None = skip_table(raw, 0)
    except (ProtocolError, IndexError, struct.error):
        found = None
    assert found == expected


def nested(depth: int, letter: bytes) -> bytes:
    """A table with so many tables, or arrays, inside each other."""
    value = b"V"
    for _ in range(depth):
        inner = b"\x01a" + value if letter == b"F" else value
        value = letter + struct.pack(">I", len(inner)) + inner
    return struct.pack(">I", 2 + len(value)) + b"\x01a" + value


@pytest.mark.parametrize("depth", [MAX_DEPTH, 100_000])
@pytest.mark.parametrize("wrap", [lambda inside: [inside], lambda inside: {"a": inside}])
def test_what_is_nested_deeper_is_not_encoded(depth: int, wrap: Callable[[Any], Any]) -> None:
    value: Any = 1
    for _ in range(depth):
        value = wrap(value)
    with pytest.raises(ValueError, match="nested too deeply"):
        encode_table({"a": wrap(value)})


@pytest.mark.parametrize("letter", [b"F", b"A"])
def test_tables_and_arrays_nest_this_deep_and_no_deeper(letter: bytes) -> None:
    table, _ = decode_table(nested(MAX_DEPTH, letter))
    assert encode_table(table) == nested(MAX_DEPTH, letter)
    with pytest.raises(ProtocolError, match="table nested too deeply"):
        decode_table(nested(MAX_DEPTH + 1, letter))
    assert skip_table(nested(MAX_DEPTH, letter), 0) == len(nested(MAX_DEPTH, letter))
    with pytest.raises(ProtocolError, match="nested too deeply"):
        skip_table(nested(MAX_DEPTH + 1, letter), 0)


@pytest.mark.parametrize("value", [object(), {1, 2}, (1,), 1j])
def test_what_no_field_holds_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="no AMQP field type holds"):
        encode_table({"a": value})
    with pytest.raises(TypeError, match="no AMQP field type holds"):
        type_name(value)


@pytest.mark.parametrize(
    "value",
    [
        1 << 63,
        -(1 << 63) - 1,
        Int8(128),
        UInt8(-1),
        Int16(1 << 15),
        UInt16(1 << 16),
        Int32(1 << 31),
        UInt32(1 << 32),
        Timestamp(-1),
        Decimal(1 << 31),
        Decimal("1e-256"),
        Decimal("NaN"),
        Decimal("Infinity"),
    ],
    ids=str,
)
def test_a_number_out_of_range_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match=r"does not fit|finite"):
        encode_table({"a": value})


def test_a_field_name_over_255_bytes_is_a_value_error() -> None:
    encode_table({"é" * 127: 1})
    with pytest.raises(ValueError, match="field name longer than 255 bytes"):
        encode_table({"é" * 128: 1})


def test_a_decimal_with_a_positive_exponent_is_written_out() -> None:
    assert decode_value(encode_value(Decimal("1E+3")), 0)[0] == 1000


def test_floats_keep_their_odd_values() -> None:
    for value in (math.inf, -math.inf, -0.0, math.nan):
        assert same(decode_value(encode_value(value), 0)[0], value)


def test_every_letter_has_a_decoder_and_a_name() -> None:
    letters = {bytes.fromhex(raw[:2]) for raw, _, _ in LETTERS} | {b"L"}
    assert {bytes((kind,)) for kind in fields._FIXED} <= letters
    assert letters == set(map(bytes, (b"%c" % ord(letter) for letter in "tbBsuIilLfdDSxAFTV")))
