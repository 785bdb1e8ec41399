"""The login in connection.start-ok, and the connection.tune that follows it."""

from __future__ import annotations

from steps import Connect, greet

from amqpd.wire.fields import encode_table
from amqpd.wire.methods import ConnectionStartOk, ConnectionTune


def test_plain_holds_name_and_password_behind_nul_bytes(connect: Connect) -> None:
    client = greet(connect)
    client.send(0, ConnectionStartOk(mechanism="PLAIN", response=b"\0guest\0guest"))
    client.expect(0, ConnectionTune)


def test_amqplain_holds_a_table_without_its_length(connect: Connect) -> None:
    client = greet(connect)
    response = encode_table({"LOGIN": "guest", "PASSWORD": "guest"})[4:]
    client.send(0, ConnectionStartOk(mechanism="AMQPLAIN", response=response))
    client.expect(0, ConnectionTune)


def test_the_broker_proposes_its_limits(connect: Connect) -> None:
    tune = connect().tune
    assert (tune.channel_max, tune.frame_max, tune.heartbeat) == (2047, 131072, 60)


def test_client_properties_may_be_of_any_size_below_4096(connect: Connect) -> None:
    client = greet(connect)
    client.send(0, ConnectionStartOk({"information": "x" * 3900}, response=b"\0guest\0guest"))
    client.expect(0, ConnectionTune)


def test_client_properties_are_taken_as_they_are(connect: Connect) -> None:
    client = greet(connect)
    properties = {"capabilities": "none", "product": 7, "platform": None, "connection_name": ["x", {"y": 1.5}]}
    client.send(0, ConnectionStartOk(properties, response=b"\0guest\0guest", locale="tlh"))
    client.expect(0, ConnectionTune)
