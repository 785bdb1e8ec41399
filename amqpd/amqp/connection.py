"""A connection: bytes in, bytes out, and the table of its channels.

    handshake ──open──► running ──close──► closed
        │                  │  error, shutdown        ▲
        │                  └────────► closing ──close-ok, or time is up
        └── refused ──► silent ──time is up──────────┘

An error of a client ends its channel or, when the reply code says so or it belongs to no channel, the connection. The
choice is made here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from ..auth.base import MAX_CHANNELS, Authenticator, Authorizer, Denied, Peer, Refusal, User, addition
from ..auth.sasl import Mechanism, on_offer
from ..broker.broker import Broker
from ..broker.consumer import Outlet, by_priority
from ..broker.vhost import VHost
from ..errors import AccessRefused, ChannelError, ConnectionForced, NotAllowed
from ..wire.methods import (
    BasicPublish,
    ChannelClose,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionBlocked,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionUnblocked,
    ConnectionUpdateSecret,
    ConnectionUpdateSecretOk,
)
from ..wire.reader import HEARTBEAT, Reader
from ..wire.schema import Method
from ..wire.spec import HEARTBEAT_FRAME, FramingError, ProtocolError, ReplyCode
from ..wire.writer import Chunk, Outbox
from .channel import Channel, ClosingChannel
from .commands import Commands
from .handshake import INITIAL_FRAME_MAX, Handshake, LoginDenied, Refused, greeting
from .heartbeat import Heartbeat
from .inquiry import Inquiry, Undecided
from .tenure import Tenure, tenure_of

REPLY_LIMIT: Final = 1 << 20
"""Bytes that may wait for a peer that does not read before it is not read either."""

SLICE: Final = 0.001
"""Seconds of a turn that one peer's commands may take, publishes and acks apart; the rest of them has to wait."""

LEAST_PACE: Final = 10_000.0
"""Messages a second that consumers take, above which a publisher that is ahead of them keeps their pace."""

LONGEST_REST: Final = 0.02
"""Seconds such a publisher is not read for, at most."""

CLOSE_TIMEOUT: Final = 30.0
"""Seconds to wait for close-ok."""

