"""A connection for a command: what goes wrong on it becomes one line and an exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import click

from ...errors import StartupError
from ...testing.client import Client, Command
from ...wire.methods import (
    BasicConsume,
    BasicConsumeOk,
    BasicQos,
    BasicQosOk,
    ChannelClose,
    ConnectionClose,
    ConnectionCloseOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)
from ...wire.spec import ReplyCode
from ..probe import locate

PATIENCE: Final = 30.0
"""Seconds for an answer."""

GREETING: Final = 10.0
"""Seconds for each of the first answers: whoever says nothing by then is no broker."""

LONG: Final = 86400.0
"""Seconds between looks at a broker that says nothing."""

_CODES: Final = {
    ReplyCode.NOT_FOUND: os.EX_DATAERR,
    ReplyCode.PRECONDITION_FAILED: os.EX_DATAERR,
    ReplyCode.ACCESS_REFUSED: os.EX_NOPERM,
    ReplyCode.NOT_ALLOWED: os.EX_NOPERM,
    ReplyCode.RESOURCE_LOCKED: os.EX_UNAVAILABLE,
}


class Closed(StartupError):
    """The broker has ended the connection, or the channel, and said why."""


class Link(Client):
    """A client with channel 1 open. Raises Closed when the broker ends it."""

    _ahead: Command | None = None  # looked at, and not received

    def receive(self, timeout: float | None = None) -> Command:
        """The next command. Raises TimeoutError when none came, Closed when it was the last."""
        try:
            command, self._ahead = self._ahead or super().receive(timeout), None
        except TimeoutError:
            raise
        except (OSError, ConnectionError) as error:
            raise Closed(f"the connection is lost: {error}", os.EX_UNAVAILABLE) from error
        method = command.method
        if isinstance(method, ConnectionClose):
            self.send(0, ConnectionCloseOk())
        if isinstance(method, (ConnectionClose, ChannelClose)):
            raise Closed(method.reply_text, _CODES.get(ReplyCode(method.reply_code), os.EX_UNAVAILABLE))
        return command

    def has_more(self) -> bool:
        """Whether another command has come already."""
        if self._ahead is None:
            self._ahead = self.session.next()
        return self._ahead is not None

    def waiting(self, timeout: float | None) -> Iterator[Command]:
        """Commands as they come, until none comes for so long; without a timeout, for ever."""
        while True:
            try:
                yield self.receive(LONG if timeout is None else timeout)
            except TimeoutError:
                if timeout is not None:
                    return

    def bound_queue(self, exchange: str, key: str) -> str:
        """The name of a queue of this connection's own, that gets what matches the key."""
        name = self.call(1, QueueDeclare(exclusive=True, auto_delete=True), QueueDeclareOk).queue
        self.call(1, QueueBind(queue=name, exchange=exchange, routing_key=key), QueueBindOk)
        return name

    def consume(self, queue: str, *, no_ack: bool, prefetch: int, arguments: dict[str, Any] | None = None) -> None:
        """Have messages of a queue sent from now on."""
        if prefetch and not no_ack:
            self.call(1, BasicQos(prefetch_count=prefetch), BasicQosOk)
        self.send(1, BasicConsume(queue=queue, no_ack=no_ack, arguments=arguments or {}))
        self.expect(1, BasicConsumeOk)


@contextmanager
def linked(url: str | None, data_dir: str | None, vhost: str | None) -> Iterator[Link]:
    """A connection to the broker that is meant. Raises StartupError."""
    where = with_vhost(locate(url, data_dir, os.environ), vhost)
    if urlsplit(where).scheme not in ("amqp", "amqps"):
        raise click.UsageError(f"'{urlsplit(where).scheme}' is not a scheme of AMQP: amqp://… or amqps://…")
    shown = urlsplit(where).netloc.rpartition("@")[2]
    try:
        link = Link(where, timeout=GREETING)
    except TimeoutError:
        raise StartupError(f"{shown} did not answer within {GREETING:g} s", os.EX_TEMPFAIL) from None
    except OSError as error:
        raise StartupError(f"cannot connect to {shown}: {error.strerror or error}", os.EX_UNAVAILABLE) from error
    except ValueError as error:
        raise click.UsageError(f"the URL cannot be: {error}") from error
    link.timeout = PATIENCE
    with link:
        link.channel(1)
        yield link
        link.send(0, ConnectionClose(200, "done"))
        try:
            while not isinstance(Client.receive(link).method, ConnectionCloseOk):
                pass
        except OSError:
            pass  # gone is gone


def with_vhost(url: str, vhost: str | None) -> str:
    """A whole URL: with a scheme, and with the vhost that is wanted."""
    parts = urlsplit(url if "://" in url else f"amqp://{url}")
    return urlunsplit(parts if vhost is None else parts._replace(path=f"/{quote(vhost, safe='')}"))


def link_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How commands are told which broker is meant."""
    for add in (
        click.option("-D", "--data-dir", metavar="DIR", help="The broker of this data folder."),
        click.option("-V", "--vhost", metavar="NAME", help="Instead of the URL's."),
        click.option(
            "-u", "--url", metavar="URL", help="amqp://user:password@host:port/vhost.  [default: as for amqpd ping]"
        ),
    ):
        command = add(command)
    return command
