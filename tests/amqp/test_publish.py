"""Publishing: what is checked and in which order, and what a channel remembers from one publish to the next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amqpd.amqp.connection import ConnectionSettings
from amqpd.amqp.publish import check_expiration
from amqpd.auth.base import Action, Resource, User
from amqpd.broker.arguments import MAX_DURATION
from amqpd.errors import PreconditionFailed
from amqpd.wire.methods import (
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    BasicPublish,
    BasicReturn,
    ChannelClose,
    ChannelCloseOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    QueueBind,
    QueueBindOk,
    QueueDelete,
    QueueDeleteOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import PREFIX, Properties
from amqpd.wire.spec import FRAME_HEADER
from amqpd.wire.writer import method_frame
from tests.amqp.pair import Pair, new_broker
from tests.fakes import Permissive


@pytest.fixture
def pair() -> Pair:
    """A connection with channel 1 and a queue `q`."""
    pair = Pair(settings=ConnectionSettings(max_message_size=100))
    pair.channel()
    pair.queue("q")
    return pair


def objection(pair: Pair) -> tuple[int, str]:
    """The channel.close that was sent; the channel is open again afterwards."""
    close = pair.expect(1, ChannelClose)
    assert (close.failing_class_id, close.failing_method_id) == (60, 40)
    pair.send(1, ChannelCloseOk())
    pair.channel(1)
    return close.reply_code, close.reply_text


def got(pair: Pair, queue: str = "q") -> bytes | None:
    """The body of the next message there."""
    pair.send(1, BasicGet(queue=queue, no_ack=True))
    (command,) = pair.received()
    return None if isinstance(command.method, BasicGetEmpty) else command.body


# --- what is checked


@pytest.mark.parametrize(
    ("expiration", "reason"),
    [
        ("abc", "no_integer"),
        ("", "no_integer"),
        ("-", "no_integer"),
        (" 1", "no_integer"),
        ("10ms", '{leftover_string,"ms"}'),
        ("1.5", '{leftover_string,".5"}'),
        ("-1", "{value_negative,-1}"),
        (str(MAX_DURATION + 1), f"{{value_too_large,{MAX_DURATION + 1}}}"),
    ],
)
def test_an_expiration_that_is_no_number_of_milliseconds_is_refused(expiration: str, reason: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_expiration(expiration)
    assert caught.value.explanation == f"invalid expiration '{expiration}': {reason}"


@pytest.mark.parametrize(
    ("expiration", "value"), [("0", 0), ("60000", 60000), ("+5", 5), (str(MAX_DURATION), MAX_DURATION)]
)
def test_an_expiration_is_a_number_of_milliseconds(expiration: str, value: int) -> None:
    assert check_expiration(expiration) == value


def test_a_body_over_the_limit_is_refused(pair: Pair) -> None:
    pair.publish(1, "", "q", bytes(100))
    pair.publish(1, "", "q", bytes(101))
    assert objection(pair) == (406, "PRECONDITION_FAILED - message size 101 is larger than configured max size 100")
    assert got(pair) == bytes(100)
    assert got(pair) is None


def test_a_body_over_the_limit_is_refused_before_it_has_come(pair: Pair) -> None:
    pair.write(method_frame(1, BasicPublish(routing_key="q")))
    header = PREFIX.pack(60, 0, 1 << 40) + b"\x00\x00"
    pair.write(bytes((FRAME_HEADER,)) + b"\x00\x01" + len(header).to_bytes(4, "big") + header + b"\xce")
    assert pair.expect(1, ChannelClose).reply_text == (
        f"PRECONDITION_FAILED - message size {1 << 40} is larger than configured max size 100"
    )


def test_an_exchange_that_is_not_there_is_not_found(pair: Pair) -> None:
    pair.publish(1, "nope", "q")
    assert objection(pair) == (404, "NOT_FOUND - no exchange 'nope' in vhost '/'")


def test_an_internal_exchange_cannot_be_published_to(pair: Pair) -> None:
    pair.publish(1, "amq.rabbitmq.trace", "q")
    assert objection(pair) == (
        403,
        "ACCESS_REFUSED - cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'",
    )


def test_an_expiration_is_checked(pair: Pair) -> None:
    pair.publish(1, "", "q", b"", Properties(expiration="10ms"))
    assert objection(pair) == (406, "PRECONDITION_FAILED - invalid expiration '10ms': {leftover_string,\"ms\"}")
    pair.publish(1, "", "q", b"body", Properties(expiration="10"))
    assert got(pair) == b"body"


def test_a_user_publishes_in_its_own_name(pair: Pair) -> None:
    pair.publish(1, "", "q", b"mine", Properties(user_id="guest"))
    assert got(pair) == b"mine"
    pair.publish(1, "", "q", b"", Properties(user_id="bob"))
    assert objection(pair) == (
        406,
        "PRECONDITION_FAILED - user_id property set to 'bob' but authenticated user was 'guest'",
    )


def test_an_impersonator_may_publish_in_another_name(pair: Pair) -> None:
    user = pair.connection.user
    assert user is not None
    pair.connection.user = replace(user, tags=frozenset({"impersonator"}))
    pair.channel(2)
    pair.publish(2, "", "q", b"theirs", Properties(user_id="bob"))
    assert got(pair) == b"theirs"


def test_a_malformed_header_is_an_error_of_the_connection(pair: Pair) -> None:
    header = PREFIX.pack(60, 0, 0) + b"\x80\x00\x05a"
    pair.write(
        method_frame(1, BasicPublish(routing_key="q"))
        + bytes((FRAME_HEADER,))
        + b"\x00\x01"
        + len(header).to_bytes(4, "big")
        + header
        + b"\xce"
    )
    assert pair.expect(0, ConnectionClose).reply_code == 502


def test_the_first_of_several_faults_is_named_in_rabbitmqs_order(pair: Pair) -> None:
    bad = Properties(expiration="abc", user_id="bob")
    pair.publish(1, "nope", "q", bytes(101), bad)
    assert "message size 101" in objection(pair)[1]
    pair.publish(1, "nope", "q", b"", bad)
    assert "no exchange 'nope'" in objection(pair)[1]
    pair.publish(1, "amq.rabbitmq.trace", "q", b"", bad)
    assert "internal exchange" in objection(pair)[1]
    pair.publish(1, "", "q", b"", bad)
    assert "invalid expiration" in objection(pair)[1]


class Strict(Permissive):
    """Permits all but writing to one exchange, and counts the questions."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange
        self.asked: list[tuple[Action, str]] = []

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> bool:
        self.asked.append((action, name))
        return (action, name) != (Action.WRITE, self.exchange)


