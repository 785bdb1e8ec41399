"""`amqpd consume` and `amqpd get`: messages of a queue on standard output, or each to a command."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from ...testing.client import Command
from ...wire.methods import (
    BasicAck,
    BasicCancel,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    BasicNack,
)
from .link import Closed, link_options, linked
from .values import DURATION, as_json, write_body


@click.command(short_help="Receive messages of a queue, or from an exchange.")
@link_options
@click.option("-q", "--queue", metavar="NAME", help="Consume from a queue.")
@click.option("-e", "--exchange", metavar="NAME", help="Or from an exchange, through a queue for the while.")
@click.option("-k", "--key", default="#", metavar="KEY", help="The binding key for -e.  [default: #]")
@click.option("-n", "-c", "--count", type=click.IntRange(min=1), help="Leave after so many.")
@click.option("--ack/--no-ack", default=True, help="Acknowledge what was written.  [default: ack]")
@click.option("--timeout", type=DURATION, metavar="DURATION", help="Leave when nothing comes for so long.")
@click.option("--prefetch", type=click.IntRange(min=0), default=100, show_default=True)
@click.option("--offset", metavar="OFFSET", help="Of a stream: first, last, next, a number, or an age such as 1h.")
@click.option("--exec", "command", metavar="COMMAND", help="Run it for each, with the body as its input.")
@click.option("--json", "json_lines", is_flag=True, help="A line of JSON for each, with properties.")
@click.option("--raw", is_flag=True, help="Bodies as they are, without ends of lines.")
def consume(
    url: str | None,
    vhost: str | None,
    data_dir: str | None,
    queue: str | None,
    exchange: str | None,
    key: str,
    count: int | None,
    ack: bool,
    timeout: float | None,
    prefetch: int,
    offset: str | None,
    command: str | None,
    json_lines: bool,
    raw: bool,
) -> int:
    """Receive messages and write each on a line, until Ctrl-C.

    \b
        amqpd consume -q tasks                         for ever
        amqpd consume -q tasks -n 10 --timeout 5s      ten, or fewer
        amqpd consume -q tasks --exec ./work           what ./work fails at goes back
        amqpd consume -e amq.topic -k 'a.#' --json     from an exchange

    Leaves with 0, and with 1 when --timeout was over before --count.
    """
    if (queue is None) is (exchange is None):
        raise click.UsageError("give either a queue, with -q, or an exchange, with -e")
    prefetch = min(prefetch, count) if count and prefetch else prefetch  # the rest is others'
    seen = 0
    with linked(url, data_dir, vhost) as link:
        source = queue if queue is not None else link.bound_queue(exchange or "", key)
        arguments = {} if offset is None else {"x-stream-offset": int(offset) if offset.isdigit() else offset}
        link.consume(source, no_ack=not ack, prefetch=prefetch, arguments=arguments)
        for each in link.waiting(timeout):
            method = each.method
            if isinstance(method, BasicCancel):
                raise Closed(f"queue '{source}' is gone", os.EX_UNAVAILABLE)
            if not isinstance(method, BasicDeliver):
                continue
            done = _hand_on(each, method, command, json_lines, raw)
            seen += 1
            if command is not None:
                if ack:
                    link.send(1, BasicAck(method.delivery_tag) if done else BasicNack(method.delivery_tag, False, True))
            elif seen == count or not link.has_more():  # together what came together
                sys.stdout.buffer.flush()
                if ack:
                    link.send(1, BasicAck(method.delivery_tag, True))
            if seen == count:
                break
    return 1 if count is not None and seen < count else os.EX_OK


def _hand_on(
    each: Command, method: BasicDeliver | BasicGetOk, command: str | None, json_lines: bool, raw: bool
) -> bool:
    """Write a message, or run the command; whether that went well."""
    if json_lines:
        fields = {"exchange": method.exchange, "routing_key": method.routing_key, "redelivered": method.redelivered}
        shown = as_json(each.properties, each.body, **fields)
        body = shown.encode()
    else:
        body = each.body
    if command is None:
        write_body(body, raw=raw and not json_lines)
        return True
    done = subprocess.run(command, shell=True, input=body, check=False)  # noqa: S602 - as it was asked for
    return done.returncode == 0


@click.command(short_help="Take messages out of a queue.")
@link_options
@click.option("-q", "--queue", required=True, metavar="NAME")
@click.option("-n", "-c", "--count", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--requeue", is_flag=True, help="Put them back.")
@click.option("--json", "json_lines", is_flag=True, help="A line of JSON for each, with properties.")
@click.option("--raw", is_flag=True, help="Bodies as they are, without ends of lines.")
def get(
    url: str | None,
    vhost: str | None,
    data_dir: str | None,
    queue: str,
    count: int,
    requeue: bool,
    json_lines: bool,
    raw: bool,
) -> int:
    """Take messages out of a queue and write each on a line.

    Leaves with 0, and with 1 when there was none. 'amqpd peek' looks at messages and leaves them as they are.
    """
    tags: list[int] = []
    with linked(url, data_dir, vhost) as link:
        while len(tags) < count:
            link.send(1, BasicGet(queue=queue, no_ack=False))
            each = link.receive()
            method = each.method
            if isinstance(method, BasicGetEmpty):
                break
            if not isinstance(method, BasicGetOk):
                continue
            _hand_on(each, method, None, json_lines, raw)
            tags.append(method.delivery_tag)
        sys.stdout.buffer.flush()
        if tags:
            link.send(1, BasicNack(tags[-1], True, True) if requeue else BasicAck(tags[-1], True))
    return os.EX_OK if tags else 1
