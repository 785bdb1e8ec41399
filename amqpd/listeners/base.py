"""What a driver of sessions expects of one, whatever its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..wire.spec import ReplyCode


class Session(Protocol):
    """A protocol's side of one peer, without I/O. It is built with a `wake` callback, which it calls when something
    other than the calls below gave it bytes to send, or changed `reading` or `closed`.
    """

    @property
    def closed(self) -> bool:
        """Whether the socket is to be closed once all is sent."""
        ...

    @property
    def reading(self) -> bool:
        """Whether the socket is to be read."""
        ...

    @property
    def hasty(self) -> bool:
        """Whether the socket is to be read in small bites, to leave others their turn."""
        ...

    @property
    def backlog(self) -> bool:
        """Whether it left some of what came in for the next turn, and `go_on` is to be called then."""
        ...

    @property
    def expecting(self) -> int:
        """Bytes that are known to come next, of something large; read for at once when there are many."""
        ...

    def receive_data(self, data: bytes) -> None:
        """Bytes came in."""
        ...

    def go_on(self) -> bool:
        """Handle more of the backlog. False when it can do nothing now; it wakes when it can."""
        ...

    def receive_eof(self) -> None:
        """The peer closed its side, or is gone."""
        ...

    def data_to_send(self) -> Sequence[bytes | memoryview]:
        """What is to be written now. Asked after every call, and after `wake`."""
        ...

    def deadline(self) -> float | None:
        """When `tick` next matters, on the broker's clock."""
        ...

    def tick(self, now: float) -> None:
        """The deadline has passed."""
        ...

    def set_writable(self, writable: bool) -> None:
        """Whether the socket takes more: false while the peer is too slow."""
        ...

    def close(self, code: ReplyCode, explanation: str) -> None:
        """Take leave of the peer, as far as the protocol lets us, and get `closed`."""
        ...
