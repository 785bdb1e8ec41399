"""Back-pressure: slow peers, a slow disk, and alarms."""

from __future__ import annotations

import pytest

from amqpd.amqp.channel import Channel
from amqpd.amqp.connection import REPLY_LIMIT, ConnectionSettings
from amqpd.broker.broker import Broker
from amqpd.broker.consumer import OUTPUT_LIMIT
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ChannelOpenOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionBlocked,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpenOk,
    ConnectionUnblocked,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.spec import FRAME_END, FRAME_OVERHEAD, ReplyCode
from tests.amqp.pair import PERSISTENT, Pair, new_broker
from tests.fakes import ManualStore

SIZE = 10_000
"""Bytes of a body of which it takes several to fill a limit."""


@pytest.fixture
def store() -> ManualStore:
    return ManualStore()


@pytest.fixture
def publisher(store: ManualStore) -> Pair:
    """A connection with channel 1, a durable queue `d` and a transient one `q`."""
    pair = Pair(new_broker(store), settings=ConnectionSettings(lag_limit=5 * SIZE))
    pair.channel()
    pair.send(1, QueueDeclare(queue="d", durable=True), QueueDeclare(queue="q"))
    store.commit()
    pair.received()
    return pair


@pytest.fixture
def consumer(publisher: Pair) -> Pair:
    pair = Pair(publisher.broker)
    pair.channel()
    return pair


# --- a consumer that does not read


def test_deliveries_to_a_peer_that_does_not_read_are_bounded(publisher: Pair, consumer: Pair) -> None:
    consumer.consume("q", no_ack=True)
    consumer.connection.set_writable(False)
    for _ in range(100):
        publisher.publish(1, "", "q", bytes(SIZE))
    assert consumer.connection.data_to_send() == []
    assert OUTPUT_LIMIT < consumer.connection.outbox.size < OUTPUT_LIMIT + 2 * SIZE
    assert publisher.broker.vhosts["/"].queue("q", None).message_count > 50


def test_they_go_on_when_it_reads_again(publisher: Pair, consumer: Pair) -> None:
    consumer.consume("q", no_ack=True)
    consumer.connection.set_writable(False)
    for number in range(100):
        publisher.publish(1, "", "q", number.to_bytes(2, "big") + bytes(SIZE))
    assert consumer.silent()
    before = consumer.wakes
    consumer.connection.set_writable(True)
    assert consumer.wakes == before + 1
    got: list[int] = []
    for _ in range(100):
        got += [int.from_bytes(command.body[:2], "big") for command in consumer.received()]
        assert consumer.connection.outbox.size < OUTPUT_LIMIT + 2 * SIZE
        if len(got) == 100:
            break
    assert got == list(range(100))


def test_a_backlog_is_handed_out_a_piece_at_a_time(publisher: Pair, consumer: Pair) -> None:
    for _ in range(200):
        publisher.publish(1, "", "q", bytes(SIZE))
    consumer.consume("q", no_ack=True)
    assert consumer.connection.outbox.size < OUTPUT_LIMIT + 2 * SIZE
    assert sum(1 for _ in iter(consumer.received, [])) > 3


def test_what_a_slow_peer_does_not_take_goes_to_others(publisher: Pair, consumer: Pair) -> None:
    consumer.consume("q", no_ack=True, tag="slow")
    consumer.connection.set_writable(False)
    other = Pair(publisher.broker)
    other.channel()
    other.consume("q", no_ack=True, tag="quick")
    got = 0
    for _ in range(200):
        publisher.publish(1, "", "q", bytes(SIZE))
        got += len(other.received())
    assert got > 150
    assert publisher.broker.vhosts["/"].queue("q", None).message_count == 0


def test_consumers_of_all_channels_share_the_way_out(publisher: Pair, consumer: Pair) -> None:
    consumer.channel(2)
    consumer.consume("q", channel=1, no_ack=True)
    consumer.consume("q", channel=2, no_ack=True)
    consumer.connection.set_writable(False)
    for _ in range(200):
        publisher.publish(1, "", "q", bytes(SIZE))
    assert consumer.connection.outbox.size < OUTPUT_LIMIT + 2 * SIZE


