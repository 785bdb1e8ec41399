"""Logging: structlog, as lines for people on a terminal or as JSON for machines.

Births, deaths and refusals are logged, with the object they concern as fields. Nothing is logged for each message.

Lines go to one target or several, each from a level of its own up. A line's field `category` says what it is about; a
category may have a level, too, which then counts instead for its lines (as in RabbitMQ).

A line is written when it comes; while an event loop runs, those of a burst are written together.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

import structlog

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
"""The levels of lines. As the least level of a target or category, there is also `none`."""

FORMATS: Final = ("console", "json")

INTERVAL: Final = 0.01
"""Seconds between writes in a burst of lines: as much of the log as kill -9 may take with it."""

_NUMBERS: Final = {**{level: getattr(logging, level.upper()) for level in LEVELS}, "none": logging.CRITICAL + 10}


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

    def write(self, level: str, line: str) -> None:
        """Write a line of this level."""
        if level in ("error", "critical"):
            self.error(line)
        else:
            self.info(line)

    def info(self, line: str) -> None:
        """Write a line: at once after a pause, else with others."""
        self._lines.append(line + "\n")
        if not self._gathering:
            self._flush_and_gather()

    def error(self, line: str) -> None:
        """Write a line, and what was kept back before it, at once: it may be the last."""
        self._lines.append(line + "\n")
        self.flush()

    def _flush_and_gather(self) -> None:
        self._gathering = False
        if self._lines and self._later is not None:
            self._gathering = True
            self._later(INTERVAL, self._flush_and_gather)
        self.flush()


@dataclass(frozen=True, slots=True)
class Target:
    """Where lines go: `write` takes a line's level and the line."""

    write: Callable[[str, str], None]
    log_format: str = "console"
    level: str = ""  # least severity, of lines whose category has none; empty = the general one


class Log:
    """What `configure` set up: hands each line to the targets that want it."""

    def __init__(self, level: str, categories: Mapping[str, str], outputs: Sequence[Output]) -> None:
        self._level = _NUMBERS[level]
        self._categories = {category: _NUMBERS[least] for category, least in categories.items() if least}
        self._outputs = outputs
        self._targets: dict[Target, int | None] = {}  # to the least severity each has of its own
        self.least = self._level  # nobody wants what is less severe

    def attach(self, target: Target) -> Callable[[], None]:
        """Log to a further target until the answer is called."""
        self._targets[target] = _NUMBERS[target.level] if target.level else None
        self._reckon()

        def detach() -> None:
            self._targets.pop(target, None)
            self._reckon()

        return detach

    def set_level(self, level: str) -> None:
        """From now on this is the least severity of all lines, whatever their category and their target."""
        self._level = _NUMBERS[level]
        self._categories = {}
        self._targets = dict.fromkeys(self._targets)
        self._reckon()

    def _reckon(self) -> None:
        own = [number for number in self._targets.values() if number is not None]
        self.least = min([self._level, *own, *self._categories.values()])

    @contextlib.contextmanager
    def gathering(self, later: Callable[[float, Callable[[], None]], object]) -> Iterator[None]:
        """See `Output.gathering`."""
        with contextlib.ExitStack() as stack:
            for output in self._outputs:
                stack.enter_context(output.gathering(later))
            yield

    def flush(self) -> None:
        """See `Output.flush`."""
        for output in self._outputs:
            output.flush()

    def _take(self, event: dict[str, Any]) -> None:
        level = event["level"]
        severity = _NUMBERS[level]
        category = self._categories.get(event.get("category", ""))
        for target, own in self._targets.items():
            least = category if category is not None else own if own is not None else self._level
            if severity >= least:
                render = _as_json if target.log_format == "json" else _line
                target.write(level, render(dict(event)))

    debug = info = warning = error = critical = _take


def get_logger(**fields: Any) -> Any:
    """A logger whose lines carry these fields, set up as `configure` was called last."""
    return structlog.get_logger(**fields).bind()


def configure(
    level: str,
    log_format: str,
    stream: TextIO | None = None,
    *,
    console: bool = True,
    console_level: str = "",
    file: TextIO | None = None,
    file_level: str = "",
    file_format: str = "console",
    categories: Mapping[str, str] | None = None,
) -> Log:
    """Log from `level` up to `stream`, by default standard output, and to `file` if there is one."""
    categories = categories or {}
    targets = []
    if console:
        targets.append((Output(stream or sys.stdout), log_format, console_level))
    if file is not None:
        targets.append((Output(file), file_format, file_level))
    log = Log(level, categories, [output for output, _, _ in targets])
    for output, its_format, its_level in targets:
        log.attach(Target(output.write, its_format, its_level))

    def for_somebody(_: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if _NUMBERS[name] < log.least:
            raise structlog.DropEvent
        return event

    structlog.configure(
        processors=[
            for_somebody,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            _hand_over,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=lambda *_: log,
        cache_logger_on_first_use=False,
    )
    return log


def _hand_over(_: Any, __: str, event: MutableMapping[str, Any]) -> tuple[tuple[Any], dict[str, Any]]:
    return (event,), {}


_json = structlog.processors.JSONRenderer()


def _as_json(event: dict[str, Any]) -> str:
    return str(_json(None, "", event))


def _line(event: dict[str, Any]) -> str:
    """`2026-01-31 12:00:00.123456 [info] Server startup complete key=value`, much as RabbitMQ logs."""
    when = event.pop("timestamp").replace("T", " ").removesuffix("Z")
    level, text = event.pop("level"), event.pop("event")
    event.pop("category", None)
    trouble = event.pop("exception", "")
    fields = "".join(f" {name}={_shown(value)}" for name, value in event.items())
    return f"{when} [{level}] {text}{fields}" + (f"\n{trouble}" if trouble else "")


def _shown(value: Any) -> str:
    """Values are often a client's words: they may not break the line, or look like another."""
    text = str(value)
    return text if text.isprintable() else repr(text)
