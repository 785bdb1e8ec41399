"""`amqpd peek`: messages of a queue, left as they are."""

from __future__ import annotations

import base64
import json
import os

import click

from ..http import name
from .asking import api_options, asking


@click.command(short_help="Look at messages of a queue, and leave them as they are.")
@api_options
@click.option("-q", "--queue", required=True, metavar="NAME")
@click.option("-n", "-c", "--count", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0, help="How many to pass over first.")
@click.option("--unacked", is_flag=True, help="Those that are out with consumers, instead of those that are ready.")
@click.option("--json", "json_lines", is_flag=True, help="A line of JSON for each.")
@click.option("--body", is_flag=True, help="Bodies and nothing else.")
def peek(
    url: str | None,
    vhost: str,
    data_dir: str | None,
    queue: str,
    count: int,
    offset: int,
    unacked: bool,
    json_lines: bool,
    body: bool,
) -> int:
    """Look at messages of a queue: nobody misses them, none is marked redelivered.

    Leaves with 0, and with 1 when there is none.
    """
    with asking(url, data_dir) as api:
        state = "unacknowledged" if unacked else "ready"
        found = api.get(f"/amqpd/queues{name(vhost, queue)}/messages", offset=offset, count=count, state=state)
    for each in found["items"]:
        if json_lines:
            click.echo(json.dumps(each, ensure_ascii=False))
            continue
        content = each["payload"].encode()
        if each["payload_encoding"] == "base64":
            content = base64.b64decode(each["payload"])
        if body:
            click.echo(content)
            continue
        shown = content.decode("utf-8", "backslashreplace")
        again = " (redelivered)" if each["redelivered"] else ""
        click.echo(f"{each['position']}\t{each['exchange']}\t{each['routing_key']}\t{shown}{again}")
    return os.EX_OK if found["items"] else 1
