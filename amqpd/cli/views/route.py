"""`amqpd route`: where a message would go, binding by binding."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import click

from ..http import name
from ..messages.values import headers_of, properties_of, shown_properties
from .asking import api_options, asking


@click.command(short_help="Explain where a message would go, binding by binding.")
@api_options
@click.argument("exchange")
@click.argument("key", default="")
@click.option("-H", "--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header; JSON is understood.")
@click.option("-P", "--property", "properties", multiple=True, metavar="NAME=VALUE", help="Such as priority=5.")
@click.option("--matching", is_flag=True, help="Only the bindings that match.")
@click.option("--json", "as_json", is_flag=True, help="The explanation as one JSON object.")
def route(
    url: str | None,
    vhost: str,
    data_dir: str | None,
    exchange: str,
    key: str,
    headers: tuple[str, ...],
    properties: tuple[str, ...],
    matching: bool,
    as_json: bool,
) -> int:
    """Explain where a message published to EXCHANGE with routing key KEY would go: each binding it meets, and why that
    matches or not; through other exchanges, and through alternate ones. Nothing is published.

    \b
        amqpd route amq.topic a.b.c
        amqpd route amq.headers -H format=pdf -H pages=3
        amqpd route '' tasks                              the nameless exchange

    Leaves with 0, and with 1 when the message would reach no queue.
    """
    wanted = shown_properties(properties_of(properties, headers_of(headers)))
    with asking(url, data_dir) as api:
        path = f"/amqpd/route{name(vhost, exchange or 'amq.default')}"
        found = api.post(path, {"routing_key": key, "properties": wanted})
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for line in explained(found, matching=matching):
            click.echo(line)
    return os.EX_OK if found["routed"] else 1


def explained(found: Mapping[str, Any], *, matching: bool = False) -> Iterator[str]:
    """An explanation in words."""
    for step in found["exchanges"]:
        yield f"{exchange_name(step['name'])} ({step['type']}){_reached(step)}"
        shown = [each for each in step["bindings"] if each["matched"] or not matching]
        for each in shown:
            mark = "→" if each["matched"] else "✗"
            yield f"  {mark} {each['destination_type']} {each['destination']}: {each['reason']}"
        if not shown:
            yield "  no binding matches" if step["bindings"] else "  no bindings"
        alternate = step.get("alternate_exchange")
        if alternate and not any(each["matched"] for each in step["bindings"]):
            there = "" if step.get("alternate_exchange_exists") else ", which is not there"
            yield f"  → alternate exchange {alternate}{there}"
    names = [queue["name"] for queue in found["queues"]]
    if names:
        yield f"reaches {len(names)} queue{'s' if len(names) > 1 else ''}: {', '.join(names)}"
    else:
        yield "reaches no queue: it would be dropped, or returned if mandatory"


def exchange_name(shown: str) -> str:
    return f"exchange {shown}" if shown else "the nameless exchange"


def _reached(step: Mapping[str, Any]) -> str:
    if step["reached_by"] == "publish":
        return ""
    how = "alternate of" if step["reached_by"] == "alternate-exchange" else "bound to"
    return f", {how} {exchange_name(step['reached_from'])}"
