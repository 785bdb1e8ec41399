"""Arguments of declarations: a table of what RabbitMQ says to each, recorded from RabbitMQ 3.10 where it knows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from amqpd.broker.arguments import (
    MAX_DURATION,
    check_consumer_arguments,
    check_exchange_arguments,
    check_queue_arguments,
    check_stream_consumer_arguments,
    compare_exchange_arguments,
    compare_property,
    compare_queue_arguments,
    equal_values,
)
from amqpd.errors import PreconditionFailed
from amqpd.wire.fields import Int8, Int16, Int32, RawString, Timestamp, UInt8, UInt32
from tests.strategies import values

QUEUE = "queue 'q' in vhost '/'"
EXCHANGE = "exchange 'x' in vhost '/'"

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"x-message-ttl": -1}, "invalid arg 'x-message-ttl' for {q}: {value_negative,-1}"),
    ({"x-message-ttl": "1"}, "invalid arg 'x-message-ttl' for {q}: \"expected integer, got longstr\""),
    ({"x-message-ttl": 1.5}, "invalid arg 'x-message-ttl' for {q}: \"expected integer, got double\""),
    ({"x-message-ttl": True}, "invalid arg 'x-message-ttl' for {q}: \"expected integer, got bool\""),
    ({"x-message-ttl": None}, "invalid arg 'x-message-ttl' for {q}: \"expected integer, got void\""),
    ({"x-message-ttl": Timestamp(5)}, "invalid arg 'x-message-ttl' for {q}: \"expected integer, got timestamp\""),
    ({"x-message-ttl": MAX_DURATION + 1}, "invalid arg 'x-message-ttl' for {q}: {value_too_large,315360000001}"),
    ({"x-expires": 0}, "invalid arg 'x-expires' for {q}: {value_zero,0}"),
    ({"x-expires": -1}, "invalid arg 'x-expires' for {q}: {value_negative,-1}"),
    ({"x-expires": MAX_DURATION + 1}, "invalid arg 'x-expires' for {q}: {value_too_large,315360000001}"),
    ({"x-expires": []}, "invalid arg 'x-expires' for {q}: \"expected integer, got array\""),
    ({"x-max-priority": 256}, "invalid arg 'x-max-priority' for {q}: {max_value_exceeded,256}"),
    ({"x-max-priority": Int16(-2)}, "invalid arg 'x-max-priority' for {q}: {value_negative,-2}"),
    ({"x-max-length": "many"}, "invalid arg 'x-max-length' for {q}: \"expected integer, got longstr\""),
    ({"x-max-length": -5}, "invalid arg 'x-max-length' for {q}: {value_negative,-5}"),
    ({"x-max-length-bytes": {}}, "invalid arg 'x-max-length-bytes' for {q}: \"expected integer, got table\""),
    ({"x-dead-letter-exchange": 5}, "invalid type 'long' for arg 'x-dead-letter-exchange' in {q}"),
    ({"x-dead-letter-exchange": Int32(5)}, "invalid type 'signedint' for arg 'x-dead-letter-exchange' in {q}"),
    (
        {"x-dead-letter-routing-key": "k"},
        "invalid arg 'x-dead-letter-routing-key' for {q}: routing_key_but_no_dlx_defined",
    ),
    (
        {"x-dead-letter-exchange": "x", "x-dead-letter-routing-key": 5},
        "invalid arg 'x-dead-letter-routing-key' for {q}: {unacceptable_type,long}",
    ),
    ({"x-overflow": "zz"}, "invalid arg 'x-overflow' for {q}: invalid_overflow"),
    ({"x-overflow": 5}, "invalid arg 'x-overflow' for {q}: {unacceptable_type,long}"),
    (
        {"x-single-active-consumer": "true"},
        "invalid arg 'x-single-active-consumer' for {q}: {unacceptable_type,longstr}",
    ),
    ({"x-single-active-consumer": 1}, "invalid arg 'x-single-active-consumer' for {q}: {unacceptable_type,long}"),
    ({"x-queue-mode": "x"}, "invalid arg 'x-queue-mode' for {q}: \"unsupported queue mode 'x'\""),
    ({"x-queue-type": "zz"}, "invalid arg 'x-queue-type' for {q}: \"unsupported queue type 'zz'\""),
    ({"x-queue-version": 3}, "invalid arg 'x-queue-version' for {q}: \"unsupported queue version '3'\""),
    ({"x-queue-type": 1.5}, "invalid arg 'x-queue-type' for {q}: {unacceptable_type,double}"),
    ({"x-queue-version": -1}, "invalid arg 'x-queue-version' for {q}: {value_negative,-1}"),
    ({"x-queue-mode": 5}, "invalid arg 'x-queue-mode' for {q}: {unacceptable_type,long}"),
    ({"x-queue-leader-locator": 5}, "invalid arg 'x-queue-leader-locator' for {q}: {unacceptable_type,long}"),
    ({"x-queue-leader-locator": "here"}, "invalid arg 'x-queue-leader-locator' for {q}: invalid_queue_locator_arg"),
    (  # of several faults the first in RabbitMQ's order is named, whatever the client's
        {"x-max-age": 5, "x-overflow": "zz", "x-expires": 0},
        "invalid arg 'x-expires' for {q}: {value_zero,0}",
    ),
    (
        {"x-expires": 0, "x-queue-type": "zz"},
        "invalid arg 'x-queue-type' for {q}: \"unsupported queue type 'zz'\"",
    ),
    *(
        ({"x-queue-type": "quorum", name: value}, f"invalid arg '{name}' for {{q}}{reason}")
        for name, value, reason in (
            ("x-max-priority", 5, " of queue type rabbit_quorum_queue"),
            ("x-queue-mode", "lazy", " of queue type rabbit_quorum_queue"),
            ("x-max-age", "1D", " of queue type rabbit_quorum_queue"),
            ("x-delivery-limit", "5", ': "expected integer, got longstr"'),
            ("x-dead-letter-strategy", "maybe", ": invalid_dlx_strategy"),
            ("x-dead-letter-strategy", 5, ": {unacceptable_type,long}"),
            ("x-max-in-memory-length", -1, ": {value_negative,-1}"),
            ("x-quorum-initial-group-size", 0, ": {value_zero,0}"),
            ("x-quorum-initial-group-size", -1, ": {value_negative,-1}"),
        )
    ),
    *(
        ({name: 5}, f"invalid arg '{name}' for {{q}} of queue type rabbit_classic_queue")
        for name in (
            "x-delivery-limit",
            "x-dead-letter-strategy",
            "x-max-age",
            "x-max-in-memory-length",
            "x-max-in-memory-bytes",
            "x-quorum-initial-group-size",
            "x-stream-max-segment-size-bytes",
            "x-initial-cluster-size",
        )
    ),
]

STREAM = {"x-queue-type": "stream"}

REFUSED += [
    ({**STREAM, "x-max-age": 5}, "invalid arg 'x-max-age' for {q}: {unacceptable_type,long}"),
    *(
        ({**STREAM, "x-max-age": age}, "invalid arg 'x-max-age' for {q}: invalid_max_age")
        for age in ("5", "0s", "5w", "5d", "-5s", "s", "", "1.5h", " 5h", "5hh", "\u0665s")
    ),
    ({**STREAM, "x-max-length-bytes": -5}, "invalid arg 'x-max-length-bytes' for {q}: {value_negative,-5}"),
    ({**STREAM, "x-initial-cluster-size": 0}, "invalid arg 'x-initial-cluster-size' for {q}: {value_zero,0}"),
    (
        {**STREAM, "x-stream-max-segment-size-bytes": "5"},
        "invalid arg 'x-stream-max-segment-size-bytes' for {q}: \"expected integer, got longstr\"",
    ),
    *(
        ({**STREAM, name: value}, f"invalid arg '{name}' for {{q}} of queue type rabbit_stream_queue")
        for name, value in (
            ("x-message-ttl", 5),
            ("x-expires", 5),
            ("x-max-length", 5),
            ("x-max-priority", 5),
            ("x-dead-letter-exchange", "x"),
            ("x-overflow", "drop-head"),
            ("x-single-active-consumer", True),
            ("x-queue-mode", "lazy"),
            ("x-delivery-limit", 5),
        )
    ),
]

ACCEPTED: list[dict[str, Any]] = [
    *({**STREAM, "x-max-age": age} for age in ("1Y", "2M", "30D", "12h", "90m", "5s")),
    {**STREAM, "x-max-length-bytes": 0, "x-stream-max-segment-size-bytes": 5, "x-stream-filter-size-bytes": 16},
    {**STREAM, "x-initial-cluster-size": 1, "x-queue-leader-locator": "least-leaders", "x-unheard-of": 5},
    {},
    {"x-message-ttl": 0},
    {"x-message-ttl": MAX_DURATION},
    {"x-message-ttl": Int8(5)},
    {"x-expires": 1},
    {"x-max-priority": UInt8(255)},
    {"x-max-priority": 0},
    {"x-max-length": 0, "x-max-length-bytes": UInt32(1)},
    {"x-dead-letter-exchange": ""},
    {"x-dead-letter-routing-key": "k", "x-dead-letter-exchange": "x"},
    *({"x-overflow": overflow} for overflow in ("drop-head", "reject-publish", "reject-publish-dlx")),
    {"x-single-active-consumer": True},
    {"x-queue-mode": "lazy"},
    {"x-queue-mode": "default"},
    {"x-queue-version": 1},
    {"x-queue-version": Int8(2)},
    {"x-queue-type": "classic"},
    {"x-queue-type": "quorum", "x-message-ttl": 1, "x-expires": 1, "x-max-length": 1, "x-max-length-bytes": 1},
    {"x-queue-type": "quorum", "x-delivery-limit": Int8(-1), "x-dead-letter-strategy": "at-most-once"},
    {"x-queue-type": "quorum", "x-max-in-memory-length": 0, "x-max-in-memory-bytes": 0},
    {"x-queue-type": "quorum", "x-quorum-initial-group-size": 3, "x-single-active-consumer": True},
    {"x-queue-master-locator": "min-masters", "x-queue-leader-locator": "balanced"},
    {"x-queue-master-locator": 5},
    {"x-unheard-of": {"any": ["thing"]}, "foo": None},
]


@pytest.mark.parametrize(("arguments", "text"), REFUSED, ids=[str(arguments) for arguments, _ in REFUSED])
def test_an_argument_out_of_place_is_refused_in_these_words(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_queue_arguments(arguments, QUEUE)
    assert caught.value.explanation == text.replace("{q}", QUEUE)


@pytest.mark.parametrize("arguments", ACCEPTED, ids=str)
def test_these_arguments_are_accepted(arguments: dict[str, Any]) -> None:
    check_queue_arguments(arguments, QUEUE)


@pytest.mark.parametrize(
    ("received", "current", "difference"),
    [
        ({}, {"x-message-ttl": Int32(1000)}, "none but current is the value '1000' of type 'signedint'"),
        ({"x-message-ttl": 2000}, {"x-message-ttl": Int32(1000)}, "'2000' but current is '1000'"),
        ({"x-message-ttl": "1000"}, {"x-message-ttl": 1000}, "'1000' but current is '1000'"),
        ({"x-message-ttl": 1000.0}, {"x-message-ttl": 1000}, "'1000.0' but current is '1000'"),
        ({"x-expires": 100000}, {}, "the value '100000' of type 'long' but current is none"),
        ({"x-dead-letter-exchange": "ee"}, {"x-dead-letter-exchange": "dd"}, "'ee' but current is 'dd'"),
        ({}, {"x-dead-letter-exchange": "dd"}, "none but current is the value 'dd' of type 'longstr'"),
        ({"x-queue-type": "quorum"}, {}, "the value 'quorum' of type 'longstr' but current is none"),
        ({"x-single-active-consumer": True}, {}, "the value 'true' of type 'bool' but current is none"),
        ({"x-single-active-consumer": True}, {"x-single-active-consumer": False}, "'true' but current is 'false'"),
        ({"x-max-length": 1}, {"x-max-length": True}, "'1' but current is 'true'"),
        ({"x-max-length": None}, {}, "the value 'undefined' of type 'void' but current is none"),
        ({"x-max-length": None}, {"x-max-length": 1}, "none but current is '1'"),
        ({"x-max-length": b"bin"}, {}, "the value 'bin' of type 'binary' but current is none"),
        ({"x-max-length": 1e30}, {}, "the value '1.0e30' of type 'double' but current is none"),
        (
            {"x-max-length": {"a": Int32(1), "b": "x"}},
            {},
            'the value \'[{<<"a">>,signedint,1},{<<"b">>,longstr,<<"x">>}]\' of type \'table\' but current is none',
        ),
    ],
)
def test_a_difference_is_named_in_these_words(
    received: dict[str, Any], current: dict[str, Any], difference: str
) -> None:
    name = next(iter({**received, **current}))
    with pytest.raises(PreconditionFailed) as caught:
        compare_queue_arguments(received, current, QUEUE)
    assert caught.value.explanation == f"inequivalent arg '{name}' for {QUEUE}: received {difference}"


@pytest.mark.parametrize(
    ("received", "current"),
    [
        ({}, {}),
        ({"x-message-ttl": 1000}, {"x-message-ttl": Int32(1000)}),
        ({"x-message-ttl": Decimal(1000)}, {"x-message-ttl": 1000}),
        ({"x-queue-type": "classic"}, {}),
        ({}, {"x-queue-type": "classic"}),
        ({"foo": 1}, {"foo": 2}),
        ({"foo": 1}, {}),
        ({"x-unheard-of": 1}, {"x-unheard-of": "1"}),
        ({"x-max-length": 1, "x-overflow": "drop-head"}, {"x-overflow": "drop-head", "x-max-length": 1}),
    ],
)
def test_these_declarations_are_the_same(received: dict[str, Any], current: dict[str, Any]) -> None:
    compare_queue_arguments(received, current, QUEUE)


@pytest.mark.parametrize(
    ("name", "received", "current", "text"),
    [
        ("durable", False, True, "inequivalent arg 'durable' for {x}: received 'false' but current is 'true'"),
        ("auto_delete", True, False, "inequivalent arg 'auto_delete' for {x}: received 'true' but current is 'false'"),
        ("type", "topic", "direct", "inequivalent arg 'type' for {x}: received 'topic' but current is 'direct'"),
        ("type", "direct", "x-b", "inequivalent arg 'type' for {x}: received 'direct' but current is ''x-b''"),
    ],
)
def test_a_different_property_is_named_in_these_words(name: str, received: Any, current: Any, text: str) -> None:
    compare_property(name, current, current, EXCHANGE)
    with pytest.raises(PreconditionFailed) as caught:
        compare_property(name, received, current, EXCHANGE)
    assert caught.value.explanation == text.format(x=EXCHANGE)


@pytest.mark.parametrize(
    ("value", "kind"), [(5, "long"), (Int32(5), "signedint"), (None, "void"), (RawString(b"\xff"), "longstr")]
)
def test_an_alternate_exchange_that_is_no_name_is_refused(value: Any, kind: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_exchange_arguments({"alternate-exchange": value}, EXCHANGE)
    assert caught.value.explanation == f"invalid type '{kind}' for arg 'alternate-exchange' in {EXCHANGE}"


def test_other_arguments_of_an_exchange_are_kept_and_not_compared() -> None:
    check_exchange_arguments({"alternate-exchange": "other", "x-unheard-of": 5}, EXCHANGE)
    compare_exchange_arguments({"x-unheard-of": 5}, {"x-unheard-of": 6}, EXCHANGE)


@pytest.mark.parametrize(
    ("received", "current", "difference"),
    [
        ("b", "a", "'b' but current is 'a'"),
        (None, "a", "none but current is the value 'a' of type 'longstr'"),
        ("a", None, "the value 'a' of type 'longstr' but current is none"),
    ],
)
def test_alternate_exchanges_are_compared(received: str | None, current: str | None, difference: str) -> None:
    def table(value: str | None) -> dict[str, Any]:
        return {} if value is None else {"alternate-exchange": value}

    compare_exchange_arguments(table(current), table(current), EXCHANGE)
    with pytest.raises(PreconditionFailed) as caught:
        compare_exchange_arguments(table(received), table(current), EXCHANGE)
    assert caught.value.explanation == (f"inequivalent arg 'alternate-exchange' for {EXCHANGE}: received {difference}")


def test_these_consumer_arguments_are_accepted() -> None:
    check_consumer_arguments({"x-priority": Int8(-5), "x-cancel-on-ha-failover": True, "other": "thing"}, QUEUE)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("x-priority", "high", ': "expected integer, got longstr"'),
        ("x-cancel-on-ha-failover", "true", ": {unacceptable_type,longstr}"),
        ("x-stream-offset", "first", " of queue type rabbit_classic_queue"),
    ],
)
def test_a_consumer_argument_out_of_place_is_refused_in_these_words(name: str, value: Any, reason: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_consumer_arguments({name: value}, QUEUE)
    assert caught.value.explanation == f"invalid arg '{name}' for {QUEUE}{reason}"


def test_a_stream_has_consumer_arguments_of_its_own() -> None:
    for offset in ("first", "last", "next", 0, 5, Int8(-1), Timestamp(5), "1h", "7D"):
        check_stream_consumer_arguments({"x-stream-offset": offset, "x-stream-filter": "a"}, QUEUE)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("x-stream-offset", "5w", ': {invalid_stream_offset_arg,{longstr,<<"5w">>}}'),
        ("x-stream-offset", "soon", ': {invalid_stream_offset_arg,{longstr,<<"soon">>}}'),
        ("x-stream-offset", 1.5, ": {invalid_stream_offset_arg,{double,1.5}}"),
        ("x-stream-offset", True, ": {invalid_stream_offset_arg,{bool,true}}"),
        ("x-priority", 5, " of queue type rabbit_stream_queue"),
        ("x-cancel-on-ha-failover", True, " of queue type rabbit_stream_queue"),
    ],
)
def test_what_a_stream_refuses_of_consumers_is_said_in_these_words(name: str, value: Any, reason: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_stream_consumer_arguments({name: value}, QUEUE)
    assert caught.value.explanation == f"invalid arg '{name}' for {QUEUE}{reason}"


# --- equality


@given(values)
def test_a_value_equals_itself(value: Any) -> None:
    if repr(value).find("nan") < 0:
        assert equal_values(value, value)


@given(values, values)
def test_equality_does_not_depend_on_the_order(one: Any, other: Any) -> None:
    assert equal_values(one, other) is equal_values(other, one)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (Int8(5), UInt32(5), True),
        (5, Decimal(5), True),
        (5, 5.0, False),
        (1, True, False),
        ("1", 1, False),
        ("a", b"a", False),
        (None, None, True),
        (None, 0, False),
        ([1, [2]], [Int8(1), [Int8(2)]], True),
        ([1], [1, 2], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": "1"}, False),
        ([True], [1], False),
    ],
)
def test_integers_of_all_widths_compare_and_other_types_keep_apart(one: Any, other: Any, equal: bool) -> None:
    assert equal_values(one, other) is equal


# --- what quorum queues have from 4.3 on

NEWER = {
    "x-consumer-timeout": 60_000,
    "x-consumer-disconnected-timeout": 0,
    "x-delayed-retry-type": "all",
    "x-delayed-retry-min": Int32(5),
    "x-delayed-retry-max": "whatever",
}


@pytest.mark.parametrize("queue_type", ["classic", "quorum", "stream"])
def test_before_4_3_nobody_knows_them(queue_type: str) -> None:
    check_queue_arguments({"x-queue-type": queue_type, **NEWER, "x-consumer-timeout": "x"}, QUEUE)
    compare_queue_arguments({}, NEWER, QUEUE)
    check_consumer_arguments({"x-consumer-timeout": "x"}, QUEUE, "classic")
    check_stream_consumer_arguments({"x-consumer-timeout": "x"}, QUEUE)


def test_from_4_3_on_quorum_queues_take_them() -> None:
    check_queue_arguments({"x-queue-type": "quorum", **NEWER}, QUEUE, quorum_4_3=True)
    check_consumer_arguments({"x-consumer-timeout": 0}, QUEUE, "quorum", quorum_4_3=True)


@pytest.mark.parametrize("name", NEWER)
@pytest.mark.parametrize("queue_type", ["classic", "stream"])
def test_from_4_3_on_queues_of_other_types_refuse_them(name: str, queue_type: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_queue_arguments({"x-queue-type": queue_type, name: NEWER[name]}, QUEUE, quorum_4_3=True)
    assert caught.value.explanation == f"invalid arg '{name}' for {QUEUE} of queue type rabbit_{queue_type}_queue"


@pytest.mark.parametrize("name", ["x-consumer-timeout", "x-consumer-disconnected-timeout"])
@pytest.mark.parametrize(("value", "reason"), [(-1, "{value_negative,-1}"), ("5", '"expected integer, got longstr"')])
def test_from_4_3_on_a_timeout_is_a_natural_number(name: str, value: Any, reason: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_queue_arguments({"x-queue-type": "quorum", name: value}, QUEUE, quorum_4_3=True)
    assert caught.value.explanation == f"invalid arg '{name}' for {QUEUE}: {reason}"


@pytest.mark.parametrize("name", NEWER)
def test_from_4_3_on_they_are_compared(name: str) -> None:
    with pytest.raises(PreconditionFailed, match=f"inequivalent arg '{name}'"):
        compare_queue_arguments(
            {"x-queue-type": "quorum"}, {"x-queue-type": "quorum", name: NEWER[name]}, QUEUE, quorum_4_3=True
        )


def test_from_4_3_on_consumers_of_quorum_queues_alone_have_a_timeout() -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_consumer_arguments({"x-consumer-timeout": -1}, QUEUE, "quorum", quorum_4_3=True)
    assert caught.value.explanation == f"invalid arg 'x-consumer-timeout' for {QUEUE}: {{value_negative,-1}}"
    with pytest.raises(PreconditionFailed, match="of queue type rabbit_classic_queue"):
        check_consumer_arguments({"x-consumer-timeout": 5}, QUEUE, "classic", quorum_4_3=True)
    with pytest.raises(PreconditionFailed, match="of queue type rabbit_stream_queue"):
        check_stream_consumer_arguments({"x-consumer-timeout": 5}, QUEUE, quorum_4_3=True)
