"""Ends the broker with the process that started it, also when that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Final

from .attendant import Attendant, Running

LOOK_EVERY: Final = 1.0
"""Seconds between looks at who our parent is, where the kernel does not tell."""

_PR_SET_PDEATHSIG: Final = 1


class EndWithParent(Attendant):
    """Stops when the parent process is gone: at once on Linux, where the kernel says so, else within a second.

    The kernel also says so when only the thread is gone that started us, so it is no more than a hint to look.
    """

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._running: Running | None = None

    def started(self, running: Running) -> None:
        """Watch from now on; the parent may be gone already."""
        self._running = running
        if sys.platform == "linux":
            asyncio.get_running_loop().add_signal_handler(signal.SIGRTMIN, self._look)
            _ask_for_signal(signal.SIGRTMIN)
        self._watch()

    def _watch(self) -> None:
        if self._running is not None and not self._look():
            self._running.clock.call_later(LOOK_EVERY, self._watch)

    def _look(self) -> bool:
        if os.getppid() == self._parent or self._running is None:
            return False
        self._running.request_stop(f"process {self._parent}, which started this one, is gone")
        return True


class EndWithInput(Attendant):
    """Stops when standard input ends. What comes in until then is of no interest."""

    def started(self, running: Running) -> None:
        """Read from now on. What cannot be waited for, as a file or /dev/null, has ended already."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            with contextlib.suppress(BlockingIOError, InterruptedError):
                try:
                    if os.read(0, 65536):
                        return
                except (BlockingIOError, InterruptedError):
                    raise
                except OSError:
                    pass  # a terminal that is gone
                loop.remove_reader(0)
                running.request_stop("standard input has ended")

        try:
            loop.add_reader(0, read)
        except OSError:
            running.request_stop("standard input has ended")


def _ask_for_signal(number: int) -> None:
    import ctypes  # noqa: PLC0415 - a hundredth of a second, for those who need it

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
