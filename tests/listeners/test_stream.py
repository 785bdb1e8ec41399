"""Sessions on sockets: flushed once a turn, held back when the peer is slow, and closed for good reasons only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from amqpd.amqp.connection import REPLY_LIMIT, Connection, ConnectionSettings
from amqpd.broker.broker import Broker
from amqpd.broker.consumer import OUTPUT_LIMIT
from amqpd.clock import VirtualClock
from amqpd.listeners import stream
from amqpd.listeners.stream import BITE_SIZE, LINGER, READ_SIZE, SEND_TIMEOUT, WRITE_HIGH, StreamProtocol, Turn
from amqpd.message import Message
from amqpd.store.memory import MemoryStore
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    BasicQos,
    BasicQosOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    ConnectionCloseOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties
from amqpd.wire.spec import ReplyCode
from tests.fakes import RecordingLog
from tests.listeners.harness import AsyncClient, Listening, listening, loop_factories, run, until

Factory = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=loop_factories())
def factory(request: pytest.FixtureRequest) -> Factory:
    made: Factory = request.param
    return made


# --- a session that does as it is told


class Puppet:
    """A session without a protocol: it sends what the test gives it, and writes down what happens to it."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self.closed = False
        self.reading = True
        self.hasty = False
        self.backlog = False
        self.expecting = 0
        self.chunks: list[bytes | memoryview] = []
        self.due: float | None = None
        self.received = b""
        self.events: list[str] = []
        self.fetches = 0
        self.faults: set[str] = set()  # calls that fail

    def _happen(self, event: str) -> None:
        self.events.append(event)
        if event in self.faults:
            raise RuntimeError(f"a bug in {event}")

    def receive_data(self, data: bytes) -> None:
        self.received += data
        self._happen("data")

    def go_on(self) -> bool:
        self.backlog = "stuck" in self.faults
        self._happen("go on")
        return not self.backlog

    def receive_eof(self) -> None:
        self.closed = True
        self._happen("eof")

    def data_to_send(self) -> Sequence[bytes | memoryview]:
        self.fetches += 1
        if "fetch" in self.faults:
            raise RuntimeError("a bug in fetch")
        chunks, self.chunks = self.chunks, []
        return chunks

    def deadline(self) -> float | None:
        return self.due

    def tick(self, now: float) -> None:
        self.due = None
        self._happen("tick")

    def set_writable(self, writable: bool) -> None:
        self._happen("writable" if writable else "not writable")

    def close(self, code: ReplyCode, explanation: str) -> None:
        self.chunks.append(f"{code.value} {explanation}".encode())
        self.closed = True
        self._happen("close")
        self.wake()


