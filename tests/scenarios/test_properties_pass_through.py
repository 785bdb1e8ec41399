"""Properties and headers arrive as they were published, byte for byte."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from steps import get, own_queue, read_frame

from amqpd.testing.client import Client, raw_frame
from amqpd.wire.fields import Float32, Int8, Int16, Int32, Timestamp, UInt8, UInt16, UInt32
from amqpd.wire.methods import BasicGet, BasicPublish
from amqpd.wire.properties import Properties, encode_header
from amqpd.wire.writer import method_frame

ALL = Properties(
    content_type="application/json",
    content_encoding="gzip",
    headers={"key": "value"},
    delivery_mode=2,
    priority=9,
    correlation_id="c-1",
    reply_to="answers",
    expiration="60000",
    message_id="m-1",
    timestamp=Timestamp(1_700_000_000),
    type="greeting",
    user_id="guest",
    app_id="tests",
    cluster_id="old",
)

HEADERS = {
    "bool": True,
    "int8": Int8(-1),
    "uint8": UInt8(255),
    "int16": Int16(-300),
    "uint16": UInt16(65535),
    "int32": Int32(-70000),
    "uint32": UInt32(1 << 31),
    "int64": -(1 << 62),
    "float": Float32(1.5),
    "double": 1.1,
    "decimal": Decimal("3.14"),
    "string": "ünïcode",
    "empty": "",
    "array": [1, "two", [3.0, {"four": None}]],
    "timestamp": Timestamp(1 << 40),
    "table": {"nested": {"deeper": {}}},
    "bytes": b"\x00\xff",
    "void": None,
    "": "no name",
}


def test_all_fourteen_properties_arrive(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"", ALL)
    assert get(client, queue).properties == ALL


@pytest.mark.parametrize("name", Properties.__slots__)
def test_each_property_may_stand_alone(client: Client, name: str) -> None:
    queue = own_queue(client)
    properties = Properties(**{name: getattr(ALL, name)})
    client.publish(1, "", queue, b"", properties)
    assert get(client, queue).properties == properties


def test_headers_of_all_types_arrive_byte_for_byte(client: Client) -> None:
    queue = own_queue(client)
    header = encode_header(Properties(headers=HEADERS), 0)
    assert header_after_a_round_trip(client, queue, header) == header


def test_headers_keep_their_order_and_their_doubles(client: Client) -> None:
    queue = own_queue(client)
    fields = b"\x01zt\x01\x01aI\x00\x00\x00\x05\x01zt\x00\x01aS\x00\x00\x00\x01x"
    header = struct.pack(">HHQHI", 60, 0, 0, 1 << 13, len(fields)) + fields
    assert header_after_a_round_trip(client, queue, header) == header


def test_strings_in_headers_need_not_be_utf_8(client: Client) -> None:
    queue = own_queue(client)
    fields = b"\x01aS\x00\x00\x00\x02\xff\xfe"
    header = struct.pack(">HHQHI", 60, 0, 0, 1 << 13, len(fields)) + fields
    assert header_after_a_round_trip(client, queue, header) == header


def test_flags_nobody_knows_pass_through(client: Client) -> None:
    queue = own_queue(client)
    header = struct.pack(">HHQHB", 60, 0, 0, 1 << 12 | 1 << 1, 1)
    assert header_after_a_round_trip(client, queue, header) == header


def header_after_a_round_trip(client: Client, queue: str, header: bytes) -> bytes:
    client.write(method_frame(1, BasicPublish(routing_key=queue)) + raw_frame(2, 1, header))
    client.send(1, BasicGet(queue=queue, no_ack=True))
    kind, _, payload = read_frame(client)
    assert (kind, payload[:4]) == (1, b"\x00\x3c\x00\x47")
    return read_frame(client)[2]
