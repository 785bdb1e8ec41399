"""Tells a service manager that the broker is ready, alive, or stopping (sd_notify, without its library)."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

from .attendant import Attendant, Running


class Systemd(Attendant):
    """Says READY=1, STOPPING=1, and WATCHDOG=1 twice in each interval in which it is expected."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._interval = _seconds(environment)

    def started(self, running: Running) -> None:
        """The broker accepts connections."""
        self._say(f"READY=1\nSTATUS={running.announcement.url.rpartition('@')[2]}\nMAINPID={os.getpid()}")
        if self._interval and self._address:
            self._stay_alive(running)

    def stopping(self) -> None:
        """The broker takes leave of its clients."""
        self._say("STOPPING=1")

    def _stay_alive(self, running: Running) -> None:
        self._say("WATCHDOG=1")
        running.clock.call_later(self._interval / 2, lambda: self._stay_alive(running))

    def _say(self, state: str) -> None:
        if self._address:
            # An abstract name begins with a zero byte, which @ stands for. A manager that is gone is no fault of ours.
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.sendto(state.encode(), self._address.replace("@", "\0", 1))


def _seconds(environment: Mapping[str, str]) -> float:
    """The watchdog's interval, if it is this process that is watched; else 0."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdigit() else 0.0
