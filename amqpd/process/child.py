"""A broker in a process of its own, forked from one that has loaded nothing of it yet.

It has a session of its own, so that Ctrl-C in a terminal does not reach it, and its output goes to a log file. It says
through a pipe when it accepts connections; that the pipe closes without a word says that it does not.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import StartupError
from .announcement import Announcement
from .attendant import Attendant
from .files import JsonLine
from .parent import EndWithInput

LOOK_EVERY: Final = 0.005

Serve = Callable[[Sequence[Attendant]], int]
"""Runs a broker with these attendants, and returns the exit code."""


@dataclass(slots=True)
class Child:
    """A broker that was forked."""

    pid: int
    _ready: int  # a pipe that says when it is
    _tie: int  # a pipe whose closing ends it; -1: nothing does
    _code: int | None = None  # its exit code, once it has ended

    def wait_until_ready(self) -> Announcement | None:
        """Where it listens; None when it ended instead."""
        said = b""
        while not said.endswith(b"\n"):
            more = os.read(self._ready, 65536)
            if not more:
                return None
            said += more
        return Announcement.from_json(said)

    def wait(self) -> int:
        """Its exit code, once it has ended; 128 and the signal's number when one ended it."""
        self._look(0)
        assert self._code is not None
        return self._code

    def ended(self) -> bool:
        """Whether it has ended."""
        self._look(os.WNOHANG)
        return self._code is not None

    def stop(self, patience: float) -> None:
        """End it, if it runs: SIGTERM, and SIGKILL when it has not ended within `patience` seconds."""
        deadline = time.monotonic() + patience
        if not self.ended():
            os.kill(self.pid, signal.SIGTERM)
        while not self.ended():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                self.wait()
            time.sleep(LOOK_EVERY)

    def _look(self, options: int) -> None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self._code = shell_code(os.waitstatus_to_exitcode(status))


def shell_code(code: int) -> int:
    """What a shell makes of an exit code of subprocess, where a negative one is a signal."""
    return code if code >= 0 else 128 - code


def fork(serve: Serve, log: int, *, tied: bool) -> Child:
    """Start a broker that logs to this descriptor. One that is `tied` ends when this process does, however."""
    ready, say_ready = os.pipe()
    untie, tie = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        code = os.EX_SOFTWARE
        try:
            os.setsid()
            os.close(ready)
            os.close(tie)
            os.dup2(untie if tied else os.open(os.devnull, os.O_RDONLY), 0)
            os.close(untie)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = serve([JsonLine(say_ready), *([EndWithInput()] if tied else [])])
        except StartupError as error:
            print(f"amqpd: {error}", file=sys.stderr)
            code = error.exit_code
        except BaseException:  # noqa: BLE001 - the last thing this process does is to say what went wrong
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(say_ready)
    os.close(untie)
    if not tied:
        os.close(tie)
        tie = -1
    return Child(pid, ready, tie)
