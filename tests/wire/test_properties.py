"""The content header: fourteen properties, their flags, and the peeks that decode nothing."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.wire.fields import Timestamp, encode_table
from amqpd.wire.properties import (
    FLAGS_OFFSET,
    NO_PROPERTIES,
    PREFIX,
    Properties,
    add_header,
    check_header,
    decode_header,
    encode_header,
    priority_of,
)
from amqpd.wire.spec import ProtocolError
from tests.strategies import properties, same

EACH: list[tuple[str, object, int, str]] = [
    ("content_type", "a", 0x8000, "0161"),
    ("content_encoding", "a", 0x4000, "0161"),
    ("headers", {"a": True}, 0x2000, "00000004 01617401"),
    ("delivery_mode", 2, 0x1000, "02"),
    ("priority", 9, 0x0800, "09"),
    ("correlation_id", "a", 0x0400, "0161"),
    ("reply_to", "a", 0x0200, "0161"),
    ("expiration", "60000", 0x0100, "05 3630303030"),
    ("message_id", "a", 0x0080, "0161"),
    ("timestamp", Timestamp(1704067200), 0x0040, "0000000065920080"),
    ("type", "a", 0x0020, "0161"),
    ("user_id", "a", 0x0010, "0161"),
    ("app_id", "a", 0x0008, "0161"),
    ("cluster_id", "a", 0x0004, "0161"),
]


def header(flags: int, rest: str = "", body_size: int = 0) -> bytes:
    return PREFIX.pack(60, 0, body_size) + struct.pack(">H", flags) + bytes.fromhex(rest)


@pytest.mark.parametrize(("name", "value", "flag", "encoded"), EACH, ids=[each[0] for each in EACH])
def test_a_property_has_this_flag_and_these_bytes(name: str, value: object, flag: int, encoded: str) -> None:
    raw = header(flag, encoded, body_size=5)
    assert encode_header(Properties(**{name: value}), 5) == raw  # type: ignore[arg-type]
    decoded = decode_header(raw)
    assert same(getattr(decoded, name), value)
    assert [each.name for each in fields(decoded) if getattr(decoded, each.name) is not None] == [name]


def test_all_fourteen_properties_are_there() -> None:
    assert [each.name for each in fields(Properties)] == [each[0] for each in EACH]


def test_without_properties_only_the_flags_are_left() -> None:
    assert encode_header(None, 7) == encode_header(Properties(), 7) == bytes.fromhex("003c 0000 0000000000000007 0000")
    assert decode_header(header(0)) == Properties()
    assert NO_PROPERTIES == b"\x00\x00"


@settings(max_examples=300)
@given(properties, st.integers(0, (1 << 64) - 1))
def test_properties_come_back_as_they_were(sent: Properties, body_size: int) -> None:
    raw = encode_header(sent, body_size)
    received = decode_header(raw)
    for each in fields(Properties):
        assert same(getattr(received, each.name), getattr(sent, each.name)), each.name
    assert PREFIX.unpack_from(raw) == (60, 0, body_size)
    assert encode_header(received, body_size) == raw


@settings(max_examples=300)
@given(properties)
def test_the_check_sees_persistence_as_decoding_does(sent: Properties) -> None:
    assert check_header(encode_header(sent, 1)) is (sent.delivery_mode == 2)


@settings(max_examples=300)
@given(properties, st.data())
def test_a_header_cut_anywhere_is_a_syntax_error_to_the_check(sent: Properties, data: st.DataObject) -> None:
    raw = encode_header(sent, 1)
    cut = data.draw(st.integers(FLAGS_OFFSET, len(raw) - 1))
    with pytest.raises(ProtocolError) as caught:
        check_header(raw[:cut])
    assert (caught.value.code, caught.value.explanation) == (502, "malformed content header")


@settings(max_examples=500)
@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_what_the_check_lets_through_decodes_or_is_a_protocol_error(flags: int, rest: bytes) -> None:
    """The check does not look into strings; whoever decodes them later may still object, in protocol."""
    raw = header(flags) + rest
    with contextlib.suppress(ProtocolError):
        persistent = check_header(raw)
        assert persistent is (decode_header(raw).delivery_mode == 2)


@pytest.mark.parametrize("table", ["00000003 016174", "00000003 01615a", "00000002 0161", "00000004 61626364"])
def test_headers_that_are_no_table_are_a_syntax_error(table: str) -> None:
    with pytest.raises(ProtocolError, match="malformed content header"):
        check_header(header(0x2000, table))


def test_octets_behind_the_last_property_are_a_syntax_error() -> None:
    with pytest.raises(ProtocolError, match="malformed content header"):
        check_header(header(0x1000, "02 00"))


@pytest.mark.parametrize("size", range(FLAGS_OFFSET + 2))
def test_a_header_without_whole_flags_is_a_syntax_error(size: int) -> None:
    for read in (check_header, decode_header):
        with pytest.raises(ProtocolError) as caught:
            read(header(0)[:size])
        assert caught.value.code == 502


@pytest.mark.parametrize("further", ["0000", "fffe", "0001 0000", "ffff 0003 8000"])
def test_further_flag_words_are_passed_over(further: str) -> None:
    raw = header(0x1001, f"{further} 02")
    assert check_header(raw) is True
    assert decode_header(raw) == Properties(delivery_mode=2)


def test_flag_words_without_an_end_are_a_syntax_error() -> None:
    for read in (check_header, decode_header):
        with pytest.raises(ProtocolError):
            read(header(0x0001, "0001 0001"))


def test_the_unused_flag_means_nothing() -> None:
    assert decode_header(header(0x1002, "02")) == Properties(delivery_mode=2)
    assert check_header(header(0x1002, "02")) is True


@pytest.mark.parametrize("mode", [0, 1, 3, 255])
def test_only_delivery_mode_2_is_persistent(mode: int) -> None:
    assert check_header(encode_header(Properties(delivery_mode=mode), 1)) is False


def test_a_malformed_headers_table_is_a_syntax_error_when_it_is_decoded() -> None:
    with pytest.raises(ProtocolError, match="unknown field type 90"):
        decode_header(header(0x2000, "00000003 01615a"))


def test_a_property_that_does_not_fit_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="over 255 bytes"):
        encode_header(Properties(message_id="x" * 256), 0)


@pytest.mark.parametrize(
    "unfit", [Properties(delivery_mode=256), Properties(priority=-1), Properties(timestamp=1 << 64)]
)
def test_a_number_that_does_not_fit_is_a_value_error(unfit: Properties) -> None:
    with pytest.raises(ValueError, match=r"delivery_mode=256|priority=-1|timestamp="):
        encode_header(unfit, 0)


def test_a_header_is_decoded_wherever_its_table_ends() -> None:
    raw = header(0x2400, (encode_table({"a": [1, {"b": None}]}) + b"\x02id").hex())
    assert decode_header(raw) == Properties(headers={"a": [1, {"b": None}]}, correlation_id="id")


@given(properties)
def test_a_priority_is_found_without_decoding_the_rest(sent: Properties) -> None:
    assert priority_of(encode_header(sent, 0)) == (sent.priority or 0)


def test_a_priority_is_found_behind_further_flags() -> None:
    assert priority_of(header(0x8801, "0000 0161 07")) == 7


# --- adding a header


@given(properties, st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_header_is_added_and_all_else_stays(sent: Properties, value: int) -> None:
    raw = encode_header(sent, 5)
    changed = decode_header(add_header(raw, "x-new", value))
    headers = changed.headers
    assert headers is not None
    assert headers.pop("x-new") == value
    assert same(headers, dict(sorted((sent.headers or {}).items())))
    changed.headers = sent.headers
    assert encode_header(changed, 5) == raw
    assert add_header(raw, "x-new", value)[:FLAGS_OFFSET] == raw[:FLAGS_OFFSET]


def test_headers_are_sorted_and_an_old_one_is_replaced() -> None:
    raw = encode_header(Properties(content_type="text", headers={"b": 1, "n": "old", "a": 2}, priority=5), 5)
    assert list((decode_header(add_header(raw, "n", 3)).headers or {}).items()) == [("a", 2), ("b", 1), ("n", 3)]


def test_further_flag_words_are_kept() -> None:
    raw = PREFIX.pack(60, 0, 0) + bytes.fromhex("1001 0000 02")
    changed = add_header(raw, "a", True)
    assert changed == PREFIX.pack(60, 0, 0) + bytes.fromhex("3001 0000 00000004 01617401 02")
