"""`amqpd tail`: what is published, as it comes by."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import click

from ...errors import StartupError
from ...wire.methods import BasicDeliver
from ..http import Api, Refusal, find, name
from .link import link_options, linked, with_vhost
from .values import DURATION, as_json

TRACE = "amq.rabbitmq.trace"


@click.command(short_help="Watch messages as they are published.")
@link_options
@click.argument("pattern", default="#")
@click.option("-e", "--exchange", metavar="NAME", help="Only what is published to this one, whose bindings apply.")
@click.option("--body", is_flag=True, help="Show bodies.")
@click.option("--json", "json_lines", is_flag=True, help="A line of JSON for each, with properties and body.")
@click.option("-n", "--count", type=click.IntRange(min=1), help="Leave after so many.")
@click.option("--timeout", type=DURATION, metavar="DURATION", help="Leave when nothing comes for so long.")
def tail(
    url: str | None,
    vhost: str | None,
    data_dir: str | None,
    pattern: str,
    exchange: str | None,
    body: bool,
    json_lines: bool,
    count: int | None,
    timeout: float | None,
) -> int:
    """Watch messages whose routing key matches PATTERN (as in topic exchanges: *, #) as they are published.

    Without --exchange it is all that the vhost's exchanges get: tracing is on meanwhile, which needs an administrator.
    Nothing is taken from anybody.
    """
    seen = 0
    with linked(url, data_dir, vhost) as link, contextlib.ExitStack() as stack:
        queue = link.bound_queue(TRACE, "publish.#") if exchange is None else link.bound_queue(exchange, pattern)
        link.consume(queue, no_ack=True, prefetch=0)
        if exchange is None:
            stack.enter_context(_traced(url, data_dir, link.vhost))
        for each in link.waiting(timeout):
            method = each.method
            if not isinstance(method, BasicDeliver):
                continue
            source, keys = method.exchange, [method.routing_key]
            headers = (each.properties.headers if each.properties else None) or {}
            if exchange is None:
                source, keys = str(headers.get("exchange_name", "")), [str(key) for key in headers["routing_keys"]]
                if not any(matches(pattern, key) for key in keys):
                    continue
            if json_lines:
                click.echo(as_json(each.properties, each.body, exchange=source, routing_key=keys[0]))
            else:
                shown = f"\t{each.body.decode('utf-8', 'backslashreplace')}" if body else f"\t{len(each.body)} bytes"
                click.echo(f"{source}\t{' '.join(keys)}{shown}")
            seen += 1
            if seen == count:
                break
    return 1 if count is not None and seen < count else os.EX_OK


def matches(pattern: str, key: str) -> bool:
    """Whether a topic exchange would match the key with the pattern."""
    words = pattern.split(".") if pattern else []

    def reached(places: set[int]) -> set[int]:
        for place in sorted(places):
            while place < len(words) and words[place] == "#":  # which may stand for nothing
                place += 1  # noqa: PLW2901
                places.add(place)
        return places

    places = reached({0})
    for word in key.split(".") if key else []:
        places = reached(
            {
                place if words[place] == "#" else place + 1
                for place in places
                if place < len(words) and words[place] in ("#", "*", word)
            }
        )
    return len(words) in places


@contextlib.contextmanager
def _traced(url: str | None, data_dir: str | None, vhost: str) -> Iterator[None]:
    """Have the vhost's messages copied meanwhile, unless they are anyway."""
    api = Api(find(None, data_dir, os.environ)) if url is None else _api_beside(url)
    path = "/vhosts" + name(vhost)
    try:
        before = api.get(path)
        kept = {"description": before.get("description", ""), "tags": ",".join(before.get("tags", []))}
        if not before["tracing"]:
            api.put(path, {**kept, "tracing": True})
    except Refusal as refusal:
        raise StartupError(f"tracing cannot be switched on: {refusal}; --exchange does without", os.EX_NOPERM) from None
    try:
        yield
    finally:
        if not before["tracing"]:
            with contextlib.suppress(Refusal):
                api.put(path, {**kept, "tracing": False})
        api.close()


def _api_beside(url: str) -> Api:
    """The API of the broker that a URL of AMQP's leads to, on the usual distance between their ports."""
    from urllib.parse import urlsplit  # noqa: PLC0415

    from ..http import OFFSET, Place  # noqa: PLC0415

    parts = urlsplit(with_vhost(url, None))
    return Api(
        Place(
            host=parts.hostname or "127.0.0.1",
            port=(parts.port or 5672) + OFFSET,
            user=parts.username or "guest",
            password=parts.password or "guest",
        )
    )