class Stage:
    """A server of puppets."""

    def __init__(self) -> None:
        self.clock = VirtualClock(100.0)
        self.log = RecordingLog()
        self.turn = Turn(asyncio.get_running_loop())
        self.puppets: list[Puppet] = []
        self.protocols: list[StreamProtocol] = []
        self.lost: list[StreamProtocol] = []
        self.port = 0

    def protocol(self) -> StreamProtocol:
        def make(_: StreamProtocol, __: asyncio.Transport, wake: Callable[[], None]) -> Puppet:
            self.puppets.append(Puppet(wake))
            return self.puppets[-1]

        self.protocols.append(StreamProtocol(make, self.clock, self.turn, self.lost.append, self.log))
        return self.protocols[-1]

    async def connect(self) -> tuple[Puppet, asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection: the broker's session, and the client's two streams."""
        count = len(self.puppets)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await until(lambda: len(self.puppets) > count)
        return self.puppets[-1], reader, writer


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    server = await asyncio.get_running_loop().create_server(made.protocol, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for protocol in made.protocols:
            protocol.abort()
        await until(lambda: len(made.lost) == len(made.protocols))


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        return


def test_a_session_is_flushed_once_a_turn_however_often_it_wakes(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            fetches = puppet.fetches
            for number in range(10):
                puppet.chunks.append(b"%d" % number)
                puppet.wake()
            assert puppet.fetches == fetches
            assert await reader.readexactly(10) == b"0123456789"
            assert puppet.fetches == fetches + 1
            await closed(writer)

    run(factory, main)


def test_what_comes_in_is_handled_and_answered_in_one_turn(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            puppet.chunks.append(b"answer")
            writer.write(b"question")
            assert await reader.readexactly(6) == b"answer"
            assert puppet.received == b"question"
            await closed(writer)

    run(factory, main)


def test_views_and_bytes_are_written_in_order(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            body = bytes(range(256)) * 4000
            puppet.chunks += [b"head", memoryview(body), b"tail"]
            puppet.wake()
            assert await reader.readexactly(len(body) + 8) == b"head" + body + b"tail"
            await closed(writer)

    run(factory, main)


def test_large_input_is_read_in_pieces(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, _, writer = await made.connect()
            data = bytes(range(251)) * (10 * READ_SIZE // 251)
            writer.write(data)
            await until(lambda: len(puppet.received) == len(data))
            assert puppet.received == data
            assert puppet.events.count("data") >= 10
            await closed(writer)

    run(factory, main)


def test_a_hasty_session_is_read_in_small_bites(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, _, writer = await made.connect()
            puppet.hasty = True
            writer.write(bytes(4 * READ_SIZE))
            await until(lambda: len(puppet.received) == 4 * READ_SIZE)
            assert puppet.events.count("data") >= 4 * READ_SIZE // BITE_SIZE
            await closed(writer)

    run(factory, main)


def test_the_longer_turns_take_the_less_is_read_in_one(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, _, writer = await made.connect()
            monkeypatch.setattr(stream, "LONG_TURN", 0.0)
            writer.write(bytes(20 * READ_SIZE))
            await until(lambda: len(puppet.received) == 20 * READ_SIZE)
            assert made.turn.read_size == BITE_SIZE
            monkeypatch.setattr(stream, "LONG_TURN", 1000.0)
            writer.write(bytes(20 * READ_SIZE))
            await until(lambda: len(puppet.received) == 40 * READ_SIZE)
            assert made.turn.read_size == READ_SIZE
            await closed(writer)

    run(factory, main)


def test_a_session_goes_on_with_its_backlog_in_the_next_turn(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, _, writer = await made.connect()
            puppet.backlog = True
            puppet.reading = False
            writer.write(b"much")
            await until(lambda: "go on" in puppet.events)
            assert puppet.events == ["data", "go on"]
            assert puppet.fetches >= 2, "it is flushed after each"
            await closed(writer)

    run(factory, main)


def test_a_session_that_cannot_go_on_is_asked_again_when_it_wakes(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, _, writer = await made.connect()
            puppet.backlog = True
            puppet.faults.add("stuck")
            writer.write(b"much")
            await until(lambda: "go on" in puppet.events)
            for _ in range(10):
                await asyncio.sleep(0)
            assert puppet.events.count("go on") == 1
            puppet.faults.clear()
            puppet.wake()
            await until(lambda: puppet.events.count("go on") == 2)
            await closed(writer)

    run(factory, main)


def test_a_session_that_does_not_want_to_read_is_not_given_anything(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            puppet.reading = False
            puppet.chunks.append(b"paused")
            puppet.wake()
            await reader.readexactly(6)
            writer.write(b"later")
            for _ in range(20):
                await asyncio.sleep(0)
            assert puppet.received == b""
            puppet.reading = True
            puppet.wake()
            await until(lambda: puppet.received == b"later")
            await closed(writer)

    run(factory, main)


def test_what_a_closed_session_has_left_is_sent_before_the_end(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            puppet.chunks.append(b"farewell" * 10_000)
            puppet.closed = True
            puppet.wake()
            assert await reader.read(-1) == b"farewell" * 10_000
            await until(lambda: len(made.lost) == 1)
            await closed(writer)

    run(factory, main)


def test_the_session_hears_of_the_end_of_its_peer(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            writer.write(b"last words")
            writer.write_eof()
            assert await reader.read(-1) == b""
            await until(lambda: len(made.lost) == 1)
            assert puppet.received == b"last words"
            assert puppet.events[:2] == ["data", "eof"]
            await closed(writer)

    run(factory, main)


def test_a_peer_that_does_not_take_its_farewell_is_left_after_a_while(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, _, writer = await made.connect()
            puppet.chunks.append(bytes(50 << 20))
            puppet.wake()
            await until(lambda: "not writable" in puppet.events)
            puppet.closed = True
            puppet.wake()
            for _ in range(20):
                await asyncio.sleep(0)
            assert made.lost == []
            made.clock.advance(LINGER)
            await until(lambda: len(made.lost) == 1)
            writer.transport.abort()

    run(factory, main)


def test_the_session_hears_when_its_peer_is_slow_and_when_it_is_not(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            size = 20 << 20
            puppet.chunks.append(bytes(size))
            puppet.wake()
            await until(lambda: "not writable" in puppet.events)
            assert len(await reader.readexactly(size)) == size
            await until(lambda: "writable" in puppet.events)
            await closed(writer)

    run(factory, main)


@asynccontextmanager
async def owing(made: Stage) -> AsyncIterator[tuple[StreamProtocol, asyncio.StreamReader]]:
    """A session whose peer has much to take, and the peer's end."""
    puppet, reader, writer = await made.connect()
    puppet.chunks.append(bytes(20 << 20))
    puppet.wake()
    await until(lambda: "not writable" in puppet.events)
    protocol = made.protocols[-1]
    yield protocol, reader
    await closed(writer)


def test_a_peer_that_takes_nothing_is_given_up(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made, owing(made) as (protocol, _):
            made.clock.advance(SEND_TIMEOUT - 1)
            assert not protocol._transport.is_closing()
            made.clock.advance(1 + SEND_TIMEOUT)  # the kernel may have taken some at first
            await until(lambda: protocol in made.lost)
            assert made.log.texts("warning") == ["client takes nothing of what is sent to it"]

    run(factory, main)


def test_a_peer_that_takes_a_little_is_waited_for(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made, owing(made) as (protocol, reader):
            for _ in range(3):
                before = protocol._transport.get_write_buffer_size()
                taken = 0
                while protocol._transport.get_write_buffer_size() == before:
                    taken += len(await reader.read(1 << 20))
                made.clock.advance(SEND_TIMEOUT)
                assert not protocol._transport.is_closing()

    run(factory, main)


# --- deadlines


def test_a_session_is_ticked_at_its_deadline(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            puppet.due = 105.0
            puppet.chunks.append(b"set")
            puppet.wake()
            await reader.readexactly(3)
            made.clock.advance(4.9)
            assert "tick" not in puppet.events
            puppet.chunks.append(b"tick")
            made.clock.advance(0.1)
            assert puppet.events == ["tick"]
            assert await reader.readexactly(4) == b"tick"
            await closed(writer)

    run(factory, main)


def test_a_deadline_may_move(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            for due in (105.0, 103.0, 110.0):
                puppet.due = due
                puppet.chunks.append(b"moved")
                puppet.wake()
                await reader.readexactly(5)
            made.clock.advance(9.9)
            assert puppet.events == []
            made.clock.advance(0.1)
            assert puppet.events == ["tick"]
            await closed(writer)

    run(factory, main)


def test_a_session_that_is_gone_is_not_ticked(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            puppet.due = 105.0
            puppet.chunks.append(b"set")
            puppet.wake()
            await reader.readexactly(3)
            await closed(writer)
            await until(lambda: len(made.lost) == 1)
            made.clock.advance(100)
            assert "tick" not in puppet.events
            assert made.clock.deadline() is None

    run(factory, main)


# --- bugs of ours


@pytest.mark.parametrize("fault", ["data", "tick"])
def test_an_internal_error_is_told_to_the_peer_and_to_the_log(factory: Factory, fault: str) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            other, other_reader, other_writer = await made.connect()
            puppet.faults = {fault}
            if fault == "data":
                writer.write(b"anything")
            else:
                puppet.due = 101.0
                puppet.chunks.append(b"")
                puppet.wake()
                await until(lambda: made.clock.deadline() == 101.0)
                made.clock.advance(1)
            assert await reader.read(-1) == b"541 internal error"
            assert made.log.texts("exception") == ["internal error in a connection"]
            other.chunks.append(b"fine")
            other.wake()
            assert await other_reader.readexactly(4) == b"fine"
            for each in (writer, other_writer):
                await closed(each)

    run(factory, main)


@pytest.mark.parametrize("faults", [("fetch",), ("data", "close"), ("data", "fetch")], ids="+".join)
def test_an_error_that_leaves_nothing_to_say_closes_the_socket(factory: Factory, faults: tuple[str, ...]) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, reader, writer = await made.connect()
            puppet.faults = set(faults)
            writer.write(b"anything")
            with suppress(ConnectionError):
                assert await reader.read(-1) in (b"", b"541 internal error")
            await until(lambda: len(made.lost) == 1)
            assert "internal error in a connection" in made.log.texts("exception")
            await closed(writer)

    run(factory, main)


def test_an_error_in_a_tick_leaves_the_timers_of_others_alone(factory: Factory) -> None:
    async def main() -> None:
        async with stage() as made:
            puppet, _, writer = await made.connect()
            puppet.faults = {"tick"}
            puppet.due = 101.0
            puppet.wake()
            await until(lambda: made.clock.deadline() == 101.0)
            rung: list[str] = []
            made.clock.call_at(101.0, lambda: rung.append("other"))
            made.clock.advance(1)
            assert rung == ["other"]
            await closed(writer)

    run(factory, main)


def test_a_connection_whose_end_fails_is_gone_all_the_same(factory: Factory) -> None:
    async def main() -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        async with stage() as made:
            puppet, _, writer = await made.connect()
            puppet.faults = {"eof"}
            writer.transport.abort()
            await until(lambda: len(made.lost) == 1)
        assert reported or made.log.texts("exception")

    run(factory, main)


class FaultyStore(MemoryStore):
    """A store with a bug: it cannot put what is too large for it."""

    def put(self, queue_id: int, seq: int, message: Message) -> None:
        if message.size > 100:
            raise RuntimeError("a bug in the store")
        super().put(queue_id, seq, message)


def test_an_internal_error_costs_the_connection_it_happened_in_and_no_other(factory: Factory) -> None:
    async def main() -> None:
        async with listening(Broker(FaultyStore(), VirtualClock())) as made:
            one, other = await made.connect(), await made.connect()
            await one.call(1, QueueDeclare(queue="q", durable=True), QueueDeclareOk)
            one.write(one.session.encode_publish(1, "", "q", bytes(200), Properties(delivery_mode=2)))
            close = await one.expect(ConnectionClose)
            assert (close.reply_code, close.reply_text) == (541, "INTERNAL_ERROR - internal error")
            assert "internal error in a connection" in made.log.texts("exception")
            other.write(other.session.encode_publish(1, "", "q", b"fine", Properties(delivery_mode=2)))
            other.send(1, BasicGet(queue="q", no_ack=True))
            command = await other.receive()
            assert command is not None
            assert command.body == b"fine"
            one.send(0, ConnectionCloseOk())
            assert await one.receive() is None
            await one.drop()
            await other.leave()

    run(factory, main)


# --- real connections


def new_broker() -> Broker:
    return Broker(MemoryStore(), VirtualClock())


def buffered(made: Listening) -> int:
    """Bytes that the broker's ends of all connections hold for their peers."""
    total = 0
    for protocol in made.protocols:
        assert isinstance(protocol.session, Connection)
        total += protocol.session.outbox.size + protocol._transport.get_write_buffer_size()
    return total


def test_a_whole_conversation(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            client = await made.connect()
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            await client.call(1, ConfirmSelect(), ConfirmSelectOk)
            client.write(client.session.encode_publish(1, "", "q", b"body"))
            await client.expect(BasicAck)
            await client.call(1, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
            delivery = await client.receive()
            assert delivery is not None
            assert delivery.body == b"body"
            client.send(1, BasicAck(1))
            await client.call(1, BasicGet(queue="q"), BasicGetEmpty)
            await client.leave()
            await until(lambda: not made.protocols)

    run(factory, main)


def test_deliveries_of_one_turn_are_one_write(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            client = await made.connect()
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            await client.call(1, BasicConsume(queue="q", no_ack=True), BasicConsumeOk)
            (protocol,) = made.protocols
            assert isinstance(protocol.session, Connection)
            writes: list[int] = []
            fetch = protocol.session.data_to_send

            def count() -> list[bytes | memoryview]:
                chunks = fetch()
                writes.append(len(chunks))
                return chunks

            protocol.session.data_to_send = count  # type: ignore[method-assign]
            client.write(client.session.encode_publish(1, "", "q", b"body") * 100)
            for _ in range(100):
                await client.expect(BasicDeliver)
            assert sum(writes) <= 3
            await client.leave()

    run(factory, main)


def test_a_consumer_that_does_not_read_costs_a_bounded_amount_of_memory(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            consumer = await made.connect(receive_buffer=4096)
            await consumer.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            await consumer.call(1, BasicConsume(queue="q", no_ack=True), BasicConsumeOk)
            consumer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            publisher = await made.connect()
            await publisher.call(1, ConfirmSelect(), ConfirmSelectOk)
            body = bytes(10_000)
            count = 3000
            queue = made.broker.vhosts["/"].queue("q", None)
            most = 0
            for number in range(count):
                publisher.write(publisher.session.encode_publish(1, "", "q", number.to_bytes(4, "big") + body))
                if number % 50 == 49:
                    while (await publisher.expect(BasicAck)).delivery_tag <= number:
                        pass
                    most = max(most, buffered(made))
            assert most < WRITE_HIGH + 2 * OUTPUT_LIMIT
            assert queue.message_count > count // 2

            consumer.writer.transport.resume_reading()  # type: ignore[attr-defined]
            for number in range(count):
                command = await consumer.receive()
                assert command is not None
                assert command.body[:4] == number.to_bytes(4, "big")
                assert buffered(made) < WRITE_HIGH + 2 * OUTPUT_LIMIT
            assert queue.message_count == 0
            await consumer.leave()
            await publisher.leave()

    run(factory, main)


def test_a_client_that_does_not_read_its_answers_costs_a_bounded_amount_of_memory(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            client = await made.connect(receive_buffer=4096)
            await client.call(1, QueueDeclare(queue="q" * 200), QueueDeclareOk)
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            (protocol,) = made.protocols
            asked = 0
            ask = client.session.encode(1, QueueDeclare(queue="q" * 200, passive=True)) * 100
            while protocol.session.reading:
                client.write(ask)
                asked += 100
                await asyncio.sleep(0)
                assert buffered(made) < WRITE_HIGH + 2 * REPLY_LIMIT
            client.writer.transport.resume_reading()  # type: ignore[attr-defined]
            for _ in range(asked):
                await client.expect(QueueDeclareOk)
            await client.leave()

    run(factory, main)


def test_a_large_message_comes_through_whole(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            client = await made.connect()
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            body = bytes(range(256)) * (5 << 12)
            client.write(client.session.encode_publish(1, "", "q", body))
            client.send(1, BasicGet(queue="q"))
            command = await client.receive()
            assert command is not None
            assert command.body == body
            await client.leave()

    run(factory, main)


def test_a_client_that_goes_without_a_word_leaves_nothing(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            client = await made.connect()
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            await client.call(1, QueueDeclare(queue="mine", exclusive=True), QueueDeclareOk)
            await client.call(1, BasicQos(prefetch_count=1), BasicQosOk)
            await client.call(1, BasicConsume(queue="q", consumer_tag="c"), BasicConsumeOk)
            client.write(client.session.encode_publish(1, "", "q", b"body"))
            await client.expect(BasicDeliver)
            client.writer.transport.abort()
            await until(lambda: not made.protocols)
            queues = made.broker.vhosts["/"].queues
            assert set(queues) == {"q"}
            assert (queues["q"].message_count, queues["q"].unacked, queues["q"].consumers) == (1, 0, [])
            assert made.log.texts("warning") == ["connection lost"]

    run(factory, main)


def test_a_client_that_is_silent_is_dropped_even_when_it_does_not_read(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker()) as made:
            client = await made.connect(heartbeat=10, receive_buffer=4096)
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            await client.call(1, BasicConsume(queue="q", no_ack=True), BasicConsumeOk)
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            publisher = await made.connect()
            for _ in range(2000):
                publisher.write(publisher.session.encode_publish(1, "", "q", bytes(10_000)))
                await publisher.writer.drain()
            stuck = next(p for p in made.protocols if p.session.deadline() is not None)
            await until(lambda: stuck._transport.get_write_buffer_size() > 0)
            for _ in range(12):
                made.clock.advance(5)
                await asyncio.sleep(0)
            await until(lambda: stuck not in made.protocols)
            client.writer.transport.abort()
            await publisher.leave()

    run(factory, main)


def test_a_client_that_never_says_anything_is_dropped(factory: Factory) -> None:
    async def main() -> None:
        async with listening(new_broker(), ConnectionSettings(handshake_timeout=10.0)) as made:
            client = await AsyncClient.connect(made.address, log_in=False)
            await until(lambda: len(made.protocols) == 1)
            made.clock.advance(10)
            assert await client.receive() is None
            await client.drop()

    run(factory, main)
