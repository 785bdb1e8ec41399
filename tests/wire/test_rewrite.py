"""Content headers with one thing changed: everything else stays as it came, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.wire.fields import Int32
from amqpd.wire.properties import Properties, check_header, decode_header, encode_header
from amqpd.wire.rewrite import with_field, with_reply_to, without_field
from tests.strategies import properties, same

# content-type "t"; headers {"B": L 7, "CC": "x", "B": L 8}; delivery mode 2; reply-to "r"; a flag word nobody knows
ODD = (
    b"\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"
    b"\xb2\x01\x40\x00"
    b"\x01t"
    b"\x00\x00\x00\x1f"
    b"\x01BL\x00\x00\x00\x00\x00\x00\x00\x07"
    b"\x02CCS\x00\x00\x00\x01x"
    b"\x01BL\x00\x00\x00\x00\x00\x00\x00\x08"
    b"\x02"
    b"\x01r"
)


def test_the_example_is_a_header() -> None:
    assert check_header(ODD)


def test_all_fields_of_a_name_are_removed() -> None:
    changed = without_field(ODD, "B")
    assert changed == ODD[:18] + b"\x00\x00\x00\x09\x02CCS\x00\x00\x00\x01x" + ODD[-3:]
    assert check_header(changed)
    assert without_field(changed, "CC") == ODD[:18] + bytes(4) + ODD[-3:]


def test_a_field_is_replaced_in_its_place() -> None:
    assert with_field(ODD, "CC", Int32(1)) == ODD.replace(b"\x00\x00\x00\x1f", b"\x00\x00\x00\x1e").replace(
        b"S\x00\x00\x00\x01x", b"I\x00\x00\x00\x01"
    )


def test_a_field_that_is_new_comes_last() -> None:
    changed = with_field(ODD, "n", True)
    assert changed == ODD[:18] + b"\x00\x00\x00\x23" + ODD[22:-3] + b"\x01nt\x01" + ODD[-3:]
    assert check_header(changed)


def test_a_message_without_headers_gets_some() -> None:
    header = encode_header(Properties(content_type="t", delivery_mode=2), 5)
    assert decode_header(with_field(header, "n", 1)) == Properties(content_type="t", headers={"n": 1}, delivery_mode=2)


def test_the_reply_to_is_replaced() -> None:
    assert with_reply_to(ODD, "elsewhere") == ODD[:-2] + b"\x09elsewhere"


@given(properties, st.sampled_from(["x-delay", "BCC", ""]), st.integers(-5, 5))
def test_a_field_put_in_and_taken_out_again_leaves_all_as_it_was(given: Properties, name: str, value: int) -> None:
    header = without_field(encode_header(given, 3), name)
    there = with_field(header, name, value)
    assert check_header(there) == check_header(header)
    assert same(decode_header(there).headers, {**(decode_header(header).headers or {}), name: value})
    back = without_field(there, name)
    if given.headers is not None:
        assert back == header
    assert without_field(header, name) == header


@pytest.mark.parametrize("flags", ["headers", "reply_to"])
def test_nothing_is_removed_where_nothing_is(flags: str) -> None:
    header = encode_header(None, 0)
    assert without_field(header, flags) == header
