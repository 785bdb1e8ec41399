"""An open connection: its table of channels, its errors, and how it ends."""

from __future__ import annotations

import pytest

from amqpd.amqp.connection import CLOSE_TIMEOUT, SILENT_DELAY, ConnectionSettings
from amqpd.wire.methods import (
    METHODS,
    BasicGet,
    BasicGetOk,
    BasicPublish,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionTuneOk,
    ConnectionUpdateSecret,
    ConnectionUpdateSecretOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.spec import FRAME_BODY, FRAME_METHOD, HEARTBEAT_FRAME, ReplyCode
from amqpd.wire.writer import method_frame
from tests.amqp.pair import Pair, new_broker
from tests.fakes import LOCAL


@pytest.fixture
def pair() -> Pair:
    return Pair()


def closed_for(pair: Pair) -> tuple[int, str, int, int]:
    """The connection.close that was sent: code, text, and the method at fault."""
    close = pair.expect(0, ConnectionClose)
    return close.reply_code, close.reply_text, close.failing_class_id, close.failing_method_id


def channel_closed_for(pair: Pair, channel: int = 1) -> tuple[int, str, int, int]:
    close = pair.expect(channel, ChannelClose)
    return close.reply_code, close.reply_text, close.failing_class_id, close.failing_method_id


MISSING = QueueDeclare(queue="nope", passive=True)
"""A method that is objected to, with an error of its channel."""
NOT_FOUND = (404, "NOT_FOUND - no queue 'nope' in vhost '/'", 50, 10)

IMPOSSIBLE = BasicPublish(immediate=True)
"""A publish that is objected to, with an error of the connection."""


# --- channels


def test_a_channel_is_opened_used_and_closed(pair: Pair) -> None:
    pair.channel(7)
    pair.queue("q", channel=7)
    pair.call(7, ChannelClose(200, "bye"), ChannelCloseOk)
    assert pair.connection.channels == {}


def test_channels_may_have_any_number(pair: Pair) -> None:
    for number in (1, 65535, 300):
        pair.channel(number)
        pair.call(number, QueueDeclare(queue=f"q{number}"), QueueDeclareOk)


def test_as_many_channels_as_negotiated_may_be_open_whatever_their_numbers() -> None:
    pair = Pair(settings=ConnectionSettings(channel_max=2))
    pair.channel(65535)
    pair.channel(65534)
    pair.call(65535, ChannelClose(), ChannelCloseOk)
    pair.channel(5)
    pair.send(6, ChannelOpen())
    assert closed_for(pair) == (
        530,
        "NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)",
        0,
        0,
    )


def test_channels_are_limited_over_all_connections() -> None:
    broker = new_broker()
    settings = ConnectionSettings(channels_per_node=2)
    one, other = Pair(broker, settings=settings), Pair(broker, settings=settings)
    one.channel(1)
    other.channel(1)
    other.call(1, ChannelClose(200, "", 0, 0), ChannelCloseOk)
    other.channel(2)
    other.send(3, ChannelOpen())
    assert closed_for(other) == (
        530,
        f"NOT_ALLOWED - number of channels opened on node '{broker.node}' has reached the maximum allowed limit of 2",
        0,
        0,
    )
    one.channel(2)  # those of a connection that is gone do not count


def test_without_a_limit_any_number_of_channels_may_be_open() -> None:
    pair = Pair(settings=ConnectionSettings(channel_max=0))
    for number in range(1, 3000):
        pair.send(number, ChannelOpen())
    assert len(pair.received()) == 2999


def test_a_channel_that_is_not_open_is_an_error_of_the_connection(pair: Pair) -> None:
    pair.send(3, QueueDeclare(queue="q"))
    assert closed_for(pair) == (504, "CHANNEL_ERROR - expected 'channel.open'", 50, 10)


def test_a_publish_on_a_channel_that_is_not_open_is_too(pair: Pair) -> None:
    pair.publish(3, "", "q")
    assert closed_for(pair) == (504, "CHANNEL_ERROR - expected 'channel.open'", 60, 40)


def test_opening_a_channel_twice_is_too(pair: Pair) -> None:
    pair.channel()
    pair.send(1, ChannelOpen())
    assert closed_for(pair) == (504, "CHANNEL_ERROR - second 'channel.open' seen", 20, 10)


def test_closing_a_channel_twice_is_too(pair: Pair) -> None:
    pair.channel()
    pair.call(1, ChannelClose(), ChannelCloseOk)
    pair.send(1, ChannelClose())
    assert closed_for(pair)[0] == 504


def test_a_closed_channel_can_be_opened_again(pair: Pair) -> None:
    for _ in range(3):
        pair.channel()
        pair.call(1, ChannelClose(), ChannelCloseOk)


# --- errors of a channel


def test_a_soft_error_closes_its_channel_and_names_the_method(pair: Pair) -> None:
    pair.channel(1)
    pair.channel(2)
    pair.send(1, MISSING)
    assert channel_closed_for(pair) == NOT_FOUND
    pair.call(2, QueueDeclare(queue="q"), QueueDeclareOk)


def test_a_closed_channel_hears_nothing_until_the_client_agrees(pair: Pair) -> None:
    pair.channel()
    pair.send(1, MISSING)
    pair.expect(1, ChannelClose)
    pair.send(1, QueueDeclare(queue="unheard"), MISSING, TxSelect())
    pair.publish(1, "", "unheard", b"body")
    assert pair.silent()
    assert "unheard" not in pair.broker.vhosts["/"].queues
    pair.send(1, ChannelCloseOk())
    pair.channel(1)
    pair.call(1, QueueDeclare(queue="heard"), QueueDeclareOk)


def test_what_came_with_the_faulty_method_is_not_heard_either(pair: Pair) -> None:
    pair.channel()
    pair.send(1, MISSING, QueueDeclare(queue="unheard"))
    pair.expect(1, ChannelClose)
    assert pair.silent()


def test_closes_that_cross_are_both_answered(pair: Pair) -> None:
    pair.channel()
    pair.send(1, MISSING)
    pair.expect(1, ChannelClose)
    pair.call(1, ChannelClose(200, "bye"), ChannelCloseOk)
    pair.send(1, ChannelCloseOk())
    pair.channel(1)


def test_after_crossing_closes_the_channel_may_be_opened_even_before_our_close_is_answered(pair: Pair) -> None:
    pair.channel()
    pair.send(1, MISSING)
    pair.expect(1, ChannelClose)
    pair.call(1, ChannelClose(200, "bye"), ChannelCloseOk)
    pair.channel(1)


def test_opening_a_channel_before_agreeing_to_its_close_is_an_error(pair: Pair) -> None:
    pair.channel()
    pair.send(1, MISSING)
    pair.expect(1, ChannelClose)
    pair.send(1, ChannelOpen())
    assert closed_for(pair) == (504, "CHANNEL_ERROR - second 'channel.open' seen", 20, 10)


def test_a_channel_that_is_closing_counts_as_open() -> None:
    pair = Pair(settings=ConnectionSettings(channel_max=1))
    pair.channel(1)
    pair.send(1, MISSING)
    pair.expect(1, ChannelClose)
    pair.send(2, ChannelOpen())
    assert closed_for(pair)[0] == 530


def test_channel_errors_are_logged(pair: Pair) -> None:
    pair.channel()
    pair.send(1, MISSING)
    level, text, fields = pair.log.lines[-1]
    assert (level, text) == ("error", "channel error")
    assert (fields["channel"], fields["text"]) == (1, NOT_FOUND[1])


# --- errors of the connection


def test_a_hard_error_closes_the_connection_and_names_the_method(pair: Pair) -> None:
    pair.channel()
    pair.send(1, IMPOSSIBLE)
    assert pair.silent(), "a publish is not there before its content"
    pair.write(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c" + bytes(12) + b"\xce")
    assert closed_for(pair) == (540, "NOT_IMPLEMENTED - immediate=true", 60, 40)
    assert not pair.closed
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


def test_after_a_hard_error_nothing_is_heard_but_the_close_dance(pair: Pair) -> None:
    pair.channel()
    pair.send(3, TxSelect())
    pair.expect(0, ConnectionClose)
    pair.send(1, QueueDeclare(queue="unheard"), TxSelect())
    pair.send(2, ChannelOpen())
    pair.send(3, TxSelect())
    pair.publish(1, "", "q", b"body")
    pair.send(0, ConnectionUpdateSecret(), ConnectionOpen())
    pair.write(HEARTBEAT_FRAME)
    assert pair.silent()
    pair.send(0, ConnectionCloseOk())
    assert pair.closed
    assert pair.silent()


@pytest.mark.parametrize(
    "nonsense",
    [
        bytes.fromhex("01 0000 00000004 00630001 ce"),
        bytes.fromhex("01 0000 00000005 000a0032 00 ce"),
        bytes.fromhex("01 0001 00000004 00630001 ce"),
        bytes.fromhex("01 0001 00000005 0032000a 00 ce"),
    ],
    ids=["unknown method", "cut arguments", "unknown method on a channel", "cut arguments on a channel"],
)
def test_the_connection_is_closed_once_whatever_comes_after(pair: Pair, nonsense: bytes) -> None:
    pair.channel()
    pair.send(3, TxSelect())
    pair.expect(0, ConnectionClose)
    pair.write(nonsense)
    assert pair.silent()
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


@pytest.mark.parametrize("nonsense", [bytes.fromhex("01 0001 00000004 00630001 ce")], ids=["unknown method"])
def test_nonsense_on_a_channel_that_is_closing_is_an_error_of_the_connection(pair: Pair, nonsense: bytes) -> None:
    pair.channel()
    pair.send(1, MISSING)
    pair.expect(1, ChannelClose)
    pair.write(nonsense)
    assert [type(method) for method in pair.methods()] in ([ConnectionClose], [])


def test_closes_of_the_connection_that_cross_are_both_answered(pair: Pair) -> None:
    pair.send(3, TxSelect())
    pair.expect(0, ConnectionClose)
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)
    assert not pair.closed
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


def test_a_client_that_does_not_answer_is_not_waited_for_forever(pair: Pair) -> None:
    pair.send(3, TxSelect())
    pair.expect(0, ConnectionClose)
    pair.advance(CLOSE_TIMEOUT - 0.01)
    assert not pair.closed
    pair.advance(0.01)
    assert pair.closed


def test_an_unknown_method_is_not_implemented(pair: Pair) -> None:
    pair.channel()
    pair.write(bytes.fromhex("01 0001 00000004 00630001 ce"))
    assert closed_for(pair) == (540, "NOT_IMPLEMENTED - unknown method, class 99 method 1", 99, 1)


def test_arguments_that_cannot_be_decoded_are_a_frame_error(pair: Pair) -> None:
    pair.channel()
    pair.write(bytes.fromhex("01 0001 00000005 0032000a 00 ce"))
    assert closed_for(pair) == (501, "FRAME_ERROR - cannot decode <<0>>", 50, 10)


def test_a_malformed_table_is_a_syntax_error(pair: Pair) -> None:
    pair.channel()
    payload = bytes.fromhex("0032000a 0000 0171 00 00000003 01615a")
    pair.write(b"\x01\x00\x01" + len(payload).to_bytes(4, "big") + payload + b"\xce")
    assert closed_for(pair) == (502, "SYNTAX_ERROR - unknown field type 90", 50, 10)


def test_what_a_client_cannot_say_is_an_invalid_command(pair: Pair) -> None:
    """All methods of channels, but for those in the table of handlers."""
    from amqpd.amqp.channel import HANDLERS

    for cls in METHODS.values():
        if cls.class_id == 10 or cls in HANDLERS or cls.has_content or cls is ChannelCloseOk:
            continue
        pair = Pair()
        pair.channel()
        pair.send(1, cls())
        assert closed_for(pair) == (503, "COMMAND_INVALID - unimplemented method", cls.class_id, cls.method_id), cls


def test_a_method_of_a_connection_out_of_place_is_a_channel_error() -> None:
    expected = {"connection.close", "connection.close-ok", "connection.update-secret"}
    for cls in METHODS.values():
        if cls.class_id != 10 or cls.name in expected:
            continue
        pair = Pair()
        pair.send(0, cls())
        text = "CHANNEL_ERROR - unexpected method in connection state running"
        assert closed_for(pair) == (504, text, cls.class_id, cls.method_id)


def test_a_channels_method_on_channel_0_is_a_channel_error(pair: Pair) -> None:
    pair.send(0, QueueDelete(queue="q"))
    assert closed_for(pair)[0] == 504


def test_a_new_secret_is_taken(pair: Pair) -> None:
    pair.call(0, ConnectionUpdateSecret(b"secret", "expiry"), ConnectionUpdateSecretOk)


def test_connection_errors_are_logged(pair: Pair) -> None:
    pair.send(3, TxSelect())
    assert pair.log.texts("error") == ["connection error"]
    assert pair.log.lines[-1][2]["text"] == "CHANNEL_ERROR - expected 'channel.open'"


# --- broken framing


BROKEN = method_frame(1, TxSelect())[:-1] + b"\x00"


def test_broken_framing_is_told_and_then_nothing_is_heard(pair: Pair) -> None:
    pair.channel()
    pair.write(BROKEN + method_frame(0, ConnectionCloseOk()))
    assert closed_for(pair) == (
        501,
        "FRAME_ERROR - type 1, all octets = <<0,90,0,10>>: {invalid_frame_end_marker,0}",
        0,
        0,
    )
    pair.send(0, ConnectionCloseOk())
    pair.send(1, TxSelect())
    assert pair.silent()
    assert not pair.closed
    pair.advance(SILENT_DELAY - 0.01)
    assert not pair.closed
    pair.advance(0.01)
    assert pair.closed


def test_commands_before_the_break_are_done(pair: Pair) -> None:
    pair.channel()
    pair.write(method_frame(1, TxSelect()) + BROKEN)
    pair.expect(1, TxSelectOk)
    pair.expect(0, ConnectionClose)


def test_content_out_of_order_names_the_publish(pair: Pair) -> None:
    pair.channel()
    pair.send(1, BasicPublish())
    pair.write(bytes((FRAME_BODY,)) + b"\x00\x01\x00\x00\x00\x02hi\xce")
    assert closed_for(pair) == (
        505,
        "UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead",
        60,
        40,
    )


def test_framing_that_breaks_while_the_connection_closes_says_nothing_more(pair: Pair) -> None:
    pair.send(3, TxSelect())
    pair.expect(0, ConnectionClose)
    pair.write(BROKEN)
    assert pair.silent()
    pair.advance(SILENT_DELAY)
    assert pair.closed


# --- the end


def test_a_client_that_closes_gets_its_answer_and_the_end(pair: Pair) -> None:
    pair.channel()
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)
    assert pair.closed
    pair.send(1, TxSelect())
    assert pair.silent()