def test_deliveries_that_wait_for_the_disk_are_bounded_too(publisher: Pair, consumer: Pair, store: ManualStore) -> None:
    consumer.consume("q", no_ack=True)
    consumer.send(1, QueueDeclare(queue="new", durable=True))
    for _ in range(200):
        publisher.publish(1, "", "q", bytes(SIZE))
        assert consumer.silent()
    channel = consumer.connection.channels[1]
    assert isinstance(channel, Channel)
    assert channel.held_bytes < OUTPUT_LIMIT + 2 * SIZE
    store.commit()
    consumer.expect(1, QueueDeclareOk)
    got = [len(commands) for commands in iter(consumer.received, [])]
    assert sum(got) == 200


def test_a_heartbeat_still_goes_out_between(publisher: Pair) -> None:
    consumer = Pair(publisher.broker, heartbeat=10)
    consumer.channel()
    consumer.consume("q", no_ack=True)
    consumer.connection.set_writable(False)
    for _ in range(100):
        publisher.publish(1, "", "q", bytes(SIZE))
    consumer.advance(15)
    consumer.connection.set_writable(True)
    assert None in consumer.methods()


# --- a client that asks and does not read the answers


def test_a_peer_that_does_not_read_its_answers_is_not_read_either(publisher: Pair) -> None:
    connection = publisher.connection
    connection.set_writable(False)
    asked = 0
    while connection.reading:
        publisher.send(1, BasicGet(queue="q"))
        asked += 1
        assert connection.outbox.size < REPLY_LIMIT + 100
    assert connection.outbox.size >= REPLY_LIMIT
    connection.set_writable(True)
    assert publisher.methods() == [BasicGetEmpty()] * asked
    assert connection.reading


def test_large_answers_count_by_their_size(publisher: Pair) -> None:
    for _ in range(20):
        publisher.publish(1, "", "q", bytes(10 * SIZE))
    publisher.connection.set_writable(False)
    asked = 0
    while publisher.connection.reading:
        publisher.send(1, BasicGet(queue="q", no_ack=True))
        asked += 1
    assert asked == REPLY_LIMIT // (10 * SIZE) + 1
    publisher.connection.set_writable(True)
    assert [type(method) for method in publisher.methods()] == [BasicGetOk] * asked


def test_a_peer_that_reads_is_read(publisher: Pair) -> None:
    assert publisher.connection.reading
    publisher.connection.set_writable(False)
    assert publisher.connection.reading


# --- a disk that is behind


def test_a_publisher_is_not_read_while_the_disk_is_too_far_behind(publisher: Pair, store: ManualStore) -> None:
    for _ in range(5):
        publisher.publish(1, "", "d", bytes(SIZE), PERSISTENT)
        assert publisher.connection.reading
    publisher.publish(1, "", "d", bytes(SIZE), PERSISTENT)
    assert not publisher.connection.reading
    before = publisher.wakes
    store.commit()
    assert publisher.connection.reading
    assert publisher.wakes == before + 1


def test_only_publishers_wait_for_the_disk(publisher: Pair, consumer: Pair, store: ManualStore) -> None:
    for _ in range(6):
        publisher.publish(1, "", "d", bytes(SIZE), PERSISTENT)
    assert not publisher.connection.reading
    consumer.call(1, BasicGet(queue="q"), BasicGetEmpty)
    assert consumer.connection.reading


def test_transient_messages_do_not_make_a_publisher_wait(publisher: Pair) -> None:
    for _ in range(100):
        publisher.publish(1, "", "d", bytes(SIZE))
        publisher.publish(1, "", "q", bytes(SIZE), PERSISTENT)
    assert publisher.connection.reading