SILENT_DELAY: Final = 3.0
"""Seconds before the socket of a client that was refused, or talks nonsense, is closed: it is not to try again soon."""


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What the broker offers and demands of every connection."""

    channel_max: int = 2047  # channels open at a time; 0 = no limit
    channels_per_node: int = 0  # channels open at a time, in the whole broker; 0 = no limit
    consumer_max: int = 0  # consumers at a time on a channel; 0 = no limit
    max_connections: int = 0  # open at a time, in the whole broker; 0 = no limit
    frame_max: int = 131072  # bytes; 0 = no limit
    frame_min: int = 4096
    heartbeat: int = 60  # seconds, proposed to clients; 0 = none
    handshake_timeout: float = 10.0  # seconds until a connection must be open
    max_message_size: int = 128 << 20  # bytes
    lag_limit: int = 64 << 20  # bytes not yet on disk, above which publishers are not read
    server_properties: Mapping[str, Any] = field(default_factory=lambda: {"capabilities": {}})
    mechanisms: Mapping[str, Mechanism] = field(default_factory=lambda: on_offer(("PLAIN", "AMQPLAIN")))
    greeting: bytes = field(init=False, repr=False)  # the frame that tells them, the same for all

    def __post_init__(self) -> None:
        object.__setattr__(self, "greeting", greeting(self.server_properties, self.mechanisms))

    def announce(self, **properties: Any) -> None:
        """Tell clients that connect from now on something else."""
        object.__setattr__(self, "server_properties", {**self.server_properties, **properties})
        self.__post_init__()


class Connection:
    """One client's session. See the package for what its driver must do."""

    def __init__(
        self,
        broker: Broker,
        authenticator: Authenticator,
        authorizer: Authorizer,
        settings: ConnectionSettings,
        peer: Peer,
        log: Any,
        wake: Callable[[], None],
        admitted: Callable[[], None] | None = None,
    ) -> None:
        self.broker = broker
        self.authenticator = authenticator
        self.authorizer = authorizer
        self.settings = settings
        self.peer = peer
        self.log = log.bind(peer=str(peer))
        self.closed = False  # nothing more will come: send what is left, then close the socket
        self.hasty = False  # publishes faster than consumers take: read it in small bites
        self.backlog = False  # commands came in that are not handled yet: see `go_on`
        self.client_properties: dict[str, Any] = {}
        self.user: User | None = None
        self.vhost: VHost | None = None
        self.channel_max = settings.channel_max
        self.heartbeat = settings.heartbeat  # seconds, as agreed
        self.mechanism = ""  # by which the user logged in
        self.connected_at = 0.0  # when it was opened, in seconds since 1970
        self.bytes_received = 0
        self.bytes_sent = 0
        self.reads = 0  # pieces in which they came
        self.writes = 0

        self.outbox = Outbox(settings.frame_max)
        self.outlet = Outlet(wake)
        self.channels: dict[int, Channel | ClosingChannel] = {}
        self.to_settle: dict[Channel, None] = {}
        self.holding: dict[Channel, None] = {}  # those with answers that wait for a commit
        self.acking: dict[Channel, None] = {}  # those with publishes to ack

        self.inquiry = Inquiry()  # of the command at hand
        self._again = False  # it was abandoned, and is to be handled again

        self._reader = Reader(INITIAL_FRAME_MAX, settings.max_message_size)
        self._commands = Commands(self._reader)
        self._handshake: Handshake | None = Handshake(self)  # until the connection is open
        self._header_seen = False
        self._closing = False  # our connection.close is out
        self._gone = False  # what belonged to it is released
        self._deaf = False  # what still comes in is not looked at
        self._admitted = admitted  # to be called once somebody has logged in
        self._slice_ends = 0.0  # when what comes in is left for the next turn; 0 = not known yet
        self._deadline: float | None = broker.clock.now() + settings.handshake_timeout
        self._verdict = ""  # why its login was refused, which the client hears at the deadline
        self._heartbeat: Heartbeat | None = None
        self._tenure: Tenure | None = None

        self._writable = True
        self._overtaken = 0  # `Memory.overtaken` when it was looked at last
        self._paged_out = 0  # `Memory.paged_out` likewise
        self._lagging = False  # not read until the disk has caught up
        self._resting = False  # not read for a moment: consumers are to keep up
        self._blocked = False  # not read until an alarm is cleared

    # --- what a driver calls

    @property
    def reading(self) -> bool:
        """Whether the socket is to be read."""
        if self._lagging or self._blocked or self._resting or self.backlog or self.inquiry.waiting:
            return False
        return (self._writable and not self.holding) or self._may_answer

    @property
    def expecting(self) -> int:
        """Bytes of a body that are known to come next."""
        return self._reader.expecting

    def receive_data(self, data: bytes) -> None:
        """Take in what the peer sent."""
        self.bytes_received += len(data)
        self.reads += 1
        if self._heartbeat is not None:
            self._heartbeat.received = True
        if self._deaf or self.closed:
            return
        if not self._header_seen:
            assert self._handshake is not None
            rest = self._handshake.receive_header(data)
            if rest is None:
                return
            self._header_seen = True
            data = rest
        self._reader.feed(data)
        if self._blocked:
            self.backlog = True
        elif not self.inquiry.waiting and (not self.backlog or self._may_answer):
            self._work()

    def go_on(self) -> bool:
        """Handle more of the backlog. False when that has to wait: `wake` is called once there is reason to try again.

        To be called in the turn after one that left a backlog.
        """
        if self._deaf or self.closed:
            self.backlog = False
        elif self._may_answer and not self.inquiry.waiting and not self._blocked:
            self._work()
            return True
        return False

    def receive_eof(self) -> None:
        """The peer is gone, or has closed its side."""
        if not self.closed:
            if self.vhost is not None and not self._closing:
                self.log.warning("connection lost", vhost=self.vhost.name)
            self.finish("socket closed")

    def data_to_send(self) -> list[Chunk]:
        """What is to be written to the socket now, in order. None while the socket takes no more."""
        outlet = self.outlet
        outlet.woken = False
        if self.acking:
            acking, self.acking = self.acking, {}
            for channel in acking:
                channel.send_acks()
        if not self._writable and not self.closed:
            return []
        if self._heartbeat is not None and self.outbox.size > len(HEARTBEAT_FRAME):
            self._heartbeat.sent = True  # a heartbeat alone does not put off the next
        self.bytes_sent += self.outbox.size
        chunks = self.outbox.take()
        self.writes += len(chunks)
        outlet.pending = sum([channel.held_bytes for channel in self.holding]) if self.holding else 0
        if not outlet.open and outlet.pending <= outlet.limit:
            outlet.open = True
            self._resume_consumers()
        return chunks

    def set_writable(self, writable: bool) -> None:
        """Whether the socket takes more at present."""
        self._writable = writable
        if writable:
            self.wake()

    def deadline(self) -> float | None:
        """When `tick` is to be called; None for never."""
        deadline = self._deadline
        if self._tenure is not None:
            deadline = self._tenure.due if deadline is None else min(self._tenure.due, deadline)
        if self._heartbeat is None:
            return deadline
        return self._heartbeat.due if deadline is None else min(self._heartbeat.due, deadline)

    def tick(self, now: float) -> None:
        """Do what is due: heartbeats, and the end of waiting."""
        if self._deadline is not None and now >= self._deadline:
            if self._handshake is not None and self.inquiry.waiting:
                self._wait_no_longer(now)
                return
            if self._handshake is not None and not self._deaf:
                self.log.warning("handshake timed out")
            if self._verdict:
                verdict, self._verdict = self._verdict, ""
                self._deaf = False
                self._close_refused(AccessRefused(verdict, 0))
                self.wake()
                return
            self.finish("time is up")
            return
        if self._tenure is not None and now >= self._tenure.due:
            self._look_after(self._tenure, now)
        heartbeat = self._heartbeat
        if heartbeat is not None and now >= heartbeat.due:
            send, dead = heartbeat.check(now, watching=self.reading)
            if dead:
                self.log.warning("missed heartbeats from client")
                self.outbox.take()  # no close frame: the peer is not there to read it
                self.finish("missed heartbeats")
            elif send and not self._closing:
                self.outbox.write(HEARTBEAT_FRAME)
                self.wake()

    def close(self, code: ReplyCode, explanation: str) -> None:
        """Close the connection from our side, as when the broker stops."""
        if self.closed or self._closing or self._deaf:
            return
        if self.vhost is None:
            self.finish(explanation)
        else:
            self._close(ProtocolError(code, explanation, 0))
            self.wake()

    def permissions_changed(self) -> None:
        """What the user may do has changed: it is asked again before the next operation."""
        for channel in self.open_channels():
            channel.forget_permissions()

    # --- what the broker knows it by

    @property
    def name(self) -> str:
        """Both ends, as in `127.0.0.1:53412 -> 127.0.0.1:5672`."""
        return str(self.peer)

    @property
    def username(self) -> str:
        return self.user.name if self.user is not None else ""

    @property
    def vhost_name(self) -> str:
        return self.vhost.name if self.vhost is not None else ""

    @property
    def held_bytes(self) -> int:
        """See `OpenConnection`."""
        return self._unsent + self._reader.held_bytes

    @property
    def state(self) -> str:
        """What it does at present, in RabbitMQ's words."""
        if self._closing or self.closed:
            return "closing"
        if self._blocked:
            return "blocked"
        if self._lagging or self._resting:
            return "flow"
        return "running"

    def open_channels(self) -> list[Channel]:
        return [channel for channel in self.channels.values() if isinstance(channel, Channel)]

    # --- what channels and the handshake call

    def wake(self) -> None:
        """Tell the driver that there is something to send, or that `reading` or `closed` changed."""
        self.outlet.wake()

    def release(self, held: Outbox) -> None:
        """Send what a channel held back until a commit."""
        if not self._closing and not self.closed:
            self.outbox.move(held)
            self.wake()

    def client_can(self, capability: str) -> bool:
        """Whether the client announced a capability."""
        capabilities = self.client_properties.get("capabilities")
        return isinstance(capabilities, dict) and capabilities.get(capability) is True

    def open_channel(self, number: int) -> None:
        """Raises NotAllowed when as many are open as was negotiated, or as the user or the broker may have."""
        if self.channel_max and len(self.channels) >= self.channel_max:
            raise NotAllowed(
                f"number of channels opened ({len(self.channels)}) has reached the negotiated channel_max"
                f" ({self.channel_max})",
                method_id=0,
            )
        assert self.user is not None
        assert self.vhost is not None
        limit = self.authorizer.limit(self.user, MAX_CHANNELS)
        if limit is not None and self.broker.connections.channels_of_user[self.user.name] >= limit:
            raise NotAllowed(
                f"number of channels opened for user '{self.user.name}' has reached the maximum allowed user limit of"
                f" {limit}",
                method_id=0,
            )
        most = self.settings.channels_per_node
        if most and self.broker.connections.channels >= most:
            raise NotAllowed(
                f"number of channels opened on node '{self.broker.node}' has reached the maximum allowed limit of"
                f" {most}",
                method_id=0,
            )
        channel = self.channels[number] = Channel(number, self, self.user, self.vhost)
        if any(former.number == number for former in self.holding):
            channel.reply_when_durable(ChannelOpenOk())  # not before what the number's former channel is owed
        else:
            channel.reply(ChannelOpenOk())

    def fail_channel(self, number: int, error: ProtocolError) -> None:
        """Close a channel, for something it did not ask for just now."""
        self._fail(error, number)
        self.wake()

    def tune(self, channel_max: int, frame_max: int, heartbeat: int) -> None:
        """Put into force what was negotiated."""
        self.channel_max = channel_max
        self.heartbeat = heartbeat
        # RabbitMQ takes payloads of frame-max octets, although the frame is larger then
        self._reader.frame_limit = frame_max or 0xFFFFFFFF
        self.outbox.frame_max = frame_max
        if heartbeat:
            self._heartbeat = Heartbeat(heartbeat, self.broker.clock.now())

    def run(self, vhost: VHost) -> None:
        """The handshake is over."""
        self.vhost = vhost
        self._handshake = None
        self._deadline = None
        self.broker.alarms.listen(self._alarms_changed)
        self.connected_at = self.broker.clock.time()
        self.broker.connections.enter(self)
        assert self.user is not None
        self._tenure = tenure_of(self.user, self.broker.clock)
        self.log.info("connection opened", user=self.user.name, vhost=vhost.name)
        if self.broker.events.listeners:
            self._tell_opened(self.user, vhost)

    def finish(self, reason: str) -> None:
        """Be done with the peer: release all it held, and let the driver close the socket."""
        if self.closed:
            return
        self.closed = True
        self._handshake = self._tenure = None
        self.inquiry.drop()
        self._admitted = None
        self._tear_down()
        self.log.debug("connection closed", reason=reason)
        self.wake()
        self.outlet.shut()  # or the driver and we would keep each other

    # --- what events say of it

    @property
    def pid(self) -> str:
        """What events know it by, as RabbitMQ's know a connection by its process."""
        return f"{self.broker.node}.{id(self):x}"

    def tell_of_login(self, mechanism: str, name: str, error: str | None) -> None:
        """Somebody has logged in, or not, for this reason."""
        self.mechanism = mechanism
        if error is None and self._admitted is not None:
            self._admitted()
            self._admitted = None
        events = self.broker.events
        if events.listeners:
            fields = {"connection_type": "network", "connection_name": str(self.peer)}
            if name:
                fields["name"] = name
            if error is None:
                events.tell("user.authentication.success", **fields, **self._ends)
            else:
                events.tell("user.authentication.failure", **fields, **self._ends, error=error)

    @property
    def _ends(self) -> dict[str, Any]:
        peer = self.peer
        return {
            "host": peer.local_host,
            "port": peer.local_port,
            "peer_host": peer.host,
            "peer_port": peer.port,
            "protocol": "{0,9,1}",
            "auth_mechanism": self.mechanism,
            "ssl": peer.encryption is not None,
            **(peer.encryption.fields if peer.encryption is not None else {}),
        }

    def _tell_opened(self, user: User, vhost: VHost) -> None:
        events = self.broker.events
        with events.acting(user.name):
            events.tell(
                "connection.created",
                pid=self.pid,
                name=str(self.peer),
                **self._ends,
                user=user.name,
                vhost=vhost.name,
                timeout=self.heartbeat,
                frame_max=self.outbox.frame_max,
                channel_max=self.channel_max,
                client_properties=self.client_properties,
                connected_at=int(self.connected_at * 1000),
                node=self.broker.node,
                type="network",
                **self.given_name,
            )

    def _tell_closed(self) -> None:
        self.broker.events.tell(
            "connection.closed",
            pid=self.pid,
            name=str(self.peer),
            node=self.broker.node,
            client_properties=self.client_properties,
            **self.given_name,
        )

    @property
    def given_name(self) -> dict[str, str]:
        """What the client calls the connection, if it does, under the name that RabbitMQ has for that."""
        name = self.client_properties.get("connection_name")
        return {"user_provided_name": name} if isinstance(name, str) else {}

    # --- commands

    def _work(self) -> None:
        """Handle what came in, or as much of it as a turn has time for."""
        memory = self.broker.memory
        self._overtaken = memory.overtaken
        self._paged_out = memory.paged_out
        self.backlog = False
        self._slice_ends = 0.0
        self._commands.alarmed = bool(self.broker.alarms.reason)
        while not self._handle_commands():
            if self._is_enough():
                break
        self._settle()

    def _is_enough(self) -> bool:
        """Whether what else came in is to wait: the peer had its share of the turn, or too many answers wait for it."""
        now = self.broker.clock.now()
        if not self._slice_ends:
            self._slice_ends = now + SLICE
        elif now >= self._slice_ends:
            self.backlog = True
        if self.outbox.size >= REPLY_LIMIT or (self.holding and not self._may_answer):
            self.backlog = True
        return self.backlog

    def _handle_commands(self) -> bool:
        """Handle commands until the data at hand is used up or one has to wait (true), or one of them fails (false)."""
        reader = self._reader
        try:
            if self._again and not self._handle_again():
                return True
            self._commands.handle(self.channels, self._handle, self._is_enough)
            if self._commands.held:
                self._commands.held = False
                self._hold()
        except Undecided as undecided:
            self.backlog = False
            self._again = True
            self.inquiry.wait(undecided, self._decided)
        except Refused as refusal:
            self._fall_silent(str(refusal))
        except FramingError as error:
            self._fail_stream(error)
        except ProtocolError as error:
            if error.method_id is None:
                error.method_id = reader.method_id
            self._fail(error, reader.channel)
            return self._deaf or self.closed
        return True

    def _handle(self, channel: Channel | ClosingChannel | None) -> bool:
        """Handle a command that is not among the most frequent. False when what follows is not to be looked at."""
        reader = self._reader
        if channel is not None:
            channel.handle(reader.method())
            return not self._is_enough()
        if reader.method_id == HEARTBEAT:
            return True
        if reader.channel == 0:
            self._handle_connection_method(reader.method())
        elif self._handshake is not None:
            self._handshake.channel_frame()
        elif not self._closing:
            if reader.method_id != ChannelOpen.id:
                raise ChannelError("expected 'channel.open'")
            self.open_channel(reader.channel)
        return not self._deaf and not self.closed and not self._is_enough()

    def _handle_again(self) -> bool:
        """Handle the command that was abandoned, now that its question is answered. False as `_handle` has it."""
        self._again = False
        reader, commands = self._reader, self._commands
        channel = self.channels.get(reader.channel)
        with self.inquiry:
            if reader.method_id != BasicPublish.id or channel is None or channel.publishing is None:
                return self._handle(channel)
            commands.published += 1
            if channel.publishing.publish(reader.arguments, reader.header, reader.body):
                commands.stored = True
            return not self._is_enough()

    def _hold(self) -> None:
        """A message came while there is an alarm: it waits until that is over, and so does all that comes after it.

        As in RabbitMQ, which stops at its content header: without a body it is whole with that, and not held.
        """
        self._again = True
        if not self._reader.body:
            self._handle_again()
        self.backlog = True
        self._block()

    def _decided(self) -> None:
        """The command at hand may be handled again, and then those that came after it: in a turn of their own."""
        self.backlog = True
        if self._heartbeat is not None:
            self._heartbeat.received = True  # what it sent meanwhile is still to be read
        self.wake()

    def _wait_no_longer(self, now: float) -> None:
        """The handshake took too long, through no fault of the client's: it is refused, and not left without a word."""
        self._deadline = now + SILENT_DELAY
        reason = "nobody has said yet whether they may, and the time for a handshake is up"
        answer = Refusal(reason, failed=True) if self.user is None else Denied(failed=True)
        self.log.warning("gave up waiting for an authentication backend")
        self.inquiry.take_for_answer(answer, self._decided)

    def _look_after(self, tenure: Tenure, now: float) -> None:
        if not tenure.check(now):
            self.permissions_changed()
            return
        self.log.warning("credential has expired", user=self.username)
        self._close(ConnectionForced("credential expired", 0))
        self.wake()

    def _handle_connection_method(self, method: Method) -> None:
        if self._handshake is not None:
            self._handshake.handle(method)
        elif isinstance(method, ConnectionClose):
            self._tear_down()
            self.outbox.method(0, ConnectionCloseOk())
            if not self._closing:  # else its close-ok is still to come
                self.finish("closed by the client")
        elif self._closing:
            if isinstance(method, ConnectionCloseOk):
                self.finish("closed by the broker")
        elif isinstance(method, ConnectionUpdateSecret):
            self._update_secret(method)
        else:
            raise ChannelError("unexpected method in connection state running")

    def _update_secret(self, method: ConnectionUpdateSecret) -> None:
        """Raises NotAllowed when the new secret is refused, or the vhost with it; Undecided, see `inquiry`."""
        assert self.user is not None
        assert self.vhost is not None
        ask, authorizer = self.inquiry.ask, self.authorizer
        user = ask("secret", partial(self.authenticator.update_secret, self.user, method.new_secret, self.peer))
        if isinstance(user, Refusal) and user.failed:
            self.log.error("secret update failed", user=self.user.name, reason=user.reason)
            raise NotAllowed("Secret update failed")
        if isinstance(user, Refusal) or user.name != self.user.name:
            reason = user.reason if isinstance(user, Refusal) else f"it is of user '{user.name}'"
            self.log.error("new secret refused", user=self.user.name, reason=reason)
            raise NotAllowed("New secret was refused by one of the backends")
        verdict = ask("vhost", partial(authorizer.may_enter, user, self.vhost.name, self.peer))
        if not verdict:
            raise NotAllowed(f"access to vhost '{self.vhost.name}' refused for user '{user.name}'{addition(verdict)}")
        refused = [(channel, channel.consumers_refused(user)) for channel in self.open_channels()]
        self.user = user
        self._tenure = tenure_of(user, self.broker.clock)
        self.log.info("secret updated", user=user.name, reason=method.reason)
        self.outbox.method(0, ConnectionUpdateSecretOk())
        for channel, consumers in refused:
            channel.user_updated(user, consumers)

    def _settle(self) -> None:
        """End the handling of one piece of input: what it changed shares one commit."""
        commands = self._commands
        blocked = self.broker.alarms.reason and (commands.published or self._reader.in_content)
        if blocked and not self._closing and not self.closed:
            self._block()  # also for a message that may never get whole: it takes memory, too
        if self.to_settle:
            channels, self.to_settle = self.to_settle, {}
            for channel in channels:
                channel.settle()
        self.hasty = False
        if commands.published:
            memory = self.broker.memory
            for_disk = commands.stored or memory.paged_out != self._paged_out
            published = commands.published
            commands.published = 0
            commands.stored = False
            self.hasty = memory.overtaken != self._overtaken
            if self.hasty and memory.used > memory.limit // 2:
                self._keep_pace(published)
            if for_disk and not self._closing and not self.closed and self._ahead_of_disk():
                self._lagging = True
                self.broker.when_caught_up(self._caught_up)

    def _ahead_of_disk(self) -> bool:
        broker = self.broker
        return broker.lag > min(self.settings.lag_limit, broker.lag_limit)

    # --- errors

    def _fail(self, error: ProtocolError, number: int) -> None:
        """A command was objected to: close its channel, or the connection."""
        channel = self.channels.get(number)
        if self._closing:
            return  # nothing but close and close-ok matters any more
        if self._handshake is not None and not self._handshake.opening:
            self._refuse_login(error)
        elif error.closes_connection or not isinstance(channel, Channel):
            self._close(error)
        else:
            self.log.error("channel error", category="channel", channel=number, text=error.reply_text)
            channel.close()
            channel.reply(ChannelClose(error.code, error.reply_text, *_blamed(error)))
            self.channels[number] = ClosingChannel(channel)

    def _close(self, error: ProtocolError) -> None:
        self.log.error("connection error", text=error.reply_text)
        self._tear_down()
        self._closing = True
        self._blocked = self._lagging = self._resting = False  # its close-ok is to be read
        if self.inquiry.waiting:
            self.backlog = True  # what came after the command that waited
        self.inquiry.drop()
        self._again = False
        self._handshake = self._tenure = None  # should it have been going on
        self._deadline = self.broker.clock.now() + CLOSE_TIMEOUT
        self.outbox.method(0, ConnectionClose(error.code, error.reply_text, *_blamed(error)))

    def _fail_stream(self, error: FramingError) -> None:
        """Nothing after this can be understood, so no close-ok either."""
        if self._handshake is not None and not self._handshake.opening:
            self._fall_silent(error.explanation)
            return
        if not self._closing:
            self._close(error)
        self._deaf = True
        self._deadline = self.broker.clock.now() + SILENT_DELAY

    def _refuse_login(self, error: ProtocolError) -> None:
        delay = error.delay if isinstance(error, LoginDenied) else 0.0
        if not isinstance(error, LoginDenied) or not self.client_can("authentication_failure_close"):
            self._fall_silent(error.explanation, max(delay, SILENT_DELAY))
        elif delay:
            self._verdict = error.explanation
            self._fall_silent(error.explanation, delay)
        else:
            self._close_refused(error)

    def _close_refused(self, error: ProtocolError) -> None:
        self._close(error)
        self._deadline = self.broker.clock.now() + SILENT_DELAY

    def _fall_silent(self, reason: str, delay: float = SILENT_DELAY) -> None:
        self.log.warning("handshake failed", reason=reason)
        self._deaf = True
        self._deadline = self.broker.clock.now() + delay

    # --- flow

    @property
    def _unsent(self) -> int:
        return self.outbox.size + sum([channel.held_bytes for channel in self.holding])

    @property
    def _may_answer(self) -> bool:
        """Whether there is room for more answers."""
        return self._unsent < REPLY_LIMIT

    def _resume_consumers(self) -> None:
        consumers = [consumer for channel in self.open_channels() for consumer in channel.consumers.values()]
        for consumer in by_priority(consumers):
            consumer.queue.unpark(consumer)

    def _keep_pace(self, published: int) -> None:
        """Rest for as long as consumers take for so many messages, where they are quick.

        Else queues would grow until they page, and paging costs more than all the rest. Slow consumers are not waited
        for: what is published for them is stored.
        """
        clock = self.broker.clock
        consumption = self.broker.memory.consumption(clock.now())
        if consumption > LEAST_PACE:
            self.hasty = False  # in whole pieces, with rests between them
            self._resting = True
            clock.call_later(min(published / consumption, LONGEST_REST), self._rested)

    def _rested(self) -> None:
        self._resting = False
        self.wake()

    def _caught_up(self) -> None:
        self._lagging = False
        self.wake()

    def _block(self) -> None:
        if not self._blocked:
            self._blocked = True
            if self.client_can("connection.blocked"):
                self.outbox.method(0, ConnectionBlocked(self.broker.alarms.reason))

    def _alarms_changed(self) -> None:
        if self._lagging and self.broker.alarms.reason and not self._closing:
            self._block()  # it publishes, and may not be read again before the alarm is over
            self.wake()
        if self._blocked and not self.broker.alarms.reason:
            self._blocked = False
            if self._heartbeat is not None:
                self._heartbeat.received = True  # what it sent meanwhile is still to be read
            if self.client_can("connection.blocked"):
                self.outbox.method(0, ConnectionUnblocked())
            self.wake()

    def _tear_down(self) -> None:
        """Close all channels and forget what belonged to this connection alone. Sends nothing; may be repeated."""
        events = self.broker.events
        if events.listeners and self.user is not None and self.vhost is not None:
            with events.acting(self.user.name):
                self._release()
                if not self._gone:
                    self._tell_closed()
        else:
            self._release()
        self._gone = True

    def _release(self) -> None:
        channels, self.channels = self.channels, {}
        self.outlet.open = False  # what one channel returns must not go to the consumers of the next
        for channel in channels.values():
            if isinstance(channel, Channel):
                channel.close()
        if self.vhost is not None:
            self.vhost.delete_exclusive_queues(self)
        self.broker.alarms.unlisten(self._alarms_changed)
        self.broker.connections.leave(self)


def _blamed(error: ProtocolError) -> tuple[int, int]:
    """The class id and method id that a close method names; 0 and 0 for none."""
    return divmod(error.method_id or 0, 1 << 16)