def test_a_lost_connection_is_closed_and_logged(pair: Pair) -> None:
    pair.connection.receive_eof()
    assert pair.closed
    assert pair.log.texts("warning") == ["connection lost"]
    pair.connection.receive_eof()
    assert len(pair.log.texts("warning")) == 1


def test_the_end_of_a_socket_after_a_close_is_no_loss(pair: Pair) -> None:
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)
    pair.connection.receive_eof()
    assert pair.log.texts("warning") == []


def test_the_end_of_a_socket_in_the_handshake_is_no_loss() -> None:
    pair = Pair(handshake=False)
    pair.connection.receive_eof()
    assert pair.closed
    assert pair.log.texts("warning") == []


def lose(pair: Pair) -> None:
    pair.connection.receive_eof()


def leave(pair: Pair) -> None:
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)


def fail(pair: Pair) -> None:
    pair.send(9, TxSelect())
    pair.expect(0, ConnectionClose)


def break_off(pair: Pair) -> None:
    pair.write(bytes((FRAME_METHOD,)) + b"\x00\x01\xff\xff\xff\xff\x00")
    pair.expect(0, ConnectionClose)


@pytest.mark.parametrize("end", [lose, leave, fail, break_off], ids=lambda end: end.__name__)
def test_however_it_ends_nothing_of_it_stays(end: type, pair: Pair) -> None:
    broker = pair.broker
    vhost = broker.vhosts["/"]
    other = Pair(broker)
    other.channel()
    other.queue("shared")
    pair.channel()
    pair.queue("mine", exclusive=True)
    pair.queue("abandoned", auto_delete=True)
    pair.consume("abandoned", tag="auto")
    pair.consume("shared", prefetch=1)
    for body in (b"a", b"b"):
        other.publish(1, "", "shared", body)
    pair.received()
    end(pair)
    queue = vhost.queue("shared", None)
    assert set(vhost.queues) == {"shared"}
    assert (queue.consumers, queue.unacked, queue.message_count) == ([], 0, 2)
    assert [entry.redelivered for entry in queue.ready] == [True, False]
    assert pair.connection.channels == {}
    assert broker.alarms._listeners == {other.connection._alarms_changed}


