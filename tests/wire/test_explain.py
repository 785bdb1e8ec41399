"""`python -m amqpd.wire`, and the worked example in the package's docstring."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys

import pytest

from amqpd import wire
from amqpd.wire.__main__ import NotAFrame, bytes_of, explain
from amqpd.wire.methods import BasicAck, BasicPublish, ConnectionTuneOk
from amqpd.wire.properties import Properties, encode_header
from amqpd.wire.spec import HEARTBEAT_FRAME, PROTOCOL_HEADER
from amqpd.wire.writer import content_frames, method_frame

PUBLISH = b"".join(
    content_frames(
        1,
        BasicPublish(exchange="logs", routing_key="info"),
        encode_header(Properties(headers={"a": 1}, delivery_mode=2), 5),
        b"hello",
        131072,
    )
)


def lines(data: bytes) -> list[str]:
    """The explanation, with the reason for stopping as its last line."""
    found: list[str] = []
    try:
        found.extend(explain(data))
    except NotAFrame as error:
        found.append(f"stopped at {error}")
    return found


def test_the_worked_example_is_true() -> None:
    assert doctest.testmod(wire).failed == 0
    assert doctest.testmod(wire).attempted > 0


def test_each_frame_is_a_line() -> None:
    assert lines(PROTOCOL_HEADER + PUBLISH + HEARTBEAT_FRAME) == [
        "protocol header 0-9-1",
        "method    channel 1  basic.publish exchange='logs' routing_key='info' mandatory=False immediate=False",
        "header    channel 1  class 60, body of 5 bytes headers={'a': 1} delivery_mode=2",
        "body      channel 1  5 bytes b'hello'",
        "heartbeat channel 0",
    ]


def test_numbers_and_channels_are_shown() -> None:
    assert lines(method_frame(0, ConnectionTuneOk(7, 4096, 10)) + method_frame(300, BasicAck(12, True))) == [
        "method    channel 0  connection.tune-ok channel_max=7 frame_max=4096 heartbeat=10",
        "method    channel 300  basic.ack delivery_tag=12 multiple=True",
    ]


def test_a_long_body_shows_its_start() -> None:
    (line,) = lines(b"\x03\x00\x01\x00\x00\x00\x64" + b"x" * 100 + b"\xce")
    assert line == f"body      channel 1  100 bytes b'{'x' * 32}'…"


def test_an_empty_body_frame_is_shown() -> None:
    assert lines(bytes.fromhex("03 0001 00000000 ce")) == ["body      channel 1  0 bytes"]


def test_nothing_needs_no_explanation() -> None:
    assert lines(b"") == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (HEARTBEAT_FRAME + b"\x01\x00", "stopped at byte 8: 2 bytes are left, too few for a frame"),
        (b"\x07" + bytes(7), "stopped at byte 0: no frame has type 7"),
        (HEARTBEAT_FRAME[:-1] + b"\x00", "stopped at byte 7: a frame should end here with 0xce, not 0x00"),
        (PUBLISH[:20], "stopped at byte 0: a frame with 17 bytes of payload, but 13 are left"),
    ],
)
def test_the_last_line_says_where_and_why_it_stopped(data: bytes, reason: str) -> None:
    assert lines(data)[-1] == reason


def test_a_malformed_payload_does_not_stop_it() -> None:
    wire = (
        bytes.fromhex("01 0001 00000005 003c0050 00 ce") + bytes.fromhex("02 0001 00000002 003c ce") + HEARTBEAT_FRAME
    )
    assert lines(wire) == [
        "method    channel 1  malformed: cannot decode <<0>>",
        "header    channel 1  malformed: malformed content header",
        "heartbeat channel 0",
    ]


def test_an_unknown_method_is_named_by_its_ids() -> None:
    assert lines(bytes.fromhex("01 0001 00000004 00630001 ce")) == [
        "method    channel 1  malformed: unknown method, class 99 method 1"
    ]


@pytest.mark.parametrize(
    ("dump", "data"),
    [
        (b"08 00\n0000 CE", b"\x08\x00\x00\x00\xce"),
        (b"0800000000000 0ce\n", HEARTBEAT_FRAME),
        (b"08 0", b"\x08"),
        (b"", b""),
        (HEARTBEAT_FRAME, HEARTBEAT_FRAME),
        (b"AMQP", b"AMQP"),
    ],
)
def test_a_dump_may_be_hex_digits_or_the_bytes_themselves(dump: bytes, data: bytes) -> None:
    assert bytes_of(dump) == data


def run(dump: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "amqpd.wire"], input=dump, capture_output=True, timeout=30)


def test_the_command_explains_what_comes_in() -> None:
    done = run(PUBLISH.hex(" ").encode())
    assert (done.returncode, done.stderr) == (os.EX_OK, b"")
    assert [line.split()[0] for line in done.stdout.decode().splitlines()] == ["method", "header", "body"]


def test_the_command_fails_when_it_has_to_stop() -> None:
    done = run(PUBLISH + b"nonsense")
    assert (done.returncode, done.stderr) == (os.EX_DATAERR, b"")
    assert done.stdout.decode().splitlines()[-1].startswith("stopped at byte 76: no frame has type 110")
