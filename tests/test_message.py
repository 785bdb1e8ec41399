"""A message: an address, a header kept raw, and a body."""

from __future__ import annotations

import pytest

from amqpd.message import REDIRECTED, Address, Message, make_message, revised, with_header
from amqpd.wire.properties import Properties, encode_header
from amqpd.wire.spec import ProtocolError


def test_an_address_is_two_short_strings_on_the_wire() -> None:
    assert Address("x", "a.b").wire == b"\x01x\x03a.b"
    assert Address("", "").wire == b"\x00\x00"


def test_an_address_that_came_from_a_wire_keeps_its_bytes() -> None:
    wire = b"\x01x\x01k"
    assert Address("x", "k", wire).wire is wire


def test_a_message_shows_its_address() -> None:
    message = make_message("x", "k", b"body")
    assert (message.exchange, message.routing_key, message.body, message.size) == ("x", "k", b"body", 4)


def test_the_header_is_kept_as_it_came() -> None:
    header = encode_header(Properties(message_id="m"), 4)
    assert Message(Address("x", "k"), header, b"body", False).header is header


def test_properties_are_decoded_when_somebody_asks_and_once() -> None:
    message = make_message("x", "k", b"body", Properties(message_id="m", headers={"a": 1}))
    assert message.properties == Properties(message_id="m", headers={"a": 1})
    assert message.properties is message.properties
    assert message.headers == {"a": 1}


def test_a_priority_is_known_without_decoding_the_properties() -> None:
    properties = Properties(content_type="a/b", headers={"priority": 1}, delivery_mode=2, priority=9, type="t")
    assert make_message("x", "k", b"", properties).priority == 9
    assert make_message("x", "k", b"").priority == 0


def test_a_message_without_headers_has_an_empty_table() -> None:
    assert make_message("x", "k", b"").headers == {}


@pytest.mark.parametrize(("mode", "persistent"), [(None, False), (1, False), (2, True), (3, False)])
def test_delivery_mode_2_is_persistent(mode: int | None, persistent: bool) -> None:
    assert make_message("x", "k", b"", Properties(delivery_mode=mode)).persistent is persistent


def test_a_malformed_header_is_an_error_to_whoever_looks_into_it() -> None:
    message = Message(Address("x", "k"), b"\x00\x3c\x00\x00" + bytes(8) + b"\x80\x00\x05", b"", False)
    with pytest.raises(ProtocolError) as caught:
        _ = message.properties
    assert caught.value.code == 502


def test_a_name_that_does_not_fit_the_wire_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="over 255 bytes"):
        make_message("x", "k" * 256, b"")
    with pytest.raises(ValueError, match="delivery_mode"):
        make_message("x", "k", b"", Properties(delivery_mode=256))


def test_a_new_message_has_no_id_in_the_store() -> None:
    assert make_message("x", "k", b"").id == 0


def test_a_revised_message_has_the_same_body() -> None:
    message = make_message("x", "k", b"body", Properties(delivery_mode=2, message_id="m"))
    message.died = REDIRECTED
    revised_message = revised(message, Address("y", "l"), Properties(app_id="a"))
    assert (revised_message.exchange, revised_message.routing_key, revised_message.body) == ("y", "l", b"body")
    assert revised_message.properties == Properties(app_id="a")
    assert (revised_message.persistent, revised_message.died, revised_message.id) == (True, REDIRECTED, 0)
    assert (message.copy().died, message.copy("m").died) == (REDIRECTED, REDIRECTED)
    assert message.properties == Properties(delivery_mode=2, message_id="m")


def test_a_header_is_added_to_a_copy() -> None:
    message = make_message("x", "k", b"body", Properties(delivery_mode=2, headers={"b": 1}))
    message.id = 5
    copy = with_header(message, "a", 2)
    assert copy.headers == {"a": 2, "b": 1}
    assert message.headers == {"b": 1}
    assert (copy.exchange, copy.routing_key, copy.body, copy.persistent) == ("x", "k", b"body", True)
    assert copy.id == 0
