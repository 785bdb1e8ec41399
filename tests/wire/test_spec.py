"""Constants, and the texts made of them."""

from __future__ import annotations

import pytest

from amqpd import errors
from amqpd.errors import AmqpError
from amqpd.wire.spec import HEARTBEAT_FRAME, PROTOCOL_HEADER, SOFT_ERRORS, ProtocolError, ReplyCode, octets

SOFT = {311, 312, 313, 403, 404, 405, 406}
HARD = {320, 402, 501, 502, 503, 504, 505, 506, 530, 540, 541}


def test_soft_errors_close_a_channel_and_hard_ones_the_connection() -> None:
    assert set(SOFT_ERRORS) == SOFT
    for code in SOFT:
        assert not ProtocolError(ReplyCode(code), "").closes_connection
    for code in HARD:
        assert ProtocolError(ReplyCode(code), "").closes_connection


def test_every_reply_code_of_the_specification_is_there() -> None:
    assert {code.value for code in ReplyCode} == SOFT | HARD | {200}


def test_a_reply_text_is_the_codes_name_and_an_explanation() -> None:
    assert ProtocolError(ReplyCode.NOT_FOUND, "no queue 'q' in vhost '/'").reply_text == (
        "NOT_FOUND - no queue 'q' in vhost '/'"
    )


def test_a_reply_text_is_cut_to_255_bytes() -> None:
    fits = "x" * (255 - len("NOT_FOUND - "))
    assert ProtocolError(ReplyCode.NOT_FOUND, fits).reply_text == f"NOT_FOUND - {fits}"
    cut = ProtocolError(ReplyCode.NOT_FOUND, fits + "x").reply_text
    assert cut == f"NOT_FOUND - {fits[:-3]}..."
    assert len(cut) == 255


@pytest.mark.parametrize("shift", range(4))
def test_a_reply_text_is_never_cut_inside_a_character(shift: int) -> None:
    text = ProtocolError(ReplyCode.NOT_FOUND, "x" * shift + "🐇" * 100).reply_text
    assert 252 <= len(text.encode()) <= 255
    assert text.removeprefix("NOT_FOUND - ").lstrip("x").strip("🐇") == "..."


@pytest.mark.parametrize(
    ("data", "printed"),
    [
        (b"", "<<>>"),
        (b"guest", '<<"guest">>'),
        (b" ~", '<<" ~">>'),
        (b"\x00\x01\xff", "<<0,1,255>>"),
        (b"a\n", "<<97,10>>"),
        (b"\x7f", "<<127>>"),
    ],
)
def test_octets_print_as_erlang_binaries(data: bytes, printed: str) -> None:
    assert octets(data) == printed


def test_the_fixed_frames() -> None:
    assert PROTOCOL_HEADER == b"AMQP\x00\x00\x09\x01"
    assert HEARTBEAT_FRAME == b"\x08\x00\x00\x00\x00\x00\x00\xce"


def test_each_error_has_a_reply_code_of_its_own() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AmqpError)]
    classes.remove(AmqpError)
    codes = [kind.reply_code for kind in classes]
    assert len(set(codes)) == len(codes) == 11
    for kind in classes:
        assert kind("because").code is kind.reply_code
        assert kind("because").reply_text == f"{kind.reply_code.name} - because"
