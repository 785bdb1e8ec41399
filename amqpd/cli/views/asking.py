"""How these commands find the API, and what becomes of its refusals."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from ...errors import StartupError
from ..http import Api, Refusal, find


def api_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How commands are told which broker is meant."""
    for add in (
        click.option("-D", "--data-dir", metavar="DIR", help="The broker of this data folder."),
        click.option("-V", "--vhost", default="/", show_default=True, metavar="NAME"),
        click.option(
            "-u", "--url", metavar="URL", help="http://user:password@host:port.  [default: the usual data folder's]"
        ),
    ):
        command = add(command)
    return command


@contextmanager
def asking(url: str | None, data_dir: str | None) -> Iterator[Api]:
    """The API. Refusals become StartupError, with exit codes of sysexits.h."""
    try:
        api = Api(find(url, data_dir, os.environ))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        yield api
    except Refusal as refusal:
        if refusal.status == 404:
            raise StartupError(f"there is no {_named(refusal.path)}", os.EX_DATAERR) from None
        code = os.EX_NOPERM if refusal.status in (401, 403) else os.EX_DATAERR
        raise StartupError(str(refusal), code) from None
    finally:
        api.close()


def _named(path: str) -> str:
    from urllib.parse import unquote  # noqa: PLC0415

    parts = [unquote(part) for part in path.strip("/").split("/")]
    kind = {"queues": "queue", "route": "exchange", "exchanges": "exchange", "vhosts": "vhost", "bindings": "vhost"}
    words = parts[1:] if parts[0] == "amqpd" else parts
    if len(words) > 2 and words[0] in ("queues", "route"):
        return f"{kind[words[0]]} '{words[2]}' in vhost '{words[1]}'"
    return f"{kind.get(words[0], words[0])} {' '.join(repr(word) for word in words[1:])}".strip()
