"""Log lines, for people and for machines."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from amqpd.log import FORMATS, LEVELS, configure, get_logger


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def logged(level: str, log_format: str, *calls: tuple[str, str, dict[str, Any]]) -> list[str]:
    stream = io.StringIO()
    configure(level, log_format, stream)
    logger = get_logger(peer="here")
    for method, text, fields in calls:
        getattr(logger, method)(text, **fields)
    return stream.getvalue().splitlines()


def test_a_line_for_people_has_time_level_text_and_fields() -> None:
    (line,) = logged("info", "console", ("info", "connection opened", {"vhost": "/", "user": "guest"}))
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\S* \[info\] connection opened peer=here vhost=/ user=guest", line
    )


def test_a_line_for_machines_is_json() -> None:
    (line,) = logged("info", "json", ("warning", "login refused", {"user": "bob"}))
    event = json.loads(line)
    assert event.pop("timestamp")
    assert event == {"event": "login refused", "level": "warning", "peer": "here", "user": "bob"}


@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("least", LEVELS)
def test_what_is_below_the_level_is_left_out(log_format: str, least: str) -> None:
    lines = logged(least, log_format, *((level, "text", {}) for level in LEVELS))
    assert len(lines) == len(LEVELS) - LEVELS.index(least)


@pytest.mark.parametrize("log_format", FORMATS)
def test_an_exception_is_logged_with_its_trace(log_format: str) -> None:
    stream = io.StringIO()
    configure("info", log_format, stream)
    try:
        raise ValueError("went wrong")
    except ValueError:
        get_logger().exception("internal error")
    text = stream.getvalue()
    assert "internal error" in text
    assert "ValueError: went wrong" in text
    if log_format == "json":
        assert len(text.splitlines()) == 1


@pytest.mark.parametrize("log_format", FORMATS)
def test_what_a_client_says_stays_on_its_line(log_format: str) -> None:
    forged = "bob\n2026-01-31 12:00:00.000000 [info] Server startup complete\x1b[2J"
    (line,) = logged("info", log_format, ("warning", "login refused", {"user": forged}))
    assert "bob\\n2026" in line
    assert line.isprintable()


def test_fields_can_be_bound_later() -> None:
    stream = io.StringIO()
    configure("info", "console", stream)
    get_logger().bind(queue="q").info("declared")
    assert stream.getvalue().endswith("declared queue=q\n")