def test_a_publisher_that_waits_is_told_what_the_disk_has(publisher: Pair, store: ManualStore) -> None:
    publisher.call(1, ConfirmSelect(), ConfirmSelectOk)
    publisher.write(publisher.session.encode_publish(1, "", "d", bytes(SIZE), PERSISTENT) * 6)
    assert not publisher.connection.reading
    store.commit()
    assert publisher.methods() == [BasicAck(6, True)]
    assert publisher.connection.reading


def test_a_pager_that_is_behind_makes_publishers_wait_too() -> None:
    pager = ManualStore()
    broker = new_broker(pager=pager, memory_limit=0)
    pair = Pair(broker, settings=ConnectionSettings(lag_limit=5 * SIZE))
    pair.channel()
    pair.queue("q")
    while pair.connection.reading:
        pair.publish(1, "", "q", bytes(100 * SIZE))
    assert pager.lag > 5 * SIZE
    pager.commit()
    assert pair.connection.reading


# --- a publisher that is ahead of the consumers


def test_a_publisher_is_hasty_while_its_messages_pile_up_before_consumers(publisher: Pair, consumer: Pair) -> None:
    publisher.publish(1, "", "q", b"nobody is there to take it")
    assert not publisher.connection.hasty
    consumer.consume("q", prefetch=2)
    publisher.publish(1, "", "q", b"taken")
    assert not publisher.connection.hasty
    publisher.publish(1, "", "q", b"left")
    assert publisher.connection.hasty
    assert not consumer.connection.hasty
    publisher.send(1, BasicGet(queue="d"))
    assert not publisher.connection.hasty


def test_a_publisher_keeps_the_pace_of_quick_consumers_when_memory_is_half_used(
    publisher: Pair, consumer: Pair
) -> None:
    memory = publisher.broker.memory
    memory.limit = 100_000
    consumer.consume("q", prefetch=1)
    while publisher.connection.reading and memory.used < 60_000:
        memory.delivered += 1000  # elsewhere
        publisher.clock.advance(0.01)
        publisher.publish(1, "", "q", b"left")
    assert memory.limit // 2 < memory.used < 60_000
    assert not publisher.connection.reading
    publisher.clock.advance(1 / 100_000)
    assert publisher.connection.reading


def test_a_publisher_does_not_wait_for_slow_consumers(publisher: Pair, consumer: Pair) -> None:
    memory = publisher.broker.memory
    memory.limit = 100_000
    consumer.consume("q", prefetch=1)
    while memory.used < 60_000:
        publisher.clock.advance(0.01)
        publisher.publish(1, "", "q", b"left")
        assert publisher.connection.reading


# --- alarms


def test_a_publisher_is_told_and_not_read_while_there_is_an_alarm(publisher: Pair) -> None:
    alarms = publisher.broker.alarms
    alarms.raise_("low on disk")
    assert publisher.silent(), "it has not published yet"
    assert publisher.connection.reading
    publisher.publish(1, "", "q", b"body")
    assert publisher.methods() == [ConnectionBlocked("low on disk")]
    assert not publisher.connection.reading
    before = publisher.wakes
    alarms.clear("low on disk")
    assert publisher.wakes == before + 1
    assert publisher.methods() == [ConnectionUnblocked()]
    assert publisher.connection.reading


def ready(pair: Pair, queue: str = "q") -> int:
    return pair.broker.vhosts["/"].queue(queue, None).message_count


