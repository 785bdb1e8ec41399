"""How long clients of the HTTP API are waited for: who sends slowly, or reads nothing, holds no connection for ever.

The limits are those of RabbitMQ's web server, Cowboy: a request's head has to come within `request`, its body without a
pause longer than `idle`, and an answer has to be read without one, too. What Cowboy has not: a body has to be complete
within `body`. While it is our turn, the client may wait as long as it likes.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..clock import Clock, Timer

if TYPE_CHECKING:
    import asyncio

LATE: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Patience(NamedTuple):
    """Seconds; 0 = for ever."""

    request: float = 5.0
    idle: float = 60.0
    body: float = 300.0


class Stage(Enum):
    """What is waited for."""

    REQUEST = auto()  # the head of one, when it is the first, or has begun
    NEXT_REQUEST = auto()  # on a connection that was of use
    BODY = auto()
    ANSWER = auto()  # by us
    CLOSE = auto()  # until all that was written is read


class PatientProtocol(H11Protocol):
    """A connection of uvicorn's, with a timer. Uvicorn itself counts between requests only."""

    def __init__(self, clock: Clock, patience: Patience, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._patience = patience
        self._stage = Stage.REQUEST
        self._since = clock.now()  # the stage began
        self._moved = self._since  # something came, or was read, last
        self._unread = 0  # bytes we had written and the client had not read, when that was looked at last
        self._timer: Timer | None = None
        self._lost = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def _watch(self) -> None:
        """Something moved: see what is waited for now, and how long that may take."""
        if self._lost:
            return
        self._moved = self._clock.now()
        stage = self._look()
        if stage is not self._stage:
            self._stage = stage
            self._since = self._moved
        deadline = self._deadline()
        if deadline < math.inf and (self._timer is None or deadline < self._timer.when):
            self._set_timer(deadline)

    def _look(self) -> Stage:
        if self.transport.is_closing():
            return Stage.CLOSE
        if self.conn.their_state is h11.SEND_BODY:
            return Stage.BODY
        if self.cycle is not None and not self.cycle.response_complete:
            return Stage.ANSWER
        return Stage.REQUEST if self.cycle is None or self.conn.trailing_data[0] else Stage.NEXT_REQUEST

    def _deadline(self) -> float:
        """When the client will have had its time; infinite while it is not its turn."""
        request, idle, body = [limit or math.inf for limit in self._patience]
        if self._stage is Stage.REQUEST:
            return self._since + request
        if self._stage is Stage.BODY:
            return min(self._moved + idle, self._since + body)
        if self._stage is Stage.ANSWER and not self.flow.write_paused:
            return math.inf
        return self._moved + idle

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_at(when, self._look_again)

    def _look_again(self) -> None:
        """The moment that was set has come; much may have happened since it was."""
        self._timer = None
        unread = self.transport.get_write_buffer_size()
        if self._stage is Stage.BODY and self.flow.read_paused:  # by us: the handler has other things to do
            self._moved = self._since = self._clock.now()
        elif unread < self._unread:
            self._moved = self._clock.now()
        self._unread = unread
        deadline = self._deadline()
        if deadline > self._clock.now():
            if deadline < math.inf:
                self._set_timer(deadline)
        elif unread:
            self.transport.abort()
        else:
            self._give_up()

    def _give_up(self) -> None:
        answered = self.cycle is not None and self.cycle.response_started
        begun = self._stage is Stage.REQUEST and b"\n" in self.conn.trailing_data[0]
        if begun or (self._stage is Stage.BODY and not answered):
            self.transport.write(LATE)
        self.transport.close()
