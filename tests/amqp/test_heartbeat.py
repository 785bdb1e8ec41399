"""Heartbeats: one goes out when nothing else did for half the interval; two silent intervals are the end."""

from __future__ import annotations

import pytest

from amqpd.amqp.heartbeat import Heartbeat
from amqpd.wire.methods import ChannelOpen, ChannelOpenOk, QueueDeclare
from amqpd.wire.spec import HEARTBEAT_FRAME
from tests.amqp.pair import Pair


def test_it_is_looked_at_every_half_interval() -> None:
    heartbeat = Heartbeat(10, now=100.0)
    assert heartbeat.due == 105.0
    heartbeat.check(105.0, watching=True)
    assert heartbeat.due == 110.0


def test_one_is_sent_when_nothing_was() -> None:
    heartbeat = Heartbeat(10, now=0.0)
    assert heartbeat.check(5.0, watching=True)[0] is True
    heartbeat.sent = True
    assert heartbeat.check(10.0, watching=True)[0] is False
    assert heartbeat.check(15.0, watching=True)[0] is True


def death(received_at: list[float], interval: int = 10, watching: bool = True) -> float:
    """The moment at which a peer that was heard at these moments is given up."""
    heartbeat = Heartbeat(interval, now=0.0)
    waiting = sorted(received_at)
    while heartbeat.due < 1000:
        now = heartbeat.due
        while waiting and waiting[0] <= now:
            heartbeat.received = True
            waiting.pop(0)
        if heartbeat.check(now, watching)[1]:
            return now
    return float("inf")


@pytest.mark.parametrize("last", [0.0, 0.1, 4.9, 5.1, 9.9, 10.1, 14.9, 19.9, 33.3, 57.0])
def test_a_peer_is_given_up_between_two_and_three_intervals_after_it_was_heard_last(last: float) -> None:
    heard = [float(second) for second in range(1, int(last))] + [last]
    assert last + 20 <= death(heard) <= last + 30


def test_a_peer_that_is_not_being_read_is_not_given_up() -> None:
    assert death([], watching=False) == float("inf")


# --- in a connection


def test_an_idle_connection_sends_one_every_half_interval() -> None:
    pair = Pair(heartbeat=10)
    sent = []
    for _ in range(8):
        pair.advance(2.5)
        sent.append(len(pair.received()))
        pair.write(HEARTBEAT_FRAME)
    # in the first half interval connection.open-ok went out
    assert sent == [0, 0, 0, 1, 0, 1, 0, 1]
    assert not pair.closed


def test_other_frames_put_it_off() -> None:
    pair = Pair(heartbeat=10)
    for number in range(1, 20):
        pair.advance(4)
        assert pair.methods() == []
        pair.call(number, ChannelOpen(), ChannelOpenOk)


def test_without_heartbeats_nothing_is_sent_and_nobody_is_given_up() -> None:
    pair = Pair(heartbeat=0)
    assert pair.connection.deadline() is None
    pair.advance(100_000)
    assert pair.silent()
    assert not pair.closed


def test_a_silent_client_is_dropped_between_two_and_three_intervals_without_a_word() -> None:
    pair = Pair(heartbeat=10)
    pair.advance(19.9)
    assert not pair.closed
    pair.received()
    sent = len(pair.sent)
    pair.advance(10.1)
    assert pair.closed
    assert set(pair.sent[sent:]) <= set(HEARTBEAT_FRAME)
    assert pair.log.texts("warning") == ["missed heartbeats from client"]


def test_any_byte_is_a_sign_of_life() -> None:
    pair = Pair(heartbeat=10)
    for octet in HEARTBEAT_FRAME * 10:
        pair.advance(9)
        pair.write(bytes((octet,)))
    assert not pair.closed


def test_a_dropped_client_leaves_nothing_behind() -> None:
    pair = Pair(heartbeat=10)
    pair.channel()
    pair.queue("mine", exclusive=True)
    pair.advance(30)
    assert pair.closed
    assert pair.broker.vhosts["/"].queues == {}


def test_what_waits_for_a_dead_peer_is_not_sent_any_more() -> None:
    pair = Pair(heartbeat=10)
    pair.channel()
    pair.connection.set_writable(False)
    pair.send(1, QueueDeclare(queue="q"))
    pair.advance(30)
    assert pair.closed
    assert pair.connection.outbox.size == 0


def test_a_client_that_is_not_read_for_an_alarm_is_not_given_up() -> None:
    pair = Pair(heartbeat=10)
    pair.channel()
    pair.broker.alarms.raise_("low on disk")
    pair.publish(1, "", "q")
    assert not pair.connection.reading
    pair.advance(1000)
    assert not pair.closed
    pair.broker.alarms.clear("low on disk")
    pair.advance(19)
    assert not pair.closed
    pair.advance(11)
    assert pair.closed
