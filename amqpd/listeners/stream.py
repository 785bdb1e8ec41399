"""Drives sessions over sockets.

One turn of the loop: sockets are read, sessions handle what came, queues hand messages to other sessions; then each
session that has something to send is flushed, once. N deliveries to a consumer are one write.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, cast

from ..clock import Clock, Timer
from ..wire.spec import ReplyCode
from .base import Session

WRITE_HIGH: Final = 512 << 10
"""Bytes a socket may owe before its session hears that the peer is slow."""

WRITE_LOW: Final = 128 << 10

READ_SIZE: Final = 64 << 10
"""Bytes taken from a socket in one turn, so that a peer which sends without end leaves time for the others."""

BULK_SIZE: Final = 512 << 10
"""Bytes taken in one turn from a peer that is in the middle of something large."""

BITE_SIZE: Final = 4 << 10
"""Bytes taken in one turn from a peer that publishes faster than consumers take."""

LONG_TURN: Final = 0.05
"""Seconds of processor time a turn may take before less is taken from each socket, in the next one."""

LINGER: Final = 5.0
"""Seconds a closed session's last bytes may take to leave, before the socket is closed without them."""


SEND_TIMEOUT: Final = 30.0
"""Seconds until a peer that takes nothing of what waits for it is given up, unless settings say otherwise."""