@pytest.mark.parametrize(("exchange", "name"), [("", "amq.default"), ("amq.direct", "amq.direct"), ("nope", "nope")])
def test_permission_to_write_is_asked_for_even_before_the_exchange_is_looked_for(exchange: str, name: str) -> None:
    pair = Pair(authorizer=Strict(name))
    pair.channel()
    pair.publish(1, exchange, "q")
    assert objection(pair) == (
        403,
        f"ACCESS_REFUSED - write access to exchange '{name}' in vhost '/' refused for user 'guest'",
    )


def test_permission_is_asked_for_once() -> None:
    authorizer = Strict("nothing")
    pair = Pair(authorizer=authorizer)
    pair.channel()
    for key in ("a", "b", "a", "b"):
        pair.publish(1, "amq.direct", key)
        pair.queue(f"q{len(authorizer.asked)}")
    assert authorizer.asked.count((Action.WRITE, "amq.direct")) == 1


# --- what is remembered


def test_the_same_publish_again_goes_where_things_lead_now(pair: Pair) -> None:
    def publish_and_look() -> list[bytes | None]:
        pair.publish(1, "x", "k", b"body")
        return [got(pair, queue) for queue in ("q", "p")]

    pair.call(1, ExchangeDeclare(exchange="x", type="direct"), ExchangeDeclareOk)
    pair.queue("p")
    assert publish_and_look() == [None, None]
    pair.call(1, QueueBind(queue="q", exchange="x", routing_key="k"), QueueBindOk)
    assert publish_and_look() == [b"body", None]
    assert publish_and_look() == [b"body", None]
    pair.call(1, QueueBind(queue="p", exchange="x", routing_key="k"), QueueBindOk)
    assert publish_and_look() == [b"body", b"body"]
    pair.call(1, QueueDelete(queue="q"), QueueDeleteOk)
    pair.queue("q")
    assert publish_and_look() == [None, b"body"]
    pair.call(1, ExchangeDelete(exchange="x"), ExchangeDeleteOk)
    pair.publish(1, "x", "k", b"body")
    assert objection(pair)[0] == 404


def test_an_exchange_of_another_type_under_the_old_name_is_noticed(pair: Pair) -> None:
    pair.call(1, ExchangeDeclare(exchange="x", type="direct"), ExchangeDeclareOk)
    pair.publish(1, "x", "k", b"lost")
    pair.call(1, ExchangeDelete(exchange="x"), ExchangeDeleteOk)
    pair.call(1, ExchangeDeclare(exchange="x", type="fanout"), ExchangeDeclareOk)
    pair.call(1, QueueBind(queue="q", exchange="x"), QueueBindOk)
    pair.publish(1, "x", "k", b"body")
    assert got(pair) == b"body"


