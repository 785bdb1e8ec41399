"""The bytes in the files. These literals are the format: what they say, every later version has to read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.message import DIED, REDIRECTED, Message, make_message
from amqpd.store import records
from amqpd.store.base import MAX_SEQ, Counters, Kind, Returns
from amqpd.wire.properties import Properties
from tests.strategies import properties, short_strings

U64 = st.integers(0, MAX_SEQ)


def test_an_entry_key_is_queue_and_seq() -> None:
    assert records.entry_key(1, 258) == bytes.fromhex("0000000000000001 0000000000000102")
    assert records.seq_of(bytes.fromhex("0000000000000001 0000000000000102")) == (1, 258)


@given(U64, U64, U64, U64)
def test_keys_sort_by_queue_and_then_by_seq(one: int, first: int, other: int, second: int) -> None:
    in_order = sorted([(one, first), (other, second)])
    assert sorted(records.entry_key(*key) for key in in_order) == [records.entry_key(*key) for key in in_order]


def test_a_message_record_is_these_bytes() -> None:
    message = make_message("x", "kk", b"body", Properties(delivery_mode=2))
    assert records.encode_message(message) == (
        bytes.fromhex("01 01 0005 0000000f")
        + bytes.fromhex("0178 026b6b")
        + bytes.fromhex("003c 0000 0000000000000004 1000 02")
        + b"body"
    )


def test_a_transient_message_says_so() -> None:
    assert records.encode_message(make_message("", "", b""))[:2] == b"\x01\x00"


def test_a_dead_letter_says_so() -> None:
    message = make_message("", "", b"", Properties(delivery_mode=2))
    for died, flags in ((0, 1), (DIED, 3), (REDIRECTED, 7)):
        message.died = died
        assert records.encode_message(message)[:2] == bytes((1, flags))
        received = records.decode_message(records.encode_message(message))
        assert (received.persistent, received.died) == (True, died)


@given(short_strings, short_strings, st.binary(max_size=200), properties)
def test_a_message_comes_back_as_it_was(exchange: str, key: str, body: bytes, props: Properties) -> None:
    sent = make_message(exchange, key, body, props)
    received = records.decode_message(records.encode_message(sent))
    assert (received.exchange, received.routing_key, received.body) == (exchange, key, body)
    assert (received.header, received.persistent, received.size) == (sent.header, sent.persistent, sent.size)
    assert received.address.wire == sent.address.wire
    assert records.body_size_of(records.encode_message(sent)) == len(body)


def test_a_reference_is_these_bytes() -> None:
    assert records.encode_reference(258) == bytes.fromhex("02 0000000000000102")
    assert records.reference_of(bytes.fromhex("02 0000000000000102")) == 258


def test_an_entry_with_a_deadline_is_these_bytes() -> None:
    message = make_message("", "q", b"")
    plain = records.encode_message(message)
    ((_, record),) = next(records.encode_entries(1, {7: message}, {7: 258}, 1))
    assert record == bytes.fromhex("03 0000000000000102") + plain
    assert records.without_deadline(record) == plain
    assert records.without_deadline(plain) == plain


def test_a_message_record_is_no_reference() -> None:
    assert records.reference_of(records.encode_message(make_message("x", "k", b""))) == 0


@pytest.mark.parametrize("length", range(len(records.encode_message(make_message("xx", "kk", b""))) - 16))
def test_a_cut_message_record_is_a_value_error(length: int) -> None:
    record = records.encode_message(make_message("xx", "kk", b""))
    with pytest.raises(ValueError, match=r"damaged message record|unknown form"):
        records.decode_message(record[:length])


def test_a_message_record_of_another_form_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="unknown form 3 of a message record"):
        records.decode_message(b"\x03" + bytes(20))


def test_ids_and_counts_are_these_bytes() -> None:
    assert records.id_key(258) == bytes.fromhex("0000000000000102")
    assert records.id_of(bytes.fromhex("0000000000000102")) == 258
    assert records.count_record(258) == bytes.fromhex("00000102")
    assert records.count_of(bytes.fromhex("00000102")) == 258


def test_returns_are_these_bytes() -> None:
    encoded = bytes.fromhex("00000002 00000003 0000018bcfe56800")
    assert records.encode_returns(Returns(2, 3, 1_700_000_000_000)) == encoded
    assert records.decode_returns(memoryview(encoded)) == (2, 3, 1_700_000_000_000)


def test_returns_written_before_they_had_a_total_are_read() -> None:
    assert records.decode_returns(bytes.fromhex("00000002")) == (2, 2, 0)


def test_counters_are_these_bytes() -> None:
    encoded = bytes.fromhex("0000000000000003 0000000000000100 0000000000000009 0000000000000005")
    counters = Counters(messages=3, bytes=256, next_seq=9, delivered=4)
    assert records.encode_counters(counters) == encoded
    assert records.decode_counters(encoded) == counters


def test_counters_of_a_queue_that_delivered_nothing_end_in_zero() -> None:
    assert records.encode_counters(Counters()) == bytes(32)
    assert records.decode_counters(bytes(32)) == Counters(0, 0, 0, -1)


def test_a_definition_key_is_kind_and_id() -> None:
    assert records.definition_key(Kind.QUEUE, 258) == bytes.fromhex("03 0000000000000102")
    assert records.kind_and_id(bytes.fromhex("03 0000000000000102")) == (Kind.QUEUE, 258)


def test_the_kinds_have_these_numbers() -> None:
    assert {kind.name: kind.value for kind in Kind} == {
        "VHOST": 1,
        "EXCHANGE": 2,
        "QUEUE": 3,
        "BINDING": 4,
        "USER": 5,
        "PERMISSION": 6,
        "TOPIC_PERMISSION": 7,
        "POLICY": 8,
        "OPERATOR_POLICY": 9,
        "PARAMETER": 10,
        "GLOBAL_PARAMETER": 11,
    }


def test_an_unknown_kind_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="99 is not a valid Kind"):
        records.kind_and_id(b"\x63" + bytes(8))


def test_a_definition_is_msgpack() -> None:
    encoded = bytes.fromhex("82 a4 6e616d65 a1 71 a9 617267756d656e7473 c4 04 00000000")
    assert records.encode_definition({"name": "q", "arguments": bytes(4)}) == encoded
    assert records.decode_definition(memoryview(encoded)) == {"name": "q", "arguments": bytes(4)}


@pytest.mark.parametrize("record", [b"", b"\xc1", b"\x93\x01", b"\x05", b"\x80\x80", b"\xa1\xff"])
def test_what_is_no_definition_is_a_value_error(record: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgpack's own words, mostly
        records.decode_definition(record)


def test_this_is_version_1() -> None:
    assert records.SCHEMA == 1
    assert isinstance(records.decode_message(records.encode_message(make_message("", "", b""))), Message)
