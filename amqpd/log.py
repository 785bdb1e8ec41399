"""Logging: structlog, as lines for people on a terminal or as JSON for machines.

Births, deaths and refusals are logged, with the object they concern as fields. Nothing is logged for each message.

A line is written when it comes; while an event loop runs, those of a burst are written together.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

import structlog

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
FORMATS: Final = ("console", "json")

INTERVAL: Final = 0.01
"""Seconds between writes in a burst of lines: as much of the log as kill -9 may take with it."""

_NUMBERS: Final = {level: getattr(logging, level.upper()) for level in LEVELS}


class Output:
    """Lines on their way to a stream. It belongs to one thread, the one that logs."""

    def __init__(self, stream: TextIO) -> None:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that it cannot show takes no line with it
        self._stream = stream
        self._lines: list[str] = []  # not written yet
        self._later: Callable[[float, Callable[[], None]], object] | None = None
        self._gathering = False  # `later` will call back

    @contextlib.contextmanager
    def gathering(self, later: Callable[[float, Callable[[], None]], object]) -> Iterator[None]:
        """As a context: in a burst, write together what comes within INTERVAL, by a timer that `later` sets.

        However the context is left, nothing is kept back any more.
        """
        self._later = later
        try:
            yield
        finally:
            self._later = None
            self._gathering = False
            self.flush()

    def flush(self) -> None:
        """Write what is kept back. A log that cannot be written is no reason to stop serving."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        with contextlib.suppress(OSError):
            self._stream.write("".join(lines))
            self._stream.flush()

    def info(self, line: str) -> None:
        """Write a line: at once after a pause, else with others."""
        self._lines.append(line + "\n")
        if not self._gathering:
            self._flush_and_gather()

    debug = warning = info

    def error(self, line: str) -> None:
        """Write a line, and what was kept back before it, at once: it may be the last."""
        self._lines.append(line + "\n")
        self.flush()

    critical = error

    def _flush_and_gather(self) -> None:
        self._gathering = False
        if self._lines and self._later is not None:
            self._gathering = True
            self._later(INTERVAL, self._flush_and_gather)
        self.flush()


def get_logger(**fields: Any) -> Any:
    """A logger whose lines carry these fields, set up as `configure` was called last."""
    return structlog.get_logger(**fields).bind()


def configure(level: str, log_format: str, stream: TextIO | None = None) -> Output:
    """Log from `level` up to `stream`, by default standard output."""
    output = Output(stream or sys.stdout)
    renderer: Any = structlog.processors.JSONRenderer() if log_format == "json" else _line
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=lambda *_: output,
        cache_logger_on_first_use=False,
    )
    return output


def _line(_: Any, __: str, event: dict[str, Any]) -> str:
    """`2026-01-31 12:00:00.123456 [info] Server startup complete key=value`, much as RabbitMQ logs."""
    when = event.pop("timestamp").replace("T", " ").removesuffix("Z")
    level, text = event.pop("level"), event.pop("event")
    trouble = event.pop("exception", "")
    fields = "".join(f" {name}={_shown(value)}" for name, value in event.items())
    return f"{when} [{level}] {text}{fields}" + (f"\n{trouble}" if trouble else "")


def _shown(value: Any) -> str:
    """Values are often a client's words: they may not break the line, or look like another."""
    text = str(value)
    return text if text.isprintable() else repr(text)