def test_the_same_publish_with_other_headers_is_routed_by_them(pair: Pair) -> None:
    pair.call(1, QueueBind(queue="q", exchange="amq.headers", arguments={"a": 1}), QueueBindOk)
    for value in (1, 2, 1, None):
        pair.publish(1, "amq.headers", "k", str(value).encode(), Properties(headers={"a": value}))
    assert [got(pair) for _ in range(3)] == [b"1", b"1", None]


def test_the_same_publish_with_other_properties_is_checked_again(pair: Pair) -> None:
    pair.publish(1, "", "q", b"a", Properties(delivery_mode=2))
    pair.publish(1, "", "q", b"b", Properties(delivery_mode=1))
    pair.publish(1, "", "q", b"c", Properties(delivery_mode=2))
    ready = pair.broker.vhosts["/"].queue("q", None).ready
    assert [entry.message.persistent for entry in ready] == [True, False, True]
    for _ in range(2):
        pair.publish(1, "", "q", b"", Properties(user_id="bob"))
        assert objection(pair)[0] == 406


def test_the_same_publish_that_was_refused_is_refused_again(pair: Pair) -> None:
    for _ in range(2):
        pair.publish(1, "nope", "q")
        assert objection(pair)[0] == 404


def test_a_mandatory_publish_is_not_taken_for_one_that_is_not(pair: Pair) -> None:
    pair.publish(1, "", "nowhere", b"lost")
    pair.publish(1, "", "nowhere", b"back", mandatory=True)
    pair.publish(1, "", "nowhere", b"lost")
    assert pair.expect_command(1, BasicReturn).body == b"back"
    assert pair.silent()


# --- what comes back


def test_an_unroutable_message_comes_back_whole_when_that_is_wanted(pair: Pair) -> None:
    properties = Properties(message_id="m", headers={"a": 1})
    pair.publish(1, "amq.direct", "nowhere", b"body", properties, mandatory=True)
    command = pair.expect_command(1, BasicReturn)
    assert command.method == BasicReturn(312, "NO_ROUTE", "amq.direct", "nowhere")
    assert (command.properties, command.body) == (properties, b"body")


def test_a_routable_mandatory_message_does_not(pair: Pair) -> None:
    pair.publish(1, "", "q", b"body", mandatory=True)
    assert pair.silent()


def test_an_alternate_exchange_satisfies_mandatory(pair: Pair) -> None:
    pair.call(1, ExchangeDeclare(exchange="x", arguments={"alternate-exchange": "amq.fanout"}), ExchangeDeclareOk)
    pair.call(1, QueueBind(queue="q", exchange="amq.fanout"), QueueBindOk)
    pair.publish(1, "x", "k", b"body", mandatory=True)
    assert pair.silent()
    assert got(pair) == b"body"


def test_a_message_goes_through_as_it_came(pair: Pair) -> None:
    properties = Properties(
        content_type="a/b", headers={"x": [1, {"y": None}], "b": b"\x00"}, priority=5, correlation_id="c", app_id="é"
    )
    pair.publish(1, "", "q", b"\x00\xffbody", properties)
    pair.send(1, BasicGet(queue="q"))
    command = pair.expect_command(1, BasicGetOk)
    assert (command.properties, command.body) == (properties, b"\x00\xffbody")


# --- modes


def test_confirm_mode_and_transactions_exclude_each_other() -> None:
    pair = Pair()
    pair.channel()
    pair.call(1, TxSelect(), TxSelectOk)
    pair.send(1, ConfirmSelect())
    assert pair.expect(1, ChannelClose).reply_text == ("PRECONDITION_FAILED - cannot switch from tx to confirm mode")
    pair.send(1, ChannelCloseOk())
    pair.channel()
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)
    pair.send(1, TxSelect())
    assert pair.expect(1, ChannelClose).reply_text == ("PRECONDITION_FAILED - cannot switch from confirm to tx mode")


def test_a_mode_may_be_selected_twice_and_without_an_answer() -> None:
    pair = Pair()
    pair.channel()
    pair.send(1, ConfirmSelect(nowait=True))
    assert pair.silent()
    pair.call(1, ConfirmSelect(), ConfirmSelectOk)


def test_a_publish_reaches_consumers_of_other_connections() -> None:
    broker = new_broker()
    publisher, consumer = Pair(broker), Pair(broker)
    for each in (publisher, consumer):
        each.channel()
    consumer.queue("q")
    consumer.consume("q", no_ack=True)
    publisher.publish(1, "", "q", b"body")
    (command,) = consumer.received()
    assert command.body == b"body"