@pytest.mark.parametrize("end", [lose, leave, fail, break_off], ids=lambda end: end.__name__)
def test_what_one_of_its_channels_held_does_not_go_to_another_on_the_way(end: type, pair: Pair) -> None:
    other = Pair(pair.broker)
    other.channel()
    pair.channel(1)
    pair.channel(2)
    pair.queue("q")
    other.publish(1, "", "q", b"kept")
    pair.send(1, BasicGet(queue="q"))
    pair.expect(1, BasicGetOk)
    pair.consume("q", 2, no_ack=True)
    end(pair)
    assert pair.silent()
    assert pair.broker.vhosts["/"].queue("q", None).message_count == 1


def test_exclusive_queues_are_gone_before_close_ok() -> None:
    broker = new_broker()
    pair, other = Pair(broker), Pair(broker)
    pair.channel()
    other.channel()
    pair.queue("mine", exclusive=True)
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)
    other.queue("mine", exclusive=True)


def test_the_broker_may_close_a_connection(pair: Pair) -> None:
    pair.channel()
    pair.connection.close(ReplyCode.CONNECTION_FORCED, "broker forced connection closure with reason 'shutdown'")
    assert closed_for(pair) == (
        320,
        "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
        0,
        0,
    )
    assert not pair.closed
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


