"""CC and BCC: headers that name further routing keys (RabbitMQ's extension)."""

from __future__ import annotations

from typing import Any

import pytest
from steps import Name, bind, declare_exchange, drain, expect_channel_error, get, own_queue

from amqpd.testing.client import Client
from amqpd.wire.fields import Int8, Int32, UInt8
from amqpd.wire.methods import BasicPublish, BasicReturn
from amqpd.wire.properties import Properties


def publish(client: Client, exchange: str, key: str, body: bytes = b"message", **headers: Any) -> None:
    client.publish(1, exchange, key, body, Properties(headers=headers))


def test_copies_go_to_all_keys_in_both_headers(client: Client) -> None:
    to, cc, other_cc, bcc = (own_queue(client) for _ in range(4))
    publish(client, "", to, CC=[cc, other_cc], BCC=[bcc])
    assert [drain(client, queue) for queue in (to, cc, other_cc, bcc)] == [[b"message"]] * 4


def test_a_queue_named_several_times_gets_one(client: Client) -> None:
    queue = own_queue(client)
    publish(client, "", queue, CC=[queue, queue], BCC=[queue])
    assert drain(client, queue) == [b"message"]


def test_the_routing_key_that_is_delivered_is_the_publishers(client: Client) -> None:
    queue, copy = own_queue(client), own_queue(client)
    publish(client, "", queue, CC=[copy])
    received = get(client, copy)
    assert received is not None
    assert received.method.routing_key == queue  # type: ignore[union-attr]


def test_receivers_see_cc_but_not_bcc(client: Client) -> None:
    queue, copy = own_queue(client), own_queue(client)
    client.publish(
        1,
        "",
        queue,
        b"message",
        Properties(
            content_type="text/plain",
            headers={"a": Int32(1), "BCC": [copy], "CC": ["nobody"], "b": Int8(2), "c": UInt8(3)},
            message_id="id",
        ),
    )
    expected = Properties(
        content_type="text/plain",
        headers={"a": Int32(1), "CC": ["nobody"], "b": Int8(2), "c": UInt8(3)},
        message_id="id",
    )
    for each in (queue, copy):
        received = get(client, each)
        assert received is not None
        assert received.properties == expected


def test_headers_that_held_nothing_but_bcc_are_empty(client: Client) -> None:
    queue, copy = own_queue(client), own_queue(client)
    publish(client, "", queue, BCC=[copy])
    received = get(client, copy)
    assert received is not None
    assert received.properties == Properties(headers={})


def test_keys_are_patterns_matched_by_a_topic_exchange(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "topic")
    one, other, none = own_queue(client), own_queue(client), own_queue(client)
    bind(client, one, exchange, "a.*")
    bind(client, other, exchange, "#.b")
    bind(client, none, exchange, "c")
    publish(client, exchange, "nothing", CC=["a.x"], BCC=["x.y.b"])
    assert [drain(client, queue) for queue in (one, other, none)] == [[b"message"], [b"message"], []]


def test_each_message_goes_where_its_own_headers_say(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"))
    queues = [own_queue(client) for _ in range(3)]
    for number, queue in enumerate(queues):
        bind(client, queue, exchange, f"key {number}")
    publish(client, exchange, "key 0", b"one")
    publish(client, exchange, "key 0", b"two", CC=["key 1"])
    publish(client, exchange, "key 0", b"three", CC=["key 2"])
    client.publish(1, exchange, "key 0", b"four")
    assert [drain(client, queue) for queue in queues] == [[b"one", b"two", b"three", b"four"], [b"two"], [b"three"]]


def test_mandatory_is_satisfied_by_a_copy(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", "nowhere", b"copied", Properties(headers={"CC": [queue]}), mandatory=True)
    assert drain(client, queue) == [b"copied"]
    client.publish(1, "", "nowhere", b"lost", Properties(headers={"CC": ["nowhere else"]}), mandatory=True)
    assert client.expect_command(1, BasicReturn).body == b"lost"


def test_an_alternate_exchange_takes_what_no_key_matches(client: Client, name: Name) -> None:
    alternate = declare_exchange(client, name("alternate"), "fanout")
    exchange = declare_exchange(client, name("exchange"), arguments={"alternate-exchange": alternate})
    queue, rest = own_queue(client), own_queue(client)
    bind(client, queue, exchange, "key")
    bind(client, rest, alternate)
    publish(client, exchange, "other", b"copied", CC=["key"])
    publish(client, exchange, "other", b"unroutable", CC=["and another"])
    assert drain(client, queue) == [b"copied"]
    assert drain(client, rest) == [b"unroutable"]


def test_members_that_are_no_strings_are_overlooked(client: Client) -> None:
    queue, copy = own_queue(client), own_queue(client)
    publish(client, "", queue, CC=[Int32(1), copy, None], BCC=[])
    assert drain(client, queue) == [b"message"]
    assert drain(client, copy) == [b"message"]


@pytest.mark.parametrize("name", ["CC", "BCC"])
@pytest.mark.parametrize(("value", "kind"), [("key", "longstr"), (Int32(1), "signedint"), ({}, "table")])
def test_anything_but_an_array_closes_the_channel(client: Client, name: str, value: Any, kind: str) -> None:
    publish(client, "", "key", **{name: value})
    reason = f'invalid message: {{unacceptable_type_in_header,"{name}",{kind}}}'
    expect_channel_error(client, 406, reason, BasicPublish)


def test_names_in_small_letters_are_ordinary_headers(client: Client) -> None:
    queue, copy = own_queue(client), own_queue(client)
    publish(client, "", queue, cc=[copy], bcc="text")
    received = get(client, queue)
    assert received is not None
    assert received.properties == Properties(headers={"cc": [copy], "bcc": "text"})
    assert drain(client, copy) == []
