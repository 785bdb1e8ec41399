"""A program in a process of its own, which is waited for by what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


def until(condition: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
    """Wait until something is so that nobody tells of."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"waited {timeout:.0f} s in vain for {what}"
        time.sleep(0.005)


class PythonProgram:
    """`python -m MODULE ARGUMENTS`, killed when the block is left. What it prints is kept in `log`, line by line."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self.log: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that what it forked can be ended with it
        )
        assert self.process.stdout is not None
        self._reading = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reading.start()

    def wait_for(self, text: str, timeout: float = PATIENCE) -> None:
        """Wait until it has printed this."""
        with self._news:
            said = self._news.wait_for(lambda: any(text in line for line in self.log), timeout)
        assert said, f"it did not say {text!r}:\n" + "\n".join(self.log)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait until it has ended. Returns the exit code."""
        return self.process.wait(timeout)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL for it and all it has started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        self._reading.join(PATIENCE)
        if error is not None:
            print(*self.log, sep="\n")

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                with self._news:
                    self.log.append(line.rstrip("\n"))
                    self._news.notify_all()
