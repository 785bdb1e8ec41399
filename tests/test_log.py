"""Log lines, for people and for machines."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from amqpd.clock import VirtualClock
from amqpd.log import FORMATS, INTERVAL, LEVELS, Output, Target, configure, get_logger
from tests.listeners.harness import loop_factories


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


class Burst:
    """An output that gathers, on a clock moved by hand, and what it has written."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.output = Output(self.stream)
        self.clock = VirtualClock()
        self.context = self.output.gathering(self.clock.call_later)

    @property
    def written(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_after_a_pause_a_line_is_written_at_once_and_in_a_burst_with_others() -> None:
    burst = Burst()
    with burst.context:
        for line in ("one", "two", "three"):
            burst.output.info(line)
        assert burst.written == ["one"]
        burst.clock.advance(INTERVAL)
        assert burst.written == ["one", "two", "three"]
        burst.output.info("four")
        assert burst.written == ["one", "two", "three"]
        burst.clock.advance(INTERVAL)
        assert burst.written == ["one", "two", "three", "four"]
        burst.clock.advance(INTERVAL)
        burst.output.info("five")
        assert burst.written == ["one", "two", "three", "four", "five"]


def test_when_nothing_is_logged_no_timer_runs() -> None:
    burst = Burst()
    with burst.context:
        burst.output.info("one")
        burst.clock.advance(INTERVAL)
        assert burst.clock.deadline() is None


@pytest.mark.parametrize("level", ["error", "critical"])
def test_an_error_is_written_at_once_behind_what_came_before_it(level: str) -> None:
    burst = Burst()
    with burst.context:
        burst.output.info("one")
        burst.output.write("warning", "two")
        burst.output.write(level, "three")
        assert burst.written == ["one", "two", "three"]
        burst.clock.advance(INTERVAL)
        assert burst.written == ["one", "two", "three"]


def test_without_a_timer_every_line_is_written_at_once() -> None:
    burst = Burst()
    for number in (1, 2):
        burst.output.info("before")
        assert burst.written == ["before"] * number
    with burst.context:
        pass
    burst.output.info("after")
    burst.output.info("after")
    assert burst.written == ["before", "before", "after", "after"]


def exit_in_a_callback(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(sys.exit, 3)


def fail(loop: asyncio.AbstractEventLoop) -> None:
    raise RuntimeError


def be_interrupted(loop: asyncio.AbstractEventLoop) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("factory", loop_factories())
@pytest.mark.parametrize(
    ("end", "error"),
    [(exit_in_a_callback, SystemExit), (fail, RuntimeError), (be_interrupted, KeyboardInterrupt)],
)
def test_however_a_program_ends_nothing_is_lost(
    factory: Callable[[], asyncio.AbstractEventLoop],
    end: Callable[[asyncio.AbstractEventLoop], None],
    error: type[BaseException],
) -> None:
    burst = Burst()

    async def main() -> None:
        for line in ("one", "two", "three"):
            burst.output.info(line)
        end(asyncio.get_running_loop())
        await asyncio.Event().wait()

    with (
        pytest.raises(error),
        asyncio.Runner(loop_factory=factory) as runner,
        burst.output.gathering(runner.get_loop().call_later),
    ):
        runner.run(main())
    assert burst.written == ["one", "two", "three"]


class Full(io.StringIO):
    """A stream that has no room for now."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    stream = Full()
    output = Output(stream)
    output.info("lost")
    output.error("lost")
    stream.full = False
    output.info("written")
    assert stream.getvalue() == "written\n"


def test_a_name_that_the_stream_cannot_show_is_escaped() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, "ascii")
    configure("info", "console", stream)
    get_logger(queue="größe").info("declared")
    assert written.getvalue().endswith(b"declared queue=gr\\xf6\\xdfe\n")
    stream.close()


# --- several targets, levels of their own


class Targets:
    """A console and a file, and what each was given."""

    def __init__(self, level: str = "info", **options: Any) -> None:
        self.console, self.file = io.StringIO(), io.StringIO()
        self.log = configure(level, "console", self.console, file=self.file, **options)

    def say(self, *levels: str, category: str = "") -> None:
        logger = get_logger(category=category) if category else get_logger()
        for level in levels:
            getattr(logger, level)(level)

    @property
    def shown(self) -> tuple[str, str]:
        """The lines' texts, on the console and in the file."""
        texts = [re.findall(r"\[\w+\] (\w+)", stream.getvalue()) for stream in (self.console, self.file)]
        return " ".join(texts[0]), " ".join(texts[1])


def test_a_line_goes_to_each_target() -> None:
    targets = Targets()
    targets.say("debug", "info", "error")
    assert targets.shown == ("info error", "info error")


def test_a_target_may_have_a_level_of_its_own() -> None:
    targets = Targets(console_level="error", file_level="debug")
    targets.say("debug", "info", "error")
    assert targets.shown == ("error", "debug info error")


def test_nothing_is_a_level_too() -> None:
    targets = Targets(console_level="none")
    targets.say("critical")
    assert targets.shown == ("", "critical")


@pytest.mark.parametrize(
    ("category_level", "console_level", "shown"),
    [
        ("debug", "", "debug info warning error"),
        ("error", "", "error"),
        ("none", "", ""),
        ("debug", "warning", "debug info warning error"),
        ("error", "debug", "error"),
        ("", "warning", "warning error"),
    ],
)
def test_a_level_of_a_category_counts_for_it_whatever_the_targets(
    category_level: str, console_level: str, shown: str
) -> None:
    targets = Targets(console_level=console_level, categories={"connection": category_level})
    targets.say("debug", "info", "warning", "error", category="connection")
    assert targets.shown[0] == shown


def test_other_categories_are_not_concerned() -> None:
    targets = Targets(categories={"connection": "error", "channel": "debug"})
    targets.say("debug", "info")
    targets.say("debug", "info", category="other")
    assert targets.shown[0] == "info info"


def test_a_category_is_shown_to_machines_only() -> None:
    stream = io.StringIO()
    configure("info", "console", stream)
    get_logger(category="channel").info("text")
    assert stream.getvalue().endswith("[info] text\n")
    stream = io.StringIO()
    configure("info", "json", stream)
    get_logger(category="channel").info("text")
    assert json.loads(stream.getvalue())["category"] == "channel"


def test_each_target_has_its_format() -> None:
    targets = Targets(file_format="json")
    targets.say("info")
    assert json.loads(targets.file.getvalue())["event"] == "info"
    assert targets.shown[0] == "info"


def test_there_need_be_no_console() -> None:
    targets = Targets(console=False)
    targets.say("info")
    assert targets.shown == ("", "info")


def test_a_further_target_may_come_and_go() -> None:
    targets = Targets()
    lines: list[tuple[str, str]] = []
    detach = targets.log.attach(Target(lambda level, line: lines.append((level, line)), "json", "debug"))
    targets.say("debug")
    detach()
    detach()
    targets.say("info")
    ((level, line),) = lines
    assert (level, json.loads(line)["event"]) == ("debug", "debug")
    assert targets.shown[0] == "info"


def test_the_level_of_everything_may_be_set() -> None:
    targets = Targets(file_level="error", categories={"connection": "none"})
    logger = get_logger()  # that was there before
    targets.log.set_level("debug")
    logger.debug("debug")
    targets.say("info", category="connection")
    assert targets.shown == ("debug info", "debug info")
    targets.log.set_level("none")
    targets.say("critical")
    targets.log.set_level("warning")
    targets.say("info", "warning")
    assert targets.shown == ("debug info warning", "debug info warning")


def test_a_burst_is_gathered_for_each_stream() -> None:
    targets = Targets()
    clock = VirtualClock()
    with targets.log.gathering(clock.call_later):
        targets.say("info", "warning")
        assert targets.shown == ("info", "info")
        targets.log.flush()
        assert targets.shown == ("info warning", "info warning")
        targets.say("info")
    assert targets.shown == ("info warning info", "info warning info")
