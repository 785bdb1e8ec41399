"""Whatever clients send, in whatever order and damaged in whatever way: no connection fails, and none leaves anything.

A connection that raises is a bug of ours, which its driver would answer with 541. Here it fails the test.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.amqp.channel import HANDLERS
from amqpd.broker.broker import Broker
from amqpd.broker.memory import ENTRY_COST
from amqpd.testing.client import ClientSession, raw_frame
from amqpd.wire.methods import METHODS, ChannelClose, ChannelCloseOk, ChannelOpen, QueueDeclare
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method
from tests.amqp.pair import Pair
from tests.strategies import DOMAINS, methods_of

NAMES = ("q", "", "p", "amq.topic", "amq.headers", "x")
LIKELY = {
    **DOMAINS,
    "shortstr": st.sampled_from(NAMES),
    "short": st.integers(0, 3),
    "long": st.just(0),
    "longlong": st.integers(0, 4),
    "table": st.just({}) | DOMAINS["table"],
}
"""Arguments that meet each other, so that more happens than refusals."""

SESSION = ClientSession(frame_max=4096)

commands = st.sampled_from(list(HANDLERS)).flatmap(lambda cls: methods_of(cls, LIKELY))
others = st.sampled_from(list(METHODS.values())).flatmap(lambda cls: methods_of(cls, LIKELY))
channels = st.integers(1, 2)


def encode(channel: int, method: Method) -> bytes:
    return SESSION.encode(channel if method.class_id != 10 else 0, method)


publishes = st.builds(
    SESSION.encode_publish,
    channels,
    st.sampled_from(("", "amq.topic", "amq.headers", "x")),
    st.sampled_from(NAMES),
    st.sampled_from([b"", b"body", bytes(9000)]),
    st.sampled_from([None, Properties(delivery_mode=2), Properties(headers={"a": [1, None]}, expiration="5")]),
    mandatory=st.booleans(),
)
whole = st.builds(encode, channels, commands) | st.builds(encode, channels, commands) | publishes
frames = st.builds(encode, channels, others) | st.builds(
    raw_frame, st.integers(0, 9), st.integers(0, 3), st.binary(max_size=20)
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """What one read may bring: commands, and now and then other frames, or octets that changed on the way."""
    data = bytearray(b"".join(draw(st.lists(whole, min_size=1, max_size=8))))
    damage = draw(st.integers(0, 9))
    if damage == 9:
        data += draw(frames)
    elif damage == 8:
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


def connect(broker: Broker | None = None) -> Pair:
    pair = Pair(broker)
    for channel in (1, 2):
        pair.channel(channel)
    pair.send(1, QueueDeclare(queue="q"))  # refused if somebody made it another way
    pair.send(2, QueueDeclare(queue="p", durable=True))
    return pair


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 1), streams()), max_size=8))
def test_no_connection_fails_and_none_leaves_anything(sent: list[tuple[int, bytes]]) -> None:
    first = connect()
    broker = first.broker
    pairs = [first, connect(broker)]
    for number, data in sent:
        pair = pairs[number]
        if pair.closed:
            pair = pairs[number] = connect(broker)
        pair.write(data)
        pairs[1 - number].flush()
        pair.advance(1)
        for command in pair.received():
            if isinstance(command.method, ChannelClose):
                pair.send(command.channel, ChannelCloseOk(), ChannelOpen())
    for pair in pairs:
        pair.connection.receive_eof()
    queues = broker.vhosts["/"].queues.values()
    for queue in queues:
        assert (queue.consumers, queue.unacked, queue.owner) == ([], 0, None)
        assert [entry.seq for entry in queue.ready] == sorted({entry.seq for entry in queue.ready})
    assert broker.memory.used == sum(queue.ready_bytes + ENTRY_COST * len(queue.ready) for queue in queues)
