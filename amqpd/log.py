"""Logging: structlog, as lines for people on a terminal or as JSON for machines.

Births, deaths and refusals are logged, with the object they concern as fields. Nothing is logged for each message.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final, TextIO

import structlog

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
FORMATS: Final = ("console", "json")

_NUMBERS: Final = {level: getattr(logging, level.upper()) for level in LEVELS}


def get_logger(**fields: Any) -> Any:
    """A logger whose lines carry these fields."""
    return structlog.get_logger(**fields)


def configure(level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Log from `level` up to `stream`, by default standard output."""
    renderer: Any = structlog.processors.JSONRenderer() if log_format == "json" else _line
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )


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
