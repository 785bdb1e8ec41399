"""`amqpd ping` and `amqpd wait`: is a broker there?"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from .probe import TIMEOUT, Target, await_start, greet, locate, target_of

WHERE = """URL is amqp://…, amqps://…, or HOST:PORT. Without it: the broker of the data folder (-D), AMQP_URL,
RABBITMQ_NODE_PORT, the broker of the usual data folder, or 127.0.0.1:5672, whichever is there first."""


def _target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for add in (
        click.argument("url", required=False),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well."),
        click.option("-k", "--insecure", is_flag=True, help="With amqps, take any certificate."),
        click.option(
            "--cacert", type=click.Path(), metavar="FILE", help="With amqps, the authorities to trust, as PEM."
        ),
        click.option("-D", "--data-dir", metavar="DIR", help="Ask the broker of this data folder."),
    ):
        command = add(command)
    return command


def _target(url: str | None, data_dir: str | None, cacert: str | None, insecure: bool) -> Target:
    try:
        return target_of(locate(url, data_dir, os.environ), cacert, insecure)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@click.command(epilog=WHERE)
@_target_options
@click.option("-t", "--timeout", type=click.FloatRange(min=0), default=TIMEOUT, show_default=True, help="Seconds.")
def ping(
    url: str | None, data_dir: str | None, cacert: str | None, insecure: bool, quiet: bool, timeout: float
) -> None:
    """Ask a broker for a sign of life, without logging in.

    Leaves with 0 when it answers, 69 when nobody is there, 75 when there is no answer in time, and 76 when it is no
    broker that answers.
    """
    target = _target(url, data_dir, cacert, insecure)
    greet(target, timeout)
    if not quiet:
        click.echo(f"{target} answers")


@click.command(epilog=WHERE)
@_target_options
@click.option("-t", "--timeout", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds.")
def wait(
    url: str | None, data_dir: str | None, cacert: str | None, insecure: bool, quiet: bool, timeout: float
) -> None:
    """Wait until a broker accepts connections.

    Leaves with 0 then, and with 75 when time is up.
    """
    target = await_start(lambda: _target(url, data_dir, cacert, insecure), timeout)
    if not quiet:
        click.echo(f"{target} answers")