def test_what_was_published_meanwhile_waits_for_the_end_of_the_alarm(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on disk")
    publisher.write(publisher.session.encode_publish(1, "", "q", b"body") * 2)
    publisher.write(
        publisher.session.encode_publish(1, "", "q", b"body") + publisher.session.encode(0, ConnectionOpenOk())
    )
    assert publisher.methods() == [ConnectionBlocked("low on disk")]
    assert ready(publisher) == 0
    publisher.broker.alarms.clear("low on disk")
    assert [type(method) for method in publisher.methods()] == [ConnectionUnblocked, ConnectionClose]
    assert ready(publisher) == 3
    assert publisher.connection.reading


def test_a_message_without_a_body_still_goes_through(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on disk")
    publisher.write(publisher.session.encode_publish(1, "", "q", b"") * 2)
    assert publisher.methods() == [ConnectionBlocked("low on disk")]
    assert ready(publisher) == 1
    publisher.broker.alarms.clear("low on disk")
    publisher.methods()
    assert ready(publisher) == 2


def test_an_alarm_that_comes_again_finds_it_still_held(publisher: Pair) -> None:
    alarms = publisher.broker.alarms
    alarms.raise_("low on disk")
    publisher.publish(1, "", "q", b"body")
    publisher.expect(0, ConnectionBlocked)
    alarms.clear("low on disk")
    alarms.raise_("low on disk")
    publisher.publish(1, "", "q", b"body")
    assert publisher.methods() == [ConnectionUnblocked(), ConnectionBlocked("low on disk")]
    assert ready(publisher) < 2


def test_what_is_held_goes_with_its_connection(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on disk")
    publisher.publish(1, "", "q", b"body")
    publisher.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    publisher.send(0, ConnectionCloseOk())
    publisher.broker.alarms.clear("low on disk")
    assert publisher.closed
    assert ready(publisher) == 0


def test_consumers_do_not_hear_of_alarms(publisher: Pair, consumer: Pair) -> None:
    consumer.consume("q")
    publisher.publish(1, "", "q", b"body")
    consumer.expect(1, BasicDeliver)
    publisher.broker.alarms.raise_("low on disk")
    consumer.send(1, BasicAck(1))
    assert consumer.silent()
    assert consumer.connection.reading


def test_a_publisher_is_told_once(publisher: Pair) -> None:
    alarms = publisher.broker.alarms
    alarms.raise_("low on disk")
    for _ in range(3):
        publisher.publish(1, "", "q", b"body")
    assert publisher.methods() == [ConnectionBlocked("low on disk")]


def test_it_is_unblocked_when_the_last_alarm_is_cleared(publisher: Pair) -> None:
    alarms = publisher.broker.alarms
    alarms.raise_("low on disk")
    alarms.raise_("low on memory")
    publisher.publish(1, "", "q", b"body")
    assert publisher.methods() == [ConnectionBlocked("low on disk & memory")]
    alarms.clear("low on disk")
    assert publisher.silent()
    assert not publisher.connection.reading
    alarms.clear("low on memory")
    assert publisher.methods() == [ConnectionUnblocked()]
    assert publisher.connection.reading


@pytest.mark.parametrize("capabilities", [{}, {"connection.blocked": False}, {"connection.blocked": 1}])
def test_a_client_that_did_not_ask_is_not_told_but_has_to_wait(capabilities: dict[str, object]) -> None:
    pair = Pair(capabilities=capabilities)
    pair.channel()
    pair.queue("q")
    pair.broker.alarms.raise_("low on disk")
    pair.publish(1, "", "q", b"body")
    assert pair.silent()
    assert not pair.connection.reading
    pair.broker.alarms.clear("low on disk")
    assert pair.silent()
    assert pair.connection.reading


def test_an_alarm_that_is_over_is_no_alarm(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on disk")
    publisher.broker.alarms.clear("low on disk")
    publisher.publish(1, "", "q", b"body")
    assert publisher.silent()
    assert publisher.connection.reading


def test_a_blocked_connection_that_is_lost_hears_no_more(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on disk")
    publisher.publish(1, "", "q", b"body")
    publisher.connection.receive_eof()
    publisher.received()
    publisher.broker.alarms.clear("low on disk")
    assert publisher.silent()


def test_a_blocked_publisher_still_gets_its_confirms_and_deliveries(publisher: Pair, consumer: Pair) -> None:
    publisher.call(1, ConfirmSelect(), ConfirmSelectOk)
    publisher.consume("q", no_ack=True)
    publisher.broker.alarms.raise_("low on disk")
    publisher.publish(1, "", "q", b"")
    kinds = {type(method) for method in publisher.methods()}
    assert kinds == {ConnectionBlocked, BasicAck, BasicDeliver}
    consumer.send(1, QueueDeclare(queue="other"))
    publisher.broker.vhosts["/"].delete_queue(publisher.broker.vhosts["/"].queue("q", None))
    publisher.expect(1, BasicCancel)


def test_a_message_that_never_gets_whole_is_a_publish_too(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on memory")
    publisher.write(publisher.session.encode_publish(1, "", "q", bytes(100_000))[:-1])
    assert publisher.methods() == [ConnectionBlocked("low on memory")]
    assert not publisher.connection.reading


def test_a_blocked_connection_that_the_broker_closes_is_read_for_its_farewell(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on disk")
    publisher.publish(1, "", "q", b"body")
    publisher.expect(0, ConnectionBlocked)
    publisher.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    publisher.expect(0, ConnectionClose)
    assert publisher.connection.reading
    publisher.broker.alarms.clear("low on disk")
    assert publisher.silent(), "it is not unblocked any more"
    publisher.send(0, ConnectionCloseOk())
    assert publisher.closed


def test_a_publisher_that_waits_for_the_disk_is_read_for_its_farewell(publisher: Pair, store: ManualStore) -> None:
    for _ in range(6):
        publisher.publish(1, "", "d", bytes(SIZE), PERSISTENT)
    assert not publisher.connection.reading
    publisher.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert publisher.connection.reading
    store.commit()
    assert publisher.connection.reading


def test_a_client_may_close_once_the_alarm_is_over(publisher: Pair) -> None:
    publisher.broker.alarms.raise_("low on disk")
    publisher.publish(1, "", "q", b"body")
    publisher.expect(0, ConnectionBlocked)
    publisher.broker.alarms.clear("low on disk")
    publisher.send(0, ConnectionClose(200, "bye"))
    assert [type(method) for method in publisher.methods()] == [ConnectionUnblocked, ConnectionCloseOk]
    assert publisher.closed


# --- a client that asks for too much at a time


class ToilsomeClock(VirtualClock):
    """Time passes whenever somebody looks."""

    def now(self) -> float:
        self._now += 0.0015
        return self._now


def gets(pair: Pair, count: int, **options: bool) -> bytes:
    return pair.session.encode(1, *[BasicGet(queue="q", **options)] * count)


def test_what_takes_longer_than_its_share_of_a_turn_waits_for_the_next() -> None:
    pair = Pair(Broker(MemoryStore(), ToilsomeClock()))
    pair.channel()
    pair.queue()
    connection = pair.connection
    connection.receive_data(gets(pair, 100))
    assert connection.backlog
    assert not connection.reading
    turns = 1
    answered = sum([len(chunk) for chunk in connection.data_to_send()])
    assert answered > 0
    while connection.backlog:
        assert connection.go_on()
        turns += 1
        connection.data_to_send()
    assert 20 < turns < 100
    assert connection.reading


def test_messages_for_many_queues_take_no_more_than_their_share_of_a_turn() -> None:
    pair = Pair(Broker(MemoryStore(), ToilsomeClock()))
    pair.channel()
    for number in range(100):
        pair.queue(f"q{number}")
        pair.call(1, QueueBind(queue=f"q{number}", exchange="amq.fanout"), QueueBindOk)
    connection = pair.connection
    connection.receive_data(pair.session.encode_publish(1, "amq.fanout", "", b"body") * 100)
    turns = 1
    while connection.backlog:
        assert not connection.reading
        assert connection.go_on()
        turns += 1
    assert 3 < turns < 10
    assert ready(pair, "q0") == ready(pair, "q99") == 100


def test_answers_that_nobody_reads_do_not_pile_up_however_many_are_asked_for_at_once(publisher: Pair) -> None:
    for number in range(100):
        publisher.publish(1, "", "q", number.to_bytes(1, "big") * 100_000)
    connection = publisher.connection
    connection.set_writable(False)
    connection.receive_data(gets(publisher, 100, no_ack=True))
    assert REPLY_LIMIT <= connection.outbox.size < REPLY_LIMIT + 110_000
    assert connection.backlog
    assert not connection.go_on(), "nothing can be done before the peer reads"
    connection.receive_data(gets(publisher, 1))
    assert connection.outbox.size < REPLY_LIMIT + 110_000
    connection.set_writable(True)
    answers = publisher.received()
    assert [command.body[0] for command in answers[:100]] == list(range(100))
    assert [type(command.method) for command in answers] == [BasicGetOk] * 100 + [BasicGetEmpty]
    assert connection.reading


def test_errors_take_time_as_well() -> None:
    pair = Pair(Broker(MemoryStore(), ToilsomeClock()))
    flood = pair.session.encode(1, ChannelOpen(), BasicGet(queue="none"), ChannelCloseOk())
    pair.connection.receive_data(flood * 50)
    assert pair.connection.backlog
    pair.flush()
    assert [type(method) for method in pair.methods()] == [ChannelOpenOk, ChannelClose] * 50


def test_a_backlog_ends_with_its_connection(publisher: Pair) -> None:
    connection = publisher.connection
    publisher.publish(1, "", "q", bytes(2 * REPLY_LIMIT))
    connection.set_writable(False)
    connection.receive_data(gets(publisher, 2))
    assert connection.backlog
    connection.receive_eof()
    assert not connection.go_on()
    assert not connection.backlog


# --- what it all takes


def test_held_bytes_are_what_waits_to_be_sent_and_what_is_not_whole_yet(publisher: Pair) -> None:
    connection = publisher.connection
    broker = publisher.broker
    assert broker.held_bytes == 0
    publisher.write(publisher.session.encode_publish(1, "", "q", bytes(100_000))[:-10])
    assert 99_000 < connection.held_bytes < 101_000
    assert broker.held_bytes == connection.held_bytes
    publisher.write(bytes(9) + bytes((FRAME_END,)))
    assert connection.held_bytes == 0
    assert 100_000 < broker.held_bytes == broker.memory.used
    connection.set_writable(False)
    publisher.send(1, BasicGet(queue="q"))
    assert connection.held_bytes > 100_000


def test_a_frame_is_never_longer_than_agreed() -> None:
    pair = Pair(settings=ConnectionSettings(frame_max=4096))
    pair.channel()
    pair.queue("q")
    pair.publish(1, "", "q", bytes(50_000))
    start = len(pair.sent)
    pair.send(1, BasicGet(queue="q"))
    assert pair.expect_command(1, BasicGetOk).body == bytes(50_000)
    wire = bytes(pair.sent[start:])
    position = 0
    while position < len(wire):
        size = int.from_bytes(wire[position + 3 : position + 7], "big") + FRAME_OVERHEAD
        assert size <= 4096
        position += size


def test_a_publisher_that_waits_for_the_disk_is_told_of_an_alarm_at_once(publisher: Pair, store: ManualStore) -> None:
    publisher.broker.lag_limit = SIZE
    for _ in range(2):
        publisher.publish(1, "", "d", bytes(SIZE), PERSISTENT)
    publisher.received()
    publisher.broker.alarms.raise_("low on disk")
    assert publisher.expect(0, ConnectionBlocked).reason == "low on disk"
    store.commit()
    assert not publisher.connection.reading
    publisher.broker.alarms.clear("low on disk")
    publisher.expect(0, ConnectionUnblocked)
    assert publisher.connection.reading


def test_a_disk_with_little_room_lets_less_be_on_its_way(publisher: Pair, store: ManualStore) -> None:
    publisher.broker.lag_limit = SIZE
    publisher.publish(1, "", "d", bytes(SIZE), PERSISTENT)
    publisher.publish(1, "", "d", bytes(SIZE), PERSISTENT)
    assert not publisher.connection.reading
    store.commit()
    assert publisher.connection.reading
