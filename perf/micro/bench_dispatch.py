"""A message's whole way through the broker, sockets apart: input of a publisher to output for a consumer."""

from __future__ import annotations

from collections.abc import Iterator

from inprocess import CHANNEL, READ_SIZE, Client, new_broker
from timing import Case, show

from amqpd.wire.methods import BasicAck, BasicConsume, BasicQos, ConfirmSelect, QueueDeclare

QUEUE = "load"
PREFETCH = 1000


def cases() -> Iterator[Case]:
    """The first rows of the big benchmark."""
    yield _case("dispatch: 16 B, automatic acks", 16, ack_every=0)
    yield _case("dispatch: 16 B, an ack for each 100", 16, ack_every=100)
    yield _case("dispatch: 16 B, each message acked alone", 16, ack_every=1)
    yield _case("dispatch: 16 B, automatic acks, confirms", 16, ack_every=0, confirms=True)
    yield _case("dispatch: 1 KB, automatic acks", 1024, ack_every=0)
    yield _case("dispatch: 1 KB, an ack for each 10", 1024, ack_every=10)


def _case(name: str, size: int, *, ack_every: int, confirms: bool = False) -> Case:
    broker = new_broker()
    publisher, consumer = Client(broker), Client(broker)
    publisher.send(QueueDeclare(queue=QUEUE))
    if confirms:
        publisher.send(ConfirmSelect())
    if ack_every:
        consumer.send(BasicQos(prefetch_count=PREFETCH))
    consumer.send(BasicConsume(queue=QUEUE, consumer_tag="0000", no_ack=not ack_every))
    message = publisher.session.encode_publish(CHANNEL, "", QUEUE, bytes(size))
    count = min(PREFETCH, READ_SIZE // len(message)) // 100 * 100 or READ_SIZE // len(message) // 10 * 10
    publishes = message * count
    delivered = 0

    def acks() -> bytes:
        nonlocal delivered
        first, delivered = delivered + 1, delivered + count
        if not ack_every:
            return b""
        tags = range(first + ack_every - 1, delivered + 1, ack_every)
        return consumer.session.encode(CHANNEL, *(BasicAck(tag, multiple=ack_every > 1) for tag in tags))

    def work(acks: bytes) -> None:
        publisher.connection.receive_data(publishes)
        publisher.connection.data_to_send()
        output = consumer.connection.data_to_send()
        if acks:
            consumer.connection.receive_data(acks)
        if not output:
            raise RuntimeError("nothing was delivered")

    return Case(name, count, work, acks)


if __name__ == "__main__":
    show(cases())
