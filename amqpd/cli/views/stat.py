"""`amqpd stat`: what the broker is doing, a line a second."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import click

from ...errors import StartupError
from ..messages.values import DURATION
from .asking import api_options, asking

COLUMNS: Final = ("publish/s", "deliver/s", "ack/s", "ready", "unacked", "conns", "chans", "queues", "consumers")
WIDTH: Final = 10
LINES: Final = 20
"""After so many the names are repeated, on a terminal."""


@click.command(short_help="Show what the broker is doing, a line a second.")
@api_options
@click.option("--interval", type=DURATION, default=1.0, help="Between lines.  [default: 1s]")
@click.option("-n", "--count", type=click.IntRange(min=1), help="Leave after so many lines.")
@click.option("--json", "json_lines", is_flag=True, help="A line of JSON each time.")
def stat(
    url: str | None, vhost: str, data_dir: str | None, interval: float, count: int | None, json_lines: bool
) -> None:
    """Show what the broker is doing, a line a second, until Ctrl-C: messages published, delivered and acknowledged a
    second, messages ready and out with consumers, and how many there are of the rest. All vhosts count.
    """
    shows = sys.stdout.isatty()
    with asking(url, data_dir) as api:
        overview = api.get("/overview")
        if overview.get("disable_stats"):
            raise StartupError("the broker shows no statistics over HTTP (management.disable_stats)", os.EX_UNAVAILABLE)
        before, then = counters(overview), time.monotonic()
        line = 0
        while count is None or line < count:
            time.sleep(interval)
            overview, now = api.get("/overview"), time.monotonic()
            after = counters(overview)
            found = figures(overview, before, after, max(now - then, 1e-9))
            before, then = after, now
            if json_lines:
                click.echo(json.dumps(found))
            else:
                if line == 0 or (shows and line % LINES == 0):
                    click.echo("".join([f"{column:>{WIDTH}}" for column in COLUMNS]))
                click.echo("".join([f"{found[column]:>{WIDTH},}" for column in COLUMNS]))
            line += 1


def counters(overview: Mapping[str, Any]) -> dict[str, int]:
    """What has been published, delivered and acknowledged so far."""
    stats = overview.get("message_stats") or {}
    return {"publish": stats.get("publish", 0), "deliver": stats.get("deliver_get", 0), "ack": stats.get("ack", 0)}


def figures(
    overview: Mapping[str, Any], before: Mapping[str, int], after: Mapping[str, int], seconds: float
) -> dict[str, int]:
    """What a line shows."""
    totals, objects = overview.get("queue_totals") or {}, overview["object_totals"]
    rates = {f"{what}/s": round((after[what] - before[what]) / seconds) for what in after}
    return {
        **rates,
        "ready": totals.get("messages_ready", 0),
        "unacked": totals.get("messages_unacknowledged", 0),
        "conns": objects["connections"],
        "chans": objects["channels"],
        "queues": objects["queues"],
        "consumers": objects["consumers"],
    }
