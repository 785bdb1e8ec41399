"""Heartbeats (specification 4.2.7): when to send one, and when the peer is dead.

As RabbitMQ does: a heartbeat goes out when nothing was sent for half the interval; the peer is given up when no byte
came in during two whole intervals on end. Both are looked at every half interval.
"""

from __future__ import annotations


class Heartbeat:
    """The two checks of one connection. `sent` and `received` are set by whoever moves bytes."""

    __slots__ = ("_checks", "_half", "_silent", "due", "received", "sent")

    def __init__(self, interval: int, now: float) -> None:
        self._half = interval / 2  # seconds
        self._checks = 0
        self._silent = 0  # intervals in which nothing came in
        self.due = now + self._half  # when `check` is to be called
        self.sent = False  # since the last check
        self.received = True  # in this interval: tune-ok was

    def check(self, now: float, watching: bool) -> tuple[bool, bool]:
        """(a heartbeat is to be sent, the peer is dead).

        Not `watching`, because the peer is not being read, nothing is held against it.
        """
        self.due = now + self._half
        send = not self.sent
        self.sent = False
        self._checks += 1
        if self._checks % 2 == 0:
            self._silent = 0 if self.received or not watching else self._silent + 1
            self.received = False
        return send, self._silent >= 2
