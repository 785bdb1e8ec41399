"""`@method`: how an annotated class becomes a codec."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.wire import methods
from amqpd.wire.schema import (
    Bit,
    Long,
    LongLong,
    LongStr,
    Method,
    Octet,
    Short,
    ShortStr,
    decode_shortstr,
    encode_shortstr,
    method,
)
from amqpd.wire.spec import ProtocolError
from tests.strategies import short_strings


@method(99, 1)
class ManyBits(Method):
    first: Bit = False
    second: Bit = False
    third: Bit = False
    fourth: Bit = False
    fifth: Bit = False
    sixth: Bit = False
    seventh: Bit = False
    eighth: Bit = False
    ninth: Bit = False
    between: Octet = 0
    tenth: Bit = False
    end: Short = 0


@method(99, 2)
class EveryNumber(Method):
    octet: Octet = 0
    short: Short = 0
    long: Long = 0
    longlong: LongLong = 0
    text: ShortStr = ""
    data: LongStr = b""


def bits(number: int) -> Iterator[bool]:
    return (bool(number >> place & 1) for place in range(10))


def test_a_name_is_written_as_the_specification_writes_it() -> None:
    assert methods.BasicGetEmpty.name == "basic.get-empty"
    assert methods.ConnectionUpdateSecretOk.name == "connection.update-secret-ok"
    assert methods.TxSelect.name == "tx.select"


def test_an_id_is_class_and_method_as_a_frame_has_them() -> None:
    assert ManyBits.id == 99 << 16 | 1
    assert ManyBits().encode()[:4] == b"\x00\x63\x00\x01"


def test_methods_are_equal_when_they_are_the_same_method_with_the_same_arguments() -> None:
    assert EveryNumber(1, 2, text="x") == EveryNumber(octet=1, short=2, text="x")
    assert EveryNumber(1) != EveryNumber(2)
    assert methods.TxSelect() != methods.TxCommit()


def test_a_method_shows_its_arguments() -> None:
    assert repr(methods.ConnectionTune(1, 2, heartbeat=3)) == "ConnectionTune(channel_max=1, frame_max=2, heartbeat=3)"


def test_bits_fill_an_octet_from_its_low_end_and_then_another() -> None:
    assert ManyBits(first=True).encode()[4:] == b"\x01\x00\x00\x00\x00\x00"
    assert ManyBits(eighth=True).encode()[4:] == b"\x80\x00\x00\x00\x00\x00"
    assert ManyBits(ninth=True).encode()[4:] == b"\x00\x01\x00\x00\x00\x00"


def test_bits_behind_another_argument_start_a_new_octet() -> None:
    assert ManyBits(first=True, between=7, tenth=True, end=258).encode()[4:] == b"\x01\x00\x07\x01\x01\x02"


@given(st.integers(0, 1023), st.integers(0, 255), st.integers(0, 65535))
def test_bits_come_back_as_they_were(number: int, between: int, end: int) -> None:
    *nine, tenth = bits(number)
    sent = ManyBits(*nine, between, tenth, end)  # type: ignore[call-arg]
    assert ManyBits.decode(sent.encode()[4:]) == sent


def test_unused_bits_of_an_octet_are_passed_over() -> None:
    assert ManyBits.decode(b"\xff\xfe\x00\xfe\x00\x00") == ManyBits(*[True] * 8)


def test_numbers_are_big_endian() -> None:
    sent = EveryNumber(1, 0x0203, 0x04050607, 0x08090A0B0C0D0E0F, "é", b"\xff")
    assert sent.encode()[4:] == bytes(range(1, 16)) + b"\x02\xc3\xa9" + b"\x00\x00\x00\x01\xff"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("octet", 256), ("octet", -1), ("short", 65536), ("long", 1 << 32), ("longlong", 1 << 64), ("text", "x" * 256)],
)
def test_an_argument_that_does_not_fit_its_domain_is_a_value_error(attribute: str, value: object) -> None:
    sent = EveryNumber()
    setattr(sent, attribute, value)
    with pytest.raises(ValueError, match=r"short string over 255 bytes|every\.number"):
        sent.encode()


def test_the_error_names_method_and_argument() -> None:
    with pytest.raises(ValueError, match=r"every\.number: octet=256"):
        EveryNumber(octet=256).encode()


@pytest.mark.parametrize("length", range(len(EveryNumber(text="ab", data=b"cd").encode()) - 4))
def test_truncated_arguments_are_a_frame_error_that_shows_them(length: int) -> None:
    arguments = EveryNumber(text="ab", data=b"cd").encode()[4:][:length]
    with pytest.raises(ProtocolError, match=r"cannot decode <<.*>>") as caught:
        EveryNumber.decode(arguments)
    assert caught.value.code == 501


@pytest.mark.parametrize("arguments", [b"\x00", b"more"])
def test_octets_behind_the_arguments_are_a_frame_error_that_shows_them(arguments: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"cannot decode <<.*>>") as caught:
        methods.TxSelect.decode(arguments)
    assert caught.value.code == 501


def test_a_table_longer_than_its_frame_is_a_frame_error() -> None:
    arguments = methods.QueueDeclare(queue="q").encode()[4:-4] + b"\x00\x00\x00\x05abc"
    with pytest.raises(ProtocolError, match=r"cannot decode <<0,0,1,113,0,0,0,0,5,97,98,99>>") as caught:
        methods.QueueDeclare.decode(arguments)
    assert caught.value.code == 501


@given(short_strings)
def test_a_short_string_comes_back_as_it_was(text: str) -> None:
    assert decode_shortstr(b"\xff" + encode_shortstr(text) + b"rest", 1) == (text, 2 + len(text.encode()))


def test_a_short_string_holds_255_bytes_not_characters() -> None:
    assert len(encode_shortstr("é" * 127 + "x")) == 256
    with pytest.raises(ValueError, match="over 255 bytes"):
        encode_shortstr("é" * 128)


def test_a_short_string_that_is_not_utf8_is_a_frame_error() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_shortstr(b"\x02\xff\xfe", 0)
    assert (caught.value.code, caught.value.explanation) == (501, "Malformed UTF-8 in shortstr")


def test_a_short_string_that_is_cut_short_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        decode_shortstr(b"\x02a", 0)
