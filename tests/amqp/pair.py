"""Both ends of a connection in one place: the broker's `Connection` and a client's session, without sockets.

Whatever one end says, the other hears when the call returns, as with a driver that flushes after each call. Time is
the broker's virtual clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeVar

from amqpd.amqp.connection import Connection, ConnectionSettings
from amqpd.auth.base import Authenticator, Authorizer, Peer
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.store.base import Store
from amqpd.store.memory import MemoryStore
from amqpd.testing.client import CAPABILITIES, ClientSession, Command
from amqpd.wire.methods import (
    BasicConsume,
    BasicConsumeOk,
    BasicQos,
    BasicQosOk,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionStartOk,
    ConnectionTune,
    ConnectionTuneOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method
from amqpd.wire.spec import PROTOCOL_HEADER
from tests.fakes import LOCAL, Guests, RecordingLog

PERSISTENT = Properties(delivery_mode=2)

_M = TypeVar("_M", bound=Method)


def new_broker(store: Store | None = None, **options: Any) -> Broker:
    return Broker(store or MemoryStore(), VirtualClock(), **options)


class Pair:
    """A connection and its client; open, unless told otherwise."""

    def __init__(
        self,
        broker: Broker | None = None,
        *,
        settings: ConnectionSettings | None = None,
        authenticator: Authenticator | None = None,
        authorizer: Authorizer | None = None,
        peer: Peer = LOCAL,
        heartbeat: int = 0,
        capabilities: Mapping[str, Any] = CAPABILITIES,
        handshake: bool = True,
    ) -> None:
        self.broker = broker or new_broker()
        assert isinstance(self.broker.clock, VirtualClock)
        self.clock: VirtualClock = self.broker.clock
        self.log = RecordingLog()
        self.wakes = 0
        self.capabilities = capabilities
        guests = Guests()
        self.settings = settings or ConnectionSettings()
        self.connection = Connection(
            self.broker, authenticator or guests, authorizer or guests, self.settings, peer, self.log, self._woken
        )
        self.session = ClientSession()
        self.sent = bytearray()  # all that the broker's end ever sent
        self.inbox: deque[Command] = deque()
        self._framed = False  # what the broker sends are frames
        if handshake:
            self.log_in()
            self.open(heartbeat=heartbeat)

    # --- the handshake, in two steps

    def log_in(self) -> ConnectionTune:
        self.write(PROTOCOL_HEADER)
        self.expect(0, ConnectionStart)
        self.send(0, self.start_ok())
        return self.expect(0, ConnectionTune)

    def start_ok(self, password: str = "guest", mechanism: str = "PLAIN") -> ConnectionStartOk:
        response = f"\x00guest\x00{password}".encode()
        return ConnectionStartOk({"capabilities": dict(self.capabilities)}, mechanism, response)

    def open(self, *, heartbeat: int = 0) -> None:
        settings = self.settings
        self.session.frame_max = settings.frame_max
        self.send(0, ConnectionTuneOk(settings.channel_max, settings.frame_max, heartbeat), ConnectionOpen())
        self.expect(0, ConnectionOpenOk)

    # --- the client's end

    def write(self, data: bytes) -> None:
        """Send bytes as they are, in one piece."""
        self.connection.receive_data(data)
        self.flush()

    def send(self, channel: int, *methods: Method) -> None:
        self.write(self.session.encode(channel, *methods))

    def publish(
        self,
        channel: int,
        exchange: str,
        routing_key: str,
        body: bytes = b"",
        properties: Properties | None = None,
        *,
        mandatory: bool = False,
    ) -> None:
        self.write(self.session.encode_publish(channel, exchange, routing_key, body, properties, mandatory=mandatory))

    def received(self) -> list[Command]:
        """All that came since the last look."""
        self.flush()
        commands = list(self.inbox)
        self.inbox.clear()
        return commands

    def methods(self) -> list[Method | None]:
        """The methods of `received`; None for a heartbeat."""
        return [command.method for command in self.received()]

    def expect_command(self, channel: int, kind: type[Method]) -> Command:
        """The next command, which has to be this one."""
        self.flush()
        assert self.inbox, f"expected {kind.__name__}, got nothing"
        command = self.inbox.popleft()
        assert isinstance(command.method, kind), f"expected {kind.__name__}, got {command}"
        assert command.channel == channel
        return command

    def expect(self, channel: int, kind: type[_M]) -> _M:
        method = self.expect_command(channel, kind).method
        assert isinstance(method, kind)
        return method

    def call(self, channel: int, method: Method, answer: type[_M]) -> _M:
        """Send a method; its answer has to come at once."""
        self.send(channel, method)
        return self.expect(channel, answer)

    def silent(self) -> bool:
        """Whether nothing has come."""
        self.flush()
        return not self.inbox

    # --- shorthands

    def channel(self, number: int = 1) -> int:
        self.call(number, ChannelOpen(), ChannelOpenOk)
        return number

    def queue(self, name: str = "q", channel: int = 1, **options: Any) -> str:
        return self.call(channel, QueueDeclare(queue=name, **options), QueueDeclareOk).queue

    def consume(
        self, queue: str = "q", channel: int = 1, *, prefetch: int = 0, tag: str = "c", no_ack: bool = False
    ) -> None:
        if prefetch:
            self.call(channel, BasicQos(prefetch_count=prefetch), BasicQosOk)
        self.call(channel, BasicConsume(queue=queue, consumer_tag=tag, no_ack=no_ack), BasicConsumeOk)

    # --- the driver between them

    @property
    def closed(self) -> bool:
        return self.connection.closed

    def flush(self) -> None:
        """Carry what the broker's end has to send to the client, as often as it has more to do."""
        self._carry()
        while self.connection.backlog and self.connection.go_on():
            self._carry()

    def _carry(self) -> None:
        data = b"".join(self.connection.data_to_send())
        self.sent += data
        if not self._framed and data:
            self._framed = True
            if data.startswith(b"AMQP"):  # the answer to a bad protocol header
                return
        self.session.feed(data)
        while (command := self.session.next()) is not None:
            self.inbox.append(command)

    def advance(self, seconds: float) -> None:
        """Let time pass, and tick the connection whenever it wants to be."""
        target = self.clock.now() + seconds
        while not self.closed:
            deadline = self.connection.deadline()
            if deadline is None or deadline > target:
                break
            self.clock.advance(max(0.0, deadline - self.clock.now()))
            self.connection.tick(self.clock.now())
            self.flush()
        self.clock.advance(target - self.clock.now())

    def _woken(self) -> None:
        self.wakes += 1
