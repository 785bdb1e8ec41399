"""Runs a broker as a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Self

STARTED = re.compile(r"started (TCP|TLS \(SSL\)|HTTP) listener on (\S+):(\d+)")
READY = "Server startup complete"


class BrokerProcess:
    """A broker started by `start` and gone after `stop` or `kill`. It may be started again, on the same port and data.

    Its log is kept in `log`, line by line.
    """

    def __init__(self, *options: str, port: int = 0, environment: dict[str, str] | None = None) -> None:
        self.options = options
        self.port = port  # 0: a free one, kept for later starts
        self.tls_port = 0  # where it speaks TLS, if it does
        self.http_port = 0  # where it serves the HTTP API, with the option --http-port
        self.environment = environment or {}
        self.log: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, timeout: float = 30.0) -> Self:
        """Start it and wait until clients can connect. Raises RuntimeError with its log when it does not come up."""
        command = [sys.executable, "-m", "amqpd", "-p", str(self.port), *self.options]
        http = "true" if "--http-port" in self.options else "false"
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and package
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "AMQPD_MANAGEMENT_ENABLED": http, **self.environment},
        )
        ready = threading.Event()
        assert self.process.stdout is not None
        self._reading = threading.Thread(target=self._read, args=(self.process.stdout, ready), daemon=True)
        self._reading.start()
        if not ready.wait(timeout) or self.process.poll() is not None:
            self.kill()
            raise RuntimeError("the broker did not start:\n" + "\n".join(self.log))
        return self

    def stop(self, timeout: float = 30.0) -> int:
        """SIGTERM, and wait. Returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._wait(timeout)

    def kill(self) -> int:
        """SIGKILL, and wait. Returns the exit code."""
        assert self.process is not None
        self.process.kill()
        return self._wait(30.0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def resident_bytes(self) -> int:
        """Memory it occupies now (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _wait(self, timeout: float) -> int:
        assert self.process is not None
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        if self._reading is not None:
            self._reading.join(timeout)
        return code

    def _read(self, output: IO[str], ready: threading.Event) -> None:
        with output:
            for line in output:
                self.log.append(line.rstrip("\n"))
                started = STARTED.search(line)
                if started and started[1] == "TCP":
                    self.port = int(started[3])
                elif started and started[1] == "HTTP":
                    self.http_port = int(started[3])
                elif started:
                    self.tls_port = int(started[3])
                if READY in line:
                    ready.set()
        ready.set()  # it ended, maybe before it was ready
