"""Steps that scenarios share: each says in one line what a test would else say in three.

Queues made by `own_queue` are exclusive and go with their connection. Others, and exchanges, take their names from the
fixture `name`, which deletes them.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from amqpd.testing.client import Client, Command, Unexpected
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
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
    ConnectionClose,
    ConnectionStart,
    ExchangeBind,
    ExchangeBindOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
)
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method
from amqpd.wire.spec import PROTOCOL_HEADER, ReplyCode

Connect: TypeAlias = Callable[..., Client]
Name: TypeAlias = Callable[..., str]

# --- connections and channels


def greet(connect: Connect) -> Client:
    """A connection that has received connection.start and said nothing yet."""
    client = connect(handshake=False)
    client.write(PROTOCOL_HEADER)
    client.start = client.expect(0, ConnectionStart)
    return client


def close_channel(client: Client, channel: int = 1) -> None:
    """Close a channel whose peer has nothing more to say."""
    client.call(channel, ChannelClose(), ChannelCloseOk)


def reopen_channel(client: Client, channel: int = 1) -> None:
    """Close a channel and open it again: what was unacked on it is requeued."""
    close_channel(client, channel)
    client.channel(channel)


def version(client: Client) -> tuple[int, ...]:
    """Of RabbitMQ: the broker's, or the one it follows. For what moved between versions."""
    assert client.start is not None
    number: str = client.start.server_properties["version"]
    return tuple(map(int, number.split(".")[:2]))


# --- errors


def expect_channel_error(
    client: Client, code: int, explanation: str, method: type[Method] | None, channel: int = 1
) -> None:
    """The broker closes the channel for this reason, blaming this method; the channel is opened anew."""
    close = client.expect(channel, ChannelClose)
    _check_reason(close, code, explanation, method)
    client.send(channel, ChannelCloseOk(), ChannelOpen())
    client.expect(channel, ChannelOpenOk)


def expect_connection_error(client: Client, code: int, explanation: str, method: type[Method] | None = None) -> None:
    """The broker closes the connection for this reason, blaming this method or none."""
    _check_reason(client.expect(0, ConnectionClose), code, explanation, method)


def _check_reason(
    close: ChannelClose | ConnectionClose, code: int, explanation: str, method: type[Method] | None
) -> None:
    text = re.sub(r",\n +", ",", close.reply_text)  # Erlang breaks the lines of long terms
    assert (close.reply_code, text) == (code, f"{ReplyCode(code).name} - {explanation}")
    blamed = (close.failing_class_id, close.failing_method_id)
    assert blamed == ((method.class_id, method.method_id) if method else (0, 0))


# --- topology


def own_queue(client: Client, channel: int = 1, **options: Any) -> str:
    """Declare a queue of the connection's own, named by the broker."""
    return declare(client, "", channel, exclusive=True, **options).queue


def declare(client: Client, queue: str, channel: int = 1, **options: Any) -> QueueDeclareOk:
    """Declare a queue."""
    return client.call(channel, QueueDeclare(queue=queue, **options), QueueDeclareOk)


def delete(client: Client, queue: str, channel: int = 1, **options: Any) -> int:
    """Delete a queue; returns how many messages were ready in it."""
    return client.call(channel, QueueDelete(queue=queue, **options), QueueDeleteOk).message_count


def expect_ready(client: Client, queue: str, number: int, channel: int = 1) -> None:
    """So many messages are ready in a queue, now or soon: a queue may count what was sent before a little later."""
    deadline = time.monotonic() + client.timeout
    while (count := declare(client, queue, channel, passive=True).message_count) != number:
        assert time.monotonic() < deadline, f"{count} messages are ready, not {number}"


def declare_exchange(client: Client, exchange: str, kind: str = "direct", channel: int = 1, **options: Any) -> str:
    """Declare an exchange; returns its name."""
    client.call(channel, ExchangeDeclare(exchange=exchange, type=kind, **options), ExchangeDeclareOk)
    return exchange


def bind(
    client: Client,
    queue: str,
    exchange: str,
    key: str = "",
    arguments: Mapping[str, Any] | None = None,
    channel: int = 1,
) -> None:
    """Bind a queue to an exchange."""
    method = QueueBind(queue=queue, exchange=exchange, routing_key=key, arguments=arguments or {})
    client.call(channel, method, QueueBindOk)


def bind_exchange(client: Client, destination: str, source: str, key: str = "") -> None:
    """Bind an exchange to an exchange."""
    client.call(1, ExchangeBind(destination=destination, source=source, routing_key=key), ExchangeBindOk)


# --- messages


def fill(client: Client, queue: str, *bodies: bytes, properties: Properties | None = None) -> None:
    """Publish messages that are in the queue when this returns. Nobody may be consuming on the connection."""
    channel = client.channel(4000)
    confirm_select(client, channel)
    for body in bodies:
        client.publish(channel, "", queue, body, properties)
    confirmed = 0
    while confirmed < len(bodies):
        confirmed = client.expect(channel, BasicAck).delivery_tag
    close_channel(client, channel)


def get(client: Client, queue: str, channel: int = 1, *, no_ack: bool = True) -> Command | None:
    """basic.get: the get-ok with its content; None when the queue is empty."""
    client.send(channel, BasicGet(queue=queue, no_ack=no_ack))
    command = client.receive()
    if command.channel == channel and isinstance(command.method, BasicGetEmpty):
        return None
    if command.channel == channel and isinstance(command.method, BasicGetOk):
        return command
    raise Unexpected(f"expected an answer to basic.get, got {command}")


def take(client: Client, queue: str, channel: int = 1) -> int:
    """Get a message that has to be acked; returns its delivery tag."""
    command = get(client, queue, channel, no_ack=False)
    assert command is not None
    return command.method.delivery_tag  # type: ignore[union-attr]


def drain(client: Client, queue: str, channel: int = 1) -> list[bytes]:
    """The bodies of all messages ready in a queue, which is empty then."""
    return [command.body for command in iter(lambda: get(client, queue, channel), None)]


def consume(client: Client, queue: str, tag: str = "", channel: int = 1, **options: Any) -> str:
    """Start a consumer; returns its tag."""
    method = BasicConsume(queue=queue, consumer_tag=tag, **options)
    return client.call(channel, method, BasicConsumeOk).consumer_tag


def delivered(client: Client, channel: int = 1) -> Command:
    """The next delivery, which has to be what comes next."""
    return client.expect_command(channel, BasicDeliver)


def deliveries(client: Client, number: int, channel: int = 1) -> list[bytes]:
    """The bodies of the next deliveries."""
    return [delivered(client, channel).body for _ in range(number)]


def confirm_select(client: Client, channel: int = 1) -> None:
    """Put a channel into confirm mode."""
    client.call(channel, ConfirmSelect(), ConfirmSelectOk)


# --- below methods


def read_frame(client: Client) -> tuple[int, int, bytes]:
    """Type, channel and payload of the next frame, straight from the socket."""
    kind, channel, size = struct.unpack(">BHI", read_exactly(client, 7))
    payload = read_exactly(client, size + 1)
    assert payload[-1] == 0xCE
    return kind, channel, payload[:-1]


def read_exactly(client: Client, size: int) -> bytes:
    """So many bytes, straight from the socket."""
    client.socket.settimeout(client.timeout)
    data = b""
    while len(data) < size:
        more = client.socket.recv(size - len(data))
        if not more:
            raise ConnectionError("the broker closed the socket")
        data += more
    return data