class Turn:
    """The sessions to flush at the end of the loop's turn, and the buffer they all read into.

    Where many send without end, a turn gets long, and whoever asks for little waits for the turns of all others. So
    what is read at a time follows how long turns take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.read_size = READ_SIZE  # to be taken from a socket at a time
        self._loop = loop
        self._began = 0.0
        self._dirty: dict[StreamProtocol, None] = {}
        self._postponed: dict[StreamProtocol, None] = {}
        self.buffer = memoryview(bytearray(BULK_SIZE))  # what was read last; used up before the next read

    def add(self, protocol: StreamProtocol) -> None:
        """Flush this one when the turn ends."""
        if not self._dirty:
            self._began = time.thread_time()
            self._loop.call_soon(self._end)
        self._dirty[protocol] = None

    def postpone(self, protocol: StreamProtocol) -> None:
        """Go on with what this one's peer asked for in the next turn, so that others get theirs."""
        if not self._postponed:
            self._loop.call_soon(self._go_on)
        self._postponed[protocol] = None

    def _go_on(self) -> None:
        postponed, self._postponed = self._postponed, {}
        for protocol in postponed:
            protocol.go_on()

    def _end(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for protocol in dirty:
            protocol.flush()
        taken = time.thread_time() - self._began
        if taken > LONG_TURN:
            self.read_size = max(BITE_SIZE, self.read_size // 2)
        elif self.read_size < READ_SIZE and taken < LONG_TURN / 2:
            self.read_size *= 2


MakeSession = Callable[["StreamProtocol", asyncio.Transport, Callable[[], None]], Session]
"""Makes the session of a new connection from its protocol, its transport and a `wake` callback."""


class StreamProtocol(asyncio.BufferedProtocol):
    """One socket and its session."""

    def __init__(
        self,
        make_session: MakeSession,
        clock: Clock,
        turn: Turn,
        lost: Callable[[StreamProtocol], None],
        log: Any,
        send_timeout: float = SEND_TIMEOUT,
    ) -> None:
        self._send_timeout = send_timeout
        self._owed = 0  # bytes that waited for the peer when that was last looked at
        self._patience: Timer | None = None  # until it is looked at again
        self._make_session = make_session
        self._clock = clock
        self._turn = turn
        self._lost = lost  # called when the socket is gone
        self._log = log
        self._reading = True
        self._asked = READ_SIZE  # bytes asked for in the read under way
        self._timer: Timer | None = None
        self._armed: float | None = None  # the deadline the timer is set for
        self._transport: asyncio.Transport
        self.session: Session

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
        self.session = self._make_session(self, self._transport, self.wake)
        self._arm()

    def get_buffer(self, sizehint: int) -> memoryview:
        session = self.session
        if session.expecting > BITE_SIZE and self._turn.read_size == READ_SIZE:
            self._asked = BULK_SIZE
        else:
            self._asked = BITE_SIZE if session.hasty else self._turn.read_size
        return self._turn.buffer[: self._asked]

    def buffer_updated(self, nbytes: int) -> None:
        self._turn.add(self)
        try:
            self.session.receive_data(bytes(self._turn.buffer[:nbytes]))
        except Exception:  # noqa: BLE001 - see _broken
            self._broken()
        if self._reading and (nbytes == self._asked or self.session.backlog):
            # there may be more, and the loop would go on reading it at once; the flush resumes
            self._reading = False
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Let the session go on with its backlog."""
        if self._transport.is_closing():
            return
        try:
            progress = self.session.go_on()
        except Exception:  # noqa: BLE001 - see _broken
            self._broken()
            progress = True
        if progress:
            self._turn.add(self)

    def eof_received(self) -> bool:
        self._turn.add(self)
        self.session.receive_eof()
        return True  # the transport stays open until the flush has closed it

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._cancel_patience()
        try:
            self.session.receive_eof()
        finally:
            self._lost(self)

    def pause_writing(self) -> None:
        self._wait_for_peer()
        self.session.set_writable(False)

    def resume_writing(self) -> None:
        self._cancel_patience()
        self.session.set_writable(True)

    def wake(self) -> None:
        """The session has something to send, or changed its mind about reading."""
        self._turn.add(self)

    def flush(self) -> None:
        """Write what the session has to send; follow its wishes about reading, closing, and being ticked."""
        transport = self._transport
        if transport.is_closing():
            return
        session = self.session
        try:
            chunks = session.data_to_send()
        except Exception:  # noqa: BLE001 - a bug of ours
            self._log.exception("internal error in a connection")
            self.abort()  # what it says cannot be sent, not even a farewell
            return
        if len(chunks) == 1:
            transport.write(chunks[0])
        elif chunks:
            transport.writelines(chunks)
        if session.closed:
            self._disarm()
            transport.close()
            self._timer = self._clock.call_later(LINGER, transport.abort)
            return
        if session.backlog:
            self._turn.postpone(self)
        if session.reading is not self._reading:
            self._reading = session.reading
            if self._reading:
                transport.resume_reading()
            else:
                transport.pause_reading()
        self._arm()

    def abort(self) -> None:
        """Close the socket at once, whatever is unsent."""
        self._transport.abort()

    def _wait_for_peer(self) -> None:
        self._owed = self._transport.get_write_buffer_size()
        if self._send_timeout:
            self._patience = self._clock.call_later(self._send_timeout, self._look_at_peer)

    def _look_at_peer(self) -> None:
        """A peer that has taken nothing all the time is given up, as RabbitMQ does, heartbeats or not."""
        if self._transport.get_write_buffer_size() < self._owed:
            self._wait_for_peer()
            return
        self._patience = None
        address = self._transport.get_extra_info("peername") or ("somebody", 0)
        self._log.warning("client takes nothing of what is sent to it", peer=f"{address[0]}:{address[1]}")
        self.abort()

    def _cancel_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _broken(self) -> None:
        """A bug of ours: it costs this connection, and no other."""
        self._log.exception("internal error in a connection")
        try:
            self.session.close(ReplyCode.INTERNAL_ERROR, "internal error")
        except Exception:  # noqa: BLE001 - the socket can still be closed
            self._log.exception("internal error while closing a connection")
            self.abort()

    def _arm(self) -> None:
        deadline = self.session.deadline()
        if deadline != self._armed:
            self._disarm()
            if deadline is not None:
                self._armed = deadline
                self._timer = self._clock.call_at(deadline, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._armed = None

    def _tick(self) -> None:
        self._timer = self._armed = None
        try:
            self.session.tick(self._clock.now())
        except Exception:  # noqa: BLE001 - see _broken
            self._broken()
        self.flush()
