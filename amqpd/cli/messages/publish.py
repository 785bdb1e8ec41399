"""`amqpd publish`: messages from the command line, a file, or standard input."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import click

from ...errors import StartupError
from ...wire.methods import BasicAck, BasicNack, BasicReturn, ConfirmSelect, ConfirmSelectOk, ConnectionBlocked
from ...wire.properties import Properties
from .link import Link, link_options, linked
from .values import DURATION, headers_of, properties_of

WINDOW: Final = 1000
"""Confirms to wait for at a time."""

PIECE: Final = 1 << 16
"""Bytes to send at a time."""

PROGRESS: Final = 0.5
"""Seconds between looks at how it goes, on a terminal."""


class Publisher:
    """Publishes, and keeps account of what the broker says to it."""

    def __init__(self, link: Link, exchange: str, key: str, properties: Properties, *, mandatory: bool, confirm: bool):
        self.published = 0
        self.unroutable = 0
        self.refused = 0  # basic.nack
        self._link = link
        self._exchange = exchange
        self._key = key
        self._properties = properties
        self._mandatory = mandatory
        self._confirm = confirm
        self._confirmed = 0
        self._early: set[int] = set()  # confirmed before others
        self._pending: list[bytes] = []
        self._size = 0
        if confirm:
            link.call(1, ConfirmSelect(), ConfirmSelectOk)

    def publish(self, body: bytes) -> None:
        """Send a message; perhaps later, with others."""
        frames = self._link.session.encode_publish(
            1, self._exchange, self._key, body, self._properties, mandatory=self._mandatory
        )
        self._pending.append(frames)
        self._size += len(frames)
        self.published += 1
        if self._size >= PIECE:
            self.flush()
        if self._confirm and self.published - self._confirmed >= WINDOW:
            self.flush()
            self._settle(self.published - WINDOW // 2)

    def flush(self) -> None:
        """Send what was kept together, and hear what the broker has said meanwhile."""
        if self._pending:
            self._link.write(b"".join(self._pending))
            self._pending.clear()
            self._size = 0
        while select.select([self._link.socket], [], [], 0)[0]:
            self._hear(self._link.receive())

    def finish(self) -> None:
        """Wait until the broker has all of it."""
        self.flush()
        if self._confirm:
            self._settle(self.published)
        else:
            self._link.call(1, ConfirmSelect(), ConfirmSelectOk)  # answered after all that was sent before

    def _settle(self, count: int) -> None:
        while self._confirmed < count:
            self._hear(self._link.receive())

    def _hear(self, command: Any) -> None:
        method = command.method
        if isinstance(method, BasicReturn):
            self.unroutable += 1
        elif isinstance(method, (BasicAck, BasicNack)):
            if isinstance(method, BasicNack):
                self.refused += method.delivery_tag - self._confirmed if method.multiple else 1
            if method.multiple:
                self._confirmed = max(self._confirmed, method.delivery_tag)
            else:
                self._early.add(method.delivery_tag)
            while self._confirmed + 1 in self._early:
                self._confirmed += 1
                self._early.remove(self._confirmed)
        elif isinstance(method, ConnectionBlocked):
            click.echo(f"amqpd: the broker takes no messages for now: {method.reason}", err=True)


@click.command(short_help="Publish messages.")
@link_options
@click.option("-e", "--exchange", default="", metavar="NAME", help="Exchange.  [default: the nameless one]")
@click.option(
    "-k", "--key", "--routing-key", default="", metavar="KEY", help="Routing key; a queue's name, without -e."
)
@click.option("-t", "--topic", metavar="TOPIC", help="An MQTT topic: to amq.topic, with / written as dots.")
@click.option("-m", "--message", metavar="TEXT", help="What to publish.  [default: all of standard input]")
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Publish a file; - is standard input.",
)
@click.option("-l", "--lines", is_flag=True, help="Publish each line of standard input.")
@click.option("-H", "--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header; JSON is understood.")
@click.option("-P", "--property", "properties", multiple=True, metavar="NAME=VALUE", help="Such as priority=5.")
@click.option("--persistent", is_flag=True, help="To be stored: delivery_mode=2.")
@click.option("--mandatory", is_flag=True, help="Leave with 1 when a message reaches no queue.")
@click.option("--confirm", is_flag=True, help="Wait for confirms; leave with 1 when a message is refused.")
@click.option("-n", "--count", type=click.IntRange(min=1), default=1, help="Publish each so many times.")
@click.option("--interval", type=DURATION, default=0.0, help="Wait so long after each, such as 100ms.")
def publish(
    url: str | None,
    vhost: str | None,
    data_dir: str | None,
    exchange: str,
    key: str,
    topic: str | None,
    message: str | None,
    file: Path | None,
    lines: bool,
    headers: tuple[str, ...],
    properties: tuple[str, ...],
    persistent: bool,
    mandatory: bool,
    confirm: bool,
    count: int,
    interval: float,
) -> int:
    """Publish messages.

    \b
        amqpd publish -k tasks -m hello                     to the queue tasks
        amqpd publish -e amq.topic -k a.b -H n=5 <file      standard input, with a header
        seq 1000 | amqpd publish -k tasks -l --confirm      each line

    Leaves with 0 when the broker has it all, with 1 when some of it went nowhere or was refused.
    """
    if sum([message is not None, file is not None, lines]) > 1:
        raise click.UsageError("give one of -m, -f and -l")
    if not (key or exchange or topic):
        raise click.UsageError("say where to: a queue's name as -k KEY, -e EXCHANGE with a key, or -t TOPIC")
    if topic is not None:
        if key or exchange:
            raise click.UsageError("-t stands for exchange and key")
        exchange, key = "amq.topic", topic.strip("/").replace("/", ".")
    wanted = properties_of(properties, headers_of(headers))
    if persistent:
        wanted.delivery_mode = 2
    bodies = _bodies(message, file, lines)
    with linked(url, data_dir, vhost) as link:
        publisher = Publisher(link, exchange, key, wanted, mandatory=mandatory, confirm=confirm or mandatory)
        try:
            _publish_all(publisher, bodies, count, interval, lines)
            publisher.finish()
        except ValueError as error:
            raise StartupError(f"such a message cannot be: {error}", os.EX_DATAERR) from error
        except TimeoutError:
            raise StartupError("the broker does not answer", os.EX_TEMPFAIL) from None
    if publisher.unroutable:
        click.echo(f"amqpd: {publisher.unroutable} of {publisher.published} messages reached no queue", err=True)
    if publisher.refused:
        click.echo(f"amqpd: {publisher.refused} of {publisher.published} messages were refused", err=True)
    return 1 if publisher.unroutable or publisher.refused else os.EX_OK


def _publish_all(publisher: Publisher, bodies: Iterable[bytes], count: int, interval: float, waits: bool) -> None:
    told = time.monotonic()
    shows = sys.stderr.isatty()
    for body in bodies:
        for _ in range(count):
            publisher.publish(body)
            if interval:
                publisher.flush()
                time.sleep(interval)
            if shows and time.monotonic() - told > PROGRESS:
                told = time.monotonic()
                click.echo(f"\r{publisher.published:,} published", err=True, nl=False)
        if waits and not interval and not select.select([sys.stdin], [], [], 0)[0]:
            publisher.flush()  # the next line may be long in coming
    if shows and publisher.published > WINDOW:
        click.echo(f"\r{publisher.published:,} published", err=True)


def _bodies(message: str | None, file: Path | None, lines: bool) -> Iterator[bytes]:
    if message is not None:
        yield message.encode(errors="surrogateescape")
    elif file is not None and str(file) != "-":
        try:
            yield file.read_bytes()
        except OSError as error:
            raise StartupError(f"cannot read {file}: {error.strerror}", os.EX_NOINPUT) from error
    elif lines:
        for line in sys.stdin.buffer:
            yield line.removesuffix(b"\n")
    else:
        yield sys.stdin.buffer.read()