def test_the_broker_closes_a_connection_once(pair: Pair) -> None:
    for _ in range(3):
        pair.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert [type(method) for method in pair.methods()] == [ConnectionClose]
    pair.send(0, ConnectionCloseOk())
    pair.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert pair.silent()


def test_a_connection_in_the_handshake_is_closed_without_a_word() -> None:
    pair = Pair(handshake=False)
    pair.log_in()
    pair.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert pair.closed
    assert pair.silent()


# --- waking the driver


def test_the_driver_is_woken_once_until_it_fetches() -> None:
    broker = new_broker()
    publisher, consumer = Pair(broker), Pair(broker)
    for pair in (publisher, consumer):
        pair.channel()
    publisher.queue("q")
    consumer.consume("q", no_ack=True)
    before = consumer.wakes
    for _ in range(5):
        publisher.publish(1, "", "q", b"body")
    assert consumer.wakes == before + 1
    assert len(consumer.received()) == 5
    publisher.publish(1, "", "q", b"body")
    assert consumer.wakes == before + 2


def test_the_driver_is_woken_when_a_connection_is_closed_from_inside(pair: Pair) -> None:
    before = pair.wakes
    pair.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert pair.wakes == before + 1


def test_a_channel_that_opens_is_answered(pair: Pair) -> None:
    assert pair.call(5, ChannelOpen(), ChannelOpenOk) == ChannelOpenOk()


def test_an_open_connection_is_known_to_the_broker_until_it_closes() -> None:
    pair = Pair()
    [known] = pair.broker.connections.open
    assert (known.name, known.username, known.vhost_name) == (str(LOCAL), "guest", "/")
    pair.call(0, ConnectionClose(200, "bye"), ConnectionCloseOk)
    assert not pair.broker.connections.open


def test_those_in_a_deleted_vhost_are_sent_away_and_nobody_else() -> None:
    broker = new_broker()
    broker.add_vhost("other")
    here, there = Pair(broker), Pair(broker, handshake=False)
    there.log_in()
    there.send(0, ConnectionTuneOk(2047, 131072, 0), ConnectionOpen("other"))
    there.expect(0, ConnectionOpenOk)
    there.channel()
    there.queue(exclusive=True)
    there.consume()
    broker.delete_vhost("other")
    close = there.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (320, "CONNECTION_FORCED - vhost 'other' is deleted")
    there.send(0, ConnectionCloseOk())
    assert there.closed
    here.channel()
    here.queue()
